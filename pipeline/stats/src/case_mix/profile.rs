//! The profiled likelihood of the random intercept: the objective, apart from whoever minimises it.
//!
//! # Estimand
//! −2 log-likelihood (restricted or full) of y_ij = x_ij'β + b_j + e_ij as a function of θ = σ_b/σ alone.
//! # Formula
//! u_j = n_j/(1 + n_jθ²); A_θ = W_xx + Σu_j x̄_j x̄_j', b_θ = W_xy + Σu_j x̄_j ȳ_j, β = A_θ⁻¹b_θ,
//! r² = W_ee(β) + Σu_j(ȳ_j − x̄_j'β)²; REML = Σlog(1 + n_jθ²) + log|A_θ| + (n − p)[1 + log(2πr²/(n − p))];
//! ML without log|A_θ| and with n. Derivative in v = θ²: Σu_j − tr(A_θ⁻¹Σu_j² x̄_j x̄_j') − (n − p)Σu_j²(ȳ_j − x̄_j'β)²/r².
//! # Source
//! Bates, Mächler, Bolker, Walker (2015) Fitting linear mixed-effects models using lme4, Journal of Statistical
//! Software 67(1), section 3, with the random effects eliminated unit by unit.
//! # Assumptions
//! Normal errors and unit effects; x includes the intercept.
//! # Edge cases
//! θ = 0 is legal. Residuals of 0, or θ that is negative or not finite, are errors.
//! # Reference values
//! `tests/reference/case_mix.rs`: lme4's criteria at a fixed θ and at the optimum (mixed/); `tests/reference/r_dense.rs`:
//! from the whole covariance matrix in R.

use super::moments::UnitMoments;
use super::within::WithinFit;
use crate::error::{Result, StatsError};
use crate::linear_algebra::{Cholesky, Dropped, Matrix, dot, independent_columns};

/// Which likelihood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Criterion {
    /// Restricted: variance components allow for the estimation of β.
    Reml,
    /// Full.
    Ml,
}

/// One evaluation of the objective.
#[derive(Debug, Clone)]
pub struct ProfilePoint {
    pub theta: f64,
    /// −2 log-likelihood.
    pub criterion: f64,
    /// d criterion / d θ².
    pub derivative: f64,
    /// β of the centred system: intercept first, then kept adjusters.
    pub(super) beta: Vec<f64>,
    /// A_θ of the centred system.
    pub(super) factor: Cholesky,
    /// r²/(n − p), or r²/n for ML: σ².
    pub residual_variance: f64,
    /// d(Σlog(1 + n_jθ²) + log|A_θ|)/dθ²; without log|A_θ| for ML.
    pub(super) log_slope: f64,
    /// −dr²/dθ² = Σu_j²(ȳ_j − x̄_j'β)².
    pub(super) pull: f64,
}

/// The objective for one indicator. Adjusters and outcome are centred at their means over all rows, which changes
/// neither |A_θ| nor the slopes.
#[derive(Debug, Clone)]
pub struct ProfiledLikelihood {
    criterion: Criterion,
    pub(super) kept: Vec<usize>,
    pub(super) dropped: Vec<Dropped>,
    /// Per unit n_j, x̃_j (1 and centred kept adjusters, one unit after another), ȳ_j centred.
    pub(super) counts: Vec<f64>,
    x: Vec<f64>,
    y: Vec<f64>,
    w_xx: Matrix,
    w_xy: Vec<f64>,
    w_yy: f64,
    pub(super) center_x: Vec<f64>,
    pub(super) center_y: f64,
    rows: f64,
    /// Parameters that REML allows for: p, and those of a β fixed beforehand.
    parameters: f64,
}

impl ProfiledLikelihood {
    /// With the model's own β (`gls`).
    ///
    /// # Errors
    /// [`StatsError::TooFew`] without residual degrees of freedom; [`StatsError::Undefined`] when no unit has two rows.
    pub fn new(moments: &UnitMoments, criterion: Criterion) -> Result<Self> {
        let overall = moments.overall();
        let p = moments.adjusters();
        let total = Matrix::from_fn(p, p, |a, b| overall.cross(0, a, b));
        let pooled = moments.pooled_within();
        let (kept, dropped) = independent_columns(&total, &pooled.raw_x);
        let center_x: Vec<f64> = kept.iter().map(|&k| overall.mean_x(0)[k]).collect();
        let center_y = overall.mean_y(0);
        let d = kept.len() + 1;
        let mut x = Vec::with_capacity(moments.units() * d);
        let mut y = Vec::with_capacity(moments.units());
        for j in 0..moments.units() {
            x.push(1.0);
            x.extend(kept.iter().zip(&center_x).map(|(&k, c)| moments.mean_x(j)[k] - c));
            y.push(moments.mean_y(j) - center_y);
        }
        let w_xx =
            Matrix::from_fn(d, d, |a, b| if a == 0 || b == 0 { 0.0 } else { pooled.xx[(kept[a - 1], kept[b - 1])] });
        let w_xy = std::iter::once(0.0).chain(kept.iter().map(|&k| pooled.xy[k])).collect();
        let this = ProfiledLikelihood {
            criterion,
            parameters: d as f64,
            counts: counts(moments),
            x,
            y,
            w_xx,
            w_xy,
            w_yy: pooled.yy,
            center_x,
            center_y,
            rows: pooled.rows as f64,
            kept,
            dropped,
        };
        this.check(moments)
    }

    /// With β fixed at a within-unit fit: residuals y − x'β̂ get an intercept and unit effects. REML takes the kept
    /// adjusters from the degrees of freedom, as W does.
    pub fn with_fixed(moments: &UnitMoments, fit: &WithinFit, criterion: Criterion) -> Result<Self> {
        crate::error::check_length("adjusters of the moments", fit.coefficients.len(), moments.adjusters())?;
        let beta = &fit.coefficients;
        let residual = |j: usize| moments.mean_y(j) - dot(moments.mean_x(j), beta);
        let overall = moments.overall();
        let center_y = overall.mean_y(0) - dot(overall.mean_x(0), beta);
        let this = ProfiledLikelihood {
            criterion,
            kept: Vec::new(),
            dropped: fit.dropped.clone(),
            counts: counts(moments),
            x: vec![1.0; moments.units()],
            y: (0..moments.units()).map(|j| residual(j) - center_y).collect(),
            w_xx: Matrix::zeros(1, 1),
            w_xy: vec![0.0],
            w_yy: (0..moments.units()).map(|j| moments.residual_sum_of_squares(j, beta)).sum::<Result<f64>>()?,
            center_x: Vec::new(),
            center_y,
            rows: moments.rows() as f64,
            parameters: 1.0 + fit.kept.len() as f64,
        };
        this.check(moments)
    }

    fn check(self, moments: &UnitMoments) -> Result<Self> {
        let units = moments.non_empty();
        if units < 2 {
            return Err(StatsError::TooFew { what: "units for a random intercept", needed: 2, found: units });
        }
        let needed = units as f64 + self.parameters;
        if self.rows <= needed {
            return Err(StatsError::TooFew {
                what: "rows for a random intercept",
                needed: needed as usize + 1,
                found: self.rows as usize,
            });
        }
        Ok(self)
    }

    /// Order of the profiled β, intercept included.
    pub fn order(&self) -> usize {
        self.kept.len() + 1
    }

    /// Adjusters left out, and why.
    pub fn dropped(&self) -> &[Dropped] {
        &self.dropped
    }

    pub(super) fn unit_x(&self, j: usize) -> &[f64] {
        &self.x[j * self.order()..(j + 1) * self.order()]
    }

    /// ȳ_j − x̄_j'β at a point.
    pub(super) fn unit_residual(&self, j: usize, point: &ProfilePoint) -> f64 {
        self.y[j] - dot(self.unit_x(j), &point.beta)
    }

    /// A number of rows typical for the units: their mean.
    pub(super) fn typical_rows(&self) -> f64 {
        self.rows / self.counts.iter().filter(|n| **n > 0.0).count().max(1) as f64
    }

    /// n − p, or n for ML: what r² is divided by.
    pub(super) fn degrees_of_freedom(&self) -> f64 {
        match self.criterion {
            Criterion::Reml => self.rows - self.parameters,
            Criterion::Ml => self.rows,
        }
    }

    /// −2 log-likelihood at `theta` ≥ 0, profiled over β and σ.
    pub fn objective(&self, theta: f64) -> Result<f64> {
        self.evaluate(theta).map(|p| p.criterion)
    }

    /// The objective, its derivative in θ² and the profiled parameters.
    ///
    /// # Errors
    /// θ negative or not finite; a singular A_θ; an outcome without residual variation.
    pub fn evaluate(&self, theta: f64) -> Result<ProfilePoint> {
        let v = theta * theta;
        if !(theta >= 0.0 && v.is_finite()) {
            return Err(StatsError::out_of_range("theta", theta, "at least 0, finite"));
        }
        let d = self.order();
        let mut a = self.w_xx.clone();
        let mut b = self.w_xy.clone();
        let mut slope = Matrix::zeros(d, d);
        let (mut log_terms, mut sum_u) = (0.0, 0.0);
        for (j, &n) in self.counts.iter().enumerate() {
            if n == 0.0 {
                continue;
            }
            let u = n / (1.0 + n * v);
            let x = self.unit_x(j);
            a.add_outer(u, x);
            slope.add_outer(u * u, x);
            for (bk, xk) in b.iter_mut().zip(x) {
                *bk += u * xk * self.y[j];
            }
            log_terms += (n * v).ln_1p();
            sum_u += u;
        }
        let factor = Cholesky::new("generalised cross-products", &a)?;
        let beta = factor.solve(&b);
        let mut r2 = (self.w_yy - 2.0 * dot(&beta, &self.w_xy) + self.w_xx.quadratic(&beta)).max(0.0);
        if r2 <= 1e-14 * self.w_yy {
            return Err(StatsError::Constant { what: "outcome within units" });
        }
        let mut pull = 0.0;
        for (j, &n) in self.counts.iter().enumerate() {
            if n > 0.0 {
                let u = n / (1.0 + n * v);
                let e = self.y[j] - dot(self.unit_x(j), &beta);
                r2 += u * e * e;
                pull += u * u * e * e;
            }
        }
        let df = self.degrees_of_freedom();
        let mut criterion = log_terms + df * (1.0 + (2.0 * std::f64::consts::PI * r2 / df).ln());
        let mut log_slope = sum_u;
        if self.criterion == Criterion::Reml {
            criterion += factor.log_determinant();
            log_slope -= (0..d).map(|k| factor.solve(slope.column(k))[k]).sum::<f64>();
        }
        if !criterion.is_finite() {
            return Err(StatsError::Undefined { what: "profiled likelihood", reason: "not finite at this theta" });
        }
        let derivative = log_slope - df * pull / r2;
        Ok(ProfilePoint { theta, criterion, derivative, beta, factor, residual_variance: r2 / df, log_slope, pull })
    }
}

fn counts(moments: &UnitMoments) -> Vec<f64> {
    (0..moments.units()).map(|j| moments.count(j) as f64).collect()
}
