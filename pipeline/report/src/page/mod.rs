//! `index.html`: one self-contained page per folder, readable without scripts, by screen reader, on paper and on a phone.
//!
//! The page is built in two steps: a [`view`] holds every word and number as it will be read, and the templates only place
//! them. All text is escaped by the template engine; the view never holds markup.

mod about;
mod cell;
mod no_change;
mod plot;
mod remarks;
mod run_chart;
mod section;
mod sensitivity;
mod variation;
mod view;

use std::{fs, path::Path};

use minijinja::{Environment, UndefinedBehavior, syntax::SyntaxConfig, value::Serde};
use prem_protect::Protected;
use prem_spec::Plan;

use crate::{ReportError, RunFacts, folder::Reader, texts::Texts};

/// Names that end in `.html` are escaped; the style sheet is our own.
const TEMPLATES: [(&str, &str); 9] = [
    ("page.html", include_str!("../../templates/page.html")),
    ("macros.html", include_str!("../../templates/macros.html")),
    ("overview.html", include_str!("../../templates/overview.html")),
    ("indicator.html", include_str!("../../templates/indicator.html")),
    ("plot.html", include_str!("../../templates/plot.html")),
    ("run_chart.html", include_str!("../../templates/run_chart.html")),
    ("sensitivity.html", include_str!("../../templates/sensitivity.html")),
    ("variation.html", include_str!("../../templates/variation.html")),
    ("style.css", include_str!("../../templates/style.css")),
];

pub(crate) fn write(
    path: &Path,
    plan: &Plan,
    protected: &Protected,
    reader: Reader<'_>,
    facts: &RunFacts,
    texts: &Texts,
) -> Result<(), ReportError> {
    let failed = |error: minijinja::Error| ReportError::Page { path: path.to_path_buf(), reason: error.to_string() };
    let environment = environment(&TEMPLATES).map_err(failed)?;
    let page = view::Page::of(plan, protected, reader, facts, texts);
    let html =
        environment.get_template("page.html").and_then(|template| template.render(Serde(page))).map_err(failed)?;
    fs::write(path, html).map_err(ReportError::io("write", path))
}

/// The engine with these templates; a name that nothing stands behind is an error.
pub(crate) fn environment(
    templates: &[(&'static str, &'static str)],
) -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    for (name, source) in templates {
        environment.add_template(name, source)?;
    }
    Ok(environment)
}
