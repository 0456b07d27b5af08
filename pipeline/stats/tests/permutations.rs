//! Units in another order give the same results in that order, and a constant added to scores moves values and nothing else: the
//! kernels that `models_by_property.rs` and `case_mix_invariances.rs` leave out.

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

use models::paired;
use prem_stats::binary::*;
use prem_stats::bootstrap::rank_intervals;
use prem_stats::case_mix::*;
use prem_stats::comparison::{Window, change_between};
use prem_stats::interval::Level;
use prem_stats::variation::{Heterogeneity, dersimonian_laird, paule_mandel, reml};
use proptest::prelude::*;

const UNITS: usize = 6;

#[derive(Debug, Clone)]
struct Rows {
    units: Vec<u32>,
    score: Vec<f64>,
    event: Vec<f64>,
    age: Vec<f64>,
}

/// 120 rows: the first of every unit have no event and the second have one, so that no unit is all alike.
fn rows() -> impl Strategy<Value = Rows> {
    let row = (0..UNITS as u32, 0_u32..1000, 0_u32..10, 2_u32..10);
    prop::collection::vec(row, 120).prop_map(|rows| Rows {
        units: (0..rows.len()).map(|i| if i < 2 * UNITS { (i % UNITS) as u32 } else { rows[i].0 }).collect(),
        score: rows.iter().map(|r| f64::from(r.1 + 30 * r.0) / 10.0).collect(),
        event: (0..rows.len())
            .map(|i| f64::from(if i < 2 * UNITS { i >= UNITS } else { rows[i].2 < 3 + rows[i].0 }))
            .collect(),
        age: rows.iter().map(|r| f64::from(10 * r.3)).collect(),
    })
}

/// Where unit `j` goes.
fn place(j: usize) -> usize {
    (5 * j + 2) % UNITS
}

/// The same rows with their units elsewhere.
fn turned(r: &Rows) -> Rows {
    Rows { units: r.units.iter().map(|u| place(*u as usize) as u32).collect(), ..r.clone() }
}

/// Results of turned units, back in the order of the units.
fn back<T: Clone>(values: &[T]) -> Vec<T> {
    (0..UNITS).map(|j| values[place(j)].clone()).collect()
}

fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * (1.0 + a.abs().max(b.abs()))
}

fn all_near(a: &[f64], b: &[f64], tolerance: f64) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| near(*a, *b, tolerance))
}

fn table(r: &Rows) -> BinaryTable {
    let mut counts = BinaryCounts::new(UNITS, 1);
    counts.add(&r.units, &r.event, &[&r.age]).unwrap();
    counts.finish()
}

fn moments(r: &Rows) -> UnitMoments {
    models::moments(&r.units, UNITS, &r.score, &[&r.age])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn indirect_ratios_follow_their_units(r in rows()) {
        let run = |r: &Rows| {
            let table = table(r);
            let fit = fit_logistic(&table, SeparationPolicy::Drop).unwrap();
            indirect_ratios(&fit, &table, &table, 0.95).unwrap()
        };
        let (a, b) = (run(&r), back(&run(&turned(&r))));
        for (a, b) in paired(&a, &b) {
            prop_assert_eq!((a.n, a.observed), (b.n, b.observed));
            let numbers = |r: &IndirectRatio| [r.expected, r.observed_variance, r.ratio, r.value, r.lower, r.upper];
            prop_assert!(all_near(&numbers(a), &numbers(b), 1e-10), "{a:?} {b:?}");
        }
    }

    #[test]
    fn discrimination_does_not_depend_on_the_order_of_units(r in rows()) {
        let run = |r: &Rows| {
            let table = table(r);
            logistic_discrimination(&table, &fit_logistic(&table, SeparationPolicy::Drop).unwrap()).unwrap()
        };
        let (a, b) = (run(&r), run(&turned(&r)));
        prop_assert_eq!(a.c_statistic.is_some(), b.c_statistic.is_some());
        let numbers = |f: LogisticDiscrimination| [f.c_statistic.unwrap_or(0.0), f.deviance_explained.unwrap_or(0.0)];
        prop_assert!(all_near(&numbers(a), &numbers(b), 1e-10), "{a:?} {b:?}");
    }

    /// Both the cells that carry weights and the units that they belong to in another order, with a fit and without.
    #[test]
    fn weighted_proportions_follow_their_units(r in rows(), weights in prop::collection::vec(1.0..5.0_f64, 2 * UNITS)) {
        // Two cells a unit; cell c of the other order is the last but c.
        let run = |r: &Rows, cell: &dyn Fn(usize) -> usize, group: &dyn Fn(usize) -> usize, with_fit: bool| {
            let cells = 2 * UNITS;
            let of_row: Vec<u32> =
                r.units.iter().enumerate().map(|(i, u)| cell(2 * *u as usize + i % 2) as u32).collect();
            let mut counts = BinaryCounts::new(cells, 1);
            counts.add(&of_row, &r.event, &[&r.age]).unwrap();
            let table = counts.finish();
            let mut of_cell = vec![(0.0, 0, None); cells];
            for c in 0..cells {
                of_cell[cell(c)] = (weights[c], (c % 2) as u32, Some(group(c / 2) as u32));
            }
            let own: Vec<f64> = of_cell.iter().map(|c| c.0).collect();
            let strata: Vec<u32> = of_cell.iter().map(|c| c.1).collect();
            let groups: Vec<Option<u32>> = of_cell.iter().map(|c| c.2).collect();
            let cells =
                WeightedCells { table: &table, weights: &own, strata: &strata, correction: None, outside: &[], calibration: None };
            let fit = with_fit.then(|| fit_logistic(&table, SeparationPolicy::Drop).unwrap());
            let reference = weighted_reference(&cells).unwrap();
            weighted_proportions(fit.as_ref(), &cells, (&groups, UNITS), &reference, 0.95).unwrap()
        };
        for with_fit in [false, true] {
            let a = run(&r, &|c| c, &|j| j, with_fit);
            let b = back(&run(&r, &|c| 2 * UNITS - 1 - c, &place, with_fit));
            for (a, b) in paired(&a, &b) {
                prop_assert_eq!((a.n, a.events, a.limits.is_some()), (b.n, b.events, with_fit));
                let numbers = |p: &WeightedProportion| {
                    let (low, high) = p.limits.unwrap_or_default();
                    [p.value, p.crude, p.weight, p.n_effective, p.binomial_n, p.sampling_variance, p.variance, low, high]
                };
                prop_assert!(all_near(&numbers(a), &numbers(b), 1e-9), "{a:?} {b:?}");
            }
        }
    }

    /// β̂'s robust errors and degrees of freedom know neither the order of the clusters nor the level of the scores.
    #[test]
    fn robust_errors_know_no_order_and_no_level(r in rows(), shift in -1e3..1e3_f64) {
        let higher = Rows { score: r.score.iter().map(|y| y + shift).collect(), ..r.clone() };
        let run = |r: &Rows, correction| {
            let m = moments(r);
            cluster_robust(&within(&m).unwrap(), &m, correction).unwrap()
        };
        for correction in [ClusterCorrection::Cr0, ClusterCorrection::Cr1, ClusterCorrection::Cr2] {
            let a = run(&r, correction);
            for b in [run(&turned(&r), correction), run(&higher, correction)] {
                prop_assert!(all_near(&a.standard_errors, &b.standard_errors, 1e-10), "{a:?} {b:?}");
                for (a, b) in paired(&a.degrees_of_freedom, &b.degrees_of_freedom) {
                    prop_assert!(near(*a, *b, 1e-9), "{a} {b}");
                }
                for (a, b) in paired(&a.p, &b.p) {
                    prop_assert!(near(*a, *b, 1e-9), "{a} {b}");
                }
            }
        }
    }

    #[test]
    fn degrees_of_freedom_know_no_order_and_no_level(r in rows(), shift in -1e3..1e3_f64) {
        let higher = Rows { score: r.score.iter().map(|y| y + shift).collect(), ..r.clone() };
        let run = |r: &Rows| {
            let fit = fit_random_intercept(&moments(r), Criterion::Reml, None).unwrap();
            [fit.satterthwaite_df(&[0.0, 1.0]).unwrap(), fit.satterthwaite_df(&[1.0, 50.0]).unwrap()]
        };
        let a = run(&r);
        for b in [run(&turned(&r)), run(&higher)] {
            for (a, b) in paired(&a, &b) {
                // Differences of a gradient, twice over.
                prop_assert!(near(*a, *b, 1e-8), "{a} {b}");
            }
        }
    }

    /// τ² and Q know neither order nor level; the mean moves with the level, shrunken values with both.
    #[test]
    fn between_unit_variances_follow_their_values(
        areas in prop::collection::vec((30.0..90.0_f64, 0.5..60.0_f64), UNITS),
        shift in -1e3..1e3_f64,
    ) {
        let (a, v): (Vec<f64>, Vec<f64>) = areas.into_iter().unzip();
        let mut moved = (a.clone(), v.clone());
        for j in 0..UNITS {
            (moved.0[place(j)], moved.1[place(j)]) = (a[j] + shift, v[j]);
        }
        for method in [dersimonian_laird, paule_mandel, reml] {
            let (one, other) = (method(&a, &v).unwrap(), method(&moved.0, &moved.1).unwrap());
            let spread = |h: &Heterogeneity| [h.q, h.df, h.q_p, h.fixed_se, h.tau2, h.se, h.i2, h.h2];
            prop_assert!(all_near(&spread(&one), &spread(&other), 1e-8), "{one:?} {other:?}");
            prop_assert!((one.mean - (other.mean - shift)).abs() < 1e-8, "{one:?} {other:?}");
            prop_assert!((one.fixed_mean - (other.fixed_mean - shift)).abs() < 1e-8, "{one:?} {other:?}");
            let shrunken = back(&other.shrunken(&moved.0, &moved.1).unwrap());
            for (a, b) in one.shrunken(&a, &v).unwrap().iter().zip(&shrunken) {
                prop_assert!((a - (b - shift)).abs() < 1e-8, "{a} {b}");
            }
        }
    }

    /// With a covariate: Â, the slope and the errors stay, values move along.
    #[test]
    fn fay_herriot_follows_its_areas(
        areas in prop::collection::vec((30.0..90.0_f64, 0.5..60.0_f64, -3.0..3.0_f64), UNITS),
        shift in -1e3..1e3_f64,
    ) {
        let column = |f: &dyn Fn(usize) -> f64| (0..UNITS).map(f).collect::<Vec<f64>>();
        let mut from = [0; UNITS];
        (0..UNITS).for_each(|j| from[place(j)] = j);
        let run = |at: &dyn Fn(usize) -> usize, shift: f64| {
            let (a, v) = (column(&|j| areas[at(j)].0 + shift), column(&|j| areas[at(j)].1));
            fay_herriot(&a, &v, &[&column(&|j| areas[at(j)].2)], ShrinkageInterval::PlugIn, 0.95).unwrap()
        };
        let (one, other) = (run(&|j| j, 0.0), run(&|j| from[j], shift));
        prop_assert!(near(one.between_unit_variance, other.between_unit_variance, 1e-6), "{one:?} {other:?}");
        prop_assert!(near(one.coefficients[1], other.coefficients[1], 1e-6), "{one:?} {other:?}");
        for (a, b) in one.units.iter().zip(&back(&other.units)) {
            prop_assert!((a.value - (b.value - shift)).abs() < 1e-6, "{a:?} {b:?}");
            prop_assert!(near(a.mean_squared_error, b.mean_squared_error, 1e-6), "{a:?} {b:?}");
        }
    }

    /// Â, the mean and the errors stay where areas and the nodes above them stand in another order; values move with their level
    /// and scale.
    #[test]
    fn nested_areas_follow_their_areas(
        areas in prop::collection::vec((30.0..90.0_f64, 0.5..60.0_f64), 2 * UNITS),
        shift in -1e3..1e3_f64,
        scale in 0.1..10.0_f64,
    ) {
        // Two areas a node, of which there are six in two nodes further up; area j of the other order is the last but j.
        let turn = |j: usize| 2 * UNITS - 1 - j;
        let run = |at: &dyn Fn(usize) -> usize, node: &dyn Fn(usize) -> usize, (shift, scale): (f64, f64), kind| {
            let column = |f: &dyn Fn(usize) -> f64| (0..2 * UNITS).map(f).collect::<Vec<f64>>();
            let a = column(&|j| shift + scale * areas[at(j)].0);
            let v = column(&|j| scale * scale * areas[at(j)].1);
            let mut top = vec![0; UNITS];
            (0..UNITS).for_each(|g| top[node(g)] = (g / 3) as u32);
            let parents = [(0..2 * UNITS).map(|j| node(at(j) / 2) as u32).collect(), top];
            nested_areas(&a, &v, (&parents, 2), kind, 0.95).unwrap()
        };
        for kind in [ShrinkageInterval::PlugIn, ShrinkageInterval::Averaged] {
            let one = run(&|j| j, &|g| g, (0.0, 1.0), kind);
            let other = run(&turn, &place, (shift, scale), kind);
            for (a, b) in paired(&one.variances, &other.variances) {
                prop_assert!((a - b / (scale * scale)).abs() < 1e-6 * (1.0 + a), "{one:?} {other:?}");
            }
            prop_assert!((one.mean - (other.mean - shift) / scale).abs() < 1e-6, "{one:?} {other:?}");
            for (j, a) in one.areas.iter().enumerate() {
                let b = &other.areas[turn(j)];
                prop_assert!((a.value - (b.value - shift) / scale).abs() < 1e-5, "{a:?} {b:?}");
                prop_assert!(near(a.mean_squared_error, b.mean_squared_error / (scale * scale), 1e-5), "{a:?} {b:?}");
                prop_assert!(near(a.reliability, b.reliability, 1e-5), "{a:?} {b:?}");
            }
        }
    }

    /// Back in time the change is the other way round; a level that both periods have is no change.
    #[test]
    fn change_has_a_direction_and_no_level(
        before in (0.0..100.0_f64, 0.1..20.0_f64),
        after in (0.0..100.0_f64, 0.1..20.0_f64),
        shift in -1e3..1e3_f64,
    ) {
        let windows = [Window { start: 0, end: 9 }, Window { start: 9, end: 20 }];
        let run = |a: (f64, f64), b: (f64, f64)| {
            change_between((a.0, a.1, windows[0]), (b.0, b.1, windows[1]), Level::P95).unwrap()
        };
        let (there, again) = (run(before, after), run(after, before));
        prop_assert_eq!((there.change, there.se, there.p), (-again.change, again.se, again.p));
        prop_assert_eq!((there.interval.low, there.interval.high), (-again.interval.high, -again.interval.low));
        let higher = run((before.0 + shift, before.1), (after.0 + shift, after.1));
        prop_assert!((there.change - higher.change).abs() < 1e-11 && there.se == higher.se);
        prop_assert!((there.interval.low - higher.interval.low).abs() < 1e-11);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, failure_persistence: None, ..ProptestConfig::default() })]

    /// Searched for by differences of the likelihood: hence the tolerance.
    #[test]
    fn logistic_random_intercepts_follow_their_units(r in rows()) {
        let run = |r: &Rows| {
            let table = table(r);
            let fit = fit_logistic_random_intercept(&table, 9, SeparationPolicy::Drop).unwrap();
            let at_modes = fit.conditional_probabilities(&table, &table.reference(), 0.95).unwrap();
            let units = fit.marginal_probabilities(&table, &table.reference()).unwrap();
            let units: Vec<_> = units.into_iter().zip(at_modes).collect();
            let overall = fit.overall_probability(&table.reference()).unwrap();
            (fit, units, overall)
        };
        let ((a, units, overall), (b, other_units, other_overall)) = (run(&r), run(&turned(&r)));
        prop_assert!(near(a.log_likelihood, b.log_likelihood, 1e-12), "{a:?} {b:?}");
        prop_assert!(all_near(&a.coefficients, &b.coefficients, 1e-8), "{a:?} {b:?}");
        prop_assert!(all_near(&a.standard_errors(), &b.standard_errors(), 1e-6), "{a:?} {b:?}");
        prop_assert!(near(a.between_unit_sd, b.between_unit_sd, 1e-8), "{a:?} {b:?}");
        prop_assert!(near(overall, other_overall, 1e-8));
        for (a, b) in a.effects.iter().zip(&back(&b.effects)) {
            prop_assert!(a.n == b.n && near(a.mode, b.mode, 1e-8), "{a:?} {b:?}");
        }
        for (a, b) in units.iter().zip(&back(&other_units)) {
            prop_assert!(near(a.0.value, b.0.value, 1e-8), "{a:?} {b:?}");
            let numbers = |at: ConditionalProbability| [at.value, at.lower, at.upper, at.reliability];
            let (a, b) = (a.1.map(numbers).unwrap(), b.1.map(numbers).unwrap());
            prop_assert!(all_near(&a, &b, 1e-7), "{a:?} {b:?}");
        }
    }
}

/// The order of units decides which random numbers each gets, and nothing else: ranks of the values are permuted, means of the
/// drawn ranks to five standard errors of both (ranks of six lie within ±2.5), limits to one rank. A constant moves nothing.
#[test]
fn ranks_follow_their_units() {
    const DRAWS: usize = 20_000;
    let (a, se) = ([71.0, 64.5, 80.25, 75.0, 64.5, 90.0], [4.0, 2.5, 6.0, 1.5, 3.0, 5.0]);
    let mut moved = ([0.0; UNITS], [0.0; UNITS]);
    for j in 0..UNITS {
        (moved.0[place(j)], moved.1[place(j)]) = (a[j], se[j]);
    }
    let run = |a: &[f64], se: &[f64]| rank_intervals(a, se, DRAWS, 5, Level::P95).unwrap();
    let one = run(&a, &se);
    let error = 5.0 * 2.5 * f64::sqrt(2.0 / DRAWS as f64);
    for (a, b) in one.iter().zip(&back(&run(&moved.0, &moved.1))) {
        assert_eq!(a.rank, b.rank);
        assert!((a.mean_rank - b.mean_rank).abs() < error, "{a:?} {b:?}");
        assert!((a.interval.low - b.interval.low).abs() <= 1.0, "{a:?} {b:?}");
        assert!((a.interval.high - b.interval.high).abs() <= 1.0, "{a:?} {b:?}");
    }
    assert_eq!(one, run(&a.map(|a| a + 512.0), &se));
    assert_eq!(run(&a, &[0.0; UNITS]), back(&run(&moved.0, &[0.0; UNITS])));
}
