//! Small dense linear algebra: a matrix, its Cholesky factor, its eigenvalues, and loops with vector instructions.
//!
//! Orders are a few dozen, so plain algorithms are as fast as blocked ones, and compile in a moment where a general library's
//! take minutes. Vector instructions come from `faer`, which no other module of this crate names.

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
