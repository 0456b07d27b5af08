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

/// A difference with standard error 1, by the normal test.
fn normal(difference: f64) -> Option<(f64, Option<f64>)> {
    Some((difference, p_beyond(difference, 1.0, 0.0).ok()))
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
    // As above, S on 9 and 4 degrees of freedom. SE₁² = 0.75²·4 + 0.75²·1 = 2.25 + 0.5625, of which 2.25 is the unit's own:
    // df = 2.8125²/(2.25²/9). SE₂² = 0.25²·1 + 0.25²·4 = 0.0625 + 0.25: df = 0.3125²/(0.0625²/4).
    let (s, w) = ([4.0, 1.0], [1.0, 3.0]);
    let (_, d) = differences_from_reference(&[70.0, 80.0], &s, &w, None).unwrap();
    let df = degrees_of_freedom_of_differences(&d, &s, &[9.0, 4.0], &w).unwrap();
    close(df[0], 7.91015625 / 0.5625);
    close(df[1], 100.0);
    let known = degrees_of_freedom_of_differences(&d, &s, &[f64::INFINITY; 2], &w).unwrap();
    assert_eq!(known, [f64::INFINITY; 2]);
    assert!(degrees_of_freedom_of_differences(&d, &s, &[9.0, 0.0], &w).is_err());
    // t(0.975; 10) = 2.2281388519862744 gives p = 0.05; the normal form gives less.
    close(p_beyond_t(2.2281388519862744, 1.0, 0.0, 10.0).unwrap(), 0.05);
    assert!(p_beyond(2.2281388519862744, 1.0, 0.0).unwrap() < 0.03);
    close(p_beyond_t(3.0, 1.0, 1.0, f64::INFINITY).unwrap(), p_beyond(3.0, 1.0, 1.0).unwrap());
    let on_ten = |difference: f64| Some((difference, p_beyond_t(difference, 1.0, 0.0, 10.0).ok()));
    let classes = assess(&[on_ten(2.2), None, on_ten(-9.0)], Direction::Higher, Multiplicity::None, 0.05).unwrap();
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
    let a = assess(&[Some((0.0, None))], Direction::Higher, Multiplicity::BenjaminiHochberg, 0.05).unwrap();
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

/// R 4.2: `2*pbeta(.8, 36.5, 4.5)` and the like; scipy 1.17 gives the same digits.
#[test]
fn shares_and_rates_by_other_software() {
    let near = |p: f64, expected: f64| assert!((p / expected - 1.0).abs() < 1e-11, "{p} is not {expected}");
    // 2·pbeta(0.8, 36.5, 4.5); pbeta(0.82, 36.5, 4.5) + pbeta(0.78, 36.5, 4.5)
    near(p_beyond_binomial(0.9, 0.8, 40.0, 0.0).unwrap(), 0.095_982_283_747_039_35);
    near(p_beyond_binomial(0.9, 0.8, 40.0, 0.02).unwrap(), 0.111_962_455_235_096);
    // Everybody, nobody, and a number of answers that is not whole.
    near(p_beyond_binomial(1.0, 0.8, 40.0, 0.0).unwrap(), 4.498_960_730_948_26e-5);
    near(p_beyond_binomial(0.0, 0.1, 33.3, 0.02).unwrap(), 0.021_409_687_399_404_33);
    near(p_beyond_binomial(0.5, 0.8, 30.0, 0.0).unwrap(), 2.235_672_274_902_696e-4);
    // 2·(1 − pgamma(20, 12.5)); with the margin of 2 events; nobody where six are usual.
    near(p_beyond_poisson(0.012, 0.02, 1000.0, 0.0).unwrap(), 0.058_328_791_246_304_61);
    near(p_beyond_poisson(0.012, 0.02, 1000.0, 0.002).unwrap(), 0.082_445_115_287_562_3);
    near(p_beyond_poisson(0.0, 0.004, 1500.0, 0.001).unwrap(), 0.002_807_307_239_989_689);
}

#[test]
fn no_difference_is_no_finding() {
    for share in [0.0, 0.5, 1.0] {
        close(p_beyond_binomial(share, share, 30.0, 0.0).unwrap(), 1.0);
    }
    close(p_beyond_poisson(0.0, 0.0, 30.0, 0.0).unwrap(), 1.0);
}

#[test]
fn shares_of_the_mirror_have_the_same_p() {
    for (value, reference, delta) in [(0.9, 0.8, 0.0), (0.97, 0.8, 0.05), (0.3, 0.45, 0.02)] {
        let p = p_beyond_binomial(value, reference, 37.0, delta).unwrap();
        let mirrored = p_beyond_binomial(1.0 - value, 1.0 - reference, 37.0, delta).unwrap();
        assert!((p / mirrored - 1.0).abs() < 1e-9, "{p} {mirrored}");
    }
}

/// The exact chance, over all counts of 35 binomial answers, that the test at 5 % finds a difference where there is none; the
/// ratio of difference and standard error goes to 7 and 10 %.
#[test]
fn a_share_is_found_in_vain_once_in_twenty() {
    for (reference, size_of_ratio) in [(0.5_f64, 0.04), (0.8, 0.07), (0.9, 0.09)] {
        let n = 35_i32;
        let (mut mass, mut found, mut by_ratio) = ((1.0 - reference).powi(n), 0.0, 0.0);
        for events in 0..=n {
            let value = f64::from(events) / f64::from(n);
            if p_beyond_binomial(value, reference, f64::from(n), 0.0).unwrap() <= 0.05 {
                found += mass;
            }
            let se = (value * (1.0 - value) / f64::from(n)).sqrt();
            if p_beyond(value - reference, se, 0.0).is_ok_and(|p| p <= 0.05) {
                by_ratio += mass;
            }
            mass *= f64::from(n - events) / f64::from(events + 1) * reference / (1.0 - reference);
        }
        assert!(found < 0.062, "{reference}: {found}");
        assert!(by_ratio > size_of_ratio, "{reference}: {by_ratio}");
    }
}

#[test]
fn classes_follow_the_direction() {
    let units = [normal(5.0), normal(-5.0), normal(0.5), None];
    let classes = |direction| -> Vec<Comparison> {
        let a = assess(&units, direction, Multiplicity::BenjaminiHochberg, 0.05).unwrap();
        a.iter().map(|a| a.comparison).collect()
    };
    use Comparison::*;
    assert_eq!(classes(Direction::Higher), [Better, Worse, AsExpected, NotAssessed]);
    assert_eq!(classes(Direction::Lower), [Worse, Better, AsExpected, NotAssessed]);
    assert_eq!(classes(Direction::Neutral), [NotAssessed; 4]);
}

#[test]
fn a_missing_unit_is_not_in_the_family() {
    let a = assess(&[normal(2.0), None], Direction::Higher, Multiplicity::Bonferroni, 0.05).unwrap();
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
