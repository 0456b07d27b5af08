//! A delivery that should never have come: taken back, told, and not taken in again by itself.

use std::process::Output;

use prem_store::Store;
use serde_json::Value;

use crate::{
    deliveries::{by_number, deliver, ordered_by},
    place::{Place, expect_code, text},
};

const WHY: &str = "the file of another hospital";

fn withdraw(place: &Place, number: &str, more: &[&str]) -> Output {
    let mut arguments = vec!["withdraw", "--dataset", "responses", "--delivery", number];
    arguments.extend(more);
    place.prem(&arguments)
}

fn report(output: &Output) -> Value {
    expect_code(output, 0);
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// A right delivery and a wrong one, which supersedes half of it.
fn place_with_a_wrong_delivery() -> (Place, [Value; 2]) {
    let place = ordered_by("\"file-name\"");
    deliver(&place, "answers_2025-01.csv", (1, 1..21, "2025-02-01"), &[]);
    let right = place.run(&[]);
    deliver(&place, "answers_2025-02.csv", (2, 11..31, "2025-03-01"), &[]);
    let wrong = place.run(&[]);
    assert_eq!(by_number(&place), [[20, 10, 0, 0, 10, 0], [20, 20, 0, 0, 0, 0]]);
    assert_ne!(right["run_id"], wrong["run_id"]);
    let ids = [&right, &wrong].map(|summary| summary["run_id"].clone());
    (place, ids)
}

#[test]
fn a_withdrawn_delivery_is_as_if_it_had_never_come() {
    let (place, [right, wrong]) = place_with_a_wrong_delivery();
    let planned = report(&withdraw(&place, "2", &[]));
    assert_eq!((&planned["done"], &planned["file"]), (&false.into(), &"answers_2025-02.csv".into()));
    assert_eq!((&planned["counts"]["rows_in"], &planned["in_inbox"]), (&20.into(), &true.into()));
    expect_code(&withdraw(&place, "2", &["--yes"]), 2);
    expect_code(&withdraw(&place, "7", &["--yes", "--why", WHY]), 2);
    assert_eq!(by_number(&place).len(), 2, "nothing was done so far");
    assert_eq!(report(&withdraw(&place, "2", &["--yes", "--why", WHY]))["done"], true);

    // Its file still lies in the inbox.
    let dry: Value = report(&place.prem(&["run", "--dry-run"]));
    assert_eq!(dry["waiting"].as_array().map(Vec::len), Some(0), "{dry}");
    let output = place.prem(&["run"]);
    let after = report(&output);
    let said = text(&output.stderr);
    assert!(said.contains("withdrawn") && said.contains("--accept-again") && said.contains(WHY), "{said}");
    assert_eq!((&after["files_new"], &after["withdrawn"]), (&0.into(), &vec!["answers_2025-02.csv"].into()));
    assert_eq!(after["run_id"], right, "the same run as before it came");
    assert_eq!(place.manifest()["run_id"], right);
    assert_eq!(by_number(&place), [[20, 20, 0, 0, 0, 0]]);
    let status = text(&crate::place::prem(place.path(), &["status", "--config", "prem.toml"]).stdout);
    assert!(status.contains("  1 answers_2025-01.csv"), "{status}");
    assert!(status.contains("Withdrawn: delivery 2 of responses, answers_2025-02.csv (20 rows), "), "{status}");
    assert!(status.contains(WHY), "{status}");

    let again = place.run(&["--accept-again"]);
    assert_eq!((&again["files_new"], &again["run_id"]), (&1.into(), &wrong));
    assert_eq!(by_number(&place), [[20, 10, 0, 0, 10, 0], [20, 20, 0, 0, 0, 0]]);
    let status = report(&place.prem(&["status"]));
    assert_eq!(status["deliveries"]["responses"]["deliveries"][1]["number"], 3, "no number is given twice");
    assert_eq!(status["withdrawn"].as_array().map(Vec::len), Some(1));
}

#[test]
fn nothing_is_withdrawn_while_a_run_is_going() {
    let (place, _) = place_with_a_wrong_delivery();
    let lock = Store::open(place.path().join("store")).lock().expect("the lock");
    expect_code(&withdraw(&place, "2", &["--yes", "--why", WHY]), 75);
    drop(lock);
    assert_eq!(by_number(&place).len(), 2);
}

#[test]
fn a_killed_withdrawal_has_happened_or_not() {
    for milliseconds in [2, 5, 10, 20, 40] {
        let (place, [right, wrong]) = place_with_a_wrong_delivery();
        place.kill_after(
            milliseconds,
            &["withdraw", "--dataset", "responses", "--delivery", "2", "--yes", "--why", WHY],
        );
        let status = report(&place.prem(&["status"]));
        let withdrawn = status["withdrawn"].as_array().map_or(0, Vec::len);
        assert_eq!(by_number(&place).len() + withdrawn, 2, "{status}");
        let after = place.run(&[]);
        assert_eq!(after["run_id"], if withdrawn == 1 { right } else { wrong });
    }
}
