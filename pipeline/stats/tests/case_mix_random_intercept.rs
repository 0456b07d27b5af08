//! Random intercepts by hand and by property; lme4 is in `tests/reference/case_mix.rs`.

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
use prem_stats::case_mix::{Criterion, ProfiledLikelihood, UnitMoments, fit_random_intercept, within};

/// Balanced one-way layout, units (1, 3), (5, 7), (9, 11): MSB = 32, MSW = 2, n = 2. REML equals the analysis of
/// variance: σ² = 2, σ_b² = (32 − 2)/2 = 15, grand mean 6 with variance MSB/(Jn) = 16/3, λ = 30/32.
#[test]
fn by_hand_balanced() {
    let y = [1.0, 3.0, 5.0, 7.0, 9.0, 11.0];
    let fit = fit_random_intercept(&moments(&[0, 0, 1, 1, 2, 2], 3, &y, &[]), Criterion::Reml, None).expect("fit");
    assert!((fit.components.residual_sd.powi(2) - 2.0).abs() < 1e-10);
    assert!((fit.components.between_unit_sd.powi(2) - 15.0).abs() < 1e-9);
    assert!((fit.coefficients[0] - 6.0).abs() < 1e-12);
    assert!((fit.covariance[(0, 0)] - 16.0 / 3.0).abs() < 1e-9);
    assert!((fit.effects[0].blup + 4.0 * 30.0 / 32.0).abs() < 1e-10);
}

/// The derivative that the optimiser follows is the objective's.
#[test]
fn property_derivative_matches_differences() {
    let m = Wards::read().moments();
    for kind in [Criterion::Reml, Criterion::Ml] {
        let likelihood = ProfiledLikelihood::new(&m, kind).expect("objective");
        for v in [0.001f64, 0.03, 0.4] {
            let h = 1e-5 * v;
            let at = |v: f64| likelihood.objective(v.sqrt()).expect("value");
            let numeric = (at(v + h) - at(v - h)) / (2.0 * h);
            let exact = likelihood.evaluate(v.sqrt()).expect("point").derivative;
            assert!((numeric - exact).abs() < 1e-3 * exact.abs().max(1.0), "{numeric} {exact}");
        }
    }
}

/// With β fixed at the within fit the components stay close to the model's own, and slopes are the within fit's.
#[test]
fn fixed_beta_keeps_the_within_slopes() {
    let m = Wards::read().moments();
    let slopes = within(&m).expect("within");
    let own = fit_random_intercept(&m, Criterion::Reml, None).expect("gls");
    let fixed = fit_random_intercept(&m, Criterion::Reml, Some(&slopes)).expect("fixed");
    assert_eq!(fixed.coefficients[1..], slopes.coefficients[..]);
    assert!((fixed.components.residual_sd / own.components.residual_sd - 1.0).abs() < 2e-3);
    assert!((fixed.components.between_unit_sd / own.components.between_unit_sd - 1.0).abs() < 0.1);
}

#[test]
fn hostile_inputs_give_errors() {
    let reml = |m: &UnitMoments| fit_random_intercept(m, Criterion::Reml, None);
    assert!(reml(&moments(&[], 0, &[], &[])).is_err());
    assert!(reml(&moments(&[], 5, &[], &[])).is_err());
    assert!(reml(&moments(&[0], 1, &[1.0], &[])).is_err());
    assert!(reml(&moments(&[0, 0, 0], 1, &[1.0, 2.0, 4.0], &[])).is_err());
    assert!(reml(&moments(&[0, 1, 2], 3, &[1.0, 2.0, 4.0], &[])).is_err());
    assert!(reml(&moments(&[0, 0, 1, 1], 2, &[3.0; 4], &[])).is_err());
    assert!(reml(&moments(&[0, 0, 1, 1], 2, &[1.0, 1.0, 2.0, 2.0], &[])).is_err());
    let likelihood = ProfiledLikelihood::new(&moments(&[0, 0, 1, 1], 2, &[1.0, 2.0, 4.0, 8.0], &[]), Criterion::Reml)
        .expect("objective");
    for theta in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
        assert!(likelihood.objective(theta).is_err());
    }
}
