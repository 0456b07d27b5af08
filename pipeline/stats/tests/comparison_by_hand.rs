//! By hand: comparison of units. Each expected value is worked out in the comment above it.

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

use prem_stats::comparison::*;
use prem_stats::interval::Level;

fn close(actual: f64, expected: f64) {
    assert!((actual - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{actual} is not {expected}");
}

#[test]
fn difference_from_a_reference_that_contains_the_unit() {
    // R = 0.25·70 + 0.75·80 = 77.5; Σw²S = 0.0625·4 + 0.5625·1 = 0.8125.
    // SE₁² = 4(1 − 0.5) + 0.8125 = 2.8125; SE₂² = 1(1 − 1.5) + 0.8125 = 0.3125.
    let (r, d) = differences_from_reference(&[70.0, 80.0], &[4.0, 1.0], &[1.0, 3.0], None).unwrap();
    close(r, 77.5);
    close(d[0].difference, -7.5);
    close(d[0].se, 2.8125_f64.sqrt());
    close(d[1].difference, 2.5);
    close(d[1].se, 0.3125_f64.sqrt());
}

#[test]
fn degrees_of_freedom_of_a_difference() {
    // As above, S on 9 and 4 degrees of freedom. SE₁² = 0.75²·4 + 0.75²·1 = 2.25 + 0.5625:
    // df = 2.8125²/(2.25²/9 + 0.5625²/4) = 7.91015625/0.6416015625. SE₂² = 0.25²·1 + 0.25²·4 = 0.0625 + 0.25:
    // df = 0.3125²/(0.0625²/4 + 0.25²/9) = 0.09765625/(0.0009765625 + 0.0625/9).
    let (s, w) = ([4.0, 1.0], [1.0, 3.0]);
    let (_, d) = differences_from_reference(&[70.0, 80.0], &s, &w, None).unwrap();
    let df = degrees_of_freedom_of_differences(&d, &s, &[9.0, 4.0], &w).unwrap();
    close(df[0], 7.91015625 / 0.6416015625);
    close(df[1], 0.09765625 / (0.0009765625 + 0.0625 / 9.0));
    let known = degrees_of_freedom_of_differences(&d, &s, &[f64::INFINITY; 2], &w).unwrap();
    assert_eq!(known, [f64::INFINITY; 2]);
    assert!(degrees_of_freedom_of_differences(&d, &s, &[9.0, 0.0], &w).is_err());
    // t(0.975; 10) = 2.2281388519862744 gives p = 0.05; the normal form gives less.
    close(p_beyond_t(2.2281388519862744, 1.0, 0.0, 10.0).unwrap(), 0.05);
    assert!(p_beyond(2.2281388519862744, 1.0, 0.0).unwrap() < 0.03);
    close(p_beyond_t(3.0, 1.0, 1.0, f64::INFINITY).unwrap(), p_beyond(3.0, 1.0, 1.0).unwrap());
    let units = [Some((2.2, 1.0, 10.0)), None, Some((-9.0, 1.0, 10.0))];
    let classes = assess_t(&units, 0.0, Direction::Higher, Multiplicity::None, 0.05).unwrap();
    let expected = [Comparison::AsExpected, Comparison::NotAssessed, Comparison::Worse];
    assert_eq!(classes.iter().map(|a| a.comparison).collect::<Vec<_>>(), expected);
}

#[test]
fn shared_coefficients_count_once() {
    // x̄ = (1, 2), centre 1.75, D = (−0.75, 0.25); V(β̂) = 0.5 adds 0.28125 and 0.03125.
    let shared = SharedCoefficients { adjuster_means: &[1.0, 2.0], covariance: &[0.5], p: 1 };
    let (_, d) = differences_from_reference(&[70.0, 80.0], &[4.0, 1.0], &[0.25, 0.75], Some(shared)).unwrap();
    close(d[0].se.powi(2), 2.8125 + 0.28125);
    close(d[1].se.powi(2), 0.3125 + 0.03125);
}

#[test]
fn one_unit_is_its_own_reference() {
    let (r, d) = differences_from_reference(&[70.0], &[4.0], &[1.0], None).unwrap();
    assert_eq!((r, d[0].difference, d[0].se), (70.0, 0.0, 0.0));
    let a = assess(&[Some((0.0, 0.0))], 0.0, Direction::Higher, Multiplicity::BenjaminiHochberg, 0.05).unwrap();
    assert_eq!(a[0].comparison, Comparison::NotAssessed);
}

#[test]
fn minimal_difference() {
    close(p_beyond(1.959963984540054, 1.0, 0.0).unwrap(), 0.05);
    // P(Z ≥ 1) + P(Z ≥ 3) = 0.158655253931457 + 0.001349898031630.
    close(p_beyond(-2.0, 1.0, 1.0).unwrap(), 0.160_005_151_963_087_1);
    assert!(p_beyond(1.0, 0.0, 0.0).is_err());
}

#[test]
fn adjusted_p_values() {
    let p = [0.01, 0.04, 0.03, 0.005];
    // Sorted 0.005, 0.01, 0.03, 0.04 times 4, 2, 4/3, 1: 0.02, 0.02, 0.04, 0.04.
    for (a, e) in benjamini_hochberg(&p).unwrap().iter().zip([0.02, 0.04, 0.04, 0.02]) {
        close(*a, e);
    }
    // Holm: 4·0.005, 3·0.01, 2·0.03, 1·0.04 (raised to 0.06).
    for (a, e) in holm(&p).unwrap().iter().zip([0.03, 0.06, 0.06, 0.02]) {
        close(*a, e);
    }
    assert_eq!(bonferroni(&[0.3, 0.6]).unwrap(), [0.6, 1.0]);
    assert!(holm(&[0.1, f64::NAN]).is_err());
    assert!(benjamini_hochberg(&[]).unwrap().is_empty());
}

#[test]
fn classes_follow_the_direction() {
    let units = [Some((5.0, 1.0)), Some((-5.0, 1.0)), Some((0.5, 1.0)), None];
    let classes = |direction| -> Vec<Comparison> {
        let a = assess(&units, 0.0, direction, Multiplicity::BenjaminiHochberg, 0.05).unwrap();
        a.iter().map(|a| a.comparison).collect()
    };
    use Comparison::*;
    assert_eq!(classes(Direction::Higher), [Better, Worse, AsExpected, NotAssessed]);
    assert_eq!(classes(Direction::Lower), [Worse, Better, AsExpected, NotAssessed]);
    assert_eq!(classes(Direction::Neutral), [NotAssessed; 4]);
}

#[test]
fn a_missing_unit_is_not_in_the_family() {
    let a = assess(&[Some((2.0, 1.0)), None], 0.0, Direction::Higher, Multiplicity::Bonferroni, 0.05).unwrap();
    assert_eq!(a[0].p, a[0].q);
    assert_eq!(a[1].q, None);
}

#[test]
fn change_between_disjoint_periods() {
    let (y2023, y2024) = (Window { start: 0, end: 365 }, Window { start: 365, end: 731 });
    // SE = √(1 + 3) = 2, z = 1.5, p = 2·0.0668072012688581.
    let c = change_between((70.0, 1.0, y2023), (73.0, 3.0, y2024), Level::P95).unwrap();
    close(c.change, 3.0);
    close(c.se, 2.0);
    close(c.p.unwrap(), 0.133_614_402_537_716_2);
    close(c.interval.low, 3.0 - 2.0 * 1.959963984540054);
    let overlapping = Window { start: 364, end: 500 };
    assert!(change_between((70.0, 1.0, y2023), (73.0, 3.0, overlapping), Level::P95).is_err());
}

#[test]
fn goal_levels() {
    use GoalLevel::*;
    let higher = |v| goal_level(v, 90.0, Some(80.0), Direction::Higher, None).unwrap();
    assert_eq!(
        [higher(90.0), higher(89.999), higher(80.0), higher(79.999)],
        [Some(High), Some(Moderate), Some(Moderate), Some(Low)]
    );
    let lower = |v| goal_level(v, 5.0, Some(10.0), Direction::Lower, None).unwrap();
    assert_eq!(
        [lower(5.0), lower(5.001), lower(10.0), lower(10.001)],
        [Some(High), Some(Moderate), Some(Moderate), Some(Low)]
    );
    assert_eq!(goal_level(89.0, 90.0, None, Direction::Higher, None).unwrap(), Some(Low));
    assert_eq!(goal_level(95.0, 90.0, None, Direction::Higher, Some(0.5999)).unwrap(), None);
    assert_eq!(goal_level(95.0, 90.0, None, Direction::Higher, Some(0.6)).unwrap(), Some(High));
    assert!(goal_level(95.0, 80.0, Some(90.0), Direction::Higher, None).is_err());
}
