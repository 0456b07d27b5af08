//! Eigenvalues and eigenvectors of a symmetric matrix.
//!
//! # Estimand
//! U and d with A = U diag(d) U', and functions of A by way of them.
//! # Formula
//! f(A) = U diag(f(d)) U'. Rotations in rows and columns p, q make a_pq vanish, pair after pair, until all are rounding.
//! # Source
//! Golub, Van Loan (2013) Matrix Computations, 4th ed., section 8.5 (cyclic Jacobi); Demmel, Veselić (1992) SIAM Journal on
//! Matrix Analysis and Applications 13:1204–1245 (small eigenvalues of a positive definite matrix keep their digits).
//! # Assumptions
//! A is symmetric; only its lower triangle is read.
//! # Edge cases
//! Order 0 is allowed. A matrix that is not square or not finite, or whose eigenvalues overflow, is an error.
//! # Reference values
//! By hand and by property in `tests/models_by_property.rs`, and through the cluster-robust errors of `tests/reference`; hostile matrices in `tests/hostile/small.rs`.

use super::Matrix;
use crate::error::{Result, StatsError};

/// `A = U diag(values) U'`, values in increasing order.
#[derive(Debug, Clone)]
pub struct SymmetricEigen {
    pub values: Vec<f64>,
    /// Eigenvectors as columns.
    pub vectors: Matrix,
}

impl SymmetricEigen {
    /// U diag(f(values)) U'.
    pub fn map(&self, f: impl Fn(f64) -> f64) -> Matrix {
        let n = self.values.len();
        let mut out = Matrix::zeros(n, n);
        for (k, &v) in self.values.iter().enumerate() {
            out.add_outer(f(v), self.vectors.column(k));
        }
        out
    }
}

/// Sweeps over all pairs; quadratic convergence needs fewer than ten.
const MAX_SWEEPS: usize = 60;

/// Decomposes a symmetric matrix (lower triangle read).
///
/// # Errors
/// [`StatsError::Singular`] when the matrix is not square or not finite, [`StatsError::NotConverged`] when rotations do not end.
pub fn symmetric_eigen(what: &'static str, a: &Matrix) -> Result<SymmetricEigen> {
    let n = a.rows();
    if n != a.columns() || !a.is_finite() {
        return Err(StatsError::Singular { what });
    }
    if n == 0 {
        return Ok(SymmetricEigen { values: Vec::new(), vectors: Matrix::zeros(0, 0) });
    }
    let mut a = Matrix::from_fn(n, n, |i, j| a[(i.max(j), i.min(j))]);
    let mut u = Matrix::identity(n);
    let mut settled = false;
    for _ in 0..MAX_SWEEPS {
        settled = true;
        for p in 0..n {
            for q in p + 1..n {
                let size = (a[(p, p)].abs() * a[(q, q)].abs()).sqrt();
                if a[(p, q)] != 0.0 && a[(p, q)].abs() > 0.1 * f64::EPSILON * size {
                    settled = false;
                    rotate(&mut a, &mut u, p, q);
                }
            }
        }
        if settled {
            break;
        }
    }
    // Below full rank what is left may turn for ever, far below the rounding of the largest value.
    let largest = (0..n).map(|k| a[(k, k)].abs()).fold(0.0, f64::max);
    let is_rounding = |p: usize, q: usize| p == q || a[(p, q)].abs() <= f64::EPSILON * largest;
    if !settled && !(0..n).all(|p| (0..n).all(|q| is_rounding(p, q))) {
        return Err(StatsError::NotConverged { what, iterations: MAX_SWEEPS });
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| a[(i, i)].total_cmp(&a[(j, j)]));
    let values: Vec<f64> = order.iter().map(|&i| a[(i, i)]).collect();
    let vectors = Matrix::from_fn(n, n, |i, j| u[(i, order[j])]);
    if !(vectors.is_finite() && values.iter().all(|v| v.is_finite())) {
        return Err(StatsError::Singular { what });
    }
    Ok(SymmetricEigen { values, vectors })
}

/// The rotation that makes a_pq vanish, applied to A from both sides and to U from the right.
fn rotate(a: &mut Matrix, u: &mut Matrix, p: usize, q: usize) {
    let theta = (a[(q, q)] - a[(p, p)]) / (2.0 * a[(p, q)]);
    let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
    let c = 1.0 / t.hypot(1.0);
    let s = t * c;
    let turn = |m: &mut Matrix, x: (usize, usize), y: (usize, usize)| {
        let (at_x, at_y) = (m[x], m[y]);
        m[x] = c * at_x - s * at_y;
        m[y] = s * at_x + c * at_y;
    };
    for k in 0..a.rows() {
        turn(a, (k, p), (k, q));
    }
    for k in 0..a.rows() {
        turn(a, (p, k), (q, k));
        turn(u, (k, p), (k, q));
    }
    // What is left there is rounding.
    a[(p, q)] = 0.0;
    a[(q, p)] = 0.0;
}
