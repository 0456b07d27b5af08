//! Degrees of freedom for a contrast of mixed-model coefficients.
//!
//! # Estimand
//! df of the t distribution that c'β̂/√v approximately follows, v = c'V(β̂)c.
//! # Formula
//! df = 2v²/(g'Ag), g = ∂v/∂(θ, σ), A = 2H⁻¹, H the Hessian of the deviance in (θ, σ). Derivatives of the
//! deviance's exact gradient, and of v, by central differences with one Richardson step.
//! # Source
//! Kuznetsova, Brockhoff, Christensen (2017) lmerTest, Journal of Statistical Software 82(13);
//! Fai, Cornelius (1996) Journal of Statistical Computation and Simulation 54:363–378.
//! # Assumptions
//! The optimum lies inside the parameter space.
//! # Edge cases
//! A variance component at 0, or an H that is not positive definite, gives `None`.
//! # Reference values
//! `tests/case_mix_inference.rs`: the mean of balanced units by hand; lmerTest: `tests/reference/case_mix.rs` (mixed/),
//! one and two random levels; `tests/reference/r_models.rs`, two and three.

use super::nested::NestedFit;
use super::random_intercept::{RandomIntercept, original_scale};
use crate::error::{Result, check_all_finite, check_length};
use crate::linear_algebra::{Cholesky, Matrix, dot};

impl RandomIntercept {
    /// Satterthwaite degrees of freedom of `contrast`'β̂; the contrast has the intercept first.
    ///
    /// # Errors
    /// A contrast of another length than the coefficients, or not finite.
    pub fn satterthwaite_df(&self, contrast: &[f64]) -> Result<Option<f64>> {
        check_length("contrast", self.coefficients.len(), contrast.len())?;
        check_all_finite("contrast", contrast)?;
        if self.convergence.boundary || self.fixed.is_some() {
            return Ok(None);
        }
        let df = self.likelihood.degrees_of_freedom();
        let at = [self.components.theta, self.components.residual_sd];
        let gradient = |q: &[f64]| -> Option<Vec<f64>> {
            let point = self.likelihood.evaluate(q[0]).ok()?;
            let (s2, r2) = (q[1] * q[1], point.residual_variance * df);
            Some(vec![2.0 * q[0] * (point.log_slope - point.pull / s2), 2.0 * df / q[1] - 2.0 * r2 / (s2 * q[1])])
        };
        let variance = |q: &[f64]| -> Option<f64> {
            let mut point = self.likelihood.evaluate(q[0]).ok()?;
            point.residual_variance = q[1] * q[1];
            Some(original_scale(&self.likelihood, &point, contrast.len() - 1).1.quadratic(contrast))
        };
        Ok(degrees_of_freedom(&at, gradient, variance))
    }
}

impl NestedFit {
    /// Satterthwaite degrees of freedom of `contrast`'β̂; the contrast has the intercept first.
    ///
    /// # Errors
    /// A contrast of another length than the coefficients, or not finite.
    pub fn satterthwaite_df(&self, contrast: &[f64]) -> Result<Option<f64>> {
        check_length("contrast", self.coefficients.len(), contrast.len())?;
        check_all_finite("contrast", contrast)?;
        if self.theta.contains(&0.0) {
            return Ok(None);
        }
        let mut at = self.theta.clone();
        at.push(self.residual_sd);
        let levels = self.theta.len();
        let gradient = |q: &[f64]| self.likelihood.deviance_gradient(&q[..levels], q[levels]).ok();
        let variance = |q: &[f64]| {
            let covariance = self.likelihood.covariance(&q[..levels], q[levels]).ok()?;
            Some(covariance.quadratic(contrast))
        };
        Ok(degrees_of_freedom(&at, gradient, variance))
    }
}

/// df from the deviance's gradient and the contrast's variance, as functions of (θ…, σ), at the optimum `at`.
fn degrees_of_freedom(
    at: &[f64],
    gradient: impl Fn(&[f64]) -> Option<Vec<f64>>,
    variance: impl Fn(&[f64]) -> Option<f64>,
) -> Option<f64> {
    let k = at.len();
    let mut hessian = Matrix::zeros(k, k);
    let mut slope = vec![0.0; k];
    for a in 0..k {
        let difference = |step: f64| -> Option<(Vec<f64>, f64)> {
            let (mut up, mut down) = (at.to_vec(), at.to_vec());
            up[a] += step;
            down[a] -= step;
            let (gu, gd) = (gradient(&up)?, gradient(&down)?);
            let slopes = gu.iter().zip(&gd).map(|(u, d)| (u - d) / (2.0 * step)).collect();
            Some((slopes, (variance(&up)? - variance(&down)?) / (2.0 * step)))
        };
        let step = 1e-3 * at[a];
        let (wide, narrow) = (difference(step)?, difference(0.5 * step)?);
        let richardson = |w: f64, n: f64| n + (n - w) / 3.0;
        for b in 0..k {
            hessian[(b, a)] = richardson(wide.0[b], narrow.0[b]);
        }
        slope[a] = richardson(wide.1, narrow.1);
    }
    let symmetric = Matrix::from_fn(k, k, |a, b| 0.5 * (hessian[(a, b)] + hessian[(b, a)]));
    let factor = Cholesky::new("Hessian of the deviance", &symmetric).ok()?;
    let v = variance(at)?;
    let df = v * v / dot(&slope, &factor.solve(&slope));
    (df.is_finite() && df > 0.0).then_some(df)
}
