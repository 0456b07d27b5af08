//! The table of variation between units, for the region's page.

use std::collections::BTreeMap;

use prem_protect::{Protected, UNITS_BEHIND_A_FIGURE_MIN};
use prem_spec::{Level, Plan};
use serde::Serialize;

use super::cell::{Cell, plain};
use crate::{
    Language,
    latest::Latest,
    number::{Style, count},
    texts::Texts,
    words,
};

/// Decimals of figures without a unit.
const DECIMALS: usize = 2;
const PROBABILITY_DECIMALS: usize = 3;

#[derive(Debug, Clone, Serialize)]
pub(super) struct VariationTable {
    caption: String,
    note: String,
    headings: Vec<String>,
    rows: Vec<VariationRow>,
}

#[derive(Debug, Clone, Serialize)]
struct VariationRow {
    indicator: String,
    level: String,
    n_units: String,
    figures: Vec<Cell>,
}

impl VariationTable {
    /// Rows of the latest period, by indicator and level; `None` when there are none.
    pub(super) fn of(
        plan: &Plan,
        protected: &Protected,
        latest: &Latest<'_>,
        language: Language,
        texts: &Texts,
    ) -> Option<Self> {
        let mut rows = BTreeMap::new();
        for row in protected.variation() {
            let Some(indicator) = plan.indicators.get(&row.indicator) else { continue };
            let Some(level) = Level::of_word(&row.level) else { continue };
            if !latest.is_latest(&row.indicator, &row.period) {
                continue;
            }
            let style = Style::of(indicator, language);
            let hidden = texts.get("no_value");
            let value = |figure: Option<f64>| Cell::of(figure.map(|figure| style.value(figure)), hidden);
            let other = |figure: Option<f64>, decimals: usize| plain(figure, decimals, language, hidden);
            let share = |figure: Option<f64>| {
                let style = Style { decimals: 0, is_share: true, language };
                Cell::of(figure.map(|figure| style.value(figure)), hidden)
            };
            let figures = vec![
                value(row.lowest),
                value(row.highest),
                value(row.between_sd),
                share(row.explained_by_case_mix),
                other(row.icc, DECIMALS + 1),
                other(row.scv, DECIMALS),
                other(row.scv_p, PROBABILITY_DECIMALS),
            ];
            rows.insert(
                (row.indicator.as_str(), level),
                VariationRow {
                    indicator: indicator.title.get(language.code()).to_owned(),
                    level: texts.get(words::level_key(level)).to_owned(),
                    n_units: count(row.n_units, language),
                    figures,
                },
            );
        }
        let keys = ["lowest", "highest", "between_sd", "explained", "icc", "scv", "scv_p"];
        (!rows.is_empty()).then(|| Self {
            caption: texts.get("variation_caption").to_owned(),
            note: texts.fill("variation_note", &[("units", &UNITS_BEHIND_A_FIGURE_MIN.to_string())]),
            headings: keys.into_iter().map(|key| texts.get(key).to_owned()).collect(),
            rows: rows.into_values().collect(),
        })
    }
}
