//! A real survey through declarations alone: adjusted unit means, coefficients and the overall test of the CAHPS macro 4.1c.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use prem_stats::distributions::f;
use prem_store::tables::{CaseMix, Estimate};

use crate::{place::Place, reference_folder};

/// Absolute tolerance of the reference for means, variances and coefficients; p-values 1e-8.
const TOLERANCE: f64 = 1e-9;
const TOLERANCE_P: f64 = 1e-8;

fn reference() -> PathBuf {
    reference_folder::root().join("cahps")
}

/// The survey, not run yet; `None` where it is not beside the project.
pub fn place() -> Option<Place> {
    let responses = reference_folder::find("cahps/responses.csv")?;
    let place = Place::empty(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/e2e/cahps/schemas"));
    fs::copy(responses, place.inbox("responses.csv")).expect("a copy of the responses");
    Some(place)
}

type Row = BTreeMap<String, String>;

/// What the macro wrote into `file`.
fn expected(file: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(reference().join(file)).expect("expected values");
    reader.deserialize().map(|row| row.expect("a row of expected values")).collect()
}

/// The indicator that declares one of the macro's analyses.
fn indicator(expected: &Row) -> &'static str {
    if expected["analysis"] == "q38" { "overall" } else { "quick" }
}

/// General health and age.
const ADJUSTERS: f64 = 2.0;

fn close(expected: &Row, column: &str, got: Option<f64>, tolerance: f64) {
    let wanted: f64 = expected[column].parse().expect("a number");
    let got = got.unwrap_or_else(|| panic!("{column}: no value, in {expected:?}"));
    assert!((wanted - got).abs() <= tolerance, "{column}: {got} instead of {wanted}, in {expected:?}");
}

fn number(count: i64) -> f64 {
    f64::from(i32::try_from(count).expect("a small count"))
}

#[test]
fn units_coefficients_and_the_overall_test_equal_the_macro() {
    let Some(place) = place() else { return };
    place.run(&[]);
    let manifest = place.manifest();
    let rows = &manifest["rows"]["responses"];
    // 1,975 respondents; plan 6 is not in the plan list and one respondent has no plan.
    assert_eq!((rows["rows_in"].as_u64(), rows["kept"].as_u64()), (Some(1975), Some(1973)));
    let estimates: Vec<Estimate> = place.table("region");
    units(&estimates);
    overall(&estimates);
    coefficients(&place.table("region"));
}

fn units(estimates: &[Estimate]) {
    let by_unit: BTreeMap<(&str, &str), &Estimate> =
        estimates.iter().map(|row| ((row.indicator.as_str(), row.unit_id.as_str()), row)).collect();
    let wanted = expected("expected_units.csv");
    assert_eq!(wanted.len(), 10);
    for wanted in &wanted {
        let unit = wanted["unit"].to_lowercase().replace('_', "-");
        let row = by_unit[&(indicator(wanted), unit.as_str())];
        close(wanted, "n_used", row.n.map(number), 0.0);
        close(wanted, "unadjusted_mean", row.raw, TOLERANCE);
        close(wanted, "adjusted_mean", row.value, TOLERANCE);
        close(wanted, "variance", row.se.map(|se| se * se), TOLERANCE);
        close(wanted, "delta", row.difference, TOLERANCE);
        close(wanted, "se", row.difference_se, TOLERANCE);
        close(wanted, "p_value", row.p, TOLERANCE_P);
        let word = match wanted["stars"].as_str() {
            "1" => "worse",
            "3" => "better",
            _ => "as-expected",
        };
        assert_eq!(row.comparison.as_deref(), Some(word), "{wanted:?}");
    }
}

/// The mean of the units is the region's row. The macro's precision-weighted mean and its F test of all units have no
/// column: they follow from the units' published values and standard errors.
fn overall(estimates: &[Estimate]) {
    let wanted = expected("expected_overall.csv");
    assert_eq!(wanted.len(), 2);
    for wanted in &wanted {
        let of = |level: &'static str| {
            estimates.iter().filter(move |row| row.indicator == indicator(wanted) && row.level == level)
        };
        let region = of("rhf").next().expect("the region's row");
        close(wanted, "n_total", region.n.map(number), 0.0);
        close(wanted, "overall_mean", region.value, TOLERANCE);
        // Adjustment moves units, and their mean not at all.
        close(wanted, "overall_mean", region.raw, TOLERANCE);
        let units: Vec<(f64, f64)> =
            of("hf").map(|row| (row.value.expect("a value"), row.se.expect("a standard error").powi(2))).collect();
        close(wanted, "n_units", Some(units.len() as f64), 0.0);
        let precision: f64 = units.iter().map(|(_, variance)| 1.0 / variance).sum();
        let grand = units.iter().map(|(value, variance)| value / variance).sum::<f64>() / precision;
        close(wanted, "grand_mean", Some(grand), TOLERANCE);
        let between = units.len() as f64 - 1.0;
        let ratio = units.iter().map(|(value, variance)| (value - grand).powi(2) / variance).sum::<f64>() / between;
        close(wanted, "F", Some(ratio), TOLERANCE);
        let within = number(region.n.expect("a count")) - units.len() as f64 - ADJUSTERS;
        close(wanted, "df1", Some(between), 0.0);
        close(wanted, "df2", Some(within), 0.0);
        close(wanted, "p", Some(f::sf(ratio, between, within).expect("a tail")), TOLERANCE_P);
    }
}

/// Coefficients and fit of every item; a composite's rows in the case-mix table begin with the item.
fn coefficients(case_mix: &[CaseMix]) {
    let wanted = expected("expected_coefficients.csv");
    assert_eq!(wanted.len(), 5);
    for wanted in &wanted {
        let id = indicator(wanted);
        let prefix = if id == "quick" { format!("{}: ", wanted["item"]) } else { String::new() };
        let term = |term: &str| {
            let is_it = |row: &&CaseMix| row.indicator == id && row.term == format!("{prefix}{term}");
            case_mix.iter().find(is_it).unwrap_or_else(|| panic!("no row {prefix}{term} of {id}"))
        };
        close(wanted, "coef_ghr", term("ghr").estimate, TOLERANCE);
        close(wanted, "coef_age", term("age").estimate, TOLERANCE);
        let fit = term("(fit)");
        let n = number(fit.n_used);
        close(wanted, "n_responses", Some(n), 0.0);
        close(wanted, "r_squared", fit.r_squared, TOLERANCE);
        let adjusted = fit.r_squared.map(|share| 1.0 - (1.0 - share) * (n - 1.0) / (n - 1.0 - ADJUSTERS));
        close(wanted, "adj_r_squared", adjusted, TOLERANCE);
        assert_eq!((fit.n_units, fit.n_left_out), (5, 0), "{wanted:?}");
    }
}
