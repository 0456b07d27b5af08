//! Shrunken values of all nodes of a tree: a ward borrows strength from its hospital, the hospital from its trust.
//!
//! # Estimand
//! The mean of a node's respondents at the reference mix x̄: for a lowest unit μ + Σb over its path, for a
//! higher node the mean of its lowest units by respondents, so that a hospital agrees with its wards.
//! # Formula
//! The sweeps of `nested_tree.rs` with v = θ² and rows as precision give m_c and Var_c/σ² of each node's own level; higher nodes
//! collect their parts bottom-up. Both are linear in z̄, so the adjusters' part is g'V(β̂)g with g the same combination of
//! x̄_c − x̄. With the model's own β the root is x̄'β̂ and the β part h'V(β̂)h, h = (1, x̄) − m(1, x).
//! Averaged over the grid of θ as for one level: m = Σωm(θ), variance Σω[v(θ) + m(θ)²] − m².
//! # Source
//! Robinson (1991) Statistical Science 6:15–32; Henderson (1975) Biometrics 31:423–447; Chou, Willsky, Benveniste
//! (1994) IEEE Transactions on Automatic Control 39:464–478 (estimation on trees, upward and downward sweeps).
//! # Assumptions
//! Normal effects, independent between levels.
//! # Edge cases
//! A level has effects of its own only with [`MIN_UNITS`] nodes (plug-in: 2) and where it divides the rows
//! otherwise than the level below; else its nodes are means of their parts. Nodes without rows get their parent's value.
//! Reliability is 1 − Var(truth | data)/Var(truth), which is λ with one level.
//! # Reference values
//! `tests/case_mix_nested_shrinkage.rs`: lme4's ward-in-hospital effects (mixed/), one level against
//! [`super::shrunken_means`], and by the dense matrices; averaged values of both levels against integrals in R:
//! `tests/reference/r_dense.rs`, within 8e-7 relative.

use super::adjusted::{check_level, critical_value};
use super::moments::UnitMoments;
use super::nested::{NestedFit, fit_nested, fit_nested_within};
use super::nested_grid::grid;
use super::nested_likelihood::NestedLikelihood;
use super::nested_tree::{Sweep, Swept, Tree, nodes_of};
use super::profile::Criterion;
use super::random_intercept::Convergence;
use super::shrinkage::{MIN_UNITS, ShrinkageInterval, ShrunkenMean};
use super::within::WithinFit;
use crate::error::{Result, check_all_finite, check_length, finite_result};
use crate::linear_algebra::{Matrix, dot};

/// Shrunken values of a tree.
#[derive(Debug, Clone)]
pub struct NestedShrinkage {
    /// Per level, lowest first, and node.
    pub levels: Vec<Vec<ShrunkenMean>>,
    /// REML estimate of σ_l; `None` where the level has no effects of its own.
    pub level_sds: Vec<Option<f64>>,
    pub residual_sd: f64,
    /// Intercept first; those of `within` where β was fixed.
    pub coefficients: Vec<f64>,
    pub standard_errors: Vec<f64>,
    pub convergence: Convergence,
}

/// Shrunken values of the nodes of the tree over `moments`; `parents` and `tops` as in [`NestedLikelihood::new`], without
/// the root. With `within` β is fixed at that fit, otherwise it is the model's own. Intervals are normal.
///
/// # Errors
/// Fewer than 5 lowest units with rows (plug-in: 2), shapes that are no tree, a fit that fails.
pub fn nested_shrinkage(
    moments: &UnitMoments,
    (parents, tops): (&[Vec<u32>], usize),
    within: Option<&WithinFit>,
    reference: &[f64],
    interval: ShrinkageInterval,
    level: f64,
) -> Result<NestedShrinkage> {
    check_level(level)?;
    check_length("reference adjusters", moments.adjusters(), reference.len())?;
    check_all_finite("reference adjusters", reference)?;
    nodes_of(moments.units(), parents, tops)?;
    let rows = (0..moments.units()).map(|j| moments.count(j) as f64).collect();
    let tree = Tree::of(rows, parents, tops);
    let random = tree.random(if interval == ShrinkageInterval::Averaged { MIN_UNITS } else { 2 })?;
    let (compressed, above) = tree.compressed(&random);
    let fit = match within {
        Some(within) => fit_nested_within(moments, &compressed, above, within, Criterion::Reml)?,
        None => fit_nested(moments, &compressed, above, Criterion::Reml)?,
    };
    let points = match interval {
        ShrinkageInterval::PlugIn => vec![(1.0, fit.theta.clone())],
        ShrinkageInterval::Averaged => grid(&fit.likelihood)?,
    };
    let columns = Columns::of(moments, within, reference);
    let center = columns.center(&fit, reference);
    let mut sums: Vec<Vec<[f64; 3]>> = tree.nodes.iter().map(|nodes| vec![[0.0; 3]; *nodes]).collect();
    for (weight, theta) in &points {
        let at = columns.predicted(&tree, &random, &fit.likelihood, theta, reference)?;
        for (sums, nodes) in sums.iter_mut().zip(at) {
            for (sum, (value, variance, reliability)) in sums.iter_mut().zip(nodes) {
                // Moments about a common point, so that the variance does not cancel.
                let m = value - center;
                sum[0] += weight * m;
                sum[1] += weight * (variance + m * m);
                sum[2] += weight * reliability;
            }
        }
    }
    let z = critical_value(level, f64::INFINITY)?;
    let shrunken = |n: f64, [first, second, reliability]: [f64; 3]| -> Result<ShrunkenMean> {
        let value = finite_result("shrunken value", center + first)?;
        let variance = finite_result("variance of a shrunken value", second - first * first)?.max(0.0);
        let standard_error = variance.sqrt();
        let (lower, upper) = (value - z * standard_error, value + z * standard_error);
        Ok(ShrunkenMean { n: n as u64, value, variance, standard_error, reliability, lower, upper })
    };
    let levels = sums
        .into_iter()
        .zip(&tree.counts)
        .map(|(sums, counts)| sums.into_iter().zip(counts).map(|(sum, n)| shrunken(*n, sum)).collect())
        .collect::<Result<_>>()?;
    let mut sds = fit.level_sds().into_iter();
    let standard_errors = match within {
        Some(within) => fit.standard_errors().into_iter().take(1).chain(within.standard_errors()).collect(),
        None => fit.standard_errors(),
    };
    Ok(NestedShrinkage {
        levels,
        level_sds: random.iter().map(|is_random| is_random.then(|| sds.next()).flatten()).collect(),
        residual_sd: fit.residual_sd,
        coefficients: fit.coefficients,
        standard_errors,
        convergence: fit.convergence,
    })
}

/// What the sweeps carry per lowest unit: the value, then what multiplies β.
struct Columns {
    q: usize,
    rows: Vec<f64>,
    fixed: Option<WithinFit>,
}

impl Columns {
    /// β fixed: (a_j, x̄_j − x̄). β the model's own: (ȳ_j, 1, x̄_j).
    fn of(moments: &UnitMoments, within: Option<&WithinFit>, reference: &[f64]) -> Self {
        let p = reference.len();
        let mut rows = Vec::new();
        for j in 0..moments.units() {
            let x = moments.mean_x(j);
            match within {
                Some(within) => {
                    let difference: Vec<f64> = x.iter().zip(reference).map(|(x, r)| x - r).collect();
                    rows.push(moments.mean_y(j) - dot(&difference, &within.coefficients));
                    rows.extend(difference);
                }
                None => {
                    rows.extend([moments.mean_y(j), 1.0]);
                    rows.extend(x);
                }
            }
        }
        Self { q: if within.is_some() { 1 + p } else { 2 + p }, rows, fixed: within.cloned() }
    }

    fn center(&self, fit: &NestedFit, reference: &[f64]) -> f64 {
        fit.coefficients[0] + dot(reference, &fit.coefficients[1..])
    }

    /// (value, variance, reliability) of every node at `theta` of the random levels.
    fn predicted(
        &self,
        tree: &Tree<'_>,
        random: &[bool],
        likelihood: &NestedLikelihood,
        theta: &[f64],
        reference: &[f64],
    ) -> Result<Vec<Vec<(f64, f64, f64)>>> {
        let point = likelihood.profiled(theta)?;
        let sigma2 = point.residual_variance;
        let mut ratios = theta.iter();
        let v: Vec<f64> = random
            .iter()
            .map(|is_random| if *is_random { ratios.next().map_or(0.0, |t| t * t) } else { 0.0 })
            .collect();
        let own = self.fixed.is_none().then(|| likelihood.original(&point));
        let target: Vec<f64> = std::iter::once(1.0).chain(reference.iter().copied()).collect();
        let value = |combination: &[f64]| -> (f64, f64) {
            match (&self.fixed, &own) {
                (Some(fixed), _) => (combination[0], quadratic(&fixed.covariance, &combination[1..])),
                (None, Some((beta, covariance))) => {
                    let h: Vec<f64> = target.iter().zip(&combination[1..]).map(|(t, m)| t - m).collect();
                    (combination[0] + dot(&h, beta), quadratic(covariance, &h))
                }
                (None, None) => (combination[0], 0.0),
            }
        };
        Ok(nodes(self, tree, &v)
            .into_iter()
            .map(|level| {
                level
                    .into_iter()
                    .map(|node| {
                        let (value, from_beta) = value(&node.combination);
                        let reliability = if node.prior > 0.0 { 1.0 - node.known / node.prior } else { 0.0 };
                        (value, sigma2 * node.variance + from_beta, reliability.clamp(0.0, 1.0))
                    })
                    .collect()
            })
            .collect())
    }
}

fn quadratic(covariance: &Matrix, g: &[f64]) -> f64 {
    if g.is_empty() { 0.0 } else { covariance.quadratic(g).max(0.0) }
}

/// One node after the sweeps; variances in units of σ².
struct Node {
    combination: Vec<f64>,
    variance: f64,
    /// The variance were the root known.
    known: f64,
    /// Variance of the truth.
    prior: f64,
}

/// Every node of every level: a higher one is the mean of its lowest units by rows.
fn nodes(columns: &Columns, tree: &Tree<'_>, v: &[f64]) -> Vec<Vec<Node>> {
    let q = columns.q;
    let swept = Swept { q, rows: &columns.rows, precision: &tree.counts[0] };
    let sweep = Sweep::of(swept, tree, v, columns.fixed.is_some());
    // Bottom-up: a node's mean over its lowest units is A + B·(its own level) + noise.
    let mut parts: Vec<Collected> =
        (0..tree.nodes[0]).map(|_| Collected { a: vec![0.0; q], b: 1.0, noise: 0.0, prior: 0.0 }).collect();
    let mut out = Vec::with_capacity(tree.nodes.len());
    for l in 0..tree.nodes.len() {
        let from_path: f64 = v[l..].iter().sum();
        out.push(
            parts
                .iter()
                .zip(&sweep.path[l])
                .map(|(part, own)| Node {
                    combination: part.a.iter().zip(&own.combination).map(|(a, m)| a + part.b * m).collect(),
                    variance: part.noise + part.b * part.b * own.variance,
                    known: part.noise + part.b * part.b * own.known,
                    prior: from_path + part.prior,
                })
                .collect(),
        );
        let Some(parent) = tree.parents.get(l) else { break };
        let mut above: Vec<Collected> = (0..tree.nodes[l + 1])
            .map(|g| {
                let empty = tree.counts[l + 1][g] <= 0.0;
                Collected { a: vec![0.0; q], b: f64::from(u8::from(empty)), noise: 0.0, prior: 0.0 }
            })
            .collect();
        for (c, part) in parts.iter().enumerate() {
            let g = parent[c] as usize;
            if tree.counts[l][c] > 0.0 {
                let s = tree.counts[l][c] / tree.counts[l + 1][g];
                let (share, noise) = (sweep.share(l, c), sweep.noise(l, c));
                for (sum, (a, z)) in above[g].a.iter_mut().zip(part.a.iter().zip(sweep.own(l, c))) {
                    *sum += s * (a + part.b * share * z);
                }
                above[g].b += s * part.b * (1.0 - share);
                above[g].noise += s * s * (part.noise + part.b * part.b * noise);
                above[g].prior += s * s * (part.prior + v[l]);
            }
        }
        parts = above;
    }
    out
}

/// A node's mean over its lowest units, given the node's own level.
struct Collected {
    a: Vec<f64>,
    b: f64,
    noise: f64,
    prior: f64,
}
