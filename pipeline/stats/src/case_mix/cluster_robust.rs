//! Cluster-robust standard errors of the within-unit β, bias-reduced (CR2), with their own degrees of freedom.
//!
//! # Estimand
//! V(β̂) when answers within a unit correlate or vary unequally; units are the clusters.
//! # Formula
//! M = W_xx⁻¹, W_j the unit's cross-products: s_j = W_j,xy − W_jβ̂; CR0 = MΣs_js_j'M, CR1 = CR0·J/(J − 1),
//! CR2 with f(W_jM)s_j for s_j, f(t) = (1 − t)^−½, because X_j'(I − X_jMX_j')^−½ = f(W_jM)X_j'. df of c'β̂:
//! (tr P)²/tr P², P_jk = 1{j = k}d_j − h_j'Mh_k, h_j = f(W_jM)W_jMc, d_j = (Mc)'f²(W_jM)W_jMc.
//! # Source
//! Bell, McCaffrey (2002) Survey Methodology 28:169–181; Pustejovsky, Tipton (2018) Journal of Business &
//! Economic Statistics 36:672–683.
//! # Assumptions
//! Units independent of each other; identity as the working covariance.
//! # Edge cases
//! A unit that alone determines a direction of β has t = 1: that direction is left out, as by a generalised
//! inverse. Fewer than two units with rows: an error.
//! # Reference values
//! `tests/case_mix_inference.rs`: two units by hand; clubSandwich's CR0, CR1, CR2 and df: `tests/reference/case_mix.rs`
//! (mixed/) and `tests/reference/r_models.rs` (1e-10); an adjuster that varies in one unit only:
//! `tests/reference/r_dense.rs`.

use super::moments::UnitMoments;
use super::within::WithinFit;
use crate::distributions::student_t;
use crate::error::{Result, StatsError, check_length};
use crate::linear_algebra::{Cholesky, Matrix, dot, symmetric_eigen};
use crate::numeric::at_least_zero;

/// 1 − t below which a unit determines a direction alone.
const ALONE: f64 = 1e-10;

/// Which correction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusterCorrection {
    Cr0,
    Cr1,
    Cr2,
}

/// Robust inference for β̂; arrays in the caller's order of adjusters, dropped ones with variance 0 and no test.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterRobust {
    pub covariance: Matrix,
    pub standard_errors: Vec<f64>,
    /// Satterthwaite degrees of freedom (CR2); J − 1 for the others; `None` for dropped adjusters.
    pub degrees_of_freedom: Vec<Option<f64>>,
    /// Two-sided p of β_k = 0.
    pub p: Vec<Option<f64>>,
}

/// Robust covariance of `fit`, whose rows are those of `moments`.
///
/// # Errors
/// Fewer than two units with rows, other moments than the fit's, a singular system.
pub fn cluster_robust(fit: &WithinFit, moments: &UnitMoments, correction: ClusterCorrection) -> Result<ClusterRobust> {
    let p = fit.coefficients.len();
    check_length("adjusters of the moments", p, moments.adjusters())?;
    let units = moments.non_empty();
    if units < 2 {
        return Err(StatsError::TooFew { what: "units as clusters", needed: 2, found: units });
    }
    let kept = &fit.kept;
    let d = kept.len();
    let bread = Cholesky::new("cross-products within units", &moments.pooled_within().xx.submatrix(kept))?.inverse();
    let root = symmetric_eigen("cross-products within units", &bread)?;
    let (half, half_inverse) = (root.map(|v| v.max(0.0).sqrt()), root.map(|v| 1.0 / v.max(f64::MIN_POSITIVE).sqrt()));
    let mut meat = Matrix::zeros(d, d);
    let mut parts = Vec::with_capacity(units);
    for j in (0..moments.units()).filter(|&j| moments.count(j) > 0) {
        let w = Matrix::from_fn(d, d, |a, b| moments.cross(j, kept[a], kept[b]));
        let fitted = w.times(&kept.iter().map(|&k| fit.coefficients[k]).collect::<Vec<_>>());
        let score: Vec<f64> = (0..d).map(|a| moments.cross(j, kept[a], p) - fitted[a]).collect();
        // In the basis M^½ everything about the unit is a function of one symmetric matrix.
        let eigen = symmetric_eigen("leverage of a unit", &half.product(&w).product(&half))?;
        let power = |e: f64| match correction {
            ClusterCorrection::Cr2 if 1.0 - e > ALONE => 1.0 / (1.0 - e).sqrt(),
            ClusterCorrection::Cr2 => 0.0,
            _ => 1.0,
        };
        let adjust = half_inverse.product(&eigen.map(power)).product(&half);
        meat.add_outer(1.0, &adjust.times(&score));
        parts.push((eigen.map(|e| power(e) * e), eigen.map(|e| power(e).powi(2) * e)));
    }
    if correction == ClusterCorrection::Cr1 {
        meat = meat.scale(units as f64 / (units as f64 - 1.0));
    }
    let small = bread.product(&meat).product(&bread);
    let mut covariance = Matrix::zeros(p, p);
    let mut degrees_of_freedom = vec![None; p];
    let mut tests = vec![None; p];
    for (a, &ka) in kept.iter().enumerate() {
        for (b, &kb) in kept.iter().enumerate() {
            covariance[(ka, kb)] = 0.5 * (small[(a, b)] + small[(b, a)]);
        }
        let df = match correction {
            ClusterCorrection::Cr2 => satterthwaite(&parts, half.column(a)),
            _ => Some(units as f64 - 1.0),
        };
        let se = at_least_zero(covariance[(ka, ka)]).sqrt();
        degrees_of_freedom[ka] = df;
        if let Some(df) = df.filter(|_| se > 0.0) {
            tests[ka] = Some(student_t::two_sided_p(fit.coefficients[ka] / se, df)?);
        }
    }
    let standard_errors = (0..p).map(|k| at_least_zero(covariance[(k, k)]).sqrt()).collect();
    Ok(ClusterRobust { covariance, standard_errors, degrees_of_freedom, p: tests })
}

/// df for a coefficient whose column of M^½ is `c`: with h̃_j = M^½h_j and d_j from the unit's functions.
fn satterthwaite(parts: &[(Matrix, Matrix)], c: &[f64]) -> Option<f64> {
    let mut total = Matrix::zeros(c.len(), c.len());
    let (mut trace, mut squares) = (0.0, 0.0);
    for (first, second) in parts {
        let h = first.times(c);
        let (own, d) = (dot(&h, &h), second.quadratic(c));
        trace += d - own;
        squares += d * d - 2.0 * d * own;
        total.add_outer(1.0, &h);
    }
    squares += total.as_slice().iter().map(|v| v * v).sum::<f64>();
    let df = trace * trace / squares;
    (df.is_finite() && df > 0.0).then_some(df)
}
