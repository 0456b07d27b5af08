//! Limits of funnels of proportions and ratios without between-unit variance.
//!
//! # Estimand
//! The range of values that chance alone gives at a target.
//! # Formula
//! Proportion: p₀ ± z√(p₀(1 − p₀)/n), clipped to 0–1. Ratio at E expected: χ²(α/2; 2E)/(2E) and χ²(1 − α/2; 2E + 2)/(2E).
//! Ratio at O observed: the E at which O touches the limit, χ²(1 − α/2; 2O + 2)/2 and χ²(α/2; 2O)/2.
//! # Source
//! PHEindicatormethods (UK Health Security Agency), funnel functions; FunnelPlotR.
//! # Assumptions
//! Binomial or Poisson counts.
//! # Edge cases
//! O = 0 touches no lower E: 0.
//! # Reference values
//! tests/reference/funnel.rs: funnel/phe_proportion_limits.csv, phe_ratio_limits.csv, poisson_limits.csv (1e-10).

use crate::distributions::gamma;
use crate::error::{Result, StatsError};
use crate::interval::{Interval, Level, poisson_exact};

fn above_zero(what: &'static str, v: f64) -> Result<f64> {
    if v > 0.0 && v.is_finite() { Ok(v) } else { Err(StatsError::out_of_range(what, v, "above 0")) }
}

/// Score limits around `target` (0–1) for a denominator `n`.
pub fn proportion_score_limits(target: f64, n: f64, level: Level) -> Result<Interval> {
    above_zero("funnel: denominator", n)?;
    if !(0.0..=1.0).contains(&target) {
        return Err(StatsError::out_of_range("funnel: target proportion", target, "0 to 1"));
    }
    let half = level.z()? * (target * (1.0 - target) / n).sqrt();
    Interval::new((target - half).max(0.0), (target + half).min(1.0))
}

/// Exact Poisson limits of O/E around 1 for `expected` events.
pub fn poisson_ratio_limits(expected: f64, level: Level) -> Result<Interval> {
    above_zero("funnel: expected events", expected)?;
    let low = gamma::quantile(level.tail(), expected)? / expected;
    Interval::new(low, gamma::upper_quantile(level.tail(), expected + 1.0)? / expected)
}

/// Expected counts (low, high) between which `observed` events lie within the limits around 1.
pub fn expected_where_observed_touches(observed: f64, level: Level) -> Result<Interval> {
    Ok(poisson_exact(observed, level)?.interval)
}
