//! By hand: intervals on small numbers, and that they contain, shrink and agree with each other.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a failure is a failed test")]

use prem_stats::interval::*;
use proptest::prelude::*;

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 * b.abs().max(1.0)
}

#[test]
fn proportions() {
    // Clopper-Pearson with all of n: the lower limit is (α/2)^(1/n); with none, the upper one is 1 − (α/2)^(1/n).
    let all = clopper_pearson(5.0, 5.0, Level::P95).unwrap();
    assert!(near(all.interval.low, 0.025_f64.powf(0.2)) && all.interval.high == 1.0);
    let none = clopper_pearson(0.0, 5.0, Level::P95).unwrap();
    assert!(near(none.interval.high, 1.0 - 0.025_f64.powf(0.2)) && none.interval.low == 0.0);
    // Wilson at ½ is symmetric: ½ ± z/(2√(n + z²)).
    let z = Level::P95.z().unwrap();
    let half = wilson(8.0, 16.0, Level::P95).unwrap();
    assert!(
        near(half.interval.high - 0.5, z / (2.0 * (16.0 + z * z).sqrt()))
            && near(half.interval.low + half.interval.high, 1.0)
    );
    // Jeffreys at x = n/2 is symmetric, and its plain form leaves out 0 at x = 0.
    let j = jeffreys(3.0, 6.0, Level::P95).unwrap();
    assert!(near(j.interval.low + j.interval.high, 1.0));
    assert!(
        jeffreys(0.0, 6.0, Level::P95).unwrap().interval.low > 0.0
            && jeffreys_bcd(0.0, 6.0, Level::P95).unwrap().interval.low == 0.0
    );
}

#[test]
fn counts_and_rates() {
    // No events: the exact upper limit is −ln(α/2), the profile one −ln α.
    assert!(near(poisson_exact(0.0, Level::P95).unwrap().interval.high, -0.025_f64.ln()));
    assert!(near(poisson_profile(0.0, 2.0, Level::P95).unwrap().interval.high, -0.05_f64.ln() / 2.0));
    // Byar at 16 by its formula: 16(1 − 1/144 − z/12)³.
    let z = Level::P95.z().unwrap();
    let b = byar(16.0, Level::P95).unwrap().interval;
    assert!(near(b.low, 16.0 * (1.0 - 1.0 / 144.0 - z / 12.0).powi(3)));
    assert!(near(b.high, 17.0 * (1.0 - 1.0 / 153.0 + z / (3.0 * 17.0_f64.sqrt())).powi(3)));
    // The rule changes at ten events, and the multiplier scales all of it.
    assert_eq!(count(9.0, Level::P95).unwrap().method, "poisson-exact");
    assert_eq!(count(10.0, Level::P95).unwrap().method, "byar");
    let r = rate(16.0, 800.0, 1000.0, Level::P95).unwrap();
    assert!(near(r.value, 20.0) && near(r.interval.low, b.low * 1.25));
    // Dobson where the variance is that of the count itself is Byar.
    let d = dobson(16.0, 16.0, 16.0, Level::P95).unwrap();
    assert!(near(d.low, b.low) && near(d.high, b.high));
    assert!(dobson(9.0, 9.0, 9.0, Level::P95).is_err());
}

#[test]
fn means() {
    // 1, 2, 3: mean 2, s = 1, SE 1/√3, and t with 2 df has the closed form (2p − 1)√(2/(1 − (2p − 1)²)).
    let m = mean(&[1.0, 2.0, 3.0], Level::P95).unwrap();
    assert!(
        near(m.value, 2.0)
            && near(m.sd, 1.0)
            && near(m.interval.high - 2.0, 0.95 * (2.0 / (1.0 - 0.95 * 0.95_f64)).sqrt() / 3.0_f64.sqrt())
    );
    // Equal weights are the same interval; a weight of 0 leaves a row out.
    let w = weighted_mean(&[1.0, 2.0, 3.0, 99.0], &[7.0, 7.0, 7.0, 0.0], Level::P95).unwrap();
    assert!(near(w.value, 2.0) && near(w.se, m.se) && near(w.interval.low, m.interval.low));
    // (2·10 + 1·40)/3 = 20; n/(n − 1)·Σ(w/W·(y − ȳ))² = 2·[(20/3)² + (20/3)²]; its root is 40/3.
    let w = weighted_mean(&[10.0, 40.0], &[2.0, 1.0], Level::P95).unwrap();
    assert!(near(w.value, 20.0) && near(w.se, 40.0 / 3.0));
    assert!(mean(&[1.0], Level::P95).is_err());
}

proptest! {
    /// A higher level gives a wider interval, for every method.
    #[test]
    fn wider_at_a_higher_level(x in 0_u32..400, more in 0_u32..400, low in 0.5..0.97_f64) {
        let (x, n) = (f64::from(x), f64::from(x + more + 1));
        let (a, b) = (Level::new(low).unwrap(), Level::new(low + 0.02).unwrap());
        for f in [wilson, clopper_pearson, jeffreys] {
            prop_assert!(f(x, n, a).unwrap().interval.width() < f(x, n, b).unwrap().interval.width());
        }
        for f in [poisson_exact, count] {
            prop_assert!(f(x, a).unwrap().interval.width() < f(x, b).unwrap().interval.width());
        }
        prop_assert!(poisson_profile(x, n, a).unwrap().interval.width() < poisson_profile(x, n, b).unwrap().interval.width());
    }

    /// What counts successes and what counts failures mirror each other.
    #[test]
    fn proportions_mirror(x in 0_u32..500, more in 0_u32..500) {
        let (x, n) = (f64::from(x), f64::from(x + more.max(1)));
        for f in [wilson, clopper_pearson, jeffreys, jeffreys_bcd] {
            let (a, b) = (f(x, n, Level::P95).unwrap().interval, f(n - x, n, Level::P95).unwrap().interval);
            prop_assert!((a.low - (1.0 - b.high)).abs() < 1e-12 && (a.high - (1.0 - b.low)).abs() < 1e-12);
        }
    }

    /// A constant moves the mean and its limits only.
    #[test]
    fn a_constant_moves_the_mean_only(y in prop::collection::vec(-50.0..50.0_f64, 2..30), shift in -1e3..1e3_f64) {
        let moved: Vec<f64> = y.iter().map(|v| v + shift).collect();
        let (a, b) = (mean(&y, Level::P95).unwrap(), mean(&moved, Level::P95).unwrap());
        prop_assert!((b.value - a.value - shift).abs() < 1e-9 && (a.se - b.se).abs() < 1e-9);
        let w: Vec<f64> = (0..y.len()).map(|i| f64::from(u32::try_from(i % 3 + 1).unwrap())).collect();
        let (a, b) = (weighted_mean(&y, &w, Level::P95).unwrap(), weighted_mean(&moved, &w, Level::P95).unwrap());
        prop_assert!((b.value - a.value - shift).abs() < 1e-9 && (a.se - b.se).abs() < 1e-9);
    }
}
