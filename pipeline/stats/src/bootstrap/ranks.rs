//! Intervals for ranks.
//!
//! # Estimand
//! Rank of each unit among all, rank 1 the highest true value.
//! # Formula
//! B draws a*_j ~ N(a_j, SE_j²), independent; the rank's limits are the tail quantiles (type 7, outwards to whole ranks) of its draws.
//! # Source
//! H. Goldstein and D. J. Spiegelhalter, JRSS A 159 (1996) 385–443.
//! # Assumptions
//! Normal, independent estimates; use shrunken values and their SEs for ranks of true values.
//! # Edge cases
//! SE = 0 fixes a value; ties get their mean rank. One unit has rank 1.
//! # Reference values
//! Properties, tests/bootstrap_by_hand.rs; the ranks' distributions by integration in R (tests/reference/r/dense.R).

use crate::error::{Result, StatsError, check_all_finite, check_length, check_non_negative};
use crate::interval::{Interval, Level};
use crate::variation::quantile::of_sorted;
use crate::{numeric, random};
use rand_distr::{Distribution, StandardNormal};

/// A unit's rank.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankInterval {
    /// Rank of the estimate itself.
    pub rank: f64,
    /// Mean of the drawn ranks.
    pub mean_rank: f64,
    pub interval: Interval,
}

/// Rank intervals of `values` with standard errors `ses`.
pub fn rank_intervals(
    values: &[f64],
    ses: &[f64],
    replicates: usize,
    seed: u64,
    level: Level,
) -> Result<Vec<RankInterval>> {
    check_all_finite("ranks", values)?;
    check_length("ranks: standard errors", values.len(), ses.len())?;
    check_non_negative("ranks: standard errors", ses)?;
    if values.is_empty() {
        return Err(StatsError::Empty { what: "ranks" });
    }
    if replicates < 2 {
        return Err(StatsError::TooFew { what: "ranks: replicates", needed: 2, found: replicates });
    }
    let draws = random::replicate(replicates, seed, |rng| {
        let drawn: Vec<f64> = values
            .iter()
            .zip(ses)
            .map(|(a, se)| {
                let z: f64 = StandardNormal.sample(rng);
                a + se * z
            })
            .collect();
        ranks(&drawn)
    });
    let own = ranks(values);
    let of_unit = |j: usize| {
        let sorted = numeric::sorted(&draws.iter().map(|d| d[j]).collect::<Vec<f64>>());
        Ok(RankInterval {
            rank: own[j],
            mean_rank: numeric::mean(&sorted),
            interval: Interval::new(
                of_sorted(&sorted, level.tail()).floor(),
                of_sorted(&sorted, 1.0 - level.tail()).ceil(),
            )?,
        })
    };
    (0..values.len()).map(of_unit).collect()
}

/// Ranks from the highest; ties get their mean.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*b].total_cmp(&values[*a]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let mut end = start;
        while end + 1 < order.len() && values[order[end + 1]] == values[order[start]] {
            end += 1;
        }
        let mean = 0.5 * (start + end) as f64 + 1.0;
        order[start..=end].iter().for_each(|j| ranks[*j] = mean);
        start = end + 1;
    }
    ranks
}
