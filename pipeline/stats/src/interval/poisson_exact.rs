//! Exact interval of a Poisson count.
//!
//! # Estimand
//! The mean of a Poisson count.
//! # Formula
//! low = χ²(α/2; 2x)/2, high = χ²(1 − α/2; 2x + 2)/2.
//! # Source
//! F. Garwood, Biometrika 28 (1936) 437–442.
//! # Assumptions
//! Poisson events. Covers at least the level.
//! # Edge cases
//! x = 0 gives low = 0; x need not be whole.
//! # Reference values
//! tests/reference/intervals.rs: intervals/phe_intervals.csv (1e-12); tests/reference/funnel.rs: funnel/phe_ratio_limits.csv (1e-10).

use super::{Estimate, Interval, Level, check_count};
use crate::distributions::gamma;
use crate::error::Result;

/// The count `x` with its interval; divide by the exposure for a rate.
pub fn poisson_exact(x: f64, level: Level) -> Result<Estimate> {
    check_count("exact Poisson interval", x)?;
    let low = if x == 0.0 { 0.0 } else { gamma::quantile(level.tail(), x)? };
    let high = gamma::upper_quantile(level.tail(), x + 1.0)?;
    let interval = Interval::new(low.min(x), high.max(x))?;
    Ok(Estimate { value: x, interval, n: x, method: "poisson-exact" })
}
