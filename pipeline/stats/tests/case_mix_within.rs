//! β within units and adjusted means.

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

mod models;

use models::{Wards, moments};
use prem_stats::StatsError;
use prem_stats::case_mix::{
    AdjustedMeanOptions, Criterion, DropReason, Dropped, SamplingVariance, StratumPart, SufficientStatistics,
    combine_strata, fit_random_intercept, within,
};
use proptest::prelude::*;

const UNITS: [u32; 6] = [0, 0, 0, 1, 1, 1];
const X: [f64; 6] = [0.0, 1.0, 2.0, 2.0, 3.0, 4.0];
const Y: [f64; 6] = [1.0, 2.0, 6.0, 3.0, 8.0, 7.0];

/// Within units x − x̄ = −1, 0, 1 twice: W_xx = 4; W_xy = (−1 + 6) + (−3 + 7) = 9; β = 2.25.
/// W_yy = (4 + 1 + 9) + (9 + 4 + 1) = 28; RSS = 28 − 81/4 = 7.75 on 6 − 2 − 1 = 3: s² = 31/12, V(β) = 31/48.
/// x̄ = 2: a_0 = 3 + 2.25 = 5.25, a_1 = 6 − 2.25 = 3.75; V = s²/3 + V(β) = 31/36 + 31/48.
#[test]
fn by_hand() {
    let m = moments(&UNITS, 2, &Y, &[&X]);
    let fit = within(&m).expect("fit");
    assert!((fit.coefficients[0] - 2.25).abs() < 1e-14);
    assert!((fit.residual_variance - 31.0 / 12.0).abs() < 1e-13);
    assert!((fit.covariance[(0, 0)] - 31.0 / 48.0).abs() < 1e-13);
    assert!((fit.r_squared_within - 20.25 / 28.0).abs() < 1e-14);
    let means = fit.adjusted_means(&m, &m.mean_adjusters(), &AdjustedMeanOptions::default()).expect("means");
    for (mean, value) in means.iter().zip([5.25, 3.75]) {
        let mean = mean.as_ref().expect("rows");
        assert!((mean.value - value).abs() < 1e-13);
        assert!((mean.variance - (31.0 / 36.0 + 31.0 / 48.0)).abs() < 1e-13);
        assert_eq!(mean.source, SamplingVariance::Pooled);
        // t(0.975; 3) = 3.182446305284263
        assert!((mean.upper - mean.value - 3.182446305284263 * mean.standard_error).abs() < 1e-10);
    }
}

/// Residuals of unit 0 about its mean with β = 2.25: −2 + 2.25, −1, 3 − 2.25 = 0.25, −1, 0.75: Σe² = 1.625, robust
/// S = 1.625/6. Both units together: own mean 4.5, x − x̄ = −2, −1, 0, 0, 1, 2, e = (y − 4.5) − 2.25(x − 2):
/// 1, −0.25, 1.5, −1.5, 1.25, −2, Σe² = 1 + 0.0625 + 2.25 + 2.25 + 1.5625 + 4 = 11.125.
#[test]
fn by_hand_robust_and_higher_level() {
    let m = moments(&UNITS, 2, &Y, &[&X]);
    let fit = within(&m).expect("fit");
    let options = AdjustedMeanOptions { robust_from: 2, ..Default::default() };
    let low = fit.adjusted_means(&m, &[2.0], &options).expect("means");
    let unit = low[0].as_ref().expect("rows");
    assert!((unit.sampling_variance - 1.625 / 6.0).abs() < 1e-13);
    assert_eq!((unit.source, unit.degrees_of_freedom), (SamplingVariance::Robust, 2.0));
    let top = m.aggregate(&[Some(0), Some(0)], 1).expect("top");
    let high = fit.adjusted_means(&top, &[2.0], &options).expect("means");
    let all = high[0].as_ref().expect("rows");
    assert!((all.value - 4.5).abs() < 1e-13);
    assert!((all.sampling_variance - 11.125 / 30.0).abs() < 1e-13);
}

/// Strata of populations 3 and 1 with values a, b: (3a + b)/4, S = (9S_a + S_b)/16; x̄ = (3·1 + 3)/4 = 1.5.
#[test]
fn by_hand_strata() {
    let m = moments(&UNITS, 2, &Y, &[&X]);
    let fit = within(&m).expect("fit");
    let means = fit.adjusted_means(&m, &[2.0], &AdjustedMeanOptions::default()).expect("means");
    let part = |population: f64, unit: usize, others: u64| {
        let mean = means[unit].as_ref().expect("rows");
        StratumPart { population, mean, respondents: mean.n + others, left: 1.0 }
    };
    let parts = [part(3.0, 0, 0), part(1.0, 1, 0)];
    let both = combine_strata(&parts, &fit.covariance, &[2.0], 0.95).expect("combined");
    assert!((both.value - (3.0 * 5.25 + 3.75) / 4.0).abs() < 1e-13);
    assert!((both.sampling_variance - 10.0 / 16.0 * 31.0 / 36.0).abs() < 1e-13);
    assert!((both.variance - both.sampling_variance - 0.25 * 31.0 / 48.0).abs() < 1e-13);
    // Three of the unit's six respondents in the first stratum, which has three more elsewhere: a = 4.875, and
    // 9/16 · (6/3 − 1)/5 · (5.25 − 4.875)² is added, of a census nothing.
    let partial = combine_strata(&[part(3.0, 0, 3), parts[1]], &fit.covariance, &[2.0], 0.95).expect("combined");
    let added = 9.0 / 16.0 * 0.2 * 0.375 * 0.375;
    assert!((partial.sampling_variance - both.sampling_variance - added).abs() < 1e-13);
    let census = [StratumPart { left: 0.0, ..part(3.0, 0, 3) }, StratumPart { left: 0.0, ..parts[1] }];
    assert!(combine_strata(&census, &fit.covariance, &[2.0], 0.95).expect("combined").sampling_variance.abs() < 1e-15);
    let impossible = StratumPart { respondents: 2, ..parts[0] };
    assert!(combine_strata(&[impossible], &fit.covariance, &[2.0], 0.95).is_err());
    assert!(combine_strata(&[], &fit.covariance, &[2.0], 0.95).is_err());
}

#[test]
fn constant_and_collinear_adjusters_are_named() {
    let twice: Vec<f64> = X.iter().map(|x| 2.0 * x - 7.0).collect();
    let of_unit: Vec<f64> = UNITS.iter().map(|u| 0.1 + f64::from(*u)).collect();
    let m = moments(&UNITS, 2, &Y, &[&[0.1; 6], &X, &twice, &of_unit]);
    let fit = within(&m).expect("fit");
    assert_eq!(fit.kept, [1]);
    let drop = |index, reason| Dropped { index, reason };
    let expected = [drop(0, DropReason::Constant), drop(2, DropReason::Collinear), drop(3, DropReason::Constant)];
    assert_eq!(fit.dropped, expected);
    assert!((fit.coefficients[1] - 2.25).abs() < 1e-12);
    assert_eq!(fit.coefficients[0], 0.0);
}

#[test]
fn gls_means_shrink_their_variance_by_the_covariance() {
    let m = Wards::read().moments();
    let fit = fit_random_intercept(&m, Criterion::Reml, None).expect("fit");
    let reference = m.mean_adjusters();
    let options = AdjustedMeanOptions::default();
    let own = fit.adjusted_means(&m, None, &reference, &options).expect("means");
    let parents: Vec<Option<u32>> = (0..m.units() as u32).map(Some).collect();
    let same = fit.adjusted_means(&m, Some((&parents, m.units())), &reference, &options).expect("means");
    assert_eq!(own, same);
    // Shrinking a_j to x̄'β by λ_j gives the same as the mixed model's own prediction.
    let at_reference =
        fit.coefficients[0] + reference.iter().zip(&fit.coefficients[1..]).map(|(x, b)| x * b).sum::<f64>();
    for (mean, effect) in own.iter().zip(&fit.effects) {
        let a = mean.as_ref().expect("rows").value;
        assert!((effect.reliability * (a - at_reference) - effect.blup).abs() < 1e-9);
    }
}

#[test]
fn hostile_inputs_give_errors() {
    assert!(within(&moments(&[], 0, &[], &[])).is_err());
    assert!(within(&moments(&[0], 1, &[1.0], &[])).is_err());
    assert!(matches!(within(&moments(&[0, 0, 1, 1], 2, &[2.0; 4], &[])), Err(StatsError::Constant { .. })));
    let line: Vec<f64> = X.iter().map(|x| 3.0 * x).collect();
    assert!(matches!(within(&moments(&UNITS, 2, &line, &[&X])), Err(StatsError::Constant { .. })));
    let m = moments(&UNITS, 3, &Y, &[&X]);
    let fit = within(&m).expect("fit");
    let options = AdjustedMeanOptions::default();
    assert!(fit.adjusted_means(&m, &[f64::NAN], &options).is_err());
    assert!(fit.adjusted_means(&m, &[], &options).is_err());
    for level in [0.0, 1.0, f64::NAN, -3.0] {
        assert!(fit.adjusted_means(&m, &[2.0], &AdjustedMeanOptions { level, ..options.clone() }).is_err());
    }
    assert!(fit.adjusted_means(&m, &[2.0], &options).expect("means")[2].is_none());
}

proptest! {
    #[test]
    fn property_constants_and_permutations(
        rows in prop::collection::vec((0u32..5, -50.0..50.0f64, -5.0..5.0f64), 30..120),
        shift in -1e3..1e3f64,
    ) {
        let unit: Vec<u32> = rows.iter().map(|r| r.0).collect();
        let y: Vec<f64> = rows.iter().map(|r| r.1).collect();
        let x: Vec<f64> = rows.iter().map(|r| r.2).collect();
        let base = moments(&unit, 5, &y, &[&x]);
        let fit = within(&base).expect("fit");
        let options = AdjustedMeanOptions::default();
        let means = fit.adjusted_means(&base, &[0.5], &options).expect("means");
        let higher: Vec<f64> = y.iter().map(|v| v + shift).collect();
        let moved = moments(&unit, 5, &higher, &[&x]);
        let moved_fit = within(&moved).expect("fit");
        prop_assert!((moved_fit.coefficients[0] - fit.coefficients[0]).abs() < 1e-9);
        let moved_means = moved_fit.adjusted_means(&moved, &[0.5], &options).expect("means");
        let turned: Vec<u32> = unit.iter().map(|u| 4 - u).collect();
        let other = moments(&turned, 5, &y, &[&x]);
        let other_means = within(&other).expect("fit").adjusted_means(&other, &[0.5], &options).expect("means");
        for j in 0..5 {
            match (&means[j], &moved_means[j], &other_means[4 - j]) {
                (Some(a), Some(b), Some(c)) => {
                    prop_assert!((a.value + shift - b.value).abs() < 1e-9);
                    prop_assert!((a.variance - b.variance).abs() < 1e-8 * a.variance);
                    prop_assert!((a.value - c.value).abs() < 1e-9);
                }
                (None, None, None) => {}
                _ => prop_assert!(false),
            }
        }
    }

    #[test]
    fn property_never_a_silent_nan(
        rows in prop::collection::vec((0u32..3, prop::sample::select(vec![0.0, 1.0, -1.0, 1e-300, 1e150, 1e308, f64::NAN]),
            prop::sample::select(vec![0.0, 1.0, 5.0, 1e-300, 1e200, f64::INFINITY])), 0..12),
    ) {
        let unit: Vec<u32> = rows.iter().map(|r| r.0).collect();
        let y: Vec<f64> = rows.iter().map(|r| r.1).collect();
        let x: Vec<f64> = rows.iter().map(|r| r.2).collect();
        let mut statistics = SufficientStatistics::new(3, 1);
        if statistics.add(&unit, &y, &[&x]).is_ok()
            && let Ok(m) = statistics.finish() {
                if let Ok(fit) = within(&m) {
                    prop_assert!(fit.coefficients.iter().all(|b| b.is_finite()));
                    if let Ok(means) = fit.adjusted_means(&m, &[0.5], &AdjustedMeanOptions::default()) {
                        prop_assert!(means.iter().flatten().all(|a| a.value.is_finite() && a.variance.is_finite()));
                    }
                }
                if let Ok(fit) = fit_random_intercept(&m, Criterion::Reml, None) {
                    prop_assert!(fit.coefficients.iter().all(|b| b.is_finite()) && fit.criterion.is_finite());
                }
            }
    }
}
