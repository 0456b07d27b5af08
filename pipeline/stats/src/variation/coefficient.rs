//! Coefficients of variation.
//!
//! # Estimand
//! Spread between units relative to their mean.
//! # Formula
//! cv = s(n − 1)/x̄; cv_weighted = √(ΣE(r − r̄)²/ΣE)/r̄ with r = O/E, r̄ = ΣO/ΣE.
//! # Source
//! P. Diehr et al., Health Services Research 24 (1990) 741–771.
//! # Assumptions
//! Values on a ratio scale.
//! # Edge cases
//! Fewer than 2 units or a mean that is not above 0 is an error.
//! # Reference values
//! tests/reference/variation.rs: variation/helseatlas_expected.csv, turp_expected.csv (1e-10).

use super::check_observed_expected;
use crate::error::{Result, StatsError, check_all_finite, finite_result};
use crate::numeric;

/// Unweighted coefficient of variation.
pub fn cv(values: &[f64]) -> Result<f64> {
    const WHAT: &str = "coefficient of variation";
    check_all_finite(WHAT, values)?;
    if values.len() < 2 {
        return Err(StatsError::TooFew { what: WHAT, needed: 2, found: values.len() });
    }
    let mean = numeric::mean(values);
    if mean.is_nan() || mean <= 0.0 {
        return Err(StatsError::Undefined { what: WHAT, reason: "the mean is not above 0" });
    }
    finite_result(WHAT, numeric::variance(values).sqrt() / mean)
}

/// Coefficient of variation of O/E weighted by E.
pub fn cv_weighted(observed: &[f64], expected: &[f64]) -> Result<f64> {
    const WHAT: &str = "weighted coefficient of variation";
    check_observed_expected(WHAT, observed, expected, 2)?;
    let total = numeric::sum(expected.iter().copied());
    let mean = numeric::sum(observed.iter().copied()) / total;
    if mean <= 0.0 {
        return Err(StatsError::Undefined { what: WHAT, reason: "there are no events" });
    }
    let spread = numeric::sum(observed.iter().zip(expected).map(|(o, e)| e / total * (o / e - mean).powi(2)));
    finite_result(WHAT, spread.sqrt() / mean)
}
