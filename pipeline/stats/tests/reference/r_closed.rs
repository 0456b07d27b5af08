//! Area-level shrinkage, bootstrap and closed forms: base R on `r/closed_*.csv` and a few numbers.

use crate::common::{Case, Table, Tolerance::Absolute, Tolerance::Relative};
use crate::r_numbers::Numbers;
use prem_stats::bootstrap::{BootstrapInterval, BootstrapOptions, bootstrap};
use prem_stats::case_mix::{ShrinkageInterval, fay_herriot};
use prem_stats::comparison::{benjamini_hochberg, bonferroni, holm};
use prem_stats::interval::{self, Estimate, Interval, Level};
use prem_stats::rates::{self, SlopeTransform};
use prem_stats::scores::{self, Items, Pairing};
use prem_stats::variation as v;

pub fn run() {
    let expected = Numbers::read("closed_expected.csv");
    area_level(&expected);
    resampling(&expected);
    intervals(&expected);
    p_values(&expected);
    areas(&expected);
    rates_and_slopes(&expected);
    scales(&expected);
}

fn area_level(expected: &Numbers) {
    let rows = Table::own("r/closed_areas.csv");
    let (a, variance, z) = (rows.numbers("value"), rows.numbers("variance"), rows.numbers("z"));
    // The third case lies so close together that Â = 0.
    let (n, mean) = (a.len() as f64, a.iter().sum::<f64>() / a.len() as f64);
    let sd = (a.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let flat: Vec<f64> = a.iter().zip(&variance).map(|(a, v)| 62.0 + 0.2 * v.sqrt() * (a - mean) / sd).collect();
    let empty: [&[f64]; 0] = [];
    for (name, values, covariates) in
        [("area", &a, &[&z[..]][..]), ("area_mean", &a, &empty[..]), ("area_flat", &flat, &empty[..])]
    {
        let fit = fay_herriot(values, &variance, covariates, ShrinkageInterval::PlugIn, 0.95).unwrap();
        let mut case = Case::new(&format!("Fay-Herriot, {name}"), "restricted score in R", Relative(1e-9));
        case.compare("A", expected.at(name, "A", ""), fit.between_unit_variance);
        let se: Vec<f64> = (0..fit.coefficients.len()).map(|k| fit.covariance[(k, k)].sqrt()).collect();
        let of = |f: fn(&prem_stats::case_mix::FayHerriotUnit) -> f64| fit.units.iter().map(f).collect::<Vec<_>>();
        expected.compare_all(&mut case, name, "beta", &fit.coefficients);
        expected.compare_all(&mut case, name, "se", &se);
        expected.compare_all(&mut case, name, "value", &of(|u| u.value));
        expected.compare_all(&mut case, name, "mse", &of(|u| u.mean_squared_error));
        case.finish();
        assert_eq!(fit.boundary, name == "area_flat");
    }
}

/// R draws 200,000 replicates, we 20,000, so limits differ by chance. The error of a normal 2.5 % quantile is
/// √(p(1 − p)/B)/ϕ(1.96) of the SE: 0.6 % and 1.9 %. BCa also estimates z₀, which adds √(2π/B): 0.6 % and 1.8 %. Together 2.7 %; 6 % is
/// more than twice that.
fn resampling(expected: &Numbers) {
    let rows = Table::own("r/closed_bootstrap.csv");
    let y = rows.numbers("y");
    let strata: Vec<usize> = rows.numbers("stratum").iter().map(|s| *s as usize).collect();
    let mean = |i: &[usize]| i.iter().map(|i| y[*i]).sum::<f64>() / i.len() as f64;
    let variation = |i: &[usize]| v::cv(&i.iter().map(|i| y[*i]).collect::<Vec<_>>()).ok();
    let options = |interval| BootstrapOptions { replicates: 20_000, seed: 5, level: Level::P95, interval };
    let one = vec![0; y.len()];
    for (name, quantity, result) in [
        ("boot_one", "perc", bootstrap(&one, options(BootstrapInterval::Percentile), |i| Some(mean(i)))),
        ("boot_one", "bca", bootstrap(&one, options(BootstrapInterval::Bca), |i| Some(mean(i)))),
        ("boot_strata", "perc", bootstrap(&strata, options(BootstrapInterval::Percentile), variation)),
    ] {
        let b = result.unwrap();
        let se = expected.at(name, "se", "");
        let mut case = Case::new(&format!("{name}: limits in SEs"), "boot 1.3-28, 200,000 draws", Absolute(0.06));
        case.compare("value", expected.at(name, "value", "") / se, b.value / se);
        case.compare("SE", 1.0, b.se / se);
        case.compare("low", expected.at(name, quantity, "low") / se, b.interval.low / se);
        case.compare("high", expected.at(name, quantity, "high") / se, b.interval.high / se);
        case.finish();
    }
}

fn limits(case: &mut Case, expected: &Numbers, name: &str, label: &str, i: Interval) {
    case.compare(&format!("{label} low"), expected.at(name, "low", label), i.low);
    case.compare(&format!("{label} high"), expected.at(name, "high", label), i.high);
}

fn intervals(expected: &Numbers) {
    type Proportion = fn(f64, f64, Level) -> prem_stats::Result<Estimate>;
    let methods: [(&str, &str, Proportion); 3] = [
        ("clopper_pearson", "R 4.2.2 qbeta", interval::clopper_pearson),
        ("jeffreys", "R 4.2.2 qbeta", interval::jeffreys),
        ("wilson", "R 4.2.2 prop.test", interval::wilson),
    ];
    for (name, source, method) in methods {
        let mut case = Case::new(&format!("{name}, counts to 10^9"), source, Relative(1e-10));
        for (label, _) in expected.all(name, "low") {
            let (x, n) = label.split_once('_').unwrap();
            let e = method(x.parse().unwrap(), n.parse().unwrap(), Level::P95).unwrap();
            limits(&mut case, expected, name, &label, e.interval);
        }
        case.finish();
    }
    let mut case = Case::new("poisson_exact, counts to 10^9", "R 4.2.2 qgamma", Relative(1e-10));
    for (label, _) in expected.all("poisson_exact", "low") {
        let e = interval::poisson_exact(label.parse().unwrap(), Level::P95).unwrap();
        limits(&mut case, expected, "poisson_exact", &label, e.interval);
    }
    case.finish();
    let mut case = Case::new("mean with t interval, 90 %", "R 4.2.2 t.test", Relative(1e-12));
    let e = interval::mean(&[3.0, 8.5, -2.0, 11.0, 4.25], Level::new(0.9).unwrap()).unwrap();
    case.compare("mean", expected.at("t_mean", "value", ""), e.value);
    limits(&mut case, expected, "t_mean", "", e.interval);
    case.finish();
}

fn p_values(expected: &Numbers) {
    let p = [0.01, 0.04, 0.03, 0.04, 1.0, 0.0, 0.2, 0.03, 0.0005];
    let mut case = Case::new("adjusted p-values with ties", "R 4.2.2 p.adjust", Relative(1e-13));
    expected.compare_all(&mut case, "p_adjust", "bonferroni", &bonferroni(&p).unwrap());
    expected.compare_all(&mut case, "p_adjust", "holm", &holm(&p).unwrap());
    expected.compare_all(&mut case, "p_adjust", "BH", &benjamini_hochberg(&p).unwrap());
    case.finish();
}

fn areas(expected: &Numbers) {
    let (o, e) = (expected.values("areas", "observed"), expected.values("areas", "expected"));
    let at = |quantity: &str, name: &str| expected.at("areas", quantity, name);
    let mut case = Case::new("variation of 15 areas, one without events", "base R", Relative(1e-10));
    let chi2 = v::chi_squared_test(&o, &e).unwrap();
    case.compare("χ²", at("chi2", "statistic"), chi2.statistic);
    case.compare("p", at("chi2", "p"), chi2.p);
    case.compare("SCV", at("scv_diehr", ""), v::scv_diehr(&o, &e, 1.0).unwrap().raw);
    let ratios: Vec<f64> = o.iter().zip(&e).map(|(o, e)| o / e).collect();
    case.compare("EQ", at("eq", ""), v::eq_5_95(&ratios).unwrap());
    case.compare("CV", at("cv", ""), v::cv(&ratios).unwrap());
    case.compare("weighted CV", at("cv_weighted", ""), v::cv_weighted(&o, &e).unwrap());
    case.finish();
    let eb = v::eb_poisson(&o, &e).unwrap();
    let mut case = Case::new("Poisson-gamma fit of 15 areas", "dnbinom and uniroot in R", Relative(1e-7));
    case.compare("variance", at("eb_variance", ""), eb.variance);
    case.compare("log-likelihood", at("eb_loglik", ""), eb.log_likelihood);
    expected.compare_all(&mut case, "areas", "eb_smoothed", &eb.smoothed);
    case.finish();
}

fn rates_and_slopes(expected: &Numbers) {
    let (population, values) = ([1200.0, 800.0, 950.0, 2000.0, 400.0], [12.0, 14.5, 13.0, 18.0, 21.0]);
    let mut case = Case::new("SII and RII", "R 4.2.2 weighted lm", Relative(1e-11));
    for (name, transform, i) in [("linear", SlopeTransform::None, 0), ("log", SlopeTransform::Log, 1)] {
        let slope = rates::slope_index(&population, &values, transform, 1.0).unwrap();
        case.compare(name, expected.values("slope_index", "sii")[i], slope.sii);
        case.compare(name, expected.values("slope_index", "rii")[i], slope.rii);
    }
    case.finish();
    let mut case = Case::new("directly standardised rate, Dobson", "the formula in R", Relative(1e-12));
    let (x, n, w) = ([12.0, 3.0, 40.0], [1000.0, 800.0, 1500.0], [5.0, 3.0, 2.0]);
    let rate = rates::directly_standardised(&x, &n, &w, 1e5, Level::P95).unwrap();
    case.compare("rate", expected.at("direct", "value", ""), rate.value);
    limits(&mut case, expected, "direct", "", rate.interval.unwrap());
    case.finish();
}

fn scales(expected: &Numbers) {
    let items = [
        [1, 2, 1, 2],
        [2, 2, 3, 1],
        [3, 3, 3, 4],
        [4, 5, 4, 4],
        [5, 5, 4, 5],
        [4, 4, 5, 5],
        [2, 1, 2, 3],
        [3, 2, 2, 3],
    ];
    let answers: Vec<Option<f64>> = items.iter().flatten().map(|v| Some(f64::from(*v))).collect();
    let items = Items::new(&answers, 4).unwrap();
    let alpha = scores::alpha(&items, Pairing::Complete).unwrap();
    let mut case = Case::new("α, item-rest, Feldt", "base R", Relative(1e-11));
    case.compare("α", expected.at("alpha", "value", ""), alpha.alpha);
    case.compare("standardised", expected.at("alpha", "standardised", ""), alpha.standardised);
    let rest: Vec<f64> = scores::item_statistics(&items, 1.0, 5.0, Pairing::Complete)
        .unwrap()
        .iter()
        .map(|s| s.item_rest_r.unwrap())
        .collect();
    expected.compare_all(&mut case, "alpha", "item_rest", &rest);
    let feldt = scores::feldt_interval(alpha.alpha, 8, 4, Level::P95).unwrap();
    case.compare("low", expected.at("alpha", "feldt", "low"), feldt.low);
    case.compare("high", expected.at("alpha", "feldt", "high"), feldt.high);
    case.finish();
    let rows = Table::own("r/closed_survey.csv");
    let clusters: Vec<usize> = rows.numbers("cluster").iter().map(|c| *c as usize).collect();
    let one_way = scores::one_way(&rows.numbers("y"), &clusters).unwrap();
    let mut case = Case::new("one-way analysis of variance", "R 4.2.2 aov", Relative(1e-10));
    for (i, (name, value)) in
        [("msb", one_way.msb), ("msw", one_way.msw), ("f", one_way.f.unwrap()), ("p", one_way.f_p.unwrap())]
            .iter()
            .enumerate()
    {
        let quantity = ["msb", "msw", "f", "p"][i];
        case.compare(name, expected.at("one_way", quantity, ""), *value);
    }
    case.finish();
}
