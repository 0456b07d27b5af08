//! Shrunken values and their intervals.

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
use prem_stats::StatsError;
use prem_stats::case_mix::{Criterion, ShrinkageInterval, fit_random_intercept, shrunken_means, within};

/// Units (1, 3), (5, 7), (9, 11): σ² = 2, σ_b² = 15, λ = 15/16 (see the random intercept's tests), μ̂ = 6.
/// Unit 0: 6 − 4·15/16 = 2.25; variance σ_b²(1 − λ) + (1 − λ)²·V(μ̂), V(μ̂) = σ_b²/Σλ = 15/(45/16) = 16/3:
/// 15/16 + 1/48.
#[test]
fn by_hand_plug_in() {
    let m = moments(&[0, 0, 1, 1, 2, 2], 3, &[1.0, 3.0, 5.0, 7.0, 9.0, 11.0], &[]);
    let slopes = within(&m).expect("within");
    for fixed in [None, Some(&slopes)] {
        let fit = fit_random_intercept(&m, Criterion::Reml, fixed).expect("fit");
        let values = shrunken_means(&fit, &m, &[], ShrinkageInterval::PlugIn, 0.95).expect("values");
        assert!((values[0].value - 2.25).abs() < 1e-9);
        assert!((values[0].variance - (15.0 / 16.0 + 1.0 / 48.0)).abs() < 1e-9);
        let few = shrunken_means(&fit, &m, &[], ShrinkageInterval::Averaged, 0.95);
        assert!(matches!(few, Err(StatsError::TooFew { needed: 5, found: 3, .. })));
    }
}

/// The averaged interval is wider where θ is uncertain, close to the plug-in where it is not, and never collapses at θ̂ = 0.
#[test]
fn averaged_interval() {
    let m = Wards::read().moments();
    let reference = m.mean_adjusters();
    let slopes = within(&m).expect("within");
    for fixed in [None, Some(&slopes)] {
        let fit = fit_random_intercept(&m, Criterion::Reml, fixed).expect("fit");
        let plug = shrunken_means(&fit, &m, &reference, ShrinkageInterval::PlugIn, 0.95).expect("values");
        let averaged = shrunken_means(&fit, &m, &reference, ShrinkageInterval::Averaged, 0.95).expect("values");
        let ratio = |j: usize| averaged[j].variance / plug[j].variance;
        assert!((0..m.units()).map(ratio).sum::<f64>() / m.units() as f64 > 1.0);
        assert!((0..m.units()).all(|j| (averaged[j].value - plug[j].value).abs() < plug[j].standard_error));
    }
    // Six units with the same five values, of which the first differ a little: less than chance leaves.
    let units: Vec<u32> = (0..30).map(|i| i / 5).collect();
    let y: Vec<f64> =
        (0..30).map(|i| f64::from(7 * i % 5) + if i % 5 == 0 { 0.1 * f64::from(i) } else { 0.0 }).collect();
    let m = moments(&units, 6, &y, &[]);
    let fit = fit_random_intercept(&m, Criterion::Reml, None).expect("fit");
    assert!(fit.convergence.boundary);
    let plug = shrunken_means(&fit, &m, &[], ShrinkageInterval::PlugIn, 0.95).expect("values");
    let averaged = shrunken_means(&fit, &m, &[], ShrinkageInterval::Averaged, 0.95).expect("values");
    assert!(plug.iter().zip(&averaged).all(|(p, a)| a.variance > 1.2 * p.variance));
}

/// Scaling y by c scales values by c and variances by c²: the grid over θ must not depend on units of measurement.
#[test]
fn property_scale() {
    let wards = Wards::read();
    let run = |c: f64| {
        let scaled: Vec<f64> = wards.score.iter().map(|v| c * v).collect();
        let m = moments(&wards.units, wards.hospital.len(), &scaled, &[]);
        let fit = fit_random_intercept(&m, Criterion::Reml, None).expect("fit");
        shrunken_means(&fit, &m, &[], ShrinkageInterval::Averaged, 0.95).expect("values")
    };
    for (a, b) in run(1.0).iter().zip(run(1000.0)) {
        assert!((b.value / a.value / 1000.0 - 1.0).abs() < 1e-9);
        assert!((b.variance / a.variance / 1e6 - 1.0).abs() < 1e-6);
    }
}
