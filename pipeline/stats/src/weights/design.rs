//! Design weights and values above the sampling stratum.
//!
//! # Estimand
//! 1/π_i; a_u = ΣN_h a_h/ΣN_h with variance Σ(N_h/N)² V_h.
//! # Formula
//! As above.
//! # Source
//! W. G. Cochran, *Sampling Techniques*, 3rd ed. (1977), chapter 5.
//! # Assumptions
//! Known inclusion probabilities and stratum sizes; strata sampled independently.
//! # Edge cases
//! π = 0 or above 1 is an error; ΣN = 0 is an error. A stratum with N = 0 adds nothing.
//! # Reference values
//! By hand, tests/weights_by_hand.rs; survey's stratified mean: tests/reference/r_groups.rs (1e-10).

use crate::error::{Result, StatsError, check_all_finite, check_length, check_non_negative, finite_result};
use crate::numeric;

/// 1/π per respondent.
pub fn design_weights(inclusion_probabilities: &[f64]) -> Result<Vec<f64>> {
    let weight = |p: &f64| {
        if *p > 0.0 && *p <= 1.0 {
            finite_result("design weight", 1.0 / p)
        } else {
            Err(StatsError::out_of_range("inclusion probability", *p, "above 0, at most 1"))
        }
    };
    inclusion_probabilities.iter().map(weight).collect()
}

/// (value, variance) over strata of `sizes` N_h with `values` a_h and `variances` V_h.
pub fn stratified_value(values: &[f64], variances: &[f64], sizes: &[f64]) -> Result<(f64, f64)> {
    const WHAT: &str = "stratified value";
    check_length(WHAT, values.len(), variances.len())?;
    check_length(WHAT, values.len(), sizes.len())?;
    check_all_finite(WHAT, values)?;
    check_non_negative("stratified value: variances", variances)?;
    check_non_negative("stratified value: stratum sizes", sizes)?;
    let total = numeric::sum(sizes.iter().copied());
    if total <= 0.0 {
        return Err(StatsError::Empty { what: WHAT });
    }
    let value = numeric::sum(values.iter().zip(sizes).map(|(a, n)| n / total * a));
    let variance = numeric::sum(variances.iter().zip(sizes).map(|(v, n)| (n / total).powi(2) * v));
    Ok((finite_result(WHAT, value)?, finite_result(WHAT, variance)?))
}
