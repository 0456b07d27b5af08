//! Dobson's interval of a weighted sum of Poisson counts.
//!
//! # Estimand
//! A directly standardised rate.
//! # Formula
//! r + √(Var(r)/O) · (L − O), with L Byar's limits of the total count O.
//! # Source
//! A. J. Dobson, K. Kuulasmaa, E. Eberle and J. Scherer, Statistics in Medicine 10 (1991) 457–462.
//! # Assumptions
//! At least 10 events; Var(r) may allow for events that are not independent.
//! # Edge cases
//! Fewer than 10 events is an error. A lower limit below 0 (very uneven weights) is 0.
//! # Reference values
//! tests/reference/rates.rs: rates/dsr_expected.csv (1e-11).

use super::{Interval, Level, byar};
use crate::error::{Result, StatsError, check_finite};

/// Fewest events for which the interval is given (Public Health England's rule).
pub const FEWEST_EVENTS: f64 = 10.0;

/// Interval of a `rate` with variance `variance` that rests on `events` events, all on the same scale.
pub fn dobson(rate: f64, variance: f64, events: f64, level: Level) -> Result<Interval> {
    check_finite("Dobson interval: rate", rate)?;
    if !(variance >= 0.0 && variance.is_finite()) {
        return Err(StatsError::out_of_range("Dobson interval: variance", variance, "at least 0"));
    }
    if events.is_nan() || events < FEWEST_EVENTS {
        return Err(StatsError::TooFew {
            what: "Dobson interval: events",
            needed: FEWEST_EVENTS as usize,
            found: events.max(0.0) as usize,
        });
    }
    let counted = byar(events, level)?.interval;
    let scale = (variance / events).sqrt();
    let low = rate + scale * (counted.low - events);
    Interval::new(if rate >= 0.0 { low.max(0.0) } else { low }, rate + scale * (counted.high - events))
}
