//! Interval of a count or crude rate: exact below 10 events, Byar from 10.
//!
//! # Estimand
//! A Poisson mean, or that per unit of exposure.
//! # Formula
//! x/n · multiplier with the limits of [`poisson_exact`](super::poisson_exact()) or [`byar`](super::byar()) divided alike.
//! # Source
//! Public Health England, *Technical guide: confidence intervals* (2018), rates.
//! # Assumptions
//! Poisson events, exposure known.
//! # Edge cases
//! The numerator may exceed the exposure. Where Byar has no lower limit the exact interval is used and named.
//! # Reference values
//! tests/reference/intervals.rs: intervals/phe_intervals.csv (1e-12).

use super::{Estimate, Level, byar, check_exposure, poisson_exact};
use crate::error::{Result, finite_result};

/// From this many events Byar's approximation is used (Public Health England's rule).
pub const BYAR_FROM_EVENTS: f64 = 10.0;

/// The count `x` with its interval by the rule.
pub fn count(x: f64, level: Level) -> Result<Estimate> {
    if x < BYAR_FROM_EVENTS {
        return poisson_exact(x, level);
    }
    match byar::limits(x, level)? {
        (Some(_), _) => byar::byar(x, level),
        (None, _) => poisson_exact(x, level),
    }
}

/// `events`/`exposure` · `multiplier` with its interval by the rule; `n` is the exposure.
pub fn rate(events: f64, exposure: f64, multiplier: f64, level: Level) -> Result<Estimate> {
    check_exposure("rate", exposure)?;
    check_exposure("rate multiplier", multiplier)?;
    let counted = count(events, level)?;
    let factor = finite_result("rate", multiplier / exposure)?;
    Ok(Estimate {
        value: finite_result("rate", counted.value * factor)?,
        interval: counted.interval.scaled(factor)?,
        n: exposure,
        method: counted.method,
    })
}
