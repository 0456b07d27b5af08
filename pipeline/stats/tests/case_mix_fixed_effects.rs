//! The CAHPS model by hand; the macro's own results are in `tests/reference/cahps.rs`.

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
use prem_stats::case_mix::{FixedEffectsConvention, fixed_effects};

/// Two units, no adjusters: unit 0 answers 1, 3; unit 1 answers 4, 6, 8. Means 2 and 6, overall 4, delta ∓2.
/// Code: V_0 = (1² + 1²)/4 = 0.5, V_1 = (4 + 0 + 4)/9 = 8/9. se(delta)² = V_u(1 − 2/2) + (V_0 + V_1)/4 = 25/72.
/// Manual: V_0·2/1 = 1, V_1·3/2 = 4/3, se² = 7/12. F = (2−g)²/V_0 + (6−g)²/V_1 with g precision-weighted: 16/(V_0 + V_1).
#[test]
fn by_hand_two_units() {
    let units = [0, 0, 1, 1, 1];
    let y = [1.0, 3.0, 4.0, 6.0, 8.0];
    for (convention, v, se2) in [
        (FixedEffectsConvention::Cahps41c, [0.5, 8.0 / 9.0], 25.0 / 72.0),
        (FixedEffectsConvention::CahpsManual, [1.0, 4.0 / 3.0], 7.0 / 12.0),
    ] {
        let fit = fixed_effects(&units, 3, &[&y], &[], convention).expect("fit");
        assert!(fit.units[2].is_none());
        assert_eq!(fit.overall, 4.0);
        assert!((fit.f.expect("F") - 16.0 / (v[0] + v[1])).abs() < 1e-12);
        for (u, delta) in [(0, -2.0), (1, 2.0)] {
            let unit = fit.units[u].expect("unit");
            assert!((unit.variance - v[u]).abs() < 1e-14);
            assert!((unit.delta - delta).abs() < 1e-14);
            assert!((unit.delta_standard_error - f64::sqrt(se2)).abs() < 1e-14);
        }
    }
}

#[test]
fn hostile_inputs_give_errors() {
    use FixedEffectsConvention::Cahps41c;
    let nan = f64::NAN;
    assert!(matches!(fixed_effects(&[], 2, &[], &[], Cahps41c), Err(StatsError::Empty { .. })));
    assert!(fixed_effects(&[], 0, &[&[]], &[], Cahps41c).is_err());
    assert!(fixed_effects(&[0, 1], 2, &[&[nan, nan]], &[], Cahps41c).is_err());
    assert!(fixed_effects(&[0, 0, 1, 1], 2, &[&[1.0, 2.0, f64::INFINITY, 1.0]], &[], Cahps41c).is_err());
    assert!(fixed_effects(&[0, 0, 1, 1], 2, &[&[1.0, 2.0, 3.0, 1.0]], &[&[1.0, nan, 2.0, 3.0]], Cahps41c).is_err());
    assert!(fixed_effects(&[0, 0, 1, 9], 2, &[&[1.0, 2.0, 3.0, 1.0]], &[], Cahps41c).is_err());
    assert!(fixed_effects(&[0, 0, 1, 1], 2, &[&[5.0; 4]], &[], Cahps41c).is_err());
}
