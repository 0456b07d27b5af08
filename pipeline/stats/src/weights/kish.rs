//! Kish's effective sample size.
//!
//! # Estimand
//! The size of an equally weighted sample with the same variance, as far as unequal weights go.
//! # Formula
//! n_eff = (Σw)²/Σw²; deff = n/n_eff.
//! # Source
//! L. Kish, *Survey Sampling* (1965), section 11.7.
//! # Assumptions
//! Weights unrelated to the variable. Says nothing about clustering.
//! # Edge cases
//! No weight above 0 is an error. n counts all rows with weight above 0.
//! # Reference values
//! tests/reference/weights.rs: weights/expected_kish.csv (1e-10).

use crate::error::{Result, StatsError, check_non_negative};
use crate::numeric;

/// Effective size and design effect of unequal weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kish {
    pub n: f64,
    pub n_effective: f64,
    pub design_effect: f64,
}

/// Kish's figures for `weights`.
pub fn kish(weights: &[f64]) -> Result<Kish> {
    check_non_negative("Kish: weights", weights)?;
    let largest = weights.iter().copied().fold(0.0, f64::max);
    if largest <= 0.0 {
        return Err(StatsError::Empty { what: "Kish: weights" });
    }
    let n = weights.iter().filter(|w| **w > 0.0).count() as f64;
    let total = numeric::sum(weights.iter().map(|w| w / largest));
    let n_effective = total * total / numeric::sum(weights.iter().map(|w| (w / largest).powi(2)));
    Ok(Kish { n, n_effective, design_effect: n / n_effective })
}
