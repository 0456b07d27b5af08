//! The data dictionary: what every dataset holds and demands, written from the very objects that ingest checks with, so that it
//! cannot say anything else.

mod markdown;
mod view;

use minijinja::value::Serde;
use prem_spec::Plan;

use self::view::Dictionary;
use crate::{Language, ReportError, page::environment, texts::Texts};

const TEMPLATES: [(&str, &str); 2] = [
    ("dictionary.html", include_str!("../../templates/dictionary.html")),
    ("style.css", include_str!("../../templates/style.css")),
];

/// As Markdown.
///
/// # Errors
/// When the texts cannot be read.
pub fn dictionary_markdown(plan: &Plan, language: Language) -> Result<String, ReportError> {
    let texts = Texts::dictionary(language)?;
    Ok(markdown::of(&Dictionary::of(plan, language, &texts), &texts))
}

/// As one self-contained page.
///
/// # Errors
/// When the texts or the template cannot be read.
pub fn dictionary_html(plan: &Plan, language: Language) -> Result<String, ReportError> {
    let failed =
        |error: minijinja::Error| ReportError::Page { path: "data dictionary".into(), reason: error.to_string() };
    let texts = Texts::dictionary(language)?;
    let environment = environment(&TEMPLATES).map_err(failed)?;
    let page = Page { dictionary: Dictionary::of(plan, language, &texts), t: &texts, language: language.code() };
    environment.get_template("dictionary.html").and_then(|template| template.render(Serde(page))).map_err(failed)
}

#[derive(serde::Serialize)]
struct Page<'a> {
    #[serde(flatten)]
    dictionary: Dictionary,
    t: &'a Texts,
    language: &'static str,
}
