//! Which shrunken values may be shown.
//!
//! A shrunken value averages over what the spread between the units of its model may be, and does so with a weight of its own: every
//! shown unit tells another function of all units of the model. So there are as many equations as shown units, and hidden units
//! can be worked out of them, whatever their number. Shrunken values are shown where no unit of their model is hidden.
//!
//! - Weighted means and proportions are shrunken as areas: the model is of units of one level that their own counts let be published,
//!   so those with few respondents are not in it. In a nested model of areas the units above lend an area what their other areas say:
//!   who belongs to whom is known, and values of other levels are not in it, so that nothing hidden at another level can be told.
//!   Of proportions the model knows the region's share too, which must be shown.
//! - Unweighted means: of all units of the level; by the nested model, which is of the respondents themselves, of all units of all
//!   levels.

use std::collections::BTreeMap;

use prem_spec::{Indicator, Level, Plan, PrimaryReason, Weighting};
use prem_store::tables::Estimate;

use crate::system::TOTAL;

/// Units of one indicator, period and level.
#[derive(Debug, Clone, Copy, Default)]
struct Found {
    shown: usize,
    /// Withheld for few respondents.
    small: usize,
    /// Withheld for another reason.
    others: usize,
}

/// What is shown and hidden of the models of all indicators and periods.
pub(crate) struct Models<'a> {
    plan: &'a Plan,
    periods: BTreeMap<(String, String), BTreeMap<String, Found>>,
}

impl<'a> Models<'a> {
    pub fn of(plan: &'a Plan, estimates: &[Estimate]) -> Self {
        let mut periods: BTreeMap<(String, String), BTreeMap<String, Found>> = BTreeMap::new();
        for row in estimates.iter().filter(|row| row.stratum == TOTAL) {
            let levels = periods.entry((row.indicator.clone(), row.period.clone())).or_default();
            let found = levels.entry(row.level.clone()).or_default();
            match row.suppression_reason.as_deref().filter(|_| row.suppressed) {
                None if !row.suppressed => found.shown += 1,
                Some(reason) if reason == PrimaryReason::FewRespondents.as_str() => found.small += 1,
                _ => found.others += 1,
            }
        }
        Self { plan, periods }
    }

    /// Whether all units of the model behind shrunken values of `indicator` at `level` are shown; `is_nested` for a nested model
    /// beside the indicator's own.
    pub fn are_shown(&self, (indicator, period, level): (&str, &str, &str), is_nested: bool) -> bool {
        let Some(levels) = self.periods.get(&(indicator.to_owned(), period.to_owned())) else { return false };
        let Some(own) = self.plan.indicators.get(indicator) else { return false };
        let at = |level: &str| levels.get(level).copied().unwrap_or_default();
        let is_whole = |found: &Found| found.small + found.others == 0;
        if is_of_areas(own) {
            at(level).others == 0 && (!own.measure.is_proportion() || at(Level::Rhf.as_str()).shown > 0)
        } else if is_nested || own.case_mix.shrinkage.is_nested() {
            levels.values().all(is_whole)
        } else {
            is_whole(&at(level))
        }
    }

    /// Whether the spreads of a nested model may be told: one figure per level, all of them functions of all units of the model. Of
    /// areas the model is that of one level, here whichever.
    pub fn are_spreads_shown(&self, (indicator, period): (&str, &str)) -> bool {
        let Some(levels) = self.periods.get(&(indicator.to_owned(), period.to_owned())) else { return false };
        let is_shown = |level: &String| self.are_shown((indicator, period, level), true);
        levels.keys().all(|level| level == Level::Rhf.as_str() || is_shown(level))
    }
}

fn is_of_areas(indicator: &Indicator) -> bool {
    indicator.measure.is_proportion() || indicator.weighting != Weighting::None
}

/// Withholds shrunken values of models with hidden units.
pub(crate) fn protect(plan: &Plan, estimates: &mut [Estimate]) {
    let models = Models::of(plan, estimates);
    for row in estimates.iter_mut() {
        if !models.are_shown((&row.indicator, &row.period, &row.level), false) {
            (row.shrunken, row.shrunken_low, row.shrunken_high, row.reliability) = (None, None, None, None);
        }
    }
}
