//! F distribution.
//!
//! # Estimand
//! P(F ≤ x) at (df1, df2) degrees of freedom and its inverses.
//! # Formula
//! I_y(df1/2, df2/2) with y = df1·x/(df1·x + df2).
//! # Source
//! NIST DLMF 8.17; M. Abramowitz and I. Stegun, 26.6.2.
//! # Assumptions
//! df1, df2 > 0, not necessarily whole.
//! # Edge cases
//! x ≤ 0 gives 0; quantiles at 0 and 1 are 0 and ∞.
//! # Reference values
//! tests/reference/distributions.csv.

use super::special::incomplete_beta;
use super::{beta, check_not_nan, check_parameter};
use crate::error::Result;

fn both_tails(x: f64, df1: f64, df2: f64) -> Result<(f64, f64)> {
    check_not_nan("F argument", x)?;
    check_parameter("F: first degrees of freedom", df1)?;
    check_parameter("F: second degrees of freedom", df2)?;
    if x <= 0.0 {
        return Ok((0.0, 1.0));
    }
    let scaled = df1 * x;
    if scaled == f64::INFINITY {
        return Ok((1.0, 0.0));
    }
    incomplete_beta(0.5 * df1, 0.5 * df2, scaled / (scaled + df2), df2 / (scaled + df2))
}

/// P(F ≤ x).
pub fn cdf(x: f64, df1: f64, df2: f64) -> Result<f64> {
    Ok(both_tails(x, df1, df2)?.0)
}

/// P(F > x): the p-value of an F test.
pub fn sf(x: f64, df1: f64, df2: f64) -> Result<f64> {
    Ok(both_tails(x, df1, df2)?.1)
}

/// x with P(F ≤ x) = p.
pub fn quantile(p: f64, df1: f64, df2: f64) -> Result<f64> {
    ratio(beta::quantile_pair(p, 0.5 * df1, 0.5 * df2)?, df1, df2)
}

/// x with P(F > x) = q.
pub fn upper_quantile(q: f64, df1: f64, df2: f64) -> Result<f64> {
    ratio(beta::upper_quantile_pair(q, 0.5 * df1, 0.5 * df2)?, df1, df2)
}

fn ratio((x, y): (f64, f64), df1: f64, df2: f64) -> Result<f64> {
    check_not_nan("F quantile", df2 * x / (df1 * y))
}
