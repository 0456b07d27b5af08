//! Everything that a page says, before it is placed.

use prem_protect::Protected;
use prem_spec::{Indicator, Level, Plan, Unit};
use serde::Serialize;

use super::{
    cell::{Figures, Reading},
    section::{Material, Section, anchor},
    sensitivity::OtherModels,
    variation::Variation,
};
use crate::{
    Language, RunFacts,
    folder::Reader,
    latest::Latest,
    names::{self, UnitNames},
    number::declared,
    texts::Texts,
    words,
};

#[derive(Debug, Clone, Serialize)]
pub(super) struct Page<'a> {
    language: &'static str,
    title: String,
    lead: String,
    /// Whether the page is one trust's, and not the region's.
    is_trust: bool,
    is_synthetic: bool,
    held_back: Vec<String>,
    t: &'a Texts,
    how_interval: String,
    themes: Vec<Theme>,
    has_goals: bool,
    interval_heading: String,
    overview_hidden: bool,
    sections: Vec<Section>,
    sections_heading: String,
    variation: Option<Variation>,
    models: Option<OtherModels>,
    run_id: &'a str,
    method_version: &'a str,
    program_version: &'a str,
    plan_hash: &'a str,
}

/// Indicators of one theme, for the unit that the page is about.
#[derive(Debug, Clone, Serialize)]
struct Theme {
    title: String,
    caption: String,
    /// Respondents, or persons where the theme is about rates.
    n_heading: String,
    rows: Vec<IndicatorRow>,
}

#[derive(Debug, Clone, Serialize)]
struct IndicatorRow {
    anchor: String,
    title: String,
    /// Of rates, which come per so many inhabitants.
    measured_in: Option<String>,
    survey: String,
    period: String,
    figures: Figures,
}

impl<'a> Page<'a> {
    pub(super) fn of(
        plan: &Plan,
        protected: &Protected,
        reader: Reader<'_>,
        facts: &'a RunFacts,
        texts: &'a Texts,
    ) -> Self {
        let language = facts.language;
        let code = language.code();
        let latest = Latest::of(protected.estimates());
        let subject = subject_of(plan, reader);
        let name = subject.map(|unit| unit.name.get(code)).unwrap_or_default();
        let is_trust = matches!(reader, Reader::Trust(_));
        let themes = subject.map(|unit| themes(plan, protected, unit, (&latest, language), texts)).unwrap_or_default();
        let periods: Vec<String> = latest.periods().iter().map(ToString::to_string).collect();
        let ci_level = common_ci_level(plan, &latest).map(|level| declared(100.0 * level, language));
        let lead = if themes.is_empty() {
            texts.get("lead_nothing").to_owned()
        } else {
            texts.fill("lead_period", &[("periods", &periods.join(", "))])
        };
        Self {
            language: code,
            title: if is_trust {
                texts.fill("title_trust", &[("name", name)])
            } else {
                texts.get("title_region").to_owned()
            },
            lead,
            is_trust,
            is_synthetic: facts.is_synthetic,
            held_back: names::held_back(plan, reader, facts, texts),
            t: texts,
            how_interval: match &ci_level {
                Some(level) => texts.fill("how_interval", &[("level", level)]),
                None => texts.get("how_interval_plain").to_owned(),
            },
            has_goals: plan.indicators.values().any(|indicator| indicator.goal.is_some()),
            interval_heading: match &ci_level {
                Some(level) => texts.fill("interval", &[("level", level)]),
                None => texts.get("interval_plain").to_owned(),
            },
            overview_hidden: themes.iter().flat_map(|theme| &theme.rows).any(|row| row.figures.is_hidden()),
            themes,
            sections: sections(plan, protected, reader, &latest, facts, texts),
            sections_heading: texts.get(if is_trust { "by_unit_heading" } else { "by_trust_heading" }).to_owned(),
            variation: match reader {
                Reader::Region => Variation::of(plan, protected, &latest, language, texts),
                Reader::Trust(_) => None,
            },
            models: match reader {
                Reader::Region => OtherModels::of(plan, protected, &latest, language, texts),
                Reader::Trust(_) => None,
            },
            run_id: &facts.run_id,
            method_version: &facts.method_version,
            program_version: &facts.program_version,
            plan_hash: &facts.plan_hash,
        }
    }
}

/// The confidence level of the page's indicators, where they have one in common.
fn common_ci_level(plan: &Plan, latest: &Latest<'_>) -> Option<f64> {
    let mut levels = latest.indicators().filter_map(|id| plan.indicators.get(id)).map(|indicator| indicator.ci_level);
    let first = levels.next()?;
    levels.all(|level| (level - first).abs() < f64::EPSILON).then_some(first)
}

/// What the column n counts.
pub(super) fn n_heading(indicator: &Indicator) -> &'static str {
    if indicator.measure.is_rate() { "n_rate" } else { "n" }
}

/// Themes in the order in which their first indicator stands in the plan.
fn themes(
    plan: &Plan,
    protected: &Protected,
    unit: &Unit,
    (latest, language): (&Latest<'_>, Language),
    texts: &Texts,
) -> Vec<Theme> {
    let code = language.code();
    let mut themes: Vec<Theme> = Vec::new();
    for indicator in plan.indicators.values() {
        let Some(row) = latest.row(&indicator.id, &unit.id) else { continue };
        let title = indicator.theme.get(code);
        let reading = Reading { plan, indicator, protected, latest, language, texts };
        let line = IndicatorRow {
            anchor: anchor(&indicator.id),
            title: indicator.title.get(code).to_owned(),
            measured_in: indicator.measure.is_rate().then(|| words::measured_in(indicator, language, texts)),
            survey: names::survey(plan, indicator, language, texts).to_owned(),
            period: row.period.clone(),
            figures: Figures::of(row, &reading),
        };
        match themes.iter_mut().find(|theme| theme.title == title) {
            Some(theme) => theme.rows.push(line),
            None => themes.push(Theme {
                title: title.to_owned(),
                caption: texts.fill("overview_caption", &[("theme", title), ("name", unit.name.get(code))]),
                n_heading: texts.get(n_heading(indicator)).to_owned(),
                rows: vec![line],
            }),
        }
    }
    themes
}

/// One section per indicator that has rows for the reader's units: a trust's own, or all trusts.
fn sections(
    plan: &Plan,
    protected: &Protected,
    reader: Reader<'_>,
    latest: &Latest<'_>,
    facts: &RunFacts,
    texts: &Texts,
) -> Vec<Section> {
    let units: Vec<&Unit> = plan.organisation.units.iter().filter(|unit| belongs(plan, unit, reader)).collect();
    let ordered = in_tree_order(&units);
    let names = UnitNames::among(&plan.organisation, &units, facts.language);
    let subject = subject_of(plan, reader);
    let section = |indicator: &Indicator| {
        let period = latest.period(&indicator.id)?.to_string();
        let rows: Vec<_> =
            ordered.iter().filter_map(|unit| Some((*unit, latest.row(&indicator.id, &unit.id)?))).collect();
        let spread = protected.spread().iter().filter(|s| s.indicator == indicator.id && s.period == period).collect();
        let material = Material { plan, indicator, period, rows, names: &names, spread, protected, latest, subject };
        (!material.rows.is_empty()).then(|| Section::of(&material, facts, texts))
    };
    plan.indicators.values().filter_map(section).collect()
}

/// Whom the page is about.
fn subject_of<'a>(plan: &'a Plan, reader: Reader<'a>) -> Option<&'a Unit> {
    match reader {
        Reader::Region => plan.organisation.top(),
        Reader::Trust(trust) => Some(trust),
    }
}

fn belongs(plan: &Plan, unit: &Unit, reader: Reader<'_>) -> bool {
    match reader {
        Reader::Region => unit.level <= Level::Hf,
        Reader::Trust(trust) => {
            plan.organisation.ancestor_at(&unit.id, Level::Hf).is_some_and(|owner| owner.id == trust.id)
        }
    }
}

/// Every unit directly followed by those below it; siblings in declared order.
fn in_tree_order<'a>(units: &[&'a Unit]) -> Vec<&'a Unit> {
    fn follow<'a>(units: &[&'a Unit], parent: &Unit, depth: usize, out: &mut Vec<&'a Unit>) {
        if depth > Level::ALL.len() {
            return;
        }
        for unit in units.iter().filter(|unit| unit.parent.as_deref() == Some(parent.id.as_str())) {
            out.push(unit);
            follow(units, unit, depth + 1, out);
        }
    }
    let mut out = Vec::with_capacity(units.len());
    let is_top = |unit: &&&Unit| !units.iter().any(|other| unit.parent.as_deref() == Some(other.id.as_str()));
    for top in units.iter().filter(is_top) {
        out.push(*top);
        follow(units, top, 1, &mut out);
    }
    out
}
