//! The quality of the survey itself, per questionnaire, period and item or scale.

use super::table;

table! {
    /// A row of `survey_quality`.
    SurveyQuality, "survey_quality", "1.3.0";
    /// Period label.
    period: String,
    /// Questionnaire id.
    questionnaire: String,
    /// Version of the form: each has its own rows, since a question may have been reworded or added.
    questionnaire_version: String,
    /// `item`, `scale`, or `level` for the share of a scale's variance that lies at one level of the organisation.
    kind: String,
    /// Item id, or the id of the indicator whose scale it is.
    subject: String,
    /// Version of the item's wording; items only.
    item_version: Option<i64>,
    /// Respondents whose form had the question, and of items those whom it was for.
    n: i64,
    /// Respondents with a scored answer.
    n_scored: i64,
    /// Left blank.
    n_blank: i64,
    /// Answers without a score, for any declared reason: «not applicable», «don't know» and others.
    n_other_missing: i64,
    /// Those of them that are «not applicable»; null where the item's scale has no such answer, and for scales.
    n_not_applicable: Option<i64>,
    /// Those that are «don't know»; null where the item's scale has no such answer, and for scales.
    n_dont_know: Option<i64>,
    /// Share of scored answers at the lowest value, 0–1.
    floor: Option<f64>,
    /// Share at the highest value, 0–1.
    ceiling: Option<f64>,
    /// Cronbach's alpha, complete cases; scales only.
    alpha: Option<f64>,
    /// Cronbach's alpha, all respondents with two or more answers; scales only.
    alpha_pairwise: Option<f64>,
    /// Correlation of the item with the rest of its scale, complete cases.
    item_rest: Option<f64>,
    /// The same, pairwise.
    item_rest_pairwise: Option<f64>,
    /// Alpha of the scale without the item, complete cases.
    alpha_without: Option<f64>,
    /// Between-unit standard deviation of unadjusted values, lowest-level units.
    between_sd: Option<f64>,
    /// Intraclass correlation between lowest-level units.
    icc: Option<f64>,
    /// Mean reliability of the lowest-level units at their own numbers of answers, 0–1.
    unit_reliability: Option<f64>,
    /// Level of the organisation; rows of kind `level` only. `respondent` is what is left within the lowest units.
    level: Option<String>,
    /// Share of the variance that lies at that level, 0–1.
    variance_share: Option<f64>,
    /// Answers a unit needs for reliability 0.7.
    answers_needed: Option<f64>,
    /// Version of the methods.
    method_version: String,
    /// The run that made the row.
    run_id: String,
}
