//! Who counts in an indicator, and of whoever does not, the first reason.

use std::collections::BTreeMap;

use polars::prelude::*;
use prem_spec::{Exclusion, Indicator, Population};
use serde::{Deserialize, Serialize};

use crate::{
    StageError,
    asked::Forms,
    frames::{codes, minutes, numbers, series, texts},
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
/// Too few of the questions were answered.
pub(crate) const NOT_ANSWERED: &str = "not-answered";
const MINUTES_PER_HOUR: i64 = 60;

/// Why each row of a linked frame does not belong to the indicator's population; `None` for rows that do.
pub(crate) fn reasons<'a>(
    frame: &DataFrame,
    forms: &Forms<'_>,
    indicator: &'a Indicator,
) -> Result<Vec<Option<&'a str>>, StageError> {
    let may_answer = forms.may_answer(&indicator.measure.items());
    let mut reasons: Vec<Option<&'a str>> = may_answer.into_iter().map(|may| (!may).then_some(NOT_ASKED)).collect();
    let Population { care_levels, urgencies, main_diagnoses, exclude, .. } = &indicator.population;
    limit_age(frame, &indicator.population, &mut reasons)?;
    if !care_levels.is_empty() {
        let level = code_texts(frame, "care_level")?;
        mark(&mut reasons, |row| (!holds(care_levels, level[row].as_deref())).then_some("care-level"));
    }
    if !urgencies.is_empty() {
        let urgency = code_texts(frame, "urgency")?;
        mark(&mut reasons, |row| (!holds(urgencies, urgency[row].as_deref())).then_some("urgency"));
    }
    limit_stay(frame, &indicator.population, &mut reasons)?;
    if !main_diagnoses.is_empty() {
        let diagnosis = texts(frame, "main_diagnosis")?;
        let is_meant = |code: &str| main_diagnoses.iter().any(|prefix| code.starts_with(prefix.as_str()));
        mark(&mut reasons, |row| (!diagnosis[row].is_some_and(is_meant)).then_some("main-diagnosis"));
    }
    for Exclusion { reason, column, codes } in exclude {
        let value = code_texts(frame, column)?;
        mark(&mut reasons, |row| holds(codes, value[row].as_deref()).then_some(reason.as_str()));
    }
    Ok(reasons)
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

fn limit_age<'a>(
    frame: &DataFrame,
    population: &Population,
    reasons: &mut [Option<&'a str>],
) -> Result<(), StageError> {
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

fn limit_stay<'a>(
    frame: &DataFrame,
    population: &Population,
    reasons: &mut [Option<&'a str>],
) -> Result<(), StageError> {
    let (low, high) = (population.stay_hours_min, population.stay_hours_max);
    if low.is_none() && high.is_none() {
        return Ok(());
    }
    let in_minutes = |hours: Option<i64>| hours.map(|hours| hours.saturating_mul(MINUTES_PER_HOUR));
    let (low, high) = (in_minutes(low).unwrap_or(0), in_minutes(high).unwrap_or(i64::MAX));
    let (admitted, discharged) = (minutes(frame, "admitted_at")?, minutes(frame, "discharged_at")?);
    mark(reasons, |row| match admitted[row].zip(discharged[row]) {
        None => Some("stay-unknown"),
        Some((from, to)) => (!(low..=high).contains(&(to - from))).then_some("stay-length"),
    });
    Ok(())
}

/// A column of codes as the declarations write them, whether stored as texts or as small integers.
fn code_texts(frame: &DataFrame, name: &str) -> Result<Vec<Option<String>>, StageError> {
    if series(frame, name)?.dtype() == &DataType::String {
        return Ok(texts(frame, name)?.into_iter().map(|code| code.map(str::to_owned)).collect());
    }
    Ok(codes(frame, name)?.into_iter().map(|code| code.map(|code| code.to_string())).collect())
}
