//! Shrinkage of weighted unit estimates at unit level.
//!
//! # Estimand
//! The unit's mean, given an estimate a_j with known sampling variance V_j from a weighted sample.
//! # Formula
//! a_j = z_j'γ + v_j + e_j, Var(v) = A, Var(e_j) = V_j; A by REML; w_j = 1/(A + V_j); γ̂ weighted least squares;
//! shrinkage B_j = A/(A + V_j); value z_j'γ̂ + B_j(a_j − z_j'γ̂). Mean squared error g1 + g2 + 2g3: g1 = B_jV_j,
//! g2 = (1 − B_j)²z_j'(Σwzz')⁻¹z_j, g3 = V_j²/(A + V_j)³·2/Σw².
//! # Source
//! Fay, Herriot (1979) Journal of the American Statistical Association 74:269–277; Datta, Lahiri (2000)
//! Statistica Sinica 10:613–627 (REML, 2g3); Rao, Molina (2015) Small Area Estimation, chapter 6.
//! # Assumptions
//! V_j as known; normal unit effects. A sampling weight never acts as a precision weight.
//! # Edge cases
//! Â = 0 is legal and reported; then all units share the same value. V_j = 0 or fewer than 3 units: an error.
//! # Reference values
//! `tests/case_mix_fay_herriot.rs`: by hand; A by metafor: `tests/reference/case_mix.rs` (funnel/); values and errors in R:
//! `tests/reference/r_closed.rs`, and with a covariate `tests/reference/r_dense.rs`.

use super::adjusted::{check_level, critical_value};
use super::root::bracketed_root;
use crate::error::{Result, StatsError, check_all_finite, check_length, check_positive, finite_result};
use crate::linear_algebra::{Cholesky, Dropped, Matrix, dot, independent_columns};

/// One unit's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FayHerriotUnit {
    pub value: f64,
    pub mean_squared_error: f64,
    pub lower: f64,
    pub upper: f64,
    /// B_j: weight of the unit's own estimate.
    pub reliability: f64,
}

/// The fit.
#[derive(Debug, Clone, PartialEq)]
pub struct FayHerriotFit {
    /// Intercept, then one per covariate in the caller's order (0 for dropped ones).
    pub coefficients: Vec<f64>,
    pub covariance: Matrix,
    /// Â.
    pub between_unit_variance: f64,
    /// Â = 0.
    pub boundary: bool,
    pub units: Vec<FayHerriotUnit>,
    pub dropped: Vec<Dropped>,
}

struct Point {
    derivative: f64,
    gamma: Vec<f64>,
    factor: Cholesky,
}

/// Fits the area-level model to estimates and their sampling variances; `covariates` are columns over units.
///
/// # Errors
/// Fewer than p + 2 units (p with the intercept), variances not above 0, values not finite.
pub fn fay_herriot(values: &[f64], variances: &[f64], covariates: &[&[f64]], level: f64) -> Result<FayHerriotFit> {
    check_level(level)?;
    check_length("sampling variances", values.len(), variances.len())?;
    check_all_finite("unit estimates", values)?;
    check_positive("sampling variances", variances)?;
    for z in covariates {
        check_length("covariate", values.len(), z.len())?;
        check_all_finite("covariate", z)?;
    }
    let m = values.len();
    let columns: Vec<&[f64]> = covariates.to_vec();
    let centers: Vec<f64> = columns.iter().map(|c| c.iter().sum::<f64>() / m.max(1) as f64).collect();
    let centred = |k: usize, j: usize| columns[k][j] - centers[k];
    let p = columns.len();
    let cross = Matrix::from_fn(p, p, |a, b| (0..m).map(|j| centred(a, j) * centred(b, j)).sum());
    let raw: Vec<f64> = columns.iter().map(|c| c.iter().map(|v| v * v).sum()).collect();
    let (kept, dropped) = independent_columns(&cross, &raw);
    let d = kept.len() + 1;
    if m < d + 2 {
        return Err(StatsError::TooFew { what: "units for area-level shrinkage", needed: d + 2, found: m });
    }
    let row = |j: usize| -> Vec<f64> { std::iter::once(1.0).chain(kept.iter().map(|&k| centred(k, j))).collect() };
    let rows: Vec<Vec<f64>> = (0..m).map(row).collect();
    let center_y = values.iter().sum::<f64>() / m as f64;
    let y: Vec<f64> = values.iter().map(|v| v - center_y).collect();
    let evaluate = |a: f64| -> Result<Point> {
        let (mut cross, mut slope, mut xy) = (Matrix::zeros(d, d), Matrix::zeros(d, d), vec![0.0; d]);
        let mut sum = 0.0;
        for j in 0..m {
            let w = 1.0 / (a + variances[j]);
            cross.add_outer(w, &rows[j]);
            slope.add_outer(w * w, &rows[j]);
            sum += w;
            xy.iter_mut().zip(&rows[j]).for_each(|(s, z)| *s += w * z * y[j]);
        }
        let factor = Cholesky::new("area-level cross-products", &cross)?;
        let gamma = factor.solve(&xy);
        let pull: f64 = (0..m).map(|j| ((y[j] - dot(&rows[j], &gamma)) / (a + variances[j])).powi(2)).sum();
        let trace: f64 = (0..d).map(|k| factor.solve(slope.column(k))[k]).sum();
        Ok(Point { derivative: sum - trace - pull, gamma, factor })
    };
    let slope = |a: f64| evaluate(a).map_or(f64::NAN, |p| p.derivative);
    // The residual variance about plain least squares bounds A; the derivative is positive well before 100 times that.
    let spread = y.iter().map(|v| v * v).sum::<f64>();
    let boundary = slope(0.0) >= 0.0;
    let a = if boundary {
        0.0
    } else {
        let mut high = variances.iter().copied().fold(0.0, f64::max) + spread;
        while slope(high) <= 0.0 && high < f64::MAX / 16.0 {
            high *= 4.0;
        }
        bracketed_root(slope, 0.0, high)
            .ok_or(StatsError::NotConverged { what: "area-level variance", iterations: 0 })?
            .0
    };
    let point = evaluate(a)?;
    let information: f64 = variances.iter().map(|v| (a + v).powi(-2)).sum();
    let z = critical_value(level, f64::INFINITY)?;
    let units = (0..m)
        .map(|j| {
            let v = variances[j];
            let b = a / (a + v);
            let fitted = dot(&rows[j], &point.gamma);
            let value = finite_result("area-level value", center_y + fitted + b * (y[j] - fitted))?;
            let g2 = (1.0 - b).powi(2) * point.factor.inverse_quadratic(&rows[j]);
            let g3 = v * v / (a + v).powi(3) * 2.0 / information;
            let mean_squared_error = finite_result("area-level mean squared error", b * v + g2 + 2.0 * g3)?;
            let half = z * mean_squared_error.sqrt();
            Ok(FayHerriotUnit { value, mean_squared_error, lower: value - half, upper: value + half, reliability: b })
        })
        .collect::<Result<Vec<_>>>()?;
    let map = Matrix::from_fn(p + 1, d, |i, k| match (i, k) {
        (0, 0) => 1.0,
        (0, k) => -centers[kept[k - 1]],
        (i, k) => f64::from(k > 0 && kept[k - 1] + 1 == i),
    });
    let mut coefficients = map.times(&point.gamma);
    coefficients[0] += center_y;
    let covariance = map.product(&point.factor.inverse()).product(&map.transpose());
    Ok(FayHerriotFit { coefficients, covariance, between_unit_variance: a, boundary, units, dropped })
}
