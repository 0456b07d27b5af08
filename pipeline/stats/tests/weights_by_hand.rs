//! By hand: survey weights.

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

use prem_stats::StatsError;
use prem_stats::weights::*;

#[test]
fn design_and_strata() {
    assert_eq!(design_weights(&[0.5, 0.1]).unwrap(), [2.0, 10.0]);
    assert!(design_weights(&[0.0]).is_err());
    // (300·70 + 100·90)/400 = 75; 0.75²·4 + 0.25²·16 = 3.25.
    assert_eq!(stratified_value(&[70.0, 90.0], &[4.0, 16.0], &[300.0, 100.0]).unwrap(), (75.0, 3.25));
    // (1 + 1 + 2)²/(1 + 1 + 4) = 16/6.
    let k = kish(&[1.0, 1.0, 2.0]).unwrap();
    assert!((k.n_effective - 16.0 / 6.0).abs() < 1e-15);
}

#[test]
fn small_cells_join_their_neighbour() {
    assert_eq!(collapse_cells(&[30, 5, 18, 40, 3], 20), [0, 1, 1, 2, 2]);
    assert_eq!(collapse_cells(&[1, 2], 20), [0, 0]);
    assert_eq!(collapse_cells(&[], 20), Vec::<usize>::new());
}

#[test]
fn an_impossible_margin_is_named() {
    let m = Margin { cells: vec![0, 0, 1], totals: vec![10.0, 5.0, 2.0] };
    let e = rake(&[1.0; 3], &[m], &RakeOptions::default()).unwrap_err();
    assert!(matches!(e, StatsError::Margin { margin: 0, cell: 2, .. }), "{e}");
    // Two margins whose zero cells contradict each other: all of one row's cell must be in a column that allows none.
    let a = Margin { cells: vec![0, 0, 1], totals: vec![8.0, 2.0] };
    let b = Margin { cells: vec![0, 0, 1], totals: vec![5.0, 5.0] };
    let e = rake(&[1.0; 3], &[a, b], &RakeOptions { max_iterations: 200, ..RakeOptions::default() }).unwrap_err();
    assert!(matches!(e, StatsError::Margin { .. }), "{e}");
}

#[test]
fn raking_meets_margins_and_cap() {
    let a = Margin { cells: vec![0, 0, 0, 0, 1, 1, 1, 1], totals: vec![60.0, 40.0] };
    let b = Margin { cells: vec![0, 1, 0, 1, 0, 1, 0, 1], totals: vec![55.0, 45.0] };
    let margins = [a, b];
    let cap = Cap { times_mean: 1.5, strata: vec![0; 8] };
    let options = RakeOptions { cap: Some(cap), ..RakeOptions::default() };
    let r = rake(&[9.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], &margins, &options).unwrap();
    assert!(r.largest_gap <= 1e-10 && r.trimmed > 0);
    let sum = |keep: fn(usize) -> bool| (0..8).filter(|i| keep(*i)).map(|i| r.weights[i]).sum::<f64>();
    assert!((sum(|i| i < 4) - 60.0).abs() < 1e-8);
    assert!((sum(|i| i % 2 == 0) - 55.0).abs() < 1e-8);
    assert!(r.weights.iter().all(|w| *w <= 1.5 * 12.5 * (1.0 + 1e-9)), "{:?}", r.weights);
}

#[test]
fn trimming_once() {
    // Mean 2, cap 1.5 times: 3.
    let mut w = [5.0, 1.0, 1.0, 1.0];
    let over = trim(&mut w, &Cap { times_mean: 1.5, strata: vec![4; 4] }, 0.0).unwrap();
    assert_eq!((over, w), (vec![0], [3.0, 1.0, 1.0, 1.0]));
}
