//! Adjustment of p-values for many comparisons.
//!
//! # Estimand
//! Adjusted p: the smallest family level (FWER or FDR) at which each hypothesis is rejected.
//! # Formula
//! With m hypotheses, p₍₁₎ ≤ … ≤ p₍ₘ₎: Bonferroni min(1, m p); Holm max_{i≤k} min(1, (m − i + 1)p₍ᵢ₎); Benjamini–Hochberg
//! min_{i≥k} min(1, m p₍ᵢ₎/i).
//! # Source
//! S. Holm, Scand. J. Statist. 6 (1979) 65–70; Y. Benjamini and Y. Hochberg, JRSS B 57 (1995) 289–300.
//! # Assumptions
//! Benjamini–Hochberg: independent or positively dependent tests. The others: none.
//! # Edge cases
//! An empty family gives an empty answer; ties get the same value; order of the input is kept.
//! # Reference values
//! tests/reference/funnel.rs: funnel/mean_scores_expected.csv (1e-10).

use crate::error::{Result, StatsError};

fn check(p: &[f64]) -> Result<()> {
    match p.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        Some(p) => Err(StatsError::out_of_range("p-value", *p, "0 to 1")),
        None => Ok(()),
    }
}

/// Positions in rising order of p; equal values keep their order.
fn rising(p: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    order
}

/// Bonferroni-adjusted p-values.
pub fn bonferroni(p: &[f64]) -> Result<Vec<f64>> {
    check(p)?;
    Ok(p.iter().map(|v| (v * p.len() as f64).min(1.0)).collect())
}

/// Holm-adjusted p-values.
pub fn holm(p: &[f64]) -> Result<Vec<f64>> {
    check(p)?;
    let mut adjusted = vec![0.0; p.len()];
    let mut largest = 0.0_f64;
    for (i, j) in rising(p).into_iter().enumerate() {
        largest = largest.max(((p.len() - i) as f64 * p[j]).min(1.0));
        adjusted[j] = largest;
    }
    Ok(adjusted)
}

/// Benjamini–Hochberg-adjusted p-values (q-values).
pub fn benjamini_hochberg(p: &[f64]) -> Result<Vec<f64>> {
    check(p)?;
    let mut adjusted = vec![0.0; p.len()];
    let mut smallest = 1.0_f64;
    for (i, j) in rising(p).into_iter().enumerate().rev() {
        smallest = smallest.min(p.len() as f64 / (i + 1) as f64 * p[j]);
        adjusted[j] = smallest;
    }
    Ok(adjusted)
}
