//! What other models would have said: values, ranks and classes side by side.

use super::table;

table! {
    /// A row of `sensitivity`: one unit by one model.
    Sensitivity, "sensitivity", "1.0.0";
    /// Period label.
    period: String,
    /// Indicator id.
    indicator: String,
    /// Level of the unit.
    level: String,
    /// Unit id.
    unit_id: String,
    /// Name of the unit.
    unit_name: String,
    /// `main` for the indicator's own model, otherwise: unadjusted, unweighted, weighted, gls, fixed-effects, shrunken, nested.
    model: String,
    /// Value by this model.
    value: f64,
    /// Lower confidence limit.
    ci_low: Option<f64>,
    /// Upper confidence limit.
    ci_high: Option<f64>,
    /// `value` minus the value by the indicator's own model.
    difference: Option<f64>,
    /// Place among the units shown at this level, 1 the best (the highest where neither way is better).
    rank: Option<i64>,
    /// Places up (+) or down (−) from the indicator's own model.
    rank_change: Option<i64>,
    /// Units that are ranked.
    n_ranked: Option<i64>,
    /// better, as-expected, worse, higher, lower or not-assessed, by this model.
    comparison: Option<String>,
    /// Whether that differs from the indicator's own model.
    class_changed: Option<bool>,
    /// Method id.
    method: String,
    /// Version of the methods.
    method_version: String,
    /// The run that made the row.
    run_id: String,
}
