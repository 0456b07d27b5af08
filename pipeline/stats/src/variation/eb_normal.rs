//! Empirical Bayes for relative rates: normal model by Fisher scoring.
//!
//! # Estimand
//! Variance A of the units' true relative deviations y = (O − E)/E around 0, and the ratios shrunk towards 1.
//! # Formula
//! y_j ~ N(0, A + v_j), v_j = O_j/E_j². A ← A + Σ[(y² − A − v)/(A + v)²]/Σ(A + v)⁻², not below 0. B_j = v_j/(A + v_j);
//! smoothed = 1 + (1 − B)y. Since 1/(A + v) is convex, B(Â) is on average too large; `smoothed_sava` takes B·(J − 3)/(J − 2).
//! # Source
//! B. Efron and C. Morris, JASA 70 (1975) 311. A factor on B: C. N. Morris, JASA 78 (1983) 47–55, where it is (J − r − 2)/(J − r)
//! after r fitted means, (J − 2)/J with the known mean here; (J − 3)/(J − 2) is the R package sava's.
//! # Assumptions
//! v known; counts large enough for the normal approximation.
//! # Edge cases
//! O = 0 would have v = 0: there v = 1/E, the variance at the reference rate. A = 0 is a legal answer (all ratios 1).
//! sava's factor needs at least 4 units: with 3 it is 0, no shrinkage at all.
//! # Reference values
//! tests/reference/variation.rs: variation/turp_expected.csv, turp_expected_areas.csv (1e-7).

use super::check_observed_expected;
use crate::error::{Result, StatsError, check_all_finite, check_length, check_positive, finite_result};
use crate::numeric;

const MAX_STEPS: usize = 10_000;

/// Fit of the normal model.
#[derive(Debug, Clone, PartialEq)]
pub struct EbNormal {
    /// Between-unit variance A of the relative rate.
    pub variance: f64,
    /// B_j: share of a unit's deviation that is shrunk away.
    pub shrinkage: Vec<f64>,
    /// 1 + (1 − B)y.
    pub smoothed: Vec<f64>,
    /// The same with sava's factor (J − 3)/(J − 2) on B; `None` below 4 units.
    pub smoothed_sava: Option<Vec<f64>>,
    pub iterations: usize,
    pub method: &'static str,
}

/// Fits the model to `observed` and `expected` counts of at least 2 units.
pub fn eb_normal(observed: &[f64], expected: &[f64]) -> Result<EbNormal> {
    check_observed_expected("normal empirical Bayes", observed, expected, 2)?;
    let y: Vec<f64> = observed.iter().zip(expected).map(|(o, e)| (o - e) / e).collect();
    let v: Vec<f64> = observed.iter().zip(expected).map(|(o, e)| if *o > 0.0 { o / e / e } else { 1.0 / e }).collect();
    let (variance, iterations) = normal_variance_ml(&y, &v)?;
    let shrinkage: Vec<f64> = v.iter().map(|v| v / (variance + v)).collect();
    let shrink = |factor: f64| y.iter().zip(&shrinkage).map(|(y, b)| 1.0 + (1.0 - factor * b) * y).collect();
    let n = y.len() as f64;
    let smoothed_sava = (y.len() >= 4).then(|| shrink((n - 3.0) / (n - 2.0)));
    Ok(EbNormal { variance, smoothed: shrink(1.0), shrinkage, smoothed_sava, iterations, method: "eb-normal-ml" })
}

/// Variance A ≥ 0 of deviations `y` with known mean 0 and sampling variances `v` > 0, and the number of steps taken.
pub fn normal_variance_ml(y: &[f64], v: &[f64]) -> Result<(f64, usize)> {
    const WHAT: &str = "variance by Fisher scoring";
    check_length(WHAT, y.len(), v.len())?;
    check_all_finite(WHAT, y)?;
    check_positive(WHAT, v)?;
    if y.len() < 2 {
        return Err(StatsError::TooFew { what: WHAT, needed: 2, found: y.len() });
    }
    let n = y.len() as f64;
    let mut a = (numeric::sum(y.iter().zip(v).map(|(y, v)| y * y - v)) / n).max(0.0);
    let mut previous = f64::INFINITY;
    for step in 1..=MAX_STEPS {
        let (mut score, mut information) = (0.0, 0.0);
        for (y, v) in y.iter().zip(v) {
            let w = 1.0 / (a + v);
            score += (y * w) * (y * w) - w;
            information += w * w;
        }
        let mut change = score / information;
        // Scoring may circle when the v differ by many powers of ten: halve steps that do not shrink.
        if change.abs() >= previous && step > 50 {
            change *= 0.5;
        }
        let next = (a + change).max(0.0);
        if !next.is_finite() {
            return Err(StatsError::NotConverged { what: WHAT, iterations: step });
        }
        let moved = (next - a).abs();
        a = next;
        if moved <= 1e-15 * a.max(f64::MIN_POSITIVE) || (moved <= 1e-12 * a && moved >= previous) {
            return Ok((finite_result(WHAT, a)?, step));
        }
        previous = moved;
    }
    Err(StatsError::NotConverged { what: WHAT, iterations: MAX_STEPS })
}
