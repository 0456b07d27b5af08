//! The estimates find what is true of the synthetic region.

use serde_json::Value;

use crate::place::{Place, expect_code};

/// Nominal 95 %. One region is a small sample of regions, and its units share the coefficients' error: wider than the
/// criterion of the simulation study, narrow enough to catch a wrong variance.
const COVERAGE: std::ops::RangeInclusive<f64> = 0.90..=0.99;

#[test]
fn estimates_hold_the_truth_and_adjustment_brings_them_nearer() {
    let place = Place::region(12_000);
    place.run(&[]);
    let output = place.prem(&["recovery"]);
    expect_code(&output, 0);
    let recovery: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let rows = recovery["agreements"].as_array().expect("agreements");
    let at = |level: &str, prefix: &str| -> Vec<&Value> {
        let is_here = |row: &&Value| {
            row["level"] == level && row["indicator"].as_str().is_some_and(|indicator| indicator.starts_with(prefix))
        };
        rows.iter().filter(is_here).collect()
    };
    let number = |row: &Value, name: &str| row[name].as_f64().unwrap_or(f64::NAN);
    let wards = at("ward", "inpatient-");
    assert_eq!(wards.len(), 7);
    let (mut raw, mut adjusted, mut shrunken) = (0.0, 0.0, 0.0);
    for row in wards {
        let coverage = number(row, "coverage");
        assert!(COVERAGE.contains(&coverage), "{}: intervals hold the truth in {coverage}", row["indicator"]);
        if !row["rmse_shrunken"].is_null() {
            raw += number(row, "rmse_raw");
            adjusted += number(row, "rmse_adjusted");
            shrunken += number(row, "rmse_shrunken");
        }
    }
    assert!(raw > adjusted && adjusted > shrunken, "errors: raw {raw}, adjusted {adjusted}, shrunken {shrunken}");
    for row in at("hf", "surgery-") {
        assert!(number(row, "correlation_adjusted") > 0.4, "{row}");
    }
}
