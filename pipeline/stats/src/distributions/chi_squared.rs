//! χ² distribution.
//!
//! # Estimand
//! P(X ≤ x) at `df` degrees of freedom and its inverses.
//! # Formula
//! Gamma with shape df/2 at x/2.
//! # Source
//! NIST DLMF 8.2.
//! # Assumptions
//! df > 0, not necessarily whole.
//! # Edge cases
//! Quantiles at 0 and 1 are 0 and ∞.
//! # Reference values
//! tests/reference/distributions.csv (1e-12 relative).

use super::gamma;
use crate::error::Result;

/// P(X ≤ x).
pub fn cdf(x: f64, df: f64) -> Result<f64> {
    gamma::cdf(0.5 * x, 0.5 * df)
}

/// P(X > x): the p-value of a χ² test.
pub fn sf(x: f64, df: f64) -> Result<f64> {
    gamma::sf(0.5 * x, 0.5 * df)
}

/// x with P(X ≤ x) = p.
pub fn quantile(p: f64, df: f64) -> Result<f64> {
    Ok(2.0 * gamma::quantile(p, 0.5 * df)?)
}

/// x with P(X > x) = q.
pub fn upper_quantile(q: f64, df: f64) -> Result<f64> {
    Ok(2.0 * gamma::upper_quantile(q, 0.5 * df)?)
}
