//! What the limits themselves must do. The kernels hold their limits to the far side of the estimate, so that «contains» alone
//! could not fail; here limits lie strictly on either side, and widths shrink as the theory says.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a failure is a failed test")]

use prem_stats::interval::*;
use proptest::prelude::*;

fn level() -> impl Strategy<Value = Level> {
    (0.5..0.999_f64).prop_map(|l| Level::new(l).unwrap())
}

proptest! {
    #[test]
    fn limits_lie_on_either_side(x in 1_u32..5000, more in 1_u32..5000, l in level()) {
        let (x, n) = (f64::from(x), f64::from(x + more));
        for f in [wilson, clopper_pearson] {
            let e = f(x, n, l).unwrap();
            prop_assert!(e.interval.low < e.value && e.value < e.interval.high, "{e:?}");
        }
        for f in [poisson_exact, count] {
            let e = f(x, l).unwrap();
            prop_assert!(e.interval.low < x && x < e.interval.high, "{e:?}");
        }
        let p = poisson_profile(x, n, l).unwrap();
        prop_assert!(p.interval.low < p.value && p.value < p.interval.high, "{p:?}");
    }

    /// The beta distributions behind the limits differ by half a count to either side.
    #[test]
    fn exact_limits_are_outside_those_of_jeffreys(x in 1_u32..2000, more in 1_u32..2000, l in level()) {
        let (x, n) = (f64::from(x), f64::from(x + more));
        let (exact, half) = (clopper_pearson(x, n, l).unwrap().interval, jeffreys(x, n, l).unwrap().interval);
        prop_assert!(exact.low < half.low && half.high < exact.high);
    }

    /// Every value four times over: the sum of squares is fourfold, so SE² falls by (4n − 1)/(n − 1), and t by a little more.
    #[test]
    fn four_times_the_values_halve_the_interval(y in prop::collection::vec(-100.0..100.0_f64, 2..40), l in level()) {
        let fourfold: Vec<f64> = y.iter().cycle().take(4 * y.len()).copied().collect();
        let (small, large) = (mean(&y, l).unwrap(), mean(&fourfold, l).unwrap());
        let expected = small.se * ((small.n - 1.0) / (large.n - 1.0)).sqrt();
        prop_assert!((large.se - expected).abs() <= 1e-9 * small.se + 1e-12);
        prop_assert!(large.interval.width() <= 0.5 * small.interval.width() * (1.0 + 1e-9) + 1e-12);
    }

    /// Byar's limits lie on either side, below 10 events too; only the lower one may be missing, and from some count on it is
    /// there. At a fixed rate the interval shrinks with the events.
    #[test]
    fn byar_contains_and_shrinks(x in 1_u32..40, l in level()) {
        let x = f64::from(x);
        let (low, high) = byar::limits(x, l).unwrap();
        let (more_low, more_high) = byar::limits(2.0 * x, l).unwrap();
        prop_assert!(low.is_none_or(|low| low < x) && x < high, "{low:?} {high}");
        prop_assert!(more_high / 2.0 < high);
        prop_assert_eq!(low.is_some(), byar::byar(x, l).is_ok());
        if let Some(low) = low {
            prop_assert!(more_low.is_some_and(|more| low < more / 2.0), "{low} {more_low:?}");
        }
        prop_assert!(low.is_some() || x < 2.0, "{x}");
    }

    /// At a fixed rate four times the events halve the relative width, and a little more where a count is small.
    #[test]
    fn four_times_the_events_halve_the_interval(x in 10_u32..100_000, l in level()) {
        let x = f64::from(x);
        for f in [poisson_exact, count] {
            let width = |x: f64| f(x, l).unwrap().interval.width() / x;
            let ratio = width(4.0 * x) / width(x);
            prop_assert!(ratio < 0.52 && ratio > 0.4, "{ratio}");
        }
    }
}
