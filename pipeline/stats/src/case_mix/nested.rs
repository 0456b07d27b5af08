//! Nested random intercepts: variance components and predictions at every level of a tree.
//!
//! # Estimand
//! β, σ, one σ_l per level and every node's effect in y = x'β + Σ_l b_l + e.
//! # Formula
//! θ̂ minimises the [`NestedLikelihood`]; b̂_g = θ_l²·1_g'V⁻¹(y − Xβ̂); conditional variance
//! σ²(θ_l² − θ_l⁴·1_g'V⁻¹1_g); prediction error variance adds σ²θ_l⁴t_x'A⁻¹t_x.
//! # Source
//! Bates et al. (2015) Journal of Statistical Software 67(1), section 3; Henderson (1975) Biometrics
//! 31:423–447.
//! # Assumptions
//! Normal errors and effects, independent between levels.
//! # Edge cases
//! Any θ_l may end at 0 and is then exactly 0. With one level the model is the random intercept.
//! # Reference values
//! lme4, hospital/ward: `tests/reference/case_mix.rs` (mixed/); unbalanced trees of two and three levels, also with a level
//! that does not vary: `tests/reference/r_models.rs`.

use super::moments::UnitMoments;
use super::nested_likelihood::{NestedLikelihood, NestedPoint};
use super::profile::Criterion;
use super::random_intercept::Convergence;
use super::root::bracketed_root;
use super::within::WithinFit;
use crate::error::{Result, StatsError, check_all_finite};
use crate::linear_algebra::{Cholesky, Dropped, Matrix};
use crate::numeric::at_least_zero;

const MAX_SWEEPS: usize = 60;

/// Points of the first search along one variance ratio.
const SEARCH_POINTS: usize = 24;

/// The prediction for one node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NestedEffect {
    pub blup: f64,
    /// Variance with β known.
    pub conditional_variance: f64,
    /// Variance of b̂ − b, β estimated.
    pub prediction_error_variance: f64,
}

/// A fitted nested model.
#[derive(Debug, Clone)]
pub struct NestedFit {
    /// Intercept, then one coefficient per adjuster in the caller's order; 0 for dropped adjusters.
    pub coefficients: Vec<f64>,
    pub covariance: Matrix,
    /// θ_l = σ_l/σ, lowest level first.
    pub theta: Vec<f64>,
    /// σ.
    pub residual_sd: f64,
    /// −2 log-likelihood.
    pub criterion: f64,
    /// Per level, per node.
    pub effects: Vec<Vec<NestedEffect>>,
    pub dropped: Vec<Dropped>,
    pub convergence: Convergence,
    pub(super) likelihood: NestedLikelihood,
}

impl NestedFit {
    /// σ_l, lowest level first.
    pub fn level_sds(&self) -> Vec<f64> {
        self.theta.iter().map(|t| t * self.residual_sd).collect()
    }

    /// σ_l²/(σ² + Σσ²): the share of the variance that lies at each level, lowest first.
    pub fn variance_shares(&self) -> Vec<f64> {
        let total = 1.0 + self.theta.iter().map(|t| t * t).sum::<f64>();
        self.theta.iter().map(|t| t * t / total).collect()
    }

    pub fn standard_errors(&self) -> Vec<f64> {
        (0..self.coefficients.len()).map(|k| at_least_zero(self.covariance[(k, k)]).sqrt()).collect()
    }

    /// The objective that was minimised.
    pub fn likelihood(&self) -> &NestedLikelihood {
        &self.likelihood
    }
}

/// Fits the nested model; see [`NestedLikelihood::new`] for `parents` and `tops`.
///
/// # Errors
/// As [`NestedLikelihood::new`]; also no convergence.
pub fn fit_nested(moments: &UnitMoments, parents: &[Vec<u32>], tops: usize, criterion: Criterion) -> Result<NestedFit> {
    minimised(NestedLikelihood::new(moments, parents, tops, criterion)?)
}

/// As [`fit_nested`] with β fixed at a within-unit fit; V(β̂) then has the intercept's own variance alone.
///
/// # Errors
/// As [`NestedLikelihood::with_fixed`]; also no convergence.
pub fn fit_nested_within(
    moments: &UnitMoments,
    parents: &[Vec<u32>],
    tops: usize,
    within: &WithinFit,
    criterion: Criterion,
) -> Result<NestedFit> {
    let mut fit = minimised(NestedLikelihood::with_fixed(moments, parents, tops, within, criterion)?)?;
    fit.coefficients[1..].copy_from_slice(&within.coefficients);
    Ok(fit)
}

fn minimised(likelihood: NestedLikelihood) -> Result<NestedFit> {
    let (v, point, convergence) = minimise(&likelihood)?;
    let sigma2 = point.residual_variance;
    let effects = point
        .nodes
        .iter()
        .zip(&v)
        .map(|(level, v)| {
            let effect = |(s, from_beta, e): &(f64, f64, f64)| {
                let conditional_variance = (sigma2 * (v - v * v * s)).max(0.0);
                NestedEffect {
                    blup: v * e,
                    conditional_variance,
                    prediction_error_variance: conditional_variance + sigma2 * v * v * from_beta,
                }
            };
            level.iter().map(effect).collect()
        })
        .collect();
    let coefficients = likelihood.original_beta(&point);
    check_all_finite("coefficients", &coefficients)?;
    Ok(NestedFit {
        coefficients,
        covariance: likelihood.original_covariance(&point, sigma2),
        theta: v.iter().map(|v| v.sqrt()).collect(),
        residual_sd: sigma2.sqrt(),
        criterion: point.criterion,
        effects,
        dropped: likelihood.dropped.clone(),
        convergence,
        likelihood,
    })
}

fn at(likelihood: &NestedLikelihood, v: &[f64]) -> Result<NestedPoint> {
    likelihood.evaluate(&v.iter().map(|v| v.sqrt()).collect::<Vec<_>>())
}

/// One variance ratio at a time finds the neighbourhood, Newton on the exact gradient the optimum.
pub(super) fn minimise(likelihood: &NestedLikelihood) -> Result<(Vec<f64>, NestedPoint, Convergence)> {
    let levels = likelihood.levels();
    let scale: Vec<f64> = (0..levels).map(|l| 1.0 / likelihood.typical_rows(l)).collect();
    let mut v: Vec<f64> = scale.clone();
    let mut evaluations = 0;
    for sweep in 0..MAX_SWEEPS {
        let before = v.clone();
        for (l, typical) in scale.iter().enumerate() {
            evaluations += line_search(likelihood, &mut v, l, *typical, sweep == 0)?;
        }
        let moved = v.iter().zip(&before).zip(&scale).any(|((a, b), s)| (a - b).abs() > 1e-3 * (a + s * 1e-3));
        if !moved && sweep > 0 {
            break;
        }
    }
    let mut point = at(likelihood, &v)?;
    for _ in 0..30 {
        evaluations += 2 * levels + 1;
        let Some(next) = newton_step(likelihood, &v, &point, &scale) else { break };
        let candidate = at(likelihood, &next)?;
        let small = next.iter().zip(&v).all(|(a, b)| (a - b).abs() <= 1e-13 * a.max(1e-6 * scale[0]));
        if gradient_size(&next, &candidate) <= gradient_size(&v, &point) || small {
            (v, point) = (next, candidate);
        } else {
            break;
        }
        if small {
            break;
        }
    }
    let gradient = gradient_size(&v, &point);
    let inside = v.iter().zip(&point.derivative).all(|(v, d)| *v > 0.0 || *d >= 0.0);
    let converged = inside && gradient <= 1e-8 * (1.0 + point.criterion.abs());
    if !converged {
        return Err(StatsError::NotConverged { what: "nested random intercepts", iterations: evaluations });
    }
    let boundary = v.contains(&0.0);
    Ok((v, point, Convergence { evaluations, gradient, boundary, converged }))
}

fn gradient_size(v: &[f64], point: &NestedPoint) -> f64 {
    v.iter().zip(&point.derivative).map(|(v, d)| (v * d).abs()).fold(0.0, f64::max)
}

/// Minimises along ratio `l`; a first search covers reliabilities from 0 to nearly 1, later ones stay near.
fn line_search(likelihood: &NestedLikelihood, v: &mut [f64], l: usize, scale: f64, wide: bool) -> Result<usize> {
    let mut trial = v.to_vec();
    let mut slope = |x: f64| {
        trial[l] = x;
        at(likelihood, &trial).map_or(f64::NAN, |p| p.derivative[l])
    };
    let (low, high) = if wide {
        let mut grid: Vec<f64> =
            (0..SEARCH_POINTS).map(|k| k as f64 / SEARCH_POINTS as f64).map(|r| scale * r / (1.0 - r)).collect();
        grid.extend((1..=8).map(|k| scale * SEARCH_POINTS as f64 * 10f64.powi(k)));
        let mut trial = v.to_vec();
        let mut best = (0, f64::INFINITY);
        for (k, x) in grid.iter().enumerate() {
            trial[l] = *x;
            let criterion = at(likelihood, &trial)?.criterion;
            if criterion < best.1 {
                best = (k, criterion);
            }
        }
        (grid[best.0.saturating_sub(1)], grid[(best.0 + 1).min(grid.len() - 1)])
    } else {
        (0.25 * v[l], 4.0 * v[l] + 1e-3 * scale)
    };
    let mut low = low;
    // The minimum may have slid below the interval since the other ratios moved.
    while low > 0.0 && slope(low) > 0.0 {
        low = if low < 1e-6 * scale { 0.0 } else { 0.25 * low };
    }
    if low == 0.0 && slope(0.0) >= 0.0 {
        v[l] = 0.0;
        return Ok(SEARCH_POINTS + 2);
    }
    let mut high = high;
    while slope(high) < 0.0 && high < 1e12 * scale {
        high *= 4.0;
    }
    match bracketed_root(&mut slope, low, high) {
        Some((x, more)) => {
            v[l] = x;
            Ok(SEARCH_POINTS + more)
        }
        None => Err(StatsError::NotConverged { what: "nested random intercepts", iterations: SEARCH_POINTS }),
    }
}

/// Newton over the ratios above 0, in log ratios, where the criterion is closer to quadratic.
fn newton_step(likelihood: &NestedLikelihood, v: &[f64], point: &NestedPoint, scale: &[f64]) -> Option<Vec<f64>> {
    let free: Vec<usize> = (0..v.len()).filter(|&l| v[l] > 1e-9 * scale[l]).collect();
    if free.is_empty() {
        return None;
    }
    let log_gradient =
        |v: &[f64], p: &NestedPoint| -> Vec<f64> { free.iter().map(|&l| v[l] * p.derivative[l]).collect() };
    let mut hessian = Matrix::zeros(free.len(), free.len());
    let step = 1e-4;
    for (a, &l) in free.iter().enumerate() {
        let (mut up, mut down) = (v.to_vec(), v.to_vec());
        up[l] *= f64::exp(step);
        down[l] *= f64::exp(-step);
        let gu = log_gradient(&up, &at(likelihood, &up).ok()?);
        let gd = log_gradient(&down, &at(likelihood, &down).ok()?);
        for b in 0..free.len() {
            hessian[(b, a)] = (gu[b] - gd[b]) / (2.0 * step);
        }
    }
    let symmetric = Matrix::from_fn(free.len(), free.len(), |a, b| 0.5 * (hessian[(a, b)] + hessian[(b, a)]));
    let move_by = Cholesky::new("Hessian of the criterion", &symmetric).ok()?.solve(&log_gradient(v, point));
    let mut next = v.to_vec();
    for (&l, m) in free.iter().zip(&move_by) {
        next[l] *= (-m.clamp(-1.0, 1.0)).exp();
    }
    Some(next)
}
