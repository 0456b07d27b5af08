//! Over-dispersion of a funnel.
//!
//! # Estimand
//! φ, the factor by which the z-scores' variance exceeds 1, and τ², the between-unit variance that explains it.
//! # Formula
//! z winsorised at its type-7 quantiles q and 1 − q; φ = Σz²/(Iκ); τ² = max(0, (Iφ − (I − 1))/(Σw − Σw²/Σw)), w = 1/s².
//! κ = (1 − 2q) − 2cϕ(c) + 2qc², c = z₁₋q: the mean of a winsorised squared standard normal (0.679 at q = 0.10).
//! # Source
//! D. J. Spiegelhalter, Quality and Safety in Health Care 14 (2005) 347–351, and Statistics in Medicine 24 (2005) 1185, who leave κ
//! out ([`Correction::Spiegelhalter`]): without it φ is 0.68 where there is no over-dispersion at all.
//! # Assumptions
//! z standard normal without over-dispersion.
//! # Edge cases
//! Fewer than 2 units is an error; q = 0 winsorises nothing and κ = 1.
//! # Reference values
//! tests/reference/funnel.rs: funnel/od_six_expected.csv, mean_scores_heterogeneity.csv (uncorrected, 1e-10).

use super::scale::Standardised;
use crate::distributions::normal;
use crate::error::{Result, StatsError, finite_result};
use crate::numeric;
use crate::variation::heterogeneity::weight_spread;
use crate::variation::quantile::of_sorted;

/// Default share winsorised in each tail.
pub const WINSORISED_PER_TAIL: f64 = 0.10;

/// What is done with outlying z-scores before φ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outliers {
    Keep,
    /// Share per tail, 0 to below 0.5.
    Winsorise(f64),
}

/// Whether φ allows for the winsorising.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Correction {
    /// Divide by κ.
    #[default]
    Winsorised,
    /// κ = 1, as published.
    Spiegelhalter,
}

/// φ and τ² of a set of units.
#[derive(Debug, Clone, PartialEq)]
pub struct OverDispersion {
    pub phi: f64,
    pub tau2: f64,
    pub kappa: f64,
    /// z-scores after winsorising, one per unit.
    pub z: Vec<f64>,
    pub method: &'static str,
}

/// Estimates over-dispersion from units on a funnel's scale.
pub fn over_dispersion(units: &[Standardised], outliers: Outliers, correction: Correction) -> Result<OverDispersion> {
    const WHAT: &str = "over-dispersion";
    if units.len() < 2 {
        return Err(StatsError::TooFew { what: WHAT, needed: 2, found: units.len() });
    }
    let mut z = units.iter().map(Standardised::z).collect::<Result<Vec<f64>>>()?;
    let mut kappa = 1.0;
    if let Outliers::Winsorise(q) = outliers {
        let of_winsorised = winsorised_variance(q)?;
        let sorted = numeric::sorted(&z);
        let (low, high) = (of_sorted(&sorted, q), of_sorted(&sorted, 1.0 - q));
        z.iter_mut().for_each(|z| *z = z.clamp(low.min(high), high));
        if correction == Correction::Winsorised {
            kappa = of_winsorised;
        }
    }
    let n = units.len() as f64;
    let phi = finite_result(WHAT, numeric::sum(z.iter().map(|z| z * z)) / (n * kappa))?;
    let variances: Vec<f64> = units.iter().map(|u| u.s * u.s).collect();
    let tau2 = finite_result(WHAT, (n * phi - (n - 1.0)) / weight_spread(&variances))?.max(0.0);
    let method = match correction {
        Correction::Winsorised => "over-dispersion-winsorised",
        Correction::Spiegelhalter => "over-dispersion-spiegelhalter",
    };
    Ok(OverDispersion { phi, tau2, kappa, z, method })
}

/// κ: mean of min(|Z|, c)² with c = z₁₋q; q from 0 to below ½.
pub fn winsorised_variance(q: f64) -> Result<f64> {
    if !(0.0..0.5).contains(&q) {
        return Err(StatsError::out_of_range("winsorised share", q, "0 to below 0.5"));
    }
    if q == 0.0 {
        return Ok(1.0);
    }
    let c = normal::upper_quantile(q)?;
    Ok((1.0 - 2.0 * q) - 2.0 * c * normal::pdf(c)? + 2.0 * q * c * c)
}
