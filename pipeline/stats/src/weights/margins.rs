//! Margins that weights are adjusted to: cells, their collapsing, and residuals for variances.
//!
//! # Estimand
//! Residuals of a variable from the weighted main-effects fit on the margins: what is left to vary after the adjustment.
//! # Formula
//! Weighted least squares on the indicator variables of all cells, by backfitting (one pass is exact for one margin).
//! # Source
//! J.-C. Deville, C.-E. Särndal and O. Sautory, JASA 88 (1993) 1013–1020.
//! # Assumptions
//! Weights after adjustment enter the regression.
//! # Edge cases
//! Rows with weight 0 take part with residuals only. Cells are collapsed in the declared order until each has enough respondents.
//! # Reference values
//! tests/reference/weights.rs: weights/expected_adjusted.csv, column se_raked_weight_residuals (1e-10); tests/reference/r_survey.rs
//! (1e-9).

use crate::error::{Result, StatsError, check_all_finite, check_length, check_non_negative};

/// One margin: the cell of every respondent and the population total of every cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Margin {
    pub cells: Vec<usize>,
    pub totals: Vec<f64>,
}

impl Margin {
    pub(super) fn check(&self, rows: usize) -> Result<()> {
        check_length("margin: cells", rows, self.cells.len())?;
        check_non_negative("margin: totals", &self.totals)?;
        match self.cells.iter().find(|c| **c >= self.totals.len()) {
            Some(c) => Err(StatsError::LengthMismatch {
                what: "margin: cell number",
                expected: self.totals.len(),
                found: c.saturating_add(1),
            }),
            None => Ok(()),
        }
    }

    /// Sum of `weights` in every cell.
    pub(super) fn sums(&self, weights: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.totals.len()];
        for (c, w) in self.cells.iter().zip(weights) {
            sums[*c] += w;
        }
        sums
    }
}

/// Collapses neighbouring cells, taken in the declared order, until each group has at least `fewest` respondents.
///
/// `respondents` counts per cell in that order. Answers the group number of each cell; a remainder at the end joins the group
/// before it.
pub fn collapse_cells(respondents: &[usize], fewest: usize) -> Vec<usize> {
    let mut groups = Vec::with_capacity(respondents.len());
    let (mut group, mut count) = (0, 0_usize);
    for n in respondents {
        groups.push(group);
        count = count.saturating_add(*n);
        if count >= fewest.max(1) {
            group += 1;
            count = 0;
        }
    }
    // The last group never filled up.
    if groups.last() == Some(&group) && group > 0 {
        groups.iter_mut().filter(|g| **g == group).for_each(|g| *g -= 1);
    }
    groups
}

const MAX_PASSES: usize = 10_000;

/// Residuals of `values` from the weighted main-effects fit on `margins`.
pub fn margin_residuals(values: &[f64], weights: &[f64], margins: &[Margin]) -> Result<Vec<f64>> {
    check_all_finite("margin residuals", values)?;
    check_length("margin residuals: weights", values.len(), weights.len())?;
    check_non_negative("margin residuals: weights", weights)?;
    for m in margins {
        m.check(values.len())?;
    }
    let mut residuals = values.to_vec();
    let scale = values.iter().fold(0.0_f64, |a, v| a.max(v.abs())).max(f64::MIN_POSITIVE);
    for _ in 0..MAX_PASSES {
        let mut largest = 0.0_f64;
        for m in margins {
            let totals = m.sums(weights);
            let products: Vec<f64> = residuals.iter().zip(weights).map(|(r, w)| r * w).collect();
            let means: Vec<f64> =
                m.sums(&products).iter().zip(&totals).map(|(p, t)| if *t > 0.0 { p / t } else { 0.0 }).collect();
            for (r, c) in residuals.iter_mut().zip(&m.cells) {
                *r -= means[*c];
            }
            largest = means.iter().fold(largest, |a, v| a.max(v.abs()));
        }
        if margins.len() <= 1 || largest <= 1e-15 * scale {
            check_all_finite("margin residuals", &residuals)?;
            return Ok(residuals);
        }
    }
    Err(StatsError::NotConverged { what: "margin residuals", iterations: MAX_PASSES })
}
