//! Sample quantile, type 7.
//!
//! # Estimand
//! The p-quantile of a set of values.
//! # Formula
//! h = (n − 1)p; x₍⌊h⌋₎ + (h − ⌊h⌋)(x₍⌊h⌋₊₁₎ − x₍⌊h⌋₎), counted from 0 in rising order.
//! # Source
//! R. J. Hyndman and Y. Fan, The American Statistician 50 (1996) 361–365, definition 7.
//! # Assumptions
//! None.
//! # Edge cases
//! One value is every quantile; no values and NaN are errors.
//! # Reference values
//! tests/reference/variation.rs: variation/turp_expected.csv; tests/reference/scores.rs: scores/expected_scale.csv (1e-10).

use crate::error::{Result, StatsError, check_all_finite, finite_result};
use crate::numeric;

/// Quantile `p` (0–1) of `values`, in any order.
pub fn quantile_type_7(values: &[f64], p: f64) -> Result<f64> {
    check_all_finite("quantile", values)?;
    if values.is_empty() {
        return Err(StatsError::Empty { what: "quantile" });
    }
    if !(0.0..=1.0).contains(&p) {
        return Err(StatsError::out_of_range("quantile: probability", p, "0 to 1"));
    }
    finite_result("quantile", of_sorted(&numeric::sorted(values), p))
}

/// As [`quantile_type_7`] for values already in rising order; the caller guarantees that and at least one value.
pub(crate) fn of_sorted(sorted: &[f64], p: f64) -> f64 {
    let h = (sorted.len() - 1) as f64 * p;
    let k = (h.floor() as usize).min(sorted.len() - 1);
    let above = sorted[(k + 1).min(sorted.len() - 1)];
    sorted[k] + (h - k as f64) * (above - sorted[k])
}
