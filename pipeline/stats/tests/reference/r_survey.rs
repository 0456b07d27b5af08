//! Designs with strata, clusters and finite populations, and weights brought to margins: R's survey package on
//! `r/closed_survey.csv`.

use crate::common::{Case, Table, Tolerance::Relative};
use crate::r_numbers::Numbers;
use prem_stats::interval::{Level, weighted_mean};
use prem_stats::weights::{self, Cap, Design, DesignEstimate, Margin, RakeOptions};

const SOURCE: &str = "survey 4.1-1, R 4.2.2";

pub fn run() {
    let (rows, expected) = (Table::own("r/closed_survey.csv"), Numbers::read("closed_expected.csv"));
    designs(&rows, &expected);
    margins(&rows, &expected);
}

fn codes(rows: &Table, column: &str) -> Vec<usize> {
    rows.numbers(column).iter().map(|v| *v as usize - 1).collect()
}

fn compare(case: &mut Case, expected: &Numbers, name: &str, e: &DesignEstimate) {
    case.compare(&format!("{name} value"), expected.at(name, "value", ""), e.value);
    case.compare(&format!("{name} SE"), expected.at(name, "se", ""), e.se);
}

fn designs(rows: &Table, expected: &Numbers) {
    let (w, population) = (rows.numbers("w"), rows.numbers("population"));
    let (y, x, domain) = (rows.numbers("y"), rows.numbers("x"), rows.numbers("in_domain"));
    let (strata, clusters) = (codes(rows, "stratum"), codes(rows, "cluster"));
    let nested = Design { weights: &w, strata: Some(&strata), clusters: Some(&clusters), population: None };
    let full = Design { population: Some(&population), ..nested };
    for (name, design) in [("plain", Design::weighted(&w)), ("nofpc", nested), ("full", full)] {
        let mut case = Case::new(&format!("survey estimates, unequal clusters, {name}"), SOURCE, Relative(1e-10));
        let of = |what: &str| format!("{name}_{what}");
        let mean = weights::mean(&y, &design, None).unwrap();
        compare(&mut case, expected, &of("mean"), &mean);
        case.compare("df", expected.at(&of("mean"), "df", ""), mean.df);
        let deff = |quantity: &str| Some(expected.at(&of("mean"), quantity, ""));
        case.compare_optional("design effect", deff("deff"), mean.design_effect);
        case.compare_optional("with replacement", deff("deff_replace"), mean.design_effect_with_replacement);
        compare(&mut case, expected, &of("total"), &weights::total(&y, &design, None).unwrap());
        compare(&mut case, expected, &of("ratio"), &weights::ratio(&y, &x, &design).unwrap());
        let inside: Vec<f64> = y.iter().zip(&domain).map(|(y, d)| y * d).collect();
        compare(&mut case, expected, &of("domain"), &weights::ratio(&inside, &domain, &design).unwrap());
        case.finish();
    }
    let mut case = Case::new("linearised weighted mean", SOURCE, Relative(1e-10));
    let mean = weighted_mean(&y, &w, Level::P95).unwrap();
    case.compare("value", expected.at("plain_mean", "value", ""), mean.value);
    case.compare("SE", expected.at("plain_mean", "se", ""), mean.se);
    case.finish();
}

fn margins(rows: &Table, expected: &Numbers) {
    let (w, y) = (rows.numbers("w"), rows.numbers("y"));
    let margin = |column: &str, totals: &[f64]| Margin { cells: codes(rows, column), totals: totals.to_vec() };
    let age = margin("age", &[300.0, 700.0, 1000.0, 1100.0]);
    let all = [age.clone(), margin("sex", &[1400.0, 1700.0]), margin("type", &[900.0, 1200.0, 1000.0])];
    let with_residuals = |case: &mut Case, name: &str, w: &[f64], margins: &[Margin]| {
        let residuals = weights::margin_residuals(&y, w, margins).unwrap();
        let mean = weights::mean(&y, &Design::weighted(w), Some(&residuals)).unwrap();
        compare(case, expected, name, &mean);
    };
    let mut case = Case::new("post-stratified weights, mean and SE", SOURCE, Relative(1e-10));
    let post = weights::post_stratify(&w, &age).unwrap();
    expected.compare_all(&mut case, "post_stratified", "weight", &post);
    case.finish();
    // R rakes until no total moves by more than 1e-11; that is what it and we may differ by, here and in the errors.
    let mut case = Case::new("raked weights, three margins", SOURCE, Relative(1e-9));
    let options = RakeOptions { tolerance: 1e-13, ..RakeOptions::default() };
    let raked = weights::rake(&w, &all, &options).unwrap();
    expected.compare_all(&mut case, "raked", "weight", &raked.weights);
    case.finish();
    let mut case = Case::new("SE after post-stratifying and raking", SOURCE, Relative(1e-9));
    with_residuals(&mut case, "post_stratified_mean", &post, std::slice::from_ref(&age));
    with_residuals(&mut case, "raked_mean", &raked.weights, &all);
    case.finish();
    let mut case = Case::new("raking and a cap in turn", "survey's rake with pmin", Relative(1e-7));
    let cap = Cap { times_mean: 1.6, strata: codes(rows, "stratum") };
    let trimmed = weights::rake(&w, &all, &RakeOptions { cap: Some(cap.clone()), ..RakeOptions::default() }).unwrap();
    expected.compare_all(&mut case, "trimmed", "weight", &trimmed.weights);
    case.finish();
    assert!(trimmed.largest_gap <= 1e-10 && trimmed.trimmed > 0);
}
