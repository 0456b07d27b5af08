//! What the statistics hand over: everything, in full.

use prem_store::tables::{CaseMix, Estimate, Response, Sensitivity, SurveyQuality, TableMeta, Variation, Weighting};

/// The tables before any rule was applied. Anybody can make one; nobody can publish it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Unprotected {
    pub estimates: Vec<Estimate>,
    pub variation: Vec<Variation>,
    pub case_mix: Vec<CaseMix>,
    pub sensitivity: Vec<Sensitivity>,
    pub survey_quality: Vec<SurveyQuality>,
    pub response: Vec<Response>,
    pub weighting: Vec<Weighting>,
    pub meta: TableMeta,
}
