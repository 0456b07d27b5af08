//! Interval of a weighted mean by linearisation.
//!
//! # Estimand
//! The population mean Σwy/Σw under unequal weights.
//! # Formula
//! V = n/(n − 1) Σ (w_i(y_i − ȳ_w)/Σw)², t with n − 1 degrees of freedom.
//! # Source
//! C.-E. Särndal, B. Swensson and J. Wretman, *Model Assisted Survey Sampling* (1992), section 5.7; with-replacement form.
//! # Assumptions
//! Respondents drawn independently; no finite-population correction (see `weights` for designs).
//! # Edge cases
//! Fewer than 2 positive weights is an error; weight 0 leaves a row out.
//! # Reference values
//! tests/reference/weights.rs: weights/expected_estimates.csv, designs without strata and fpc (1e-10); tests/reference/r_survey.rs
//! (1e-10).

use super::{Level, MeanEstimate, student_t::student_t};
use crate::error::{Result, StatsError, check_all_finite, check_length, check_non_negative, finite_result};
use crate::numeric;

/// Weighted mean of `values` with its linearised t interval; `sd` is the weighted standard deviation (n/(n − 1)).
pub fn weighted_mean(values: &[f64], weights: &[f64], level: Level) -> Result<MeanEstimate> {
    check_length("weighted mean: weights", values.len(), weights.len())?;
    check_all_finite("weighted mean", values)?;
    check_non_negative("weighted mean: weights", weights)?;
    let used = weights.iter().filter(|w| **w > 0.0).count();
    if used < 2 {
        return Err(StatsError::TooFew { what: "weighted mean", needed: 2, found: used });
    }
    let n = used as f64;
    let total = numeric::sum(weights.iter().copied());
    let value = finite_result("weighted mean", numeric::sum(pairs(values, weights).map(|(y, w)| w * y)) / total)?;
    let stretch = n / (n - 1.0);
    let v = stretch * numeric::sum(pairs(values, weights).map(|(y, w)| (w / total * (y - value)).powi(2)));
    let spread = stretch * numeric::sum(pairs(values, weights).map(|(y, w)| w / total * (y - value).powi(2)));
    let se = finite_result("weighted mean: standard error", v.sqrt())?;
    let sd = finite_result("weighted mean: standard deviation", spread.sqrt())?;
    let e = student_t(value, se, n - 1.0, level)?;
    Ok(MeanEstimate { value, sd, se, df: n - 1.0, interval: e.interval, n, method: "linearised-t" })
}

fn pairs<'a>(values: &'a [f64], weights: &'a [f64]) -> impl Iterator<Item = (f64, f64)> + 'a {
    values.iter().copied().zip(weights.iter().copied())
}
