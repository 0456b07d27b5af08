//! Case-mix and survey-quality rows: about the whole region, so only very small ones are left out.
//!
//! Their counts are not nullable, and a withheld count must not look like 0: a row below the minimum is left out whole.
//! A case-mix row also goes where the region's own value is withheld, since respondents used and left out add up to its n; a row
//! of survey quality, which is of a year, where that of any period in the year is.
//!
//! Figures of models are functions of all units. A single one goes where it and the shown units leave one or two; the rows of a model
//! with figures for several levels, or for one level by itself, where a unit of the model is hidden. The c-statistic and the share of
//! the deviance are functions of whole counts: with all decimals they could be searched for the counts of a withheld group.

use std::collections::BTreeSet;

use prem_spec::{Level, Period, Plan};
use prem_store::tables::{CaseMix, Estimate, NESTED_TERM, RANDOM_INTERCEPT_TERM, SurveyQuality, Weighting, movement};

use crate::{
    shrunken::Models,
    system::TOTAL,
    variation::{Levels, UNITS_BEHIND_A_FIGURE_MIN},
};

/// Counts below this are not told of reasons for which answers are missing.
const REASON_COUNT_MIN: i64 = 5;

pub(crate) fn case_mix(plan: &Plan, mut rows: Vec<CaseMix>, estimates: &[Estimate]) -> Vec<CaseMix> {
    let shown = Shown::of(plan, estimates);
    rows.retain(|row| shown.may_show(&row.indicator, &row.period, row.n_used));
    let levels = Levels::of(estimates);
    let models = Models::of(plan, estimates);
    for row in &mut rows {
        let of_level = |level: &Level| levels.get(&row.indicator, &row.period, level.as_str()).is_near_a_unit();
        let tells_of_model = tells_of_model(&models, row);
        if tells_of_model {
            row.sigma = None;
        }
        if tells_of_model || Level::ALL.iter().any(of_level) {
            // Of the lowest units, whichever they are.
            (row.between_sd, row.between_sd_unadjusted, row.explained) = (None, None, None);
            (row.icc, row.icc_unadjusted, row.deviance_explained) = (None, None, None);
        }
        row.c_statistic = row.c_statistic.map(|share| rounded(share, 2));
        row.deviance_explained = row.deviance_explained.map(|share| rounded(share, 3));
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

/// Whether a row of a model's own shows what hidden units have a part in: more figures of the same units than the rule for a single
/// one covers, or one that whole counts can be searched by.
fn tells_of_model(models: &Models<'_>, row: &CaseMix) -> bool {
    if let Some(level) = row.term.strip_prefix(RANDOM_INTERCEPT_TERM).and_then(|rest| rest.strip_suffix(')')) {
        return !models.are_shown((&row.indicator, &row.period, level), false);
    }
    row.term.starts_with(NESTED_TERM) && !models.are_spreads_shown((&row.indicator, &row.period))
}

fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale
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

pub(crate) fn survey_quality(plan: &Plan, mut rows: Vec<SurveyQuality>, estimates: &[Estimate]) -> Vec<SurveyQuality> {
    let shown = Shown::of(plan, estimates);
    let of_subject = |row: &SurveyQuality, id: &str| {
        row.subject == id
            || plan.indicators.get(id).is_some_and(|indicator| {
                let is_of_form = indicator.population.questionnaire.as_deref() == Some(row.questionnaire.as_str());
                is_of_form && row.kind == "item" && indicator.measure.items().contains(&row.subject.as_str())
            })
    };
    // A year less its shown periods is the withheld one.
    let is_told_otherwise = |row: &SurveyQuality| {
        let Ok(year) = row.period.parse::<Period>() else { return true };
        let is_within = |period: Period| year.start() <= period.start() && period.end() <= year.end();
        let is_in_year = |period: &str| period.parse().is_ok_and(is_within);
        shown.region_hidden.iter().any(|(id, period)| of_subject(row, id) && is_in_year(period))
    };
    rows.retain(|row| minimum_of(plan, row).is_some_and(|minimum| reaches(row.n, minimum)) && !is_told_otherwise(row));
    let levels = Levels::of(estimates);
    for row in &mut rows {
        hide_small_reasons(row);
        let withheld = |level: &Level| levels.get(&row.subject, &row.period, level.as_str()).withheld();
        // A scale has one spread, a scale by levels one for each.
        let figures = if row.kind == "level" { Level::ALL.len() } else { 1 };
        if Level::ALL.iter().any(|level| (1..UNITS_BEHIND_A_FIGURE_MIN - 1 + figures).contains(&withheld(level))) {
            (row.between_sd, row.icc, row.unit_reliability) = (None, None, None);
            (row.answers_needed, row.variance_share) = (None, None);
        }
    }
    rows
}

/// Few whose answer was missing for one reason: neither reason is told, since they add up.
fn hide_small_reasons(row: &mut SurveyQuality) {
    let (not_applicable, dont_know) = (row.n_not_applicable, row.n_dont_know);
    let others = row.n_other_missing - not_applicable.unwrap_or(0) - dont_know.unwrap_or(0);
    let is_small = |count: i64| (1..REASON_COUNT_MIN).contains(&count);
    if [not_applicable, dont_know, Some(others)].into_iter().flatten().any(is_small) {
        (row.n_not_applicable, row.n_dont_know) = (None, None);
    }
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
