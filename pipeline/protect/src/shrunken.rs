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
//! - Unweighted means, and unweighted proportions by the logistic random intercept: of all units of the level; by the nested model,
//!   which is of the respondents themselves, of all units of all levels.

use prem_spec::{Indicator, Level, Plan, Shrinkage, Weighting};
use prem_store::tables::Estimate;

use crate::variation::Levels;

/// What is shown and hidden of the models of all indicators and periods.
pub(crate) struct Models<'a> {
    plan: &'a Plan,
    levels: Levels<'a>,
}

impl<'a> Models<'a> {
    pub fn of(plan: &'a Plan, estimates: &'a [Estimate]) -> Self {
        Self { plan, levels: Levels::of(estimates) }
    }

    /// Whether all units of the model behind shrunken values of `indicator` at `level` are shown; `is_nested` for a nested model
    /// beside the indicator's own.
    pub fn are_shown(&self, (indicator, period, level): (&str, &str, &str), is_nested: bool) -> bool {
        let Some(own) = self.plan.indicators.get(indicator) else { return false };
        let at = |level: &str| self.levels.get(indicator, period, level);
        if is_of_areas(own) {
            at(level).others == 0 && (!own.measure.is_proportion() || at(Level::Rhf.as_str()).shown > 0)
        } else if is_nested || own.case_mix.shrinkage.is_nested() {
            Level::ALL.iter().all(|level| at(level.as_str()).withheld() == 0)
        } else {
            at(level).withheld() == 0
        }
    }

    /// Whether the spreads of a nested model may be told: one figure per level, all of them functions of all units of the model. Of
    /// areas the model is that of one level, here whichever.
    pub fn are_spreads_shown(&self, (indicator, period): (&str, &str)) -> bool {
        let mut below = Level::ALL.iter().filter(|level| **level != Level::Rhf);
        below.all(|level| self.are_shown((indicator, period, level.as_str()), true))
    }
}

fn is_of_areas(indicator: &Indicator) -> bool {
    let is_mixed = indicator.case_mix.shrinkage == Shrinkage::Lme4;
    indicator.weighting != Weighting::None || (indicator.measure.is_proportion() && !is_mixed)
}

/// Withholds shrunken values of models with hidden units.
pub(crate) fn protect(plan: &Plan, estimates: &mut [Estimate]) {
    let models = Models::of(plan, estimates);
    let are_shown = |row: &Estimate| models.are_shown((&row.indicator, &row.period, &row.level), false);
    let are_shown: Vec<bool> = estimates.iter().map(are_shown).collect();
    for (row, _) in estimates.iter_mut().zip(are_shown).filter(|(_, are_shown)| !are_shown) {
        (row.shrunken, row.shrunken_low, row.shrunken_high, row.reliability) = (None, None, None, None);
    }
}
