//! Properties of weights that meet margins, and what is said where they cannot.
//!
//! Why meeting the margins is proof enough: weights that (1) meet every margin and (2) are the given ones times one factor
//! per category of each margin are the only ones with both, and of all weights that meet the margins those with the least
//! Σw ln(w/d) − w + d (I. Csiszár, Annals of Probability 3 (1975) 146–158, section 3). Raking keeps (2) by its steps; (1) is
//! measured after the last.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a failure is a failed test")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "small counts"
)]

use prem_stats::StatsError;
use prem_stats::weights::*;
use proptest::prelude::*;

const ROWS: usize = 3;
const COLUMNS: usize = 4;

/// Respondents in every cell of a table of 3 by 4, their design weights, and the population of the cells.
#[derive(Debug, Clone)]
struct Sample {
    cells: Vec<usize>,
    weights: Vec<f64>,
    population: Vec<f64>,
}

fn sample() -> impl Strategy<Value = Sample> {
    let extra = prop::collection::vec(0..ROWS * COLUMNS, 0..40);
    let weights = prop::collection::vec(0.5..4.0_f64, ROWS * COLUMNS + 40);
    let population = prop::collection::vec(5.0..100.0_f64, ROWS * COLUMNS);
    (extra, weights, population).prop_map(|(extra, weights, population)| {
        let cells: Vec<usize> = (0..ROWS * COLUMNS).chain(extra).collect();
        Sample { weights: weights[..cells.len()].to_vec(), cells, population }
    })
}

/// The two margins of the population.
fn margins(s: &Sample) -> [Margin; 2] {
    let margin = |size: usize, of: fn(usize) -> usize| {
        let mut totals = vec![0.0; size];
        s.population.iter().enumerate().for_each(|(cell, n)| totals[of(cell)] += n);
        Margin { cells: s.cells.iter().map(|cell| of(*cell)).collect(), totals }
    };
    [margin(ROWS, |cell| cell / COLUMNS), margin(COLUMNS, |cell| cell % COLUMNS)]
}

fn close(a: &[f64], b: &[f64], tolerance: f64) -> bool {
    a.iter().zip(b).all(|(a, b)| (a / b - 1.0).abs() < tolerance)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn raked_weights_meet_margins_by_factors_of_cells(s in sample()) {
        let both = margins(&s);
        let raked = rake(&s.weights, &both, &RakeOptions::default()).unwrap();
        prop_assert!(raked.largest_gap <= 1e-10 && raked.trimmed == 0);
        // (1), reckoned here.
        for m in &both {
            for (cell, total) in m.totals.iter().enumerate() {
                let sum: f64 = raked.weights.iter().zip(&m.cells).filter(|(_, c)| **c == cell).map(|(w, _)| w).sum();
                prop_assert!((sum / total - 1.0).abs() < 1e-9, "{sum} {total}");
            }
        }
        // (2): one factor per cell of the table, and factors of rows and columns multiply.
        let factor: Vec<f64> = raked.weights.iter().zip(&s.weights).map(|(w, d)| w / d).collect();
        let of = |cell: usize| factor[cell];
        for (f, cell) in factor.iter().zip(&s.cells) {
            prop_assert!((f / of(*cell) - 1.0).abs() < 1e-12);
        }
        for cell in 0..ROWS * COLUMNS {
            let (row, column) = (cell / COLUMNS * COLUMNS, cell % COLUMNS);
            prop_assert!((of(cell) * of(0) / (of(row) * of(column)) - 1.0).abs() < 1e-11);
        }
    }

    /// Neither the order of the margins nor factors that weights had before show in the result.
    #[test]
    fn raking_forgets_order_and_factors(
        s in sample(),
        rows in prop::collection::vec(0.2..5.0_f64, ROWS),
        columns in prop::collection::vec(0.2..5.0_f64, COLUMNS),
    ) {
        let both = margins(&s);
        let options = RakeOptions { tolerance: 1e-13, ..RakeOptions::default() };
        let raked = rake(&s.weights, &both, &options).unwrap().weights;
        let [first, second] = both.clone();
        prop_assert!(close(&rake(&s.weights, &[second, first], &options).unwrap().weights, &raked, 1e-9));
        let bend = |(w, cell): (&f64, &usize)| w * rows[cell / COLUMNS] * columns[cell % COLUMNS];
        let bent: Vec<f64> = s.weights.iter().zip(&s.cells).map(bend).collect();
        prop_assert!(close(&rake(&bent, &both, &options).unwrap().weights, &raked, 1e-9));
        // What holds already stays.
        let again = rake(&raked, &both, &RakeOptions::default()).unwrap();
        prop_assert!(again.iterations == 1 && close(&again.weights, &raked, 1e-11));
        // One margin is post-stratification.
        let one = rake(&s.weights, &both[..1], &options).unwrap().weights;
        prop_assert!(close(&one, &post_stratify(&s.weights, &both[0]).unwrap(), 1e-12));
    }

    /// With a cap both hold at the end, or the error names a margin that does not.
    #[test]
    fn cap_and_margins_hold_together_or_are_refused(s in sample(), times_mean in 1.2..4.0_f64) {
        let both = margins(&s);
        let cap = Cap { times_mean, strata: s.cells.iter().map(|cell| cell % 2).collect() };
        let options = RakeOptions { cap: Some(cap.clone()), max_iterations: 2000, ..RakeOptions::default() };
        match rake(&s.weights, &both, &options) {
            Ok(raked) => {
                prop_assert!(raked.largest_gap <= 1e-10);
                for h in 0..2 {
                    let own = raked.weights.iter().zip(&cap.strata).filter(|(_, stratum)| **stratum == h);
                    let of: Vec<f64> = own.map(|(w, _)| *w).collect();
                    let mean = of.iter().sum::<f64>() / of.len() as f64;
                    prop_assert!(of.iter().all(|w| *w <= times_mean * mean * (1.0 + 1e-9)));
                }
            }
            Err(StatsError::Margin { margin, cell, target, reached, .. }) => {
                prop_assert_eq!(target, both[margin].totals[cell]);
                prop_assert!(reached != target);
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}

/// The fourth respondent alone stands for 70 of 100, which is 2.8 times the mean: a cap of 1.5 cannot hold, and the error says
/// which cell stays short and by how much.
#[test]
fn a_cap_that_contradicts_a_margin_is_named() {
    let margin = Margin { cells: vec![0, 0, 0, 1], totals: vec![30.0, 70.0] };
    let cap = Some(Cap { times_mean: 1.5, strata: vec![0; 4] });
    let options = RakeOptions { cap, max_iterations: 50, ..RakeOptions::default() };
    let error = rake(&[1.0; 4], &[margin], &options).unwrap_err();
    let StatsError::Margin { what: "raking", margin: 0, cell: 1, target, reached } = error else { panic!("{error}") };
    assert!(target == 70.0 && (reached - 37.5).abs() < 1e-9, "{target} {reached}");
}

/// Two margins with the same cells and other totals, and two whose totals do not agree: each named where it fails.
#[test]
fn margins_that_contradict_each_other_are_named() {
    let of = |totals: [f64; 2]| Margin { cells: vec![0, 0, 1], totals: totals.to_vec() };
    let options = RakeOptions { max_iterations: 200, ..RakeOptions::default() };
    // After each round the second holds: 5 where the first wants 8, and 5 where it wants 2, which is farther off.
    let error = rake(&[1.0; 3], &[of([8.0, 2.0]), of([5.0, 5.0])], &options).unwrap_err();
    let StatsError::Margin { margin: 0, cell: 1, target, reached, .. } = error else { panic!("{error}") };
    assert!(target == 2.0 && (reached - 5.0).abs() < 1e-9, "{target} {reached}");
    let error = rake(&[1.0; 3], &[of([8.0, 2.0]), of([5.0, 6.0])], &options).unwrap_err();
    assert!(matches!(error, StatsError::Margin { what: "raking: sum of totals", margin: 1, .. }), "{error}");
}
