//! Wilson's score interval of a proportion.
//!
//! # Estimand
//! A binomial probability p.
//! # Formula
//! With A = 2x + z², B = z √(z² + 4x(1 − x/n)): low = (A − B)/(2(n + z²)) = 2x²/(n(A + B)), high = (A + B)/(2(n + z²)).
//! # Source
//! E. B. Wilson, JASA 22 (1927) 209–212; R. G. Newcombe, Statistics in Medicine 17 (1998) 857, method 3.
//! # Assumptions
//! Independent trials; no continuity correction.
//! # Edge cases
//! x = 0 gives low = 0, x = n gives high = 1; x need not be whole; n = 0 is an error.
//! # Reference values
//! tests/reference/intervals.rs: intervals/phe_intervals.csv, rapwhale_examples.csv (1e-12).

use super::{Estimate, Interval, Level, check_proportion};
use crate::error::Result;

/// Proportion `x`/`n` on the scale 0–1 with its interval.
///
/// # Errors
/// [`StatsError::OutOfRange`](crate::StatsError::OutOfRange) unless 0 ≤ x ≤ n and n > 0.
///
/// ```
/// use prem_stats::interval::{wilson, Level};
/// let p = wilson(1.0, 2.0, Level::P95).unwrap();
/// assert!((p.interval.low - 0.09453120573423074).abs() < 1e-15);
/// ```
pub fn wilson(x: f64, n: f64, level: Level) -> Result<Estimate> {
    check_proportion("Wilson interval", x, n)?;
    let z2 = level.z()?.powi(2);
    let value = x / n;
    let a = 2.0 * x + z2;
    let b = (z2 * (z2 + 4.0 * x * ((n - x) / n))).sqrt();
    let low = if x == 0.0 { 0.0 } else { 2.0 * value * x / (a + b) };
    let high = if x == n { 1.0 } else { (a + b) / (2.0 * (n + z2)) };
    let interval = Interval::new(low.min(value), high.max(value).min(1.0))?;
    Ok(Estimate { value, interval, n, method: "wilson" })
}
