//! By hand: survival.

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

use prem_stats::interval::{Level, wilson};
use prem_stats::survival::*;

fn close(actual: f64, expected: f64) {
    assert!((actual - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{actual} is not {expected}");
}

#[test]
fn kaplan_meier_on_seven_rows() {
    // Times 1, 2+, 3, 3, 4+, 5, 6+: S = 6/7, then 6/7·3/5 = 18/35, then 18/35·1/2 = 9/35.
    // Greenwood at 3: 1/(7·6) + 2/(5·3) = 33/210.
    let times = [1.0, 2.0, 3.0, 3.0, 4.0, 5.0, 6.0];
    let dead = [true, false, true, true, false, true, false];
    let p = kaplan_meier(&times, &dead, &[0.5, 1.0, 3.0, 5.5, 7.0], Level::P95).unwrap();
    assert_eq!(p[0].survival, Some(1.0));
    close(p[1].survival.unwrap(), 6.0 / 7.0);
    close(p[2].survival.unwrap(), 18.0 / 35.0);
    close(p[2].se.unwrap(), 18.0 / 35.0 * (33.0_f64 / 210.0).sqrt());
    close(p[3].survival.unwrap(), 9.0 / 35.0);
    assert_eq!((p[2].at_risk, p[4].survival), (5, None));
}

#[test]
fn a_period_window_takes_only_its_days() {
    // No background mortality: person 1 dies on day 2 inside the window, person 2 on day 1 before it.
    let table = LifeTable::new(&[0.0], &[0.0], 1, &[0.0]).unwrap();
    let person = |diagnosed, days, dead| FollowUp { sex: 0, age_days: 20_000.0, diagnosed, days, dead };
    let persons = [person(10.0, 2.0, true), person(5.0, 1.0, true), person(10.0, 3.0, false)];
    let window = ObservationWindow { from: 10.0, to: 20.0 };
    let p = net_survival(&persons, &table, &[1, 2, 3], NetMethod::PoharPerme, Some(window), Level::P95).unwrap();
    assert_eq!([p[0].survival, p[1].survival, p[2].survival], [Some(1.0), Some(0.5), Some(0.5)]);
    assert_eq!([p[0].at_risk, p[1].at_risk, p[2].at_risk], [2, 2, 1]);
}

#[test]
fn background_mortality_is_taken_away() {
    // Everyone has hazard 0.001 a day and nobody dies: net survival after two days is exp(0.002).
    let table = LifeTable::new(&[0.0], &[0.0], 1, &[0.001]).unwrap();
    let persons = [FollowUp { sex: 0, age_days: 9.0, diagnosed: 3.0, days: 5.0, dead: false }; 3];
    for method in [NetMethod::PoharPerme, NetMethod::EdererII] {
        let p = net_survival(&persons, &table, &[2, 6], method, None, Level::P95).unwrap();
        close(p[0].survival.unwrap(), 0.002_f64.exp());
        assert_eq!(p[1].survival, None);
    }
}

#[test]
fn whole_shares_without_case_mix_are_wilson() {
    let died: Vec<bool> = (0..40).map(|i| i % 8 == 0).collect();
    let eta = vec![-1.3; 40];
    let shares: Vec<Share> = (0..40).map(|patient| Share { patient, hospital: 7, share: 1.0 }).collect();
    let h = hospital_survival(&eta, &died, &shares, &[-1.3, -1.3], Level::P95).unwrap();
    let w = wilson(5.0, 40.0, Level::P95).unwrap();
    assert_eq!((h[0].hospital, h[0].patients), (7, 40));
    assert!((h[0].mortality - 0.125).abs() < 1e-12);
    assert!((h[0].interval.low - w.interval.low).abs() < 1e-10);
    assert!((h[0].interval.high - w.interval.high).abs() < 1e-10);
}

#[test]
fn shares_split_deaths_and_expectations() {
    // One patient of two dies, p̂ = ½ for both; hospital 0 has 60 % of the first and all of the second.
    let shares = [
        Share { patient: 0, hospital: 0, share: 0.6 },
        Share { patient: 0, hospital: 1, share: 0.4 },
        Share { patient: 1, hospital: 0, share: 1.0 },
    ];
    let h = hospital_survival(&[0.0, 0.0], &[true, false], &shares, &[0.0], Level::P95).unwrap();
    close(h[0].observed, 0.6);
    close(h[0].expected, 0.8);
    close(h[0].variance, 0.25 * (0.36 + 1.0));
    close(h[0].mortality, 0.375);
    assert_eq!((h[1].mortality, h[1].interval.high), (1.0, 1.0));
}

#[test]
fn age_standardisation() {
    // 0.25·0.9 + 0.75·0.5 = 0.6; SE = √(0.0625·0.0004 + 0.5625·0.0016) = √0.000925.
    let (s, se, i) = age_standardised(&[(0.9, 0.02), (0.5, 0.04)], &[1.0, 3.0], Level::P95).unwrap();
    close(s, 0.6);
    close(se, 0.000925_f64.sqrt());
    close(i.high, 0.6 * (1.959963984540054 * se / 0.6).exp());
}
