//! One indicator in full: a table by unit, the picture, and where the units lie in the region.

use prem_protect::{Protected, Spread, UNITS_MIN, tables::Estimate};
use prem_spec::{Indicator, Level, Plan, Unit};
use serde::Serialize;

use super::{
    about::{self, Fact},
    cell::{Cell, Figures, Reading},
    plot::{Plot, Subject},
    remarks,
    run_chart::{self, RunChart},
    view::n_heading,
};
use crate::{
    RunFacts,
    latest::Latest,
    names::{self, UnitName, UnitNames},
    number::{Style, declared},
    texts::Texts,
    words,
};

#[derive(Debug, Clone, Serialize)]
pub(super) struct Section {
    id: String,
    title: String,
    description: String,
    /// What values are counted in, where the description does not say it.
    measured_in: Option<String>,
    about: Vec<Fact>,
    caption: String,
    interval_heading: String,
    n_heading: String,
    has_goal: bool,
    has_hidden: bool,
    /// What a reader must know before comparing: a changed question, or one that only some trusts ask.
    remarks: Vec<String>,
    rows: Vec<UnitRow>,
    plot: Option<Plot>,
    run_chart: Option<RunChart>,
    run_note: String,
    spread: Option<SpreadTable>,
}

#[derive(Debug, Clone, Serialize)]
struct UnitRow {
    name: String,
    level: String,
    /// Steps below the first unit of the table.
    depth: u8,
    figures: Figures,
}

#[derive(Debug, Clone, Serialize)]
struct SpreadTable {
    caption: String,
    note: String,
    rows: Vec<SpreadRow>,
}

#[derive(Debug, Clone, Serialize)]
struct SpreadRow {
    level: String,
    n_units: String,
    figures: Vec<Cell>,
}

/// What a section is made of.
pub(super) struct Material<'a> {
    pub(super) plan: &'a Plan,
    pub(super) indicator: &'a Indicator,
    pub(super) period: String,
    /// Units in the order of the organisation.
    pub(super) rows: Vec<(&'a Unit, &'a Estimate)>,
    pub(super) names: &'a UnitNames,
    pub(super) spread: Vec<&'a Spread>,
    pub(super) protected: &'a Protected,
    pub(super) latest: &'a Latest<'a>,
    /// Whom the page is about: the region, or the trust.
    pub(super) subject: Option<&'a Unit>,
}

impl Section {
    pub(super) fn of(material: &Material<'_>, facts: &RunFacts, texts: &Texts) -> Self {
        let Material { plan, indicator, period, rows, names, spread, protected, latest, subject } = material;
        let language = facts.language;
        let code = language.code();
        let style = Style::of(indicator, language);
        let title = names::indicator(plan, indicator, language, texts);
        let id = anchor(&indicator.id);
        let top = rows.iter().map(|(unit, _)| unit.level as u8).min().unwrap_or(0);
        let ci_level = declared(100.0 * indicator.ci_level, language);
        let about = [("indicator", title.as_str()), ("period", period.as_str())];
        let reading = Reading { plan, indicator, protected, latest, language, texts };
        let units: Vec<UnitRow> = rows
            .iter()
            .map(|(unit, row)| UnitRow {
                name: names.of(unit, language).full(),
                level: texts.get(words::level_key(unit.level)).to_owned(),
                depth: (unit.level as u8).saturating_sub(top),
                figures: Figures::of(row, &reading),
            })
            .collect();
        let (level, pictured) = pictured(rows, |unit| names.of(unit, language));
        let picture = Subject {
            id: &id,
            indicator: &title,
            period,
            level: level.map(|level| texts.get(words::level_key(level))).unwrap_or_default(),
            ci_level: &ci_level,
        };
        Self {
            description: indicator.description.get(code).to_owned(),
            measured_in: words::measured_besides(indicator, language, texts),
            about: about::of(material, facts, texts),
            caption: texts.fill("by_unit_caption", &about),
            interval_heading: texts.fill("interval", &[("level", &ci_level)]),
            n_heading: texts.get(n_heading(indicator)).to_owned(),
            has_goal: indicator.goal.is_some(),
            has_hidden: units.iter().any(|row| row.figures.is_hidden()),
            remarks: remarks::of(material, language, texts),
            rows: units,
            plot: Plot::of(&picture, &pictured, style, texts),
            run_chart: subject.and_then(|unit| {
                let level = texts.get(words::level_key(unit.level));
                let about = ((indicator.id.as_str(), title.as_str()), (unit.id.as_str(), unit.name.get(code), level));
                RunChart::of(protected, about.0, about.1, (&id, style), texts)
            }),
            run_note: run_chart::note(texts),
            spread: spread_table(spread, &about, style, texts),
            title,
            id,
        }
    }
}

/// The lowest level at which at least two of the units have a figure, the one that a ward leader knows, with those units.
fn pictured<'a>(
    rows: &[(&'a Unit, &'a Estimate)],
    name: impl Fn(&Unit) -> UnitName,
) -> (Option<Level>, Vec<(UnitName, &'a Estimate)>) {
    let at = |level: Level| {
        let shown = rows.iter().filter(|(unit, row)| unit.level == level && row.value.is_some());
        (Some(level), shown.map(|(unit, row)| (name(unit), *row)).collect::<Vec<_>>())
    };
    Level::ALL.into_iter().rev().map(at).find(|(_, units)| units.len() > 1).unwrap_or_default()
}

fn spread_table(spread: &[&Spread], about: &[(&str, &str)], style: Style, texts: &Texts) -> Option<SpreadTable> {
    let rows: Vec<SpreadRow> = spread
        .iter()
        .filter_map(|spread| {
            let figures = [spread.lowest, spread.p25, spread.median, spread.p75, spread.highest];
            Some(SpreadRow {
                level: texts.get(words::level_key(Level::of_word(&spread.level)?)).to_owned(),
                n_units: spread.n_units.to_string(),
                figures: figures.into_iter().map(|value| Cell::shown(style.value(value))).collect(),
            })
        })
        .collect();
    (!rows.is_empty()).then(|| SpreadTable {
        caption: texts.fill("spread_caption", about),
        note: texts.fill("spread_note", &[("units", &UNITS_MIN.to_string())]),
        rows,
    })
}

/// The place of an indicator on its page.
pub(super) fn anchor(indicator: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' };
    format!("i-{}", indicator.chars().map(plain).collect::<String>())
}
