//! Test against a difference that matters.
//!
//! # Estimand
//! p of the hypothesis |Δ| ≤ δ.
//! # Formula
//! p_δ = P(Z ≥ (|Δ̂| − δ)/SE) + P(Z ≥ (|Δ̂| + δ)/SE); δ = 0 is the ordinary two-sided test. [`p_beyond_t`] puts t on the SE's
//! degrees of freedom in the place of Z.
//! # Source
//! E. L. Lehmann and J. P. Romano, *Testing Statistical Hypotheses*, 3rd ed. (2005), section 4.2 (uniformly most powerful among
//! unbiased tests); J. L. Hodges and E. L. Lehmann, JRSS B 16 (1954) 261–268. Least favourable at |Δ| = δ.
//! # Assumptions
//! Δ̂ normal with known SE; for the t form, with an SE that was estimated.
//! # Edge cases
//! SE = 0 is an error: nothing can be tested.
//! # Reference values
//! tests/reference/funnel.rs: funnel/mean_scores_expected.csv for δ = 0 (1e-10).

use crate::distributions::{normal, student_t};
use crate::error::{Result, StatsError, check_finite};

/// p of |Δ| ≤ `delta` for an estimated `difference` with standard error `se`.
pub fn p_beyond(difference: f64, se: f64, delta: f64) -> Result<f64> {
    two_tails(difference, se, delta, normal::sf)
}

/// As [`p_beyond`], for a standard error that was estimated on `df` degrees of freedom (infinite: normal). With SEs from
/// wards of 30 to 60 respondents the normal form finds too much: see the coverage study.
pub fn p_beyond_t(difference: f64, se: f64, delta: f64, df: f64) -> Result<f64> {
    two_tails(difference, se, delta, |t| if df.is_infinite() { normal::sf(t) } else { student_t::sf(t, df) })
}

fn two_tails(difference: f64, se: f64, delta: f64, sf: impl Fn(f64) -> Result<f64>) -> Result<f64> {
    check_finite("minimal difference test: difference", difference)?;
    if !(se > 0.0 && se.is_finite()) {
        return Err(StatsError::out_of_range("minimal difference test: standard error", se, "above 0"));
    }
    if !(delta >= 0.0 && delta.is_finite()) {
        return Err(StatsError::out_of_range("meaningful difference", delta, "at least 0"));
    }
    let size = difference.abs();
    Ok((sf((size - delta) / se)? + sf((size + delta) / se)?).min(1.0))
}
