//! Who counts in an indicator, and of whoever does not, the first reason.

use std::collections::BTreeMap;

use polars::prelude::*;
use prem_spec::{Exclusion, Indicator, Link, Plan, Population, Questionnaire};
use serde::{Deserialize, Serialize};

use crate::{
    StageError,
    asked::{Forms, may_keep_from_all},
    episode::SECONDS_PER_HOUR,
    frames::{codes, numbers, seconds, series, texts},
};

/// Linked responses = counted + left out by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PopulationCount {
    pub linked: u64,
    pub counted: u64,
    pub left_out: BTreeMap<String, u64>,
}

impl PopulationCount {
    /// The count of rows of which `reasons` says why they are left out, `None` for those that count.
    pub(crate) fn of(reasons: &[Option<&str>]) -> Self {
        let mut count = Self { linked: reasons.len() as u64, ..Self::default() };
        for reason in reasons {
            match reason {
                Some(reason) => *count.left_out.entry((*reason).to_owned()).or_default() += 1,
                None => count.counted += 1,
            }
        }
        count
    }

    pub fn merge(&mut self, other: &Self) {
        self.linked += other.linked;
        self.counted += other.counted;
        for (reason, rows) in &other.left_out {
            *self.left_out.entry(reason.clone()).or_default() += rows;
        }
    }

    pub fn reconciles(&self) -> bool {
        self.linked == self.counted + self.left_out.values().sum::<u64>()
    }
}

/// The form does not have the question, or it is another trust's addition.
const NOT_ASKED: &str = "not-asked";
/// Filters kept all of the questions from the respondent, who therefore is none of those whom they are about.
const FILTERED: &str = "filtered";
/// Too few of the questions were answered.
pub(crate) const NOT_ANSWERED: &str = "not-answered";

/// Why each row of a linked frame does not belong to the indicator's population; `None` for rows that do.
pub(crate) fn reasons<'a>(
    frame: &DataFrame,
    forms: &Forms<'_>,
    indicator: &'a Indicator,
) -> Result<Vec<Option<&'a str>>, StageError> {
    let may_answer = forms.may_answer(&indicator.measure.items());
    let mut reasons: Vec<Option<&'a str>> = may_answer.into_iter().map(|may| (!may).then_some(NOT_ASKED)).collect();
    limit_contacts(frame, &indicator.population, &mut reasons)?;
    for exclusion in &indicator.population.exclude {
        leave_out(frame, exclusion, &mut reasons)?;
    }
    let kept_from = forms.kept_from_all(frame, &indicator.measure.items())?;
    mark(&mut reasons, |row| kept_from[row].then_some(FILTERED));
    Ok(reasons)
}

/// Whether the register counts each contact of `frame` in the population. What only an answer tells is not asked.
pub(crate) fn members(
    frame: &DataFrame,
    plan: &Plan,
    questionnaire: &Questionnaire,
    population: &Population,
) -> Result<Vec<bool>, StageError> {
    let mut reasons = vec![None; frame.height()];
    limit_contacts(frame, population, &mut reasons)?;
    for exclusion in population.exclude.iter().filter(|one| is_of_register(plan, questionnaire, &one.column)) {
        leave_out(frame, exclusion, &mut reasons)?;
    }
    Ok(reasons.iter().map(Option::is_none).collect())
}

/// Why the register does not count each contact of `frame`; `None` for those it counts.
pub(crate) fn reasons_of_contacts(
    frame: &DataFrame,
    population: &Population,
) -> Result<Vec<Option<&'static str>>, StageError> {
    let mut reasons = vec![None; frame.height()];
    limit_contacts(frame, population, &mut reasons)?;
    Ok(reasons)
}

/// Whether the indicator leaves out some for what they answered (an exclusion, or filters before all its questions), of whom
/// the register cannot tell.
pub(crate) fn excludes_by_answer(plan: &Plan, questionnaire: &Questionnaire, indicator: &Indicator) -> bool {
    indicator.population.exclude.iter().any(|one| !is_of_register(plan, questionnaire, &one.column))
        || may_keep_from_all(questionnaire, &indicator.measure.items())
}

/// Whether a column is known of everybody who was asked.
fn is_of_register(plan: &Plan, questionnaire: &Questionnaire, column: &str) -> bool {
    let has = |dataset: &str| plan.datasets.get(dataset).is_some_and(|dataset| dataset.column(column).is_some());
    questionnaire.link != Link::Response && questionnaire.item(column).is_none() && has("contacts") && !has("responses")
}

/// What the register says of a contact.
fn limit_contacts(frame: &DataFrame, population: &Population, reasons: &mut [Option<&str>]) -> Result<(), StageError> {
    let Population { care_levels, urgencies, main_diagnoses, .. } = population;
    limit_age(frame, population, reasons)?;
    if !care_levels.is_empty() {
        let level = code_texts(frame, "care_level")?;
        mark(reasons, |row| (!holds(care_levels, level[row].as_deref())).then_some("care-level"));
    }
    if !urgencies.is_empty() {
        let urgency = code_texts(frame, "urgency")?;
        mark(reasons, |row| (!holds(urgencies, urgency[row].as_deref())).then_some("urgency"));
    }
    limit_stay(frame, population, reasons)?;
    if !main_diagnoses.is_empty() {
        let diagnosis = texts(frame, "main_diagnosis")?;
        let is_meant = |code: &str| main_diagnoses.iter().any(|prefix| code.starts_with(prefix.as_str()));
        mark(reasons, |row| (!diagnosis[row].is_some_and(is_meant)).then_some("main-diagnosis"));
    }
    Ok(())
}

fn leave_out<'a>(
    frame: &DataFrame,
    exclusion: &'a Exclusion,
    reasons: &mut [Option<&'a str>],
) -> Result<(), StageError> {
    let value = code_texts(frame, &exclusion.column)?;
    mark(reasons, |row| holds(&exclusion.codes, value[row].as_deref()).then_some(exclusion.reason.as_str()));
    Ok(())
}

/// Gives a reason to the rows that have none yet.
pub(crate) fn mark<'a>(reasons: &mut [Option<&'a str>], why: impl Fn(usize) -> Option<&'a str>) {
    for (row, reason) in reasons.iter_mut().enumerate().filter(|(_, reason)| reason.is_none()) {
        *reason = why(row);
    }
}

fn holds(codes: &[String], value: Option<&str>) -> bool {
    value.is_some_and(|value| codes.iter().any(|code| code == value))
}

fn limit_age(frame: &DataFrame, population: &Population, reasons: &mut [Option<&str>]) -> Result<(), StageError> {
    let (low, high) = (population.age_min, population.age_max);
    if low.is_none() && high.is_none() {
        return Ok(());
    }
    #[expect(clippy::cast_precision_loss, reason = "ages")]
    let (low, high) = (low.map_or(f64::NEG_INFINITY, |age| age as f64), high.map_or(f64::INFINITY, |age| age as f64));
    let ages = numbers(frame, "age")?;
    mark(reasons, |row| match ages[row] {
        age if age.is_nan() => Some("age-unknown"),
        age => (!(low..=high).contains(&age)).then_some("age"),
    });
    Ok(())
}

fn limit_stay(frame: &DataFrame, population: &Population, reasons: &mut [Option<&str>]) -> Result<(), StageError> {
    let (low, high) = (population.stay_hours_min, population.stay_hours_max);
    if low.is_none() && high.is_none() {
        return Ok(());
    }
    let in_seconds = |hours: Option<i64>| hours.map(|hours| hours.saturating_mul(SECONDS_PER_HOUR));
    let (low, high) = (in_seconds(low).unwrap_or(0), in_seconds(high).unwrap_or(i64::MAX));
    let (admitted, discharged) = (seconds(frame, "admitted_at")?, seconds(frame, "discharged_at")?);
    mark(reasons, |row| match admitted[row].zip(discharged[row]) {
        None => Some("stay-unknown"),
        Some((from, to)) => (!(low..=high).contains(&(to - from))).then_some("stay-length"),
    });
    Ok(())
}

/// A column of codes as the declarations write them, whether stored as texts or as small integers.
pub(crate) fn code_texts(frame: &DataFrame, name: &str) -> Result<Vec<Option<String>>, StageError> {
    if series(frame, name)?.dtype() == &DataType::String {
        return Ok(texts(frame, name)?.into_iter().map(|code| code.map(str::to_owned)).collect());
    }
    Ok(codes(frame, name)?.into_iter().map(|code| code.map(|code| code.to_string())).collect())
}
