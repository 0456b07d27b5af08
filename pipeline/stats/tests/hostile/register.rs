//! Rates, variation, weights, survival, time, bootstrap: kernels of vectors.

use super::{NUMBERS, Unsound, vectors};
use prem_stats::bootstrap::{BootstrapInterval, BootstrapOptions, bootstrap, bootstrap_units, rank_intervals};
use prem_stats::interval::Level;
use prem_stats::rates::{self, GroupValues, RepeatEvents, SlopeTransform};
use prem_stats::survival::{self, FollowUp, LifeTable, NetMethod, ObservationWindow, Share};
use prem_stats::time;
use prem_stats::variation as v;
use prem_stats::weights::{self, Cap, Design, Margin, RakeOptions, SampleSize, Scored};

#[test]
fn standardised_rates() {
    let mut u = Unsound::default();
    for x in vectors() {
        for n in vectors() {
            u.check("expected_events", rates::expected_events(&x, &n, &x));
            u.check("dsr", rates::directly_standardised(&x, &n, &n, 1e5, Level::P95));
            u.check("difference", rates::difference_from_region(&x, &n, &n, &n, &n, 1e5));
            u.check(
                "difference, repeat events",
                rates::difference_from_region_repeat_events((&x, &n), &n, (&n, &x), &n, &n, 1e5),
            );
            let repeats: Vec<RepeatEvents> = x
                .iter()
                .enumerate()
                .map(|(i, persons)| RepeatEvents { stratum: i % 3, frequency: (i % 4) as f64, persons: *persons })
                .collect();
            u.check("repeats", rates::directly_standardised_repeat_events(&repeats, &n, &n, 1e5, Level::P95));
            for t in [SlopeTransform::None, SlopeTransform::Log, SlopeTransform::Logit] {
                u.check("slope_index", rates::slope_index(&x, &n, t, -100.0));
                let groups = GroupValues { population: &x, values: &n, standard_errors: &x };
                u.check("slope_index_interval", rates::slope_index_interval(groups, t, -100.0, 3, 1, Level::P95));
            }
        }
    }
    for (x, e) in NUMBERS.iter().flat_map(|x| NUMBERS.map(|e| (*x, e))) {
        for m in NUMBERS {
            u.check("standardised_ratio", rates::standardised_ratio(x, e, m, Level::P95));
            u.check("standardised_rate", rates::standardised_rate(x, e, m, 1e5, Level::P95));
        }
    }
    for ends in [&[][..], &[0], &[i64::MIN, i64::MAX], &[5, 5, 5], &[90, 10]] {
        assert!(rates::esp2013_weights(ends).iter().all(|w| w.is_finite()));
    }
    u.finish();
}

#[test]
fn variation() {
    let mut u = Unsound::default();
    let few = v::ChanceOptions { replicates: 3, seed: 1 };
    for o in vectors() {
        u.check("cv", v::cv(&o));
        u.check("eq_5_95", v::eq_5_95(&o));
        u.check("eq_80_20_smoothed", v::eq_80_20_smoothed(&o));
        for k in [0, 1, 2, usize::MAX] {
            u.check("extremal_quotient", v::extremal_quotient(&o, k));
        }
        for p in NUMBERS {
            u.check("quantile_type_7", v::quantile_type_7(&o, p));
        }
        for e in vectors() {
            u.check("cv_weighted", v::cv_weighted(&o, &e));
            u.check("gini", v::gini(&o, &e));
            u.check("scv_diehr", v::scv_diehr(&o, &e, 1.0));
            u.check("scv_mcpherson", v::scv_mcpherson(&o, &e));
            u.check("repeat_event_factor", v::repeat_event_factor(&o, &e));
            u.check("chi_squared_test", v::chi_squared_test(&o, &e));
            u.check("eb_poisson", v::eb_poisson(&o, &e));
            u.check("eb_normal", v::eb_normal(&o, &e));
            u.check("normal_variance_ml", v::normal_variance_ml(&o, &e));
            u.check("helseatlas", v::helseatlas(&o, &e, 3.0, 0.0));
            u.check("actionable", v::actionable(&o, &e, &e, 1.0));
            for fit in [v::dersimonian_laird(&o, &e), v::paule_mandel(&o, &e), v::reml(&o, &e)] {
                if let Ok(fit) = &fit {
                    u.check("shrunken", fit.shrunken(&o, &e));
                }
                u.check("heterogeneity", fit);
            }
            let cv = |o: &[f64], e: &[f64]| v::cv_weighted(o, e).ok();
            u.check("chance", v::chance(&o, &e, v::Events::Independent, few, cv));
            let persons = [v::PersonsWithEvents { frequency: 3, persons: 1_000_000_000 }];
            u.check("chance, repeat events", v::chance(&o, &e, v::Events::Repeat(&persons), few, cv));
        }
    }
    for x in NUMBERS {
        u.check("median_odds_ratio", v::median_odds_ratio(x));
        u.check("latent_icc", v::latent_icc(x));
        for y in NUMBERS {
            u.check("share_explained", v::share_explained(x, y));
        }
    }
    u.finish();
}

#[test]
fn survey_weights() {
    let mut u = Unsound::default();
    for x in vectors() {
        u.check("kish", weights::kish(&x));
        u.check("design_weights", weights::design_weights(&x));
        for w in vectors() {
            let design = Design::weighted(&w);
            u.check("total", weights::total(&x, &design, None));
            u.check("mean", weights::mean(&x, &design, None));
            u.check("mean, residuals", weights::mean(&x, &design, Some(&w)));
            u.check("ratio", weights::ratio(&x, &w, &design));
            let (strata, clusters): (Vec<usize>, Vec<usize>) = (0..x.len()).map(|i| (i % 2, i % 4)).unzip();
            let full = Design { weights: &w, strata: Some(&strata), clusters: Some(&clusters), population: Some(&x) };
            u.check("mean, design", weights::mean(&x, &full, None));
            u.check("stratified_value", weights::stratified_value(&x, &w, &w));
            let margin = Margin { cells: (0..x.len()).map(|i| i % 2).collect(), totals: w.clone() };
            u.check("post_stratify", weights::post_stratify(&x, &margin));
            u.check("margin_residuals", weights::margin_residuals(&x, &x, std::slice::from_ref(&margin)));
            let cap = Cap { times_mean: 1.5, strata: strata.clone() };
            let options = RakeOptions { max_iterations: 9, cap: Some(cap.clone()), ..RakeOptions::default() };
            u.check("rake", weights::rake(&x, &[margin.clone(), margin], &options));
            let mut trimmed = x.clone();
            u.check("trim", weights::trim(&mut trimmed, &cap, 0.0).map(|_| trimmed));
        }
    }
    u.finish();
    for cells in [&[][..], &[0], &[0, 0, 0], &[usize::MAX, usize::MAX]] {
        assert_eq!(weights::collapse_cells(cells, usize::MAX).len(), cells.len());
        assert_eq!(weights::collapse_cells(cells, 0).len(), cells.len());
    }
}

#[test]
fn survival_times() {
    let mut u = Unsound::default();
    let table = LifeTable::new(&[0.0, 20_000.0], &[0.0], 2, &[1e-5, 1e-3, 0.0, 1e300]).unwrap();
    for x in vectors() {
        let dead: Vec<bool> = (0..x.len()).map(|i| i % 2 == 0).collect();
        u.check("kaplan_meier", survival::kaplan_meier(&x, &dead, &[0.0, 1.0, 1e9], Level::P95));
        u.check("kaplan_meier", survival::kaplan_meier(&x, &vec![true; x.len()], &x, Level::P95));
        u.check("life table", LifeTable::new(&x, &x, 1, &x));
        let persons: Vec<FollowUp> = x
            .iter()
            .zip(&dead)
            .map(|(d, dead)| FollowUp { sex: 0, age_days: *d, diagnosed: *d, days: d.min(700.0), dead: *dead })
            .collect();
        for window in [
            None,
            Some(ObservationWindow { from: f64::NAN, to: 5.0 }),
            Some(ObservationWindow { from: 0.0, to: 400.0 }),
        ] {
            for method in [NetMethod::PoharPerme, NetMethod::EdererII] {
                let days = [0, 1, 365, 800, usize::MAX];
                u.check("net_survival", survival::net_survival(&persons, &table, &days, method, window, Level::P95));
            }
        }
        let pairs: Vec<(f64, f64)> = x.iter().map(|v| (*v, *v)).collect();
        for w in vectors() {
            u.check("age_standardised", survival::age_standardised(&pairs, &w, Level::P95));
        }
        for share in NUMBERS {
            let shares = [
                Share { patient: 0, hospital: 3, share },
                Share { patient: 0, hospital: 1, share: 0.5 },
                Share { patient: 1, hospital: 1, share: 1.0 },
            ];
            u.check("hospital_survival", survival::hospital_survival(&x, &dead, &shares, &x, Level::P95));
        }
    }
    u.finish();
}

#[test]
fn series_and_resampling() {
    let mut u = Unsound::default();
    for x in vectors() {
        u.check("xmr", time::xmr(&x, true));
        u.check("xmr", time::xmr(&x, false));
        u.check("runs_analysis", time::runs_analysis(&x));
        assert_eq!(time::trend_runs(&x).len(), x.len());
        let side: Vec<i8> = x.iter().map(|v| if *v > 1.0 { 1 } else { -1 }).collect();
        assert_eq!(time::shift_runs(&side).len(), x.len());
        assert!(time::two_of_three(&side, &[true, false]).len() <= 2);
        for s in vectors() {
            u.check("rank_intervals", rank_intervals(&x, &s, 3, 1, Level::P95));
        }
        for interval in [BootstrapInterval::Percentile, BootstrapInterval::Bca] {
            let options = BootstrapOptions { replicates: 20, seed: 1, level: Level::P95, interval };
            let strata: Vec<usize> = (0..x.len()).map(|i| i % 2).collect();
            let mean = |rows: &[usize]| Some(rows.iter().map(|i| x[*i]).sum::<f64>() / rows.len() as f64);
            u.check("bootstrap", bootstrap(&strata, options, mean));
            for e in vectors() {
                let ratio = |[o, e]: [&[f64]; 2]| Ok(o.iter().sum::<f64>() / e.iter().sum::<f64>());
                u.check("bootstrap_units", bootstrap_units([&x, &e], options, ratio));
            }
            u.check("bootstrap_units of nothing", bootstrap_units([], options, |[]| Ok(1.0)));
        }
    }
    for n in [0, 1, 2, 9, 1_000_000_000] {
        u.check("runs_critical_values", time::runs_critical_values(n));
    }
    u.finish();
}

#[test]
fn variance_of_scores() {
    let mut u = Unsound::default();
    for x in vectors() {
        for n in vectors() {
            let strata: Vec<u32> = (0..x.len() as u32).map(|i| i % 2).collect();
            let margin = Margin { cells: (0..x.len()).map(|i| i % 3).collect(), totals: vec![1.0; 3] };
            for counts in [None, Some(&n[..])] {
                let rows = Scored { scores: &x, weights: &n, counts, strata: &strata };
                u.check("score_variance", weights::score_variance(&rows, None, &[]));
                u.check("score_variance corrected", weights::score_variance(&rows, Some(&x), &[]));
                u.check("score_variance margins", weights::score_variance(&rows, None, std::slice::from_ref(&margin)));
            }
        }
    }
    u.finish();
}

/// A rule is refused or draws no more than there are; a probability is one.
#[test]
fn samples() {
    for share in NUMBERS {
        for (fixed, census_up_to) in [(0, 0), (0, 1), (1, 0), (usize::MAX, 0), (0, usize::MAX)] {
            let size = SampleSize { fixed, share, census_up_to };
            assert!([0, 1, 2, 1_000_000_000].iter().all(|n| size.of(*n) <= *n), "SampleSize::of, {size:?}");
            for strata in [&[][..], &[0], &[0, 1, 0], &[2], &[u32::MAX]] {
                let numbers = vec![5_u128; strata.len()];
                let Ok(sample) = weights::stratified_sample(strata, &numbers, 2, &size) else { continue };
                assert!(sample.drawn.len() <= strata.len() && sample.probability(7).is_none(), "{size:?}");
                let mut probabilities = (0..2).filter_map(|h| sample.probability(h));
                assert!(probabilities.all(|p| (0.0..=1.0).contains(&p)), "StratifiedSample::probability, {size:?}");
            }
        }
    }
    assert!(weights::stratified_sample(&[0], &[], 1, &SampleSize { fixed: 1, share: 0.0, census_up_to: 0 }).is_err());
}
