//! Which contacts may be drawn: one reason per contact that may not.

use polars::prelude::DataFrame;
use prem_spec::Eligibility;

use crate::{
    StageError,
    frames::{code_texts, minutes, numbers, texts},
};

const MINUTES_PER_HOUR: i64 = 60;
/// Discharge statuses of the register: dead, and dead by suicide.
const DEAD: [&str; 2] = ["2", "3"];

pub(super) fn means_dead(status: &str) -> bool {
    DEAD.contains(&status)
}

/// The columns of contacts that eligibility is judged by.
pub(super) struct Columns<'a> {
    care_level: Vec<Option<String>>,
    urgency: Vec<Option<String>>,
    age: Vec<f64>,
    admitted: Vec<Option<i64>>,
    discharged: Vec<Option<i64>>,
    diagnosis: Vec<Option<&'a str>>,
}

impl<'a> Columns<'a> {
    pub fn of(frame: &'a DataFrame) -> Result<Self, StageError> {
        Ok(Self {
            care_level: code_texts(frame, "care_level")?,
            urgency: code_texts(frame, "urgency")?,
            age: numbers(frame, "age")?,
            admitted: minutes(frame, "admitted_at")?,
            discharged: minutes(frame, "discharged_at")?,
            diagnosis: texts(frame, "main_diagnosis")?,
        })
    }

    /// Why the contact in `row` may not be drawn; `None` where it may.
    pub fn reason(&self, eligible: &Eligibility, row: usize) -> Option<&'static str> {
        let among = |codes: &[String], code: &Option<String>| {
            codes.is_empty() || code.as_ref().is_some_and(|code| codes.contains(code))
        };
        let begins = |prefixes: &[String]| {
            self.diagnosis[row].is_some_and(|code| prefixes.iter().any(|prefix| code.starts_with(prefix.as_str())))
        };
        if !among(&eligible.care_levels, &self.care_level[row]) {
            return Some("other-care-level");
        }
        if !among(&eligible.urgencies, &self.urgency[row]) {
            return Some("other-urgency");
        }
        if eligible.age_min.is_some() || eligible.age_max.is_some() {
            let age = self.age[row];
            #[expect(clippy::cast_precision_loss, reason = "ages")]
            let outside = eligible.age_min.is_some_and(|min| age < min as f64)
                || eligible.age_max.is_some_and(|max| age > max as f64);
            if age.is_nan() {
                return Some("age-unknown");
            }
            if outside {
                return Some("outside-age");
            }
        }
        if let Some(hours) = eligible.stay_hours_min {
            let stay = self.discharged[row].zip(self.admitted[row]).map(|(out, at)| out - at);
            if stay.is_none_or(|stay| stay < hours * MINUTES_PER_HOUR) {
                return Some("short-stay");
            }
        }
        if !eligible.main_diagnoses.is_empty() && !begins(&eligible.main_diagnoses) {
            return Some("other-diagnosis");
        }
        begins(&eligible.main_diagnoses_excluded).then_some("excluded-diagnosis")
    }
}
