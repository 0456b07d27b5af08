//! Empirical Bayes for counts: Poisson–gamma by maximum likelihood.
//!
//! # Estimand
//! Variance 1/α of the units' relative rates θ_j, and θ_j itself shrunk towards 1.
//! # Formula
//! O_j | θ_j ~ Poisson(E_jθ_j), θ_j ~ Gamma(α, α). α maximises the negative binomial likelihood; θ̃ = (O + α)/(E + α), posterior
//! variance (O + α)/(E + α)². 80/20 quotient: type-7 quantiles of θ̃ at 0.8 and 0.2.
//! # Source
//! D. Clayton and J. Kaldor, Biometrics 43 (1987) 671–681; M. Shwartz et al., Medical Care 32 (1994) 189–201 (quotient).
//! # Assumptions
//! E known, ΣO close to ΣE.
//! # Edge cases
//! Where the likelihood is highest at α = ∞ (no variation beyond chance) the variance is 0, `alpha` is `None` and θ̃ = 1. Sums are
//! arranged so that nothing cancels for α up to 1e12 or counts up to 1e9.
//! # Reference values
//! tests/reference/variation.rs: variation/turp_expected.csv, turp_expected_areas.csv (1e-7).

use super::check_observed_expected;
use super::extremal::quotient;
use super::quantile::quantile_type_7;
use crate::distributions::special::{deviance_part, ln_gamma};
use crate::error::{Result, finite_result};
use crate::numeric;

const GRID: usize = 160;
/// ln α is searched from 1e-6 (relative variance 1e6) to 1e12 (1e-12, no variation).
const LN_ALPHA: (f64, f64) = (-13.8, 27.6);

/// Fit of the Poisson–gamma model.
#[derive(Debug, Clone, PartialEq)]
pub struct EbPoisson {
    /// Shape and rate of the gamma distribution; `None` when the variance is 0.
    pub alpha: Option<f64>,
    /// Between-unit variance of the relative rate, 1/α.
    pub variance: f64,
    /// Log-likelihood with all constants.
    pub log_likelihood: f64,
    /// Smoothed ratios θ̃, one per unit.
    pub smoothed: Vec<f64>,
    /// Posterior variances of θ, one per unit.
    pub posterior_variance: Vec<f64>,
    pub method: &'static str,
}

/// Fits the model to `observed` and `expected` counts of at least 2 units.
pub fn eb_poisson(observed: &[f64], expected: &[f64]) -> Result<EbPoisson> {
    check_observed_expected("Poisson-gamma model", observed, expected, 2)?;
    let gain = |ln_alpha: f64| {
        let alpha = ln_alpha.exp();
        numeric::sum(observed.iter().zip(expected).map(|(o, e)| gain_over_poisson(*o, *e, alpha)))
    };
    let slope = |ln_alpha: f64| {
        let alpha = ln_alpha.exp();
        numeric::sum(observed.iter().zip(expected).map(|(o, e)| score(*o, *e, alpha)))
    };
    let at = |i: usize| LN_ALPHA.0 + (LN_ALPHA.1 - LN_ALPHA.0) * i as f64 / GRID as f64;
    let (mut best, mut best_gain) = (GRID, 0.0);
    for i in 0..=GRID {
        let g = gain(at(i));
        if g > best_gain {
            (best, best_gain) = (i, g);
        }
    }
    let poisson =
        numeric::sum(observed.iter().zip(expected).map(|(o, e)| -deviance_part(*o, *e) + saturated_log_mass(*o)));
    let n = observed.len();
    if best == GRID {
        return Ok(EbPoisson {
            alpha: None,
            variance: 0.0,
            log_likelihood: finite_result("Poisson-gamma model", poisson)?,
            smoothed: vec![1.0; n],
            posterior_variance: vec![0.0; n],
            method: "eb-poisson-gamma-ml",
        });
    }
    let (low, high) = (at(best.saturating_sub(1)), at(best + 1));
    let ln_alpha = if slope(low) > 0.0 && slope(high) < 0.0 {
        numeric::bracketed_root("Poisson-gamma model", low, high, |u| Ok(slope(u)))?
    } else {
        at(best)
    };
    let alpha = ln_alpha.exp();
    let smoothed: Vec<f64> = observed.iter().zip(expected).map(|(o, e)| (o + alpha) / (e + alpha)).collect();
    let posterior_variance = smoothed.iter().zip(expected).map(|(s, e)| s / (e + alpha)).collect();
    Ok(EbPoisson {
        alpha: Some(alpha),
        variance: finite_result("Poisson-gamma model", 1.0 / alpha)?,
        log_likelihood: finite_result("Poisson-gamma model", poisson + gain(ln_alpha))?,
        smoothed,
        posterior_variance,
        method: "eb-poisson-gamma-ml",
    })
}

/// 80/20 quotient of smoothed ratios.
pub fn eq_80_20_smoothed(smoothed: &[f64]) -> Result<f64> {
    quotient("80/20 quotient", quantile_type_7(smoothed, 0.8)?, quantile_type_7(smoothed, 0.2)?)
}

/// ln of o^o e^(−o)/o!: the Poisson mass at its own count.
fn saturated_log_mass(o: f64) -> f64 {
    if o == 0.0 { 0.0 } else { o * o.ln() - o - ln_gamma(o + 1.0) }
}

/// Negative binomial log mass minus Poisson log mass at mean `e`.
fn gain_over_poisson(o: f64, e: f64, alpha: f64) -> f64 {
    if alpha < 16.0 {
        return ln_gamma(o + alpha) - ln_gamma(alpha) - alpha * (e / alpha).ln_1p() - o * (alpha + e).ln() + e;
    }
    // Stirling's form of the same: every part is small when α is large.
    deviance_part(o + alpha, alpha + e) - 0.5 * (o / alpha).ln_1p() + remainder(o + alpha) - remainder(alpha)
}

/// ln Γ(x) − [(x − ½) ln x − x + ½ ln 2π].
fn remainder(x: f64) -> f64 {
    let x2 = x * x;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / 1680.0 / x2) / x2) / x2) / x
}

/// Derivative of the log mass with respect to α.
fn score(o: f64, e: f64, alpha: f64) -> f64 {
    let delta = (o - e) / (alpha + e);
    // ψ(o + α) − ψ(α) = ln(1 + o/α) + difference of the slow parts.
    ln_1p_minus(delta) + slow_digamma(o + alpha) - slow_digamma(alpha)
}

/// ψ(x) − ln x.
fn slow_digamma(x: f64) -> f64 {
    let mut shift = 0.0;
    let mut y = x;
    while y < 16.0 {
        shift += 1.0 / y;
        y += 1.0;
    }
    let y2 = y * y;
    let tail =
        -0.5 / y - (1.0 / 12.0 - (1.0 / 120.0 - (1.0 / 252.0 - (1.0 / 240.0 - 1.0 / 132.0 / y2) / y2) / y2) / y2) / y2;
    if y == x { tail } else { tail + (y / x).ln() - shift }
}

/// ln(1 + d) − d.
fn ln_1p_minus(d: f64) -> f64 {
    if d.abs() < 0.02 {
        let mut term = d;
        let mut total = 0.0;
        for k in 2..14 {
            term *= -d;
            total += term / f64::from(k);
        }
        total
    } else {
        d.ln_1p() - d
    }
}
