//! A real survey through declarations alone: the adjusted unit means of the CAHPS macro 4.1c.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use prem_store::tables::Estimate;

use crate::{place::Place, reference_folder};

/// Absolute tolerance of the reference for means and variances; p-values 1e-8.
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

#[test]
fn adjusted_unit_means_equal_the_macro() {
    let Some(place) = place() else { return };
    place.run(&[]);
    let manifest = place.manifest();
    let rows = &manifest["rows"]["responses"];
    // 1,975 respondents; plan 6 is not in the plan list and one respondent has no plan.
    assert_eq!((rows["rows_in"].as_u64(), rows["kept"].as_u64()), (Some(1975), Some(1973)));
    let estimates: Vec<Estimate> = place.table("region");
    let by_unit: BTreeMap<(&str, &str), &Estimate> =
        estimates.iter().map(|row| ((row.indicator.as_str(), row.unit_id.as_str()), row)).collect();
    let mut reader = csv::Reader::from_path(reference().join("expected_units.csv")).expect("expected values");
    let mut compared = 0;
    for record in reader.deserialize::<BTreeMap<String, String>>() {
        let record = record.expect("a row of expected values");
        let indicator = if record["analysis"] == "q38" { "overall" } else { "quick" };
        let unit = record["unit"].to_lowercase().replace('_', "-");
        let row = by_unit[&(indicator, unit.as_str())];
        let close = |column: &str, got: Option<f64>, tolerance: f64| {
            let (wanted, got) = (record[column].parse::<f64>().expect("a number"), got.expect("a value"));
            assert!((wanted - got).abs() <= tolerance, "{indicator} {unit} {column}: {got} instead of {wanted}");
        };
        close("n_used", row.n.map(|n| f64::from(i32::try_from(n).expect("a small n"))), 0.0);
        close("unadjusted_mean", row.raw, TOLERANCE);
        close("adjusted_mean", row.value, TOLERANCE);
        close("variance", row.se.map(|se| se * se), TOLERANCE);
        close("delta", row.difference, TOLERANCE);
        close("se", row.difference_se, TOLERANCE);
        close("p_value", row.p, TOLERANCE_P);
        let word = match record["stars"].as_str() {
            "1" => "worse",
            "3" => "better",
            _ => "as-expected",
        };
        assert_eq!(row.comparison.as_deref(), Some(word), "{indicator} {unit}");
        compared += 1;
    }
    assert_eq!(compared, 10);
}
