//! Variance of a weighted sum of scores under strata, finite populations and weights adjusted to margins.
//!
//! # Estimand
//! Var(Σ w_i z_i) for an estimator that is linearised to scores z_i.
//! # Formula
//! Σ_h (1 − f_h) n_h/(n_h − 1) Σ_{i∈h} (w_i z_i − mean_h(wz))²; where weights were adjusted to margins, z_i is replaced by its
//! residual from the weighted main-effects fit on them.
//! # Source
//! C.-E. Särndal, B. Swensson and J. Wretman, *Model Assisted Survey Sampling* (1992), sections 5.5–5.7; J.-C. Deville and
//! C.-E. Särndal, JASA 87 (1992) 376–382 (residuals).
//! # Assumptions
//! Strata sampled independently; f_h is 0 where nothing is known of the population.
//! # Edge cases
//! A stratum with one respondent has no spread of its own: it counts (1 − f_h)(wz)². Rows may stand for several equal ones.
//! # Reference values
//! By hand, and R's survey package by way of [`super::taylor`], tests/weights_score.rs.

use super::margins::{Margin, margin_residuals};
use crate::error::{Result, check_all_finite, check_length, check_non_negative, finite_result};
use std::collections::BTreeMap;

/// Respondents as rows that may stand for several equal ones.
#[derive(Debug, Clone, Copy)]
pub struct Scored<'a> {
    /// z_i.
    pub scores: &'a [f64],
    /// w_i of each respondent.
    pub weights: &'a [f64],
    /// Respondents behind each row; one each where there is none.
    pub counts: Option<&'a [f64]>,
    pub strata: &'a [u32],
}

/// The variance. `correction` is 1 − f_h by stratum number (1 where there is none); `margins` those that the weights meet.
pub fn score_variance(rows: &Scored<'_>, correction: Option<&[f64]>, margins: &[Margin]) -> Result<f64> {
    const WHAT: &str = "variance of weighted scores";
    let n = rows.scores.len();
    check_all_finite(WHAT, rows.scores)?;
    check_length("scores: weights", n, rows.weights.len())?;
    check_non_negative("scores: weights", rows.weights)?;
    check_length("scores: strata", n, rows.strata.len())?;
    if let Some(counts) = rows.counts {
        check_length("scores: counts", n, counts.len())?;
        check_non_negative("scores: counts", counts)?;
    }
    let count = |i: usize| rows.counts.map_or(1.0, |counts| counts[i]);
    let adjusted;
    let scores = if margins.is_empty() {
        rows.scores
    } else {
        let together: Vec<f64> = (0..n).map(|i| rows.weights[i] * count(i)).collect();
        adjusted = margin_residuals(rows.scores, &together, margins)?;
        &adjusted
    };
    // Stratum → respondents, Σwz.
    let mut sums: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    for i in (0..n).filter(|i| count(*i) > 0.0) {
        let sum = sums.entry(rows.strata[i]).or_default();
        sum.0 += count(i);
        sum.1 += count(i) * rows.weights[i] * scores[i];
    }
    let mut spreads: BTreeMap<u32, f64> = BTreeMap::new();
    for i in (0..n).filter(|i| count(*i) > 0.0) {
        let (rows_of, sum) = sums.get(&rows.strata[i]).copied().unwrap_or_default();
        let mean = if rows_of > 1.0 { sum / rows_of } else { 0.0 };
        *spreads.entry(rows.strata[i]).or_default() += count(i) * (rows.weights[i] * scores[i] - mean).powi(2);
    }
    let mut variance = 0.0;
    for (stratum, spread) in spreads {
        let rows_of = sums.get(&stratum).map_or(0.0, |sum| sum.0);
        let freed = if rows_of > 1.0 { rows_of / (rows_of - 1.0) } else { 1.0 };
        let left = correction.and_then(|c| c.get(stratum as usize).copied()).unwrap_or(1.0);
        variance += left.clamp(0.0, 1.0) * freed * spread;
    }
    finite_result(WHAT, variance)
}
