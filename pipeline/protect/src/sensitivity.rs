//! Other models beside the indicator's own: which rows may be shown, and their ranks among those.
//!
//! A unit's value by another model is one more figure of its cell, and is shown only where its own row is. But two models
//! that differ in their weights give two totals of the same withheld parts, which who knows the sizes could solve for two
//! of them. So a model with other weights than the indicator's own gives no total over a withheld unit: a unit with a
//! withheld one below it is left out. Shrunken values go where the hub's do (`shrunken.rs`). The
//! region's value is never given. Only one length of period is given, so that there are no totals over time either. Ranks
//! and differences are made here, from what is shown alone.

use std::collections::{BTreeMap, BTreeSet};

use prem_spec::{Alternative, Direction, Plan, Weighting};
use prem_store::tables::{Estimate, Sensitivity};

use crate::{shrunken::Models, system::TOTAL};

/// The model whose values are those of `estimates`.
const MAIN: &str = "main";

/// Indicator, period and unit.
type Cell<'a> = (&'a str, &'a str, &'a str);

pub(crate) fn protect(plan: &Plan, rows: Vec<Sensitivity>, estimates: &[Estimate]) -> Vec<Sensitivity> {
    let mut shown: BTreeSet<Cell<'_>> = BTreeSet::new();
    let mut above_withheld: BTreeSet<Cell<'_>> = BTreeSet::new();
    for row in estimates.iter().filter(|row| row.stratum == TOTAL) {
        if !row.suppressed && row.value.is_some() {
            shown.insert((&row.indicator, &row.period, &row.unit_id));
        } else if row.suppressed {
            for unit in plan.organisation.ancestry(&row.unit_id) {
                above_withheld.insert((&row.indicator, &row.period, &unit.id));
            }
        }
    }
    let models = Models::of(plan, estimates);
    let mut kept: Vec<Sensitivity> = rows
        .into_iter()
        .filter(|row| {
            let cell = (row.indicator.as_str(), row.period.as_str(), row.unit_id.as_str());
            let at = (row.indicator.as_str(), row.period.as_str(), row.level.as_str());
            let is_nested = row.model == Alternative::Nested.as_str();
            let tells_model =
                (is_nested || row.model == Alternative::Shrunken.as_str()) && !models.are_shown(at, is_nested);
            shown.contains(&cell) && !tells_model && (!above_withheld.contains(&cell) || has_own_weights(plan, row))
        })
        .collect();
    rank(plan, &mut kept);
    kept
}

/// Whether the model weights respondents as the indicator's own does.
fn has_own_weights(plan: &Plan, row: &Sensitivity) -> bool {
    let Some(indicator) = plan.indicators.get(&row.indicator) else { return false };
    let Some(model) = Alternative::ALL.into_iter().find(|model| model.as_str() == row.model) else {
        return row.model == MAIN;
    };
    match model {
        Alternative::Unadjusted | Alternative::Gls | Alternative::Shrunken | Alternative::Nested => true,
        Alternative::Weighted => indicator.weighting == Weighting::Design,
        Alternative::Unweighted | Alternative::FixedEffects => indicator.weighting == Weighting::None,
    }
}

/// Ranks, rank changes and differences within one indicator, period and level.
fn rank(plan: &Plan, rows: &mut [Sensitivity]) {
    let mut families: BTreeMap<(String, String, String, String), Vec<usize>> = BTreeMap::new();
    for (place, row) in rows.iter().enumerate() {
        let key = (row.indicator.clone(), row.period.clone(), row.level.clone(), row.model.clone());
        families.entry(key).or_default().push(place);
    }
    for ((indicator, period, level, _), places) in &families {
        let lower_is_better = plan.indicators.get(indicator).is_some_and(|own| own.direction == Direction::Lower);
        let main = families.get(&(indicator.clone(), period.clone(), level.clone(), MAIN.to_owned()));
        let of_main: BTreeMap<&str, &Sensitivity> =
            main.into_iter().flatten().map(|place| (rows[*place].unit_id.as_str(), &rows[*place])).collect();
        // Both ranks are among the same units: those with a value by both models.
        let both: Vec<(usize, f64, f64, bool)> = places
            .iter()
            .filter_map(|place| {
                let (row, own) = (&rows[*place], of_main.get(rows[*place].unit_id.as_str())?);
                let changed = row.comparison.is_some() && row.comparison != own.comparison;
                Some((*place, row.value, own.value, changed))
            })
            .collect();
        let position = |value: f64, of: fn(&(usize, f64, f64, bool)) -> f64| {
            let is_better = |other: f64| if lower_is_better { other < value } else { other > value };
            1 + both.iter().filter(|entry| is_better(of(entry))).count() as i64
        };
        let ranks: Vec<(usize, i64, i64, f64, bool)> = both
            .iter()
            .map(|(place, value, own, changed)| {
                (*place, position(*value, |e| e.1), position(*own, |e| e.2), value - own, *changed)
            })
            .collect();
        let n_ranked = ranks.len() as i64;
        for (place, rank, before, difference, changed) in ranks {
            let row = &mut rows[place];
            row.rank = Some(rank);
            row.rank_change = Some(before - rank);
            row.n_ranked = Some(n_ranked);
            row.difference = Some(difference);
            row.class_changed = row.comparison.is_some().then_some(changed);
        }
    }
}
