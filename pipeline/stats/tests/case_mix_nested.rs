//! Nested random intercepts.

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

use models::Wards;
use prem_stats::case_mix::{Criterion, NestedLikelihood, SufficientStatistics, fit_nested, fit_random_intercept};

/// With one level the recursion is the random intercept.
#[test]
fn one_level_is_the_random_intercept() {
    let m = Wards::read().moments();
    let nested = fit_nested(&m, &[], m.units(), Criterion::Reml).expect("fit");
    let plain = fit_random_intercept(&m, Criterion::Reml, None).expect("fit");
    assert!((nested.criterion - plain.criterion).abs() < 1e-9);
    assert!((nested.theta[0] - plain.components.theta).abs() < 1e-8);
}

/// A third level whose θ is 0 changes nothing; three levels fit, and the derivative is the objective's.
#[test]
fn property_three_levels() {
    let wards = Wards::read();
    let (m, parents) = (wards.moments(), [wards.hospital, wards.trust]);
    let three = NestedLikelihood::new(&m, &parents, 4, Criterion::Reml).expect("three");
    let two = NestedLikelihood::new(&m, &parents[..1], 9, Criterion::Reml).expect("two");
    let difference = three.objective(&[0.2, 0.3, 0.0]).expect("3") - two.objective(&[0.2, 0.3]).expect("2");
    assert!(difference.abs() < 1e-9);
    let v = [0.03, 0.05, 0.02];
    let value = |v: &[f64]| three.objective(&v.iter().map(|x| x.sqrt()).collect::<Vec<_>>()).expect("value");
    let exact = three.evaluate(&v.map(f64::sqrt)).expect("point").derivative;
    for l in 0..3 {
        let (mut up, mut down) = (v, v);
        up[l] += 1e-6;
        down[l] -= 1e-6;
        let numeric = (value(&up) - value(&down)) / 2e-6;
        assert!((numeric - exact[l]).abs() < 1e-4 * exact[l].abs().max(10.0), "{l}: {numeric} {}", exact[l]);
    }
    let fit = fit_nested(&m, &parents, 4, Criterion::Reml).expect("fit");
    assert!(fit.criterion <= fit_nested(&m, &parents[..1], 9, Criterion::Reml).expect("fit").criterion + 1e-9);
}

#[test]
fn hostile_inputs_give_errors() {
    let m = Wards::read().moments();
    assert!(fit_nested(&m, &[vec![0; 3]], 1, Criterion::Reml).is_err());
    assert!(fit_nested(&m, &[vec![9; m.units()]], 2, Criterion::Reml).is_err());
    assert!(fit_nested(&m, &[], 3, Criterion::Reml).is_err());
    let empty = SufficientStatistics::new(3, 0).finish().expect("moments");
    assert!(fit_nested(&empty, &[vec![0, 0, 1]], 2, Criterion::Reml).is_err());
    let likelihood = NestedLikelihood::new(&m, &[], m.units(), Criterion::Reml).expect("one");
    assert!(likelihood.objective(&[-0.1]).is_err() && likelihood.objective(&[f64::NAN]).is_err());
    assert!(likelihood.objective(&[]).is_err());
}
