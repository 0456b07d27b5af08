//! β from variation within units.
//!
//! # Estimand
//! The coefficients of the adjusters in y_ij = α_j + x_ij'β + e_ij with α_j free.
//! # Formula
//! β̂ = W_xx⁻¹W_xy, s² = (W_yy − β̂'W_xy)/(N − J − p), V(β̂) = s²W_xx⁻¹, W summed over units.
//! # Source
//! Searle (1971) Linear Models, chapter 8 (analysis of covariance, one-way); Mundlak (1978) Econometrica
//! 46:69–85 (the within estimator).
//! # Assumptions
//! One slope for all units; errors uncorrelated with equal variance (for V and s²).
//! # Edge cases
//! Adjusters that are constant within all units, or explained by those before them, are dropped and named by
//! index; their coefficient and covariance are 0. No degrees of freedom, or an outcome without variation within units: an
//! error. p = 0 is allowed and gives plain means.
//! # Reference values
//! `tests/case_mix_within.rs`: by hand; R's OLS with one dummy per unit: `tests/reference/case_mix.rs` (mixed/) and
//! `tests/reference/r_models.rs`.

use super::adjusted::{AdjustedMean, AdjustedMeanOptions, adjusted_mean};
use super::moments::{PooledWithin, UnitMoments};
use crate::error::{Result, StatsError, check_all_finite, check_length};
use crate::linear_algebra::{Cholesky, Dropped, Matrix, dot, independent_columns};
use crate::numeric::at_least_zero;

/// The within-unit fit of one indicator in one period.
#[derive(Debug, Clone, PartialEq)]
pub struct WithinFit {
    /// β̂, p values in the caller's order; 0 for dropped adjusters.
    pub coefficients: Vec<f64>,
    /// V(β̂), p × p; rows and columns of dropped adjusters are 0.
    pub covariance: Matrix,
    /// s² = RSS/(N − J − p).
    pub residual_variance: f64,
    /// Σ of squared residuals within units.
    pub residual_sum_of_squares: f64,
    /// N − J − p, p counting kept adjusters.
    pub degrees_of_freedom: f64,
    /// Share of the variation within units that the adjusters explain.
    pub r_squared_within: f64,
    /// Indices of adjusters kept.
    pub kept: Vec<usize>,
    /// Adjusters left out, and why.
    pub dropped: Vec<Dropped>,
    /// Rows used.
    pub rows: u64,
    /// Units with at least one row.
    pub units: usize,
}

impl WithinFit {
    /// √ of the diagonal of V(β̂); 0 for dropped adjusters.
    pub fn standard_errors(&self) -> Vec<f64> {
        (0..self.coefficients.len()).map(|k| at_least_zero(self.covariance[(k, k)]).sqrt()).collect()
    }

    /// Adjusted means of the units in `moments`, of the fit's own level or any other, at the adjusters `reference` (x̄).
    /// `None` for units without rows.
    ///
    /// # Errors
    /// When `reference` has another length than β or is not finite, or the level is not inside (0, 1).
    pub fn adjusted_means(
        &self,
        moments: &UnitMoments,
        reference: &[f64],
        options: &AdjustedMeanOptions,
    ) -> Result<Vec<Option<AdjustedMean>>> {
        let p = self.coefficients.len();
        check_length("adjusters of the moments", p, moments.adjusters())?;
        check_length("reference adjusters", p, reference.len())?;
        check_all_finite("reference adjusters", reference)?;
        options.check()?;
        (0..moments.units())
            .map(|j| {
                adjusted_mean(
                    moments,
                    j,
                    &self.coefficients,
                    reference,
                    options,
                    (self.residual_variance, self.degrees_of_freedom),
                    |difference| self.covariance.quadratic(difference),
                )
            })
            .collect()
    }
}

/// Fits β within the units of `moments` (the lowest level).
///
/// # Errors
/// [`StatsError::TooFew`] without residual degrees of freedom, [`StatsError::Constant`] when y does not vary within any
/// unit once adjusted.
pub fn within(moments: &UnitMoments) -> Result<WithinFit> {
    within_pooled(&moments.pooled_within())
}

/// As [`within`], from pooled cross-products.
fn within_pooled(pooled: &PooledWithin) -> Result<WithinFit> {
    let p = pooled.xy.len();
    let (kept, dropped) = independent_columns(&pooled.xx, &pooled.raw_x);
    let parameters = pooled.units + kept.len();
    if pooled.rows <= parameters as u64 {
        return Err(StatsError::TooFew {
            what: "rows for a within-unit fit",
            needed: parameters + 1,
            found: pooled.rows as usize,
        });
    }
    let degrees_of_freedom = (pooled.rows - parameters as u64) as f64;
    let w = pooled.xx.submatrix(&kept);
    let xy: Vec<f64> = kept.iter().map(|&k| pooled.xy[k]).collect();
    let factor = Cholesky::new("cross-products within units", &w)?;
    let beta = factor.solve(&xy);
    let rss = (pooled.yy - 2.0 * dot(&beta, &xy) + w.quadratic(&beta)).max(0.0);
    // Below this share of W_yy the residual is rounding of the products, not variation.
    if !rss.is_finite() || rss <= 1e-14 * pooled.yy {
        return Err(StatsError::Constant { what: "outcome within units" });
    }
    let residual_variance = rss / degrees_of_freedom;
    let inverse = factor.inverse().scale(residual_variance);
    let mut coefficients = vec![0.0; p];
    let mut covariance = Matrix::zeros(p, p);
    for (a, &ka) in kept.iter().enumerate() {
        coefficients[ka] = beta[a];
        for (b, &kb) in kept.iter().enumerate() {
            covariance[(ka, kb)] = inverse[(a, b)];
        }
    }
    check_all_finite("coefficients", &coefficients)?;
    Ok(WithinFit {
        coefficients,
        covariance,
        residual_variance,
        residual_sum_of_squares: rss,
        degrees_of_freedom,
        r_squared_within: 1.0 - rss / pooled.yy,
        kept,
        dropped,
        rows: pooled.rows,
        units: pooled.units,
    })
}
