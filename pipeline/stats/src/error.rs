//! The one error type of the crate.

use thiserror::Error;

/// Why a kernel gave no number.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum StatsError {
    /// There is nothing to compute from.
    #[error("{what}: there are no values")]
    Empty { what: &'static str },

    /// Fewer values, units or events than the method needs.
    #[error("{what}: {found} found, at least {needed} needed")]
    TooFew { what: &'static str, needed: usize, found: usize },

    /// Two inputs that belong together differ in length.
    #[error("{what}: {found} values where {expected} were expected")]
    LengthMismatch { what: &'static str, expected: usize, found: usize },

    /// NaN or an infinity in the input; `index` is its position (0 for a scalar).
    #[error("{what}: the value at position {index} is not finite")]
    NotFinite { what: &'static str, index: usize },

    /// A value outside what the method is defined for.
    #[error("{what}: {value} is not allowed (allowed: {allowed})")]
    OutOfRange { what: &'static str, value: f64, allowed: &'static str },

    /// All values are equal where spread is needed.
    #[error("{what}: the values do not vary")]
    Constant { what: &'static str },

    /// A matrix that has no inverse, or not a positive definite one.
    #[error("{what}: the matrix is singular")]
    Singular { what: &'static str },

    /// An iteration that did not reach its tolerance.
    #[error("{what}: no convergence after {iterations} iterations")]
    NotConverged { what: &'static str, iterations: usize },

    /// A quantity that these data do not define.
    #[error("{what}: {reason}")]
    Undefined { what: &'static str, reason: &'static str },

    /// Outcomes that a set of predictors separates completely.
    #[error("{what}: complete separation")]
    Separation { what: &'static str },

    /// A margin or cell that cannot be met; positions count from 0.
    #[error("{what}: margin {margin}, cell {cell} cannot be met (target {target}, reached {reached})")]
    Margin { what: &'static str, margin: usize, cell: usize, target: f64, reached: f64 },
}

/// Result of a kernel.
pub type Result<T> = std::result::Result<T, StatsError>;

impl StatsError {
    /// [`StatsError::OutOfRange`], shorter to write.
    pub fn out_of_range(what: &'static str, value: f64, allowed: &'static str) -> Self {
        StatsError::OutOfRange { what, value, allowed }
    }
}

/// Errors unless `value` is finite.
pub fn check_finite(what: &'static str, value: f64) -> Result<f64> {
    if value.is_finite() { Ok(value) } else { Err(StatsError::NotFinite { what, index: 0 }) }
}

/// Errors unless every value is finite.
pub fn check_all_finite(what: &'static str, values: &[f64]) -> Result<()> {
    match values.iter().position(|v| !v.is_finite()) {
        Some(index) => Err(StatsError::NotFinite { what, index }),
        None => Ok(()),
    }
}

/// Errors unless `found` has `expected` values.
pub fn check_length(what: &'static str, expected: usize, found: usize) -> Result<()> {
    if expected == found { Ok(()) } else { Err(StatsError::LengthMismatch { what, expected, found }) }
}

/// Errors unless every value is finite and at least 0.
pub fn check_non_negative(what: &'static str, values: &[f64]) -> Result<()> {
    check_all_finite(what, values)?;
    match values.iter().find(|v| **v < 0.0) {
        Some(v) => Err(StatsError::out_of_range(what, *v, "at least 0")),
        None => Ok(()),
    }
}

/// Errors unless every value is finite and above 0.
pub fn check_positive(what: &'static str, values: &[f64]) -> Result<()> {
    check_all_finite(what, values)?;
    match values.iter().find(|v| **v <= 0.0) {
        Some(v) => Err(StatsError::out_of_range(what, *v, "above 0")),
        None => Ok(()),
    }
}

/// Passes a computed result on, or says that it left the range of finite numbers.
pub fn finite_result(what: &'static str, value: f64) -> Result<f64> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(StatsError::Undefined { what, reason: "the result is not a finite number" })
    }
}
