//! The delicate kernels against dense matrices, integrals and definitions in R: `r/dense.R`, on `r/dense_*.csv`.

use crate::common::{Case, Row, Table, Tolerance, Tolerance::Absolute, Tolerance::Relative, Tolerance::Scaled};
use crate::models::moments;
use crate::r_numbers::Numbers;
use prem_stats::binary::{BinaryCounts, SeparationPolicy, fit_logistic_random_intercept};
use prem_stats::bootstrap::{BootstrapInterval, BootstrapOptions, bootstrap, rank_intervals};
use prem_stats::case_mix::{
    ClusterCorrection, Criterion, ProfiledLikelihood, ShrinkageInterval, ShrunkenMean, UnitMoments, cluster_robust,
    fay_herriot, fit_random_intercept, nested_shrinkage, shrunken_means, within,
};
use prem_stats::funnel::{Correction, Outliers, Scale, funnel_limits, over_dispersion};
use prem_stats::interval::Level;
use prem_stats::rates::{RepeatEvents, SlopeTransform, directly_standardised_repeat_events, slope_index};
use prem_stats::survival::{FollowUp, LifeTable, NetMethod, ObservationWindow, net_survival};

const HOSPITAL: [u32; 12] = [0, 0, 1, 1, 1, 2, 3, 3, 4, 4, 5, 5];
const REFERENCE: [f64; 3] = [64.0, 0.5, 3.0];
const BASE: &str = "base R, dense matrices";

struct Rows {
    table: Table,
    wards: Vec<u32>,
}

impl Rows {
    fn moments(&self, outcome: &str, adjusters: &[&str]) -> UnitMoments {
        let x: Vec<Vec<f64>> = adjusters.iter().map(|a| self.table.numbers(a)).collect();
        let columns: Vec<&[f64]> = x.iter().map(Vec::as_slice).collect();
        moments(&self.wards, HOSPITAL.len(), &self.table.numbers(outcome), &columns)
    }
}

pub fn run() {
    let table = Table::own("r/dense_rows.csv");
    let rows = Rows { wards: table.numbers("ward").iter().map(|w| *w as u32 - 1).collect(), table };
    let expected = Numbers::read("dense_expected.csv");
    profile_and_boundary(&rows, &expected);
    averaged(&rows, &expected);
    logistic(&rows, &expected);
    robust(&rows, &expected);
    area_level(&expected);
    funnels(&expected);
    rates(&expected);
    resampling(&expected);
    period(&expected);
}

const ADJUSTERS: [&str; 3] = ["age", "acute", "health"];

fn profile_and_boundary(rows: &Rows, expected: &Numbers) {
    let mut case = Case::new("random intercept: criterion at fixed θ", BASE, Absolute(1e-8));
    for (outcome, kind, criterion) in
        [("y", "reml", Criterion::Reml), ("y", "ml", Criterion::Ml), ("still", "reml", Criterion::Reml)]
    {
        let likelihood = ProfiledLikelihood::new(&rows.moments(outcome, &ADJUSTERS), criterion).unwrap();
        for (theta, value) in expected.all(&format!("profile_{outcome}"), kind) {
            let at = likelihood.evaluate(theta.parse().unwrap()).unwrap().criterion;
            case.compare(&format!("{outcome} {kind} {theta}"), value, at);
        }
    }
    case.finish();
    let fit = fit_random_intercept(&rows.moments("still", &ADJUSTERS), Criterion::Reml, None).unwrap();
    let mut case = Case::new("random intercept at the boundary: least squares", "R 4.2.2 lm", Relative(1e-10));
    case.compare_same("boundary", &true, &fit.convergence.boundary);
    case.compare("θ", 0.0, fit.components.theta);
    case.compare("criterion", expected.at("still", "criterion", ""), fit.criterion);
    case.compare("σ", expected.at("still", "sigma", ""), fit.components.residual_sd);
    expected.compare_all(&mut case, "still", "beta", &fit.coefficients);
    expected.compare_all(&mut case, "still", "se", &fit.standard_errors());
    case.finish();
}

fn shrunken(expected: &Numbers, name: &str, title: &str, tolerance: Tolerance, got: &[ShrunkenMean]) {
    let mut case = Case::new(&format!("averaged shrunken value and SE: {title}"), "integrals in base R", tolerance);
    expected.compare_all(&mut case, name, "value", &got.iter().map(|m| m.value).collect::<Vec<_>>());
    expected.compare_all(&mut case, name, "se", &got.iter().map(|m| m.standard_error).collect::<Vec<_>>());
    case.finish();
}

fn averaged(rows: &Rows, expected: &Numbers) {
    let kind = ShrinkageInterval::Averaged;
    for (outcome, name, title) in [("y", "averaged_own", "own β"), ("still", "averaged_still", "own β, θ̂ = 0")] {
        let m = rows.moments(outcome, &ADJUSTERS);
        let fit = fit_random_intercept(&m, Criterion::Reml, None).unwrap();
        let got = shrunken_means(&fit, &m, &REFERENCE, kind, 0.95).unwrap();
        shrunken(expected, name, title, Relative(1e-8), &got);
    }
    let m = rows.moments("y", &ADJUSTERS);
    let slopes = within(&m).unwrap();
    let fit = fit_random_intercept(&m, Criterion::Reml, Some(&slopes)).unwrap();
    let got = shrunken_means(&fit, &m, &REFERENCE, kind, 0.95).unwrap();
    shrunken(expected, "averaged_within", "within-unit β", Relative(1e-8), &got);
    let tree = nested_shrinkage(&m, (&[HOSPITAL.to_vec()], 6), None, &REFERENCE, kind, 0.95).unwrap();
    // R's double integral is right to 1e-10: 20 and 48 points a side agree. The gaps, at most 7.7e-7 and 5.2e-8, are those of our
    // grid of 21 points a side.
    shrunken(expected, "tree_ward", "wards in hospitals", Relative(2.5e-6), &tree.levels[0]);
    shrunken(expected, "tree_hospital", "hospitals of wards", Relative(1.5e-7), &tree.levels[1]);
}

fn logistic(rows: &Rows, expected: &Numbers) {
    let z: Vec<f64> = rows.table.numbers("age").iter().map(|a| (a - 65.0) / 10.0).collect();
    let mut counts = BinaryCounts::new(HOSPITAL.len(), 2);
    counts.add(&rows.wards, &rows.table.numbers("event"), &[&z, &rows.table.numbers("acute")]).unwrap();
    let fit = fit_logistic_random_intercept(&counts.finish(), 25, SeparationPolicy::Refuse).unwrap();
    // R's own second derivatives are finite differences: the errors agree to 1e-5.
    let mut case = Case::new("logistic random intercept, likelihood integrated", "base R, Simpson", Relative(2e-6));
    case.compare("log-likelihood", expected.at("integrated", "loglik", ""), fit.log_likelihood);
    case.compare("τ", expected.at("integrated", "tau", ""), fit.between_unit_sd);
    expected.compare_all(&mut case, "integrated", "beta", &fit.coefficients);
    case.finish();
    let mut case = Case::new("logistic random intercept, SE, integrated", "base R, optimHess", Relative(1e-4));
    expected.compare_all(&mut case, "integrated", "se", &fit.standard_errors());
    case.finish();
}

/// An adjuster that varies in one ward only.
fn robust(rows: &Rows, expected: &Numbers) {
    let health = rows.table.numbers("health");
    let only: Vec<f64> = rows.wards.iter().zip(&health).map(|(w, h)| if *w == 5 { *h } else { 0.0 }).collect();
    let x = [rows.table.numbers("age"), rows.table.numbers("acute")];
    let m = moments(&rows.wards, HOSPITAL.len(), &rows.table.numbers("y"), &[&x[0], &x[1], &only]);
    let fit = within(&m).unwrap();
    let mut case =
        Case::new("cluster-robust SE and df, an adjuster of one ward", "clubSandwich 0.5.8", Relative(1e-10));
    for (name, correction) in [("alone_CR0", ClusterCorrection::Cr0), ("alone_CR2", ClusterCorrection::Cr2)] {
        let robust = cluster_robust(&fit, &m, correction).unwrap();
        expected.compare_all(&mut case, name, "se", &robust.standard_errors[..2]);
        if correction == ClusterCorrection::Cr2 {
            let df: Vec<f64> = robust.degrees_of_freedom[..2].iter().map(|d| d.unwrap()).collect();
            expected.compare_all(&mut case, name, "df", &df);
        }
    }
    case.finish();
}

fn area_level(expected: &Numbers) {
    let t = Table::own("r/dense_areas.csv");
    let fit =
        fay_herriot(&t.numbers("value"), &t.numbers("variance"), &[&t.numbers("z")], ShrinkageInterval::PlugIn, 0.95)
            .unwrap();
    let mut case = Case::new("Fay-Herriot with a covariate", "metafor rma, blup", Relative(1e-7));
    case.compare("A", expected.at("area", "A", ""), fit.between_unit_variance);
    let se: Vec<f64> = (0..2).map(|k| fit.covariance[(k, k)].sqrt()).collect();
    expected.compare_all(&mut case, "area", "beta", &fit.coefficients);
    expected.compare_all(&mut case, "area", "se", &se);
    expected.compare_all(&mut case, "area", "value", &fit.units.iter().map(|u| u.value).collect::<Vec<_>>());
    expected.compare_all(&mut case, "area", "mse", &fit.units.iter().map(|u| u.mean_squared_error).collect::<Vec<_>>());
    case.finish();
}

fn funnels(expected: &Numbers) {
    let x = [12.0, 40.0, 9.0, 77.0, 31.0, 5.0, 22.0, 60.0, 18.0, 90.0];
    let n = [40.0, 160.0, 21.0, 400.0, 70.0, 33.0, 60.0, 150.0, 120.0, 310.0];
    let e = [10.0, 52.0, 7.5, 61.0, 30.0, 11.0, 25.0, 49.0, 20.0, 97.0];
    let share = x.iter().sum::<f64>() / n.iter().sum::<f64>();
    for (name, scale, sizes, target) in
        [("funnel_proportion", Scale::ArcsineProportion, &n, share), ("funnel_ratio", Scale::SqrtRatio, &e, 1.0)]
    {
        let units: Vec<_> = x.iter().zip(sizes).map(|(x, s)| scale.standardise(x / s, *s, target).unwrap()).collect();
        let od = over_dispersion(&units, Outliers::Winsorise(0.1), Correction::Winsorised).unwrap();
        let mut case = Case::new(&format!("{name}: φ, τ², limits, κ by integration"), "base R", Relative(1e-10));
        case.compare("φ", expected.at(name, "phi", ""), od.phi);
        case.compare("τ²", expected.at(name, "tau2", ""), od.tau2);
        case.compare("κ", expected.at(name, "kappa", ""), od.kappa);
        let limits: Vec<_> =
            sizes.iter().map(|s| funnel_limits(scale, target, *s, od.tau2, Level::P95).unwrap()).collect();
        expected.compare_all(&mut case, name, "low", &limits.iter().map(|i| i.low).collect::<Vec<_>>());
        expected.compare_all(&mut case, name, "high", &limits.iter().map(|i| i.high).collect::<Vec<_>>());
        case.finish();
    }
}

fn rates(expected: &Numbers) {
    let persons = [[8.0, 15.0, 12.0], [2.0, 4.0, 5.0], [0.0, 1.0, 2.0]];
    let repeats: Vec<RepeatEvents> = (0..3)
        .flat_map(|f| (0..3).map(move |g| (f, g)))
        .map(|(f, stratum)| RepeatEvents { stratum, frequency: f as f64 + 1.0, persons: persons[f][stratum] })
        .collect();
    let (population, weights) = ([900.0, 1100.0, 700.0], [5000.0, 5500.0, 2500.0]);
    let rate = directly_standardised_repeat_events(&repeats, &population, &weights, 1e4, Level::P95).unwrap();
    let mut case =
        Case::new("directly standardised rate, repeat events, Dobson", "by definition in R", Relative(1e-12));
    let interval = rate.interval.unwrap();
    for (name, value) in [("value", rate.value), ("low", interval.low), ("high", interval.high)] {
        case.compare(name, expected.at("dobson", name, ""), value);
    }
    case.finish();
    let (population, shares) = ([310.0, 520.0, 480.0, 290.0, 700.0], [0.11, 0.16, 0.15, 0.24, 0.31]);
    let slope = slope_index(&population, &shares, SlopeTransform::Logit, 1.0).unwrap();
    let mut case = Case::new("SII and RII on the logit scale", "R 4.2.2 lm", Relative(1e-11));
    case.compare("SII", expected.at("slope_logit", "sii", ""), slope.sii);
    case.compare("RII", expected.at("slope_logit", "rii", ""), slope.rii);
    case.finish();
}

fn resampling(expected: &Numbers) {
    let u = [3.1, 7.4, 5.9, 12.2, 2.2, 9.1, 4.7];
    let w = [1.7, 2.9, 3.3, 4.1, 1.2, 2.6, 2.3];
    let options =
        BootstrapOptions { replicates: 40_000, seed: 11, level: Level::P95, interval: BootstrapInterval::Bca };
    let ratio = |i: &[usize]| Some(i.iter().map(|i| u[*i]).sum::<f64>() / i.iter().map(|i| w[*i]).sum::<f64>());
    let b = bootstrap(&[1, 1, 1, 1, 2, 2, 2], options, ratio).unwrap();
    let se = expected.at("bca", "se", "");
    let mut case = Case::new("BCa in two strata: limits in SEs", "all 6,912 resamples in R", Absolute(0.06));
    case.compare("value", expected.at("bca", "value", "") / se, b.value / se);
    case.compare("SE", 1.0, b.se / se);
    case.compare("low", expected.at("bca", "low", "") / se, b.interval.low / se);
    case.compare("high", expected.at("bca", "high", "") / se, b.interval.high / se);
    case.finish();
    let (values, ses) = ([3.0, 2.5, 1.0, 0.2, -1.5], [0.8, 1.1, 0.5, 1.4, 0.6]);
    let ranks = rank_intervals(&values, &ses, 40_000, 3, Level::P95).unwrap();
    // Four Monte-Carlo errors of a mean rank with SD 1.
    let mut case = Case::new("mean ranks", "integrals in R", Absolute(0.02));
    expected.compare_all(&mut case, "ranks", "mean", &ranks.iter().map(|r| r.mean_rank).collect::<Vec<_>>());
    case.finish();
    let mut case = Case::new("rank intervals", "integrals in R", Tolerance::Exact);
    expected.compare_all(&mut case, "ranks", "low", &ranks.iter().map(|r| r.interval.low).collect::<Vec<_>>());
    expected.compare_all(&mut case, "ranks", "high", &ranks.iter().map(|r| r.interval.high).collect::<Vec<_>>());
    case.finish();
}

/// Calendar days 700 to 1899, on the rows and the life table of `r/closed.R`.
fn period(expected: &Numbers) {
    let ages = [0.0, 45.0, 60.0, 75.0, 85.0].map(|a| a * 365.0);
    let hazards = Numbers::read("closed_expected.csv").values("life_table", "hazard");
    let table = LifeTable::new(&ages, &[0.0, 700.0, 1400.0], 2, &hazards).unwrap();
    let person = |r: Row| FollowUp {
        sex: r.number("sex") as usize - 1,
        age_days: r.number("age"),
        diagnosed: r.number("diagnosed"),
        days: r.number("days"),
        dead: r.number("dead") > 0.0,
    };
    let persons: Vec<FollowUp> = Table::own("r/closed_survival.csv").rows().map(person).collect();
    let window = Some(ObservationWindow { from: 700.0, to: 1900.0 });
    let points = net_survival(&persons, &table, &[60, 300], NetMethod::PoharPerme, window, Level::P95).unwrap();
    let mut case = Case::new("Pohar-Perme, period window", "person by person in R", Scaled(1e-10));
    let of = |f: fn(&prem_stats::survival::NetSurvivalPoint) -> Option<f64>| -> Vec<f64> {
        points.iter().map(|p| f(p).unwrap()).collect()
    };
    expected.compare_all(&mut case, "period", "survival", &of(|p| p.survival));
    expected.compare_all(&mut case, "period", "se", &of(|p| p.se));
    case.finish();
}
