//! Running a loop with the vector instructions that the processor has.

use faer::traits::ComplexField;
pub(crate) use faer::traits::pulp::NullaryFnOnce as VectorKernel;

/// Runs `kernel`, compiled for the widest instruction set at hand. Its `call`, and all that is called in it, must be
/// `#[inline(always)]` for this to matter (so a closure will not do). Multiplications and additions stay separate and in
/// their order: the bits do not depend on the processor.
#[inline(always)]
pub(crate) fn with_vector_instructions<K: VectorKernel>(kernel: K) -> K::Output {
    <f64 as ComplexField>::Arch::default().dispatch(kernel)
}
