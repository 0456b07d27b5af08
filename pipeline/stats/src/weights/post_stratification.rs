//! Post-stratification.
//!
//! # Estimand
//! Weights whose sums equal the population total in every cell.
//! # Formula
//! w_i · N_c/Σ_{k∈c} w_k.
//! # Source
//! D. Holt and T. M. F. Smith, JRSS A 142 (1979) 33–46.
//! # Assumptions
//! Respondents in a cell stand for all of the cell.
//! # Edge cases
//! A cell with population but no weight is an error that names it: collapse it first.
//! # Reference values
//! tests/reference/weights.rs: weights/adjusted_weights_apiclus1.csv (1e-10); tests/reference/r_survey.rs (1e-10).

use super::margins::Margin;
use crate::error::{Result, StatsError, check_non_negative, finite_result};

/// Post-stratified weights.
pub fn post_stratify(weights: &[f64], cells: &Margin) -> Result<Vec<f64>> {
    check_non_negative("post-stratification: weights", weights)?;
    cells.check(weights.len())?;
    let factors = factors(weights, cells, 0, "post-stratification")?;
    let stratified = weights.iter().zip(&cells.cells).map(|(w, c)| w * factors[*c]);
    stratified.map(|w| finite_result("post-stratified weight", w)).collect()
}

/// N_c/Σw per cell; an error names `margin` and cell where there is nothing to scale.
pub(super) fn factors(weights: &[f64], margin: &Margin, number: usize, what: &'static str) -> Result<Vec<f64>> {
    let sums = margin.sums(weights);
    let mut factors = Vec::with_capacity(sums.len());
    for (cell, (sum, target)) in sums.iter().zip(&margin.totals).enumerate() {
        let factor = if *sum > 0.0 {
            target / sum
        } else if *target == 0.0 {
            1.0
        } else {
            f64::INFINITY
        };
        if !factor.is_finite() {
            return Err(StatsError::Margin { what, margin: number, cell, target: *target, reached: *sum });
        }
        factors.push(factor);
    }
    Ok(factors)
}
