//! Beta distribution.
//!
//! # Estimand
//! P(X ≤ x) = I_x(a, b) and its inverses; the inverse is given as (x, 1 − x), both exact.
//! # Formula
//! Incomplete beta function; quantiles by Newton on the logarithm of the nearer tail, in logit x.
//! # Source
//! NIST DLMF 8.17.
//! # Assumptions
//! a, b > 0.
//! # Edge cases
//! x outside 0–1 is clipped in `cdf` and `sf`; quantiles at 0 and 1 are 0 and 1.
//! # Reference values
//! tests/reference/distributions.csv.

use super::special::{binomial_mass, incomplete_beta};
use super::{check_not_nan, check_parameter, check_probability, quantile_solver};
use crate::error::Result;

/// P(X ≤ x).
pub fn cdf(x: f64, a: f64, b: f64) -> Result<f64> {
    let x = check_not_nan("beta cdf", x)?.clamp(0.0, 1.0);
    Ok(incomplete_beta(a, b, x, 1.0 - x)?.0)
}

/// P(X > x).
pub fn sf(x: f64, a: f64, b: f64) -> Result<f64> {
    let x = check_not_nan("beta tail", x)?.clamp(0.0, 1.0);
    Ok(incomplete_beta(a, b, x, 1.0 - x)?.1)
}

/// x with P(X ≤ x) = p.
pub fn quantile(p: f64, a: f64, b: f64) -> Result<f64> {
    Ok(quantile_pair(p, a, b)?.0)
}

/// x with P(X > x) = q.
pub fn upper_quantile(q: f64, a: f64, b: f64) -> Result<f64> {
    Ok(upper_quantile_pair(q, a, b)?.0)
}

/// (x, 1 − x) with P(X ≤ x) = p.
pub fn quantile_pair(p: f64, a: f64, b: f64) -> Result<(f64, f64)> {
    check_probability("beta quantile", p)?;
    if p <= 0.5 { lower_tail(p, a, b) } else { lower_tail(1.0 - p, b, a).map(|(y, x)| (x, y)) }
}

/// (x, 1 − x) with P(X > x) = q.
pub fn upper_quantile_pair(q: f64, a: f64, b: f64) -> Result<(f64, f64)> {
    check_probability("beta upper quantile", q)?;
    if q <= 0.5 { lower_tail(q, b, a).map(|(y, x)| (x, y)) } else { lower_tail(1.0 - q, a, b) }
}

fn lower_tail(p: f64, a: f64, b: f64) -> Result<(f64, f64)> {
    check_parameter("beta: first shape", a)?;
    check_parameter("beta: second shape", b)?;
    if p == 0.0 {
        return Ok((0.0, 1.0));
    }
    let start = (a.ln() - b.ln()).clamp(-700.0, 700.0);
    let pair = |u: f64| {
        let e = (-u.abs()).exp();
        let (small, large) = (e / (1.0 + e), 1.0 / (1.0 + e));
        if u < 0.0 { (small, large) } else { (large, small) }
    };
    let u = quantile_solver::solve("beta quantile", p, start, true, |u| {
        let (x, y) = pair(u);
        let (cdf, _) = incomplete_beta(a, b, x, y)?;
        // x(1 − x) · density = x^a (1 − x)^b / B(a, b)
        let slope = binomial_mass(a, b, x, y) * (a / (a + b)) * b;
        Ok((cdf, slope))
    })?;
    Ok(pair(u))
}
