//! A refused file holds back what depends on it and nothing else.

use std::{collections::BTreeSet, fs};

use prem_store::tables::Estimate;
use serde_json::Value;

use crate::place::{Place, expect_code, text};

fn published(place: &Place) -> BTreeSet<String> {
    place.table::<Estimate>("region").into_iter().map(|row| row.indicator).collect()
}

#[test]
fn a_refused_population_holds_back_the_rates_only() {
    let place = Place::region(6_000);
    let population = place.delivered("population");
    let sound = fs::read(&population).expect("its bytes");
    fs::write(&population, "year;persons\n2024;1\n").expect("a wrong header");
    let output = place.prem(&["run"]);
    expect_code(&output, 65);
    assert!(text(&output.stderr).contains("refused"), "the refusal is said aloud");
    let some = published(&place);
    assert!(some.iter().all(|indicator| !indicator.starts_with("surgery-")) && !some.is_empty(), "{some:?}");
    assert_eq!(place.manifest()["held_back"].as_object().map(serde_json::Map::len), Some(3));
    let page =
        fs::read_to_string(place.current().expect("a release").join("region/index.html")).expect("the region's page");
    let note = page.split_once("class=\"held-back\"").expect("the page says what is held back").1;
    assert_eq!(note.split_once("</ul>").expect("a list").0.matches("<li>").count(), 3);
    // The same refused file again: nothing new, and the exit still tells.
    expect_code(&place.prem(&["run"]), 65);
    fs::write(&population, sound).expect("the right file");
    place.run(&[]);
    let all = published(&place);
    assert!(some.is_subset(&all) && all.len() == some.len() + 3, "{all:?}");
}

#[test]
fn when_everything_is_held_back_the_old_release_stays() {
    let place = Place::region(600);
    place.run(&[]);
    let before = place.current();
    fs::write(place.inbox("contacts_2099-01.csv"), [0x50, 0x4b, 0x03, 0x04, 0x00, 0x00]).expect("a file");
    expect_code(&place.prem(&["run"]), 65);
    assert_eq!(before, place.current());
}

#[test]
fn catchment_rows_that_contradict_each_other_hold_back_the_rates() {
    let place = Place::region(6_000);
    let catchment = place.delivered("catchment");
    let sound = fs::read_to_string(&catchment).expect("its text");
    // Each row is fine by itself: the second has another first day.
    let row = sound.lines().nth(1).expect("a row");
    let twin = row.replacen("-01-01", "-03-01", 1);
    assert_ne!(row, twin);
    fs::write(place.inbox("catchment_2098.csv"), format!("{sound}{twin}\n")).expect("a later file");
    let output = place.prem(&["run"]);
    expect_code(&output, 65);
    let said = text(&output.stdout);
    let last = sound.lines().count();
    assert!(said.contains("two rows say where one place belongs"), "{said}");
    assert!(said.contains(&format!("rows 1 and {last}")), "the rows are named: {said}");
    let some = published(&place);
    assert!(some.iter().all(|indicator| !indicator.starts_with("surgery-")) && !some.is_empty(), "{some:?}");
    assert_eq!(place.manifest()["held_back"].as_object().map(serde_json::Map::len), Some(3));
    // A later delivery of the whole table mends it.
    fs::write(place.inbox("catchment_2099.csv"), format!("{sound}\n")).expect("the right rows in other bytes");
    place.run(&[]);
    assert_eq!(published(&place).len(), some.len() + 3);
}

/// The run goes on without them, and says at its end that somebody must look.
#[test]
#[cfg(unix)]
fn what_cannot_be_read_is_told_by_the_exit_code_and_by_status() {
    const NUMBER: &str = "02013299997";
    let place = Place::region(600);
    std::os::unix::fs::symlink("nowhere", place.inbox("responses_2099-01.csv")).expect("a link to nothing");
    fs::create_dir(place.inbox("contacts_2099-01.csv")).expect("a folder");
    fs::write(place.inbox(&format!("responses_{NUMBER}.csv")), "").expect("a file with a number in its name");
    let output = place.prem(&["run"]);
    expect_code(&output, 66);
    assert!(place.current().is_some(), "the rest is published");
    let summary: Value = serde_json::from_slice(&output.stdout).expect("a summary");
    assert_eq!(summary["unreadable"], 3);
    expect_code(&place.prem(&["run"]), 66);
    let status = place.prem(&["status"]);
    expect_code(&status, 0);
    let told: Value = serde_json::from_slice(&status.stdout).expect("a status");
    let mut files: Vec<&str> = told["unreadable"]
        .as_object()
        .expect("files by reason")
        .values()
        .flat_map(|files| files.as_array().expect("files"))
        .map(|file| file.as_str().expect("a name"))
        .collect();
    files.sort_unstable();
    assert_eq!(files, ["contacts_2099-01.csv", "responses_***********.csv", "responses_2099-01.csv"]);
    for said in [&output.stdout, &output.stderr, &status.stdout] {
        assert!(!text(said).contains(NUMBER), "{}", text(said));
    }
    fs::remove_file(place.inbox("responses_2099-01.csv")).expect("the link");
    fs::remove_dir(place.inbox("contacts_2099-01.csv")).expect("the folder");
    fs::remove_file(place.inbox(&format!("responses_{NUMBER}.csv"))).expect("the file");
    place.run(&[]);
}

/// A later version may read what an earlier one could not.
#[test]
fn another_version_of_the_program_judges_a_refused_file_again() {
    let place = Place::region(300);
    fs::write(place.inbox("population_2098.csv"), "year;persons\n2024;1\n").expect("a wrong header");
    expect_code(&place.prem(&["run"]), 65);
    let waiting = || {
        let output = place.prem(&["run", "--dry-run"]);
        let summary: Value = serde_json::from_slice(&output.stdout).expect("a summary");
        (
            summary["waiting"].as_array().map_or(0, Vec::len),
            summary["refused"].as_object().map_or(0, serde_json::Map::len),
        )
    };
    assert_eq!(waiting(), (0, 1));
    let folder = fs::read_dir(place.path().join("store/refusals")).expect("refusals");
    let record = folder.map(|entry| entry.expect("an entry").path()).next().expect("one record");
    let read = || -> Value { serde_json::from_slice(&fs::read(&record).expect("a record")).expect("JSON") };
    assert_eq!(read()["program"], env!("CARGO_PKG_VERSION"));

    let mut older = read();
    older["program"] = "0.0.1".into();
    fs::write(&record, older.to_string()).expect("a record of another version");
    assert_eq!(waiting(), (1, 0));
    // Records of before the version was kept name none.
    older.as_object_mut().expect("an object").remove("program");
    fs::write(&record, older.to_string()).expect("an older record");
    assert_eq!(waiting(), (1, 0));
    expect_code(&place.prem(&["run"]), 65);
    assert_eq!(read()["program"], env!("CARGO_PKG_VERSION"), "it was judged again");
    assert_eq!(waiting(), (0, 1));
}
