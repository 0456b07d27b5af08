//! Rows of the hub: what every kind of estimate fills in the same way.

use prem_spec::{Indicator, Level, Period, Stratifier, Unit};
use prem_stats::variation::share_explained;
use prem_store::tables::{CaseMix, Estimate};

use super::{Task, survey::Survey};
use crate::{METHOD_VERSION, ScoredMonth, design::Coded, placement::LevelMap};

/// The scored rows of a period, months one after another.
pub(super) struct Response<'a> {
    months: Vec<&'a ScoredMonth>,
    pub units: Vec<u32>,
    pub weights: Vec<f64>,
}

impl<'a> Response<'a> {
    pub fn of(months: &'a [ScoredMonth], period: Period) -> Self {
        Self::of_months(months.iter().filter(|month| period.contains(month.month)).collect())
    }

    pub fn of_months(months: Vec<&'a ScoredMonth>) -> Self {
        Self {
            units: months.iter().flat_map(|month| month.units.iter().copied()).collect(),
            weights: months.iter().flat_map(|month| month.weights.iter().copied()).collect(),
            months,
        }
    }

    pub fn len(&self) -> usize {
        self.units.len()
    }

    /// Values of `indicator`, NaN where a respondent has none.
    pub fn values(&self, indicator: &str) -> Vec<f64> {
        self.months.iter().filter_map(|month| month.values.get(indicator)).flatten().copied().collect()
    }

    /// Values of item `place` of a composite.
    pub fn item(&self, indicator: &str, place: usize) -> Vec<f64> {
        let items = self.months.iter().filter_map(|month| month.items.get(indicator)?.get(place));
        items.flatten().copied().collect()
    }

    /// Adjuster `place` of the questionnaire.
    pub fn adjuster(&self, place: usize) -> Coded {
        let mut parts = self.months.iter().filter_map(|month| month.adjusters.get(place)).peekable();
        if matches!(parts.peek(), Some(Coded::Continuous(_))) {
            Coded::Continuous(
                parts
                    .filter_map(|part| match part {
                        Coded::Continuous(values) => Some(values),
                        Coded::Level(_) => None,
                    })
                    .flatten()
                    .copied()
                    .collect(),
            )
        } else {
            Coded::Level(
                parts
                    .filter_map(|part| match part {
                        Coded::Level(levels) => Some(levels),
                        Coded::Continuous(_) => None,
                    })
                    .flatten()
                    .copied()
                    .collect(),
            )
        }
    }
}

/// A row about everybody of `unit`, without figures yet.
pub(super) fn blank(task: &Task<'_>, unit: &Unit, method: &str) -> Estimate {
    let Indicator { id, version, ci_level, .. } = task.indicator;
    Estimate {
        period: task.period.to_string(),
        period_start: task.period.start(),
        period_end: task.period.end(),
        indicator: id.clone(),
        indicator_version: version.clone(),
        level: unit.level.as_str().to_owned(),
        unit_id: unit.id.clone(),
        unit_name: unit.name.nb.clone(),
        parent_id: unit.parent.clone(),
        stratum: Stratifier::TOTAL.to_owned(),
        ci_level: Some(*ci_level),
        method: method.to_owned(),
        method_version: METHOD_VERSION.to_owned(),
        run_id: task.inputs.run_id.to_owned(),
        ..Estimate::default()
    }
}

/// Takes the comparison away: what only some trusts ask has no region to be held against.
pub(super) fn without_region(row: &mut Estimate) {
    row.reference = None;
    row.difference = None;
    row.difference_se = None;
    row.p = None;
    row.q = None;
    row.comparison = None;
}

/// The indicator's stratifiers, as positions in the questionnaire.
pub(super) fn chosen_strata(task: &Task<'_>, survey: &Survey<'_>) -> Vec<usize> {
    let declared = &survey.questionnaire.stratifiers;
    let place = |id: &String| declared.iter().position(|stratifier| stratifier.id == *id);
    task.indicator.strata.iter().filter_map(place).collect()
}

/// The levels of the indicator with their units.
pub(super) fn levels<'a>(task: &Task<'a>) -> Vec<LevelMap<'a>> {
    let organisation = &task.inputs.plan.organisation;
    task.indicator.levels.iter().map(|level| LevelMap::new(organisation, *level)).collect()
}

/// Share of the between-unit variance that the adjusters take away; undefined where there was none.
pub(super) fn explained(sd_unadjusted: Option<f64>, sd_adjusted: Option<f64>) -> Option<f64> {
    share_explained(sd_unadjusted?.powi(2), sd_adjusted?.powi(2)).ok()
}

/// Whether the unit's own counts let it be published.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts that were whole numbers")]
pub(super) fn publishable(task: &Task<'_>, row: &Estimate) -> bool {
    let count = |value: Option<f64>| value.map(|value| value as u64);
    let n = row.n.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    task.indicator.protection.primary_reason(Some(n), count(row.numerator), count(row.denominator)).is_none()
}

pub(super) fn count(n: u64) -> Option<i64> {
    i64::try_from(n).ok()
}

pub(super) fn is_top(level: Level) -> bool {
    level == Level::Rhf
}

/// The row of a whole model, to be filled.
pub(super) fn model_row(task: &Task<'_>, term: &str, method: &str) -> CaseMix {
    CaseMix {
        period: task.period.to_string(),
        indicator: task.indicator.id.clone(),
        term: term.to_owned(),
        method: method.to_owned(),
        method_version: METHOD_VERSION.to_owned(),
        run_id: task.inputs.run_id.to_owned(),
        ..CaseMix::default()
    }
}

/// How a fit of a between-unit SD ended.
pub(super) fn converged_between(sd: f64) -> String {
    if sd > 0.0 { "converged" } else { "converged at zero between-unit variance" }.to_owned()
}

/// Largest and mean movement by adjustment of the units that are compared with the region.
pub(super) fn movement(estimates: &[Estimate]) -> (Option<f64>, Option<f64>) {
    let units = estimates.iter().filter(|row| row.difference.is_some() && row.stratum == Stratifier::TOTAL);
    prem_store::tables::movement(units)
}
