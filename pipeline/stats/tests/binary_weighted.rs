//! Weighted proportions: equal weights give the unweighted kernels, and unequal ones by hand.
#![allow(
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a test fails by panicking and counts small things"
)]

use prem_stats::binary::{
    BinaryCounts, BinaryTable, ReferencePopulation, SeparationPolicy, WeightedCells, WeightedProportion,
    adjusted_proportions, fit_logistic, weighted_proportions, weighted_reference,
};

fn near(a: f64, b: f64, tolerance: f64) {
    assert!((a - b).abs() <= tolerance, "{a} {b}");
}

/// Three units of 60 with one adjuster of three values.
fn table() -> BinaryTable {
    let mut counts = BinaryCounts::new(3, 1);
    for i in 0..180u32 {
        let (unit, x) = (i / 60, f64::from(i % 3));
        let y = f64::from(u32::from((i * 7 + i / 60) % 10 < 4 + i % 3 + unit));
        counts.add(&[unit], &[y], &[&[x]]).expect("a row");
    }
    counts.finish()
}

#[test]
fn equal_weights_give_the_unweighted_value() {
    let table = table();
    let fit = fit_logistic(&table, SeparationPolicy::Drop).expect("a fit");
    let plain = adjusted_proportions(&fit, &table, &table.reference(), 0.95).expect("proportions");
    let own: Vec<Option<u32>> = (0..3).map(Some).collect();
    for weight in [1.0, 7.5] {
        let cells = WeightedCells {
            table: &table,
            weights: &[weight; 3],
            strata: &[0, 1, 2],
            correction: None,
            outside: &[],
            calibration: None,
        };
        let reference = weighted_reference(&cells).expect("a reference");
        let found = weighted_proportions(Some(&fit), &cells, (&own, 3), &reference, 0.95).expect("proportions");
        for (a, b) in plain.iter().flatten().zip(found.iter().flatten()) {
            assert_eq!((a.n, a.events), (b.n, b.events));
            near(a.value, b.value, 1e-12);
            near(b.n_effective, 60.0, 1e-9);
            // The linearised variance is the residuals' own and differs from the model's by chance only.
            assert!((b.sampling_variance / a.sampling_variance - 1.0).abs() < 0.25);
            let (low, high) = b.limits.expect("limits");
            assert!(low < b.value && b.value < high && (low - a.lower).abs() < 0.03 && (high - a.upper).abs() < 0.03);
            assert_eq!(a.gradient.len(), b.gradient.len());
            near(a.gradient[0], b.gradient[0], 1e-12);
        }
    }
}

fn crude(weights: &[f64], strata: &[u32], correction: Option<&[f64]>) -> WeightedProportion {
    let mut counts = BinaryCounts::new(2, 0);
    counts.add_counts(0, &[], 40, 10).expect("counts");
    counts.add_counts(1, &[], 20, 15).expect("counts");
    let table = counts.finish();
    let cells = WeightedCells { table: &table, weights, strata, correction, outside: &[], calibration: None };
    let nobody = ReferencePopulation::new(0, Vec::new(), vec![1.0]).expect("a reference");
    let found = weighted_proportions(None, &cells, (&[Some(0), Some(0)], 1), &nobody, 0.95).expect("a proportion");
    found.into_iter().flatten().next().expect("one")
}

#[test]
fn strata_of_known_size_by_hand() {
    // Populations 40 and 160: p = (40·0.25 + 160·0.75)/200; S = Σ(N_h/N)² p_h(1 − p_h)/(n_h − 1).
    let found = crude(&[1.0, 8.0], &[0, 1], None);
    near(found.value, 0.65, 1e-12);
    near(found.weight, 200.0, 1e-9);
    let expected = 0.04 * 0.1875 / 39.0 + 0.64 * 0.1875 / 19.0;
    near(found.sampling_variance, expected, 1e-12);
    near(found.binomial_n, 0.65 * 0.35 / expected, 1e-6);
    near(found.n_effective, 200.0f64.powi(2) / (40.0 + 20.0 * 64.0), 1e-9);
    // The first stratum was asked and answered whole.
    let whole = crude(&[1.0, 8.0], &[0, 1], Some(&[0.0, 0.875]));
    near(whole.sampling_variance, 0.64 * 0.1875 / 19.0 * 0.875, 1e-12);
    // Both were: nothing is uncertain, and the effective number is as large as near a census, not as small as without one.
    let census = crude(&[1.0, 8.0], &[0, 1], Some(&[0.0, 0.0]));
    let nearly = crude(&[1.0, 8.0], &[0, 1], Some(&[1e-6, 1e-6]));
    near(census.sampling_variance, 0.0, 1e-12);
    assert!(census.binomial_n > nearly.binomial_n, "{} and {}", census.binomial_n, nearly.binomial_n);
}

/// 40 and 20 respondents of one stratum, weight 1: the first unit has 40 of 60, so that S = p(1 − p) · 60/59/40.
#[test]
fn how_much_a_unit_has_of_a_stratum_is_chance_too() {
    let mut counts = BinaryCounts::new(2, 0);
    counts.add_counts(0, &[], 40, 10).expect("counts");
    counts.add_counts(1, &[], 20, 15).expect("counts");
    let table = counts.finish();
    let of = |strata: &[u32]| {
        let cells = WeightedCells {
            table: &table,
            weights: &[1.0; 2],
            strata,
            correction: None,
            outside: &[],
            calibration: None,
        };
        let nobody = ReferencePopulation::new(0, Vec::new(), vec![1.0]).expect("a reference");
        let found = weighted_proportions(None, &cells, (&[Some(0), None], 1), &nobody, 0.95).expect("a proportion");
        found.into_iter().flatten().next().expect("one").sampling_variance
    };
    near(of(&[0, 0]), 0.1875 * 60.0 / 59.0 / 40.0, 1e-12);
    near(of(&[0, 1]), 0.1875 * 40.0 / 39.0 / 40.0, 1e-12);
}

#[test]
fn nobody_and_everybody() {
    let table = {
        let mut counts = BinaryCounts::new(2, 0);
        counts.add_counts(0, &[], 12, 0).expect("counts");
        counts.add_counts(1, &[], 9, 9).expect("counts");
        counts.finish()
    };
    let cells = WeightedCells {
        table: &table,
        weights: &[2.0, 3.0],
        strata: &[0, 0],
        correction: None,
        outside: &[],
        calibration: None,
    };
    let nobody = ReferencePopulation::new(0, Vec::new(), vec![1.0]).expect("a reference");
    let found = weighted_proportions(None, &cells, (&[Some(0), Some(1)], 3), &nobody, 0.95).expect("proportions");
    assert_eq!(found[0].as_ref().map(|p| (p.value, p.binomial_n)), Some((0.0, 12.0)));
    assert_eq!(found[1].as_ref().map(|p| (p.value, p.binomial_n)), Some((1.0, 9.0)));
    assert!(found[2].is_none());
}
