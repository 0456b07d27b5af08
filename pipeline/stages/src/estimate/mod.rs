//! Estimate: scored rows and counted events → the hub, with one fit per indicator and period for all levels.
//!
//! An indicator reads its responses once: sums per month and cell of respondents are merged for every period, level and
//! window. Only what cannot be merged is read by period: weights that are adjusted to margins, and unit means of adjusters.

mod areas;
mod coding;
mod compare;
mod explain;
mod fixed_effects;
mod linear;
mod non_response;
mod proportion;
mod rate;
mod respondents;
mod response;
mod rows;
mod sensitivity;
mod survey;
mod weighting;

use std::collections::{BTreeMap, BTreeSet};

use prem_spec::{Adjustment, Indicator, Period, PeriodKind, PeriodLength, Plan, Questionnaire};
use prem_stats::StatsError;
use prem_store::tables::{
    CaseMix, Components, Estimate, Expected, PersonsByEvents, Response as ResponseRow, Weighting as WeightingRow,
};
use rayon::prelude::*;

pub use self::sensitivity::sensitivity;
pub(crate) use self::{
    compare::Test,
    explain::{Found, Wanted, found, group_of},
};
use self::{rows::Response, survey::Survey};
use crate::{Areas, Invitations, RateCells, ScoredMonth, StageError};

/// What an indicator needs, read once.
pub struct EstimateInputs<'a> {
    pub plan: &'a Plan,
    /// Questionnaire → its scored months, in order.
    pub scored: &'a BTreeMap<String, Vec<ScoredMonth>>,
    pub invited: &'a BTreeMap<String, Invitations>,
    pub events: &'a BTreeMap<String, RateCells>,
    pub areas: &'a Areas,
    /// Periods asked for besides the declared ones.
    pub periods: &'a [Period],
    pub run_id: &'a str,
}

/// The working tables of a run, before protection.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Estimated {
    pub estimates: Vec<Estimate>,
    pub case_mix: Vec<CaseMix>,
    pub components: Vec<Components>,
    pub expected: Vec<Expected>,
    pub persons: Vec<PersonsByEvents>,
    pub response: Vec<ResponseRow>,
    pub weighting: Vec<WeightingRow>,
    /// What could not be estimated, and why: one line each, for the log and the manifest.
    pub not_estimated: Vec<NotEstimated>,
}

/// An indicator and period without estimates, and why.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct NotEstimated {
    pub indicator: String,
    pub period: String,
    pub reason: String,
}

impl Estimated {
    fn append(&mut self, mut other: Self) {
        self.estimates.append(&mut other.estimates);
        self.case_mix.append(&mut other.case_mix);
        self.components.append(&mut other.components);
        self.expected.append(&mut other.expected);
        self.persons.append(&mut other.persons);
        self.response.append(&mut other.response);
        self.weighting.append(&mut other.weighting);
        self.not_estimated.append(&mut other.not_estimated);
    }
}

/// One indicator in one period, and all that its estimation may look at.
pub(crate) struct Task<'a> {
    pub inputs: &'a EstimateInputs<'a>,
    pub indicator: &'a Indicator,
    pub period: Period,
    /// The responses; `None` for rates.
    pub survey: Option<&'a Survey<'a>>,
}

/// Why an indicator has no estimates in a period.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Failure {
    Kernel(StatsError),
    /// Weights that cannot be made, in words without counts.
    Weights(String),
    /// The declared baseline gives no mix of patients to refer to.
    Baseline {
        period: Period,
        source: StatsError,
    },
}

impl Failure {
    /// The same failure, told as that of the baseline which other periods refer to.
    fn at_baseline(self, period: Period) -> Self {
        match self {
            Self::Kernel(source) => Self::Baseline { period, source },
            Self::Weights(reason) => Self::Weights(of_baseline(period, &reason)),
            Self::Baseline { .. } => self,
        }
    }
}

fn of_baseline(period: Period, reason: &str) -> String {
    format!("the baseline {period} gives no mix of patients to refer to ({reason})")
}

/// What an estimation gives, or why it gives nothing.
pub(crate) type Attempt<T> = Result<T, Failure>;

impl From<StatsError> for Failure {
    fn from(source: StatsError) -> Self {
        Self::Kernel(source)
    }
}

/// Estimates every indicator of `only` (all when empty), in the order of indicator and period. The periods of an indicator
/// share one pass over its responses.
///
/// # Errors
/// When a kernel fails for another reason than too little data.
pub fn estimate(inputs: &EstimateInputs<'_>, only: &[String]) -> Result<Estimated, StageError> {
    let wanted = |indicator: &&Indicator| only.is_empty() || only.contains(&indicator.id);
    let indicators: Vec<&Indicator> = inputs.plan.indicators.values().filter(wanted).collect();
    let surveys = surveys(inputs, &indicators);
    let of = |indicator: &&Indicator| -> Result<Vec<Estimated>, StageError> {
        let survey = indicator.population.questionnaire.as_ref().and_then(|id| surveys.get(id.as_str()));
        let task = |period| Task { inputs, indicator, period, survey };
        let tasks: Vec<Task<'_>> = periods_of(inputs, indicator).into_iter().map(task).collect();
        tasks.iter().zip(estimate_periods(&tasks, indicator)).map(|(task, result)| settled(task, result)).collect()
    };
    let found: Vec<Result<Vec<Estimated>, StageError>> = indicators.par_iter().map(of).collect();
    let mut all = Estimated::default();
    for of_indicator in found {
        of_indicator?.into_iter().for_each(|period| all.append(period));
    }
    for survey in surveys.values() {
        all.response.extend(response::response_table(inputs, survey));
    }
    Ok(all)
}

fn surveys<'a>(inputs: &EstimateInputs<'a>, indicators: &[&'a Indicator]) -> BTreeMap<&'a str, Survey<'a>> {
    static NOBODY_ASKED: Invitations = Invitations { strata: Vec::new(), indicators: Vec::new(), rows: Vec::new() };
    let read = indicators.iter().filter_map(|indicator| indicator.population.questionnaire.as_deref());
    let read: BTreeSet<&str> = read.collect();
    read.into_iter()
        .filter_map(|id| {
            let questionnaire = inputs.plan.questionnaires.get(id)?;
            let months = inputs.scored.get(id).map(Vec::as_slice).unwrap_or_default();
            let invitations = inputs.invited.get(id).unwrap_or(&NOBODY_ASKED);
            Some((questionnaire.id.as_str(), Survey::new(questionnaire, months, invitations)))
        })
        .collect()
}

/// The estimates of one indicator, one per task.
fn estimate_periods(tasks: &[Task<'_>], indicator: &Indicator) -> Vec<Attempt<Estimated>> {
    let one_by_one = |estimate: &(dyn Fn(&Task<'_>) -> prem_stats::Result<Estimated> + Sync)| {
        tasks.par_iter().map(|task| estimate(task).map_err(Failure::Kernel)).collect()
    };
    if indicator.measure.is_rate() {
        one_by_one(&rate::estimate)
    } else if indicator.measure.is_proportion() {
        proportion::estimate(tasks)
    } else if let Adjustment::FixedEffects { convention } = indicator.case_mix.adjustment {
        one_by_one(&move |task| fixed_effects::estimate(task, convention))
    } else {
        linear::estimate(tasks)
    }
}

/// Too little data is an answer, not a fault: the rest of the run goes on and the reason is published.
fn settled(task: &Task<'_>, result: Attempt<Estimated>) -> Result<Estimated, StageError> {
    let without = |reason: String| Estimated {
        not_estimated: vec![NotEstimated {
            indicator: task.indicator.id.clone(),
            period: task.period.to_string(),
            reason,
        }],
        ..Estimated::default()
    };
    match result {
        Ok(mut estimated) => {
            if task.inputs.plan.local_trusts(task.indicator).is_some() {
                estimated.estimates.iter_mut().for_each(rows::without_region);
            }
            Ok(estimated)
        }
        Err(Failure::Weights(reason)) => Ok(without(reason)),
        Err(Failure::Kernel(source)) if is_too_little(&source) => Ok(without(published_reason(&source))),
        Err(Failure::Baseline { period, source }) if is_too_little(&source) => {
            Ok(without(of_baseline(period, &published_reason(&source))))
        }
        Err(Failure::Kernel(source)) => Err(stopped("estimation", task.indicator, task.period, source)),
        Err(Failure::Baseline { period, source }) => Err(stopped("baseline", task.indicator, period, source)),
    }
}

/// Whether the data are too few or too alike, which is no fault.
fn is_too_little(error: &StatsError) -> bool {
    matches!(
        error,
        StatsError::TooFew { .. }
            | StatsError::Empty { .. }
            | StatsError::Constant { .. }
            | StatsError::Undefined { .. }
            | StatsError::Singular { .. }
            | StatsError::NotConverged { .. }
            | StatsError::Separation { .. }
    )
}

fn stopped(what: &'static str, indicator: &Indicator, period: Period, source: StatsError) -> StageError {
    StageError::Kernel { what, indicator: indicator.id.clone(), period: period.to_string(), source }
}

/// The reason without the number found, which could tell how few answered.
fn published_reason(error: &StatsError) -> String {
    match error {
        StatsError::TooFew { what, .. } => format!("{what}: too few"),
        other => other.to_string(),
    }
}

/// Declared periods that the data reach, and those asked for that have a declared length or are a run of months.
///
/// A run that asks for one period estimates the others too: what may be shown of it depends on them.
fn periods_of(inputs: &EstimateInputs<'_>, indicator: &Indicator) -> Vec<Period> {
    let months: Vec<jiff::civil::Date> = match &indicator.population.questionnaire {
        Some(questionnaire) => {
            inputs.scored.get(questionnaire).into_iter().flatten().map(|scored| scored.month).collect()
        }
        None => inputs.events.get(&indicator.id).into_iter().flat_map(RateCells::months).collect(),
    };
    let declared = |kind| indicator.periods.iter().any(|length| length.kind() == Some(kind));
    let asked = inputs.periods.iter().filter(|period| period.kind() == PeriodKind::Months || declared(period.kind()));
    let mut periods: Vec<Period> = declared_periods(indicator, &months).into_iter().chain(asked.copied()).collect();
    periods.sort_by_key(|period| (period.kind(), period.start(), period.end()));
    periods.dedup();
    periods
}

/// Periods of the indicator's declared lengths that `months` reach, in order.
pub fn declared_periods(indicator: &Indicator, months: &[jiff::civil::Date]) -> Vec<Period> {
    let of_length = |length: &PeriodLength| match length.kind() {
        Some(kind) => months.iter().filter_map(|month| Period::of(kind, *month)).collect(),
        None => rolling_years(months),
    };
    let mut periods: Vec<Period> = indicator.periods.iter().flat_map(of_length).collect();
    periods.sort_by_key(|period| (period.kind(), period.start(), period.end()));
    periods.dedup();
    periods
}

/// The four quarters up to each quarter that the data reach, from the first four on.
fn rolling_years(months: &[jiff::civil::Date]) -> Vec<Period> {
    let quarter = |month: &jiff::civil::Date| Period::of(PeriodKind::Quarter, *month);
    let Some(first) = months.iter().min().and_then(quarter) else { return Vec::new() };
    let windows = months.iter().filter_map(|month| Period::year_to(quarter(month)?));
    windows.filter(|window| window.start() >= first.start()).collect()
}

impl<'a> Task<'a> {
    /// The same indicator in another period.
    fn at(&self, period: Period) -> Task<'a> {
        Task { period, ..*self }
    }

    /// The period before; `None` where what was asked changed since, so that the two are not one series.
    fn previous(&self) -> Option<Period> {
        let is_broken = self.inputs.plan.series_break(self.indicator, self.period).is_some();
        self.period.previous().filter(|_| !is_broken)
    }

    fn questionnaire(&self) -> Option<&'a Questionnaire> {
        let id = self.indicator.population.questionnaire.as_ref()?;
        self.inputs.plan.questionnaires.get(id)
    }

    fn responses(&self) -> Response<'a> {
        let id = self.indicator.population.questionnaire.as_deref().unwrap_or_default();
        let months = self.inputs.scored.get(id).map(Vec::as_slice).unwrap_or_default();
        Response::of(months, self.period)
    }
}
