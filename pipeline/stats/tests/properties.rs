//! Properties: intervals contain their estimate and shrink with n; hostile input gives an error, never a panic or NaN.

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

use prem_stats::bootstrap::rank_intervals;
use prem_stats::comparison::*;
use prem_stats::distributions::*;
use prem_stats::funnel::{self, Correction, Outliers, Scale};
use prem_stats::interval::{self, Level};
use prem_stats::rates::{self, SlopeTransform};
use prem_stats::scores::{self, Items, Pairing};
use prem_stats::time;
use prem_stats::variation as v;
use prem_stats::weights::{self, Design, Margin, RakeOptions};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Mutex;

fn level() -> impl Strategy<Value = Level> {
    (0.5..0.999_f64).prop_map(|l| Level::new(l).unwrap())
}

proptest! {
    #[test]
    fn proportions_contain_and_shrink(n in 1_u32..5000, share in 0.0..=1.0_f64, l in level()) {
        let n = f64::from(n);
        let x = (n * share).round();
        for f in [interval::wilson, interval::clopper_pearson, interval::jeffreys_bcd] {
            let small = f(x, n, l).unwrap();
            prop_assert!(small.interval.contains(small.value) || small.method == "jeffreys-bcd");
            prop_assert!(small.interval.low >= 0.0 && small.interval.high <= 1.0);
            let large = f(x * 4.0, n * 4.0, l).unwrap();
            prop_assert!(large.interval.width() < small.interval.width());
        }
    }

    #[test]
    fn counts_contain_and_shrink(x in 1_u32..1_000_000, l in level()) {
        let x = f64::from(x);
        for f in [interval::poisson_exact, interval::count] {
            let small = f(x, l).unwrap();
            prop_assert!(small.interval.contains(x));
            let large = f(x * 4.0, l).unwrap();
            prop_assert!(large.interval.width() / (4.0 * x) < small.interval.width() / x);
        }
        let p = interval::poisson_profile(x, 3.0, l).unwrap();
        prop_assert!(p.interval.contains(p.value));
    }

    #[test]
    fn means_contain_and_shrink(y in prop::collection::vec(-100.0..100.0_f64, 2..40), l in level()) {
        let small = interval::mean(&y, l).unwrap();
        prop_assert!(small.interval.contains(small.value));
        let fourfold: Vec<f64> = y.iter().cycle().take(4 * y.len()).copied().collect();
        let large = interval::mean(&fourfold, l).unwrap();
        prop_assert!(large.interval.width() <= small.interval.width());
    }

    #[test]
    fn quantiles_invert(p in 1e-12..(1.0 - 1e-12_f64), a in 0.05..1e5_f64, b in 0.05..1e5_f64) {
        let near = |x: f64, y: f64| (x - y).abs() <= 1e-9 * x.min(1.0 - x).max(1e-300);
        prop_assert!(near(p, normal::cdf(normal::quantile(p).unwrap()).unwrap()));
        prop_assert!(near(p, student_t::cdf(student_t::quantile(p, a).unwrap(), a).unwrap()));
        let chi2 = chi_squared::quantile(p, a).unwrap();
        if chi2 > 1e-300 {
            prop_assert!(near(p, chi_squared::cdf(chi2, a).unwrap()));
        }
        let (x, y) = beta::quantile_pair(p, a, b).unwrap();
        if x > 1e-300 && y > 1e-300 {
            prop_assert!(near(p, special::incomplete_beta(a, b, x, y).unwrap().0));
        }
    }

    #[test]
    fn adjusted_p_values_are_ordered(p in prop::collection::vec(0.0..=1.0_f64, 0..30)) {
        let (b, h, q) = (bonferroni(&p).unwrap(), holm(&p).unwrap(), benjamini_hochberg(&p).unwrap());
        for i in 0..p.len() {
            prop_assert!(p[i] <= q[i] * (1.0 + 1e-12) && q[i] <= h[i] * (1.0 + 1e-12) && h[i] <= b[i] * (1.0 + 1e-12));
        }
    }

    #[test]
    fn smoothed_ratios_lie_between(o in prop::collection::vec(0_u32..500, 3..20)) {
        let o: Vec<f64> = o.into_iter().map(f64::from).collect();
        let e = vec![o.iter().sum::<f64>().max(1.0) / o.len() as f64; o.len()];
        let eb = v::eb_poisson(&o, &e).unwrap();
        for j in 0..o.len() {
            let r = o[j] / e[j];
            prop_assert!(eb.smoothed[j] >= r.min(1.0) - 1e-9 && eb.smoothed[j] <= r.max(1.0) + 1e-9);
        }
    }
}

fn hostile() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(0.0),
        Just(-0.0),
        Just(-1.0),
        Just(1.0),
        Just(0.5),
        Just(1e9),
        Just(1e-300),
        Just(1e300),
        Just(f64::MAX),
        -10.0..1000.0_f64,
    ]
}

fn hostile_values() -> impl Strategy<Value = Vec<f64>> {
    prop_oneof![
        prop::collection::vec(hostile(), 0..6),
        prop::collection::vec(0.0..1e9_f64, 0..6),
        (hostile(), 0_usize..6).prop_map(|(v, n)| vec![v; n]),
    ]
}

/// First unsound answer of every kernel: all are shown at once.
static UNSOUND: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

/// What is given must be a number.
fn sound<T: Debug>(what: &str, result: prem_stats::Result<T>) {
    if let Ok(value) = result {
        let text = format!("{value:?}");
        if text.contains("NaN") || text.contains("inf") {
            UNSOUND.lock().unwrap().entry(what.into()).or_insert(text);
        }
    }
}

#[test]
fn hostile_input_gives_errors() {
    hostile_numbers();
    hostile_series();
    let unsound = UNSOUND.lock().unwrap();
    assert!(unsound.is_empty(), "{unsound:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5000, failure_persistence: None, ..ProptestConfig::default() })]

    fn hostile_numbers(x in hostile(), n in hostile(), z in hostile(), w in hostile(), l in level()) {
        sound("wilson", interval::wilson(x, n, l));
        sound("clopper-pearson", interval::clopper_pearson(x, n, l));
        sound("jeffreys", interval::jeffreys_bcd(x, n, l));
        sound("poisson", interval::poisson_exact(x, l));
        sound("byar", interval::byar(x, l));
        sound("rate", interval::rate(x, n, z, l));
        sound("profile", interval::poisson_profile(x, n, l));
        sound("t", interval::student_t(x, n, z, l));
        sound("dobson", interval::dobson(x, n, z, l));
        sound("ratio", rates::standardised_ratio(x, n, z, l));
        sound("p", p_beyond(x, n, z));
        sound("goal", goal_level(x, n, Some(z), Direction::Lower, Some(w)));
        sound("mor", v::median_odds_ratio(x));
        sound("explained", v::share_explained(x, n));
        sound("reliability", scores::unit_reliability(x, n));
        sound("answers", scores::answers_needed(x, n));
        sound("funnel p", funnel::proportion_score_limits(x, n, l));
        sound("funnel r", funnel::poisson_ratio_limits(x, l));
        for scale in [Scale::Mean, Scale::ArcsineProportion, Scale::LogRatio, Scale::SqrtRatio] {
            sound("funnel", funnel::funnel_limits(scale, x, n, z, l));
        }
        let periods = (Window { start: 0, end: 1 }, Window { start: 1, end: 2 });
        sound("change", change_between((x, n, periods.0), (z, w, periods.1), l));
    }

    #[test]
    fn hostile_distributions(x in hostile(), a in hostile(), b in hostile()) {
        let all = [
            normal::cdf(x), normal::sf(x), normal::quantile(x), normal::pdf(x),
            student_t::cdf(x, a), student_t::sf(x, a), student_t::quantile(x, a),
            chi_squared::cdf(x, a), chi_squared::sf(x, a), chi_squared::quantile(x, a),
            f::cdf(x, a, b), f::sf(x, a, b), f::quantile(x, a, b),
            beta::cdf(x, a, b), beta::sf(x, a, b), beta::quantile(x, a, b),
            gamma::cdf(x, a), gamma::sf(x, a), gamma::quantile(x, a),
            poisson::cdf(x, a), poisson::sf(x, a), poisson::pmf(x, a), poisson::quantile(x, a),
            binomial::cdf(x, a, b), binomial::sf(x, a, b), binomial::pmf(x, a, b), binomial::quantile(x, a, b),
        ];
        for (i, r) in all.into_iter().enumerate() {
            prop_assert!(!r.is_ok_and(f64::is_nan), "{i}: {x:e} {a:e} {b:e}");
        }
    }

    fn hostile_series(x in hostile_values(), y in hostile_values(), k in hostile(), l in level()) {
        sound("mean", interval::mean(&x, l));
        sound("weighted mean", interval::weighted_mean(&x, &y, l));
        sound("dsr", rates::directly_standardised(&x, &y, &y, 1000.0, l));
        sound("expected", rates::expected_events(&x, &y, &x));
        for t in [SlopeTransform::None, SlopeTransform::Log, SlopeTransform::Logit] {
            sound("sii", rates::slope_index(&x, &y, t, k));
        }
        sound("ft", v::extremal_quotient(&x, 1));
        sound("eq", v::eq_5_95(&x));
        sound("cv", v::cv(&x));
        sound("cv weighted", v::cv_weighted(&x, &y));
        sound("gini", v::gini(&x, &y));
        sound("scv", v::scv_diehr(&x, &y, k));
        sound("scv log", v::scv_mcpherson(&x, &y));
        sound("chi2", v::chi_squared_test(&x, &y));
        sound("eb poisson", v::eb_poisson(&x, &y));
        sound("eb normal", v::eb_normal(&x, &y));
        sound("dl", v::dersimonian_laird(&x, &y));
        sound("pm", v::paule_mandel(&x, &y));
        sound("reml", v::reml(&x, &y));
        sound("atlas", v::helseatlas(&x, &y, 5.0, 1.0));
        sound("actionable", v::actionable(&x, &y, &y, 1.0));
        let few = v::ChanceOptions { replicates: 3, seed: 1 };
        sound("chance", v::chance(&x, &y, v::Events::Independent, few, |o, e| v::cv_weighted(o, e).ok()));
        sound("differences", differences_from_reference(&x, &y, &y, None));
        sound("xmr", time::xmr(&x, true));
        sound("runs", time::runs_analysis(&x));
        sound("kish", weights::kish(&x));
        sound("design", weights::design_weights(&x));
        sound("strata", weights::stratified_value(&x, &y, &y));
        sound("survey mean", weights::mean(&x, &Design::weighted(&y), None));
        sound("survey total", weights::total(&x, &Design::weighted(&y), None));
        sound("survey ratio", weights::ratio(&x, &y, &Design::weighted(&y)));
        let margin = Margin { cells: (0..x.len()).map(|i| i % 2).collect(), totals: vec![k, 2.0] };
        let options = RakeOptions { max_iterations: 20, ..RakeOptions::default() };
        sound("rake", weights::rake(&x, std::slice::from_ref(&margin), &options));
        sound("residuals", weights::margin_residuals(&y, &x, std::slice::from_ref(&margin)));
        sound("one way", scores::one_way(&x, &(0..x.len()).map(|i| i % 3).collect::<Vec<usize>>()));
        sound("describe", scores::describe_scale(&x, 0.0, 100.0));
        sound("ranks", rank_intervals(&x, &y, 5, 1, l));
        let answers: Vec<Option<f64>> = x.iter().chain(&y).map(|v| (*v != 1.0).then_some(*v)).collect();
        if let Ok(items) = Items::new(&answers, 2) {
            sound("alpha", scores::alpha(&items, Pairing::Pairwise));
            sound("item statistics", scores::item_statistics(&items, 1.0, 5.0, Pairing::Complete));
        }
        let units: Vec<funnel::Standardised> =
            x.iter().zip(&y).map(|(a, s)| funnel::Standardised { y: *a, s: *s, target: 1.0 }).collect();
        sound("over-dispersion", funnel::over_dispersion(&units, Outliers::Winsorise(0.1), Correction::Winsorised));
    }
}
