//! By hand: over-dispersion of funnels.

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

use prem_stats::funnel::*;
use prem_stats::interval::Level;

#[test]
fn winsorising_shrinks_the_null_variance() {
    // q = 0.1: c = 1.2815515655446004, phi(c) = 0.17549833193248685:
    // 0.8 - 2c phi(c) + 0.2c^2 = 0.8 - 0.449820 + 0.328475 = 0.678655.
    let kappa = over_dispersion::winsorised_variance(0.1).unwrap();
    assert!((kappa - 0.678_655).abs() < 1e-6, "{kappa}");
    assert_eq!(over_dispersion::winsorised_variance(0.0).unwrap(), 1.0);
}

#[test]
fn correction_divides_by_kappa() {
    let units: Vec<Standardised> =
        (0..11).map(|i| Standardised { y: f64::from(i) - 5.0, s: 1.0, target: 0.0 }).collect();
    // Winsorised at 10 %: z = -4, -4, -3, ..., 3, 4, 4; sum of squares 2(16 + 16 + 9 + 4 + 1) = 92; phi = 92/11.
    let plain = over_dispersion(&units, Outliers::Winsorise(0.1), Correction::Spiegelhalter).unwrap();
    assert!((plain.phi - 92.0 / 11.0).abs() < 1e-12);
    // tau2 = (92 - 10)/(11 - 1) = 8.2.
    assert!((plain.tau2 - 8.2).abs() < 1e-12);
    let corrected = over_dispersion(&units, Outliers::Winsorise(0.1), Correction::Winsorised).unwrap();
    assert!((corrected.phi - plain.phi / corrected.kappa).abs() < 1e-12);
}

#[test]
fn limits_stay_on_their_scale() {
    let p = funnel_limits(Scale::ArcsineProportion, 0.98, 5.0, 0.5, Level::P998).unwrap();
    assert!(p.low >= 0.0 && p.high <= 1.0);
    let r = funnel_limits(Scale::SqrtRatio, 1.0, 0.5, 2.0, Level::P998).unwrap();
    assert!(r.low == 0.0 && r.high > 1.0);
    let m = funnel_limits(Scale::Mean, 70.0, 2.0, 0.0, Level::P95).unwrap();
    assert!((m.high - 70.0 - 2.0 * 1.959_963_984_540_054).abs() < 1e-12);
}
