//! Could chance alone give this much variation?
//!
//! # Estimand
//! p = Pr(T* ≥ T) for a statistic T of observed and expected counts when all units have the same relative rate.
//! # Formula
//! Conditional on ΣO. Independent events: O* ~ multinomial(ΣO; E/ΣE). Repeat events: the persons with f events each are allotted
//! multinomially over E, O* = Σ f · persons*, and E is rescaled to ΣO*. p = (1 + #{T* ≥ T})/(B + 1).
//! # Source
//! P. Diehr et al., Health Services Research 24 (1990) 741–771; A. C. Davison and D. V. Hinkley, *Bootstrap Methods* (1997),
//! section 4.2.
//! # Assumptions
//! E known up to scale; persons allotted independently. T is the raw statistic, not one cut off at 0.
//! # Edge cases
//! E is rescaled to ΣO for the observed statistic too. A replicate whose statistic does not exist counts as at least T. Counts that
//! are not whole are rounded in their sum. No events is an error.
//! # Reference values
//! Exact enumeration: three small units, tests/variation_by_hand.rs; six persons with up to four events, and eleven
//! single events, in R: tests/reference/r_areas.rs.

use super::check_observed_expected;
use super::quantile::quantile_type_7;
use crate::error::{Result, StatsError, finite_result};
use crate::{numeric, random};
use rand::Rng;
use rand_distr::{Binomial, Distribution};

/// Default number of replicates: the smallest p is 0.0001.
pub const REPLICATES: usize = 9_999;

/// Largest ΣO that is drawn; beyond it a binomial generator loses whole numbers.
const MOST_EVENTS: f64 = 9e15;

/// `persons` people of the whole region who have `frequency` events each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PersonsWithEvents {
    pub frequency: u32,
    pub persons: u64,
}

/// How events hang together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Events<'a> {
    /// Every event on its own.
    Independent,
    /// Events of a person go together.
    Repeat(&'a [PersonsWithEvents]),
}

/// Replicates and seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChanceOptions {
    pub replicates: usize,
    pub seed: u64,
}

impl ChanceOptions {
    /// [`REPLICATES`] replicates.
    pub fn new(seed: u64) -> Self {
        ChanceOptions { replicates: REPLICATES, seed }
    }
}

/// Observed statistic against its distribution under chance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chance {
    pub statistic: f64,
    pub p: f64,
    /// 95th percentile (type 7) and mean of the statistic under chance.
    pub null_p95: f64,
    pub null_mean: f64,
    pub replicates: usize,
    pub method: &'static str,
}

/// Simulates `statistic(observed, expected)`; `None` from it means that the statistic does not exist for those counts.
pub fn chance(
    observed: &[f64],
    expected: &[f64],
    events: Events<'_>,
    options: ChanceOptions,
    statistic: impl Fn(&[f64], &[f64]) -> Option<f64> + Sync,
) -> Result<Chance> {
    const WHAT: &str = "chance simulation";
    check_observed_expected(WHAT, observed, expected, 2)?;
    if options.replicates == 0 {
        return Err(StatsError::TooFew { what: "chance simulation: replicates", needed: 1, found: 0 });
    }
    let total = numeric::sum(observed.iter().copied()).round();
    let expected_total = numeric::sum(expected.iter().copied());
    if !(1.0..=MOST_EVENTS).contains(&total) {
        return Err(StatsError::out_of_range("chance simulation: events", total, "1 to 9e15"));
    }
    let groups: Vec<(f64, u64)> = match events {
        Events::Independent => vec![(1.0, total as u64)],
        Events::Repeat(groups) => {
            groups.iter().filter(|g| g.frequency > 0).map(|g| (f64::from(g.frequency), g.persons)).collect()
        }
    };
    let drawn_total = numeric::sum(groups.iter().map(|(f, persons)| f * *persons as f64));
    if !(1.0..=MOST_EVENTS).contains(&drawn_total) {
        return Err(StatsError::out_of_range("chance simulation: repeat events", drawn_total, "1 to 9e15"));
    }
    let scaled = |to: f64| -> Vec<f64> { expected.iter().map(|e| e / expected_total * to).collect() };
    let observed_expected = scaled(numeric::sum(observed.iter().copied()));
    let value = statistic(observed, &observed_expected)
        .filter(|t| t.is_finite())
        .ok_or(StatsError::Undefined { what: WHAT, reason: "the observed statistic does not exist" })?;
    let drawn_expected = scaled(drawn_total);
    let conditional = conditional_shares(expected);
    let draws = random::replicate(options.replicates, options.seed, |rng| {
        let mut counts = vec![0.0; expected.len()];
        for (frequency, persons) in &groups {
            allot(rng, *persons, *frequency, &conditional, &mut counts);
        }
        statistic(&counts, &drawn_expected).filter(|t| t.is_finite())
    });
    // Rounding must not decide a tie between equal counts.
    let tolerance = 1e-12 * value.abs();
    let reached = draws.iter().filter(|t| t.is_none_or(|t| t >= value - tolerance)).count();
    let known: Vec<f64> = draws.iter().copied().flatten().collect();
    if known.is_empty() {
        return Err(StatsError::Undefined { what: WHAT, reason: "the statistic exists in no replicate" });
    }
    Ok(Chance {
        statistic: value,
        p: (1.0 + reached as f64) / (options.replicates as f64 + 1.0),
        null_p95: quantile_type_7(&known, 0.95)?,
        null_mean: finite_result(WHAT, numeric::mean(&known))?,
        replicates: options.replicates,
        method: match events {
            Events::Independent => "multinomial",
            Events::Repeat(_) => "multinomial-repeat-events",
        },
    })
}

/// Share of each unit among itself and those after it.
fn conditional_shares(expected: &[f64]) -> Vec<f64> {
    let mut left = vec![0.0; expected.len()];
    let mut rest = 0.0;
    for j in (0..expected.len()).rev() {
        rest += expected[j];
        left[j] = (expected[j] / rest).clamp(0.0, 1.0);
    }
    left
}

fn allot(rng: &mut impl Rng, persons: u64, frequency: f64, conditional: &[f64], counts: &mut [f64]) {
    let mut left = persons;
    let last = conditional.len() - 1;
    for (j, share) in conditional.iter().enumerate() {
        if left == 0 {
            return;
        }
        let here = if j == last { left } else { Binomial::new(left, *share).map_or(0, |b| b.sample(rng)).min(left) };
        counts[j] += frequency * here as f64;
        left -= here;
    }
}
