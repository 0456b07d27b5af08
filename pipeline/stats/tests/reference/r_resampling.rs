//! Units drawn again, and slope indices with intervals: all resamples, and closed forms, in R (`r/resampling.R`).

use crate::common::{Case, Tolerance::Absolute};
use crate::models::moments;
use crate::r_numbers::Numbers;
use prem_stats::Result;
use prem_stats::bootstrap::{Bootstrap, BootstrapInterval, BootstrapOptions, bootstrap, bootstrap_units};
use prem_stats::case_mix::{Criterion, fit_random_intercept};
use prem_stats::interval::Level;
use prem_stats::rates::{GroupValues, SlopeTransform, slope_index_interval};
use prem_stats::variation::{dersimonian_laird, gini, scv_diehr};

pub fn run() {
    let expected = Numbers::read("resampling_expected.csv");
    units(&expected);
    slopes(&expected);
}

fn units(expected: &Numbers) {
    let observed = [52.0, 31.0, 78.0, 40.0, 66.0, 25.0, 90.0, 47.0];
    let events = [45.0, 38.0, 70.0, 52.0, 49.0, 33.0, 82.0, 60.0];
    let values = [71.2, 66.9, 75.4, 69.3, 73.8, 64.1, 70.6, 77.9];
    let variances = [3.1, 2.2, 4.0, 1.5, 2.8, 3.6, 1.9, 2.5];
    let rows: Vec<u32> = (0..96).map(|i| i % 8).collect();
    let scores: Vec<f64> = (0..96).map(|i| f64::from(60 + 3 * (i % 8) + (i * 37) % 23)).collect();
    let scores = moments(&rows, 8, &scores, &[]);
    let icc = |units: &[usize]| {
        let fit = fit_random_intercept(&scores.of_units(units).ok()?, Criterion::Reml, None).ok()?;
        Some(fit.components.intraclass_correlation())
    };
    for (quantity, interval) in [("perc", BootstrapInterval::Percentile), ("bca", BootstrapInterval::Bca)] {
        let options = BootstrapOptions { replicates: 20_000, seed: 8, level: Level::P95, interval };
        let results: [(&str, Result<Bootstrap>); 4] = [
            ("scv", bootstrap_units([&observed, &events], options, |[o, e]| scv_diehr(o, e, 1.0).map(|s| s.raw))),
            ("gini", bootstrap_units([&observed, &events], options, |[o, e]| gini(o, e))),
            (
                "between_sd",
                bootstrap_units([&values, &variances], options, |[y, v]| {
                    dersimonian_laird(y, v).map(|h| h.between_unit_sd())
                }),
            ),
            ("icc", bootstrap(&[0; 8], options, icc)),
        ];
        for (name, result) in results {
            let b = result.unwrap();
            let se = expected.at(name, "se", "");
            // Twice the Monte-Carlo error of a limit: see `r_closed`.
            let mut case = Case::new(
                &format!("{name}, units drawn, {quantity}: limits in SEs"),
                "all resamples in R",
                Absolute(0.06),
            );
            case.compare("value", expected.at(name, "value", "") / se, b.value / se);
            case.compare("SE", 1.0, b.se / se);
            case.compare("low", expected.at(name, quantity, "low") / se, b.interval.low / se);
            case.compare("high", expected.at(name, quantity, "high") / se, b.interval.high / se);
            case.finish();
        }
    }
}

fn slopes(expected: &Numbers) {
    let values = [12.0, 14.5, 13.8, 17.1, 20.2];
    let errors = [0.9, 0.7, 0.8, 0.6, 1.1];
    let relative: Vec<f64> = errors.iter().zip(values).map(|(se, v)| se / v).collect();
    for (name, transform, standard_errors) in
        [("slope_none", SlopeTransform::None, &errors[..]), ("slope_log", SlopeTransform::Log, &relative)]
    {
        let groups =
            GroupValues { population: &[900.0, 1100.0, 1000.0, 1200.0, 800.0], values: &values, standard_errors };
        let b = slope_index_interval(groups, transform, 1.0, 100_000, 6, Level::P95).unwrap();
        for (quantity, interval) in [("sii", b.sii), ("rii", b.rii.unwrap())] {
            let (low, high) = (expected.at(name, quantity, "low"), expected.at(name, quantity, "high"));
            let se = (high - low) / 3.92;
            // The error of a 2.5 % quantile of 100,000 draws is 0.8 % of the SE.
            let mut case =
                Case::new(&format!("{name}, {quantity}: limits in SEs"), "normal, Fieller, draws in R", Absolute(0.03));
            case.compare("low", low / se, interval.low / se);
            case.compare("high", high / se, interval.high / se);
            case.finish();
        }
    }
}
