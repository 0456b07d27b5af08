//! How respondents were weighted, per indicator and period: enough to judge the weights.

use super::table;

table! {
    /// A row of `weighting`.
    Weighting, "weighting", "1.0.0";
    /// Period label.
    period: String,
    /// Indicator id.
    indicator: String,
    /// `design`, `post-stratify` or `rake`.
    method: String,
    /// Respondents.
    n: i64,
    /// Kish's effective number of respondents, (Σw)²/Σw².
    n_effective: Option<f64>,
    /// Patients that the respondents stand for, Σw.
    population: Option<f64>,
    /// Smallest weight over the mean weight.
    weight_min: Option<f64>,
    /// Largest weight over the mean weight.
    weight_max: Option<f64>,
    /// Sampling strata with respondents.
    strata: i64,
    /// Strata with eligible invitations from which nobody answered; their patients are not in the value.
    strata_unreached: i64,
    /// Patients of those strata.
    population_unreached: Option<f64>,
    /// Strata with more answers than invitations: their size is that of their respondents.
    strata_incomplete: i64,
    /// Categories of the margins that the weights meet.
    categories: Option<i64>,
    /// Categories that were joined because few answered, as text.
    collapsed: Option<String>,
    /// Respondents whose weight was cut to the largest allowed.
    trimmed: Option<i64>,
    /// Rounds of raking and trimming until all margins held.
    iterations: Option<i64>,
    /// Largest relative distance of a category from its total at the end.
    largest_gap: Option<f64>,
    /// Version of the methods.
    method_version: String,
    /// The run that made the row.
    run_id: String,
}
