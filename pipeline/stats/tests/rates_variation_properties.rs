//! Properties of rates, variation, funnels and charts: what standards, scales and chance must and must not change, and the
//! simulations behind three defaults (κ of a winsorised funnel, chance given the total, false alarms of the individuals chart).

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a failure is a failed test")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "small counts"
)]

use prem_stats::funnel::{Correction, Outliers, Standardised, over_dispersion};
use prem_stats::interval::Level;
use prem_stats::rates::{directly_standardised, expected_events, standardised_ratio};
use prem_stats::time::xmr;
use prem_stats::variation::*;
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Poisson, StandardNormal};

fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1e-300)
}

fn normals(rng: &mut ChaCha8Rng, n: usize) -> Vec<f64> {
    (0..n).map(|_| StandardNormal.sample(rng)).collect()
}

proptest! {
    /// With its own population as the standard an area has its crude rate, and as its own reference the ratio 1; the scale of
    /// the standard does not matter.
    #[test]
    fn an_area_is_its_own_standard(
        strata in prop::collection::vec((0_u32..60, 50.0..5000.0_f64, 1.0..9.0_f64), 1..12),
        scale in 1e-3..1e3_f64,
    ) {
        let events: Vec<f64> = strata.iter().map(|s| f64::from(s.0)).collect();
        let population: Vec<f64> = strata.iter().map(|s| s.1).collect();
        let standard: Vec<f64> = strata.iter().map(|s| s.2).collect();
        let (x, n) = (events.iter().sum::<f64>(), population.iter().sum::<f64>());
        let own = directly_standardised(&events, &population, &population, 1000.0, Level::P95).unwrap();
        prop_assert!(near(own.value, 1000.0 * x / n, 1e-12) && near(own.variance, x / (n * n), 1e-12));
        prop_assert_eq!(own.interval.is_some(), x >= 10.0);
        let scaled: Vec<f64> = standard.iter().map(|w| scale * w).collect();
        let rate = |w: &[f64]| directly_standardised(&events, &population, w, 1e5, Level::P95).unwrap();
        let (a, b) = (rate(&standard), rate(&scaled));
        prop_assert!(near(a.value, b.value, 1e-12) && near(a.se, b.se, 1e-12));
        if x > 0.0 {
            let e = expected_events(&population, &events, &population).unwrap();
            prop_assert!(near(standardised_ratio(x, e, 1.0, Level::P95).unwrap().value, 1.0, 1e-12));
        }
    }

    /// Money or minutes, whole units or halves of them: the same inequality.
    #[test]
    fn gini_knows_neither_scale_nor_division(
        units in prop::collection::vec((0.1..100.0_f64, 0.5..20.0_f64), 1..12),
        scale in 1e-3..1e3_f64,
    ) {
        let (v, w): (Vec<f64>, Vec<f64>) = units.into_iter().unzip();
        let g = gini(&v, &w).unwrap();
        let scaled: Vec<f64> = v.iter().map(|v| scale * v).collect();
        let (twice, halves) = ([v.clone(), v.clone()].concat(), [w.clone(), w].concat());
        prop_assert!((gini(&scaled, &halves[..v.len()]).unwrap() - g).abs() < 1e-12);
        prop_assert!((gini(&twice, &halves).unwrap() - g).abs() < 1e-12);
        prop_assert!((0.0..1.0).contains(&g));
    }
}

/// Every replicate has the events that were observed and expects as many; repeat events keep their persons together, so that a
/// unit's count varies by Σf²v_f·p(1 − p) and not by Σfv_f·p(1 − p).
#[test]
fn chance_keeps_the_total_and_the_persons() {
    let (observed, expected) = ([30.0, 20.0, 12.0], [10.0, 20.0, 32.0]);
    let share = expected[0] / expected.iter().sum::<f64>();
    let persons = [(1, 30), (2, 10), (3, 4)].map(|(frequency, persons)| PersonsWithEvents { frequency, persons });
    // 30 + 20 + 12 events; 30 + 4·10 + 9·4 = 106.
    for (events, spread) in [(Events::Independent, 62.0), (Events::Repeat(&persons), 106.0)] {
        let first = |o: &[f64], e: &[f64]| {
            assert!((o.iter().sum::<f64>() - 62.0).abs() < 1e-9 && (e.iter().sum::<f64>() - 62.0).abs() < 1e-9);
            assert!((e[0] - 62.0 * share).abs() < 1e-9);
            Some((o[0] - e[0]).powi(2))
        };
        let c = chance(&observed, &expected, events, ChanceOptions::new(4), first).unwrap();
        let variance = spread * share * (1.0 - share);
        // 9,999 squares of nearly normal numbers: a Monte-Carlo error of 1.4 %.
        assert!((c.null_mean / variance - 1.0).abs() < 0.07, "{} {variance}", c.null_mean);
    }
}

/// Three events over three equal units: χ² is 6 with probability 3/27, 2 with 18/27 and 0 with 6/27, so its mean is 2 and its
/// 95th percentile 6.
#[test]
fn percentile_and_mean_under_chance_by_enumeration() {
    let chi2 = |o: &[f64], e: &[f64]| chi_squared_test(o, e).ok().map(|t| t.statistic);
    let c = chance(&[2.0, 1.0, 0.0], &[1.0; 3], Events::Independent, ChanceOptions::new(2), chi2).unwrap();
    assert!((c.null_p95 - 6.0).abs() < 1e-9 && (c.null_mean - 2.0).abs() < 0.07, "{c:?}");
    assert!((c.p - 21.0 / 27.0).abs() < 0.02, "{c:?}");
    assert_eq!(c.replicates, 9_999);
}

/// Independent Poisson draws vary in their total as well, and so find less: why chance is drawn given the total.
#[test]
fn simulation_poisson_draws_are_conservative() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let base: Vec<f64> = (0..8).map(|j| 20.0 + 40.0 * f64::from(j) / 7.0).collect();
    let draw = |rng: &mut ChaCha8Rng, means: &[f64]| -> Vec<f64> {
        means.iter().map(|m| Poisson::new(*m).unwrap().sample(rng)).collect()
    };
    let scv = |o: &[f64], e: &[f64]| scv_diehr(o, e, 1.0).ok().map(|s| s.raw);
    let mut higher = 0.0;
    let regions = 200;
    for region in 0..regions {
        let observed = draw(&mut rng, &base);
        let factor = observed.iter().sum::<f64>() / base.iter().sum::<f64>();
        let expected: Vec<f64> = base.iter().map(|e| e * factor).collect();
        let options = ChanceOptions { replicates: 199, seed: region };
        let given_total = chance(&observed, &expected, Events::Independent, options, scv).unwrap();
        let reached = (0..199).filter(|_| scv(&draw(&mut rng, &expected), &expected) >= Some(given_total.statistic));
        higher += (1.0 + reached.count() as f64) / 200.0 - given_total.p;
    }
    // 0.06 on average, with a Monte-Carlo error of 0.003.
    let mean = higher / regions as f64;
    assert!(mean > 0.03, "{mean}");
}

/// Without κ a winsorised funnel finds φ = 0.68 where there is no over-dispersion at all, with it 1.
#[test]
fn simulation_phi_without_over_dispersion() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let (mut plain, mut corrected) = (0.0, 0.0);
    for _ in 0..400 {
        let units: Vec<Standardised> = normals(&mut rng, 100)
            .into_iter()
            .map(|z| Standardised { y: 70.0 + 2.0 * z, s: 2.0, target: 70.0 })
            .collect();
        let phi = |correction| over_dispersion(&units, Outliers::Winsorise(0.1), correction).unwrap().phi;
        plain += phi(Correction::Spiegelhalter) / 400.0;
        corrected += phi(Correction::Winsorised) / 400.0;
    }
    // A Monte-Carlo error of 0.006.
    assert!((plain - 0.68).abs() < 0.03 && (corrected - 1.0).abs() < 0.04, "{plain} {corrected}");
}

/// Shares of series without any change in which a rule of the chart signals. Screening narrows the limits, so that it finds
/// more: 3.5, 7 and 19 of 100 with 8, 12 and 24 points, without it 2, 5 and 15.5.
#[test]
fn simulation_false_alarms_of_the_individuals_chart() {
    const SERIES: usize = 20_000;
    let mut rng = ChaCha8Rng::seed_from_u64(24);
    for (points, screened, plain) in [(8, 0.035, 0.022), (12, 0.071, 0.046), (24, 0.186, 0.155)] {
        let mut signals = [0_usize; 2];
        for _ in 0..SERIES {
            let y = normals(&mut rng, points);
            for (count, screen) in signals.iter_mut().zip([true, false]) {
                let chart = xmr(&y, screen).unwrap();
                *count += usize::from(chart.points.iter().any(|p| p.special_cause().is_some()));
            }
        }
        for (count, expected) in signals.into_iter().zip([screened, plain]) {
            let share = count as f64 / SERIES as f64;
            // Monte-Carlo errors of both simulations, three times.
            let error = 4.5 * f64::sqrt(expected * (1.0 - expected) / SERIES as f64);
            assert!((share - expected).abs() < error, "{points} points: {share} for {expected}");
        }
    }
}
