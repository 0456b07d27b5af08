//! Case-mix and survey-quality rows: about the whole region, so only very small ones are left out.
//!
//! Their counts are not nullable, and a withheld count must not look like 0: a row below the minimum is left out whole.
//! A case-mix row also goes where the region's own value is withheld, since respondents used and left out add up to its n.

use std::collections::BTreeSet;

use prem_spec::{Level, Plan};
use prem_store::tables::{CaseMix, Estimate, SurveyQuality, Weighting, movement};

use crate::{shrunken::Models, system::TOTAL, variation::Levels};

pub(crate) fn case_mix(plan: &Plan, mut rows: Vec<CaseMix>, estimates: &[Estimate]) -> Vec<CaseMix> {
    let shown = Shown::of(plan, estimates);
    rows.retain(|row| shown.may_show(&row.indicator, &row.period, row.n_used));
    let levels = Levels::of(estimates);
    let models = Models::of(plan, estimates);
    for row in &mut rows {
        let of_level = |level: &Level| levels.get(&row.indicator, &row.period, level.as_str()).is_near_a_unit();
        // A nested model's row per level: as many figures of the same units, which a rule for a single figure does not cover.
        let is_nested = row.term.starts_with("(nested ");
        let tells_model = is_nested && !models.are_spreads_shown((&row.indicator, &row.period));
        if tells_model || Level::ALL.iter().any(of_level) {
            // Of the lowest units, whichever they are.
            (row.between_sd, row.between_sd_unadjusted, row.explained) = (None, None, None);
            (row.icc, row.icc_unadjusted) = (None, None);
        }
    }
    for row in rows.iter_mut().filter(|row| row.adjustment_max.is_some()) {
        // The largest movement is one unit's: only of units that are shown.
        let shown = estimates.iter().filter(|unit| {
            let is_of_fit = unit.indicator == row.indicator && unit.period == row.period;
            is_of_fit && unit.stratum == TOTAL && unit.level != Level::Rhf.as_str()
        });
        (row.adjustment_max, row.adjustment_mean) = movement(shown);
    }
    rows
}

pub(crate) fn weighting(plan: &Plan, mut rows: Vec<Weighting>, estimates: &[Estimate]) -> Vec<Weighting> {
    let shown = Shown::of(plan, estimates);
    rows.retain(|row| shown.may_show(&row.indicator, &row.period, row.n));
    rows
}

/// Rows about all respondents of an indicator and period.
struct Shown<'a> {
    plan: &'a Plan,
    /// Indicator and period in which the row about all respondents is withheld: the region's own, or, of what only some trusts
    /// ask, that of a trust.
    region_hidden: BTreeSet<(&'a str, &'a str)>,
}

impl<'a> Shown<'a> {
    fn of(plan: &'a Plan, estimates: &'a [Estimate]) -> Self {
        let local: BTreeSet<&str> = plan
            .indicators
            .values()
            .filter(|indicator| plan.local_trusts(indicator).is_some())
            .map(|indicator| indicator.id.as_str())
            .collect();
        let is_top = |row: &Estimate| {
            row.level == Level::Rhf.as_str()
                || (row.level == Level::Hf.as_str() && local.contains(row.indicator.as_str()))
        };
        let hidden = estimates.iter().filter(|row| row.suppressed && row.stratum == TOTAL && is_top(row));
        Self { plan, region_hidden: hidden.map(|row| (row.indicator.as_str(), row.period.as_str())).collect() }
    }

    fn may_show(&self, indicator: &str, period: &str, n: i64) -> bool {
        let minimum = self.plan.indicators.get(indicator).map(|indicator| indicator.protection.minimum_n);
        minimum.is_some_and(|minimum| reaches(n, minimum)) && !self.region_hidden.contains(&(indicator, period))
    }
}

pub(crate) fn survey_quality(plan: &Plan, rows: Vec<SurveyQuality>) -> Vec<SurveyQuality> {
    rows.into_iter().filter(|row| minimum_of(plan, row).is_some_and(|minimum| reaches(row.n, minimum))).collect()
}

/// A scale's own minimum; for an item the strictest of the questionnaire's indicators. None: nothing says that it may
/// be shown.
fn minimum_of(plan: &Plan, row: &SurveyQuality) -> Option<u64> {
    if let Some(indicator) = plan.indicators.get(&row.subject) {
        return Some(indicator.protection.minimum_n);
    }
    plan.indicators
        .values()
        .filter(|indicator| indicator.population.questionnaire.as_deref() == Some(row.questionnaire.as_str()))
        .map(|indicator| indicator.protection.minimum_n)
        .max()
}

fn reaches(n: i64, minimum: u64) -> bool {
    u64::try_from(n).is_ok_and(|n| n >= minimum)
}
