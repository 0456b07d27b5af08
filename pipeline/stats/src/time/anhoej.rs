//! Anhøj's runs analysis.
//!
//! # Estimand
//! Whether a series shifts: unusually long runs about the median, or unusually few crossings of it.
//! # Formula
//! n useful points (not on the median). Signal if the longest run exceeds round(log₂ n) + 3, or crossings fall below the smallest c with
//! P(Bin(n − 1, ½) ≤ c) ≥ 0.05.
//! # Source
//! J. Anhøj and A. V. Olesen, PLoS ONE 9 (2014) e113825; J. Anhøj, PLoS ONE 10 (2015) e0121349.
//! # Assumptions
//! Points in time order, independent under no shift.
//! # Edge cases
//! Points on the median are dropped and runs continue across them. Fewer than 10 useful points: figures but no signals.
//! # Reference values
//! tests/reference/spc.rs: spc/anhoej_critical_values.csv, runs_expected.csv (exact).

use crate::distributions::binomial;
use crate::error::{Result, StatsError, check_all_finite};
use crate::variation::quantile_type_7;

/// Fewest useful points for a signal.
pub const FEWEST_USEFUL: usize = 10;

/// Result of the analysis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunsAnalysis {
    pub centre: f64,
    pub n: usize,
    pub n_useful: usize,
    pub longest_run: usize,
    pub longest_run_max: Option<usize>,
    pub crossings: usize,
    pub crossings_min: Option<usize>,
    pub signal_run: bool,
    pub signal_crossings: bool,
    pub method: &'static str,
}

/// (longest run allowed, fewest crossings allowed) at `n_useful` points; needs at least 2.
pub fn runs_critical_values(n_useful: usize) -> Result<(usize, usize)> {
    if n_useful < 2 {
        return Err(StatsError::TooFew { what: "runs analysis: useful points", needed: 2, found: n_useful });
    }
    let longest = (n_useful as f64).log2().round_ties_even() as usize + 3;
    let crossings = binomial::quantile(0.05, n_useful as f64 - 1.0, 0.5)?;
    Ok((longest, crossings as usize))
}

/// Analysis of `values` in time order about their median.
pub fn runs_analysis(values: &[f64]) -> Result<RunsAnalysis> {
    check_all_finite("runs analysis", values)?;
    let centre = quantile_type_7(values, 0.5)?;
    let useful: Vec<bool> = values.iter().filter(|v| **v != centre).map(|v| *v > centre).collect();
    let crossings = useful.windows(2).filter(|w| w[0] != w[1]).count();
    let longest_run = useful.chunk_by(|a, b| a == b).map(<[bool]>::len).max().unwrap_or(0);
    let critical = if useful.len() >= FEWEST_USEFUL { Some(runs_critical_values(useful.len())?) } else { None };
    Ok(RunsAnalysis {
        centre,
        n: values.len(),
        n_useful: useful.len(),
        longest_run,
        longest_run_max: critical.map(|c| c.0),
        crossings,
        crossings_min: critical.map(|c| c.1),
        signal_run: critical.is_some_and(|c| longest_run > c.0),
        signal_crossings: critical.is_some_and(|c| crossings < c.1),
        method: "anhoej",
    })
}
