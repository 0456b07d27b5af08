//! The tables of variation between units, for the region's page: one of surveys, one of rates.

use std::collections::BTreeMap;

use prem_protect::{Levels, Protected, UNITS_BEHIND_A_FIGURE_MIN, tables};
use prem_spec::{Indicator, Level, Plan};
use serde::Serialize;

use super::cell::{Absence, Cell};
use crate::{
    Language,
    latest::Latest,
    names,
    number::{Style, count, fixed, probability},
    texts::Texts,
    words,
};

/// Decimals of figures without a unit.
const DECIMALS: usize = 2;
const PROBABILITY_DECIMALS: usize = 3;

const OF_SURVEYS: [&str; 5] = ["lowest", "highest", "between_sd", "explained", "icc"];
const OF_RATES: [&str; 4] = ["lowest", "highest", "scv", "scv_p"];

#[derive(Debug, Clone, Serialize)]
pub(super) struct Variation {
    note: String,
    tables: Vec<VariationTable>,
    has_hidden: bool,
}

#[derive(Debug, Clone, Serialize)]
struct VariationTable {
    caption: String,
    /// What the figures are; of rates only.
    note: Option<String>,
    headings: Vec<String>,
    rows: Vec<VariationRow>,
}

#[derive(Debug, Clone, Serialize)]
struct VariationRow {
    indicator: String,
    survey: String,
    level: String,
    n_units: String,
    figures: Vec<Cell>,
}

impl Variation {
    /// Rows of the latest period, by indicator and level; `None` when there are none.
    pub(super) fn of(
        plan: &Plan,
        protected: &Protected,
        latest: &Latest<'_>,
        language: Language,
        texts: &Texts,
    ) -> Option<Self> {
        let levels = Levels::of(protected.estimates());
        let mut surveys = BTreeMap::new();
        let mut rates = BTreeMap::new();
        for row in protected.variation() {
            let Some(indicator) = plan.indicators.get(&row.indicator) else { continue };
            let Some(level) = Level::of_word(&row.level) else { continue };
            if !latest.is_latest(&row.indicator, &row.period) {
                continue;
            }
            let is_model_hidden = levels.get(&row.indicator, &row.period, &row.level).is_near_a_unit();
            let figures = Figures { row, is_model_hidden, style: Style::of(indicator, language), texts };
            let is_rate = indicator.measure.is_rate();
            let line = VariationRow {
                indicator: indicator.title.get(language.code()).to_owned(),
                survey: names::survey(plan, indicator, language, texts).to_owned(),
                level: texts.get(words::level_key(level)).to_owned(),
                n_units: count(row.n_units, language),
                figures: if is_rate { figures.of_rate() } else { figures.of_survey(indicator) },
            };
            let rows = if is_rate { &mut rates } else { &mut surveys };
            rows.insert((row.indicator.as_str(), level), line);
        }
        let table = |rows: BTreeMap<_, VariationRow>, caption: &str, note: Option<&str>, headings: &[&str]| {
            (!rows.is_empty()).then(|| VariationTable {
                caption: texts.get(caption).to_owned(),
                note: note.map(|note| texts.get(note).to_owned()),
                headings: headings.iter().map(|key| texts.get(key).to_owned()).collect(),
                rows: rows.into_values().collect(),
            })
        };
        let tables: Vec<VariationTable> = [
            table(surveys, "variation_caption", None, &OF_SURVEYS),
            table(rates, "variation_caption_rates", Some("variation_note_rates"), &OF_RATES),
        ]
        .into_iter()
        .flatten()
        .collect();
        (!tables.is_empty()).then(|| Self {
            note: texts.fill("variation_note", &[("units", &UNITS_BEHIND_A_FIGURE_MIN.to_string())]),
            has_hidden: tables.iter().flat_map(|table| &table.rows).flat_map(|row| &row.figures).any(Cell::is_hidden),
            tables,
        })
    }
}

struct Figures<'a> {
    row: &'a tables::Variation,
    /// What models say of the spread is withheld.
    is_model_hidden: bool,
    style: Style,
    texts: &'a Texts,
}

impl Figures<'_> {
    fn of_survey(&self, indicator: &Indicator) -> Vec<Cell> {
        let Self { row, style, texts, .. } = self;
        let whole_share = Style { decimals: 0, is_share: true, ..*style };
        let sd = |sd: f64| {
            let number = style.plain(sd);
            let is_share = indicator.measure.is_proportion();
            if is_share { texts.fill("in_percentage_points", &[("number", &number)]) } else { number }
        };
        vec![
            self.extreme(row.lowest),
            self.extreme(row.highest),
            self.of_model(row.between_sd.map(sd)),
            self.of_model(row.explained_by_case_mix.map(|share| whole_share.value(share))),
            self.of_model(row.icc.map(|icc| fixed(icc, DECIMALS + 1, style.language))),
        ]
    }

    fn of_rate(&self) -> Vec<Cell> {
        let Self { row, style, .. } = self;
        vec![
            self.extreme(row.lowest),
            self.extreme(row.highest),
            self.spread(row.scv.map(|scv| fixed(scv, DECIMALS, style.language))),
            self.spread(row.scv_p.map(|p| probability(p, PROBABILITY_DECIMALS, style.language))),
        ]
    }

    /// One unit's value: where it is not told, it is withheld.
    fn extreme(&self, value: Option<f64>) -> Cell {
        Cell::of(value.map(|value| self.style.value(value)), Absence::hidden(self.texts.get("hidden")))
    }

    /// A figure of all units: withheld with the coefficient of variation, which every family has; else there is none.
    fn spread(&self, text: Option<String>) -> Cell {
        self.cell(text, self.row.cv.is_none())
    }

    fn of_model(&self, text: Option<String>) -> Cell {
        self.cell(text, self.row.cv.is_none() || self.is_model_hidden)
    }

    fn cell(&self, text: Option<String>, is_hidden: bool) -> Cell {
        let absence = if is_hidden {
            Absence::hidden(self.texts.get("hidden"))
        } else {
            Absence::none(self.texts.get("no_value"))
        };
        Cell::of(text, absence)
    }
}
