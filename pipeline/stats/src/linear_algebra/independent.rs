//! Which columns of a design are constant or repeat others.
//!
//! # Estimand
//! The largest set of columns, earlier ones first, whose cross-product matrix is well conditioned.
//! # Formula
//! Sweep in the order given: column k stays when what the kept columns do not explain of it, W_kk − w'W⁻¹w,
//! exceeds [`COLLINEAR_SHARE`] of W_kk.
//! # Source
//! Goodnight (1979) A tutorial on the SWEEP operator, The American Statistician 33:149–158 (the
//! tolerance test); the share is that of SAS's `SINGULAR=` in squared scale.
//! # Assumptions
//! W is symmetric and positive semi-definite up to rounding.
//! # Edge cases
//! A column with W_kk at rounding level of its raw sum of squares is constant. Order 0 gives nothing.
//! # Reference values
//! By hand in `tests/case_mix_within.rs`.

use super::Matrix;

/// Share of its own variation below which a column counts as explained by the others.
pub const COLLINEAR_SHARE: f64 = 1e-10;

/// Variation relative to the raw sum of squares below which a column counts as constant (rounding of the means).
pub const CONSTANT_SHARE: f64 = 1e-20;

/// Why a column was left out of a fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropReason {
    /// It does not vary where the fit looks.
    Constant,
    /// The columns before it explain it.
    Collinear,
    /// It separates the outcomes (binary outcomes only).
    Separated,
}

/// A column left out of a fit; `index` counts from 0 in the caller's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dropped {
    pub index: usize,
    pub reason: DropReason,
}

/// Splits columns into those kept (increasing indices) and those dropped with the reason.
///
/// `cross` is the centred cross-product matrix, `raw` the uncentred sums of squares that tell rounding from variation.
pub fn independent_columns(cross: &Matrix, raw: &[f64]) -> (Vec<usize>, Vec<Dropped>) {
    let p = cross.rows();
    let mut kept: Vec<usize> = Vec::new();
    let mut dropped = Vec::new();
    // Rows of the growing Cholesky factor of the kept columns, scaled to unit diagonal.
    let mut factor: Vec<Vec<f64>> = Vec::new();
    for k in 0..p {
        let diagonal = cross[(k, k)];
        if !diagonal.is_finite() || diagonal <= CONSTANT_SHARE * raw[k] || diagonal <= f64::MIN_POSITIVE {
            dropped.push(Dropped { index: k, reason: DropReason::Constant });
            continue;
        }
        let mut row: Vec<f64> = Vec::with_capacity(kept.len() + 1);
        for (r, &c) in kept.iter().enumerate() {
            let scaled = cross[(k, c)] / (diagonal.sqrt() * cross[(c, c)].sqrt());
            let known: f64 = (0..r).map(|m| row[m] * factor[r][m]).sum();
            row.push((scaled - known) / factor[r][r]);
        }
        let left = 1.0 - row.iter().map(|v| v * v).sum::<f64>();
        if left.is_nan() || left <= COLLINEAR_SHARE {
            dropped.push(Dropped { index: k, reason: DropReason::Collinear });
        } else {
            row.push(left.sqrt());
            factor.push(row);
            kept.push(k);
        }
    }
    (kept, dropped)
}
