//! The quality of the survey itself, per questionnaire, period and item or scale.

use super::table;

table! {
    /// A row of `survey_quality`.
    SurveyQuality, "survey_quality", "1.0.0";
    /// Period label.
    period: String,
    /// Questionnaire id.
    questionnaire: String,
    /// `item` or `scale`.
    kind: String,
    /// Item id, or the id of the indicator whose scale it is.
    subject: String,
    /// Respondents.
    n: i64,
    /// Respondents with a scored answer.
    n_scored: i64,
    /// Left blank.
    n_blank: i64,
    /// «Not applicable», «don't know» and other declared reasons.
    n_other_missing: i64,
    /// Share of scored answers at the lowest value, 0–1.
    floor: Option<f64>,
    /// Share at the highest value, 0–1.
    ceiling: Option<f64>,
    /// Cronbach's alpha, complete cases; scales only.
    alpha: Option<f64>,
    /// Correlation of the item with the rest of its scale.
    item_rest: Option<f64>,
    /// Intraclass correlation between lowest-level units.
    icc: Option<f64>,
    /// Answers a unit needs for reliability 0.7.
    answers_needed: Option<f64>,
    /// Version of the methods.
    method_version: String,
    /// The run that made the row.
    run_id: String,
}
