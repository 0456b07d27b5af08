//! Unit moments: by hand, and that splitting, ordering and merging change nothing.

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

mod models;

use models::{agree, moments};
use prem_stats::StatsError;
use prem_stats::case_mix::{SufficientStatistics, UnitMoments};
use proptest::prelude::*;

/// Unit 0: x = 1, 3, y = 10, 20: means 2 and 15, W_xx = 2, W_xy = 10, W_yy = 50. Unit 1: one row. Unit 2: none.
#[test]
fn by_hand() {
    let m = moments(&[0, 1, 0], 3, &[10.0, 7.0, 20.0], &[&[1.0, 5.0, 3.0]]);
    assert_eq!([m.count(0), m.count(1), m.count(2)], [2, 1, 0]);
    assert_eq!((m.mean_x(0)[0], m.mean_y(0)), (2.0, 15.0));
    assert_eq!((m.cross(0, 0, 0), m.cross(0, 0, 1), m.cross(0, 1, 1)), (2.0, 10.0, 50.0));
    assert_eq!((m.cross(1, 0, 0), m.non_empty(), m.rows()), (0.0, 2, 3));
    // e = y − 4x: 6 and 8 in unit 0, so Σ(e − ē)² = 2.
    assert_eq!(m.residual_sum_of_squares(0, &[4.0]), Ok(2.0));
    // All rows: x = 1, 5, 3, y = 10, 7, 20: x̄ = 3, W_xx = 8, W_xy = −2·(10) + 2·7 = −6.
    let all = m.overall();
    assert!((all.cross(0, 0, 0) - 8.0).abs() < 1e-14 && (all.cross(0, 0, 1) + 6.0).abs() < 1e-14);
}

/// Weights 1 and 3 on y = 10, 20: mean 17.5; Σw²(y − 17.5)² = 56.25 + 9·6.25 = 112.5; n_eff = 16/10.
#[test]
fn by_hand_weighted() {
    let mut statistics = SufficientStatistics::weighted(1, 0);
    statistics.add_weighted(&[0, 0], &[10.0, 20.0], &[], &[1.0, 3.0]).expect("rows");
    let m = statistics.finish().expect("moments");
    assert_eq!((m.mean_y(0), m.weighted_mean_y(0), m.effective_rows(0)), (15.0, 17.5, 1.6));
    assert!((m.weighted_residual_sum_of_squares(0, &[]).expect("sum") - 112.5).abs() < 1e-12);
}

#[test]
fn hostile_inputs_give_errors() {
    let add = |units: &[u32], y: &[f64], x: &[&[f64]]| SufficientStatistics::new(2, x.len()).add(units, y, x);
    assert!(matches!(add(&[0, 1], &[1.0, f64::NAN], &[]), Err(StatsError::NotFinite { index: 1, .. })));
    assert!(matches!(
        add(&[1, 0, 1], &[1.0, 2.0, 3.0], &[&[0.0, 0.0, f64::INFINITY]]),
        Err(StatsError::NotFinite { what: "adjuster", index: 2 })
    ));
    assert!(add(&[0, 2], &[1.0, 2.0], &[]).is_err());
    assert!(add(&[0], &[1.0, 2.0], &[]).is_err());
    assert!(add(&[0, 1], &[1.0, 2.0], &[&[1.0]]).is_err());
    let mut huge = SufficientStatistics::new(1, 0);
    huge.add(&[0, 0], &[1e200, -1e200], &[]).expect("finite rows");
    assert!(matches!(huge.finish(), Err(StatsError::NotFinite { index: 0, .. })));
    let mut weighted = SufficientStatistics::weighted(1, 0);
    for w in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(weighted.add_weighted(&[0], &[1.0], &[], &[w]).is_err());
    }
    assert!(weighted.add(&[0], &[1.0], &[]).is_err());
    assert!(weighted.merge(&SufficientStatistics::new(1, 0)).is_err());
}

/// Many rows of a large mean: raw products would lose all digits here.
#[test]
fn stable_far_from_zero() {
    let n = 200_000;
    let y: Vec<f64> = (0..n).map(|i| 1e9 + f64::from(i % 2)).collect();
    let m = moments(&vec![0; n as usize], 1, &y, &[]);
    assert!((m.cross(0, 0, 0) / (f64::from(n) / 4.0) - 1.0).abs() < 1e-12);
}

/// The first rows of a block say nothing about the others: the centre is a million away from nearly all of them.
#[test]
fn stable_where_rows_drift() {
    let n = 4096;
    let noise = |i: usize| ((i * 7919) % 1009) as f64 / 1009.0;
    let y: Vec<f64> = (0..n).map(|i| noise(i) + if i < 256 { 0.0 } else { 1e6 }).collect();
    let x: Vec<f64> = (0..n).map(|i| noise(i + 5) - 1e3 * (i as f64)).collect();
    let m = moments(&vec![0; n], 1, &y, &[&x]);
    // In whole units of 1/1009 the sums are exact.
    let exact = |v: &[f64]| -> Vec<i128> { v.iter().map(|v| (v * 1009.0).round() as i128).collect() };
    let product = |a: &[i128], b: &[i128]| {
        let (sa, sb): (i128, i128) = (a.iter().sum(), b.iter().sum());
        let sum: i128 = a.iter().zip(b).map(|(a, b)| a * b).sum();
        (sum * n as i128 - sa * sb) as f64 / n as f64 / (1009.0 * 1009.0)
    };
    let (ex, ey) = (exact(&x), exact(&y));
    for (got, expected) in [
        (m.cross(0, 1, 1), product(&ey, &ey)),
        (m.cross(0, 0, 1), product(&ex, &ey)),
        (m.cross(0, 0, 0), product(&ex, &ex)),
    ] {
        assert!(((got - expected) / expected).abs() < 1e-12, "{got} {expected}");
    }
}

#[test]
fn same_bits_on_any_number_of_threads() {
    let n = 300_000u32;
    let units: Vec<u32> = (0..n).map(|i| i.wrapping_mul(2_654_435_761) % 37).collect();
    let y: Vec<f64> = (0..n).map(|i| f64::from(i.wrapping_mul(40_503) % 1009) / 7.0).collect();
    let x: Vec<f64> = (0..n).map(|i| f64::from(i.wrapping_mul(69_069) % 2003) / 3.0).collect();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("pool");
        pool.install(|| moments(&units, 37, &y, &[&x]))
    };
    assert_eq!(run(1), run(3));
}

proptest! {
    #[test]
    fn property_any_split_and_order(
        rows in prop::collection::vec((0u32..4, -500i32..500, -50i32..50), 1..200),
        cut in 0.0..1.0f64,
    ) {
        // In tenths, so that two rows of a unit are equal or a tenth apart.
        let unit: Vec<u32> = rows.iter().map(|r| r.0).collect();
        let y: Vec<f64> = rows.iter().map(|r| f64::from(r.1) / 10.0).collect();
        let x: Vec<f64> = rows.iter().map(|r| f64::from(r.2) / 10.0).collect();
        let whole = moments(&unit, 4, &y, &[&x]);
        let at = (cut * rows.len() as f64) as usize;
        let mut first = SufficientStatistics::new(4, 1);
        first.add(&unit[..at], &y[..at], &[&x[..at]]).expect("rows");
        let mut second = SufficientStatistics::new(4, 1);
        second.add(&unit[at..], &y[at..], &[&x[at..]]).expect("rows");
        first.merge(&second).expect("merge");
        prop_assert!(agree(&whole, &first.finish().expect("moments")));
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|&i| unit[i]);
        let pick = |v: &[f64]| order.iter().map(|&i| v[i]).collect::<Vec<_>>();
        let sorted_units: Vec<u32> = order.iter().map(|&i| unit[i]).collect();
        // A stable sort is what unsorted rows go through inside: the same bits.
        prop_assert_eq!(&whole, &moments(&sorted_units, 4, &pick(&y), &[&pick(&x)]));
        // Two and two units as one level higher equal the rows counted there directly.
        let parent: Vec<Option<u32>> = vec![Some(0), Some(1), Some(0), Some(1)];
        let higher: Vec<u32> = unit.iter().map(|u| u % 2).collect();
        prop_assert!(agree(&whole.aggregate(&parent, 2).expect("levels"), &moments(&higher, 2, &y, &[&x])));
    }
}

/// Tiles, panels and blocks of every remainder against the definition, with and without weights.
#[test]
fn property_every_number_of_columns() {
    let value = |i: usize, k: usize| ((i * 37 + k * 101) as f64 * 0.618).sin() * (k + 1) as f64 + 5.0;
    for p in 0..9 {
        for n in [1, 3, 255, 1030, 4500] {
            let x: Vec<Vec<f64>> = (0..p).map(|k| (0..n).map(|i| value(i, k)).collect()).collect();
            let columns: Vec<&[f64]> = x.iter().map(Vec::as_slice).collect();
            let y: Vec<f64> = (0..n).map(|i| value(i, 20)).collect();
            let w: Vec<f64> = (0..n).map(|i| 1.0 + (i % 5) as f64).collect();
            let m = moments(&vec![0; n], 1, &y, &columns);
            let mut weighted = SufficientStatistics::weighted(1, p);
            weighted.add_weighted(&vec![0; n], &y, &columns, &w).expect("rows");
            let weighted = weighted.finish().expect("moments");
            let mean = |c: &[f64]| c.iter().sum::<f64>() / n as f64;
            let all: Vec<&[f64]> = columns.iter().copied().chain([y.as_slice()]).collect();
            for b in 0..=p {
                for a in 0..=b {
                    let (ma, mb) = (mean(all[a]), mean(all[b]));
                    let direct: f64 = all[a].iter().zip(all[b]).map(|(u, v)| (u - ma) * (v - mb)).sum();
                    assert!((m.cross(0, a, b) - direct).abs() < 1e-9 * (n as f64) * (p + 21) as f64);
                    assert!((weighted.cross(0, a, b) - direct).abs() < 1e-9 * (n as f64) * (p + 21) as f64);
                }
            }
            let total: f64 = w.iter().sum();
            let wy = y.iter().zip(&w).map(|(v, w)| v * w).sum::<f64>() / total;
            let direct: f64 = y.iter().zip(&w).map(|(v, w)| (w * (v - wy)).powi(2)).sum();
            let got = weighted.weighted_residual_sum_of_squares(0, &vec![0.0; p]).expect("sum");
            assert!((got - direct).abs() < 1e-9 * direct.max(1.0));
        }
    }
}

#[test]
fn reweighting_a_unit_keeps_its_means_and_changes_what_it_counts_for() {
    let (units, y, x) = ([0u32, 0, 1, 1, 1], [1.0, 4.0, 2.0, 8.0, 5.0], [0.5, 1.5, 1.0, 0.0, 2.0]);
    let moments = |weights: &[f64]| {
        let mut sums = SufficientStatistics::weighted(2, 1);
        sums.add_weighted(&units, &y, &[&x], weights).expect("rows");
        sums.finish().expect("moments")
    };
    let scaled = moments(&[1.0, 2.0, 1.0, 1.0, 3.0]).reweighted(&[2.0, 0.5]).expect("factors");
    let expected = moments(&[2.0, 4.0, 0.5, 0.5, 1.5]);
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
    let (scaled_all, expected_all) = (scaled.overall(), expected.overall());
    near(scaled_all.weighted_mean_y(0), expected_all.weighted_mean_y(0));
    near(scaled_all.effective_rows(0), expected_all.effective_rows(0));
    let spread = |m: &UnitMoments| m.weighted_residual_sum_of_squares(0, &[0.3]).expect("sum");
    near(spread(&scaled_all), spread(&expected_all));
    assert!(scaled.reweighted(&[1.0, 0.0]).is_err() && scaled.reweighted(&[1.0]).is_err());
    let outcome = expected.outcome_only();
    assert_eq!((outcome.adjusters(), outcome.count(1)), (0, 3));
    near(outcome.weighted_mean_y(1), expected.weighted_mean_y(1));
    assert_eq!(outcome.residual_sum_of_squares(1, &[]), expected.residual_sum_of_squares(1, &[0.0]));
}
