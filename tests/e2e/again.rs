//! The same bytes again: nothing new, unless others came between and somebody says that they count again.

use std::fs;

use serde_json::Value;

use crate::place::{Place, copy_folder, expect_code, shipped_schemas, text};

/// A place whose responses are ordered by arrival.
fn by_arrival() -> Place {
    let place = Place::region(300);
    let schemas = place.path().join("schemas");
    copy_folder(&shipped_schemas(), &schemas);
    let export = schemas.join("exports/survey-responses.toml");
    let declared = fs::read_to_string(&export).expect("an export");
    fs::write(&export, declared.replace("sequence = \"file-name\"", "sequence = \"arrival\"")).expect("an export");
    place.use_schemas("schemas");
    place
}

#[test]
fn an_earlier_content_counts_again_only_when_somebody_says_so() {
    let place = by_arrival();
    let first = place.run(&["--delivered-at", "2025-01-01"]);
    let path = place.inbox("responses_2024-06.csv");
    let earlier = fs::read_to_string(&path).expect("a file of responses");
    let id = |summary: &Value| summary["run_id"].as_str().expect("a run id").to_owned();

    // The same bytes under another name are nothing new.
    fs::write(place.inbox("responses_2097-01.csv"), &earlier).expect("a copy");
    let copied = place.run(&["--delivered-at", "2025-01-02"]);
    assert_eq!((id(&copied), copied["files_new"].as_u64()), (id(&first), Some(0)));
    fs::remove_file(place.inbox("responses_2097-01.csv")).expect("no copy");

    let mut lines: Vec<String> = earlier.lines().map(str::to_owned).collect();
    lines[2] = lines[2].rsplit_once(';').map(|(head, _)| format!("{head};")).expect("a row");
    fs::write(&path, lines.join("\r\n") + "\r\n").expect("a correction");
    let corrected = place.run(&["--delivered-at", "2025-01-03"]);
    assert_ne!(id(&corrected), id(&first));

    fs::write(&path, &earlier).expect("the earlier content");
    let output = place.prem(&["run", "--delivered-at", "2025-01-04"]);
    expect_code(&output, 0);
    assert!(text(&output.stderr).contains("--accept-again"), "{}", text(&output.stderr));
    let back: Value = serde_json::from_slice(&output.stdout).expect("a summary");
    assert_eq!((id(&back), back["files_new"].as_u64()), (id(&corrected), Some(0)));

    let accepted = place.run(&["--delivered-at", "2025-01-05", "--accept-again"]);
    assert_eq!(accepted["files_new"].as_u64(), Some(1));
    assert_ne!(id(&accepted), id(&corrected));
    let output = place.prem(&["diff", &id(&first), &id(&accepted)]);
    expect_code(&output, 0);
    let difference: Value = serde_json::from_slice(&output.stdout).expect("a difference");
    assert_eq!(difference["changed"].as_array().map(Vec::len), Some(0), "the first content stands again");
    each_delivery_is_shown_with_its_own_rows(&place);
    // Once accepted it is the latest, and nothing more to say.
    let output = place.prem(&["run", "--delivered-at", "2025-01-06"]);
    expect_code(&output, 0);
    assert!(!text(&output.stderr).contains("--accept-again"));
}

/// Two of the three deliveries of the file have the same bytes: the one that stands is the last.
fn each_delivery_is_shown_with_its_own_rows(place: &Place) {
    let status: Value = serde_json::from_slice(&place.prem(&["status"]).stdout).expect("a status");
    let responses = &status["deliveries"]["responses"];
    let all = responses["deliveries"].as_array().expect("deliveries");
    let of_file: Vec<&Value> = all.iter().filter(|one| one["file"] == "responses_2024-06.csv").collect();
    let rows = |at: usize, what: &str| of_file[at]["rows"][what].as_u64().expect("a count");
    assert_eq!(of_file.len(), 3);
    for replaced in [0, 1] {
        assert!(rows(replaced, "kept") == 0 && rows(replaced, "superseded") > 0, "{}", of_file[replaced]);
    }
    assert!(rows(2, "kept") > 0 && rows(2, "superseded") == 0, "{}", of_file[2]);
    for count in ["rows_in", "kept", "superseded"] {
        assert_eq!(responses["rows"][count], place.manifest()["rows"]["responses"][count], "{count}");
    }
}
