//! Sampling plans: which contacts of a month are asked to answer a questionnaire.

use serde::Serialize;

use super::{Level, Population, Text};

/// A plan for drawing persons (`schemas/questionnaires/*.toml`, `kind = "draw"`).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DrawPlan {
    pub id: String,
    pub title: Text,
    /// The questionnaire that the drawn are asked to answer.
    pub questionnaire: String,
    /// Which contacts may be drawn, by what the register says of them.
    pub eligible: Population,
    /// ICD-10 codes or beginnings of codes of main diagnoses whose contacts are not drawn.
    pub main_diagnoses_excluded: Vec<String>,
    /// Nobody is drawn again, in any survey, before so many months have passed.
    pub rest_months: i64,
    /// Units of this level are the sampling strata.
    pub stratum: Level,
    pub quota: Quota,
}

/// How many are drawn in each stratum: the larger of `per_unit` and `share`, all where few are eligible.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quota {
    pub per_unit: u64,
    /// Share of the eligible, 0 for none.
    pub share: f64,
    /// Strata with at most so many eligible persons are asked whole.
    pub census_up_to: u64,
}
