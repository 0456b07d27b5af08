//! Running a loop with the vector instructions that the processor has.

use faer::traits::ComplexField;
pub(crate) use faer::traits::pulp::{Simd, WithSimd as VectorKernel};

/// Runs `kernel` with the widest instruction set at hand. Its `with_simd`, and all that is called in it, must be
/// `#[inline(always)]` for this to matter. Sums have as many lanes as the processor's registers, so their last bits depend on
/// the instruction set, as those of every linear algebra here do; never on threads.
#[inline(always)]
pub(crate) fn with_vector_instructions<K: VectorKernel>(kernel: K) -> K::Output {
    <f64 as ComplexField>::Arch::default().dispatch(kernel)
}
