//! Changes, age-standardised survival, strata, and the CAHPS manual's tests of units: R's metafor, survival, car, survey and lm
//! (`r/groups.R`).

use crate::common::{Case, Table, Tolerance::Exact, Tolerance::Relative};
use crate::models::moments;
use crate::r_numbers::Numbers;
use prem_stats::case_mix::{
    AdjustedMean, AdjustedMeanOptions, FixedEffectsConvention::CahpsManual, FixedEffectsUnit, SamplingVariance, Stars,
    StratumPart, combine_strata, fixed_effects, within,
};
use prem_stats::comparison::{Window, change_between};
use prem_stats::interval::Level;
use prem_stats::survival::{age_standardised, kaplan_meier};
use prem_stats::weights::{Design, mean, stratified_value};

pub fn run() {
    let expected = Numbers::read("groups_expected.csv");
    changes(&expected);
    age_groups(&expected);
    let rows = Table::own("r/closed_survey.csv");
    strata(&rows, &expected);
    units_of_strata(&rows, &expected);
    two_strata(&rows, &expected);
    cahps_manual(&expected);
}

fn changes(expected: &Numbers) {
    let input = |quantity: &str| expected.values("change", quantity);
    let (earlier, v0, later, v1) = (input("earlier"), input("v0"), input("later"), input("v1"));
    let (before, after) = (Window { start: 0, end: 365 }, Window { start: 365, end: 730 });
    let mut case = Case::new("change between periods: value, SE, limits, p", "metafor 3.8-1 rma", Relative(1e-10));
    for (level, percent) in [(Level::P95, "95"), (Level::new(0.99).unwrap(), "99")] {
        let of = |i: usize| change_between((earlier[i], v0[i], before), (later[i], v1[i], after), level).unwrap();
        let found: Vec<_> = (0..earlier.len()).map(of).collect();
        expected.compare_all(&mut case, "change", "change", &found.iter().map(|c| c.change).collect::<Vec<_>>());
        expected.compare_all(&mut case, "change", "se", &found.iter().map(|c| c.se).collect::<Vec<_>>());
        expected.compare_all(&mut case, "change", "p", &found.iter().map(|c| c.p.unwrap()).collect::<Vec<_>>());
        for (quantity, limits) in [
            ("low", found.iter().map(|c| c.interval.low).collect::<Vec<_>>()),
            ("high", found.iter().map(|c| c.interval.high).collect()),
        ] {
            expected.compare_all(&mut case, "change", &format!("{quantity}_{percent}"), &limits);
        }
    }
    case.finish();
}

fn age_groups(expected: &Numbers) {
    let rows = Table::own("r/closed_survival.csv");
    let days: Vec<f64> = expected.all("age", "value").iter().map(|(day, _)| day.parse().unwrap()).collect();
    let groups = [false, true].map(|old| {
        let of_group = || rows.rows().filter(move |r| (r.number("age") >= 65.0 * 365.0) == old);
        let times: Vec<f64> = of_group().map(|r| r.number("days")).collect();
        let dead: Vec<bool> = of_group().map(|r| r.number("dead") > 0.0).collect();
        kaplan_meier(&times, &dead, &days, Level::P95).unwrap()
    });
    let mut case = Case::new("age-standardised survival: value, SE, limits", "survfit, car 3.1-1", Relative(1e-10));
    for (i, day) in days.iter().enumerate() {
        let parts = [&groups[0][i], &groups[1][i]].map(|p| (p.survival.unwrap(), p.se.unwrap()));
        let (value, se, limits) = age_standardised(&parts, &[70.0, 30.0], Level::P95).unwrap();
        for (quantity, found) in [("value", value), ("se", se), ("low", limits.low), ("high", limits.high)] {
            case.compare(&format!("day {day} {quantity}"), expected.at("age", quantity, &day.to_string()), found);
        }
    }
    case.finish();
}

fn codes(rows: &Table, column: &str) -> Vec<u32> {
    rows.numbers(column).iter().map(|v| *v as u32 - 1).collect()
}

/// A mean a stratum, then one of all.
fn strata(rows: &Table, expected: &Numbers) {
    let (y, stratum, sizes) = (rows.numbers("y"), codes(rows, "stratum"), expected.values("strata", "size"));
    let each: Vec<(f64, f64)> = (0..3)
        .map(|h| {
            let own: Vec<f64> = y.iter().zip(&stratum).filter(|(_, s)| **s == h).map(|(y, _)| *y).collect();
            let weights = vec![1.0; own.len()];
            let population = vec![sizes[h as usize]; own.len()];
            let design = Design { population: Some(&population), ..Design::weighted(&weights) };
            let found = mean(&own, &design, None).unwrap();
            (found.value, found.se * found.se)
        })
        .collect();
    let (values, variances): (Vec<f64>, Vec<f64>) = each.into_iter().unzip();
    let mut case = Case::new("values above the sampling stratum", "survey 4.1-1, R 4.2.2", Relative(1e-10));
    expected.compare_all(&mut case, "strata", "mean", &values);
    expected.compare_all(&mut case, "strata", "variance", &variances);
    let (value, variance) = stratified_value(&values, &variances, &sizes).unwrap();
    case.compare("value", expected.at("strata", "value", ""), value);
    case.compare("SE", expected.at("strata", "se", ""), variance.sqrt());
    case.finish();
}

/// Adjusted means of a unit that is two whole strata, and of one that has a part of each of three.
fn units_of_strata(rows: &Table, expected: &Numbers) {
    let (stratum, kind, sizes) = (codes(rows, "stratum"), codes(rows, "type"), expected.values("strata", "size"));
    let cells: Vec<u32> = stratum.iter().zip(&kind).map(|(h, t)| 3 * t + h).collect();
    let m = moments(&cells, 9, &rows.numbers("y"), &[&rows.numbers("age"), &rows.numbers("sex")]);
    let fit = within(&m).unwrap();
    let (reference, options) = ([2.6, 1.4], AdjustedMeanOptions { robust_from: 2, ..Default::default() });
    let stratum_of: Vec<Option<u32>> = (0..9).map(|cell| Some(cell % 3)).collect();
    let of_strata = fit.adjusted_means(&m.aggregate(&stratum_of, 3).unwrap(), &reference, &options).unwrap();
    let respondents: Vec<u64> = of_strata.iter().flatten().map(|s| s.n).collect();
    let left = |h: usize| 1.0 - respondents[h] as f64 / sizes[h];
    let whole: Vec<StratumPart> = (0..2)
        .map(|h| StratumPart {
            population: sizes[h],
            mean: of_strata[h].as_ref().unwrap(),
            respondents: respondents[h],
            left: left(h),
        })
        .collect();
    // survey takes n/(n − 1) of the whole stratum, we m/(m − 1) of the part: with its factor both must agree.
    let parts: Vec<AdjustedMean> = fit.adjusted_means(&m, &reference, &options).unwrap()[..3]
        .iter()
        .flatten()
        .zip(&respondents)
        .map(|(part, n)| {
            let (m, n) = (part.n as f64, *n as f64);
            assert_eq!(part.source, SamplingVariance::Robust);
            let s = part.sampling_variance * (m - 1.0) / m * n / (n - 1.0);
            part.with_sampling_variance(s, m - 1.0, 0.95).unwrap()
        })
        .collect();
    let part: Vec<StratumPart> = (0..3)
        .map(|h| StratumPart {
            population: sizes[h] * parts[h].n as f64 / respondents[h] as f64,
            mean: &parts[h],
            respondents: respondents[h],
            left: left(h),
        })
        .collect();
    for (name, title, parts) in [("whole", "whole strata", whole), ("part", "parts of strata", part)] {
        let found = combine_strata(&parts, &fit.covariance, &reference, 0.95).unwrap();
        let mut case =
            Case::new(&format!("adjusted mean of a unit of {title}"), "survey 4.1-1, R 4.2.2 lm", Relative(1e-10));
        for (quantity, value) in [
            ("value", found.value),
            ("crude", found.crude),
            ("sampling", found.sampling_variance),
            ("variance", found.variance),
            ("n_effective", found.n_effective),
        ] {
            case.compare(quantity, expected.at(name, quantity, ""), value);
        }
        case.finish();
    }
}

/// Degrees of freedom over strata are Welch's.
fn two_strata(rows: &Table, expected: &Numbers) {
    let m = moments(&codes(rows, "stratum"), 3, &rows.numbers("y"), &[]);
    let fit = within(&m).unwrap();
    let options = AdjustedMeanOptions { level: 0.9, robust_from: 2 };
    let means = fit.adjusted_means(&m, &[], &options).unwrap();
    let part = |h: usize| {
        let mean: &AdjustedMean = means[h].as_ref().unwrap();
        StratumPart { population: expected.values("strata", "size")[h], mean, respondents: mean.n, left: 1.0 }
    };
    let found = combine_strata(&[part(0), part(1)], &fit.covariance, &[], 0.9).unwrap();
    let mut case = Case::new("mean of two strata: SE, df, limits", "R 4.2.2 t.test, Welch", Relative(1e-10));
    for (quantity, value) in [
        ("value", found.value),
        ("se", found.standard_error),
        ("df", found.degrees_of_freedom),
        ("low", found.lower),
        ("high", found.upper),
    ] {
        case.compare(quantity, expected.at("welch", quantity, ""), value);
    }
    case.finish();
}

/// Two items with gaps; the third hospital has no answer to the second item.
fn cahps_manual(expected: &Numbers) {
    let rows = Table::own("r/models_rows.csv");
    let hospitals = codes(&rows, "hospital");
    let units = hospitals.iter().max().unwrap() + 1;
    let with_gaps = |column: &str, every: usize, but: Option<u32>| -> Vec<f64> {
        let keep = |i: usize| !(i + 1).is_multiple_of(every) && Some(hospitals[i]) != but;
        rows.numbers(column).into_iter().enumerate().map(|(i, v)| if keep(i) { v } else { f64::NAN }).collect()
    };
    let items = [with_gaps("y", 5, None), with_gaps("even", 7, Some(2))];
    let adjusters = [&rows.numbers("x1")[..], &rows.numbers("x2")];
    let fit = fixed_effects(&hospitals, units as usize, &[&items[0], &items[1]], &adjusters, CahpsManual).unwrap();
    assert!(fit.units[2].is_none());
    let of = |f: fn(&FixedEffectsUnit) -> f64| fit.units.iter().flatten().map(f).collect::<Vec<f64>>();
    let mut case = Case::new("CAHPS manual: units", "R 4.2.2 lm, contrasts", Relative(1e-10));
    for (k, item) in fit.items.iter().enumerate() {
        expected.compare_all(&mut case, "cahps", &format!("beta_{}", k + 1), &item.fit.coefficients);
    }
    type Quantity = (&'static str, fn(&FixedEffectsUnit) -> f64);
    let quantities: [Quantity; 7] = [
        ("unadjusted", |u| u.unadjusted),
        ("adjusted", |u| u.adjusted),
        ("variance", |u| u.variance),
        ("delta", |u| u.delta),
        ("se", |u| u.delta_standard_error),
        ("half", |u| u.half_width_95),
        ("p", |u| u.p),
    ];
    for (quantity, f) in quantities {
        expected.compare_all(&mut case, "cahps", quantity, &of(f));
    }
    for (quantity, value) in [
        ("grand", fit.grand_mean.unwrap()),
        ("F", fit.f.unwrap()),
        ("df1", fit.df1),
        ("df2", fit.df2),
        ("p_F", fit.f_p.unwrap()),
    ] {
        case.compare(quantity, expected.at("cahps", quantity, ""), value);
    }
    case.finish();
    let mut case = Case::new("CAHPS manual: counts and stars", "R 4.2.2 lm, contrasts", Exact);
    expected.compare_all(&mut case, "cahps", "n", &of(|u| u.n as f64));
    let stars = |u: &FixedEffectsUnit| match u.stars {
        Stars::Below => 1.0,
        Stars::Average => 2.0,
        Stars::Above => 3.0,
    };
    expected.compare_all(&mut case, "cahps", "stars", &of(stars));
    case.finish();
}
