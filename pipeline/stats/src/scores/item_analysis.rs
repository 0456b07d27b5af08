//! Item analysis of a scale.
//!
//! # Estimand
//! How each item behaves: non-response, floor and ceiling, and how it goes with the others.
//! # Formula
//! From the covariance matrix C with row sums s_i = Σ_j C_ij and total V = ΣΣC: item–total r = s_i/√(C_ii V); item–rest r =
//! (s_i − C_ii)/√(C_ii(V − 2s_i + C_ii)); α without item i from C without its row and column.
//! # Source
//! J. C. Nunnally and I. H. Bernstein, *Psychometric Theory*, 3rd ed. (1994), chapter 8.
//! # Assumptions
//! Those of α.
//! # Edge cases
//! Figures that do not exist (no variation, two items for α without one) are `None`. Non-response counts all respondents.
//! # Reference values
//! tests/reference/scores.rs: scores/expected_items.csv (1e-10).

use super::alpha::{Pairing, alpha_of};
use super::items::Items;
use crate::error::Result;
use crate::numeric;

/// Figures of one item.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ItemStatistics {
    pub n: usize,
    pub mean: Option<f64>,
    /// n − 1.
    pub sd: Option<f64>,
    /// Share of respondents without an answer, 0–1.
    pub missing: f64,
    /// Shares of the answered at the lowest and highest value, 0–1.
    pub floor: Option<f64>,
    pub ceiling: Option<f64>,
    pub item_rest_r: Option<f64>,
    pub item_total_r: Option<f64>,
    pub alpha_without: Option<f64>,
}

/// Figures of every item; codes run from `low` to `high`, `pairing` decides the rows for the correlations.
pub fn item_statistics(items: &Items, low: f64, high: f64, pairing: Pairing) -> Result<Vec<ItemStatistics>> {
    let k = items.k();
    let chosen = if pairing == Pairing::Complete { items.complete() } else { items.clone() };
    let c = chosen.covariances()?;
    let all = numeric::sum(c.iter().copied());
    let known = |v: f64| v.is_finite().then_some(v);
    let statistics = (0..k).map(|i| {
        let answered = items.answered(i);
        let n = answered.len();
        let share = |keep: &dyn Fn(f64) -> bool| known(answered.iter().filter(|v| keep(**v)).count() as f64 / n as f64);
        let row = numeric::sum((0..k).map(|j| c[i * k + j]));
        let own = c[i * (k + 1)];
        let others: Vec<f64> = (0..k * k).filter(|m| m / k != i && m % k != i).map(|m| c[m]).collect();
        ItemStatistics {
            n,
            mean: (n > 0).then(|| numeric::mean(&answered)).and_then(known),
            sd: (n > 1).then(|| numeric::variance(&answered).sqrt()).and_then(known),
            missing: if items.n() == 0 { 0.0 } else { 1.0 - n as f64 / items.n() as f64 },
            floor: share(&|v| v <= low),
            ceiling: share(&|v| v >= high),
            item_rest_r: known((row - own) / (own * (all - 2.0 * row + own)).sqrt()),
            item_total_r: known(row / (own * all).sqrt()),
            alpha_without: alpha_of(&others, k - 1).ok(),
        }
    });
    Ok(statistics.collect())
}
