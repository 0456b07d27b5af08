//! What happens to releases: corrections, narrowed runs, dry runs, diff and rollback.

use std::{collections::BTreeSet, fmt::Write as _, fs};

use serde_json::Value;

use crate::place::{Place, contents, copy_folder, expect_code, prem, shipped_schemas, text};

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
    // Three quarters less the year would tell the fourth.
    let window = place.prem(&["run", "--period", "2025-01..2025-09"]);
    expect_code(&window, 2);
    assert!(text(&window.stderr).contains("prem estimate --period 2025-01..2025-09"), "{}", text(&window.stderr));
    expect_code(&place.prem(&["estimate", "--period", "2025-01..2025-09", "--indicator", "inpatient-staff"]), 0);
    // Of a year to a quarter only the indicator that has such periods is published.
    let year_to = place.run(&["--period", "2024-07..2025-06"]);
    assert_eq!((year_to["indicators"].as_u64(), year_to["periods"].as_u64()), (Some(1), Some(1)));
    let id = narrowed["run_id"].as_str().expect("a run id");
    let both: BTreeSet<&str> = [id, year_to["run_id"].as_str().expect("a run id")].into();
    for (release, why) in [(id, "narrowed run"), ("../../store", "no run id"), ("nope", "no run id")] {
        let output = place.prem(&["rollback", release]);
        expect_code(&output, 2);
        assert!(text(&output.stderr).contains(why), "{}", text(&output.stderr));
        assert_eq!(current, place.current());
    }
    assert_eq!(json(&place.prem(&["status"]).stdout)["narrowed"], serde_json::json!(both));
    let said = text(&prem(place.path(), &["status", "--config", "prem.toml"]).stdout);
    assert!(said.contains(&format!("{id} (narrowed)")), "{said}");
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

#[test]
fn a_day_before_everything_and_a_day_in_norwegian_are_told() {
    let place = Place::region(800);
    place.run(&["--delivered-at", "2025-06-01"]);
    let before = place.prem(&["run", "--as-of", "2025-04-30"]);
    expect_code(&before, 66);
    let said = text(&before.stderr);
    assert!(said.contains("nothing had been delivered by 2025-04-30; the first delivery came 2025-06-01"), "{said}");
    let norwegian = place.prem(&["run", "--as-of", "30.11.2026"]);
    expect_code(&norwegian, 2);
    assert!(text(&norwegian.stderr).contains("write 2026-11-30"), "{}", text(&norwegian.stderr));
}

#[test]
fn without_contacts_what_needs_them_waits_and_the_rest_is_published() {
    let place = Place::empty(&shipped_schemas());
    copy_folder(&shipped_schemas(), &place.path().join("schemas"));
    place.use_schemas("schemas");
    let write = |name: &str, text: &str| fs::write(place.path().join("schemas").join(name), text).expect("a file");
    write(
        "questionnaires/plain.toml",
        "kind = \"questionnaire\"\nid = \"plain\"\nversion = \"1\"\ntitle = \"Kort\"\nvalid_from = 2025-01-01\n\
         items = [\"staff_listened\"]\nlink = { via = \"response\" }\n",
    );
    write(
        "exports/plain.toml",
        "name = \"plain\"\ndataset = \"responses\"\nsource = \"survey\"\nquestionnaire = \"plain\"\n\
         files = [\"plain_*.csv\"]\nmode = \"upsert\"\nsequence = \"file-name\"\nformat = { type = \"delimited\" }\n\
         [columns]\nquestionnaire_id = { constant = \"plain\" }\nquestionnaire_version = { constant = \"1\" }\n",
    );
    write(
        "indicators/plain.toml",
        "id = \"plain\"\nversion = \"1\"\ntitle = \"Lyttet\"\ndescription = \"Skår\"\ntheme = \"Personale\"\n\
         direction = \"higher\"\nlevels = [\"rhf\"]\nperiods = [\"year\"]\npopulation = { questionnaire = \"plain\" }\n\
         measure = { type = \"item\", item = \"staff_listened\" }\n",
    );
    let unit = survey_code();
    let mut rows = "response_id;unit_code;answered_at;mode;language;staff_listened\n".to_owned();
    for number in 0..100 {
        writeln!(rows, "r{number};{unit};2025-03-10;paper;nb;{}", 1 + number % 5).expect("text");
    }
    fs::write(place.inbox("plain_1.csv"), rows).expect("a file");
    let summary = place.run(&[]);
    assert_eq!((&summary["indicators"], &summary["is_current"]), (&Value::from(1), &Value::from(true)));
    assert_eq!(summary["without_data"]["surgery-hip-replacement"], "contacts");
    assert_eq!(summary["without_data"].as_object().map(serde_json::Map::len), Some(3));
    assert_eq!(place.manifest()["without_data"], summary["without_data"]);
}

/// A code by which the shipped organisation knows a ward of the survey system.
fn survey_code() -> String {
    let organisation = fs::read_to_string(shipped_schemas().join("organisations/helse-sor-ost.toml")).expect("a file");
    let (_, after) = organisation.split_once("survey = [\"").expect("a code of the survey system");
    after.split('"').next().expect("a code").to_owned()
}
