//! The likelihood of a logistic random intercept: the objective, apart from whoever maximises it.
//!
//! # Estimand
//! log L(β, τ) of logit P = x'β + τu_j, u_j standard normal.
//! # Formula
//! h(u) = Σ[o log p + (n − o)log(1 − p)] − u²/2, û its mode, s = (1 + τ²Σnp(1 − p))^−½: log L_j = log s +
//! log Σ_k ω_k exp(h(û + sz_k) + z_k²/2). One node is Laplace's approximation.
//! # Source
//! Pinheiro, Bates (1995) Journal of Computational and Graphical Statistics 4:12–35 (Laplace and
//! adaptive Gaussian quadrature).
//! # Assumptions
//! Independent answers given u_j. Even in τ.
//! # Edge cases
//! Units with all outcomes alike have a finite mode, because u has a density.
//! # Reference values
//! lme4's glmer: `tests/reference/binary.rs` (mixed/) and `tests/reference/r_models.rs`; integrated by Simpson's rule in R:
//! `tests/reference/r_dense.rs`; more nodes against fewer: `tests/binary_random_intercept.rs`.

use super::counts::BinaryTable;
use super::{expit, expit_variance};
use crate::error::{Result, StatsError, check_all_finite, check_length};
use crate::linear_algebra::Dropped;
use rayon::prelude::*;

/// The objective for one table. Parameters: intercept at the adjusters' centre, kept slopes, τ.
#[derive(Debug, Clone)]
pub struct MixedLogisticLikelihood<'a> {
    pub(super) table: &'a BinaryTable,
    pub(super) rule: Vec<(f64, f64)>,
    pub(super) kept: Vec<usize>,
    pub(super) dropped: Vec<Dropped>,
    pub(super) center: Vec<f64>,
}

/// One unit's integrand, expanded about its mode.
pub(super) struct UnitExpansion {
    /// û: mode of the standardised effect.
    pub mode: f64,
    /// s: its spread.
    pub spread: f64,
    pub log_likelihood: f64,
    /// Posterior weights of the nodes, summing to 1.
    pub weights: Vec<f64>,
}

impl MixedLogisticLikelihood<'_> {
    /// log L at `parameters` = (intercept at the centre, kept slopes…, τ).
    ///
    /// # Errors
    /// Parameters of the wrong number or not finite; an integral that is not finite.
    pub fn objective(&self, parameters: &[f64]) -> Result<f64> {
        let units = self.expand(parameters)?;
        Ok(units.iter().flatten().map(|u| u.log_likelihood).sum())
    }

    /// Linear predictors of all patterns, intercept included.
    pub(super) fn predictors(&self, parameters: &[f64]) -> Vec<f64> {
        (0..self.table.patterns())
            .map(|i| {
                let x = self.table.pattern(i);
                let slopes = self.kept.iter().zip(&parameters[1..]);
                parameters[0] + slopes.map(|(&k, b)| (x[k] - self.center[k]) * b).sum::<f64>()
            })
            .collect()
    }

    pub(super) fn expand(&self, parameters: &[f64]) -> Result<Vec<Option<UnitExpansion>>> {
        check_length("parameters", self.kept.len() + 2, parameters.len())?;
        check_all_finite("parameters", parameters)?;
        let eta = self.predictors(parameters);
        let tau = parameters[self.kept.len() + 1];
        (0..self.table.units())
            .into_par_iter()
            .map(|j| {
                let cells: Vec<(f64, f64, f64)> = self
                    .table
                    .cells(j)
                    .iter()
                    .map(|c| (eta[c.pattern as usize], c.trials as f64, c.events as f64))
                    .collect();
                if cells.is_empty() {
                    return Ok(None);
                }
                expand_unit(&cells, tau, &self.rule).map(Some)
            })
            .collect()
    }
}

fn expand_unit(cells: &[(f64, f64, f64)], tau: f64, rule: &[(f64, f64)]) -> Result<UnitExpansion> {
    let h = |u: f64| cells.iter().map(|(e, n, o)| log_bernoulli(e + tau * u, *n, *o)).sum::<f64>() - 0.5 * u * u;
    let slopes = |u: f64| {
        let (mut gradient, mut information) = (0.0, 0.0);
        for (e, n, o) in cells {
            let at = e + tau * u;
            gradient += o * expit(-at) - (n - o) * expit(at);
            information += n * expit_variance(at);
        }
        (tau * gradient - u, 1.0 + tau * tau * information)
    };
    let mut mode: f64 = 0.0;
    let mut value = h(mode);
    for _ in 0..100 {
        let (gradient, curvature) = slopes(mode);
        let mut step = gradient / curvature;
        let mut next = h(mode + step);
        // h is concave: halving always ends, rounding apart.
        while (next.is_nan() || next < value - 1e-10 * value.abs().max(1.0)) && step.abs() > 1e-12 {
            step *= 0.5;
            next = h(mode + step);
        }
        mode += step;
        value = next;
        if step.abs() <= 1e-14 * mode.abs().max(1.0) {
            break;
        }
    }
    let spread = slopes(mode).1.sqrt().recip();
    let log_terms: Vec<f64> = rule
        .iter()
        .map(|(z, w)| if *z == 0.0 { w.ln() + value } else { w.ln() + h(mode + spread * z) + 0.5 * z * z })
        .collect();
    let top = log_terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut weights: Vec<f64> = log_terms.iter().map(|t| (t - top).exp()).collect();
    let total: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|w| *w /= total);
    let log_likelihood = spread.ln() + top + total.ln();
    if !(log_likelihood.is_finite() && mode.is_finite()) {
        return Err(StatsError::Undefined {
            what: "logistic random intercept",
            reason: "a unit's integral is not finite",
        });
    }
    Ok(UnitExpansion { mode, spread, log_likelihood, weights })
}

/// o log p + (n − o) log(1 − p) at the linear predictor `e`.
fn log_bernoulli(e: f64, n: f64, o: f64) -> f64 {
    let tail = (-e.abs()).exp().ln_1p();
    -(o * ((-e).max(0.0) + tail) + (n - o) * (e.max(0.0) + tail))
}
