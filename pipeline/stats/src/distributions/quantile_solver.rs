//! One root finder for all continuous quantiles: Newton on the logarithm of a tail probability, kept inside a bracket.
//!
//! # Estimand
//! u with tail(u) = target.
//! # Formula
//! u ← u − ln(tail/target)·tail/tail'. On the scale of u (ln x for positive variables, logit x for the beta distribution) the
//! logarithm of a tail is smooth, monotone and nearly linear far out, so Newton's steps are good even for tails of 1e-300.
//! # Source
//! W. H. Press et al., *Numerical Recipes*, 3rd ed. (2007), section 9.4 (Newton's method, kept inside a bracket by bisection).
//! # Assumptions
//! The tail is monotone in u.
//! # Edge cases
//! A step that leaves the bracket is replaced by its middle; 400 steps without an end are an error.
//! # Reference values
//! tests/reference/distributions.csv, all quantiles (1e-10).

use crate::error::{Result, StatsError};

const MAX_STEPS: usize = 400;

/// Finds `u` where `tail(u)` = `target`. `tail` gives (probability, its derivative with respect to `u`).
pub(super) fn solve(
    what: &'static str,
    target: f64,
    start: f64,
    increasing: bool,
    tail: impl Fn(f64) -> Result<(f64, f64)>,
) -> Result<f64> {
    let ln_target = target.ln();
    let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
    let mut u = start;
    let mut reach = 1.0;
    for _ in 0..MAX_STEPS {
        if !u.is_finite() {
            break;
        }
        let (p, slope) = tail(u)?;
        let gap = p.ln() - ln_target;
        if gap == 0.0 {
            return Ok(u);
        }
        if (gap > 0.0) == increasing {
            high = high.min(u);
        } else {
            low = low.max(u);
        }
        let step = -gap * p / slope;
        let scale = u.abs().max(1.0);
        // Newton doubles the digits: after a step this small what is left is rounding.
        if step.abs() <= 1e-12 * scale {
            return Ok(u + step);
        }
        let mut next = u + step;
        if !next.is_finite() || next <= low || next >= high {
            next = match (low.is_finite(), high.is_finite()) {
                (true, true) => 0.5 * (low + high),
                (true, false) => low + reach,
                (false, true) => high - reach,
                (false, false) => return Err(StatsError::NotConverged { what, iterations: 0 }),
            };
            reach *= 2.0;
        }
        u = next;
        if high - low <= 4e-16 * scale {
            return Ok(u);
        }
    }
    Err(StatsError::NotConverged { what, iterations: MAX_STEPS })
}
