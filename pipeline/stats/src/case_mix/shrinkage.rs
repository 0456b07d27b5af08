//! Shrunken (empirical Bayes) unit values whose interval knows that θ was estimated.
//!
//! # Estimand
//! The unit's mean at the reference mix x̄, as a draw from the distribution of units.
//! # Formula
//! value = μ̂ + λ_j(a_j − μ̂), μ̂ = Σλ_k a_k/Σλ_k; variance σ_b²(1 − λ_j) + (1 − λ_j)²σ_b²/Σλ_k + g'V(β̂)g,
//! g = λ_j(x̄_j − x̄) + (1 − λ_j)Σλ_k(x̄_k − x̄)/Σλ_k. With the model's own β the same value is x̄'β̂ + b̂_j, with variance
//! σ_b²(1 − λ_j) + (x̄ − λ_jx̄_j)'V(β̂)(x̄ − λ_jx̄_j). Averaged over θ with weights ω ∝ θ·exp(−REML(θ)/2): m = Σωm(θ),
//! variance Σω[v(θ) + m(θ)²] − m².
//! # Source
//! Morris (1983) Journal of the American Statistical Association 78:47–55; Carlin, Louis (2000)
//! Bayes and Empirical Bayes Methods, chapter 3; Robinson (1991) Statistical Science 6:15–32.
//! # Assumptions
//! Normal unit effects; a flat prior on σ_b² given σ (hence the factor θ).
//! # Edge cases
//! Fewer than [`MIN_UNITS`] units with rows: no averaged interval, because the weights have no finite
//! integral; the plug-in option gives one. Σλ = 0 is taken as the limit θ → 0. Units without rows get the value μ̂.
//! # Reference values
//! `tests/case_mix_shrinkage.rs`: plug-in by hand; `tests/reference/case_mix.rs`: plug-in against lme4 (mixed/);
//! `tests/reference/r_dense.rs`: averaged, from dense matrices and integrals in R (1e-8); coverage in the simulation study.

use super::adjusted::{check_level, critical_value};
use super::log_grid::log_grid;
use super::moments::UnitMoments;
use super::profile::{Criterion, ProfilePoint};
use super::random_intercept::{RandomIntercept, original_scale};
use crate::error::{Result, StatsError, check_all_finite, check_length, finite_result};
use crate::linear_algebra::{Matrix, dot};

/// Units with rows that the averaged interval needs.
pub const MIN_UNITS: usize = 5;

/// Which interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShrinkageInterval {
    /// Averaged over what the spread between units may be (default).
    Averaged,
    /// The estimated spread taken as known, as `lme4` users do.
    PlugIn,
}

/// A shrunken unit value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShrunkenMean {
    /// Rows n_j.
    pub n: u64,
    pub value: f64,
    pub variance: f64,
    pub standard_error: f64,
    /// Weight of the unit's own adjusted mean, averaged over θ like the value.
    pub reliability: f64,
    pub lower: f64,
    pub upper: f64,
}

/// Shrunken values of the units that `fit` was fitted to, at the reference adjusters x̄; `moments` are those units.
/// Intervals are normal.
///
/// # Errors
/// Averaged interval with fewer than 5 units or with an ML fit; shapes that do not fit.
pub fn shrunken_means(
    fit: &RandomIntercept,
    moments: &UnitMoments,
    reference: &[f64],
    interval: ShrinkageInterval,
    level: f64,
) -> Result<Vec<ShrunkenMean>> {
    check_level(level)?;
    check_length("units", fit.effects.len(), moments.units())?;
    check_length("reference adjusters", moments.adjusters(), reference.len())?;
    check_all_finite("reference adjusters", reference)?;
    let points: Vec<(f64, ProfilePoint)> = match interval {
        ShrinkageInterval::PlugIn => vec![(1.0, fit.likelihood.evaluate(fit.components.theta)?)],
        ShrinkageInterval::Averaged => {
            if fit.criterion_kind != Criterion::Reml {
                return Err(StatsError::Undefined {
                    what: "averaged shrinkage interval",
                    reason: "its weights need a REML fit",
                });
            }
            if fit.units < MIN_UNITS {
                return Err(StatsError::TooFew {
                    what: "units for an averaged shrinkage interval",
                    needed: MIN_UNITS,
                    found: fit.units,
                });
            }
            theta_grid(fit)?
        }
    };
    let units = moments.units();
    let (mut first, mut second, mut lambda) = (vec![0.0; units], vec![0.0; units], vec![0.0; units]);
    let center = fit.coefficients[0] + dot(reference, &fit.coefficients[1..]);
    for (weight, point) in &points {
        let at = conditional(fit, moments, reference, point);
        for j in 0..units {
            // Moments about a common point, so that the variance does not cancel.
            let m = at[j].0 - center;
            first[j] += weight * m;
            second[j] += weight * (at[j].1 + m * m);
            lambda[j] += weight * at[j].2;
        }
    }
    let z = critical_value(level, f64::INFINITY)?;
    (0..units)
        .map(|j| {
            let value = finite_result("shrunken value", center + first[j])?;
            let variance = finite_result("variance of a shrunken value", second[j] - first[j] * first[j])?.max(0.0);
            let standard_error = variance.sqrt();
            Ok(ShrunkenMean {
                n: moments.count(j),
                value,
                variance,
                standard_error,
                reliability: lambda[j],
                lower: value - z * standard_error,
                upper: value + z * standard_error,
            })
        })
        .collect()
}

/// (m_j(θ), v_j(θ), λ_j(θ)) for every unit.
fn conditional(
    fit: &RandomIntercept,
    moments: &UnitMoments,
    reference: &[f64],
    point: &ProfilePoint,
) -> Vec<(f64, f64, f64)> {
    let (sigma2, theta2) = (point.residual_variance, point.theta * point.theta);
    let between = sigma2 * theta2;
    let reliability = |n: f64| n * theta2 / (1.0 + n * theta2);
    let units = moments.units();
    let Some(fixed) = &fit.fixed else {
        let (beta, covariance) = original_scale(&fit.likelihood, point, reference.len());
        let at_reference = beta[0] + dot(reference, &beta[1..]);
        return (0..units)
            .map(|j| {
                let lambda = reliability(fit.likelihood.counts[j]);
                let mut g = vec![1.0 - lambda];
                g.extend(reference.iter().zip(moments.mean_x(j)).map(|(r, x)| r - lambda * x));
                let blup = lambda * fit.likelihood.unit_residual(j, point);
                (at_reference + blup, between * (1.0 - lambda) + covariance.quadratic(&g), lambda)
            })
            .collect();
    };
    let beta = &fixed.coefficients;
    let p = beta.len();
    // λ_k/θ² = n_k/(1 + n_kθ²) keeps its meaning at θ = 0.
    let (mut sum_u, mut sum_a, mut sum_d) = (0.0, 0.0, vec![0.0; p]);
    let difference = |j: usize| -> Vec<f64> { moments.mean_x(j).iter().zip(reference).map(|(x, r)| x - r).collect() };
    let adjusted = |j: usize, d: &[f64]| moments.mean_y(j) - dot(d, beta);
    for j in 0..units {
        let n = fit.likelihood.counts[j];
        if n > 0.0 {
            let u = n / (1.0 + n * theta2);
            let d = difference(j);
            sum_u += u;
            sum_a += u * adjusted(j, &d);
            for (s, v) in sum_d.iter_mut().zip(&d) {
                *s += u * v;
            }
        }
    }
    let mu = sum_a / sum_u;
    (0..units)
        .map(|j| {
            let n = fit.likelihood.counts[j];
            let lambda = reliability(n);
            let d = if n > 0.0 { difference(j) } else { vec![0.0; p] };
            let own = if n > 0.0 { adjusted(j, &d) } else { mu };
            let g: Vec<f64> = d.iter().zip(&sum_d).map(|(d, s)| lambda * d + (1.0 - lambda) * s / sum_u).collect();
            let variance = between * (1.0 - lambda)
                + (1.0 - lambda).powi(2) * sigma2 / sum_u
                + quadratic_or_zero(&fixed.covariance, &g);
            (mu + lambda * (own - mu), variance, lambda)
        })
        .collect()
}

fn quadratic_or_zero(covariance: &Matrix, g: &[f64]) -> f64 {
    if g.is_empty() { 0.0 } else { covariance.quadratic(g).max(0.0) }
}

/// Grid of θ with normalised weights. The measure dθ = θ d(ln θ) gives them a second factor θ.
fn theta_grid(fit: &RandomIntercept) -> Result<Vec<(f64, ProfilePoint)>> {
    let likelihood = &fit.likelihood;
    log_grid(-0.5 * likelihood.typical_rows().ln(), |t| {
        let point = likelihood.evaluate(t.exp())?;
        Ok((2.0 * t - 0.5 * point.criterion, point))
    })
}
