//! Slope and relative index of inequality.
//!
//! # Estimand
//! Difference (SII) and ratio (RII) between the fitted values at the top and the bottom of a ranking of the population.
//! # Formula
//! With population shares a and midpoint ranks b = cumulated share − a/2: least squares of y on b weighted by a.
//! SII = slope · multiplier, RII = (intercept + slope)/intercept, inverted when the multiplier is negative. With a transform,
//! both from the back-transformed ends.
//! # Source
//! J. P. Mackenbach and A. E. Kunst, Social Science & Medicine 44 (1997) 757–771; Public Health England's *SII tool*.
//! # Assumptions
//! Groups in ranking order; a linear gradient on the chosen scale. Intervals: `slope_interval.rs`.
//! # Edge cases
//! Fewer than 2 groups with population, or an intercept of 0 for the RII, is an error. ln and logit need values above 0 (and
//! below 1).
//! # Reference values
//! tests/reference/rates.rs: rates/sii_expected.csv (1e-10).

use crate::error::{Result, StatsError, check_all_finite, check_length, check_non_negative, finite_result};
use crate::numeric;

/// Scale on which the gradient is a straight line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlopeTransform {
    None,
    Log,
    Logit,
}

/// Slope and relative index of inequality.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlopeIndex {
    /// Absolute difference times the multiplier.
    pub sii: f64,
    pub rii: f64,
    /// Fitted value at the bottom of the ranking; with a transform times |multiplier|.
    pub intercept: f64,
    pub groups: usize,
    pub method: &'static str,
}

/// SII and RII of `values` over groups in ranking order with `population`.
pub fn slope_index(
    population: &[f64],
    values: &[f64],
    transform: SlopeTransform,
    multiplier: f64,
) -> Result<SlopeIndex> {
    const WHAT: &str = "slope index of inequality";
    check_length(WHAT, population.len(), values.len())?;
    check_non_negative("slope index: population", population)?;
    check_all_finite("slope index: values", values)?;
    if !multiplier.is_finite() || multiplier == 0.0 {
        return Err(StatsError::out_of_range("slope index: multiplier", multiplier, "not 0"));
    }
    let groups = population.iter().filter(|p| **p > 0.0).count();
    if groups < 2 {
        return Err(StatsError::TooFew { what: WHAT, needed: 2, found: groups });
    }
    fitted(population, &on_gradient(values, transform)?, transform, multiplier)
}

/// `values` on the scale where the gradient is straight.
pub(super) fn on_gradient(values: &[f64], transform: SlopeTransform) -> Result<Vec<f64>> {
    values.iter().map(|v| forward(transform, *v)).collect()
}

/// The index of `y` on the scale of the gradient; inputs are checked.
pub(super) fn fitted(population: &[f64], y: &[f64], transform: SlopeTransform, multiplier: f64) -> Result<SlopeIndex> {
    const WHAT: &str = "slope index of inequality";
    let groups = population.iter().filter(|p| **p > 0.0).count();
    let total = numeric::sum(population.iter().copied());
    let shares: Vec<f64> = population.iter().map(|p| p / total).collect();
    let mut cumulated = 0.0;
    let ranks: Vec<f64> = shares
        .iter()
        .map(|a| {
            cumulated += a;
            cumulated - 0.5 * a
        })
        .collect();
    let weighted = |f: &dyn Fn(usize) -> f64| numeric::sum((0..y.len()).map(|i| shares[i] * f(i)));
    let (mean_rank, mean_y) = (weighted(&|i| ranks[i]), weighted(&|i| y[i]));
    let spread = weighted(&|i| (ranks[i] - mean_rank).powi(2));
    let slope = weighted(&|i| (ranks[i] - mean_rank) * (y[i] - mean_y)) / spread;
    let start = mean_y - slope * mean_rank;
    let (bottom, top) = (inverse(transform, start), inverse(transform, start + slope));
    let mut rii = finite_result("relative index of inequality", top / bottom)?;
    if multiplier < 0.0 {
        rii = finite_result("relative index of inequality", 1.0 / rii)?;
    }
    let scale = if transform == SlopeTransform::None { 1.0 } else { multiplier.abs() };
    let intercept = finite_result(WHAT, bottom * scale)?;
    let method = match transform {
        SlopeTransform::None => "sii-linear",
        SlopeTransform::Log => "sii-log",
        SlopeTransform::Logit => "sii-logit",
    };
    let difference = if transform == SlopeTransform::None { slope } else { top - bottom };
    Ok(SlopeIndex { sii: finite_result(WHAT, difference * multiplier)?, rii, intercept, groups, method })
}

fn forward(transform: SlopeTransform, v: f64) -> Result<f64> {
    match transform {
        SlopeTransform::None => Ok(v),
        SlopeTransform::Log if v > 0.0 => Ok(v.ln()),
        SlopeTransform::Log => Err(StatsError::out_of_range("slope index: value", v, "above 0")),
        SlopeTransform::Logit if v > 0.0 && v < 1.0 => Ok((v / (1.0 - v)).ln()),
        SlopeTransform::Logit => Err(StatsError::out_of_range("slope index: value", v, "between 0 and 1")),
    }
}

fn inverse(transform: SlopeTransform, v: f64) -> f64 {
    match transform {
        SlopeTransform::None => v,
        SlopeTransform::Log => v.exp(),
        SlopeTransform::Logit => 1.0 / (1.0 + (-v).exp()),
    }
}
