//! Adjusted proportions, score limits and the indirect ratio.

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

use prem_stats::binary::{
    BinaryCounts, BinaryTable, ReferencePopulation, SeparationPolicy, adjusted_proportions, fit_logistic,
    indirect_ratios,
};
use prem_stats::distributions::normal;
use proptest::prelude::*;

fn plain(counts: &[(u64, u64)]) -> BinaryTable {
    let mut table = BinaryCounts::new(counts.len(), 0);
    for (j, (n, o)) in counts.iter().enumerate() {
        table.add_counts(j as u32, &[], *n, *o).expect("counts");
    }
    table.finish()
}

fn wilson(o: f64, n: f64, z: f64) -> (f64, f64) {
    let p = o / n;
    let centre = p + z * z / (2.0 * n);
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    ((centre - half) / scale, (centre + half) / scale)
}

/// Without adjusters the limits are Wilson's (closed form).
#[test]
fn by_hand_wilson() {
    let mut counts = Vec::new();
    for n in [1u64, 2, 3, 7, 30, 100, 1234, 1_000_000, 1_000_000_000] {
        for o in [0, 1, n / 3, n / 2, n - 1, n] {
            counts.push((n, o.min(n)));
        }
    }
    let table = plain(&counts);
    let fit = fit_logistic(&table, SeparationPolicy::Refuse).expect("fit");
    let mut worst: f64 = 0.0;
    for level in [0.5, 0.95, 0.998] {
        let z = normal::upper_quantile(0.5 * (1.0 - level)).expect("z");
        let values = adjusted_proportions(&fit, &table, &table.reference(), level).expect("values");
        for ((n, o), value) in counts.iter().zip(&values) {
            let value = value.as_ref().expect("rows");
            let (lower, upper) = wilson(*o as f64, *n as f64, z);
            for (expected, got) in [(lower, value.lower), (upper, value.upper), (*o as f64 / *n as f64, value.value)] {
                worst = worst.max((expected - got).abs());
                assert!((expected - got).abs() < 1e-12, "{o}/{n}: {expected} {got}");
            }
        }
    }
    println!("score limits against Wilson: largest difference {worst:.1e} (tolerance 1e-12)");
}

/// O = 0 of n: upper limit z²/(n + z²); O = n: lower limit n/(n + z²).
#[test]
fn by_hand_no_events_and_only_events() {
    let table = plain(&[(10, 0), (10, 10), (10, 4)]);
    let fit = fit_logistic(&table, SeparationPolicy::Refuse).expect("fit");
    assert_eq!((fit.units_all_zero.as_slice(), fit.units_all_one.as_slice()), (&[0][..], &[1][..]));
    let values = adjusted_proportions(&fit, &table, &table.reference(), 0.95).expect("values");
    let z2 = normal::upper_quantile(0.025).expect("z").powi(2);
    let zero = values[0].as_ref().expect("rows");
    assert_eq!((zero.value, zero.lower), (0.0, 0.0));
    assert!((zero.upper - z2 / (10.0 + z2)).abs() < 1e-14);
    let one = values[1].as_ref().expect("rows");
    assert_eq!((one.value, one.upper), (1.0, 1.0));
    assert!((one.lower - 10.0 / (10.0 + z2)).abs() < 1e-14);
    assert!(zero.sampling_variance > 0.0 && one.sampling_variance > 0.0);
}

fn two_groups() -> BinaryTable {
    let mut counts = BinaryCounts::new(3, 1);
    for (unit, x, n, o) in [(0, 0.0, 40, 10), (0, 1.0, 20, 12), (1, 0.0, 10, 4), (1, 1.0, 50, 37), (2, 0.0, 30, 6)] {
        counts.add_counts(unit, &[x], n, o).expect("counts");
    }
    counts.finish()
}

/// With the unit's own mix as the reference its adjusted proportion is its crude one, whatever β.
#[test]
fn own_mix_gives_the_crude_proportion() {
    let table = two_groups();
    let fit = fit_logistic(&table, SeparationPolicy::Refuse).expect("fit");
    let own = ReferencePopulation::new(1, vec![0.0, 1.0], vec![40.0, 20.0]).expect("reference");
    let values = adjusted_proportions(&fit, &table, &own, 0.95).expect("values");
    let unit = values[0].as_ref().expect("rows");
    assert!((unit.value - 22.0 / 60.0).abs() < 1e-14);
    assert!(unit.lower < unit.value && unit.value < unit.upper);
    // x̃_j then equals the reference's own weighted mean: β adds nothing.
    assert!(unit.gradient[0].abs() < 1e-14);
}

/// g and the sampling variance are derivatives: check them by differences in β and in O.
#[test]
fn gradient_by_differences() {
    let table = two_groups();
    let fit = fit_logistic(&table, SeparationPolicy::Refuse).expect("fit");
    let reference = table.reference();
    let value = |shift: f64| {
        let mut other = fit.clone();
        other.coefficients[0] += shift;
        adjusted_proportions(&other, &table, &reference, 0.95).expect("values")[1].as_ref().expect("rows").value
    };
    let numeric = (value(1e-5) - value(-1e-5)) / 2e-5;
    let exact =
        adjusted_proportions(&fit, &table, &reference, 0.95).expect("values")[1].as_ref().expect("rows").gradient[0];
    assert!((numeric - exact).abs() < 1e-9, "{numeric} {exact}");
}

/// Limits solve their equation: (O − Σp)² = z²Σp(1 − p) at the δ behind each limit.
#[test]
fn levels_and_nesting() {
    let table = two_groups();
    let fit = fit_logistic(&table, SeparationPolicy::Refuse).expect("fit");
    let top = table.aggregate(&[Some(0), Some(0), None], 1).expect("level");
    let high = adjusted_proportions(&fit, &top, &table.reference(), 0.95).expect("values");
    let high = high[0].as_ref().expect("rows");
    assert_eq!((high.n, high.events), (120, 63));
    let narrow = adjusted_proportions(&fit, &top, &table.reference(), 0.5).expect("values");
    let narrow = narrow[0].as_ref().expect("rows");
    assert!(high.lower < narrow.lower && narrow.upper < high.upper);
}

/// β = 0: E_j = n_j·p̄, so the ratio's value is the crude proportion and Var(O) = n p̄(1 − p̄).
#[test]
fn by_hand_ratio() {
    let table = plain(&[(10, 2), (30, 18)]);
    let fit = fit_logistic(&table, SeparationPolicy::Refuse).expect("fit");
    let ratios = indirect_ratios(&fit, &table, &table, 0.95).expect("ratios");
    let first = ratios[0].expect("rows");
    assert!((first.expected - 5.0).abs() < 1e-12 && (first.ratio - 0.4).abs() < 1e-13);
    assert!((first.value - 0.2).abs() < 1e-13 && (first.observed_variance - 2.5).abs() < 1e-12);
    let z = normal::upper_quantile(0.025).expect("z");
    assert!((first.upper - (2.0 + z * f64::sqrt(2.5)) * 0.1).abs() < 1e-12);
    assert_eq!(first.lower, 0.0);
}

proptest! {
    #[test]
    fn property_ordered_and_finite(
        cells in prop::collection::vec((0u32..4, -3i32..3, 0u64..40, 0.0..1.0f64), 1..40),
    ) {
        let mut counts = BinaryCounts::new(4, 1);
        for (unit, x, n, share) in &cells {
            counts.add_counts(*unit, &[f64::from(*x)], *n, (*n as f64 * share) as u64).expect("counts");
        }
        let table = counts.finish();
        let Ok(fit) = fit_logistic(&table, SeparationPolicy::Drop) else { return Ok(()) };
        let values = adjusted_proportions(&fit, &table, &table.reference(), 0.95).expect("values");
        for v in values.iter().flatten() {
            prop_assert!(0.0 <= v.lower && v.lower <= v.value && v.value <= v.upper && v.upper <= 1.0);
            prop_assert!(v.variance.is_finite() && v.variance > 0.0);
        }
    }
}
