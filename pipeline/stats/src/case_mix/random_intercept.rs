//! Random intercept for units: variance components, reliability and predictions.
//!
//! # Estimand
//! β, σ, σ_b, the intraclass correlation and b_j in y_ij = x_ij'β + b_j + e_ij.
//! # Formula
//! θ̂ minimises the profiled criterion; λ_j = n_jθ²/(1 + n_jθ²); b̂_j = λ_j(ȳ_j − x̄_j'β̂); conditional variance
//! σ_b²(1 − λ_j); prediction error variance σ_b²(1 − λ_j) + λ_j² x̄_j'V(β̂)x̄_j; V(β̂) = σ²A_θ⁻¹. Adjusted means with this β:
//! V_j = S_j + d'V(β̂)d − 2d'V(β̂)Σ_k(n_k/n_j)x̄_k/(1 + n_kθ²), d = x̄_j − x̄, k the lowest units that make up j.
//! # Source
//! Bates et al. (2015) Journal of Statistical Software 67(1), section 3; Henderson (1975) Biometrics
//! 31:423–447 (prediction error variance); Searle, Casella, McCulloch (1992) Variance Components, chapter 7.
//! # Assumptions
//! Normal errors and unit effects; unit effects independent of the adjusters when β is the model's own.
//! # Edge cases
//! θ̂ = 0 is an answer and is reported as `boundary`. Units without rows are predicted at 0 with variance
//! σ_b². The criterion can have several minima: a fixed grid of reliabilities chooses the interval that is then solved.
//! # Reference values
//! `tests/case_mix_random_intercept.rs`: by hand; lme4 and the exact optimum: `tests/reference/case_mix.rs` (mixed/) and
//! `tests/reference/r_models.rs`; θ̂ = 0: `tests/reference/r_dense.rs`.

use super::adjusted::{AdjustedMean, AdjustedMeanOptions, adjusted_mean};
use super::moments::UnitMoments;
use super::profile::{Criterion, ProfilePoint, ProfiledLikelihood};
use super::root::bracketed_root;
use super::within::WithinFit;
use crate::error::{Result, StatsError, check_all_finite, check_length};
use crate::linear_algebra::{Dropped, Matrix};
use crate::numeric::at_least_zero;

/// Points of the search grid, uniform in the reliability of a typical unit.
const SEARCH_POINTS: usize = 48;

/// How the fit ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Convergence {
    /// Evaluations of the criterion.
    pub evaluations: usize,
    /// d criterion/dθ² at the end, times θ² (or as it is at the boundary).
    pub gradient: f64,
    /// θ̂ = 0: no variation between units beyond chance.
    pub boundary: bool,
    pub converged: bool,
}

/// σ, σ_b and what follows from them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VarianceComponents {
    /// θ = σ_b/σ.
    pub theta: f64,
    /// σ.
    pub residual_sd: f64,
    /// σ_b.
    pub between_unit_sd: f64,
}

impl VarianceComponents {
    /// σ_b²/(σ_b² + σ²); NaN where θ is, which no fit gives.
    pub fn intraclass_correlation(&self) -> f64 {
        share(self.theta * self.theta)
    }

    /// λ = nθ²/(1 + nθ²): the share of a unit mean's variance that is between units. `None` unless n ≥ 0 and both are finite.
    pub fn reliability(&self, n: f64) -> Option<f64> {
        (n >= 0.0 && n.is_finite() && self.theta.is_finite()).then(|| share(n * self.theta * self.theta))
    }

    /// Rows a unit needs for a reliability; `None` when σ_b = 0.
    pub fn rows_for_reliability(&self, reliability: f64) -> Option<f64> {
        let n = reliability / (1.0 - reliability) / (self.theta * self.theta);
        (n.is_finite() && n >= 0.0).then_some(n)
    }
}

/// v/(1 + v), 1 where v overflows.
fn share(v: f64) -> f64 {
    if v == f64::INFINITY { 1.0 } else { v / (1.0 + v) }
}

/// The prediction for one unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomEffect {
    /// Rows n_j.
    pub n: u64,
    /// b̂_j.
    pub blup: f64,
    /// λ_j.
    pub reliability: f64,
    /// σ_b²(1 − λ_j): variance with β known.
    pub conditional_variance: f64,
    /// Variance of b̂_j − b_j, β estimated.
    pub prediction_error_variance: f64,
}

/// A fitted random intercept.
#[derive(Debug, Clone)]
pub struct RandomIntercept {
    pub criterion_kind: Criterion,
    /// Intercept, then one coefficient per adjuster in the caller's order; 0 for dropped adjusters.
    pub coefficients: Vec<f64>,
    /// V of `coefficients`. With β fixed beforehand only the intercept's own variance, β taken as known.
    pub covariance: Matrix,
    pub components: VarianceComponents,
    /// −2 log-likelihood at the optimum.
    pub criterion: f64,
    /// One per unit, empty units included.
    pub effects: Vec<RandomEffect>,
    pub dropped: Vec<Dropped>,
    pub convergence: Convergence,
    pub rows: u64,
    /// Units with rows.
    pub units: usize,
    pub(super) likelihood: ProfiledLikelihood,
    /// The β fixed beforehand, if any.
    pub(super) fixed: Option<WithinFit>,
}

/// Fits the random intercept. `fixed` holds β at a within-unit fit; without it the model estimates its own (`gls`).
///
/// # Errors
/// Fewer than two units with rows, no residual degrees of freedom, an outcome that does not vary within units.
pub fn fit_random_intercept(
    moments: &UnitMoments,
    criterion: Criterion,
    fixed: Option<&WithinFit>,
) -> Result<RandomIntercept> {
    let likelihood = match fixed {
        None => ProfiledLikelihood::new(moments, criterion)?,
        Some(fit) => ProfiledLikelihood::with_fixed(moments, fit, criterion)?,
    };
    let (point, convergence) = minimise(&likelihood)?;
    let p = moments.adjusters();
    let (coefficients, covariance) = original_scale(&likelihood, &point, p);
    let sigma2 = point.residual_variance;
    let theta = point.theta;
    let components = VarianceComponents { theta, residual_sd: sigma2.sqrt(), between_unit_sd: theta * sigma2.sqrt() };
    let between = sigma2 * theta * theta;
    let effects = (0..moments.units())
        .map(|j| {
            let reliability = share(likelihood.counts[j] * theta * theta);
            let conditional_variance = between * (1.0 - reliability);
            let from_beta = sigma2 * point.factor.inverse_quadratic(likelihood.unit_x(j));
            RandomEffect {
                n: moments.count(j),
                blup: if reliability == 0.0 { 0.0 } else { reliability * likelihood.unit_residual(j, &point) },
                reliability,
                conditional_variance,
                prediction_error_variance: conditional_variance
                    + if reliability == 0.0 { 0.0 } else { reliability * reliability * from_beta },
            }
        })
        .collect();
    let mut coefficients = coefficients;
    if let Some(fit) = fixed {
        coefficients[1..].copy_from_slice(&fit.coefficients);
    }
    check_all_finite("coefficients", &coefficients)?;
    Ok(RandomIntercept {
        criterion_kind: criterion,
        coefficients,
        covariance,
        components,
        criterion: point.criterion,
        effects,
        dropped: likelihood.dropped.clone(),
        convergence,
        rows: moments.rows(),
        units: moments.non_empty(),
        likelihood,
        fixed: fixed.cloned(),
    })
}

impl RandomIntercept {
    /// −2 log-likelihood/−2.
    pub fn log_likelihood(&self) -> f64 {
        -0.5 * self.criterion
    }

    pub fn standard_errors(&self) -> Vec<f64> {
        (0..self.coefficients.len()).map(|k| at_least_zero(self.covariance[(k, k)]).sqrt()).collect()
    }

    /// The objective that was minimised.
    pub fn likelihood(&self) -> &ProfiledLikelihood {
        &self.likelihood
    }

    /// Adjusted means with the model's own β, for the lowest units or, with `parents` = (parent of each lowest unit,
    /// number of parents), for higher ones. `lowest` are the moments that were fitted.
    ///
    /// # Errors
    /// When β was fixed beforehand (use [`WithinFit::adjusted_means`]) or shapes do not fit.
    pub fn adjusted_means(
        &self,
        lowest: &UnitMoments,
        parents: Option<(&[Option<u32>], usize)>,
        reference: &[f64],
        options: &AdjustedMeanOptions,
    ) -> Result<Vec<Option<AdjustedMean>>> {
        if self.fixed.is_some() {
            return Err(StatsError::Undefined {
                what: "adjusted means of a random intercept",
                reason: "β was fixed: take the within-unit fit's adjusted means",
            });
        }
        let p = self.coefficients.len() - 1;
        check_length("units", self.effects.len(), lowest.units())?;
        check_length("reference adjusters", p, reference.len())?;
        check_all_finite("reference adjusters", reference)?;
        options.check()?;
        let own: Vec<Option<u32>> = (0..lowest.units() as u32).map(Some).collect();
        let (parent, groups) = parents.unwrap_or((&own, lowest.units()));
        let moments = lowest.aggregate(parent, groups)?;
        // Σ_k n_k (1, x̄_k)/(1 + n_kθ²): how far each unit's own mean entered β̂.
        let mut entered = vec![vec![0.0; p + 1]; groups];
        for (k, target) in parent.iter().enumerate() {
            let (Some(target), n) = (target, lowest.count(k) as f64) else { continue };
            if n > 0.0 {
                let u = n / (1.0 + n * self.components.theta.powi(2));
                let sum = &mut entered[*target as usize];
                sum[0] += u;
                for (s, x) in sum[1..].iter_mut().zip(lowest.mean_x(k)) {
                    *s += u * x;
                }
            }
        }
        let s2 = self.components.residual_sd.powi(2);
        let df = self.rows as f64 - self.units as f64 - self.likelihood.kept.len() as f64;
        (0..groups)
            .map(|j| {
                let n = moments.count(j) as f64;
                adjusted_mean(&moments, j, &self.coefficients[1..], reference, options, (s2, df), |difference| {
                    let mut d = vec![0.0];
                    d.extend_from_slice(difference);
                    let shared = self.covariance.bilinear(&d, &entered[j]) / n;
                    self.covariance.quadratic(&d) - 2.0 * shared
                })
            })
            .collect()
    }
}

/// β and V(β̂) in the caller's columns, from the centred system.
pub(super) fn original_scale(likelihood: &ProfiledLikelihood, point: &ProfilePoint, p: usize) -> (Vec<f64>, Matrix) {
    let d = likelihood.order();
    // β_0 = ȳ + β̃_0 − x̄'β, a linear map of the centred β̃.
    let map = Matrix::from_fn(p + 1, d, |i, k| match (i, k) {
        (0, 0) => 1.0,
        (0, k) => -likelihood.center_x[k - 1],
        (i, k) => f64::from(k > 0 && likelihood.kept[k - 1] == i - 1),
    });
    let mut beta = map.times(&point.beta);
    beta[0] += likelihood.center_y;
    let inverse = point.factor.inverse().scale(point.residual_variance);
    (beta, map.product(&inverse).product(&map.transpose()))
}

fn minimise(likelihood: &ProfiledLikelihood) -> Result<(ProfilePoint, Convergence)> {
    let typical = likelihood.typical_rows();
    let mut grid: Vec<f64> = (0..SEARCH_POINTS)
        .map(|k| k as f64 / SEARCH_POINTS as f64)
        .map(|reliability| reliability / (1.0 - reliability) / typical)
        .collect();
    let last = grid[SEARCH_POINTS - 1];
    grid.extend((1..=8).map(|k| last * 10f64.powi(k)));
    let mut evaluations = 0;
    let mut best = (0, f64::INFINITY);
    for (k, v) in grid.iter().enumerate() {
        evaluations += 1;
        let criterion = likelihood.objective(v.sqrt())?;
        if criterion < best.1 {
            best = (k, criterion);
        }
    }
    let low = grid[best.0.saturating_sub(1)];
    let high = grid[(best.0 + 1).min(grid.len() - 1)];
    let slope_at = |v: f64| likelihood.evaluate(v.sqrt()).map_or(f64::NAN, |p| p.derivative);
    if best.0 == 0 && slope_at(0.0) >= 0.0 {
        let point = likelihood.evaluate(0.0)?;
        let gradient = point.derivative;
        return Ok((point, Convergence { evaluations: evaluations + 2, gradient, boundary: true, converged: true }));
    }
    let Some((v, more)) = bracketed_root(slope_at, low, high) else {
        return Err(StatsError::NotConverged { what: "random intercept", iterations: evaluations });
    };
    evaluations += more + 1;
    let point = likelihood.evaluate(v.sqrt())?;
    let gradient = point.derivative * v;
    // The criterion is a sum over rows: its rounding grows with them.
    let converged = gradient.abs() <= 1e-8 * (1.0 + point.criterion.abs());
    Ok((point, Convergence { evaluations, gradient, boundary: false, converged }))
}
