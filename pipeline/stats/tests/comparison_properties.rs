//! Properties of comparisons: differences from a reference that contains the unit, the test against a difference that
//! matters, and families of p-values.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a failure is a failed test")]

use prem_stats::comparison::*;
use proptest::prelude::*;

fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * (1.0 + a.abs().max(b.abs()))
}

proptest! {
    /// The region is made of its units: Σw_jΔ_j = 0, and SE² is the variance of Σ_k(1{j = k} − w_k)(ȳ_k − x̄_kβ̂), term by term.
    #[test]
    fn differences_balance(
        units in prop::collection::vec((0.0..100.0_f64, 0.0..50.0_f64, 0.1..9.0_f64, -3.0..3.0_f64), 1..12),
        v in 0.0..4.0_f64,
    ) {
        let column = |f: fn(&(f64, f64, f64, f64)) -> f64| units.iter().map(f).collect::<Vec<f64>>();
        let (a, s, w, x) = (column(|u| u.0), column(|u| u.1), column(|u| u.2), column(|u| u.3));
        let shared = SharedCoefficients { adjuster_means: &x, covariance: &[v], p: 1 };
        let (reference, differences) = differences_from_reference(&a, &s, &w, Some(shared)).unwrap();
        let total: f64 = w.iter().sum();
        let balance: f64 = differences.iter().zip(&w).map(|(d, w)| w / total * d.difference).sum();
        prop_assert!(balance.abs() < 1e-10);
        for (j, d) in differences.iter().enumerate() {
            let combination: Vec<f64> = (0..a.len()).map(|k| f64::from(u8::from(j == k)) - w[k] / total).collect();
            let sampling: f64 = combination.iter().zip(&s).map(|(c, s)| c * c * s).sum();
            let slope: f64 = combination.iter().zip(&x).map(|(c, x)| c * x).sum();
            prop_assert!(near(d.difference, a[j] - reference, 1e-12));
            prop_assert!(near(d.se * d.se, sampling + v * slope * slope, 1e-10));
        }
    }

    /// A wider margin makes it harder to differ, a larger difference easier, and neither way is preferred.
    #[test]
    fn p_of_a_minimal_difference_is_monotone(
        difference in -20.0..20.0_f64,
        se in 0.1..5.0_f64,
        delta in 0.0..5.0_f64,
        more in 0.0..5.0_f64,
        df in 1.0..200.0_f64,
    ) {
        let forms: [&dyn Fn(f64, f64) -> f64; 2] =
            [&|d, delta| p_beyond(d, se, delta).unwrap(), &|d, delta| p_beyond_t(d, se, delta, df).unwrap()];
        for p in forms {
            let here = p(difference, delta);
            prop_assert!((0.0..=1.0).contains(&here));
            prop_assert!(p(difference, delta + more) >= here - 1e-12);
            prop_assert!(p(difference + more.copysign(difference), delta) <= here + 1e-12);
            prop_assert!(near(p(-difference, delta), here, 1e-14));
        }
    }

    /// Adjusted p-values keep their order with the hypotheses, and a smaller p never gets a larger adjusted one.
    #[test]
    fn adjusted_p_values_follow_their_hypotheses(p in prop::collection::vec(0.0..=1.0_f64, 1..30)) {
        let turned: Vec<f64> = p.iter().rev().copied().collect();
        for adjust in [bonferroni, holm, benjamini_hochberg] {
            let (a, b) = (adjust(&p).unwrap(), adjust(&turned).unwrap());
            for (i, q) in a.iter().enumerate() {
                prop_assert!(*q == b[p.len() - 1 - i]);
                prop_assert!((0..p.len()).all(|k| p[k] < p[i] || a[k] >= *q));
            }
        }
    }
}

/// With q exactly at the level a unit is called; a hair above it is not.
#[test]
fn the_level_itself_belongs_to_those_that_differ() {
    let class = |difference, q| classify(difference, Some(q), Direction::Higher, 0.05);
    assert_eq!([class(1.0, 0.05), class(-1.0, 0.05)], [Comparison::Better, Comparison::Worse]);
    assert_eq!(class(1.0, 0.05 + 1e-15), Comparison::AsExpected);
    assert_eq!(class(0.0, 0.0), Comparison::AsExpected);
    assert_eq!(classify(1.0, None, Direction::Higher, 0.05), Comparison::NotAssessed);
}
