//! The test of unit × adjuster interaction.

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
use prem_stats::case_mix::{interaction_tests, within};

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
