//! Properties of survival: estimators that must agree, and 30-day mortality seen from the other side.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a failure is a failed test")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "small counts"
)]

use prem_stats::interval::Level;
use prem_stats::survival::*;
use proptest::prelude::*;

fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * (1.0 + a.abs().max(b.abs()))
}

proptest! {
    /// Where nobody dies of other causes net survival is Kaplan and Meier's, by both estimators.
    #[test]
    fn without_other_causes_net_survival_is_kaplan_meier(
        rows in prop::collection::vec((1_u32..60, any::<bool>(), 0_usize..2), 2..40),
    ) {
        let table = LifeTable::new(&[0.0, 20_000.0], &[0.0], 2, &[0.0; 4]).unwrap();
        let times: Vec<f64> = rows.iter().map(|r| f64::from(r.0)).collect();
        let dead: Vec<bool> = rows.iter().map(|r| r.1).collect();
        let persons: Vec<FollowUp> = rows
            .iter()
            .map(|r| FollowUp { sex: r.2, age_days: 19_980.0, diagnosed: 5.0, days: f64::from(r.0), dead: r.1 })
            .collect();
        let last = rows.iter().map(|r| r.0).max().unwrap() as usize;
        let days: Vec<usize> = (0..=last).collect();
        let at: Vec<f64> = days.iter().map(|d| *d as f64).collect();
        let expected = kaplan_meier(&times, &dead, &at, Level::P95).unwrap();
        for method in [NetMethod::PoharPerme, NetMethod::EdererII] {
            let found = net_survival(&persons, &table, &days, method, None, Level::P95).unwrap();
            for (a, b) in expected.iter().zip(&found) {
                let (a, b) = (a.survival.unwrap(), b.survival.unwrap());
                prop_assert!(near(a, b, 1e-12), "{a} {b}");
            }
        }
    }

    /// Among persons who are all alike weights cancel: Pohar-Perme is Ederer II.
    #[test]
    fn among_the_alike_the_estimators_agree(
        rows in prop::collection::vec((1_u32..60, any::<bool>()), 2..40),
        hazard in 0.0..0.01_f64,
    ) {
        let hazards = [1.0, 2.0, 0.5, 1.5].map(|h| h * hazard);
        let table = LifeTable::new(&[0.0, 20_000.0], &[0.0, 30.0], 1, &hazards).unwrap();
        let persons: Vec<FollowUp> = rows
            .iter()
            .map(|r| FollowUp { sex: 0, age_days: 19_980.0, diagnosed: 5.0, days: f64::from(r.0), dead: r.1 })
            .collect();
        let last = rows.iter().map(|r| r.0).max().unwrap() as usize;
        let days: Vec<usize> = (0..=last).collect();
        let run = |method| net_survival(&persons, &table, &days, method, None, Level::P95).unwrap();
        for (a, b) in run(NetMethod::PoharPerme).iter().zip(&run(NetMethod::EdererII)) {
            prop_assert!(near(a.survival.unwrap(), b.survival.unwrap(), 1e-12));
            if let (Some(a), Some(b)) = (a.se, b.se) {
                prop_assert!(near(a, b, 1e-12));
            }
        }
    }

    /// To survive is not to die: with deaths and predictors turned round, value and limits are 1 less the others, whoever
    /// died. That all shares of a hospital are halved changes neither.
    #[test]
    fn survival_mirrors_mortality(
        rows in prop::collection::vec((-3.0..2.0_f64, any::<bool>(), 1_u32..20), 1..25),
        l in 0.5..0.999_f64,
    ) {
        let level = Level::new(l).unwrap();
        let eta: Vec<f64> = rows.iter().map(|r| r.0).collect();
        let other: Vec<f64> = eta.iter().map(|e| -e).collect();
        let died: Vec<bool> = rows.iter().map(|r| r.1).collect();
        let lived: Vec<bool> = died.iter().map(|d| !d).collect();
        let shares = |factor: f64| -> Vec<Share> {
            let of = |r: &(f64, bool, u32)| factor * f64::from(r.2) / 20.0;
            rows.iter().enumerate().map(|(patient, r)| Share { patient, hospital: 0, share: of(r) }).collect()
        };
        let a = hospital_survival(&eta, &died, &shares(1.0), &eta, level).unwrap()[0];
        let b = hospital_survival(&other, &lived, &shares(1.0), &other, level).unwrap()[0];
        let c = hospital_survival(&eta, &died, &shares(0.5), &eta, level).unwrap()[0];
        prop_assert!(near(a.mortality, 1.0 - b.mortality, 1e-9), "{a:?} {b:?}");
        prop_assert!(near(a.interval.low, 1.0 - b.interval.high, 1e-9), "{a:?} {b:?}");
        prop_assert!(near(a.interval.high, 1.0 - b.interval.low, 1e-9), "{a:?} {b:?}");
        prop_assert!(near(a.mortality, c.mortality, 1e-9) && near(a.interval.low, c.interval.low, 1e-9), "{a:?} {c:?}");
        prop_assert!(near(a.interval.high, c.interval.high, 1e-9), "{a:?} {c:?}");
        prop_assert!(a.interval.width() > 1e-3, "{a:?}");
    }
}

/// All ten died: Wilson's lower limit n/(n + z²), not 1. None did: the upper one z²/(n + z²).
#[test]
fn where_all_or_none_died_the_interval_still_has_a_width() {
    let z2 = Level::P95.z().unwrap().powi(2);
    let shares: Vec<Share> = (0..10).map(|patient| Share { patient, hospital: 1, share: 1.0 }).collect();
    let run = |died: bool| hospital_survival(&[-1.3; 10], &[died; 10], &shares, &[-1.3], Level::P95).unwrap()[0];
    let (all, none) = (run(true), run(false));
    assert_eq!((all.mortality, all.interval.high), (1.0, 1.0));
    assert!((all.interval.low - 10.0 / (10.0 + z2)).abs() < 1e-10, "{all:?}");
    assert_eq!((none.mortality, none.interval.low), (0.0, 0.0));
    assert!((none.interval.high - z2 / (10.0 + z2)).abs() < 1e-10, "{none:?}");
}

/// Four who died after parts of their course there; the root of Σw − Σwp = z√Σw²p(1 − p) by R's uniroot (case `all_died` of
/// reference/r/standardised.R).
#[test]
fn shared_courses_of_those_who_all_died() {
    let eta = [-1.8651605048302393, -2.758218992416004, -2.2697952227144564, -1.8651605048302393];
    let shares: Vec<Share> = [0.25, 0.5, 0.1, 0.9]
        .into_iter()
        .enumerate()
        .map(|(patient, share)| Share { patient, hospital: 0, share })
        .collect();
    let found = hospital_survival(&eta, &[true; 4], &shares, &eta, Level::P95).unwrap()[0];
    assert!((found.interval.low - 0.4061062198734673).abs() < 1e-10, "{found:?}");
}
