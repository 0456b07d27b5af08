//! Extremal quotients.
//!
//! # Estimand
//! How many times higher the k-th highest value is than the k-th lowest (FT1–FT3), or the 95th than the 5th percentile.
//! # Formula
//! x₍n−k+1₎/x₍k₎; Q₀.₉₅/Q₀.₀₅ (type 7).
//! # Source
//! Helseatlas (SKDE), *forholdstall*; K. McPherson et al., NEJM 307 (1982) 1310.
//! # Assumptions
//! Non-negative values; units too small to publish left out before.
//! # Edge cases
//! Fewer than 2k units, or a k-th lowest value of 0, is an error.
//! # Reference values
//! tests/reference/variation.rs: variation/turp_expected.csv, helseatlas_expected.csv (1e-10).

use super::quantile::of_sorted;
use crate::error::{Result, StatsError, check_non_negative};
use crate::numeric;

/// k-th highest over k-th lowest of `values`; k counts from 1.
pub fn extremal_quotient(values: &[f64], k: usize) -> Result<f64> {
    const WHAT: &str = "extremal quotient";
    check_non_negative(WHAT, values)?;
    if k == 0 {
        return Err(StatsError::out_of_range("extremal quotient: k", 0.0, "at least 1"));
    }
    let needed = k.saturating_mul(2);
    if values.len() < needed {
        return Err(StatsError::TooFew { what: WHAT, needed, found: values.len() });
    }
    let v = numeric::sorted(values);
    quotient(WHAT, v[v.len() - k], v[k - 1])
}

/// 95th over 5th percentile (type 7); at least 2 values.
pub fn eq_5_95(values: &[f64]) -> Result<f64> {
    const WHAT: &str = "quotient of the 95th and 5th percentile";
    check_non_negative(WHAT, values)?;
    if values.len() < 2 {
        return Err(StatsError::TooFew { what: WHAT, needed: 2, found: values.len() });
    }
    let v = numeric::sorted(values);
    quotient(WHAT, of_sorted(&v, 0.95), of_sorted(&v, 0.05))
}

pub(super) fn quotient(what: &'static str, high: f64, low: f64) -> Result<f64> {
    if low > 0.0 {
        crate::error::finite_result(what, high / low)
    } else {
        Err(StatsError::Undefined { what, reason: "the lowest value is 0" })
    }
}
