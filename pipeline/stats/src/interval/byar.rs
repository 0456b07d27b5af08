//! Byar's approximate interval of a Poisson count.
//!
//! # Estimand
//! The mean of a Poisson count.
//! # Formula
//! low = x(1 − 1/(9x) − z/(3√x))³, high = (x + 1)(1 − 1/(9(x + 1)) + z/(3√(x + 1)))³.
//! # Source
//! N. E. Breslow and N. E. Day, *Statistical Methods in Cancer Research* II (1987), p. 69.
//! # Assumptions
//! Poisson events; close to exact from 10 events.
//! # Edge cases
//! x = 0 gives low = 0. Where the cube is negative (x = 1 at 99.8 %) the lower limit does not exist: an error here, `None` from
//! [`limits`]. x need not be whole.
//! # Reference values
//! tests/reference/intervals.rs: intervals/phe_intervals.csv (1e-12).

use super::{Estimate, Interval, Level, check_count};
use crate::error::{Result, StatsError};

/// Lower and upper limit of the mean; the lower one is `None` where the formula has none.
pub fn limits(x: f64, level: Level) -> Result<(Option<f64>, f64)> {
    check_count("Byar interval", x)?;
    let z = level.z()?;
    let low = if x == 0.0 {
        Some(0.0)
    } else {
        let root = 1.0 - 1.0 / (9.0 * x) - z / (3.0 * x.sqrt());
        (root >= 0.0).then(|| x * root.powi(3))
    };
    let up = x + 1.0;
    Ok((low, up * (1.0 - 1.0 / (9.0 * up) + z / (3.0 * up.sqrt())).powi(3)))
}

/// The count `x` with its interval; divide by the exposure for a rate.
pub fn byar(x: f64, level: Level) -> Result<Estimate> {
    let (low, high) = limits(x, level)?;
    let low = low.ok_or(StatsError::Undefined {
        what: "Byar interval",
        reason: "too few events at this level; use the exact interval",
    })?;
    Ok(Estimate { value: x, interval: Interval::new(low, high)?, n: x, method: "byar" })
}
