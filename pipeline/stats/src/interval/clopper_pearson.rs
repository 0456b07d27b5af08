//! Clopper and Pearson's exact interval of a proportion.
//!
//! # Estimand
//! A binomial probability p.
//! # Formula
//! low = Beta(x, n − x + 1) quantile at α/2, high = Beta(x + 1, n − x) quantile at 1 − α/2.
//! # Source
//! C. J. Clopper and E. S. Pearson, Biometrika 26 (1934) 404–413.
//! # Assumptions
//! Independent trials. Covers at least the level, often much more.
//! # Edge cases
//! x = 0 gives low = 0, x = n gives high = 1; n = 0 is an error.
//! # Reference values
//! tests/reference/intervals.rs: intervals/binomial_exact_grid.csv (1e-10).

use super::{Estimate, Interval, Level, check_proportion};
use crate::distributions::beta;
use crate::error::Result;

/// Proportion `x`/`n` on the scale 0–1 with its interval.
pub fn clopper_pearson(x: f64, n: f64, level: Level) -> Result<Estimate> {
    check_proportion("Clopper-Pearson interval", x, n)?;
    let value = x / n;
    let tail = level.tail();
    let low = if x == 0.0 { 0.0 } else { beta::quantile(tail, x, n - x + 1.0)? };
    let high = if x == n { 1.0 } else { beta::upper_quantile(tail, x + 1.0, n - x)? };
    let interval = Interval::new(low.min(value), high.max(value))?;
    Ok(Estimate { value, interval, n, method: "clopper-pearson" })
}
