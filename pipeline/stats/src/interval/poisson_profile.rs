//! Profile-likelihood interval of a Poisson rate.
//!
//! # Estimand
//! A Poisson rate x/exposure.
//! # Formula
//! Both roots m of 2(x ln(x/m) − (x − m)) = χ²₁(level), divided by the exposure.
//! # Source
//! P. McCullagh and J. A. Nelder, *Generalized Linear Models*, 2nd ed. (1989), section 2.3 (the deviance of a Poisson count).
//! # Assumptions
//! Poisson events, exposure known.
//! # Edge cases
//! x = 0: low = 0 and the one-sided upper limit −ln(1 − level)/exposure.
//! # Reference values
//! tests/reference/intervals.rs: intervals/rapwhale_examples.csv, columns exact_* (1e-10).

use super::{Estimate, Interval, Level, check_count, check_exposure};
use crate::distributions::{chi_squared, special::deviance_part};
use crate::error::{Result, StatsError};

const MAX_STEPS: usize = 200;

/// The rate `x`/`exposure` with its interval.
pub fn poisson_profile(x: f64, exposure: f64, level: Level) -> Result<Estimate> {
    check_count("Poisson profile interval", x)?;
    check_exposure("Poisson profile interval", exposure)?;
    let half = 0.5 * chi_squared::quantile(level.value(), 1.0)?;
    let (low, high) = if x == 0.0 {
        (0.0, -level.alpha().ln())
    } else {
        // Both starts lie outside the root on a convex function, so Newton's steps approach it from one side.
        let below = x * (-1.0 - half / x).exp();
        let above = x + 2.0 * half + 2.0 * (x * half).sqrt();
        (root(x, half, below)?, root(x, half, above)?)
    };
    let interval = Interval::new((low / exposure).min(x / exposure), (high / exposure).max(x / exposure))?;
    Ok(Estimate { value: x / exposure, interval, n: exposure, method: "poisson-profile" })
}

fn root(x: f64, half: f64, start: f64) -> Result<f64> {
    let mut m = start;
    for _ in 0..MAX_STEPS {
        if m == 0.0 {
            return Ok(0.0);
        }
        let step = (deviance_part(x, m) - half) / (1.0 - x / m);
        let next = m - step;
        if !next.is_finite() {
            break;
        }
        let done = step.abs() <= 1e-15 * m;
        m = next.max(0.0);
        if done {
            return Ok(m);
        }
    }
    // Rounding may keep the last digit moving: that is as good as it gets.
    if (deviance_part(x, m) - half).abs() <= 1e-9 * (1.0 + half) {
        Ok(m)
    } else {
        Err(StatsError::NotConverged { what: "Poisson profile interval", iterations: MAX_STEPS })
    }
}
