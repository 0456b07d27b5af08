//! Small dense linear algebra: one door to `faer`.
//!
//! The kernels work with a few dozen columns at most. They see [`Matrix`], [`Cholesky`] and [`symmetric_eigen`]; no other
//! module of this crate names `faer`.

mod cholesky;
mod independent;
mod matrix;
mod spectral;
mod vector;

pub use cholesky::Cholesky;
pub use independent::{DropReason, Dropped, independent_columns};
pub use matrix::{Matrix, dot};
pub use spectral::{SymmetricEigen, symmetric_eigen};
pub(crate) use vector::{Simd, VectorKernel, with_vector_instructions};
