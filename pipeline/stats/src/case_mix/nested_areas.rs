//! Shrinkage of weighted unit estimates in a tree: a ward borrows strength from its hospital, that from its trust.
//!
//! # Estimand
//! An area's mean, given an estimate a_j with known sampling variance V_j from a weighted sample, as a draw from areas that share
//! the effects of what they belong to: μ + Σb_l(j) + u_j.
//! # Formula
//! Var(u) = A_0, Var(b_l) = A_l, Var(a) = Σ = ΣA_lG_l + diag(V), G_l = Z_lZ_l'; A by REML, which is the criterion of
//! `nested_likelihood.rs` with σ = 1 and 1/V_j for rows. The value m_j(A) and g1 + g2, its variance with μ̂ = 1'Σ⁻¹a/1'Σ⁻¹1, are
//! those of the sweeps of `nested_tree.rs`. Plug-in: mean squared error g1 + g2 + 2g3 at Â, g3 = V_j²Σ_lk(I⁻¹)_lk s_j'G_lΣ⁻¹G_ks_j,
//! s_j column j of Σ⁻¹, I_lk = tr(Σ⁻¹G_lΣ⁻¹G_k)/2. Averaged over A with the density ∝ exp(−REML(A)/2) dA: m = Σωm(A), mean
//! squared error Σω[g1 + g2 + m(A)²] − m². Reliability 1 − Var(true value | a, μ)/ΣA, averaged too.
//! # Source
//! Torabi, Rao (2014) Journal of Multivariate Analysis 127:36–55 (sub-areas); Konstantopoulos (2011) Research Synthesis
//! Methods 2:61–76 (three levels, V known); Fay, Herriot (1979) Journal of the American Statistical Association 74:269–277;
//! Datta, Lahiri (2000) Statistica Sinica 10:613–627 (REML, 2g3); Rao, Molina (2015) Small Area Estimation, section 10.3.
//! # Assumptions
//! V_j as known; normal effects, independent between levels; for the average a flat prior on each A_l. A sampling weight never acts
//! as a precision weight.
//! # Edge cases
//! A level above has effects of its own only with [`MIN_UNITS`] nodes that have areas (plug-in: 2) and where it divides the areas
//! otherwise than the level below. Without any such level the model is [`fay_herriot`], and computed by it. Any Â_l may be 0.
//! # Reference values
//! `tests/case_mix_nested_areas.rs`: balanced areas by hand; `tests/reference/r_areas_nested.rs`: variances, mean and its error by
//! metafor's `rma.mv`, values and errors by dense matrices, averaged ones by integrals in R.

use super::adjusted::{check_level, critical_value};
use super::fay_herriot::{FayHerriotUnit, fay_herriot};
use super::nested::minimise;
use super::nested_grid::grid;
use super::nested_likelihood::NestedLikelihood;
use super::nested_tree::{Sweep, Swept, Tree, nodes_of};
use super::shrinkage::{MIN_UNITS, ShrinkageInterval};
use crate::error::{Result, check_all_finite, check_length, check_positive, finite_result};
use crate::linear_algebra::{Cholesky, Matrix, dot};
use crate::numeric::at_least_zero;

/// The fit.
#[derive(Debug, Clone, PartialEq)]
pub struct NestedAreas {
    /// μ̂ at the estimated variances, and its standard error.
    pub mean: f64,
    pub standard_error: f64,
    /// REML estimates of A_l: the areas' own, then one per level above; `None` where the level has no effects of its own.
    pub variances: Vec<Option<f64>>,
    /// Some Â_l = 0.
    pub boundary: bool,
    /// In the caller's order; `reliability` is that of the header.
    pub areas: Vec<FayHerriotUnit>,
}

/// Fits areas in a tree to their estimates and sampling variances. `parents[0]` leads from areas to nodes of the level above,
/// the next one level up, and so on; `tops` is the number of nodes of the last level (without levels above, that of areas). The
/// root is no level. Intervals are normal.
///
/// # Errors
/// Fewer than 5 areas (plug-in: 3); shapes that are no tree; variances not above 0, values not finite; a fit that fails.
pub fn nested_areas(
    values: &[f64],
    variances: &[f64],
    (parents, tops): (&[Vec<u32>], usize),
    interval: ShrinkageInterval,
    level: f64,
) -> Result<NestedAreas> {
    check_level(level)?;
    check_length("sampling variances", values.len(), variances.len())?;
    check_all_finite("unit estimates", values)?;
    check_positive("sampling variances", variances)?;
    nodes_of(values.len(), parents, tops)?;
    let whole = Tree::of(vec![1.0; values.len()], parents, tops);
    let random = whole.random(if interval == ShrinkageInterval::Averaged { MIN_UNITS } else { 2 })?;
    let (compressed, above) = whole.compressed(&random);
    if compressed.is_empty() {
        return without_levels(values, variances, parents.len(), interval, level);
    }
    let likelihood = NestedLikelihood::of_areas(values, variances, &compressed, above)?;
    let (estimated, point, convergence) = minimise(&likelihood)?;
    let areas = Areas {
        tree: Tree::of(vec![1.0; values.len()], &compressed, above),
        rows: values.iter().map(|y| y - likelihood.center_y).collect(),
        variances,
        precision: variances.iter().map(|v| 1.0 / v).collect(),
    };
    let shrunken = match interval {
        ShrinkageInterval::PlugIn => areas.plug_in(&estimated)?,
        ShrinkageInterval::Averaged => areas.averaged(&likelihood)?,
    };
    let z = critical_value(level, f64::INFINITY)?;
    let unit = |(value, variance, reliability): (f64, f64, f64)| -> Result<FayHerriotUnit> {
        let value = finite_result("area-level value", likelihood.center_y + value)?;
        let mean_squared_error = finite_result("area-level mean squared error", variance)?;
        let reliability = finite_result("area-level reliability", reliability)?;
        let half = z * mean_squared_error.sqrt();
        Ok(FayHerriotUnit { value, mean_squared_error, lower: value - half, upper: value + half, reliability })
    };
    let mut found = estimated.into_iter();
    Ok(NestedAreas {
        mean: finite_result("area-level mean", likelihood.original_beta(&point)[0])?,
        standard_error: at_least_zero(likelihood.original_covariance(&point, 1.0)[(0, 0)]).sqrt(),
        variances: random.iter().map(|is_random| is_random.then(|| found.next()).flatten()).collect(),
        boundary: convergence.boundary,
        areas: shrunken.into_iter().map(unit).collect::<Result<_>>()?,
    })
}

/// Areas of which no level above has effects.
fn without_levels(
    values: &[f64],
    variances: &[f64],
    levels: usize,
    interval: ShrinkageInterval,
    level: f64,
) -> Result<NestedAreas> {
    let fit = fay_herriot(values, variances, &[], interval, level)?;
    let own = std::iter::once(Some(fit.between_unit_variance));
    Ok(NestedAreas {
        mean: fit.coefficients[0],
        standard_error: at_least_zero(fit.covariance[(0, 0)]).sqrt(),
        variances: own.chain(std::iter::repeat_n(None, levels)).collect(),
        boundary: fit.boundary,
        areas: fit.units,
    })
}

/// Areas under a tree of levels that all have effects; values centred.
struct Areas<'a> {
    tree: Tree<'a>,
    rows: Vec<f64>,
    variances: &'a [f64],
    precision: Vec<f64>,
}

impl Areas<'_> {
    fn swept<'b>(&'b self, rows: &'b [f64]) -> Swept<'b> {
        Swept { q: 1, rows, precision: &self.precision }
    }

    /// m_j(A), g1 + g2 and reliability of every area; `a` are the variances by level, areas first.
    fn at(&self, a: &[f64]) -> Vec<(f64, f64, f64)> {
        let prior: f64 = a.iter().sum();
        let sweep = Sweep::of(self.swept(&self.rows), &self.tree, a, true);
        let areas = sweep.path.into_iter().next().unwrap_or_default();
        areas
            .into_iter()
            .map(|area| {
                let reliability = if prior > 0.0 { 1.0 - area.known / prior } else { 0.0 };
                (area.combination[0], area.variance, reliability.clamp(0.0, 1.0))
            })
            .collect()
    }

    /// At the estimated variances, with 2g3 in the mean squared error.
    fn plug_in(&self, a: &[f64]) -> Result<Vec<(f64, f64, f64)>> {
        let parts = self.variance_parts(a)?;
        let with =
            |((value, variance, reliability), g3): ((f64, f64, f64), f64)| (value, variance + 2.0 * g3, reliability);
        Ok(self.at(a).into_iter().zip(parts).map(with).collect())
    }

    fn averaged(&self, likelihood: &NestedLikelihood) -> Result<Vec<(f64, f64, f64)>> {
        let mut sums = vec![[0.0; 3]; self.rows.len()];
        for (weight, theta) in grid(likelihood)? {
            // σ = 1: the squared ratios are the variances.
            let a: Vec<f64> = theta.iter().map(|theta| theta * theta).collect();
            for (sum, (value, variance, reliability)) in sums.iter_mut().zip(self.at(&a)) {
                sum[0] += weight * value;
                sum[1] += weight * (variance + value * value);
                sum[2] += weight * reliability;
            }
        }
        let moments =
            |[first, second, reliability]: [f64; 3]| (first, at_least_zero(second - first * first), reliability);
        Ok(sums.into_iter().map(moments).collect())
    }

    /// Σ⁻¹x: what the tree does not predict of x, the mean known to be 0.
    fn solve(&self, a: &[f64], x: &[f64]) -> Vec<f64> {
        let sweep = Sweep::of(self.swept(x), &self.tree, a, false);
        let above = |j: usize| {
            let parent = self.tree.parents.first().and_then(|parent| parent.get(j));
            parent.map_or(0.0, |parent| sweep.path[1][*parent as usize].combination[0])
        };
        (0..x.len()).map(|j| (x[j] - above(j)) / (a[0] + self.variances[j])).collect()
    }

    /// Per level, the node of every area.
    fn groups(&self) -> Vec<Vec<u32>> {
        let mut groups = vec![(0..self.rows.len() as u32).collect::<Vec<u32>>()];
        for parent in self.tree.parents {
            let below = &groups[groups.len() - 1];
            groups.push(below.iter().map(|node| parent[*node as usize]).collect());
        }
        groups
    }

    /// g3 of every area: what the variances' own uncertainty adds.
    fn variance_parts(&self, a: &[f64]) -> Result<Vec<f64>> {
        let (areas, levels) = (self.rows.len(), a.len());
        let groups = self.groups();
        // G_l x.
        let gathered = |l: usize, x: &[f64]| -> Vec<f64> {
            let mut sums = vec![0.0; self.tree.nodes[l]];
            groups[l].iter().zip(x).for_each(|(node, x)| sums[*node as usize] += x);
            groups[l].iter().map(|node| sums[*node as usize]).collect()
        };
        let mut information = Matrix::zeros(levels, levels);
        let mut crossed = Vec::with_capacity(areas);
        for j in 0..areas {
            let mut unit = vec![0.0; areas];
            unit[j] = 1.0;
            let column = self.solve(a, &unit);
            let pulled: Vec<Vec<f64>> = (0..levels).map(|l| gathered(l, &column)).collect();
            let solved: Vec<Vec<f64>> = pulled.iter().map(|x| self.solve(a, x)).collect();
            for (l, k) in (0..levels).flat_map(|l| (0..levels).map(move |k| (l, k))) {
                information[(l, k)] += 0.5 * gathered(k, &solved[l])[j];
            }
            crossed.push(Matrix::from_fn(levels, levels, |l, k| dot(&pulled[l], &solved[k])));
        }
        let covariance = Cholesky::new("information on the variances of areas", &information)?.inverse();
        let trace = |x: &Matrix| -> f64 {
            (0..levels).flat_map(|l| (0..levels).map(move |k| (l, k))).map(|at| covariance[at] * x[at]).sum()
        };
        Ok(crossed.iter().zip(self.variances).map(|(x, v)| v * v * at_least_zero(trace(x))).collect())
    }
}
