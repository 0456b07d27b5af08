//! Reliability of a unit's mean.
//!
//! # Estimand
//! Share of the variance of observed unit means that is true difference.
//! # Formula
//! Spearman–Brown: nρ/(1 + (n − 1)ρ); answers for reliability R: R/(1 − R) · (1 − ρ)/ρ, unrounded.
//! # Source
//! C. Spearman, British Journal of Psychology 3 (1910) 271; W. Brown, ibid. 296.
//! # Assumptions
//! ρ is the intraclass correlation ICC(1), the same in all units.
//! # Edge cases
//! ρ ≤ 0 needs infinitely many answers: an error; negative ρ gives reliability 0.
//! # Reference values
//! tests/reference/scores.rs: scores/expected_unit_reliability.csv, expected_reliability.csv (1e-10).

use crate::error::{Result, StatsError, finite_result};

/// Reliability of a mean over `n` answers at intraclass correlation `icc`.
pub fn unit_reliability(icc: f64, n: f64) -> Result<f64> {
    if !(-1.0..=1.0).contains(&icc) {
        return Err(StatsError::out_of_range("intraclass correlation", icc, "-1 to 1"));
    }
    if !(n >= 0.0 && n.is_finite()) {
        return Err(StatsError::out_of_range("answers", n, "at least 0"));
    }
    let rho = icc.max(0.0);
    if rho == 0.0 || n == 0.0 {
        return Ok(0.0);
    }
    finite_result("unit reliability", n * rho / (1.0 + (n - 1.0) * rho))
}

/// Answers that a unit needs for reliability `target`, not rounded.
pub fn answers_needed(icc: f64, target: f64) -> Result<f64> {
    if !(target > 0.0 && target < 1.0) {
        return Err(StatsError::out_of_range("target reliability", target, "between 0 and 1"));
    }
    if !(icc > 0.0 && icc <= 1.0) {
        return Err(StatsError::out_of_range("intraclass correlation", icc, "above 0, at most 1"));
    }
    finite_result("answers needed", target / (1.0 - target) * ((1.0 - icc) / icc))
}
