//! Gamma distribution with shape a and rate 1 (divide a quantile by the rate).
//!
//! # Estimand
//! P(X ≤ x) = P(a, x) and its inverses.
//! # Formula
//! Incomplete gamma functions; quantiles by Newton on the logarithm of the nearer tail, in ln x.
//! # Source
//! NIST DLMF 8.2; start by E. B. Wilson and M. M. Hilferty, PNAS 17 (1931) 684.
//! # Assumptions
//! a > 0.
//! # Edge cases
//! Quantiles at 0 and 1 are 0 and ∞.
//! # Reference values
//! tests/reference/distributions.csv.

use super::special::incomplete_gamma;
use super::{check_parameter, check_probability, normal, quantile_solver, special};
use crate::error::Result;

/// P(X ≤ x) at shape `a`.
pub fn cdf(x: f64, a: f64) -> Result<f64> {
    Ok(incomplete_gamma(a, x)?.0)
}

/// P(X > x) at shape `a`.
pub fn sf(x: f64, a: f64) -> Result<f64> {
    Ok(incomplete_gamma(a, x)?.1)
}

/// x with P(X ≤ x) = p.
pub fn quantile(p: f64, a: f64) -> Result<f64> {
    check_probability("gamma quantile", p)?;
    if p <= 0.5 { from_tail(p, a, true) } else { from_tail(1.0 - p, a, false) }
}

/// x with P(X > x) = q.
pub fn upper_quantile(q: f64, a: f64) -> Result<f64> {
    check_probability("gamma upper quantile", q)?;
    if q <= 0.5 { from_tail(q, a, false) } else { from_tail(1.0 - q, a, true) }
}

fn from_tail(tail: f64, a: f64, lower: bool) -> Result<f64> {
    check_parameter("gamma shape", a)?;
    if tail == 0.0 {
        return Ok(if lower { 0.0 } else { f64::INFINITY });
    }
    let z = if lower { normal::quantile(tail)? } else { normal::upper_quantile(tail)? };
    let cube_root = 1.0 - 1.0 / (9.0 * a) + z / (3.0 * a.sqrt());
    let start = if cube_root > 0.1 { a * cube_root.powi(3) } else { a };
    let u = quantile_solver::solve("gamma quantile", tail, start.ln(), lower, |u| {
        let x = u.exp();
        let (p, q) = incomplete_gamma(a, x)?;
        // x · density = a · x^a e^(−x)/Γ(a + 1)
        let slope = a * special::poisson_mass(a, x);
        Ok(if lower { (p, slope) } else { (q, -slope) })
    })?;
    Ok(u.exp())
}
