//! What happens to releases: corrections, narrowed runs, dry runs, diff and rollback.

use std::fs;

use serde_json::Value;

use crate::place::{Place, contents, expect_code};

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

#[test]
fn the_same_again_is_nothing_to_do() {
    let place = Place::region(800);
    let first = place.run(&[]);
    assert_eq!((first["idle"].as_bool(), first["is_current"].as_bool()), (Some(false), Some(true)));
    let before = contents(place.path());
    let output = place.prem(&["run", "--exit-code-when-idle", "7"]);
    expect_code(&output, 7);
    assert_eq!(json(&output.stdout)["idle"].as_bool(), Some(true));
    assert_eq!(before, contents(place.path()), "an idle run writes nothing");
}

#[test]
fn generated_data_are_named_as_such_also_after_the_inbox_was_emptied() {
    let place = Place::region(300);
    place.run(&[]);
    let is_named = |place: &Place| {
        let page = fs::read_to_string(place.current().expect("a release").join("region/index.html")).expect("a page");
        (place.manifest()["synthetic"] == true, page.contains("Syntetiske data."))
    };
    assert_eq!(is_named(&place), (true, true));
    fs::remove_dir_all(place.path().join("inbox")).expect("an inbox");
    fs::create_dir(place.path().join("inbox")).expect("an empty inbox");
    assert_eq!(place.run(&[])["idle"], Value::Bool(true), "the store remembers");
    fs::remove_file(place.path().join("store/SYNTHETIC.txt")).expect("the mark");
    assert_eq!(place.run(&[])["idle"], Value::Bool(false), "another page is another run");
    assert_eq!(is_named(&place), (false, false));
}

#[test]
fn a_dry_run_writes_nothing() {
    let place = Place::region(300);
    let before = contents(place.path());
    let summary = place.run(&["--dry-run"]);
    assert!(summary["waiting"].as_array().is_some_and(|files| files.len() > 50));
    assert_eq!(before, contents(place.path()));
}

#[test]
fn a_narrowed_run_makes_a_release_but_not_the_current_one() {
    let place = Place::region(2_000);
    place.run(&[]);
    let current = place.current();
    let narrowed = place.run(&["--period", "2025", "--indicator", "inpatient-staff"]);
    assert_eq!(narrowed["is_current"].as_bool(), Some(false));
    assert_eq!((narrowed["indicators"].as_u64(), narrowed["periods"].as_u64()), (Some(1), Some(1)));
    assert_eq!(current, place.current());
}

#[test]
fn a_correction_makes_a_new_release_and_rollback_brings_the_old_one_back() {
    let place = Place::region(2_000);
    let first = place.run(&[]);
    // The same responses again under a later name, one of them with another answer.
    let name = "responses_2024-06.csv";
    let old = fs::read_to_string(place.inbox(name)).expect("a file of responses");
    let mut lines: Vec<String> = old.lines().map(str::to_owned).collect();
    let changed = lines[2].rsplit_once(';').map(|(head, _)| format!("{head};")).expect("a row");
    assert_ne!(changed, lines[2], "the row has a last answer to take away");
    lines[2] = changed;
    fs::write(place.inbox("responses_2098-01.csv"), lines.join("\r\n") + "\r\n").expect("a correction");
    let second = place.run(&[]);
    let id = |summary: &Value| summary["run_id"].as_str().expect("a run id").to_owned();
    assert_ne!(id(&first), id(&second));
    let rows = |summary: &Value, name: &str| summary["rows"]["responses"][name].as_u64().expect("a count");
    assert!(rows(&second, "superseded") > rows(&first, "superseded"));
    let output = place.prem(&["diff", &id(&first), &id(&second)]);
    expect_code(&output, 0);
    assert_eq!(json(&output.stdout)["only_later"].as_u64(), Some(0));
    expect_code(&place.prem(&["rollback", &id(&first)]), 0);
    assert!(place.current().expect("a release").ends_with(id(&first)));
    expect_code(&place.prem(&["rollback", "0123456789abcdef"]), 66);
    let status = place.prem(&["status"]);
    expect_code(&status, 0);
    let status = json(&status.stdout);
    assert_eq!(status["releases"], serde_json::json!([id(&first), id(&second)]), "in the order of their runs");
    // What is derived is of the deliveries there are, whichever release is current; another delivery makes it stale.
    let are_current = |status: &Value| -> Vec<bool> {
        let tables = status["derived"].as_array().expect("derived tables").iter();
        tables.map(|stored| stored["is_current"].as_bool().expect("a flag")).collect()
    };
    let derived = are_current(&status);
    assert!(!derived.is_empty() && derived.iter().all(|is_current| *is_current), "{}", status["derived"]);
    lines.pop();
    fs::write(place.inbox("responses_2099-01.csv"), lines.join("\r\n") + "\r\n").expect("all but one of them again");
    expect_code(&place.prem(&["ingest"]), 0);
    let status = json(&place.prem(&["status"]).stdout);
    assert_eq!(are_current(&status), vec![false; derived.len()], "{}", status["derived"]);
}
