//! What was expected and has not come: in `prem status`, in a run's summary, and in its log.

use std::fs;

use serde_json::Value;

use crate::place::{Place, copy_folder, expect_code, shipped_schemas, text};

#[test]
fn a_delivery_that_is_late_is_told_everywhere_and_changes_no_number() {
    let place = Place::region(300);
    let first = place.run(&[]);
    assert_eq!(first["past_due"], Value::Array(Vec::new()));
    let schemas = place.path().join("schemas");
    copy_folder(&shipped_schemas(), &schemas);
    let export = schemas.join("exports/survey-responses.toml");
    let declared = fs::read_to_string(&export).expect("an export");
    let calendar = "\n[expected]\nevery = \"month\"\nsince = 2024-01-01\nperiod_in_name = \"_%Y-%m\"\n";
    fs::write(&export, declared + calendar).expect("a calendar");
    place.use_schemas("schemas");

    let output = place.prem(&["run"]);
    expect_code(&output, 0);
    assert!(text(&output.stderr).contains("a delivery is late"), "{}", text(&output.stderr));
    let summary: Value = serde_json::from_slice(&output.stdout).expect("a summary");
    assert_eq!((&summary["run_id"], &summary["idle"]), (&first["run_id"], &Value::Bool(true)));
    let awaited = &summary["past_due"][0];
    assert_eq!(awaited["export"], "survey-responses");
    // The region's answers end, and the clock goes on: what is missing begins after the last of them.
    let latest = awaited["latest"].as_str().expect("a month");
    let missing = awaited["missing"].as_array().expect("months");
    let last = missing.last().expect("a late month");
    assert!(last["late"] == true && last["period"].as_str() > Some(latest), "{awaited}");
    let status = place.prem(&["status"]);
    let status: Value = serde_json::from_slice(&status.stdout).expect("a status");
    assert_eq!(status["expected"][0]["missing"], awaited["missing"]);
}
