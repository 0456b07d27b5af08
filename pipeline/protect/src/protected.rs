//! Numbers that may leave the house: the only thing a report accepts.

use prem_store::tables::{
    CaseMix, Estimate, Response, Sensitivity, SurveyQuality, TableMeta, Trend, Variation, Weighting,
};

use crate::{Before, SeriesPoint, Spread, before::Unchanged, trends};

/// Tables after protection. There is no way to make one but [`crate::protect`] and [`Protected::open`]:
///
/// ```compile_fail
/// let forged = prem_protect::Protected { estimates: Vec::new() };
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Protected {
    pub(crate) estimates: Vec<Estimate>,
    pub(crate) variation: Vec<Variation>,
    pub(crate) case_mix: Vec<CaseMix>,
    pub(crate) sensitivity: Vec<Sensitivity>,
    pub(crate) survey_quality: Vec<SurveyQuality>,
    pub(crate) response: Vec<Response>,
    pub(crate) weighting: Vec<Weighting>,
    pub(crate) trends: Vec<Trend>,
    pub(crate) breaks: trends::Breaks,
    pub(crate) unchanged: Unchanged,
    pub(crate) spread: Vec<Spread>,
    pub(crate) meta: TableMeta,
}

impl Protected {
    pub fn estimates(&self) -> &[Estimate] {
        &self.estimates
    }

    pub fn variation(&self) -> &[Variation] {
        &self.variation
    }

    pub fn case_mix(&self) -> &[CaseMix] {
        &self.case_mix
    }

    pub fn sensitivity(&self) -> &[Sensitivity] {
        &self.sensitivity
    }

    pub fn survey_quality(&self) -> &[SurveyQuality] {
        &self.survey_quality
    }

    pub fn response(&self) -> &[Response] {
        &self.response
    }

    pub fn weighting(&self) -> &[Weighting] {
        &self.weighting
    }

    /// Series over time of the shown values.
    pub fn trends(&self) -> &[Trend] {
        &self.trends
    }

    /// The points behind one of them.
    pub fn series(&self, trend: &Trend) -> Vec<SeriesPoint> {
        trends::points(&self.estimates, &self.breaks, trend)
    }

    /// What is shown of the period before `row`, which is one of [`Self::estimates`], shown and without a change.
    pub fn before(&self, row: &Estimate) -> Before {
        self.unchanged.before(row)
    }

    /// How the region's units spread, without saying which; empty but in a trust's view.
    pub fn spread(&self) -> &[Spread] {
        &self.spread
    }

    pub fn meta(&self) -> &TableMeta {
        &self.meta
    }

    /// Rows that are withheld, per reason.
    pub fn withheld(&self) -> std::collections::BTreeMap<String, usize> {
        let mut counts = std::collections::BTreeMap::new();
        for reason in
            self.estimates.iter().filter(|row| row.suppressed).filter_map(|row| row.suppression_reason.clone())
        {
            *counts.entry(reason).or_default() += 1;
        }
        counts
    }
}
