//! Logistic regression with unit effects.

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
use prem_stats::binary::{
    BinaryCounts, BinaryTable, LogisticDiscrimination, SeparationPolicy, fit_logistic, logistic_discrimination,
};
use prem_stats::case_mix::{DropReason, Dropped};
use proptest::prelude::*;

fn table(units: usize, cells: &[(u32, &[f64], u64, u64)]) -> BinaryTable {
    let mut counts = BinaryCounts::new(units, cells[0].1.len());
    for (unit, x, n, o) in cells {
        counts.add_counts(*unit, x, *n, *o).expect("counts");
    }
    counts.finish()
}

/// One unit, x in {0, 1}: β = log odds ratio = ln((12·30)/(8·10)), V = 1/12 + 1/8 + 1/10 + 1/30.
#[test]
fn by_hand_two_by_two() {
    let fit =
        fit_logistic(&table(1, &[(0, &[0.0], 40, 10), (0, &[1.0], 20, 12)]), SeparationPolicy::Refuse).expect("fit");
    assert!((fit.coefficients[0] - f64::ln(12.0 * 30.0 / 80.0)).abs() < 1e-13);
    assert!((fit.covariance[(0, 0)] - (1.0 / 12.0 + 1.0 / 8.0 + 1.0 / 10.0 + 1.0 / 30.0)).abs() < 1e-12);
    assert!(fit.convergence.converged);
}

/// x = 0: 10 of 40; x = 1: 12 of 20. Of 22 · 38 pairs, 12 · 30 are in order and 10 · 30 + 12 · 8 tie. The units alone are one share of 22
/// in 60; the adjuster makes it two shares.
#[test]
fn by_hand_discrimination() {
    let cells: [(u32, &[f64], u64, u64); 2] = [(0, &[0.0], 40, 10), (0, &[1.0], 20, 12)];
    let figures = |data: &BinaryTable| {
        let fit = fit_logistic(data, SeparationPolicy::Drop).expect("fit");
        logistic_discrimination(data, &fit).expect("figures")
    };
    let found = figures(&table(1, &cells));
    assert!((found.c_statistic.expect("pairs") - (360.0 + 0.5 * 396.0) / 836.0).abs() < 1e-15);
    let likelihood = |o: f64, n: f64| o * (o / n).ln() + (n - o) * (1.0 - o / n).ln();
    let share = 1.0 - (likelihood(10.0, 40.0) + likelihood(12.0, 20.0)) / likelihood(22.0, 60.0);
    assert!((found.deviance_explained.expect("deviance") - share).abs() < 1e-13);
    // Seven events in a unit of nothing else are seven more to order, and no deviance.
    let mut more = cells.to_vec();
    more.push((1, &[0.0], 7, 7));
    let found = figures(&table(2, &more));
    assert!((found.c_statistic.expect("pairs") - (360.0 + 0.5 * 396.0 + 3.5 * 30.0) / (29.0 * 38.0)).abs() < 1e-15);
    assert!((found.deviance_explained.expect("deviance") - share).abs() < 1e-13);
    // An adjuster that is dropped tells nothing; outcomes that are all alike leave nothing to tell.
    let constant = figures(&table(1, &[(0, &[1.0], 40, 10), (0, &[1.0], 20, 12)]));
    assert_eq!(constant.c_statistic, Some(0.5));
    assert!(constant.deviance_explained.is_some_and(|share| share < 1e-15), "{constant:?}");
    let alike = figures(&table(1, &[(0, &[0.0], 40, 40), (0, &[1.0], 20, 20)]));
    assert_eq!(alike, LogisticDiscrimination { c_statistic: None, deviance_explained: None });
    let fit = fit_logistic(&table(1, &cells), SeparationPolicy::Drop).expect("fit");
    assert!(logistic_discrimination(&table(2, &cells), &fit).is_err(), "another number of units");
}

/// A unit whose outcomes are all alike says nothing about β.
#[test]
fn units_without_contrast_change_nothing() {
    let base: [(u32, &[f64], u64, u64); 2] = [(0, &[0.0], 40, 10), (0, &[1.0], 20, 12)];
    let mut more = base.to_vec();
    more.extend([(1u32, &[0.0][..], 7, 0), (1, &[1.0], 9, 0), (2, &[1.0], 5, 5)]);
    let alone = fit_logistic(&table(4, &base), SeparationPolicy::Refuse).expect("fit");
    let fit = fit_logistic(&table(4, &more), SeparationPolicy::Refuse).expect("fit");
    assert_eq!(fit.coefficients, alone.coefficients);
    assert_eq!((fit.units_all_zero.as_slice(), fit.units_all_one.as_slice(), fit.rows), (&[1][..], &[2][..], 60));
    assert_eq!(fit.unit_effects[1], None);
}

#[test]
fn separation_is_named() {
    // Column 1 is 1 only among events: quasi-separation.
    let data = table(
        2,
        &[
            (0, &[0.0, 0.0], 20, 5),
            (0, &[1.0, 0.0], 20, 9),
            (0, &[0.0, 1.0], 3, 3),
            (1, &[1.0, 0.0], 30, 11),
            (1, &[0.0, 0.0], 10, 4),
        ],
    );
    assert!(matches!(fit_logistic(&data, SeparationPolicy::Refuse), Err(StatsError::Separation { .. })));
    let fit = fit_logistic(&data, SeparationPolicy::Drop).expect("fit");
    assert_eq!(fit.dropped, [Dropped { index: 1, reason: DropReason::Separated }]);
    assert!(fit.coefficients[1] == 0.0 && fit.coefficients[0].is_finite() && fit.coefficients[0] != 0.0);
}

/// Neither column separates alone; x_0 + x_1 > 1 does.
#[test]
fn separation_by_a_combination() {
    let data = table(
        1,
        &[
            (0, &[0.0, 0.0], 20, 0),
            (0, &[3.0, 0.0], 10, 10),
            (0, &[0.0, 3.0], 10, 10),
            (0, &[2.0, -2.0], 5, 0),
            (0, &[-2.0, 2.0], 5, 0),
            (0, &[5.0, -2.0], 5, 5),
            (0, &[-2.0, 5.0], 5, 5),
        ],
    );
    assert!(matches!(fit_logistic(&data, SeparationPolicy::Refuse), Err(StatsError::Separation { .. })));
    let fit = fit_logistic(&data, SeparationPolicy::Drop).expect("fit");
    assert!(fit.dropped.iter().all(|d| d.reason == DropReason::Separated) && !fit.dropped.is_empty());
}

/// The block elimination equals a dense Newton fit with one dummy per unit.
#[test]
fn other_way_dense_dummies() {
    use prem_stats::linear_algebra::{Cholesky, Matrix};
    let cells: Vec<(u32, Vec<f64>, u64, u64)> = (0..24u32)
        .map(|i| {
            let x = vec![f64::from(i % 3), f64::from((i * i) % 5) - 2.0];
            (i % 4, x, u64::from(5 + i % 7), u64::from(1 + (i * 3) % 5))
        })
        .collect();
    let borrowed: Vec<(u32, &[f64], u64, u64)> = cells.iter().map(|c| (c.0, c.1.as_slice(), c.2, c.3)).collect();
    let fit = fit_logistic(&table(4, &borrowed), SeparationPolicy::Refuse).expect("fit");
    let row = |c: &(u32, Vec<f64>, u64, u64)| {
        let mut z = vec![0.0; 6];
        z[c.0 as usize] = 1.0;
        z[4..].copy_from_slice(&c.1);
        z
    };
    let mut beta = vec![0.0; 6];
    let mut inverse = Matrix::identity(6);
    for _ in 0..40 {
        let mut information = Matrix::zeros(6, 6);
        let mut gradient = vec![0.0; 6];
        for c in &cells {
            let z = row(c);
            let eta: f64 = z.iter().zip(&beta).map(|(a, b)| a * b).sum();
            let p = 1.0 / (1.0 + (-eta).exp());
            information.add_outer(c.2 as f64 * p * (1.0 - p), &z);
            for (g, zk) in gradient.iter_mut().zip(&z) {
                *g += (c.3 as f64 - c.2 as f64 * p) * zk;
            }
        }
        let factor = Cholesky::new("dense", &information).expect("information");
        for (b, s) in beta.iter_mut().zip(factor.solve(&gradient)) {
            *b += s;
        }
        inverse = factor.inverse();
    }
    for k in 0..2 {
        assert!((fit.coefficients[k] - beta[4 + k]).abs() < 1e-12);
        for l in 0..2 {
            assert!((fit.covariance[(k, l)] - inverse[(4 + k, 4 + l)]).abs() < 1e-12);
        }
    }
}

#[test]
fn hostile_inputs_give_errors() {
    assert!(fit_logistic(&BinaryCounts::new(0, 0).finish(), SeparationPolicy::Drop).is_err());
    assert!(fit_logistic(&BinaryCounts::new(3, 2).finish(), SeparationPolicy::Drop).is_err());
    let mut counts = BinaryCounts::new(1, 1);
    assert!(counts.add(&[0], &[0.5], &[&[1.0]]).is_err());
    assert!(counts.add(&[0], &[f64::NAN], &[&[1.0]]).is_err());
    assert!(counts.add(&[0], &[1.0], &[&[f64::NAN]]).is_err());
    assert!(counts.add(&[1], &[1.0], &[&[1.0]]).is_err());
    assert!(counts.add_counts(0, &[1.0], 1, 2).is_err());
    let huge = table(
        2,
        &[(0, &[0.0], 1_000_000_000, 5), (0, &[1.0], 1_000_000_000, 999_999_999), (1, &[0.0], 1, 1), (1, &[1.0], 1, 0)],
    );
    let fit = fit_logistic(&huge, SeparationPolicy::Refuse).expect("fit");
    assert!(fit.coefficients[0].is_finite() && fit.convergence.converged);
}

proptest! {
    #[test]
    fn property_order_and_merging(rows in prop::collection::vec((0u32..3, 0u32..3, any::<bool>()), 20..150), cut in 0.0..1.0f64) {
        let unit: Vec<u32> = rows.iter().map(|r| r.0).collect();
        let x: Vec<f64> = rows.iter().map(|r| f64::from(r.1) - 1.0).collect();
        let y: Vec<f64> = rows.iter().map(|r| f64::from(u8::from(r.2))).collect();
        let mut whole = BinaryCounts::new(3, 1);
        whole.add(&unit, &y, &[&x]).expect("rows");
        let at = (cut * rows.len() as f64) as usize;
        let (mut first, mut second) = (BinaryCounts::new(3, 1), BinaryCounts::new(3, 1));
        second.add(&unit[..at], &y[..at], &[&x[..at]]).expect("rows");
        first.add(&unit[at..], &y[at..], &[&x[at..]]).expect("rows");
        first.merge(&second).expect("merge");
        let (a, b) = (whole.finish(), first.finish());
        prop_assert_eq!(&a, &b);
        prop_assert_eq!(fit_logistic(&a, SeparationPolicy::Drop), fit_logistic(&b, SeparationPolicy::Drop));
    }
}
