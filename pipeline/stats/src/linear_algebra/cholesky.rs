//! Cholesky factorisation of a symmetric positive definite matrix.
//!
//! # Estimand
//! L with A = LL', and through it solutions, quadratic forms, the inverse and the determinant.
//! # Formula
//! A is scaled to a unit diagonal first, D A D = LL' with D = diag(A_kk^−½): columns of very different units do no harm.
//! # Source
//! Golub, Van Loan (2013) Matrix Computations, 4th ed., section 4.2, one column after the other: orders here are a few dozen.
//! # Assumptions
//! A is symmetric; only its lower triangle is read.
//! # Edge cases
//! Order 0 is allowed. A diagonal that is not above 0, a value that is not finite or a pivot that vanishes is an error.
//! # Reference values
//! By property in `tests/models_by_property.rs`, and through every fit of `tests/reference`; hostile matrices in `tests/hostile/small.rs`.

use super::Matrix;
use crate::error::{Result, StatsError};

/// `A = L L'` with A scaled to a unit diagonal first, so that columns of very different units do no harm.
#[derive(Debug, Clone)]
pub struct Cholesky {
    l: Matrix,
    /// 1/√A_kk.
    scale: Vec<f64>,
}

impl Cholesky {
    /// Factorises `a` (only its lower triangle is read). Order 0 is allowed.
    ///
    /// # Errors
    /// [`StatsError::Singular`] when `a` is not finite or not positive definite.
    pub fn new(what: &'static str, a: &Matrix) -> Result<Self> {
        let n = a.rows();
        let singular = StatsError::Singular { what };
        if n != a.columns() || !a.is_finite() {
            return Err(singular);
        }
        let mut scale = Vec::with_capacity(n);
        for k in 0..n {
            if a[(k, k)] <= 0.0 || !a[(k, k)].is_normal() {
                return Err(singular);
            }
            scale.push(1.0 / a[(k, k)].sqrt());
        }
        if n == 0 {
            return Ok(Cholesky { l: Matrix::zeros(0, 0), scale });
        }
        let scaled = Matrix::from_fn(n, n, |i, j| a[(i.max(j), i.min(j))] * scale[i] * scale[j]);
        let mut l = Matrix::zeros(n, n);
        for j in 0..n {
            let left = scaled[(j, j)] - (0..j).map(|k| l[(j, k)] * l[(j, k)]).sum::<f64>();
            if left.is_nan() || left <= 0.0 {
                return Err(singular);
            }
            l[(j, j)] = left.sqrt();
            for i in j + 1..n {
                let known: f64 = (0..j).map(|k| l[(i, k)] * l[(j, k)]).sum();
                l[(i, j)] = (scaled[(i, j)] - known) / l[(j, j)];
            }
        }
        if !l.is_finite() {
            return Err(singular);
        }
        Ok(Cholesky { l, scale })
    }

    pub fn order(&self) -> usize {
        self.scale.len()
    }

    /// log |A|.
    pub fn log_determinant(&self) -> f64 {
        (0..self.order()).map(|k| 2.0 * (self.l[(k, k)].ln() - self.scale[k].ln())).sum()
    }

    /// L⁻¹ x in the scaled system; its squared length is x'A⁻¹x.
    pub fn half_solve(&self, x: &[f64]) -> Vec<f64> {
        let n = self.order();
        let mut z: Vec<f64> = x.iter().zip(&self.scale).map(|(v, s)| v * s).collect();
        for j in 0..n {
            z[j] /= self.l[(j, j)];
            for i in j + 1..n {
                z[i] -= self.l[(i, j)] * z[j];
            }
        }
        z
    }

    /// A⁻¹ x.
    pub fn solve(&self, x: &[f64]) -> Vec<f64> {
        let n = self.order();
        let mut z = self.half_solve(x);
        for i in (0..n).rev() {
            for k in i + 1..n {
                z[i] -= self.l[(k, i)] * z[k];
            }
            z[i] /= self.l[(i, i)];
        }
        for (v, s) in z.iter_mut().zip(&self.scale) {
            *v *= s;
        }
        z
    }

    /// x' A⁻¹ x.
    pub fn inverse_quadratic(&self, x: &[f64]) -> f64 {
        self.half_solve(x).iter().map(|v| v * v).sum()
    }

    /// A⁻¹, exactly symmetric.
    pub fn inverse(&self) -> Matrix {
        let n = self.order();
        let mut out = Matrix::zeros(n, n);
        let mut unit = vec![0.0; n];
        for j in 0..n {
            unit[j] = 1.0;
            let column = self.solve(&unit);
            unit[j] = 0.0;
            for i in j..n {
                out[(i, j)] = column[i];
                out[(j, i)] = column[i];
            }
        }
        out
    }
}
