//! The case-mix model behind one indicator and period: one row per coefficient.

use super::{Estimate, table};

/// How the terms of a nested model's rows begin, before the level and `)`.
pub const NESTED_TERM: &str = "(nested ";
/// The same of the logistic random intercept of one level.
pub const RANDOM_INTERCEPT_TERM: &str = "(random intercept ";

table! {
    /// A row of `casemix`.
    CaseMix, "casemix", "1.2.0";
    /// Period label.
    period: String,
    /// Indicator id.
    indicator: String,
    /// Adjuster and level, for example age=67-79; `(fit)` for the whole model's row, `(nested ward)` for one level's of a nested model.
    term: String,
    /// Coefficient: points, log-odds or the value's own unit.
    estimate: Option<f64>,
    /// Its standard error.
    se: Option<f64>,
    /// Lower confidence limit.
    ci_low: Option<f64>,
    /// Upper confidence limit.
    ci_high: Option<f64>,
    /// Why the term is not in the model: constant or collinear.
    dropped: Option<String>,
    /// Respondents used.
    n_used: i64,
    /// Respondents left out because an adjuster is missing; on a term's row those who lack that adjuster, left out or not.
    n_left_out: i64,
    /// Respondents of the period who are not in the indicator's population or have no value; null where not counted.
    n_no_value: Option<i64>,
    /// Units in the fit.
    n_units: i64,
    /// Share of within-unit variance that the adjusters explain.
    r_squared: Option<f64>,
    /// Of logistic fits: share of pairs of one who has the event and one who has not whom the adjusters rank rightly; two decimals are published.
    c_statistic: Option<f64>,
    /// Of logistic fits: share of the deviance within units that the adjusters explain, 0–1; published with three decimals.
    deviance_explained: Option<f64>,
    /// Residual standard deviation.
    sigma: Option<f64>,
    /// Between-unit standard deviation after adjustment.
    between_sd: Option<f64>,
    /// The same before adjustment, on the same rows.
    between_sd_unadjusted: Option<f64>,
    /// Share of the between-unit variance that the adjusters explain; may be negative.
    explained: Option<f64>,
    /// Intraclass correlation after adjustment.
    icc: Option<f64>,
    /// The same before adjustment.
    icc_unadjusted: Option<f64>,
    /// Test that the coefficient (on the fit's row: all of them) is the same in all units: F.
    interaction_f: Option<f64>,
    /// Its p-value.
    interaction_p: Option<f64>,
    /// Largest movement of a unit's value by adjustment; published: of the shown units.
    adjustment_max: Option<f64>,
    /// Mean movement.
    adjustment_mean: Option<f64>,
    /// How the fit ended.
    convergence: String,
    /// Method id.
    method: String,
    /// Version of the methods.
    method_version: String,
    /// The run that made the row.
    run_id: String,
}

/// Largest and mean |value − raw| of some units; none without any.
pub fn movement<'a>(units: impl Iterator<Item = &'a Estimate>) -> (Option<f64>, Option<f64>) {
    let moved: Vec<f64> = units.filter_map(|row| Some((row.value? - row.raw?).abs())).collect();
    #[expect(clippy::cast_precision_loss, reason = "numbers of units")]
    let mean = (!moved.is_empty()).then(|| moved.iter().sum::<f64>() / moved.len() as f64);
    (moved.into_iter().reduce(f64::max), mean)
}
