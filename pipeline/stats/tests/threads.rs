//! Any number of threads gives the same bits. Results are compared by their text, in which every digit of a number is written.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a failure is a failed test")]

use prem_stats::binary::*;
use prem_stats::bootstrap::rank_intervals;
use prem_stats::case_mix::SufficientStatistics;
use prem_stats::interval::Level;
use prem_stats::rates::{GroupValues, SlopeTransform, slope_index_interval};
use std::fmt::Debug;

/// Runs on 1, 2 and 3 threads.
fn same_bits<T: Debug>(run: impl Fn() -> T + Sync) {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            assert_eq!(rayon::current_num_threads(), threads);
            format!("{:?}", run())
        })
    };
    let one = on(1);
    assert!(one.len() > 100, "a result of some size: {one}");
    for threads in [2, 3] {
        assert!(on(threads) == one, "{threads} threads give other bits than one");
    }
}

/// Numbers without a pattern, from 0 to 1.
fn noise(i: u32, k: u32) -> f64 {
    f64::from(i.wrapping_mul(2_654_435_761).wrapping_add(k).wrapping_mul(40_503) >> 8) / f64::from(1_u32 << 24)
}

fn column(n: u32, k: u32) -> Vec<f64> {
    (0..n).map(|i| noise(i, k)).collect()
}

/// Several chunks of rows.
#[test]
fn weighted_moments() {
    let n = 300_000_u32;
    let units: Vec<u32> = (0..n).map(|i| i.wrapping_mul(48_271) % 37).collect();
    let (y, x) = (column(n, 1), [column(n, 2), column(n, 3)]);
    let weights: Vec<f64> = column(n, 4).iter().map(|w| 1.0 + 3.0 * w).collect();
    same_bits(|| {
        let mut statistics = SufficientStatistics::weighted(37, 2);
        statistics.add_weighted(&units, &y, &[&x[0], &x[1]], &weights).unwrap();
        statistics.finish().unwrap()
    });
}

/// More draws than one stream of random numbers gives.
#[test]
fn draws() {
    let (values, errors) = (column(12, 1), column(12, 2));
    same_bits(|| rank_intervals(&values, &errors, 1000, 7, Level::P95).unwrap());
    let population = column(12, 3);
    let groups = GroupValues { population: &population, values: &values, standard_errors: &errors };
    same_bits(|| slope_index_interval(groups, SlopeTransform::None, 1.0, 1000, 7, Level::P95).unwrap());
}

/// 40 units of 50 answers with an adjuster of five values.
fn table() -> BinaryTable {
    let mut counts = BinaryCounts::new(40, 1);
    for i in 0..2000_u32 {
        let (unit, x) = (i % 40, f64::from(i / 40 % 5));
        let event = noise(i, 5) < expit(0.3 * x - 1.0 + noise(unit, 6));
        counts.add(&[unit], &[f64::from(event)], &[&[x]]).unwrap();
    }
    counts.finish()
}

#[test]
fn proportions() {
    let table = table();
    let fit = fit_logistic(&table, SeparationPolicy::Drop).unwrap();
    same_bits(|| adjusted_proportions(&fit, &table, &table.reference(), 0.95).unwrap());
    let weights: Vec<f64> = column(40, 7).iter().map(|w| 1.0 + 3.0 * w).collect();
    let strata: Vec<u32> = (0..40).map(|cell| cell % 4).collect();
    let groups: Vec<Option<u32>> = (0..40).map(|cell| Some(cell / 3)).collect();
    let cells = WeightedCells {
        table: &table,
        weights: &weights,
        strata: &strata,
        correction: None,
        outside: &[],
        calibration: None,
    };
    let reference = weighted_reference(&cells).unwrap();
    same_bits(|| weighted_proportions(Some(&fit), &cells, (&groups, 14), &reference, 0.95).unwrap());
}

#[test]
fn logistic_random_intercept() {
    let table = table();
    same_bits(|| {
        let fit = fit_logistic_random_intercept(&table, 9, SeparationPolicy::Drop).unwrap();
        let units = fit.marginal_probabilities(&table, &table.reference()).unwrap();
        let at_modes = fit.conditional_probabilities(&table, &table.reference(), 0.95).unwrap();
        (fit, units, at_modes)
    });
}
