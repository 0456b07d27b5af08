//! Cronbach's α.
//!
//! # Estimand
//! Internal consistency of a scale.
//! # Formula
//! α = k/(k − 1)(1 − ΣC_ii/ΣΣC_ij); standardised: k r̄/(1 + (k − 1)r̄). Interval: 1 − (1 − α)F quantiles with n − 1 and (n − 1)(k − 1) df.
//! # Source
//! L. J. Cronbach, Psychometrika 16 (1951) 297–334; L. S. Feldt, Psychometrika 30 (1965) 357–370.
//! # Assumptions
//! Essentially tau-equivalent items; for the interval multivariate normal answers and complete rows.
//! # Edge cases
//! Fewer than 2 items or respondents is an error, and so is a scale without variation. α may be negative. Pairwise covariances need not form
//! a proper matrix; «standardised» uses their own diagonal (cov2cor) as psych does, `standardised_pairwise` the pairwise correlations.
//! # Reference values
//! tests/reference/scores.rs: scores/expected_reliability.csv (1e-10).

use super::items::Items;
use crate::distributions::f;
use crate::error::{Result, StatsError, finite_result};
use crate::interval::{Interval, Level};
use crate::numeric;

/// Rows that are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairing {
    Complete,
    Pairwise,
}

/// α of a scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alpha {
    pub alpha: f64,
    pub standardised: f64,
    pub standardised_pairwise: f64,
    /// Mean of the correlations between different items.
    pub mean_correlation: f64,
    /// Respondents used (complete rows, or all with any answer).
    pub n: usize,
    pub k: usize,
    pub method: &'static str,
}

/// α of `items`.
pub fn alpha(items: &Items, pairing: Pairing) -> Result<Alpha> {
    const WHAT: &str = "Cronbach's alpha";
    let k = items.k();
    if k < 2 {
        return Err(StatsError::TooFew { what: "Cronbach's alpha: items", needed: 2, found: k });
    }
    let chosen = if pairing == Pairing::Complete { items.complete() } else { items.clone() };
    let c = chosen.covariances()?;
    let value = alpha_of(&c, k)?;
    let scaled: Vec<f64> = (0..k * k).map(|i| c[i] / (c[i / k * (k + 1)] * c[i % k * (k + 1)]).sqrt()).collect();
    let r = chosen.correlations()?;
    let standardised = |m: &[f64]| {
        let mean = mean_off_diagonal(m, k);
        finite_result(WHAT, k as f64 * mean / (1.0 + (k as f64 - 1.0) * mean))
    };
    Ok(Alpha {
        alpha: value,
        standardised: standardised(&scaled)?,
        standardised_pairwise: standardised(&r)?,
        mean_correlation: mean_off_diagonal(&r, k),
        n: chosen.rows().filter(|r| r.iter().any(Option::is_some)).count(),
        k,
        method: if pairing == Pairing::Complete { "alpha-complete" } else { "alpha-pairwise" },
    })
}

/// α from a k × k covariance matrix.
pub(super) fn alpha_of(c: &[f64], k: usize) -> Result<f64> {
    let all = numeric::sum(c.iter().copied());
    if all.is_nan() || all <= 0.0 || k < 2 {
        return Err(StatsError::Constant { what: "Cronbach's alpha" });
    }
    let own = numeric::sum((0..k).map(|i| c[i * (k + 1)]));
    finite_result("Cronbach's alpha", k as f64 / (k as f64 - 1.0) * (1.0 - own / all))
}

fn mean_off_diagonal(m: &[f64], k: usize) -> f64 {
    let terms = (0..k * k).filter(|i| i / k != i % k).map(|i| m[i]);
    numeric::sum(terms) / (k * (k - 1)) as f64
}

/// Feldt's interval of α from `n` complete rows of `k` items.
pub fn feldt_interval(alpha: f64, n: usize, k: usize, level: Level) -> Result<Interval> {
    if n < 2 || k < 2 {
        return Err(StatsError::TooFew { what: "Feldt interval", needed: 2, found: n.min(k) });
    }
    if !(alpha.is_finite() && alpha <= 1.0) {
        return Err(StatsError::out_of_range("alpha", alpha, "at most 1"));
    }
    let (df1, df2) = (n as f64 - 1.0, (n as f64 - 1.0) * (k as f64 - 1.0));
    let low = 1.0 - (1.0 - alpha) * f::upper_quantile(level.tail(), df1, df2)?;
    Interval::new(low, 1.0 - (1.0 - alpha) * f::quantile(level.tail(), df1, df2)?)
}
