//! Poisson distribution.
//!
//! # Estimand
//! P(X = k), P(X ≤ k), P(X > k) at mean m, and the smallest k with P(X ≤ k) ≥ p.
//! # Formula
//! P(X ≤ k) = Q(k + 1, m).
//! # Source
//! NIST DLMF 8.4.10; C. Loader (2000) for the mass.
//! # Assumptions
//! m ≥ 0; k is rounded down.
//! # Edge cases
//! m = 0 puts all mass on 0. `quantile` allows 64 units of rounding, so that quantile(cdf(k)) = k.
//! # Reference values
//! tests/reference/distributions.csv.

use super::special::{incomplete_gamma, poisson_mass};
use super::{check_not_nan, check_probability};
use crate::error::{Result, StatsError};

fn check_mean(m: f64) -> Result<f64> {
    if m >= 0.0 && m.is_finite() { Ok(m) } else { Err(StatsError::out_of_range("Poisson mean", m, "at least 0")) }
}

/// P(X = k).
pub fn pmf(k: f64, mean: f64) -> Result<f64> {
    check_mean(mean)?;
    check_not_nan("Poisson count", k)?;
    if k < 0.0 || k != k.floor() || k.is_infinite() {
        return Ok(0.0);
    }
    if mean == 0.0 {
        return Ok(if k == 0.0 { 1.0 } else { 0.0 });
    }
    Ok(poisson_mass(k, mean))
}

/// P(X ≤ k).
pub fn cdf(k: f64, mean: f64) -> Result<f64> {
    both(k, mean).map(|(lower, _)| lower)
}

/// P(X > k).
pub fn sf(k: f64, mean: f64) -> Result<f64> {
    both(k, mean).map(|(_, upper)| upper)
}

fn both(k: f64, mean: f64) -> Result<(f64, f64)> {
    check_mean(mean)?;
    check_not_nan("Poisson count", k)?;
    if k < 0.0 {
        return Ok((0.0, 1.0));
    }
    if mean == 0.0 || k == f64::INFINITY {
        return Ok((1.0, 0.0));
    }
    let (p, q) = incomplete_gamma(k.floor() + 1.0, mean)?;
    Ok((q, p))
}

/// Smallest k with P(X ≤ k) ≥ p; ∞ at p = 1 unless the mean is 0.
pub fn quantile(p: f64, mean: f64) -> Result<f64> {
    check_probability("Poisson quantile", p)?;
    check_mean(mean)?;
    if p == 0.0 || mean == 0.0 {
        return Ok(0.0);
    }
    if p == 1.0 {
        return Ok(f64::INFINITY);
    }
    super::binomial::smallest_count(p, mean, f64::INFINITY, |k| cdf(k, mean))
}
