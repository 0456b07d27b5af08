//! The profiled likelihood of nested random intercepts: ward in hospital in trust.
//!
//! # Estimand
//! −2 log-likelihood of y = x'β + Σ_l b_l + e as a function of θ_l = σ_l/σ, one per level of the tree.
//! # Formula
//! A node's children weigh u_c each; U = Σu_c, z̄ = Σu_c z̄_c/U, W = ΣW_c + Σu_c(z̄_c − z̄)(z̄_c − z̄)'; its own effect
//! makes u = U/(1 + θ_l²U) and adds log(1 + θ_l²U). At the roots A = ΣW + Σu z̄z̄'. (Rows are children with u = 1.)
//! Derivative in θ_l²: Σ_g [1_g'V⁻¹1_g − t_x'A⁻¹t_x − (n − p)(t_y − t_x'β)²/r²], t = Z'V⁻¹1_g, found by walking up from node g.
//! Areas with known sampling variances V_j are units of 1/V_j rows and σ = 1: θ_l² is then the variance itself, the criterion
//! Σlog(1 + θ_l²U) + ln|A| + r² but for a constant, and (n − p)/r² is 1 in the derivative.
//! # Source
//! Bates et al. (2015) Journal of Statistical Software 67(1), section 3; Henderson, Searle (1981) SIAM
//! Review 23:53–60 (the inverse after adding one effect), used once per node.
//! # Assumptions
//! A tree: each unit has one parent. Any imbalance is allowed.
//! # Edge cases
//! θ_l = 0 removes a level. Nodes without rows carry no weight.
//! # Reference values
//! lme4's criteria at a fixed θ and at the optimum: `tests/reference/case_mix.rs` (mixed/) and `tests/reference/r_models.rs`;
//! derivatives against differences: `tests/case_mix_nested.rs`.

use super::moments::UnitMoments;
use super::nested_tree::nodes_of;
use super::profile::Criterion;
use super::within::WithinFit;
use crate::error::{Result, StatsError, check_length, check_positive, finite_result};
use crate::linear_algebra::{Cholesky, Dropped, Matrix, dot, independent_columns};
use crate::numeric::at_least_zero;

/// The objective of a nested model.
#[derive(Debug, Clone)]
pub struct NestedLikelihood {
    criterion: Criterion,
    pub(super) kept: Vec<usize>,
    pub(super) dropped: Vec<Dropped>,
    /// parents[l][node] for all levels but the last.
    parents: Vec<Vec<u32>>,
    /// Nodes per level.
    pub(super) nodes: Vec<usize>,
    counts: Vec<f64>,
    /// z̄ of the lowest units: (1, x centred, y centred), one after another.
    means: Vec<f64>,
    within: Matrix,
    pub(super) center_x: Vec<f64>,
    pub(super) center_y: f64,
    rows: f64,
    /// Columns of the caller, dropped ones included.
    adjusters: usize,
    /// Parameters that REML allows for: those of the model, and of a β fixed beforehand.
    parameters: f64,
    /// σ = 1, not estimated.
    is_residual_known: bool,
}

/// What θ determines once β and σ are profiled out.
pub(super) struct Profiled {
    pub(super) criterion: f64,
    pub(super) residual_variance: f64,
    pub(super) beta: Vec<f64>,
    pub(super) factor: Cholesky,
    r2: f64,
    levels: Vec<Level>,
}

fn check_rows(moments: &UnitMoments, kept: usize) -> Result<()> {
    let (units, rows) = (moments.non_empty(), moments.rows() as usize);
    if units < 2 || rows <= units + kept + 1 {
        return Err(StatsError::TooFew {
            what: "rows for a nested model",
            needed: units.max(2) + kept + 2,
            found: rows,
        });
    }
    Ok(())
}

fn counts(moments: &UnitMoments) -> Vec<f64> {
    (0..moments.units()).map(|j| moments.count(j) as f64).collect()
}

/// What one level's nodes know, bottom-up.
struct Level {
    /// U before the node's own effect.
    sum: Vec<f64>,
    /// u after it.
    own: Vec<f64>,
    mean: Vec<f64>,
}

/// One evaluation.
#[derive(Debug, Clone)]
pub struct NestedPoint {
    pub criterion: f64,
    /// By θ_l².
    pub derivative: Vec<f64>,
    pub residual_variance: f64,
    pub(super) beta: Vec<f64>,
    pub(super) factor: Cholesky,
    /// Per level and node: 1_g'V⁻¹1_g, t_x'A⁻¹t_x and t_y − t_x'β.
    pub(super) nodes: Vec<Vec<(f64, f64, f64)>>,
    log_slopes: Vec<f64>,
    pulls: Vec<f64>,
}

impl NestedLikelihood {
    /// `moments` are the lowest units; `parents[l][node]` is the node's parent one level up, so `parents` has one entry
    /// fewer than there are random levels, and `tops` is the number of nodes of the last level.
    ///
    /// # Errors
    /// Shapes that are not a tree over the units; no residual degrees of freedom.
    pub fn new(moments: &UnitMoments, parents: &[Vec<u32>], tops: usize, criterion: Criterion) -> Result<Self> {
        let nodes = nodes_of(moments.units(), parents, tops)?;
        let overall = moments.overall();
        let p = moments.adjusters();
        let pooled = moments.pooled_within();
        let total = Matrix::from_fn(p, p, |a, b| overall.cross(0, a, b));
        let (kept, dropped) = independent_columns(&total, &pooled.raw_x);
        let center_x: Vec<f64> = kept.iter().map(|&k| overall.mean_x(0)[k]).collect();
        let center_y = overall.mean_y(0);
        let q = kept.len() + 2;
        check_rows(moments, kept.len())?;
        let mut means = Vec::with_capacity(moments.units() * q);
        for j in 0..moments.units() {
            means.push(1.0);
            means.extend(kept.iter().zip(&center_x).map(|(&k, c)| moments.mean_x(j)[k] - c));
            means.push(moments.mean_y(j) - center_y);
        }
        let column = |a: usize| if a + 1 == q { None } else { Some(kept[a - 1]) };
        let within = Matrix::from_fn(q, q, |a, b| match (a, b) {
            (0, _) | (_, 0) => 0.0,
            _ => match (column(a), column(b)) {
                (Some(a), Some(b)) => pooled.xx[(a, b)],
                (Some(a), None) | (None, Some(a)) => pooled.xy[a],
                (None, None) => pooled.yy,
            },
        });
        let parameters = (kept.len() + 1) as f64;
        let (parents, counts, rows) = (parents.to_vec(), counts(moments), moments.rows() as f64);
        let adjusters = p;
        Ok(Self {
            criterion,
            kept,
            dropped,
            parents,
            nodes,
            counts,
            means,
            within,
            center_x,
            center_y,
            rows,
            adjusters,
            parameters,
            is_residual_known: false,
        })
    }

    /// With β fixed at a within-unit fit: residuals y − x'β̂ get an intercept and the tree's effects. REML takes the fit's
    /// adjusters from the degrees of freedom.
    ///
    /// # Errors
    /// As [`Self::new`]; also other adjusters than the fit's.
    pub fn with_fixed(
        moments: &UnitMoments,
        parents: &[Vec<u32>],
        tops: usize,
        fit: &WithinFit,
        criterion: Criterion,
    ) -> Result<Self> {
        let nodes = nodes_of(moments.units(), parents, tops)?;
        check_length("adjusters of the moments", fit.coefficients.len(), moments.adjusters())?;
        check_rows(moments, fit.kept.len())?;
        let beta = &fit.coefficients;
        let overall = moments.overall();
        let center_y = overall.mean_y(0) - dot(overall.mean_x(0), beta);
        let residual = |j: usize| moments.mean_y(j) - dot(moments.mean_x(j), beta) - center_y;
        let mut within = Matrix::zeros(2, 2);
        within[(1, 1)] = (0..moments.units()).map(|j| moments.residual_sum_of_squares(j, beta)).sum::<Result<f64>>()?;
        Ok(Self {
            criterion,
            kept: Vec::new(),
            dropped: fit.dropped.clone(),
            parents: parents.to_vec(),
            nodes,
            counts: counts(moments),
            means: (0..moments.units()).flat_map(|j| [1.0, residual(j)]).collect(),
            within,
            center_x: Vec::new(),
            center_y,
            rows: moments.rows() as f64,
            adjusters: moments.adjusters(),
            parameters: 1.0 + fit.kept.len() as f64,
            is_residual_known: false,
        })
    }

    /// REML of areas: estimates with known sampling variances about a mean and the tree's effects, areas lowest.
    ///
    /// # Errors
    /// Shapes that are not a tree over the areas; variances that are not above 0 or whose inverses have no finite sum.
    pub(super) fn of_areas(values: &[f64], variances: &[f64], parents: &[Vec<u32>], tops: usize) -> Result<Self> {
        check_length("sampling variances", values.len(), variances.len())?;
        check_positive("sampling variances", variances)?;
        let nodes = nodes_of(values.len(), parents, tops)?;
        let counts: Vec<f64> = variances.iter().map(|v| 1.0 / v).collect();
        let rows = finite_result("precision of the areas", counts.iter().sum())?;
        let center_y = values.iter().sum::<f64>() / values.len().max(1) as f64;
        Ok(Self {
            criterion: Criterion::Reml,
            kept: Vec::new(),
            dropped: Vec::new(),
            parents: parents.to_vec(),
            nodes,
            counts,
            means: values.iter().flat_map(|y| [1.0, y - center_y]).collect(),
            within: Matrix::zeros(2, 2),
            center_x: Vec::new(),
            center_y,
            rows,
            adjusters: 0,
            parameters: 1.0,
            is_residual_known: true,
        })
    }

    /// Number of random levels.
    pub fn levels(&self) -> usize {
        self.nodes.len()
    }

    fn order(&self) -> usize {
        self.kept.len() + 2
    }

    pub(super) fn degrees_of_freedom(&self) -> f64 {
        match self.criterion {
            Criterion::Reml => self.rows - self.parameters,
            Criterion::Ml => self.rows,
        }
    }

    /// Mean rows of the nodes of level `l` that have any.
    pub(super) fn typical_rows(&self, l: usize) -> f64 {
        let mut rows = self.counts.clone();
        for (parent, n) in self.parents.iter().zip(&self.nodes[1..]).take(l) {
            let mut above = vec![0.0; *n];
            for (r, p) in rows.iter().zip(parent) {
                above[*p as usize] += r;
            }
            rows = above;
        }
        self.rows / rows.iter().filter(|r| **r > 0.0).count().max(1) as f64
    }

    /// −2 log-likelihood at `theta` (lowest level first), profiled over β and σ.
    pub fn objective(&self, theta: &[f64]) -> Result<f64> {
        self.profiled(theta).map(|p| p.criterion)
    }

    /// The recursion up the tree: levels, total cross-products at the roots, Σlog(1 + θ²U).
    fn climb(&self, theta: &[f64]) -> (Vec<Level>, Matrix, f64) {
        let q = self.order();
        let mut cross = self.within.clone();
        let mut log_terms = 0.0;
        let mut levels: Vec<Level> = Vec::with_capacity(theta.len());
        let (mut sum, mut mean) = (self.counts.clone(), self.means.clone());
        let mut delta = vec![0.0; q];
        for (l, t) in theta.iter().enumerate() {
            let v = t * t;
            let own: Vec<f64> = sum.iter().map(|u| u / (1.0 + v * u)).collect();
            log_terms += sum.iter().map(|u| (v * u).ln_1p()).sum::<f64>();
            let level = Level { sum, own, mean };
            if let Some(parent) = self.parents.get(l) {
                let above = self.nodes[l + 1];
                (sum, mean) = (vec![0.0; above], vec![0.0; above * q]);
                for (c, &target) in parent.iter().enumerate() {
                    let (u, target) = (level.own[c], target as usize);
                    if u > 0.0 {
                        let total = sum[target] + u;
                        let slot = &mut mean[target * q..(target + 1) * q];
                        let own = level.mean[c * q..(c + 1) * q].iter();
                        delta.iter_mut().zip(own.zip(&*slot)).for_each(|(d, (z, m))| *d = z - m);
                        cross.add_outer(sum[target] * u / total, &delta);
                        slot.iter_mut().zip(&delta).for_each(|(m, d)| *m += d * u / total);
                        sum[target] = total;
                    }
                }
            } else {
                for (c, u) in level.own.iter().enumerate().filter(|(_, u)| **u > 0.0) {
                    cross.add_outer(*u, &level.mean[c * q..(c + 1) * q]);
                }
                (sum, mean) = (Vec::new(), Vec::new());
            }
            levels.push(level);
        }
        (levels, cross, log_terms)
    }

    /// Objective and profiled parameters, without derivatives.
    pub(super) fn profiled(&self, theta: &[f64]) -> Result<Profiled> {
        check_length("theta", self.levels(), theta.len())?;
        if let Some(bad) = theta.iter().find(|t| !(**t >= 0.0 && (*t * *t).is_finite())) {
            return Err(StatsError::out_of_range("theta", *bad, "at least 0, finite"));
        }
        let (levels, cross, log_terms) = self.climb(theta);
        let q = self.order();
        let d = q - 1;
        let a = cross.submatrix(&(0..d).collect::<Vec<_>>());
        let b: Vec<f64> = (0..d).map(|k| cross[(k, d)]).collect();
        let factor = Cholesky::new("generalised cross-products", &a)?;
        let beta = factor.solve(&b);
        let r2 = cross[(d, d)] - 2.0 * dot(&beta, &b) + a.quadratic(&beta);
        if !self.is_residual_known && (r2.is_nan() || r2 <= 1e-14 * cross[(d, d)]) {
            return Err(StatsError::Constant { what: "outcome within units" });
        }
        let df = self.degrees_of_freedom();
        let fit = match self.is_residual_known {
            true => at_least_zero(r2),
            false => df * (1.0 + (2.0 * std::f64::consts::PI * r2 / df).ln()),
        };
        let mut criterion = log_terms + fit;
        if self.criterion == Criterion::Reml {
            criterion += factor.log_determinant();
        }
        if !criterion.is_finite() {
            return Err(StatsError::Undefined { what: "profiled likelihood", reason: "not finite at this theta" });
        }
        let residual_variance = if self.is_residual_known { 1.0 } else { r2 / df };
        Ok(Profiled { criterion, residual_variance, beta, factor, r2, levels })
    }

    /// Objective, derivatives and profiled parameters.
    ///
    /// # Errors
    /// θ of the wrong length, negative or not finite; a singular A; no residual variation.
    pub fn evaluate(&self, theta: &[f64]) -> Result<NestedPoint> {
        let Profiled { criterion, residual_variance, beta, factor, r2, levels } = self.profiled(theta)?;
        let (d, df) = (self.order() - 1, self.degrees_of_freedom());
        let nodes: Vec<Vec<(f64, f64, f64)>> = (0..self.levels())
            .map(|l| {
                (0..self.nodes[l])
                    .map(|g| {
                        let (s, t) = self.walk_up(&levels, theta, l, g);
                        (s, factor.inverse_quadratic(&t[..d]), t[d] - dot(&t[..d], &beta))
                    })
                    .collect()
            })
            .collect();
        let keep = f64::from(self.criterion == Criterion::Reml);
        let log_slopes: Vec<f64> = nodes.iter().map(|level| level.iter().map(|(s, t, _)| s - keep * t).sum()).collect();
        let pulls: Vec<f64> = nodes.iter().map(|level| level.iter().map(|(_, _, e)| e * e).sum()).collect();
        let pull = |p: &f64| if self.is_residual_known { *p } else { df * p / r2 };
        let derivative = log_slopes.iter().zip(&pulls).map(|(s, p)| s - pull(p)).collect();
        Ok(NestedPoint { criterion, derivative, residual_variance, beta, factor, nodes, log_slopes, pulls })
    }

    /// (1_g'V⁻¹1_g, Z'V⁻¹1_g) for node `g` of level `l`.
    fn walk_up(&self, levels: &[Level], theta: &[f64], l: usize, g: usize) -> (f64, Vec<f64>) {
        let q = self.order();
        let u = levels[l].own[g];
        let mut t: Vec<f64> = levels[l].mean[g * q..(g + 1) * q].iter().map(|z| u * z).collect();
        let (mut s, mut reach, mut node) = (u, u, g);
        for above in l + 1..levels.len() {
            node = self.parents[above - 1][node] as usize;
            let (v, total) = (theta[above] * theta[above], levels[above].sum[node]);
            let damping = v / (1.0 + v * total);
            s -= reach * reach * damping;
            for (tk, z) in t.iter_mut().zip(&levels[above].mean[node * q..(node + 1) * q]) {
                *tk -= reach * damping * total * z;
            }
            reach /= 1.0 + v * total;
        }
        (s, t)
    }

    /// Gradient of the deviance, not profiled over σ, in (θ…, σ).
    pub(super) fn deviance_gradient(&self, theta: &[f64], sigma: f64) -> Result<Vec<f64>> {
        let point = self.evaluate(theta)?;
        let (s2, df) = (sigma * sigma, self.degrees_of_freedom());
        let mut out: Vec<f64> = theta
            .iter()
            .zip(point.log_slopes.iter().zip(&point.pulls))
            .map(|(t, (log, pull))| 2.0 * t * (log - pull / s2))
            .collect();
        out.push(2.0 * df / sigma - 2.0 * point.residual_variance * df / (s2 * sigma));
        Ok(out)
    }

    /// V(β̂) in the caller's columns at (θ…, σ).
    pub(super) fn covariance(&self, theta: &[f64], sigma: f64) -> Result<Matrix> {
        let point = self.evaluate(theta)?;
        Ok(self.original_covariance(&point, sigma * sigma))
    }

    fn map(&self) -> Matrix {
        Matrix::from_fn(self.adjusters + 1, self.kept.len() + 1, |i, k| match (i, k) {
            (0, 0) => 1.0,
            (0, k) => -self.center_x[k - 1],
            (i, k) => f64::from(k > 0 && self.kept[k - 1] + 1 == i),
        })
    }

    pub(super) fn original_covariance(&self, point: &NestedPoint, sigma2: f64) -> Matrix {
        let map = self.map();
        map.product(&point.factor.inverse().scale(sigma2)).product(&map.transpose())
    }

    /// β̂ and V(β̂) in the caller's columns.
    pub(super) fn original(&self, point: &Profiled) -> (Vec<f64>, Matrix) {
        let map = self.map();
        let mut beta = map.times(&point.beta);
        beta[0] += self.center_y;
        let inverse = point.factor.inverse().scale(point.residual_variance);
        (beta, map.product(&inverse).product(&map.transpose()))
    }

    pub(super) fn original_beta(&self, point: &NestedPoint) -> Vec<f64> {
        let mut beta = self.map().times(&point.beta);
        beta[0] += self.center_y;
        beta
    }
}
