//! Binomial distribution.
//!
//! # Estimand
//! P(X = k), P(X ≤ k), P(X > k) in n trials of probability p, and the smallest k with P(X ≤ k) ≥ prob.
//! # Formula
//! P(X ≤ k) = I_{1−p}(n − k, k + 1).
//! # Source
//! NIST DLMF 8.17.5; C. Loader (2000) for the mass.
//! # Assumptions
//! n a whole number ≥ 0, 0 ≤ p ≤ 1; k is rounded down.
//! # Edge cases
//! n = 0 puts all mass on 0. `quantile` allows 64 units of rounding, so that quantile(cdf(k)) = k.
//! # Reference values
//! tests/reference/distributions.csv.

use super::special::{binomial_mass, incomplete_beta};
use super::{check_not_nan, check_probability};
use crate::error::{Result, StatsError};

fn check(n: f64, p: f64) -> Result<()> {
    check_probability("binomial probability", p)?;
    if n >= 0.0 && n.is_finite() && n == n.floor() {
        Ok(())
    } else {
        Err(StatsError::out_of_range("binomial trials", n, "a whole number, at least 0"))
    }
}

/// P(X = k).
pub fn pmf(k: f64, n: f64, p: f64) -> Result<f64> {
    check(n, p)?;
    check_not_nan("binomial count", k)?;
    if k < 0.0 || k > n || k != k.floor() {
        return Ok(0.0);
    }
    if p == 0.0 || p == 1.0 || n == 0.0 {
        let certain = if p == 1.0 { n } else { 0.0 };
        return Ok(if k == certain { 1.0 } else { 0.0 });
    }
    Ok(binomial_mass(k, n - k, p, 1.0 - p))
}

/// P(X ≤ k).
pub fn cdf(k: f64, n: f64, p: f64) -> Result<f64> {
    both(k, n, p).map(|(lower, _)| lower)
}

/// P(X > k).
pub fn sf(k: f64, n: f64, p: f64) -> Result<f64> {
    both(k, n, p).map(|(_, upper)| upper)
}

fn both(k: f64, n: f64, p: f64) -> Result<(f64, f64)> {
    check(n, p)?;
    let k = check_not_nan("binomial count", k)?.floor();
    if k < 0.0 {
        return Ok((0.0, 1.0));
    }
    if k >= n {
        return Ok((1.0, 0.0));
    }
    let (upper, lower) = incomplete_beta(k + 1.0, n - k, p, 1.0 - p)?;
    Ok((lower, upper))
}

/// Smallest k with P(X ≤ k) ≥ `probability`.
pub fn quantile(probability: f64, n: f64, p: f64) -> Result<f64> {
    check_probability("binomial quantile", probability)?;
    check(n, p)?;
    if probability == 0.0 || n == 0.0 {
        return Ok(0.0);
    }
    if probability == 1.0 {
        return Ok(if p == 0.0 { 0.0 } else { n });
    }
    smallest_count(probability, n * p, n, |k| cdf(k, n, p))
}

/// Bisection over whole numbers for the smallest count whose distribution function reaches `p`.
pub(super) fn smallest_count(p: f64, centre: f64, largest: f64, cdf: impl Fn(f64) -> Result<f64>) -> Result<f64> {
    let reached = p * (1.0 - 64.0 * f64::EPSILON);
    let mut high = centre.ceil().min(largest);
    let mut stride = (centre + 1.0).sqrt().ceil();
    let mut low = -1.0;
    while cdf(high)? < reached {
        low = high;
        high = (high + stride).min(largest);
        if high == low {
            return Ok(high);
        }
        stride *= 2.0;
    }
    while high - low > 1.0 {
        let middle = (0.5 * (low + high)).floor();
        if middle <= low || middle >= high {
            break;
        }
        if cdf(middle)? < reached {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(high)
}
