//! Eigenvalues and eigenvectors of a symmetric matrix.
//!
//! # Estimand
//! U and d with A = U diag(d) U', and functions of A by way of them.
//! # Formula
//! f(A) = U diag(f(d)) U'.
//! # Source
//! Golub, Van Loan, Matrix Computations, chapter 8 (faer's decomposition).
//! # Assumptions
//! A is symmetric; only its lower triangle is read.
//! # Edge cases
//! Order 0 is allowed. A matrix that is not square or not finite, or whose eigenvalues overflow, is an error.
//! # Reference values
//! Through the cluster-robust errors of `tests/reference`; hostile matrices in `tests/hostile/small.rs`.

use super::Matrix;
use crate::error::{Result, StatsError};
use faer::Side;
use faer::linalg::solvers::SelfAdjointEigen;

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

/// Decomposes a symmetric matrix (lower triangle read).
///
/// # Errors
/// [`StatsError::Singular`] when the matrix is not square, not finite, or the iteration fails.
pub fn symmetric_eigen(what: &'static str, a: &Matrix) -> Result<SymmetricEigen> {
    let n = a.rows();
    if n != a.columns() || !a.is_finite() {
        return Err(StatsError::Singular { what });
    }
    if n == 0 {
        return Ok(SymmetricEigen { values: Vec::new(), vectors: Matrix::zeros(0, 0) });
    }
    let eigen = SelfAdjointEigen::new(a.to_faer().as_ref(), Side::Lower).map_err(|_| StatsError::Singular { what })?;
    let diagonal = eigen.S().column_vector();
    let values: Vec<f64> = (0..n).map(|i| diagonal[i]).collect();
    let vectors = Matrix::from_fn(n, n, |i, j| eigen.U()[(i, j)]);
    if !(vectors.is_finite() && values.iter().all(|v| v.is_finite())) {
        return Err(StatsError::Singular { what });
    }
    Ok(SymmetricEigen { values, vectors })
}
