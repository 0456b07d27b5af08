//! By hand: standardised rates, inequality, individuals charts, runs, and scores on a few numbers.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a failure is a failed test")]

use prem_stats::interval::Level;
use prem_stats::rates::*;
use prem_stats::scores::*;
use prem_stats::time::*;

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 * b.abs().max(1.0)
}

#[test]
fn direct_and_indirect() {
    // Rates 0.1 and 0.02 with weights 1 and 3: (0.1 + 3·0.02)/4 = 0.04; Var = (1²·10/100² + 3²·20/1000²)/16.
    let r = directly_standardised(&[10.0, 20.0], &[100.0, 1000.0], &[1.0, 3.0], 1000.0, Level::P95).unwrap();
    assert!(near(r.value, 40.0) && near(r.variance, (1e-3 + 1.8e-4) / 16.0) && r.events == 30.0);
    // The same events as 5 persons with two each in the first stratum: Σf²v = 20 there.
    let persons = [
        RepeatEvents { stratum: 0, frequency: 2.0, persons: 5.0 },
        RepeatEvents { stratum: 1, frequency: 1.0, persons: 20.0 },
    ];
    let r = directly_standardised_repeat_events(&persons, &[100.0, 1000.0], &[1.0, 3.0], 1000.0, Level::P95).unwrap();
    assert!(near(r.value, 40.0) && near(r.variance, (2e-3 + 1.8e-4) / 16.0));
    // Nine events: a rate, no interval, and why.
    let few = directly_standardised(&[9.0], &[90.0], &[1.0], 1.0, Level::P95).unwrap();
    assert!(few.interval.is_none() && few.refused == Some("fewer than 10 events") && near(few.value, 0.1));
    // 100·2/50 + 10·1/20 = 4.5 expected; 9 observed is a ratio of 2.
    let e = expected_events(&[100.0, 10.0], &[2.0, 1.0], &[50.0, 20.0]).unwrap();
    assert!(near(e, 4.5) && near(standardised_ratio(9.0, e, 100.0, Level::P95).unwrap().value, 200.0));
    assert!(near(standardised_rate(9.0, e, 0.01, 1000.0, Level::P95).unwrap().value, 20.0));
}

#[test]
fn inequality() {
    // Two groups of equal size at ranks ¼ and ¾, values 10 and 20: slope 20 from 5 to 25.
    let s = slope_index(&[50.0, 50.0], &[10.0, 20.0], SlopeTransform::None, 1.0).unwrap();
    assert!(near(s.sii, 20.0) && near(s.rii, 5.0) && near(s.intercept, 5.0));
    // On the logarithm the ends are 10/√2 and 20·√2.
    let s = slope_index(&[50.0, 50.0], &[10.0, 20.0], SlopeTransform::Log, 1.0).unwrap();
    assert!(near(s.rii, 4.0) && near(s.sii, 20.0 * 2.0_f64.sqrt() - 10.0 / 2.0_f64.sqrt()));
}

#[test]
fn charts_and_runs() {
    // Ranges 2, 2, 2 about a mean of 11: limits 11 ± 5.32.
    let chart = xmr(&[10.0, 12.0, 10.0, 12.0], false).unwrap();
    assert!(
        near(chart.limits.high, 16.32)
            && near(chart.limits.low, 5.68)
            && near(chart.near_limits.high, 11.0 + 5.32 / 1.5)
    );
    // Seven on one side signal, six do not.
    assert_eq!(shift_runs(&[1; 6]), [false; 6]);
    assert_eq!(shift_runs(&[1; 7]), [true; 7]);
    assert_eq!(trend_runs(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), [false; 6]);
    assert_eq!(trend_runs(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]), [true; 7]);
    assert_eq!(two_of_three(&[1, 1, 1], &[true, false, true]), [true, false, true]);
    assert_eq!(two_of_three(&[1, -1, 1], &[true, false, true]), [false; 3]);
    // Ten useful points: at most round(log₂ 10) + 3 = 6 in a run, at least 2 crossings (P(Bin(9, ½) ≤ 1) = 10/512 < 0.05 ≤ 46/512).
    assert_eq!(runs_critical_values(10).unwrap(), (6, 2));
    let series = [1.0, 1.0, 1.0, 1.0, 1.0, 9.0, 9.0, 9.0, 9.0, 9.0];
    let runs = runs_analysis(&series).unwrap();
    assert_eq!((runs.n_useful, runs.longest_run, runs.crossings), (10, 5, 1));
    assert!(runs.signal_crossings && !runs.signal_run);
}

#[test]
fn questionnaire() {
    let rule = ItemRule::new(1.0, 5.0, false, &[8.0], &[9.0]).unwrap();
    assert_eq!(rule.read(Some(4.0)), Answer::Score(75.0));
    assert_eq!(rule.read(Some(8.0)), Answer::NotApplicable);
    assert_eq!(rule.read(Some(9.0)), Answer::DoNotKnow);
    assert_eq!(rule.read(Some(6.0)), Answer::OutOfRange);
    assert_eq!(rule.read(Some(2.5)), Answer::Unknown);
    assert_eq!(rule.read(None), Answer::NotAnswered);
    assert_eq!(ItemRule::new(1.0, 5.0, true, &[], &[]).unwrap().read(Some(4.0)), Answer::Score(25.0));
    // Half of four answered counts, one of four does not.
    assert_eq!(scale_score(&[Some(50.0), None, Some(100.0), None], 0.5), Some(75.0));
    assert_eq!(scale_score(&[Some(50.0), None, None, None], 0.5), None);
    // Two items that are the same: α = 1; mean of ICC(1) = 0.2 over 6 answers: 6·0.2/(1 + 5·0.2) = 0.6.
    let twins: Vec<Option<f64>> = [1.0, 1.0, 4.0, 4.0, 2.0, 2.0].map(Some).to_vec();
    assert!(near(alpha(&Items::new(&twins, 2).unwrap(), Pairing::Complete).unwrap().alpha, 1.0));
    assert!(near(unit_reliability(0.2, 6.0).unwrap(), 0.6) && near(answers_needed(0.2, 0.6).unwrap(), 6.0));
    // Units (1, 3) and (5, 7): MSB = 16, MSW = 2, k₀ = 2: ICC(1) = 14/18, ICC(k) = 14/16, F = 8.
    let a = one_way(&[1.0, 3.0, 5.0, 7.0], &[0, 0, 1, 1]).unwrap();
    assert!(near(a.icc1, 14.0 / 18.0) && near(a.icck, 14.0 / 16.0) && near(a.f.unwrap(), 8.0));
}
