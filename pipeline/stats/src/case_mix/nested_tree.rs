//! A tree of units: which of its levels have effects, and the sweeps up and down that predict its nodes.
//!
//! # Estimand
//! E and Var of every node's own level μ + Σb over its path, given rows z̄_j of the lowest units with precision u_j and the variances
//! v_l of the levels' effects, all in units of the residual variance.
//! # Formula
//! Upward U = Σu_c/(1 + vU_c) and z̄ = Σu z̄/Σu; the root is Σu z̄/Σu over the top nodes with variance 1/Σu, or known.
//! Downward, with λ_c = vU_c/(1 + vU_c), m_c = λ_c z̄_c + (1 − λ_c)m_g, Var_c = v/(1 + vU_c) + (1 − λ_c)²Var_g, g the parent.
//! # Source
//! Chou, Willsky, Benveniste (1994) IEEE Transactions on Automatic Control 39:464–478 (upward and downward sweeps);
//! Robinson (1991) Statistical Science 6:15–32.
//! # Assumptions
//! Normal effects, independent between levels.
//! # Edge cases
//! A level has effects only with enough nodes that have rows, and where it divides them otherwise than the level below. v = 0
//! hands a node its parent's value, u = 0 too.
//! # Reference values
//! Through its users: `tests/case_mix_nested_shrinkage.rs` and `tests/case_mix_nested_areas.rs`, both also by dense matrices.

use crate::error::{Result, StatsError, check_length};

/// Nodes per level of the tree over `units`.
pub(super) fn nodes_of(units: usize, parents: &[Vec<u32>], tops: usize) -> Result<Vec<usize>> {
    let mut nodes = vec![units];
    for (l, parent) in parents.iter().enumerate() {
        check_length("parents of a level", nodes[l], parent.len())?;
        let above = parents.get(l + 1).map_or(tops, Vec::len);
        if let Some(bad) = parent.iter().find(|p| **p as usize >= above) {
            return Err(StatsError::out_of_range("parent index", f64::from(*bad), "below the number of parents"));
        }
        nodes.push(above);
    }
    if parents.is_empty() {
        check_length("top nodes", units, tops)?;
    }
    Ok(nodes)
}

/// A tree with rows per node; `parents` and `tops` as in [`super::NestedLikelihood::new`].
pub(super) struct Tree<'a> {
    pub parents: &'a [Vec<u32>],
    /// Nodes per level.
    pub nodes: Vec<usize>,
    pub counts: Vec<Vec<f64>>,
}

impl<'a> Tree<'a> {
    /// `counts` are the rows of the lowest units.
    pub fn of(counts: Vec<f64>, parents: &'a [Vec<u32>], tops: usize) -> Self {
        let mut counts = vec![counts];
        for (l, parent) in parents.iter().enumerate() {
            let mut above = vec![0.0; parents.get(l + 1).map_or(tops, Vec::len)];
            for (n, p) in counts[l].iter().zip(parent) {
                above[*p as usize] += n;
            }
            counts.push(above);
        }
        Self { parents, nodes: counts.iter().map(Vec::len).collect(), counts }
    }

    /// Nodes of level `l` that have rows.
    pub fn with_rows(&self, l: usize) -> usize {
        self.counts[l].iter().filter(|n| **n > 0.0).count()
    }

    /// Which levels have effects of their own.
    ///
    /// # Errors
    /// Fewer than `fewest` lowest units with rows.
    pub fn random(&self, fewest: usize) -> Result<Vec<bool>> {
        let lowest = self.with_rows(0);
        if lowest < fewest {
            return Err(StatsError::TooFew { what: "units for nested shrinkage", needed: fewest, found: lowest });
        }
        let mut finer = usize::MAX;
        Ok((0..self.nodes.len())
            .map(|l| {
                let nodes = self.with_rows(l);
                // Levels are nested: as many nodes with rows means the same division.
                let is_random = nodes >= fewest && nodes < finer;
                if is_random {
                    finer = nodes;
                }
                is_random
            })
            .collect())
    }

    /// The tree of the random levels alone.
    pub fn compressed(&self, random: &[bool]) -> (Vec<Vec<u32>>, usize) {
        let mut parents = Vec::new();
        let mut up: Vec<u32> = (0..self.nodes[0] as u32).collect();
        let mut above = self.nodes[0];
        for ((parent, nodes), is_random) in self.parents.iter().zip(&self.nodes[1..]).zip(&random[1..]) {
            up.iter_mut().for_each(|node| *node = parent[*node as usize]);
            if *is_random {
                above = *nodes;
                parents.push(std::mem::replace(&mut up, (0..above as u32).collect()));
            }
        }
        (parents, above)
    }
}

/// What the sweeps carry: `q` numbers per lowest unit, one unit after another, of precision `precision`.
#[derive(Clone, Copy)]
pub(super) struct Swept<'a> {
    pub q: usize,
    pub rows: &'a [f64],
    pub precision: &'a [f64],
}

/// A node's own level: what of its rows gives it, and variances in units of the residual one.
pub(super) struct OnPath {
    pub combination: Vec<f64>,
    pub variance: f64,
    /// The variance were the root known.
    pub known: f64,
}

/// A tree after both sweeps.
pub(super) struct Sweep<'a> {
    q: usize,
    v: &'a [f64],
    below: Vec<Below>,
    /// Per level and node.
    pub path: Vec<Vec<OnPath>>,
}

/// Bottom-up: what the data below a node say of it.
struct Below {
    sum: Vec<f64>,
    mean: Vec<f64>,
}

impl<'a> Sweep<'a> {
    /// `v` per level of `tree`; the root is the generalised mean of the top nodes, or 0 and known.
    pub fn of(swept: Swept<'_>, tree: &Tree<'_>, v: &'a [f64], is_root_estimated: bool) -> Self {
        let q = swept.q;
        let mut sweep = Self { q, v, below: upward(swept, tree, v), path: Vec::new() };
        let (root, root_variance) = root(&sweep.below, v, q, is_root_estimated);
        // Top-down: m_c and its variance, with the root estimated and with the root known.
        let levels = tree.nodes.len();
        let mut path: Vec<Vec<OnPath>> = (0..levels).map(|_| Vec::new()).collect();
        for l in (0..levels).rev() {
            path[l] = (0..tree.nodes[l])
                .map(|c| {
                    let share = sweep.share(l, c);
                    let (above, variance, known) = match tree.parents.get(l) {
                        Some(parent) => {
                            let above = &path[l + 1][parent[c] as usize];
                            (&above.combination, above.variance, above.known)
                        }
                        None => (&root, root_variance, 0.0),
                    };
                    let own = sweep.own(l, c).iter();
                    let combination = own.zip(above).map(|(z, m)| share * z + (1.0 - share) * m).collect();
                    let keep = (1.0 - share).powi(2);
                    let noise = sweep.noise(l, c);
                    OnPath { combination, variance: noise + keep * variance, known: noise + keep * known }
                })
                .collect();
        }
        sweep.path = path;
        sweep
    }

    /// λ of node `c`: the weight of what lies below it.
    pub fn share(&self, l: usize, c: usize) -> f64 {
        let vu = self.v[l] * self.below[l].sum[c];
        if vu.is_finite() { vu / (1.0 + vu) } else { 1.0 }
    }

    /// Variance of the effect of node `c`, given what lies below it.
    pub fn noise(&self, l: usize, c: usize) -> f64 {
        self.v[l] / (1.0 + self.v[l] * self.below[l].sum[c])
    }

    /// Mean of the rows below node `c`.
    pub fn own(&self, l: usize, c: usize) -> &[f64] {
        &self.below[l].mean[c * self.q..(c + 1) * self.q]
    }
}

fn upward(swept: Swept<'_>, tree: &Tree<'_>, v: &[f64]) -> Vec<Below> {
    let q = swept.q;
    let mut below = vec![Below { sum: swept.precision.to_vec(), mean: swept.rows.to_vec() }];
    for (l, parent) in tree.parents.iter().enumerate() {
        let mut above = Below { sum: vec![0.0; tree.nodes[l + 1]], mean: vec![0.0; tree.nodes[l + 1] * q] };
        for (c, target) in parent.iter().enumerate() {
            let (u, g) = (below[l].sum[c] / (1.0 + v[l] * below[l].sum[c]), *target as usize);
            if u > 0.0 {
                above.sum[g] += u;
                let share = u / above.sum[g];
                for k in 0..q {
                    above.mean[g * q + k] += share * (below[l].mean[c * q + k] - above.mean[g * q + k]);
                }
            }
        }
        below.push(above);
    }
    below
}

/// The root's combination and its variance: the generalised mean of the top nodes, or nothing where it is known.
fn root(below: &[Below], v: &[f64], q: usize, is_estimated: bool) -> (Vec<f64>, f64) {
    let mut mean = vec![0.0; q];
    let (Some(top), Some(v), true) = (below.last(), v.last(), is_estimated) else { return (mean, 0.0) };
    let mut total = 0.0;
    for (c, sum) in top.sum.iter().enumerate().filter(|(_, sum)| **sum > 0.0) {
        let u = sum / (1.0 + v * sum);
        total += u;
        for (m, z) in mean.iter_mut().zip(&top.mean[c * q..(c + 1) * q]) {
            *m += u / total * (z - *m);
        }
    }
    (mean, if total > 0.0 { 1.0 / total } else { 0.0 })
}
