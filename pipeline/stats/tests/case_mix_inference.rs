//! Tests of unit × adjuster interaction, cluster-robust errors and degrees of freedom, by hand.

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

use models::{Wards, moments};
use prem_stats::case_mix::{
    ClusterCorrection, Criterion, cluster_robust, fit_nested, fit_random_intercept, interaction_tests, within,
};

/// Units x = −1, 0, 1 with y = −1, 0, 1 + noise ±: unit 0: y = 0, 3, 3 (slope 1.5, RSS 1.5), unit 1: y = 4, 0, 2
/// (slope −1, RSS 6). Common slope 0.25, RSS = 6 + 8 − 4·0.0625 = 13.75. F = (13.75 − 7.5)/1 / (7.5/2) = 5/3.
#[test]
fn by_hand_interaction() {
    let m = moments(&[0, 0, 0, 1, 1, 1], 2, &[0.0, 3.0, 3.0, 4.0, 0.0, 2.0], &[&[-1.0, 0.0, 1.0, -1.0, 0.0, 1.0]]);
    let fit = within(&m).expect("fit");
    assert!((fit.residual_sum_of_squares - 13.75).abs() < 1e-12);
    let tests = interaction_tests(&fit, &m).expect("tests");
    for test in [tests.all.expect("all"), tests.each[0].expect("each")] {
        assert!((test.f - 5.0 / 3.0).abs() < 1e-12);
        assert_eq!((test.df1, test.df2), (1.0, 2.0));
        // P(F(1, 2) > f) = 1 − √(f/(f + 2))
        assert!((test.p - (1.0 - f64::sqrt(5.0 / 11.0))).abs() < 1e-12);
    }
}

/// Two adjusters in one unit each: what is swept out equals a fit with the slope freed by hand.
#[test]
fn property_interaction_equals_extra_columns() {
    let wards = Wards::read();
    // Six wards of three answers or more.
    let few: Vec<usize> = (0..wards.units.len()).filter(|&i| wards.units[i] >= 17).collect();
    let pick = |v: &[f64]| few.iter().map(|&i| v[i]).collect::<Vec<f64>>();
    let units: Vec<u32> = few.iter().map(|&i| wards.units[i] - 17).collect();
    let x = [pick(&wards.x[0]), pick(&wards.x[1])];
    let m = moments(&units, 6, &pick(&wards.score), &[&x[0], &x[1]]);
    let fit = within(&m).expect("fit");
    let each = interaction_tests(&fit, &m).expect("tests").each[0].expect("age");
    let own: Vec<Vec<f64>> =
        (0..6u32).map(|u| units.iter().zip(&x[0]).map(|(&v, a)| if v == u { *a } else { 0.0 }).collect()).collect();
    let mut columns: Vec<&[f64]> = own.iter().map(Vec::as_slice).collect();
    columns.push(&x[1]);
    let free = within(&moments(&units, 6, &pick(&wards.score), &columns)).expect("free slopes");
    let f = (fit.residual_sum_of_squares - free.residual_sum_of_squares) / 5.0 / free.residual_variance;
    assert!((each.f / f - 1.0).abs() < 1e-9);
    assert_eq!((each.df1, each.df2), (5.0, free.degrees_of_freedom));
}

/// One adjuster; Σ(x − x̄)² is 2 in the first unit and 8 in the second.
#[test]
fn by_hand_cluster_robust_of_two_units() {
    let (first, second) = (([-1.0, 0.0, 1.0], [1.0, 2.0, 6.0]), ([0.0, 2.0, 4.0], [3.0, 8.0, 7.0]));
    let m = moments(&[0, 0, 0, 1, 1, 1], 2, &[first.1, second.1].concat(), &[&[first.0, second.0].concat()]);
    let fit = within(&m).expect("fit");
    let (spread, product) = ([2.0, 8.0], [5.0, 8.0]);
    let slope = (product[0] + product[1]) / (spread[0] + spread[1]);
    assert!((slope - 1.3_f64).abs() < 1e-15 && (fit.coefficients[0] - slope).abs() < 1e-14);
    let score = [product[0] - spread[0] * slope, product[1] - spread[1] * slope];
    assert!((score[0] - 2.4).abs() < 1e-14 && (score[1] + 2.4).abs() < 1e-14);
    let leverage = [0.2, 0.8];
    let cr0 = (2.4 * 2.4 + 2.4 * 2.4) / (10.0 * 10.0);
    let cr1 = 2.0 * cr0;
    let cr2 = (2.4 * 2.4 / (1.0 - leverage[0]) + 2.4 * 2.4 / (1.0 - leverage[1])) / (10.0 * 10.0);
    assert!((cr2 - 0.36_f64).abs() < 1e-14);
    for (correction, variance) in
        [(ClusterCorrection::Cr0, cr0), (ClusterCorrection::Cr1, cr1), (ClusterCorrection::Cr2, cr2)]
    {
        let robust = cluster_robust(&fit, &m, correction).expect("robust");
        assert!((robust.covariance[(0, 0)] - variance).abs() < 1e-13);
        assert!((robust.standard_errors[0] - variance.sqrt()).abs() < 1e-13);
        assert!((robust.degrees_of_freedom[0].expect("df") - 1.0).abs() < 1e-12);
        let cauchy = 1.0 - 2.0 / std::f64::consts::PI * (slope / variance.sqrt()).atan();
        assert!((robust.p[0].expect("p") - cauchy).abs() < 1e-12);
    }
}

/// Four units of three rows: MSB = 3·(4² + 1² + 1² + 4²)/3 = 34 on 3 degrees of freedom, MSW = 8·1/8 = 1 on 8. The variance of the
/// overall mean is MSB/12, and MSB has the three degrees of freedom.
#[test]
fn by_hand_satterthwaite_of_a_balanced_mean() {
    let units: Vec<u32> = (0..12).map(|i| i / 3).collect();
    let y: Vec<f64> = [56.0, 59.0, 61.0, 64.0].into_iter().flat_map(|mean| [mean - 1.0, mean, mean + 1.0]).collect();
    let m = moments(&units, 4, &y, &[]);
    let fit = fit_random_intercept(&m, Criterion::Reml, None).expect("fit");
    assert!((fit.coefficients[0] - 60.0).abs() < 1e-12);
    assert!((fit.standard_errors()[0].powi(2) - 34.0 / 12.0).abs() < 1e-8);
    let df = fit.satterthwaite_df(&[1.0]).expect("a contrast").expect("df");
    assert!((df - 3.0).abs() < 1e-6, "{df}");
    let nested = fit_nested(&m, &[], 4, Criterion::Reml).expect("fit");
    let df = nested.satterthwaite_df(&[1.0]).expect("a contrast").expect("df");
    assert!((df - 3.0).abs() < 1e-6, "{df}");
}
