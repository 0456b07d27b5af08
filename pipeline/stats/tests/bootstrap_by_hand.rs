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

use prem_stats::binary::BinaryCounts;
use prem_stats::bootstrap::*;
use prem_stats::case_mix::SufficientStatistics;
use prem_stats::interval::{Level, mean};
use prem_stats::rates::{GroupValues, SlopeTransform, slope_index_interval};
use prem_stats::variation::scv_diehr;

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

#[test]
fn units_are_drawn_with_all_their_values() {
    let (o, e) = ([12.0, 30.0, 7.0, 44.0, 19.0], [10.0, 33.0, 9.0, 40.0, 25.0]);
    let kind = options(BootstrapInterval::Bca);
    let scv = |[o, e]: [&[f64]; 2]| scv_diehr(o, e, 1.0).map(|s| s.raw);
    let by_hand = bootstrap(&[0; 5], kind, |units| {
        let pick = |values: &[f64]| units.iter().map(|u| values[*u]).collect::<Vec<f64>>();
        scv([&pick(&o), &pick(&e)]).ok()
    });
    assert_eq!(bootstrap_units([&o, &e], kind, scv).unwrap(), by_hand.unwrap());
    assert!(bootstrap_units([&o, &e[..4]], kind, scv).is_err());
    // The statistic's own error is told, not that there was one.
    let text = bootstrap_units([&o, &[0.0; 5]], kind, scv).unwrap_err().to_string();
    assert!(text.contains("systematic component"), "{text}");
}

#[test]
fn moments_and_counts_of_drawn_units() {
    let (units, y, x) = ([0, 0, 1, 2, 2, 2], [1.0, 0.0, 1.0, 0.0, 1.0, 1.0], [3.0, 5.0, 4.0, 8.0, 1.0, 2.0]);
    let mut rows = SufficientStatistics::new(3, 1);
    rows.add(&units, &y, &[&x]).unwrap();
    let moments = rows.finish().unwrap();
    let mut rows = BinaryCounts::new(3, 1);
    rows.add(&units, &y, &[&x]).unwrap();
    let table = rows.finish();
    assert_eq!(moments.of_units(&[0, 1, 2]).unwrap(), moments);
    assert_eq!(table.of_units(&[0, 1, 2]).unwrap(), table);
    let (drawn, counts) = (moments.of_units(&[2, 0, 2, 2]).unwrap(), table.of_units(&[2, 0, 2, 2]).unwrap());
    for (place, unit) in [2, 0, 2, 2].into_iter().enumerate() {
        assert_eq!((drawn.count(place), drawn.mean_y(place)), (moments.count(unit), moments.mean_y(unit)));
        assert_eq!((drawn.mean_x(place), drawn.cross(place, 0, 1)), (moments.mean_x(unit), moments.cross(unit, 0, 1)));
        assert_eq!((counts.trials(place), counts.events(place)), (table.trials(unit), table.events(unit)));
        assert_eq!(counts.cells(place).len(), table.cells(unit).len());
    }
    assert!(moments.of_units(&[3]).is_err() && table.of_units(&[3]).is_err());
}

#[test]
fn slope_intervals() {
    let groups = |standard_errors| GroupValues {
        population: &[10.0, 20.0, 10.0, 10.0],
        values: &[4.0, 5.0, 5.5, 7.0],
        standard_errors,
    };
    let run = |ses, multiplier| slope_index_interval(groups(ses), SlopeTransform::None, multiplier, 500, 3, Level::P95);
    let certain = run(&[0.0; 4], 1.0).unwrap();
    assert_eq!((certain.sii.low, certain.sii.high), (certain.index.sii, certain.index.sii));
    assert_eq!(certain.rii.unwrap().low, certain.index.rii);
    let (up, down) = (run(&[0.3; 4], 1.0).unwrap(), run(&[0.3; 4], -1.0).unwrap());
    assert!((up.sii.low + down.sii.high).abs() < 1e-12 && (up.sii.high + down.sii.low).abs() < 1e-12);
    assert!(up.sii.low < up.index.sii && up.index.sii < up.sii.high);
    // Ends that may lie on either side of 0 have no ratio.
    assert!(up.rii.is_some() && run(&[9.0; 4], 1.0).unwrap().rii.is_none());
    assert!(run(&[0.3; 3], 1.0).is_err() && run(&[-0.3; 4], 1.0).is_err());
}
