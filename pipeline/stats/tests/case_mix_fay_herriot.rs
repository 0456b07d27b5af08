//! Area-level shrinkage.

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

use prem_stats::case_mix::fay_herriot;

/// Equal V = 1 and values 0, 0, 6, 6: the sample variance 12 is A + V, A = 11, B = 11/12, γ = 3.
/// g1 = 11/12, g2 = (1/12)²·12/4 = 1/48, g3 = 1/12³·2/(4/144) = 1/24: MSE = 11/12 + 1/48 + 1/12 = 49/48.
#[test]
fn by_hand() {
    let fit = fay_herriot(&[0.0, 0.0, 6.0, 6.0], &[1.0; 4], &[], 0.95).expect("fit");
    assert!((fit.between_unit_variance - 11.0).abs() < 1e-10);
    assert!((fit.units[0].value - 0.25).abs() < 1e-11);
    assert!((fit.units[0].mean_squared_error - 49.0 / 48.0).abs() < 1e-10);
    // No spread beyond chance: A = 0, all values the same.
    let none = fay_herriot(&[1.0, 1.1, 0.9, 1.0], &[1.0; 4], &[], 0.95).expect("fit");
    assert!(none.boundary && none.units.iter().all(|u| (u.value - 1.0).abs() < 1e-12 && u.reliability == 0.0));
}

#[test]
fn covariates_and_hostile_inputs() {
    let z = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let y: Vec<f64> = z.iter().map(|v| 2.0 + 3.0 * v + if *v as i32 % 2 == 0 { 0.5 } else { -0.5 }).collect();
    let fit = fay_herriot(&y, &[1.0; 6], &[&z, &[7.0; 6]], 0.95).expect("fit");
    assert_eq!((fit.dropped.len(), fit.coefficients[2]), (1, 0.0));
    assert!((fit.coefficients[1] - 3.0).abs() < 0.2);
    assert!(fay_herriot(&[], &[], &[], 0.95).is_err());
    assert!(fay_herriot(&[1.0, 2.0], &[1.0, 1.0], &[], 0.95).is_err());
    assert!(fay_herriot(&[1.0, 2.0, 3.0], &[1.0, 0.0, 1.0], &[], 0.95).is_err());
    assert!(fay_herriot(&[1.0, f64::NAN, 3.0], &[1.0; 3], &[], 0.95).is_err());
    assert!(fay_herriot(&[1.0, 2.0, 4.0], &[1.0; 3], &[], 2.0).is_err());
}
