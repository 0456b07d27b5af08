//! Jeffreys interval of a proportion.
//!
//! # Estimand
//! A binomial probability p, equal-tailed under the prior Beta(½, ½).
//! # Formula
//! Beta(x + ½, n − x + ½) quantiles at α/2 and 1 − α/2.
//! # Source
//! L. D. Brown, T. T. Cai and A. DasGupta, Statistical Science 16 (2001) 101–133 (`jeffreys_bcd`: limits at the
//! ends moved to 0 and 1).
//! # Assumptions
//! Independent trials.
//! # Edge cases
//! The plain form does not contain 0 at x = 0 or 1 at x = n; the modified form does.
//! # Reference values
//! tests/reference/intervals.rs: intervals/binomial_exact_grid.csv (1e-10).

use super::{Estimate, Interval, Level, check_proportion};
use crate::distributions::beta;
use crate::error::Result;

/// Proportion `x`/`n` with the plain equal-tailed interval.
pub fn jeffreys(x: f64, n: f64, level: Level) -> Result<Estimate> {
    check_proportion("Jeffreys interval", x, n)?;
    let (a, b) = (x + 0.5, n - x + 0.5);
    let interval = Interval::new(beta::quantile(level.tail(), a, b)?, beta::upper_quantile(level.tail(), a, b)?)?;
    Ok(Estimate { value: x / n, interval, n, method: "jeffreys" })
}

/// As [`jeffreys`], with the lower limit 0 at x = 0 and the upper limit 1 at x = n.
pub fn jeffreys_bcd(x: f64, n: f64, level: Level) -> Result<Estimate> {
    let mut estimate = jeffreys(x, n, level)?;
    if x == 0.0 {
        estimate.interval.low = 0.0;
    }
    if x == n {
        estimate.interval.high = 1.0;
    }
    estimate.method = "jeffreys-bcd";
    Ok(estimate)
}
