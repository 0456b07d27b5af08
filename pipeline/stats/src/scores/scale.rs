//! Scale scores by the half rule, and their distribution.
//!
//! # Estimand
//! A respondent's mean over the items of a scale; floor and ceiling of the scale.
//! # Formula
//! Mean of the answered items where at least the share `answered` of the items is answered. Floor and ceiling: share with 0 and 100.
//! # Source
//! P. M. Fayers et al., *EORTC QLQ-C30 Scoring Manual* (2001), missing data; C. B. Terwee et al., J. Clin. Epidemiol. 60 (2007) 34 (floor,
//! ceiling).
//! # Assumptions
//! Missing items are like the answered ones of the same respondent.
//! # Edge cases
//! Exactly half counts; no items is `None`.
//! # Reference values
//! tests/reference/scores.rs: scores/expected_scores.csv, expected_scale.csv (1e-10).

use crate::error::{Result, StatsError, check_all_finite, finite_result};
use crate::numeric;
use crate::variation::quantile::of_sorted;

/// Share of items that must be answered (half rule).
pub const ANSWERED_SHARE: f64 = 0.5;

/// Score of a respondent from item scores; `None` where too few are answered, or their sum overflows.
pub fn scale_score(items: &[Option<f64>], answered: f64) -> Option<f64> {
    let (mut n, mut sum) = (0_usize, 0.0);
    for s in items.iter().flatten() {
        if s.is_finite() {
            n += 1;
            sum += s;
        }
    }
    // A hair of slack so that shares such as 2/3 of 3 items mean what they say.
    let enough = n > 0 && n as f64 + 1e-9 >= answered * items.len() as f64;
    enough.then(|| sum / n as f64).filter(|score| score.is_finite())
}

/// Distribution of scale scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScaleDescription {
    pub n: usize,
    pub mean: f64,
    /// n − 1; `None` for one score.
    pub sd: Option<f64>,
    pub min: f64,
    pub p25: f64,
    pub median: f64,
    pub p75: f64,
    pub max: f64,
    /// Number at the lowest and the highest possible score.
    pub floor: usize,
    pub ceiling: usize,
}

impl ScaleDescription {
    /// Shares at the floor and at the ceiling, 0–1; `None` without scores, which no description has.
    pub fn floor_ceiling_shares(&self) -> Option<(f64, f64)> {
        (self.n > 0).then(|| (self.floor as f64 / self.n as f64, self.ceiling as f64 / self.n as f64))
    }
}

/// Describes `scores` on a scale from `lowest` to `highest`.
pub fn describe_scale(scores: &[f64], lowest: f64, highest: f64) -> Result<ScaleDescription> {
    check_all_finite("scale scores", scores)?;
    if scores.is_empty() {
        return Err(StatsError::Empty { what: "scale scores" });
    }
    let v = numeric::sorted(scores);
    Ok(ScaleDescription {
        n: v.len(),
        mean: finite_result("mean score", numeric::mean(&v))?,
        sd: (v.len() > 1).then(|| finite_result("standard deviation", numeric::variance(&v).sqrt())).transpose()?,
        min: v[0],
        p25: of_sorted(&v, 0.25),
        median: of_sorted(&v, 0.5),
        p75: of_sorted(&v, 0.75),
        max: v[v.len() - 1],
        floor: v.iter().filter(|s| **s <= lowest).count(),
        ceiling: v.iter().filter(|s| **s >= highest).count(),
    })
}
