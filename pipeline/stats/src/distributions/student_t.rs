//! Student's t distribution.
//!
//! # Estimand
//! P(T ≤ t) at `df` degrees of freedom and its inverses.
//! # Formula
//! P(T > t) = ½ I_{ν/(ν+t²)}(ν/2, ½) for t ≥ 0; t² = ν(1 − x)/x with x the beta quantile.
//! # Source
//! NIST DLMF 8.17; W. H. Press et al., *Numerical Recipes*, 3rd ed. (2007), section 6.14.
//! # Assumptions
//! df > 0, not necessarily whole; df = ∞ and above 1e13 is the normal distribution.
//! # Edge cases
//! Quantiles at 0 and 1 are −∞ and ∞; at ½ exactly 0.
//! # Reference values
//! tests/reference/distributions.csv (1e-12 relative, df up to 1e8).

use super::special::incomplete_beta;
use super::{beta, check_not_nan, check_probability, normal};
use crate::error::{Result, StatsError};

/// Beyond this the difference from the normal distribution is below 1e-12.
const NORMAL_FROM: f64 = 1e13;

fn check_df(df: f64) -> Result<()> {
    if df > 0.0 { Ok(()) } else { Err(StatsError::out_of_range("degrees of freedom", df, "above 0")) }
}

/// P(T ≤ t).
pub fn cdf(t: f64, df: f64) -> Result<f64> {
    check_not_nan("t cdf", t)?;
    sf(-t, df)
}

/// P(T > t).
pub fn sf(t: f64, df: f64) -> Result<f64> {
    check_not_nan("t tail", t)?;
    check_df(df)?;
    if df > NORMAL_FROM {
        return normal::sf(t);
    }
    if t.is_infinite() {
        return Ok(if t > 0.0 { 0.0 } else { 1.0 });
    }
    let t2 = t * t;
    let (x, y) = if t2.is_finite() { (df / (df + t2), t2 / (df + t2)) } else { ((df.sqrt() / t.abs()).powi(2), 1.0) };
    let tail = 0.5 * incomplete_beta(0.5 * df, 0.5, x, y)?.0;
    Ok(if t >= 0.0 { tail } else { 1.0 - tail })
}

/// 2 P(T > |t|): the two-sided p-value.
pub fn two_sided_p(t: f64, df: f64) -> Result<f64> {
    Ok((2.0 * sf(t.abs(), df)?).min(1.0))
}

/// t with P(T ≤ t) = p.
///
/// ```
/// let t = prem_stats::distributions::student_t::quantile(0.975, 10.0).unwrap();
/// assert!((t - 2.2281388519862744).abs() < 1e-13);
/// ```
pub fn quantile(p: f64, df: f64) -> Result<f64> {
    check_probability("t quantile", p)?;
    if p <= 0.5 { Ok(-upper_tail(p, df)?) } else { upper_tail(1.0 - p, df) }
}

/// t with P(T > t) = q.
pub fn upper_quantile(q: f64, df: f64) -> Result<f64> {
    check_probability("t upper quantile", q)?;
    if q <= 0.5 { upper_tail(q, df) } else { Ok(-upper_tail(1.0 - q, df)?) }
}

fn upper_tail(q: f64, df: f64) -> Result<f64> {
    check_df(df)?;
    if q == 0.5 {
        return Ok(0.0);
    }
    if q == 0.0 {
        return Ok(f64::INFINITY);
    }
    if df > NORMAL_FROM {
        return normal::upper_quantile(q);
    }
    // y = t²/(ν + t²) is beta(½, ν/2); the nearer tail of y keeps its digits.
    let (y, x) = if q >= 0.25 {
        beta::quantile_pair(1.0 - 2.0 * q, 0.5, 0.5 * df)?
    } else {
        beta::upper_quantile_pair(2.0 * q, 0.5, 0.5 * df)?
    };
    Ok((df * y / x).sqrt())
}
