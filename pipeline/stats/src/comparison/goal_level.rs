//! Level of goal attainment.
//!
//! # Estimand
//! High, moderate or low, from an indicator's limits.
//! # Formula
//! Higher is better: value ≥ high → high; value < moderate → low; else moderate. Lower is better: ≤ high → high; > moderate → low.
//! # Source
//! Norwegian quality registers: three levels of goal attainment (*høy, moderat, lav måloppnåelse*), with the boundary in the better
//! level.
//! # Assumptions
//! The value is compared unrounded.
//! # Edge cases
//! A missing moderate limit equals the high one. No level where coverage is known and below 0.60, or without direction.
//! # Reference values
//! By hand, tests/comparison_by_hand.rs.

use super::assessment::Direction;
use crate::error::{Result, StatsError, check_finite};

/// Below this coverage no level is shown (Norwegian quality registers).
pub const LOWEST_COVERAGE: f64 = 0.60;

/// Goal attainment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GoalLevel {
    Low,
    Moderate,
    High,
}

/// Level of `value`; `None` where it is not shown.
///
/// # Errors
/// Limits in the wrong order for the direction, or values that are not finite.
pub fn goal_level(
    value: f64,
    high: f64,
    moderate: Option<f64>,
    direction: Direction,
    coverage: Option<f64>,
) -> Result<Option<GoalLevel>> {
    check_finite("goal level: value", value)?;
    check_finite("goal level: high limit", high)?;
    let moderate = check_finite("goal level: moderate limit", moderate.unwrap_or(high))?;
    if let Some(coverage) = coverage
        && check_finite("goal level: coverage", coverage)? < LOWEST_COVERAGE
    {
        return Ok(None);
    }
    // Turned round, «lower is better» is the same rule.
    let sign = match direction {
        Direction::Higher => 1.0,
        Direction::Lower => -1.0,
        Direction::Neutral => return Ok(None),
    };
    let (value, high, moderate) = (sign * value, sign * high, sign * moderate);
    if moderate > high {
        return Err(StatsError::Undefined {
            what: "goal level",
            reason: "the moderate limit is stricter than the high one",
        });
    }
    Ok(Some(if value >= high {
        GoalLevel::High
    } else if value < moderate {
        GoalLevel::Low
    } else {
        GoalLevel::Moderate
    }))
}
