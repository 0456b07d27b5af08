//! Gini coefficient.
//!
//! # Estimand
//! Half the mean absolute difference between two randomly drawn persons' unit values, relative to the mean.
//! # Formula
//! With units in rising order, shares p of the weight and q of the weighted value: G = 1 − Σp_j(2Q_j − q_j), Q_j = Σ_{k≤j} q_k.
//! # Source
//! A. Sen, *On Economic Inequality* (1973).
//! # Assumptions
//! Non-negative values.
//! # Edge cases
//! Equal values give 0; all values 0 or no weight is an error.
//! # Reference values
//! By hand, tests/variation_by_hand.rs; with limits from all resamples in R: tests/reference/r_resampling.rs.

use crate::error::{Result, StatsError, check_length, check_non_negative};
use crate::numeric;

/// Gini coefficient of `values` with `weights` (persons).
pub fn gini(values: &[f64], weights: &[f64]) -> Result<f64> {
    const WHAT: &str = "Gini coefficient";
    check_length(WHAT, values.len(), weights.len())?;
    check_non_negative(WHAT, values)?;
    check_non_negative(WHAT, weights)?;
    let mut pairs: Vec<(f64, f64)> = values.iter().copied().zip(weights.iter().copied()).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total = numeric::sum(pairs.iter().map(|p| p.1));
    let sum = numeric::sum(pairs.iter().map(|p| p.0 * p.1));
    if !(total > 0.0 && sum > 0.0 && sum.is_finite()) {
        return Err(StatsError::Undefined { what: WHAT, reason: "values and weights must sum to more than 0" });
    }
    let mut cumulated = 0.0;
    let area = numeric::sum(pairs.iter().map(|(value, weight)| {
        let share = value * weight / sum;
        cumulated += share;
        weight / total * (2.0 * cumulated - share)
    }));
    Ok((1.0 - area).clamp(0.0, 1.0))
}
