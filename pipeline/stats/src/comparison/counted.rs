//! Tests of shares and rates against a difference that matters.
//!
//! # Estimand
//! p of the hypothesis |θ − R| ≤ δ for a share or rate θ with estimate v and reference R.
//! # Formula
//! F(r) = P(θ ≤ r) for θ ~ Beta(nv + ½, n(1 − v) + ½) (shares, n answers) or Gamma(mv + ½, m) (rates, m of exposure).
//! p = min(F(R + δ) + F(R − δ), 2 − F(R + δ) − F(R − δ)). n and m are those of a simple sample whose estimate has the
//! difference's variance V₀ *where there is no difference*: n = R(1 − R)/V₀, m = R/V₀.
//! # Source
//! L. D. Brown, T. T. Cai and A. DasGupta, Statistical Science 16 (2001) 101–133 (inverting Jeffreys' interval is close to the
//! exact test with mid-p); E. L. Korn and B. I. Graubard, Survey Methodology 24 (1998) 193–201 (n of a survey).
//! # Assumptions
//! Independent answers or events, or a sample that n and m stand for. Ratios of difference and standard error are no test here:
//! the error shrinks as v nears 0 or 1, and among wards of 30 to 60 answers that find 80 % of the patients content, every
//! second family of 100 with no difference at all would have a unit that is "found".
//! # Edge cases
//! v = R gives 1. v of 0 and 1 need no rule of their own.
//! # Reference values
//! tests/comparison_by_hand.rs: scipy's and R's pbeta and pgamma; sizes by simulation.

use crate::distributions::{beta, gamma};
use crate::error::{Result, StatsError, check_finite, check_positive};

/// p of |θ − `reference`| ≤ `delta` for a share estimated as `value` from `answers`, a number that need not be whole.
pub fn p_beyond_binomial(value: f64, reference: f64, answers: f64, delta: f64) -> Result<f64> {
    for (what, share) in [("tested share", value), ("reference of a share", reference)] {
        if !(0.0..=1.0).contains(&share) {
            return Err(StatsError::out_of_range(what, share, "between 0 and 1"));
        }
    }
    check_positive("answers behind a share", &[answers])?;
    let (a, b) = (answers * value + 0.5, answers * (1.0 - value) + 0.5);
    two_tails(value, reference, delta, 1.0, |r| Ok((beta::cdf(r, a, b)?, beta::sf(r, a, b)?)))
}

/// p of |θ − `reference`| ≤ `delta` for a rate estimated as `value` over `exposure`, in the unit that makes `value` × `exposure`
/// events.
pub fn p_beyond_poisson(value: f64, reference: f64, exposure: f64, delta: f64) -> Result<f64> {
    for (what, rate) in [("tested rate", value), ("reference of a rate", reference)] {
        check_finite(what, rate)?;
        if rate < 0.0 {
            return Err(StatsError::out_of_range(what, rate, "at least 0"));
        }
    }
    check_positive("exposure behind a rate", &[exposure])?;
    let shape = exposure * value + 0.5;
    two_tails(value, reference, delta, f64::INFINITY, |r| {
        Ok((gamma::cdf(r * exposure, shape)?, gamma::sf(r * exposure, shape)?))
    })
}

/// `tails` are P(θ ≤ r) and P(θ > r) for an r between 0 and `end`.
fn two_tails(
    value: f64,
    reference: f64,
    delta: f64,
    end: f64,
    tails: impl Fn(f64) -> Result<(f64, f64)>,
) -> Result<f64> {
    if !(delta >= 0.0 && delta.is_finite()) {
        return Err(StatsError::out_of_range("meaningful difference", delta, "at least 0"));
    }
    if value == reference {
        return Ok(1.0);
    }
    let tails = |r: f64| match r {
        _ if r <= 0.0 => Ok((0.0, 1.0)),
        _ if r >= end => Ok((1.0, 0.0)),
        _ => tails(r),
    };
    let (above, below) = (tails(reference + delta)?, tails(reference - delta)?);
    Ok((above.0 + below.0).min(above.1 + below.1))
}
