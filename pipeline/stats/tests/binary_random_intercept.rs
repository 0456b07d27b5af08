//! Logistic random intercept and its quadrature.

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
use prem_stats::binary::{
    BinaryCounts, ReferencePopulation, SeparationPolicy, expit, fit_logistic_random_intercept, gauss_hermite,
    mixed_logistic_likelihood,
};

/// K = 1: 0, 1. K = 2: ±1, ½. K = 3: 0, ±√3 with 2/3, 1/6. All orders: moments of the normal distribution.
#[test]
fn by_hand_quadrature() {
    assert_eq!(gauss_hermite(1).expect("rule"), [(0.0, 1.0)]);
    let three = gauss_hermite(3).expect("rule");
    assert!((three[2].0 - f64::sqrt(3.0)).abs() < 1e-15 && (three[1].1 - 2.0 / 3.0).abs() < 1e-15);
    for order in [2, 9, 30, 100] {
        let rule = gauss_hermite(order).expect("rule");
        let moment = |k: i32| rule.iter().map(|(z, w)| w * z.powi(k)).sum::<f64>();
        assert!((moment(0) - 1.0).abs() < 1e-13 && (moment(2) - 1.0).abs() < 1e-13);
        if order > 2 {
            assert!((moment(6) - 15.0).abs() < 1e-11);
        }
    }
    assert!(gauss_hermite(0).is_err() && gauss_hermite(101).is_err());
}

/// More nodes agree with each other, and the marginal probability lies nearer ½ than the one at b = 0.
#[test]
fn property_nodes_and_marginals() {
    let table = Wards::read().counts();
    let (nine, plain) = mixed_logistic_likelihood(&table, 9, SeparationPolicy::Refuse).expect("objective");
    let (more, _) = mixed_logistic_likelihood(&table, 40, SeparationPolicy::Refuse).expect("objective");
    let mut parameters = vec![plain.unit_effects[0].expect("one unit")];
    parameters.extend(&plain.coefficients);
    parameters.push(0.4);
    let difference = nine.objective(&parameters).expect("9") - more.objective(&parameters).expect("40");
    assert!(difference.abs() < 1e-7, "{difference}");
    let fit = fit_logistic_random_intercept(&table, 9, SeparationPolicy::Refuse).expect("fit");
    let reference = table.reference();
    let all = fit.overall_probability(&reference).expect("overall");
    for age in [20.0, 50.0, 80.0] {
        let one = ReferencePopulation::new(2, vec![age, 1.0], vec![1.0]).expect("reference");
        let at_zero = expit(fit.coefficients[0] + age * fit.coefficients[1] + fit.coefficients[2]);
        let marginal = fit.overall_probability(&one).expect("overall");
        assert!((marginal - 0.5) / (at_zero - 0.5) < 1.0 && (marginal - 0.5) * (at_zero - 0.5) > 0.0, "{at_zero}");
    }
    let units = fit.marginal_probabilities(&table, &reference).expect("units");
    for (unit, effect) in units.iter().zip(&fit.effects) {
        assert!(unit.value > 0.0 && unit.value < 1.0 && unit.standard_deviation > 0.0);
        assert!(effect.mode.abs() < 0.15 || (unit.value > all) == (effect.mode > 0.0));
    }
}

/// Units all alike: no variation beyond chance, τ̂ = 0 and the plain proportion.
#[test]
fn boundary_and_hostile_inputs() {
    let mut counts = BinaryCounts::new(6, 0);
    for j in 0..6 {
        counts.add_counts(j, &[], 50, 20).expect("counts");
    }
    let fit = fit_logistic_random_intercept(&counts.finish(), 9, SeparationPolicy::Refuse).expect("fit");
    assert!(fit.boundary && fit.between_unit_sd == 0.0);
    assert!((fit.coefficients[0] - f64::ln(2.0 / 3.0)).abs() < 1e-12);
    assert!((fit.standard_errors()[0] - f64::sqrt(1.0 / 72.0)).abs() < 1e-10);
    assert!(fit_logistic_random_intercept(&BinaryCounts::new(0, 0).finish(), 1, SeparationPolicy::Refuse).is_err());
    let mut ones = BinaryCounts::new(3, 0);
    for j in 0..3 {
        ones.add_counts(j, &[], 5, 5).expect("counts");
    }
    assert!(fit_logistic_random_intercept(&ones.finish(), 1, SeparationPolicy::Refuse).is_err());
}
