//! Raking (iterative proportional fitting) to several margins.
//!
//! # Estimand
//! Weights close to the given ones whose sums equal the population totals of every margin.
//! # Formula
//! Post-stratification to each margin in turn until all hold to the tolerance; with a cap, trimming alternates with raking until
//! margins *and* cap hold. Weights w that meet every margin and equal the given d times one factor per category of each margin are
//! unique, and of all weights that meet the margins they have the least Σ w ln(w/d) − w + d. The product form holds by construction,
//! the margins are measured after the last step.
//! # Source
//! W. E. Deming and F. F. Stephan, Annals of Mathematical Statistics 11 (1940) 427–444; least divergence: I. Csiszár, Annals of
//! Probability 3 (1975) 146–158; convergence: C. T. Ireland and S. Kullback, Biometrika 55 (1968) 179–188; trimming: F. J. Potter,
//! ASA Survey Research Methods (1990) 225–230.
//! # Assumptions
//! Margins of one population: their totals agree.
//! # Edge cases
//! Totals that disagree between margins, cells without respondents, and no convergence are errors that name margin and cell. It
//! converges whenever some positive weights meet the margins. Once a weight was trimmed the product form is lost, and nothing
//! guarantees that margins and cap can both hold: both are measured, or there is an error.
//! # Reference values
//! tests/reference/weights.rs: weights/adjusted_weights_apiclus1.csv, column raked (1e-10); three margins: tests/reference/r_survey.rs
//! (1e-9).

use super::margins::Margin;
use super::post_stratification::factors;
use super::trimming::{Cap, trim};
use crate::error::{Result, StatsError, check_non_negative};
use crate::numeric;

/// Convergence rules.
#[derive(Debug, Clone, PartialEq)]
pub struct RakeOptions {
    /// Largest relative gap of any cell at the end.
    pub tolerance: f64,
    pub max_iterations: usize,
    pub cap: Option<Cap>,
}

impl Default for RakeOptions {
    fn default() -> Self {
        RakeOptions { tolerance: 1e-10, max_iterations: 10_000, cap: None }
    }
}

/// Raked weights and the proof that they hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Raked {
    pub weights: Vec<f64>,
    pub iterations: usize,
    /// Largest relative gap of any cell, measured after the last step.
    pub largest_gap: f64,
    /// Respondents whose weight was capped in some round.
    pub trimmed: usize,
    pub method: &'static str,
}

/// Rakes `weights` to `margins`.
pub fn rake(weights: &[f64], margins: &[Margin], options: &RakeOptions) -> Result<Raked> {
    const WHAT: &str = "raking";
    check_non_negative("raking: weights", weights)?;
    if margins.is_empty() {
        return Err(StatsError::Empty { what: "raking: margins" });
    }
    if !(options.tolerance > 0.0 && options.tolerance < 1.0) {
        return Err(StatsError::out_of_range("raking: tolerance", options.tolerance, "between 0 and 1"));
    }
    for m in margins {
        m.check(weights.len())?;
    }
    let whole = numeric::sum(margins[0].totals.iter().copied());
    for (number, m) in margins.iter().enumerate().skip(1) {
        let other = numeric::sum(m.totals.iter().copied());
        if (other - whole).abs() > 1e-9 * whole.abs() {
            return Err(StatsError::Margin {
                what: "raking: sum of totals",
                margin: number,
                cell: 0,
                target: whole,
                reached: other,
            });
        }
    }
    let mut w = weights.to_vec();
    let mut capped = vec![false; w.len()];
    for iteration in 1..=options.max_iterations {
        for (number, m) in margins.iter().enumerate() {
            let f = factors(&w, m, number, WHAT)?;
            w.iter_mut().zip(&m.cells).for_each(|(w, c)| *w *= f[*c]);
        }
        let (gap, ..) = worst_gap(&w, margins);
        if gap > options.tolerance {
            continue;
        }
        let over = match &options.cap {
            Some(cap) => trim(&mut w, cap, options.tolerance)?,
            None => Vec::new(),
        };
        if over.is_empty() {
            return Ok(Raked {
                weights: w,
                iterations: iteration,
                largest_gap: gap,
                trimmed: capped.iter().filter(|c| **c).count(),
                method: if options.cap.is_some() { "rake-trimmed" } else { "rake" },
            });
        }
        over.into_iter().for_each(|i| capped[i] = true);
    }
    let (_, margin, cell, reached) = worst_gap(&w, margins);
    Err(StatsError::Margin { what: WHAT, margin, cell, target: margins[margin].totals[cell], reached })
}

/// (relative gap, margin, cell, sum) of the cell that is farthest from its total.
fn worst_gap(weights: &[f64], margins: &[Margin]) -> (f64, usize, usize, f64) {
    let mut worst = (0.0, 0, 0, 0.0);
    for (number, m) in margins.iter().enumerate() {
        for (cell, (sum, target)) in m.sums(weights).into_iter().zip(&m.totals).enumerate() {
            let gap = if *target > 0.0 { (sum / target - 1.0).abs() } else { sum.abs() };
            if gap > worst.0 || gap.is_nan() {
                worst = (if gap.is_nan() { f64::INFINITY } else { gap }, number, cell, sum);
            }
        }
    }
    worst
}
