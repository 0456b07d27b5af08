//! Trimming of large weights.
//!
//! # Estimand
//! Weights no larger than a multiple of their stratum's mean.
//! # Formula
//! w_i ← min(w_i, cap · w̄_h), w̄_h the mean of the stratum's weights before the step.
//! # Source
//! F. J. Potter, ASA Survey Research Methods (1990) 225–230.
//! # Assumptions
//! None; introduces bias for less variance.
//! # Edge cases
//! Trimming alone changes the margins: see [`rake`](super::rake), which alternates the two.
//! # Reference values
//! By hand, tests/weights_by_hand.rs; survey's raking and a cap in turn: tests/reference/r_survey.rs (1e-7).

use crate::error::{Result, StatsError, check_length, check_non_negative};

/// Customary cap: five times the stratum mean.
pub const CAP_TIMES_MEAN: f64 = 5.0;

/// Largest weight as a multiple of the stratum mean; `strata` gives each respondent's stratum number.
#[derive(Debug, Clone, PartialEq)]
pub struct Cap {
    pub times_mean: f64,
    pub strata: Vec<usize>,
}

/// Trims in place; answers the positions that were over the cap by more than `slack` (relative).
pub fn trim(weights: &mut [f64], cap: &Cap, slack: f64) -> Result<Vec<usize>> {
    check_length("trimming: strata", weights.len(), cap.strata.len())?;
    check_non_negative("trimming: weights", weights)?;
    if !(cap.times_mean >= 1.0 && cap.times_mean.is_finite()) {
        return Err(StatsError::out_of_range("trimming: cap", cap.times_mean, "at least 1"));
    }
    let mut sums: std::collections::BTreeMap<usize, (f64, f64)> = std::collections::BTreeMap::new();
    for (w, h) in weights.iter().zip(&cap.strata) {
        let s = sums.entry(*h).or_insert((0.0, 0.0));
        s.0 += w;
        s.1 += 1.0;
    }
    let mut over = Vec::new();
    for (i, w) in weights.iter_mut().enumerate() {
        if let Some((sum, n)) = sums.get(&cap.strata[i]) {
            let largest = cap.times_mean * sum / n;
            if *w > largest * (1.0 + slack) {
                *w = largest;
                over.push(i);
            }
        }
    }
    Ok(over)
}
