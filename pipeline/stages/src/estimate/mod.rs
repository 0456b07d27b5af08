//! Estimate: scored rows and counted events → the hub, with one fit per indicator and period for all levels.

mod coding;
mod compare;
mod fixed_effects;
mod linear;
mod proportion;
mod rate;
mod rows;
mod sensitivity;

use std::collections::BTreeMap;

use prem_spec::{Adjustment, Indicator, Period, PeriodKind, PeriodLength, Plan, Questionnaire};
use prem_stats::StatsError;
use prem_store::tables::{CaseMix, Components, Estimate, Expected, PersonsByEvents};
use rayon::prelude::*;

use self::rows::Response;
pub use self::sensitivity::sensitivity;
use crate::{Areas, Invited, RateCells, ScoredMonth, StageError};

/// What an indicator needs, read once.
pub struct EstimateInputs<'a> {
    pub plan: &'a Plan,
    /// Questionnaire → its scored months, in order.
    pub scored: &'a BTreeMap<String, Vec<ScoredMonth>>,
    pub invited: &'a BTreeMap<String, Vec<Invited>>,
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
        self.not_estimated.append(&mut other.not_estimated);
    }
}

/// One indicator in one period, and all that its estimation may look at.
pub(crate) struct Task<'a> {
    pub inputs: &'a EstimateInputs<'a>,
    pub indicator: &'a Indicator,
    pub period: Period,
}

/// Estimates every indicator of `only` (all when empty), in parallel, in the order of indicator and period.
///
/// # Errors
/// When a kernel fails for another reason than too little data.
pub fn estimate(inputs: &EstimateInputs<'_>, only: &[String]) -> Result<Estimated, StageError> {
    let wanted = |indicator: &&Indicator| only.is_empty() || only.contains(&indicator.id);
    let indicators: Vec<&Indicator> = inputs.plan.indicators.values().filter(wanted).collect();
    let tasks: Vec<Task<'_>> = indicators
        .into_iter()
        .flat_map(|indicator| {
            periods_of(inputs, indicator).into_iter().map(move |period| Task { inputs, indicator, period })
        })
        .collect();
    let parts: Vec<Estimated> = tasks.par_iter().map(estimate_task).collect::<Result<_, _>>()?;
    let mut all = Estimated::default();
    for part in parts {
        all.append(part);
    }
    Ok(all)
}

fn estimate_task(task: &Task<'_>) -> Result<Estimated, StageError> {
    let result = if task.indicator.measure.is_rate() {
        rate::estimate(task)
    } else if task.indicator.measure.is_proportion() {
        proportion::estimate(task)
    } else if let Adjustment::FixedEffects { convention } = task.indicator.case_mix.adjustment {
        fixed_effects::estimate(task, convention)
    } else {
        linear::estimate(task)
    };
    match result {
        Ok(mut estimated) => {
            if task.inputs.plan.local_trusts(task.indicator).is_some() {
                estimated.estimates.iter_mut().for_each(rows::without_region);
            }
            Ok(estimated)
        }
        // Too little data is an answer, not a fault: the rest of the run goes on and the reason is published.
        Err(
            source @ (StatsError::TooFew { .. }
            | StatsError::Empty { .. }
            | StatsError::Constant { .. }
            | StatsError::Undefined { .. }
            | StatsError::Singular { .. }
            | StatsError::NotConverged { .. }
            | StatsError::Separation { .. }),
        ) => Ok(Estimated {
            not_estimated: vec![NotEstimated {
                indicator: task.indicator.id.clone(),
                period: task.period.to_string(),
                reason: published_reason(&source),
            }],
            ..Estimated::default()
        }),
        Err(source) => Err(StageError::Kernel {
            what: "estimation",
            indicator: task.indicator.id.clone(),
            period: task.period.to_string(),
            source,
        }),
    }
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
    let declared = |kind| indicator.periods.iter().any(|length| kind_of(*length) == kind);
    let asked = inputs.periods.iter().filter(|period| period.kind() == PeriodKind::Months || declared(period.kind()));
    let mut periods: Vec<Period> = indicator
        .periods
        .iter()
        .flat_map(|length| months.iter().filter_map(|month| Period::of(kind_of(*length), *month)))
        .chain(asked.copied())
        .collect();
    periods.sort_by_key(|period| (period.kind(), period.start(), period.end()));
    periods.dedup();
    periods
}

fn kind_of(length: PeriodLength) -> PeriodKind {
    match length {
        PeriodLength::Year => PeriodKind::Year,
        PeriodLength::Tertial => PeriodKind::Tertial,
        PeriodLength::Quarter => PeriodKind::Quarter,
        PeriodLength::Month => PeriodKind::Month,
    }
}

impl<'a> Task<'a> {
    /// The same indicator in another period.
    fn at(&self, period: Period) -> Task<'a> {
        Task { inputs: self.inputs, indicator: self.indicator, period }
    }

    /// The same indicator in the period before; `None` where what was asked changed since, so that the two are not one
    /// series.
    fn previous(&self) -> Option<Task<'a>> {
        let period = self.period.previous()?;
        let is_broken = self.inputs.plan.series_break(self.indicator, period.start(), self.period.end()).is_some();
        (!is_broken).then(|| self.at(period))
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
