//! Domains under a known β: the same rows as moments, so the same means; and a domain by hand.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use prem_stats::case_mix::{
    AdjustedMeanOptions, DomainSums, KnownCoefficients, StratumPart, SufficientStatistics, combine_strata, within,
};

/// Units, adjuster, outcome, weights and halves.
type Rows = (Vec<u32>, Vec<f64>, Vec<f64>, Vec<f64>, Vec<u32>);

/// Rows of three units with one adjuster, weights that differ, and a division in two.
fn rows() -> Rows {
    let rows = 0..240_u32;
    let units = rows.clone().map(|i| i / 80).collect();
    let x: Vec<f64> = rows.clone().map(|i| f64::from(i * 7 % 13)).collect();
    let y = rows.clone().zip(&x).map(|(i, x)| 40.0 + 2.0 * x + f64::from(i * 31 % 17) + f64::from(i / 80)).collect();
    let weights = rows.clone().map(|i| 1.0 + f64::from(i % 3)).collect();
    let half = rows.map(|i| i * 5 % 2).collect();
    (units, x, y, weights, half)
}

#[test]
fn a_domain_of_all_rows_of_a_unit_is_the_unit() {
    let (units, x, y, weights, half) = rows();
    let mut sums = SufficientStatistics::weighted(3, 1);
    sums.add_weighted(&units, &y, &[&x], &weights).expect("rows");
    let moments = sums.finish().expect("moments");
    let fit = within(&moments).expect("a fit");
    let (reference, options) = (moments.mean_adjusters(), AdjustedMeanOptions::default());
    let expected = fit.adjusted_means(&moments, &reference, &options).expect("means");

    let domain: Vec<u32> = units.iter().zip(&half).map(|(unit, half)| unit * 2 + half).collect();
    let mut first = DomainSums::new(6, 1);
    first.add(&domain[..100], &y[..100], &[&x[..100]], &weights[..100], &fit.coefficients).expect("rows");
    let mut domains = DomainSums::new(6, 1);
    domains.add(&domain[100..], &y[100..], &[&x[100..]], &weights[100..], &fit.coefficients).expect("rows");
    first.merge(&domains).expect("the same shape");
    let known = KnownCoefficients {
        coefficients: &fit.coefficients,
        covariance: &fit.covariance,
        residual_variance: fit.residual_variance,
        degrees_of_freedom: fit.degrees_of_freedom,
    };
    let parent: Vec<Option<u32>> = (0..6).map(|domain| Some(domain / 2)).collect();
    let found = first.adjusted_means(&parent, 3, &known, &reference, &options).expect("means");
    for (a, b) in expected.iter().flatten().zip(found.iter().flatten()) {
        assert_eq!((a.n, a.source), (b.n, b.source));
        for (a, b) in [(a.value, b.value), (a.crude, b.crude), (a.variance, b.variance), (a.lower, b.lower)] {
            assert!((a - b).abs() < 1e-10 * a.abs(), "{a} {b}");
        }
        assert!((a.n_effective - b.n_effective).abs() < 1e-9);
    }
    // Parts weighted with what they count for give the whole.
    let own: Vec<Option<u32>> = (0..6).map(Some).collect();
    let parts = first.adjusted_means(&own, 6, &known, &reference, &options).expect("means");
    let weights = first.weights();
    for (unit, whole) in found.iter().flatten().enumerate() {
        let half = |d: usize| {
            let mean = parts[d].as_ref()?;
            Some(StratumPart { population: weights[d], mean, respondents: mean.n, left: 1.0 })
        };
        let halves: Vec<_> = (2 * unit..2 * unit + 2).filter_map(half).collect();
        let together = combine_strata(&halves, &fit.covariance, &reference, 0.95).expect("combined");
        assert!((together.value - whole.value).abs() < 1e-10);
    }
    assert!(first.adjusted_means(&[None; 6], 1, &known, &reference, &options).expect("means")[0].is_none());
}

#[test]
fn by_hand() {
    // β = 2 known, x̄ = 1: residuals 1, 3 with weights 1, 3 → ē = 2.5, a = 4.5, ȳ = (3 + 27)/4 = 7.5.
    let mut sums = DomainSums::new(1, 1);
    sums.add(&[0, 0], &[3.0, 9.0], &[&[1.0, 3.0]], &[1.0, 3.0], &[2.0]).expect("rows");
    let known = KnownCoefficients {
        coefficients: &[2.0],
        covariance: &prem_stats::linear_algebra::Matrix::zeros(1, 1),
        residual_variance: 8.0,
        degrees_of_freedom: 10.0,
    };
    let means = sums.adjusted_means(&[Some(0)], 1, &known, &[1.0], &AdjustedMeanOptions::default()).expect("means");
    let mean = means[0].as_ref().expect("a value");
    assert!((mean.value - 4.5).abs() < 1e-12 && (mean.crude - 7.5).abs() < 1e-12);
    // n_eff = 16/10; S = 8/1.6.
    assert!((mean.n_effective - 1.6).abs() < 1e-12 && (mean.sampling_variance - 5.0).abs() < 1e-12);
    let narrower = mean.with_sampling_variance(1.25, 4.0, 0.95).expect("a variance");
    assert!((narrower.variance - 1.25).abs() < 1e-12 && narrower.value == mean.value);
    assert!(narrower.upper - narrower.lower < mean.upper - mean.lower);
}
