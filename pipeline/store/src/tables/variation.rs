//! Variation between the units of one indicator, level and period.

use super::table;

table! {
    /// A row of `variation`.
    Variation, "variation", "1.0.0";
    /// Period label.
    period: String,
    /// Indicator id.
    indicator: String,
    /// Level of the units compared.
    level: String,
    /// Units with a publishable value.
    n_units: i64,
    /// Lowest value.
    lowest: Option<f64>,
    /// Highest value.
    highest: Option<f64>,
    /// Highest / lowest.
    ft1: Option<f64>,
    /// Second highest / second lowest.
    ft2: Option<f64>,
    /// Third highest / third lowest.
    ft3: Option<f64>,
    /// 95th / 5th percentile (quantile type 7).
    eq_5_95: Option<f64>,
    /// Coefficient of variation (n − 1), unweighted.
    cv: Option<f64>,
    /// Coefficient of variation weighted by expected counts.
    cv_weighted: Option<f64>,
    /// Systematic component of variation × 100 (Diehr); 0 where negative.
    scv: Option<f64>,
    /// The same before it is cut at 0.
    scv_raw: Option<f64>,
    /// Chance of a systematic component at least as large under equal rates.
    scv_p: Option<f64>,
    /// 95th percentile of the raw component under equal rates.
    scv_null_p95: Option<f64>,
    /// Empirical Bayes between-unit variance of relative rates.
    eb_variance: Option<f64>,
    /// 80th / 20th percentile of smoothed relative rates.
    eq_80_20_smoothed: Option<f64>,
    /// Chi-squared of observed against expected.
    chi2: Option<f64>,
    /// Its degrees of freedom.
    df: Option<i64>,
    /// Its p-value.
    chi2_p: Option<f64>,
    /// Between-unit standard deviation of adjusted values, sampling error removed.
    between_sd: Option<f64>,
    /// The same before adjustment.
    between_sd_unadjusted: Option<f64>,
    /// Share of between-unit variance that case mix explains; may be negative.
    explained_by_case_mix: Option<f64>,
    /// Intraclass correlation.
    icc: Option<f64>,
    /// Median odds ratio.
    median_odds_ratio: Option<f64>,
    /// Events above the region's rate, smoothed, summed over units above it.
    excess: Option<f64>,
    /// Events below the region's rate, smoothed, summed over units below it.
    deficit: Option<f64>,
    /// Version of the methods.
    method_version: String,
    /// The run that made the row.
    run_id: String,
}
