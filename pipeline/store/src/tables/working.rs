//! Working tables of a run: what later stages need besides the hub. Never published.

use super::table;

table! {
    /// Variance components behind one indicator, period and level.
    Components, "components", "1.0.0";
    /// Period label.
    period: String,
    /// Indicator id.
    indicator: String,
    /// Level of the units.
    level: String,
    /// Between-unit standard deviation after adjustment.
    between_sd: Option<f64>,
    /// The same before adjustment, on the same rows.
    between_sd_unadjusted: Option<f64>,
    /// Intraclass correlation after adjustment.
    icc: Option<f64>,
    /// Between-unit variance on the log-odds scale; proportions only.
    log_odds_variance: Option<f64>,
}

table! {
    /// Observed and expected events of one unit, for rates.
    Expected, "expected", "1.0.0";
    /// Period label.
    period: String,
    /// Indicator id.
    indicator: String,
    /// Level of the units.
    level: String,
    /// Unit id.
    unit_id: String,
    /// Observed events.
    observed: f64,
    /// Events expected at the region's rates by age and sex.
    expected: f64,
}
