//! Intraclass correlation by one-way analysis of variance.
//!
//! # Estimand
//! ICC(1): share of the variance of single scores that lies between units; ICC(k): reliability of a mean over the average unit.
//! # Formula
//! k₀ = (N − Σn²/N)/(J − 1); ICC(1) = (MSB − MSW)/(MSB + (k₀ − 1)MSW); ICC(k) = (MSB − MSW)/MSB; F = MSB/MSW.
//! # Source
//! P. E. Shrout and J. L. Fleiss, Psychological Bulletin 86 (1979) 420–428; k₀: A. Donner, Int. Statist. Rev. 54 (1986) 67–82.
//! # Assumptions
//! Equal variance within units.
//! # Edge cases
//! Needs 2 units and N > J. ICC(1) may be negative. Without variation within and between units it is an error.
//! # Reference values
//! tests/reference/scores.rs: scores/expected_reliability.csv, rows units (1e-10).

use crate::distributions::f;
use crate::error::{Result, StatsError, check_all_finite, check_length};
use crate::numeric;
use std::collections::BTreeMap;

/// One-way analysis of variance of scores by unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OneWay {
    pub units: usize,
    pub n: usize,
    /// Unit size that replaces n when units differ in size, and the plain mean size.
    pub k0: f64,
    pub mean_n: f64,
    pub msb: f64,
    pub msw: f64,
    /// ICC(1) with k₀ and with the mean size.
    pub icc1: f64,
    pub icc1_mean_n: f64,
    pub icck: f64,
    /// max(0, (MSB − MSW)/k₀): between-unit variance.
    pub between_variance: f64,
    pub f: Option<f64>,
    pub f_p: Option<f64>,
    pub method: &'static str,
}

/// Analysis of `scores` by `units` (any numbers that tell units apart).
pub fn one_way(scores: &[f64], units: &[usize]) -> Result<OneWay> {
    const WHAT: &str = "intraclass correlation";
    check_all_finite(WHAT, scores)?;
    check_length(WHAT, scores.len(), units.len())?;
    let mut groups: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for (y, u) in scores.iter().zip(units) {
        groups.entry(*u).or_default().push(*y);
    }
    let (j, n) = (groups.len(), scores.len());
    if j < 2 {
        return Err(StatsError::TooFew { what: "intraclass correlation: units", needed: 2, found: j });
    }
    if n <= j {
        return Err(StatsError::TooFew { what: "intraclass correlation: scores", needed: j + 1, found: n });
    }
    let total = n as f64;
    let grand = numeric::mean(scores);
    let ssb = numeric::sum(groups.values().map(|g| g.len() as f64 * (numeric::mean(g) - grand).powi(2)));
    let ssw = numeric::sum(groups.values().map(|g| numeric::at_least_zero(numeric::squared_deviations(g))));
    let (df1, df2) = (j as f64 - 1.0, total - j as f64);
    let (msb, msw) = (ssb / df1, ssw / df2);
    let squares = numeric::sum(groups.values().map(|g| (g.len() as f64).powi(2)));
    let k0 = (total - squares / total) / df1;
    let mean_n = total / j as f64;
    let icc1 = |k: f64| (msb - msw) / (msb + (k - 1.0) * msw);
    if !(msb > 0.0 && icc1(k0).is_finite()) {
        return Err(StatsError::Constant { what: WHAT });
    }
    let ratio = msb / msw;
    let f_value = ratio.is_finite().then_some(ratio);
    Ok(OneWay {
        units: j,
        n,
        k0,
        mean_n,
        msb,
        msw,
        icc1: icc1(k0),
        icc1_mean_n: icc1(mean_n),
        icck: (msb - msw) / msb,
        between_variance: ((msb - msw) / k0).max(0.0),
        f: f_value,
        f_p: f_value.map(|v| f::sf(v, df1, df2)).transpose()?,
        method: "one-way-anova",
    })
}
