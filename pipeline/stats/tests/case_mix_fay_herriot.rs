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

use prem_stats::case_mix::{ShrinkageInterval, fay_herriot};

/// Equal V = 1 and values 0, 0, 6, 6: the sample variance 12 is A + V, A = 11, B = 11/12, γ = 3.
/// g1 = 11/12, g2 = (1/12)²·12/4 = 1/48, g3 = 1/12³·2/(4/144) = 1/24: MSE = 11/12 + 1/48 + 1/12 = 49/48.
#[test]
fn by_hand() {
    let fit = fay_herriot(&[0.0, 0.0, 6.0, 6.0], &[1.0; 4], &[], ShrinkageInterval::PlugIn, 0.95).expect("fit");
    assert!((fit.between_unit_variance - 11.0).abs() < 1e-10);
    assert!((fit.units[0].value - 0.25).abs() < 1e-11);
    assert!((fit.units[0].mean_squared_error - 49.0 / 48.0).abs() < 1e-10);
    // No spread beyond chance: A = 0, all values the same.
    let none = fay_herriot(&[1.0, 1.1, 0.9, 1.0], &[1.0; 4], &[], ShrinkageInterval::PlugIn, 0.95).expect("fit");
    assert!(none.boundary && none.units.iter().all(|u| (u.value - 1.0).abs() < 1e-12 && u.reliability == 0.0));
}

/// Equal V and five areas: in u = V/(A + V) the density is ∝ exp(−cu) on (0, 1], c = S/2V with S the squares about the mean.
#[test]
fn averaged_by_hand() {
    let (y, v): ([f64; 5], f64) = ([1.0, 2.0, 2.0, 4.0, 6.0], 2.0);
    let squares = 4.0 + 1.0 + 1.0 + 1.0 + 9.0;
    let c = squares / (2.0 * v);
    let lost = (-c).exp() / (1.0 - (-c).exp());
    let (u, u2) = (1.0 / c - lost, 2.0 / (c * c) - lost * (1.0 + 2.0 / c));
    let fit = fay_herriot(&y, &[v; 5], &[], ShrinkageInterval::Averaged, 0.95).expect("fit");
    for (y, unit) in y.iter().zip(&fit.units) {
        let mse = v * (1.0 - u) + v * u / 5.0 + (u2 - u * u) * (y - 3.0).powi(2);
        assert!((unit.reliability - (1.0 - u)).abs() < 1e-10);
        assert!((unit.value - (3.0 + (1.0 - u) * (y - 3.0))).abs() < 1e-10);
        assert!((unit.mean_squared_error - mse).abs() < 1e-10);
        assert!((unit.upper - unit.lower - 2.0 * 1.959963984540054 * mse.sqrt()).abs() < 1e-9);
    }
    let four = fay_herriot(&y[..4], &[v; 4], &[], ShrinkageInterval::Averaged, 0.95);
    assert!(four.is_err(), "the weights of four areas have no finite integral to rely on");
}

#[test]
fn covariates_and_hostile_inputs() {
    let z = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let y: Vec<f64> = z.iter().map(|v| 2.0 + 3.0 * v + if *v as i32 % 2 == 0 { 0.5 } else { -0.5 }).collect();
    let fit = fay_herriot(&y, &[1.0; 6], &[&z, &[7.0; 6]], ShrinkageInterval::PlugIn, 0.95).expect("fit");
    assert_eq!((fit.dropped.len(), fit.coefficients[2]), (1, 0.0));
    assert!((fit.coefficients[1] - 3.0).abs() < 0.2);
    assert!(fay_herriot(&[], &[], &[], ShrinkageInterval::PlugIn, 0.95).is_err());
    assert!(fay_herriot(&[1.0, 2.0], &[1.0, 1.0], &[], ShrinkageInterval::PlugIn, 0.95).is_err());
    assert!(fay_herriot(&[1.0, 2.0, 3.0], &[1.0, 0.0, 1.0], &[], ShrinkageInterval::PlugIn, 0.95).is_err());
    assert!(fay_herriot(&[1.0, f64::NAN, 3.0], &[1.0; 3], &[], ShrinkageInterval::PlugIn, 0.95).is_err());
    assert!(fay_herriot(&[1.0, 2.0, 4.0], &[1.0; 3], &[], ShrinkageInterval::PlugIn, 2.0).is_err());
}
