//! Shrinkage of weighted unit estimates at unit level.
//!
//! # Estimand
//! The unit's mean, given an estimate a_j with known sampling variance V_j from a weighted sample.
//! # Formula
//! a_j = z_j'γ + v_j + e_j, Var(v) = A, Var(e_j) = V_j; A by REML; w_j = 1/(A + V_j); γ̂ weighted least squares;
//! shrinkage B_j = A/(A + V_j); value m_j(A) = z_j'γ̂ + B_j(a_j − z_j'γ̂). Plug-in: mean squared error g1 + g2 + 2g3 at Â,
//! g1 = B_jV_j, g2 = (1 − B_j)²z_j'(Σwzz')⁻¹z_j, g3 = V_j²/(A + V_j)³·2/Σw². Averaged over A with the density
//! ∝ exp(−REML(A)/2), REML(A) = Σln(A + V_j) + ln|Σwzz'| + Σw(a_j − z_j'γ̂)²: m = Σωm(A), mean squared error
//! Σω[g1 + g2 + m(A)²] − m².
//! # Source
//! Fay, Herriot (1979) Journal of the American Statistical Association 74:269–277; Datta, Lahiri (2000)
//! Statistica Sinica 10:613–627 (REML, 2g3); Rao, Molina (2015) Small Area Estimation, chapter 6, and section 10.3 (averaged
//! over A, flat prior); Morris (1983) Journal of the American Statistical Association 78:47–55.
//! # Assumptions
//! V_j as known; normal unit effects; for the average a flat prior on A. A sampling weight never acts as a precision weight.
//! # Edge cases
//! Â = 0 is legal and reported; then all units share the plug-in value. V_j = 0 or fewer than p + 2 units (p with the
//! intercept) are an error; so are fewer than p + 4 for the average, whose weights then have too heavy a tail.
//! # Reference values
//! `tests/case_mix_fay_herriot.rs`: by hand; A by metafor: `tests/reference/case_mix.rs` (funnel/); values and errors in R:
//! `tests/reference/r_closed.rs`, and with a covariate `tests/reference/r_dense.rs`, averaged ones by R's integrate: `tests/reference/r_average.rs`.

use super::adjusted::{check_level, critical_value};
use super::log_grid::log_grid;
use super::root::bracketed_root;
use super::shrinkage::ShrinkageInterval;
use crate::error::{Result, StatsError, check_all_finite, check_length, check_positive, finite_result};
use crate::linear_algebra::{Cholesky, Dropped, Matrix, dot, independent_columns};
use crate::numeric::at_least_zero;

/// One unit's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FayHerriotUnit {
    pub value: f64,
    pub mean_squared_error: f64,
    pub lower: f64,
    pub upper: f64,
    /// B_j: weight of the unit's own estimate, averaged over A like the value.
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

/// What is known at one A.
struct Point {
    a: f64,
    /// −2 times the restricted log-likelihood, up to a constant.
    criterion: f64,
    /// Its derivative in A.
    derivative: f64,
    gamma: Vec<f64>,
    factor: Cholesky,
}

/// Rows z_j and responses, centred.
struct Areas<'a> {
    rows: Vec<Vec<f64>>,
    y: Vec<f64>,
    variances: &'a [f64],
}

impl Areas<'_> {
    fn at(&self, a: f64) -> Result<Point> {
        let d = self.rows.first().map_or(0, Vec::len);
        let (mut cross, mut slope, mut xy) = (Matrix::zeros(d, d), Matrix::zeros(d, d), vec![0.0; d]);
        let (mut weights, mut logs) = (0.0, 0.0);
        for ((z, y), v) in self.rows.iter().zip(&self.y).zip(self.variances) {
            let w = 1.0 / (a + v);
            cross.add_outer(w, z);
            slope.add_outer(w * w, z);
            weights += w;
            logs -= w.ln();
            xy.iter_mut().zip(z).for_each(|(s, z)| *s += w * z * y);
        }
        let factor = Cholesky::new("area-level cross-products", &cross)?;
        let gamma = factor.solve(&xy);
        let (mut squares, mut pull) = (0.0, 0.0);
        for ((z, y), v) in self.rows.iter().zip(&self.y).zip(self.variances) {
            let (w, residual) = (1.0 / (a + v), y - dot(z, &gamma));
            squares += w * residual * residual;
            pull += (w * residual).powi(2);
        }
        let trace: f64 = (0..d).map(|k| factor.solve(slope.column(k))[k]).sum();
        let criterion = logs + factor.log_determinant() + squares;
        Ok(Point { a, criterion, derivative: weights - trace - pull, gamma, factor })
    }

    /// m_j(A), g1 + g2 and B_j of unit `j`.
    fn unit(&self, j: usize, point: &Point) -> (f64, f64, f64) {
        let (z, v) = (&self.rows[j], self.variances[j]);
        let b = point.a / (point.a + v);
        let fitted = dot(z, &point.gamma);
        let variance = b * v + (1.0 - b).powi(2) * point.factor.inverse_quadratic(z);
        (fitted + b * (self.y[j] - fitted), variance, b)
    }

    /// The same with 2g3 in the variance.
    fn plug_in(&self, point: &Point) -> Vec<(f64, f64, f64)> {
        let information: f64 = self.variances.iter().map(|v| (point.a + v).powi(-2)).sum();
        (0..self.y.len())
            .map(|j| {
                let v = self.variances[j];
                let (value, variance, b) = self.unit(j, point);
                let g3 = v * v / (point.a + v).powi(3) * 2.0 / information;
                (value, variance + 2.0 * g3, b)
            })
            .collect()
    }

    /// Averages over A; the search for its density's top starts at `a` and a typical V.
    fn averaged(&self, a: f64) -> Result<Vec<(f64, f64, f64)>> {
        let precision: f64 = self.variances.iter().map(|v| 1.0 / v).sum();
        let typical = self.variances.len() as f64 / precision;
        let grid = log_grid((a + typical).ln(), |t| {
            let point = self.at(t.exp())?;
            // dA = A d(ln A).
            Ok((t - 0.5 * point.criterion, point))
        })?;
        Ok((0..self.y.len())
            .map(|j| {
                let (mut first, mut second, mut reliability) = (0.0, 0.0, 0.0);
                for (weight, point) in &grid {
                    let (value, variance, b) = self.unit(j, point);
                    first += weight * value;
                    second += weight * (variance + value * value);
                    reliability += weight * b;
                }
                (first, at_least_zero(second - first * first), reliability)
            })
            .collect())
    }
}

/// Fits the area-level model to estimates and their sampling variances; `covariates` are columns over units.
///
/// # Errors
/// Fewer than p + 2 units (p with the intercept), for the average p + 4; variances not above 0, values not finite.
pub fn fay_herriot(
    values: &[f64],
    variances: &[f64],
    covariates: &[&[f64]],
    interval: ShrinkageInterval,
    level: f64,
) -> Result<FayHerriotFit> {
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
    let needed = match interval {
        ShrinkageInterval::PlugIn => d + 2,
        ShrinkageInterval::Averaged => d + 4,
    };
    if m < needed {
        return Err(StatsError::TooFew { what: "units for area-level shrinkage", needed, found: m });
    }
    let row = |j: usize| -> Vec<f64> { std::iter::once(1.0).chain(kept.iter().map(|&k| centred(k, j))).collect() };
    let center_y = values.iter().sum::<f64>() / m as f64;
    let areas = Areas { rows: (0..m).map(row).collect(), y: values.iter().map(|v| v - center_y).collect(), variances };
    let slope = |a: f64| areas.at(a).map_or(f64::NAN, |p| p.derivative);
    // The residual variance about plain least squares bounds A; the derivative is positive well before 100 times that.
    let spread = areas.y.iter().map(|v| v * v).sum::<f64>();
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
    let point = areas.at(a)?;
    let shrunken = match interval {
        ShrinkageInterval::PlugIn => areas.plug_in(&point),
        ShrinkageInterval::Averaged => areas.averaged(a)?,
    };
    let z = critical_value(level, f64::INFINITY)?;
    let units = shrunken
        .into_iter()
        .map(|(value, variance, reliability)| {
            let value = finite_result("area-level value", center_y + value)?;
            let mean_squared_error = finite_result("area-level mean squared error", variance)?;
            let half = z * mean_squared_error.sqrt();
            Ok(FayHerriotUnit { value, mean_squared_error, lower: value - half, upper: value + half, reliability })
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
