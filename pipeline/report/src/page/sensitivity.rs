//! What other models would have said, for the region's page: how far ranks and assessments move.

use std::collections::BTreeMap;

use prem_protect::{Protected, tables::Sensitivity};
use prem_spec::{Alternative, Level, Plan};
use serde::Serialize;

use super::cell::{Absence, Cell};
use crate::{Language, latest::Latest, names, number::count, texts::Texts, words};

#[derive(Debug, Clone, Serialize)]
pub(super) struct OtherModels {
    caption: String,
    rows: Vec<ModelRow>,
}

#[derive(Debug, Clone, Serialize)]
struct ModelRow {
    indicator: String,
    survey: String,
    level: String,
    model: String,
    n_units: String,
    moved: String,
    furthest: String,
    reassessed: Cell,
}

impl OtherModels {
    /// Rows of the latest period, by indicator, level and model; `None` when there are none.
    pub(super) fn of(
        plan: &Plan,
        protected: &Protected,
        latest: &Latest<'_>,
        language: Language,
        texts: &Texts,
    ) -> Option<Self> {
        let mut families: BTreeMap<(&str, Level, Alternative), Vec<&Sensitivity>> = BTreeMap::new();
        for row in protected.sensitivity().iter().filter(|row| row.rank.is_some()) {
            let (level, model) = (Level::of_word(&row.level), Alternative::of_word(&row.model));
            if let (Some(level), Some(model), true) = (level, model, latest.is_latest(&row.indicator, &row.period)) {
                families.entry((&row.indicator, level, model)).or_default().push(row);
            }
        }
        let rows: Vec<ModelRow> = families
            .into_iter()
            .filter_map(|((indicator, level, model), rows)| {
                let places = |row: &&Sensitivity| row.rank_change.map_or(0, i64::abs);
                let whole = |units: usize| count(i64::try_from(units).unwrap_or(i64::MAX), language);
                let assessed = rows.iter().filter_map(|row| row.class_changed);
                let indicator = plan.indicators.get(indicator)?;
                let reassessed = assessed.clone().next().is_some().then(|| whole(assessed.filter(|it| *it).count()));
                Some(ModelRow {
                    indicator: indicator.title.get(language.code()).to_owned(),
                    survey: names::survey(plan, indicator, language, texts).to_owned(),
                    level: texts.get(words::level_key(level)).to_owned(),
                    model: texts.get(model_key(model)).to_owned(),
                    n_units: whole(rows.len()),
                    moved: whole(rows.iter().filter(|row| places(row) > 0).count()),
                    furthest: count(rows.iter().map(places).max().unwrap_or(0), language),
                    reassessed: Cell::of(reassessed, Absence::none(texts.get("comparison_not_assessed"))),
                })
            })
            .collect();
        (!rows.is_empty()).then(|| Self { caption: texts.get("models_caption").to_owned(), rows })
    }
}

fn model_key(model: Alternative) -> &'static str {
    match model {
        Alternative::Unadjusted => "model_unadjusted",
        Alternative::Unweighted => "model_unweighted",
        Alternative::Weighted => "model_weighted",
        Alternative::Gls => "model_gls",
        Alternative::FixedEffects => "model_fixed_effects",
        Alternative::Shrunken => "model_shrunken",
        Alternative::Nested => "model_nested",
    }
}
