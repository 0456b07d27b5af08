//! Change of a unit between two periods.
//!
//! # Estimand
//! a₁ − a₀, both at the baseline's adjuster means.
//! # Formula
//! SE² = V₁ + V₀; interval ± z SE; p two-sided.
//! # Source
//! Variance of a difference of independent estimates: G. Casella and R. L. Berger, *Statistical Inference*, 2nd ed. (2002),
//! theorem 4.5.6.
//! # Assumptions
//! Periods do not share respondents; each period has its own β̂.
//! # Edge cases
//! Overlapping windows are an error. SE = 0 leaves p out.
//! # Reference values
//! By hand, tests/comparison_by_hand.rs; metafor's regression of two values on the period: tests/reference/r_groups.rs
//! (1e-10).

use super::minimal_difference::p_beyond;
use crate::error::{Result, StatsError, check_finite, check_non_negative};
use crate::interval::{Interval, Level, student_t::normal};

/// A half-open window [start, end) in any whole unit of time, such as days since an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub start: i64,
    pub end: i64,
}

impl Window {
    /// True where the windows share no time.
    pub fn is_disjoint(self, other: Window) -> bool {
        self.end <= other.start || other.end <= self.start
    }
}

/// A change with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    pub change: f64,
    pub se: f64,
    pub interval: Interval,
    pub p: Option<f64>,
    pub method: &'static str,
}

/// Change from `earlier` to `later`, each (value, variance, window).
pub fn change_between(earlier: (f64, f64, Window), later: (f64, f64, Window), level: Level) -> Result<Change> {
    const WHAT: &str = "change between periods";
    if !earlier.2.is_disjoint(later.2) {
        return Err(StatsError::Undefined { what: WHAT, reason: "the periods overlap" });
    }
    check_finite(WHAT, earlier.0)?;
    check_finite(WHAT, later.0)?;
    check_non_negative("change between periods: variance", &[earlier.1, later.1])?;
    let change = later.0 - earlier.0;
    let se = (earlier.1 + later.1).sqrt();
    let p = if se > 0.0 { Some(p_beyond(change, se, 0.0)?) } else { None };
    Ok(Change { change, se, interval: normal(change, se, level)?, p, method: "difference-z" })
}
