//! Non-parametric bootstrap, of rows within strata or of whole units.
//!
//! # Estimand
//! Standard error and interval of any statistic of rows.
//! # Formula
//! Rows drawn with replacement within strata. Percentile: type-7 quantiles of the replicates. BCa: quantiles at
//! Φ(z₀ + (z₀ + z_α)/(1 − a(z₀ + z_α))), z₀ = Φ⁻¹(share of replicates below the estimate, ties half), a = Σd³/(6(Σd²)^1.5) from the
//! jackknife values d, centred within strata.
//! # Source
//! B. Efron and R. J. Tibshirani, *An Introduction to the Bootstrap* (1993), eq. 14.9–14.15; strata: A. C. Davison and D. V. Hinkley,
//! *Bootstrap Methods* (1997), section 3.2.
//! # Assumptions
//! Rows independent within strata. With one stratum and a row per unit, units are drawn from the population of units. The limits of a
//! variance from few units are too short: docs/coverage.md says by how much.
//! # Edge cases
//! A stratum with one row always gives that row. Replicates without a finite statistic are left out and counted; fewer than nine in ten
//! left is an error. Above 500 rows the jackknife leaves out 500 blocks in turn. Same seed, same answer on any number of threads.
//! # Reference values
//! By hand, tests/bootstrap_by_hand.rs; all resamples of seven rows in two strata in R (tests/reference/r/dense.R), of
//! eight units in tests/reference/r/resampling.R; coverage by simulation, docs/coverage.md.

use crate::distributions::normal;
use crate::error::{Result, StatsError, check_length, finite_result};
use crate::interval::{Interval, Level};
use crate::variation::quantile::of_sorted;
use crate::{numeric, random};
use rand::Rng;
use std::collections::BTreeMap;

/// Most statistics that the jackknife of BCa computes.
const JACKKNIFE_BLOCKS: usize = 500;

/// Kind of interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BootstrapInterval {
    Percentile,
    #[default]
    Bca,
}

/// Replicates, seed, level and kind of interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BootstrapOptions {
    pub replicates: usize,
    pub seed: u64,
    pub level: Level,
    pub interval: BootstrapInterval,
}

impl BootstrapOptions {
    /// 1,999 replicates, level 0.95, BCa.
    pub fn new(seed: u64) -> Self {
        BootstrapOptions { replicates: 1999, seed, level: Level::P95, interval: BootstrapInterval::Bca }
    }
}

/// A statistic with its bootstrap interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    pub value: f64,
    pub se: f64,
    pub interval: Interval,
    pub n: usize,
    pub replicates: usize,
    /// Replicates whose statistic did not exist.
    pub failed: usize,
    pub method: &'static str,
}

/// Bootstraps `statistic`, a function of row numbers (repeats and all), over rows whose stratum numbers are `strata`.
pub fn bootstrap(
    strata: &[usize],
    options: BootstrapOptions,
    statistic: impl Fn(&[usize]) -> Option<f64> + Sync,
) -> Result<Bootstrap> {
    const WHAT: &str = "bootstrap";
    let n = strata.len();
    if n < 2 {
        return Err(StatsError::TooFew { what: WHAT, needed: 2, found: n });
    }
    if options.replicates < 2 {
        return Err(StatsError::TooFew { what: "bootstrap: replicates", needed: 2, found: options.replicates });
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (row, h) in strata.iter().enumerate() {
        groups.entry(*h).or_default().push(row);
    }
    let groups: Vec<Vec<usize>> = groups.into_values().collect();
    let finite = |rows: &[usize]| statistic(rows).filter(|t| t.is_finite());
    let all: Vec<usize> = (0..n).collect();
    let value = finite(&all)
        .ok_or(StatsError::Undefined { what: WHAT, reason: "the statistic does not exist for these rows" })?;
    let draws = random::replicate(options.replicates, options.seed, |rng| {
        let mut rows = Vec::with_capacity(n);
        for g in &groups {
            rows.extend((0..g.len()).map(|_| g[rng.random_range(0..g.len())]));
        }
        rows.sort_unstable();
        finite(&rows)
    });
    let replicates: Vec<f64> = draws.iter().copied().flatten().collect();
    let failed = draws.len() - replicates.len();
    if replicates.len() < 2 || failed * 10 > draws.len() {
        return Err(StatsError::Undefined { what: WHAT, reason: "the statistic is missing in too many replicates" });
    }
    let sorted = numeric::sorted(&replicates);
    let tail = options.level.tail();
    let (low, high, method) = match options.interval {
        BootstrapInterval::Percentile => (tail, 1.0 - tail, "bootstrap-percentile"),
        BootstrapInterval::Bca => {
            let (low, high) = bca_levels(&sorted, value, tail, acceleration(&groups, n, &finite))?;
            (low, high, "bootstrap-bca")
        }
    };
    Ok(Bootstrap {
        value,
        se: finite_result("bootstrap: standard error", numeric::variance(&replicates).sqrt())?,
        interval: Interval::new(of_sorted(&sorted, low), of_sorted(&sorted, high))?,
        n,
        replicates: replicates.len(),
        failed,
        method,
    })
}

/// Bootstraps `statistic` of columns with one value per unit: units are drawn with all their values.
pub fn bootstrap_units<const K: usize>(
    columns: [&[f64]; K],
    options: BootstrapOptions,
    statistic: impl Fn([&[f64]; K]) -> Result<f64> + Sync,
) -> Result<Bootstrap> {
    let units = columns.first().map_or(0, |c| c.len());
    for c in columns {
        check_length("bootstrap: values of units", units, c.len())?;
    }
    statistic(columns)?;
    bootstrap(&vec![0; units], options, |drawn| {
        let values = columns.map(|c| drawn.iter().map(|u| c[*u]).collect::<Vec<f64>>());
        statistic(values.each_ref().map(Vec::as_slice)).ok()
    })
}

/// Corrected probabilities of the two limits.
fn bca_levels(sorted: &[f64], value: f64, tail: f64, a: f64) -> Result<(f64, f64)> {
    let below = sorted.partition_point(|t| *t < value);
    let ties = sorted.partition_point(|t| *t <= value) - below;
    let b = sorted.len() as f64;
    // Kept off 0 and 1, where the correction is infinite.
    let share = ((below as f64 + 0.5 * ties as f64) / b).clamp(0.5 / b, 1.0 - 0.5 / b);
    let z0 = normal::quantile(share)?;
    let level = |z: f64| {
        let denominator = 1.0 - a * (z0 + z);
        if denominator <= 0.0 {
            return Ok(if z > 0.0 { 1.0 } else { 0.0 });
        }
        normal::cdf(z0 + (z0 + z) / denominator)
    };
    let z = normal::upper_quantile(tail)?;
    Ok((level(-z)?, level(z)?))
}

/// Acceleration from a jackknife within strata; 0 where it does not exist.
fn acceleration(groups: &[Vec<usize>], n: usize, statistic: &impl Fn(&[usize]) -> Option<f64>) -> f64 {
    let per_block = n.div_ceil(JACKKNIFE_BLOCKS);
    let (mut squares, mut cubes) = (0.0, 0.0);
    for g in groups.iter().filter(|g| g.len() > per_block) {
        let values: Vec<f64> = g
            .chunks(per_block)
            .filter_map(|left_out| {
                let rows: Vec<usize> = (0..n).filter(|r| left_out.binary_search(r).is_err()).collect();
                statistic(&rows)
            })
            .collect();
        if values.len() < 2 {
            continue;
        }
        let mean = numeric::mean(&values);
        let scale = (g.len() - per_block) as f64 / g.len() as f64;
        for v in values {
            let d = scale * (mean - v);
            squares += d * d;
            cubes += d * d * d;
        }
    }
    let a = cubes / (6.0 * squares.powf(1.5));
    if a.is_finite() { a } else { 0.0 }
}
