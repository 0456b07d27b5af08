//! By hand and by property: resampling.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a failure is a failed test"
)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "small counts"
)]

use prem_stats::bootstrap::*;
use prem_stats::interval::{Level, mean};

fn options(interval: BootstrapInterval) -> BootstrapOptions {
    BootstrapOptions { replicates: 2000, seed: 11, level: Level::P95, interval }
}

fn data() -> Vec<f64> {
    (0..60).map(|i| f64::from((i * 37) % 101)).collect()
}

#[test]
fn mean_of_many_is_close_to_student_t() {
    let y = data();
    let average = |rows: &[usize]| Some(rows.iter().map(|r| y[*r]).sum::<f64>() / rows.len() as f64);
    let t = mean(&y, Level::P95).unwrap();
    for kind in [BootstrapInterval::Percentile, BootstrapInterval::Bca] {
        let b = bootstrap(&vec![0; y.len()], options(kind), average).unwrap();
        assert!((b.se / t.se - 1.0).abs() < 0.08, "{b:?}");
        assert!((b.interval.low - t.interval.low).abs() < 0.3 * t.se, "{b:?} {t:?}");
        assert!((b.interval.high - t.interval.high).abs() < 0.3 * t.se, "{b:?} {t:?}");
    }
}

#[test]
fn strata_keep_their_sizes() {
    // A stratum's rows are only replaced by its own: the number of rows from stratum 1 never varies.
    let strata = [0, 0, 0, 1, 1];
    let share = |rows: &[usize]| Some(rows.iter().filter(|r| **r >= 3).count() as f64);
    let b = bootstrap(&strata, options(BootstrapInterval::Percentile), share).unwrap();
    assert_eq!((b.value, b.se, b.interval.low, b.interval.high), (2.0, 0.0, 2.0, 2.0));
}

#[test]
fn threads_do_not_matter() {
    let y = data();
    let run = |threads: usize| {
        let average = |rows: &[usize]| Some(rows.iter().map(|r| y[*r].sqrt()).sum::<f64>());
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
            .install(|| bootstrap(&vec![0; y.len()], options(BootstrapInterval::Bca), average).unwrap())
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn ranks() {
    let r = rank_intervals(&[3.0, 9.0, 3.0], &[0.0; 3], 50, 1, Level::P95).unwrap();
    assert_eq!([r[0].rank, r[1].rank, r[2].rank], [2.5, 1.0, 2.5]);
    assert_eq!((r[1].interval.low, r[1].interval.high), (1.0, 1.0));
    let wide = rank_intervals(&[1.0, 2.0, 3.0], &[100.0; 3], 2000, 1, Level::P95).unwrap();
    assert_eq!((wide[0].interval.low, wide[0].interval.high), (1.0, 3.0));
}
