//! Rows in = kept + quarantined + duplicate + superseded + excluded, against what the generator planted.

use std::{collections::BTreeMap, fs};

use prem_store::tables::{Unlinked, Unmatched, read_table};
use serde_json::Value;

use crate::place::{Place, prem, text};

/// What the generator calls a stray response, and what linking calls it.
const STRAYS: [(&str, &str); 3] =
    [("unknown-invitation", "no-invitation"), ("out-of-window", "answered-too-late"), ("unknown-unit", "unit-unknown")];

#[test]
fn every_planted_row_is_found_under_its_reason() {
    let place = Place::region(4_000);
    place.run(&[]);
    let manifest = place.manifest();
    let mut planted: BTreeMap<(String, String, String), u64> = BTreeMap::new();
    let mut reader = csv::Reader::from_path(place.path().join("truth/deliveries.csv")).expect("the truth");
    for record in reader.deserialize::<BTreeMap<String, String>>() {
        let record = record.expect("a row");
        let key = (record["dataset"].clone(), record["finding"].clone(), record["reason"].clone());
        planted.insert(key, record["rows"].parse().expect("a count"));
    }
    let planted_in = |dataset: &str, finding: &str| -> BTreeMap<String, u64> {
        let wanted = planted.iter().filter(|((d, f, _), rows)| d == dataset && f == finding && **rows > 0);
        wanted.map(|((.., reason), rows)| (reason.clone(), *rows)).collect()
    };
    let datasets = manifest["rows"].as_object().expect("rows per dataset");
    assert_eq!(datasets.len(), 5);
    for (dataset, counts) in datasets {
        let number = |name: &str| counts[name].as_u64().expect("a count");
        let reasons = |name: &str| -> BTreeMap<String, u64> {
            let of = counts[name].as_object().expect("counts by reason");
            of.iter().map(|(reason, rows)| (reason.clone(), rows.as_u64().expect("a count"))).collect()
        };
        let sum = |counts: &BTreeMap<String, u64>| counts.values().sum::<u64>();
        let (quarantined, excluded) = (reasons("quarantined"), reasons("excluded"));
        assert_eq!(
            number("rows_in"),
            number("kept") + sum(&quarantined) + number("duplicate") + number("superseded") + sum(&excluded),
            "{dataset}"
        );
        assert_eq!(number("rows_in"), sum(&planted_in(dataset, "rows")), "{dataset} rows");
        assert_eq!(quarantined, planted_in(dataset, "quarantine"), "{dataset} quarantined");
        assert_eq!(number("duplicate"), sum(&planted_in(dataset, "duplicate")), "{dataset} duplicate");
        assert_eq!(number("superseded"), sum(&planted_in(dataset, "superseded")), "{dataset} superseded");
    }
    let excluded = &manifest["rows"]["responses"]["excluded"];
    let strays = planted_in("responses", "stray");
    for (planted, reason) in STRAYS {
        assert_eq!(excluded[reason].as_u64(), strays.get(planted).copied(), "{reason}");
    }
    // What refers to nothing is told apart from the sum, and is what linking left out for want of a partner.
    assert_eq!(
        manifest["rows"]["responses"]["unmatched"]["invitation_id"].as_u64(),
        strays.get("unknown-invitation").copied()
    );
    let inputs = manifest["inputs"].as_array().expect("inputs");
    for (dataset, counts) in datasets {
        let of_dataset = || inputs.iter().filter(|input| input["dataset"] == **dataset).map(|input| &input["rows"]);
        for count in ["rows_in", "kept", "duplicate", "superseded"] {
            let sum: u64 = of_dataset().map(|rows| rows[count].as_u64().expect("a count")).sum();
            assert_eq!(Some(sum), counts[count].as_u64(), "{dataset} {count}");
        }
        for kind in ["quarantined", "excluded"] {
            let mut sums: BTreeMap<String, u64> = BTreeMap::new();
            for (reason, rows) in of_dataset().flat_map(|rows| rows[kind].as_object().expect("reasons")) {
                *sums.entry(reason.clone()).or_default() += rows.as_u64().expect("a count");
            }
            let whole: BTreeMap<String, u64> = serde_json::from_value(counts[kind].clone()).expect("reasons");
            assert_eq!(sums, whole, "{dataset} {kind}");
        }
    }
    let of_inputs: u64 = inputs.iter().map(|input| input["rows_in"].as_u64().expect("a count")).sum();
    let of_datasets: u64 = datasets.values().map(|counts| counts["rows_in"].as_u64().expect("a count")).sum();
    assert_eq!(of_inputs, of_datasets);
    assert!(!matches!(manifest["estimates"], Value::Null));
    responses_left_out_are_kept_apart(&place, &manifest);
    rows_that_refer_to_nothing_are_listed(&place, &manifest);
    invitations_reconcile(&manifest);
    every_residence_is_placed(&manifest);
}

/// As many rows by reason as the manifest counts, in the store beside the linked months.
fn responses_left_out_are_kept_apart(place: &Place, manifest: &Value) {
    let linked = place.path().join("store/derived/linked");
    let folders = std::fs::read_dir(linked).expect("linked tables").map(|entry| entry.expect("an entry").path());
    let of_questionnaire = |folder: std::path::PathBuf| {
        read_table::<Unlinked>(&folder.join("unlinked.parquet")).expect("responses left out").0
    };
    let answered = folders.filter(|folder| folder.join("unlinked.parquet").is_file());
    let rows: Vec<Unlinked> = answered.flat_map(of_questionnaire).collect();
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for row in &rows {
        *counts.entry(&row.reason).or_default() += 1;
    }
    let excluded = manifest["rows"]["responses"]["excluded"].as_object().expect("counts by reason");
    let told: BTreeMap<&str, u64> =
        excluded.iter().map(|(reason, rows)| (reason.as_str(), rows.as_u64().expect("a count"))).collect();
    assert_eq!(counts, told);
    assert!(rows.iter().filter(|row| row.reason == "unit-unknown").all(|row| row.unit_code.is_some()));
}

/// As many as the manifest counts, each where its file has it.
fn rows_that_refer_to_nothing_are_listed(place: &Place, manifest: &Value) {
    let run = place.path().join("store/runs").join(manifest["run_id"].as_str().expect("a run id"));
    let (rows, _) = read_table::<Unmatched>(&run.join("unmatched.parquet")).expect("the listed rows");
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for row in &rows {
        *counts.entry((&row.dataset, &row.column)).or_default() += 1;
        let file = fs::read(place.inbox(&row.source_file)).expect("a file of the inbox");
        let file = String::from_utf8_lossy(&file).into_owned();
        let line = file.lines().nth(usize::try_from(row.row).expect("a number of a row")).expect("the row");
        assert!(line.contains(row.value.as_deref().expect("a value")), "{row:?}: {line}");
    }
    for (dataset, told) in manifest["rows"].as_object().expect("rows per dataset") {
        for (column, rows) in told["unmatched"].as_object().into_iter().flatten() {
            assert_eq!(counts.remove(&(dataset.as_str(), column.as_str())), rows.as_u64(), "{dataset} {column}");
        }
    }
    assert!(counts.is_empty(), "{counts:?}");
}

/// Invitations that stand are in a response rate or have a reason.
fn invitations_reconcile(manifest: &Value) {
    let flows = manifest["invitations"].as_object().expect("invitations by questionnaire");
    let mut all = 0;
    for flow in flows.values() {
        let left_out = flow["left_out"].as_object().expect("counts by reason");
        let left_out: u64 = left_out.values().map(|rows| rows.as_u64().expect("a count")).sum();
        let placed = flow["placed"].as_u64().expect("a count");
        all += placed + left_out;
    }
    assert!(all > 0);
    assert_eq!(Some(all), manifest["rows"]["invitations"]["kept"].as_u64());
}

/// The generator writes some residences in older numbers or without their zeros: all of them find their area.
fn every_residence_is_placed(manifest: &Value) {
    for (indicator, counts) in manifest["rates"].as_object().expect("rates") {
        let excluded = counts["excluded"].as_object().expect("counts by reason");
        let unplaced = |reason: &&String| reason.contains("area") || reason.contains("municipality");
        assert!(!excluded.keys().any(|reason| unplaced(&reason)), "{indicator}: {excluded:?}");
    }
    for codes in manifest["unplaced"].as_array().expect("unplaced codes") {
        let counts = codes["counts"].as_object().expect("counts by code");
        assert!(counts.values().all(|count| count.as_u64() >= Some(5)), "small counts stay in the house: {codes}");
    }
}

/// A row for a unit that is not declared places nobody, and says so wherever codes without a place are told.
#[test]
fn a_catchment_area_of_an_unknown_unit_is_told() {
    let place = Place::region(600);
    let catchment = place.delivered("catchment");
    let sound = fs::read_to_string(&catchment).expect("its text");
    let header = sound.lines().next().expect("a header").trim_start_matches('\u{feff}');
    let cell = |name: &str| match name {
        "municipality" => "9998",
        "hf" => "a-hospital-of-another-region",
        "valid_from" => "2015-01-01",
        _ => "",
    };
    let row: Vec<&str> = header.split(';').map(cell).collect();
    assert!(row.contains(&"9998") && row.contains(&"2015-01-01"), "{header}");
    fs::write(&catchment, format!("{}\n{}\n", sound.trim_end(), row.join(";"))).expect("a row more");
    let summary = place.run(&[]);
    let told = |codes: &Value| -> Vec<Value> {
        let all = codes.as_array().expect("codes").iter();
        all.filter(|codes| codes["subject"] == "catchment").cloned().collect()
    };
    let expected = serde_json::json!([{
        "what": "rows", "subject": "catchment", "reason": "unit-unknown", "code": "a-hospital-of-another-region", "count": 1,
    }]);
    assert_eq!(Value::from(told(&summary["unplaced"])), expected);
    let status: Value = serde_json::from_slice(&place.prem(&["status"]).stdout).expect("a status");
    assert_eq!(Value::from(told(&status["unplaced"])), expected);
    let manifest = told(&place.manifest()["unplaced"]);
    assert_eq!(manifest.len(), 1);
    assert_eq!(manifest[0]["counts"], serde_json::json!({ "a-hospital-of-another-region": 1 }));
    let said = text(&prem(place.path(), &["status", "--config", "prem.toml"]).stdout);
    assert!(said.contains("catchment rows, unit-unknown: a-hospital-of-another-region (1)"), "{said}");
}
