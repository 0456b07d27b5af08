//! Deliveries that replace a period, are put in order by a column, and break every kind of rule: the counts of each file are what
//! was put into it, in the run, in the manifest and in `prem status`.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

use crate::place::{Place, expect_code, text};

const REGION: &str = r#"
name = "region"
units = [
  { id = "region", level = "rhf", name = "Regionen", valid_from = 2020-01-01 },
  { id = "trust-a", level = "hf", name = "Helseforetak A", parent = "region", valid_from = 2020-01-01 },
  { id = "ward-1", level = "ward", name = "Sengepost 1", parent = "trust-a", valid_from = 2020-01-01, codes = { survey = ["W1"] } },
]
"#;
const BANK: &str = r#"
kind = "bank"
scale = [{ id = "extent", low = 1, high = 5, missing = { "9" = "dont-know" } }]
item = [{ id = "listened", scale = "extent", text = "Lyttet personalet til deg?" }]
"#;
const QUESTIONNAIRE: &str = r#"
kind = "questionnaire"
id = "ward-survey"
version = "1"
title = "Pasientundersøkelsen"
valid_from = 2025-01-01
items = ["listened"]
link = { via = "response" }
"#;
const EXPORT: &str = r#"
name = "answers"
dataset = "responses"
source = "survey"
files = ["answers_*.csv"]
mode = "replace-period"
period = { column = "answered_at", file_name = '_(\d{4}-\d{2})' }
sequence = { column = "extracted_at" }
questionnaire = "ward-survey"
max_bad_share = 0.5
format = { type = "delimited" }
[columns]
response_id = "id"
unit_code = "ward"
answered_at = "date"
questionnaire_id = { constant = "ward-survey" }
questionnaire_version = { constant = "1" }
"#;
const INDICATOR: &str = r#"
id = "listened-score"
version = "1"
title = "Lyttet"
description = "Personalet lyttet, 0–100"
theme = "Personalet"
direction = "higher"
levels = ["rhf", "hf", "ward"]
periods = ["year"]
population = { questionnaire = "ward-survey" }
measure = { type = "item", item = "listened" }
protection = { minimum_n = 5 }
"#;

/// The shipped dataset with a time of extraction, a unique serial number and rules.
fn dataset() -> String {
    let shipped = crate::place::shipped_schemas().join("datasets/responses.toml");
    let mut text = fs::read_to_string(shipped).expect("the shipped dataset");
    text.push_str(
        r#"
[[column]]
name = "extracted_at"
type = "date-time"
description = "Uttrekk"

[[column]]
name = "serial"
type = "integer"
unique = true
description = "Løpenummer"

[[rule]]
id = "paper-has-language"
type = "required-if"
column = "language"
when = { column = "mode", codes = ["paper"] }

[[rule]]
id = "language-of-paper"
type = "only-if"
column = "language"
when = { column = "mode", codes = ["paper"] }
on_break = "cell"
"#,
    );
    text
}

fn place() -> Place {
    let place = Place::empty(Path::new(env!("CARGO_MANIFEST_DIR")));
    let files = [
        ("organisations/region.toml", REGION.to_owned()),
        ("questionnaires/bank.toml", BANK.to_owned()),
        ("questionnaires/ward-survey.toml", QUESTIONNAIRE.to_owned()),
        ("exports/answers.toml", EXPORT.to_owned()),
        ("indicators/listened-score.toml", INDICATOR.to_owned()),
        ("datasets/responses.toml", dataset()),
    ];
    for (name, text) in files {
        let path = place.path().join("schemas").join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a declaration");
    }
    place.use_schemas("schemas");
    place
}

/// The place with rows that replace each other by key alone, and another order of deliveries.
pub fn ordered_by(sequence: &str) -> Place {
    let place = place();
    let export = EXPORT.replace("{ column = \"extracted_at\" }", sequence).replace("replace-period", "upsert");
    let lines: Vec<&str> = export.lines().filter(|line| !line.starts_with("period")).collect();
    fs::write(place.path().join("schemas/exports/answers.toml"), lines.join("\n")).expect("a declaration");
    place
}

/// A file of good answers of `month`, with `extra` lines after them.
pub fn deliver(place: &Place, name: &str, (month, ids, extracted): (u8, std::ops::Range<u32>, &str), extra: &[&str]) {
    let mut file = "id;ward;date;extracted_at;serial;mode;language;listened\n".to_owned();
    for id in ids {
        file += &format!("r{id};W1;2025-{month:02}-{:02};{extracted};{id};paper;nb;{}\n", id % 27 + 1, id % 5 + 1);
    }
    extra.iter().for_each(|line| file += &format!("{line}\n"));
    fs::write(place.inbox(name), file).expect("a delivery");
}

fn number(rows: &Value, key: &str) -> u64 {
    match &rows[key] {
        Value::Object(reasons) => reasons.values().filter_map(Value::as_u64).sum(),
        number => number.as_u64().unwrap_or_default(),
    }
}

/// Rows in, kept, quarantined, duplicate, superseded, excluded.
fn sums(rows: &Value) -> [u64; 6] {
    ["rows_in", "kept", "quarantined", "duplicate", "superseded", "excluded"].map(|key| number(rows, key))
}

#[test]
fn each_file_is_counted_for_what_was_in_it() {
    let place = place();
    let bad = [
        "r900;W1;2025-01-05;2025-02-01;900;paper;;3",
        "r901;W1;2025-01-05;2025-02-01;7;paper;nb;3",
        "r902;W1;2025-02-05;2025-02-01;902;paper;nb;3",
        "r903;W1;2025-01-05;2025-02-01;903;fax;nb;3",
        // Kept: the language of an answer that is not on paper is set to missing.
        "r904;W1;2025-01-05;2025-02-01;904;digital;nb;3",
        // The same key once more, and a ward that nobody has.
        "r1;W1;2025-01-06;2025-02-01;905;paper;nb;3",
        "r906;W9;2025-01-06;2025-02-01;906;paper;nb;3",
    ];
    // The correction arrives under an earlier name: the time of extraction decides.
    deliver(&place, "answers_2025-01-z.csv", (1, 1..21, "2025-02-01"), &bad);
    deliver(&place, "answers_2025-02.csv", (2, 101..121, "2025-03-01"), &[]);
    deliver(&place, "answers_2025-01-a.csv", (1, 3..13, "2025-03-15"), &[]);
    let summary = place.run(&[]);
    let responses = &summary["rows"]["responses"];
    assert_eq!(sums(responses), [57, 30, 4, 0, 23, 0]);
    let quarantined: BTreeMap<String, u64> = serde_json::from_value(responses["quarantined"].clone()).expect("reasons");
    let expected = ["rule:paper-has-language", "not-unique", "outside-period", "not-a-code"];
    assert_eq!(quarantined, BTreeMap::from(expected.map(|reason| (reason.to_owned(), 1))));
    assert_eq!(responses["cleared"]["language"]["rule:language-of-paper"], 1);

    let by_file = |all: &Value| -> BTreeMap<String, [u64; 6]> {
        let all = all.as_array().expect("deliveries").iter();
        all.map(|one| (one["file"].as_str().expect("a name").to_owned(), sums(&one["rows"]))).collect()
    };
    let expected: BTreeMap<String, [u64; 6]> = [
        // 20 good ones, one of which comes twice, r904 and r906: all of January, which the correction covers.
        ("answers_2025-01-z.csv".to_owned(), [27, 0, 4, 0, 23, 0]),
        ("answers_2025-01-a.csv".to_owned(), [10, 10, 0, 0, 0, 0]),
        ("answers_2025-02.csv".to_owned(), [20, 20, 0, 0, 0, 0]),
    ]
    .into();
    assert_eq!(by_file(&place.manifest()["inputs"]), expected);
    let status: Value = serde_json::from_slice(&place.prem(&["status"]).stdout).expect("a status in JSON");
    assert_eq!(by_file(&status["deliveries"]["responses"]["deliveries"]), expected);
    assert_eq!(sums(&status["deliveries"]["responses"]["rows"]), sums(responses));
    let said = text(&crate::place::prem(place.path(), &["status", "--config", "prem.toml"]).stdout);
    assert!(said.contains("answers_2025-01-z.csv") && said.contains("rule:paper-has-language 1"), "{said}");

    // A delivery of an export that is gone from the declarations is counted, not lost.
    let export = place.path().join("schemas/exports/answers.toml");
    fs::write(&export, EXPORT.replace("name = \"answers\"", "name = \"replies\"")).expect("a declaration");
    deliver(&place, "answers_2025-03.csv", (3, 201..221, "2025-04-01"), &[]);
    let summary = place.run(&[]);
    let responses = &summary["rows"]["responses"];
    assert_eq!(responses["excluded"]["export-not-declared"], 53, "{responses}");
    assert_eq!(number(responses, "kept"), 20);
}

/// The counts of each delivery in the order of registration.
pub fn by_number(place: &Place) -> Vec<[u64; 6]> {
    let status: Value = serde_json::from_slice(&place.prem(&["status"]).stdout).expect("a status in JSON");
    let deliveries = status["deliveries"]["responses"]["deliveries"].as_array().expect("deliveries");
    deliveries.iter().map(|one| sums(&one["rows"])).collect()
}

/// Runs, and gives whether it asks for `--accept-again`.
fn asks(place: &Place) -> bool {
    let output = place.prem(&["run"]);
    expect_code(&output, 0);
    text(&output.stderr).contains("--accept-again")
}

#[test]
fn of_one_name_the_content_that_came_later_counts() {
    // Either way round: one of the two has the greater hash.
    for days in [["2025-02-01", "2025-02-02"], ["2025-02-02", "2025-02-01"]] {
        let place = ordered_by("\"file-name\"");
        for (day, delivered) in days.into_iter().zip(["2025-03-01", "2025-03-02"]) {
            deliver(&place, "answers_2025-01.csv", (1, 1..21, day), &[]);
            place.run(&["--delivered-at", delivered]);
        }
        assert_eq!(by_number(&place), [[20, 0, 0, 0, 20, 0], [20, 20, 0, 0, 0, 0]], "{days:?}");
        let then = place.run(&["--as-of", "2025-03-01"]);
        assert_eq!(sums(&then["rows"]["responses"]), [20, 20, 0, 0, 0, 0], "{days:?}");
    }
}

#[test]
fn superseded_content_under_a_later_name_counts_when_somebody_says_so() {
    let place = ordered_by("\"file-name\"");
    let copy_as = |name: &str| {
        fs::copy(place.inbox("answers_2025-01.csv"), place.inbox(name)).expect("a copy");
    };
    deliver(&place, "answers_2025-01.csv", (1, 1..21, "2025-02-01"), &[]);
    place.run(&[]);
    copy_as("answers_2025-02.csv");
    assert!(!asks(&place), "all of it stands");
    fs::remove_file(place.inbox("answers_2025-02.csv")).expect("no copy");

    deliver(&place, "answers_2025-01-1.csv", (1, 11..21, "2025-02-02"), &[]);
    assert!(!asks(&place) && !asks(&place), "what was corrected lies where it lay");
    copy_as("answers_2025-01-2.csv");
    assert!(asks(&place) && asks(&place), "as long as it lies there");
    assert_eq!(by_number(&place), [[20, 10, 0, 0, 10, 0], [10, 10, 0, 0, 0, 0]]);

    let accepted = place.run(&["--accept-again"]);
    assert_eq!(accepted["files_new"].as_u64(), Some(1));
    assert_eq!(by_number(&place), [[20, 0, 0, 0, 20, 0], [10, 0, 0, 0, 10, 0], [20, 20, 0, 0, 0, 0]]);
    assert!(!asks(&place));
}

#[test]
fn superseded_content_that_comes_anew_is_told_where_arrival_decides() {
    let place = ordered_by("\"arrival\"");
    deliver(&place, "answers_a.csv", (1, 1..21, "2025-02-01"), &[]);
    place.run(&[]);
    deliver(&place, "answers_b.csv", (1, 1..21, "2025-02-02"), &[]);
    assert!(!asks(&place) && !asks(&place), "what was corrected lies where it lay");
    deliver(&place, "answers_a.csv", (1, 1..21, "2025-02-01"), &[]);
    assert!(asks(&place));
    let accepted = place.run(&["--accept-again"]);
    assert_eq!(accepted["files_new"].as_u64(), Some(1));
    assert_eq!(by_number(&place), [[20, 0, 0, 0, 20, 0], [20, 0, 0, 0, 20, 0], [20, 20, 0, 0, 0, 0]]);
}

#[test]
fn what_was_detected_is_told_by_status_and_manifest() {
    let place = place();
    let detecting = "{ type = \"delimited\", separator = \"detect\", encoding = \"detect\" }";
    let export = EXPORT.replace("{ type = \"delimited\" }", detecting);
    fs::write(place.path().join("schemas/exports/answers.toml"), export).expect("a declaration");
    deliver(&place, "answers_2025-01.csv", (1, 1..21, "2025-02-01"), &[]);
    place.run(&[]);
    let manifest = place.manifest();
    let detected = &manifest["inputs"][0]["detected"];
    assert_eq!(detected["separator"], "semicolon", "{detected}");
    assert_eq!(detected["encoding"], "utf-8 (nothing but ASCII)", "{detected}");
    let status: Value = serde_json::from_slice(&place.prem(&["status"]).stdout).expect("a status in JSON");
    assert_eq!(status["deliveries"]["responses"]["detected"]["separator semicolon"], 1);
    let said = text(&crate::place::prem(place.path(), &["status", "--config", "prem.toml"]).stdout);
    assert!(said.contains("detected separator semicolon"), "{said}");
}

/// As after a change of program: the release is of another version.
#[test]
fn a_manifest_of_another_version_hides_nothing_of_the_store() {
    let place = place();
    deliver(&place, "answers_2025-01.csv", (1, 1..21, "2025-02-01"), &[]);
    place.run(&[]);
    let manifest = place.current().expect("a release").join("manifest.json");
    fs::write(&manifest, "{ \"run_id\": \"of-another-version\" }").expect("a manifest");
    let output = place.prem(&["status"]);
    expect_code(&output, 0);
    let status: Value = serde_json::from_slice(&output.stdout).expect("a status in JSON");
    assert_eq!(status["deliveries"]["responses"]["rows"]["rows_in"], 20);
    assert!(text(&output.stderr).contains("rows are shown as they were taken in"), "{}", text(&output.stderr));
}

/// The file's name would add a line and clear the terminal.
#[cfg(unix)]
#[test]
fn a_standing_refusal_ends_each_run_with_a_line_and_its_name_adds_none() {
    let place = place();
    let bad: Vec<String> = (0..30).map(|row| format!("r{row};W1;2025-01-05;2025-02-01;{row};fax;nb;3")).collect();
    let bad: Vec<&str> = bad.iter().map(String::as_str).collect();
    deliver(&place, "answers_2025-01\nREFUSED other.csv\u{1b}[2J.csv", (1, 100..110, "2025-02-01"), &bad);
    for night in [1, 2] {
        let output = crate::place::prem(place.path(), &["run", "--quiet", "--config", "prem.toml"]);
        expect_code(&output, 65);
        let said = text(&output.stderr);
        let last = said.lines().last().unwrap_or_default();
        let name = "answers_2025-01\\nREFUSED other.csv\\u{1b}[2J.csv";
        assert!(last.starts_with(&format!("exit 65: refused {name} (30 of ")), "night {night}: {said}");
        assert!(last.ends_with("; held back 1 indicator; see prem status"), "night {night}: {said}");
        assert!(output.stdout.is_empty());
    }
    for command in ["run", "status"] {
        let output = crate::place::prem(place.path(), &[command, "--config", "prem.toml"]);
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(said.contains("answers_2025-01\\nREFUSED"), "{said}");
        assert!(!said.contains('\u{1b}') && !said.lines().any(|line| line.starts_with("REFUSED other")), "{said}");
    }
}

#[test]
fn a_refusal_says_where_and_why() {
    let place = place();
    let bad: Vec<String> = (0..30).map(|row| format!("r{row};W1;2025-01-05;2025-02-01;{row};fax;nb;3")).collect();
    let bad: Vec<&str> = bad.iter().map(String::as_str).collect();
    deliver(&place, "answers_2025-01.csv", (1, 100..110, "2025-02-01"), &bad);
    let output = place.prem(&["run"]);
    expect_code(&output, 65);
    let said = text(&output.stderr);
    assert!(said.contains("not-a-code: 30") && said.contains("line 12 column mode not-a-code"), "{said}");
    let status: Value = serde_json::from_slice(&place.prem(&["status"]).stdout).expect("a status in JSON");
    let first = &status["refusals"][0]["first"][0];
    assert_eq!(
        (&first["line"], &first["column"], &first["reason"]),
        (&12.into(), &"mode".into(), &"not-a-code".into())
    );
    let said = text(&crate::place::prem(place.path(), &["status", "--config", "prem.toml"]).stdout);
    assert!(said.contains("REFUSED answers_2025-01.csv") && said.contains("bad rows: not-a-code 30"), "{said}");
}

/// A whole export that comes cut would erase what it leaves out.
#[test]
fn a_snapshot_of_too_few_rows_is_refused_until_it_is_accepted() {
    let place = place();
    let replaced = "mode = \"replace-period\"\nperiod = { column = \"answered_at\", file_name = '_(\\d{4}-\\d{2})' }";
    let export = EXPORT.replace(replaced, "mode = \"snapshot\"");
    assert!(export.contains("snapshot"));
    let export = export.replace("sequence = { column = \"extracted_at\" }", "sequence = \"file-name\"");
    fs::write(place.path().join("schemas/exports/answers.toml"), export).expect("a declaration");
    deliver(&place, "answers_2025-9.csv", (1, 1..41, "2025-10-01"), &[]);
    place.run(&[]);
    let before = place.current();
    // Fewer than half, and nothing at all.
    deliver(&place, "answers_2025-10.csv", (1, 1..16, "2025-11-01"), &[]);
    deliver(&place, "answers_2025-11.csv", (1, 1..1, "2025-12-01"), &[]);
    let output = place.prem(&["run"]);
    expect_code(&output, 65);
    let said = text(&output.stderr);
    for kept in [15, 0] {
        assert!(said.contains(&format!("it keeps {kept} rows where the snapshot before it kept 40")), "{said}");
    }
    assert_eq!(place.current(), before);
    expect_code(&place.prem(&["run"]), 65);
    let status: Value = serde_json::from_slice(&place.prem(&["status"]).stdout).expect("a status in JSON");
    assert_eq!(status["deliveries"]["responses"]["rows"]["rows_in"], 40, "nothing of them is stored");
    assert_eq!(status["refusals"].as_array().map(Vec::len), Some(2));

    fs::remove_file(place.inbox("answers_2025-11.csv")).expect("the empty one");
    let summary = place.run(&["--accept-fewer"]);
    assert_eq!(number(&summary["rows"]["responses"], "kept"), 15);
    // What was accepted is the measure from now on.
    deliver(&place, "answers_2025-12.csv", (1, 1..13, "2026-01-01"), &[]);
    assert_eq!(number(&place.run(&[])["rows"]["responses"], "kept"), 12);
}

/// One row of another month would replace all of that month.
#[test]
fn a_month_of_too_few_rows_is_refused_until_it_is_accepted() {
    let place = place();
    let by_name = "period = { column = \"answered_at\", file_name = '_(\\d{4}-\\d{2})' }";
    let export = EXPORT.replace(by_name, "period = { column = \"answered_at\" }");
    assert_ne!(export, EXPORT);
    fs::write(place.path().join("schemas/exports/answers.toml"), export).expect("a declaration");
    deliver(&place, "answers_2025-01.csv", (1, 1..41, "2025-02-01"), &[]);
    place.run(&[]);
    let january = [40, 40, 0, 0, 0, 0];

    let refused = |said: &str| {
        let output = place.prem(&["run"]);
        expect_code(&output, 65);
        assert!(text(&output.stderr).contains(said), "{}", text(&output.stderr));
        assert_eq!(by_number(&place)[0], january);
    };
    deliver(
        &place,
        "answers_2025-02.csv",
        (2, 101..121, "2025-03-01"),
        &["r900;W1;2025-01-05;2025-03-01;900;paper;nb;3"],
    );
    refused("it keeps 1 rows of 2025-01 where the delivery before it kept 40");
    deliver(&place, "answers_2025-02.csv", (2, 101..121, "2025-03-01"), &[]);
    place.run(&[]);
    assert_eq!(by_number(&place), [january, [20, 20, 0, 0, 0, 0]]);

    deliver(&place, "answers_2025-01-1.csv", (1, 1..16, "2025-03-15"), &[]);
    refused("it keeps 15 rows of 2025-01 where the delivery before it kept 40");
    place.run(&["--accept-fewer"]);
    assert_eq!(by_number(&place), [[40, 0, 0, 0, 40, 0], [20, 20, 0, 0, 0, 0], [15, 15, 0, 0, 0, 0]]);
}

#[test]
fn the_dictionary_describes_the_declarations_in_use() {
    let place = place();
    for (name, part) in [("katalog.html", "<html lang=\"nn\">"), ("katalog.md", "# Datakatalog")] {
        expect_code(
            &crate::place::prem(place.path(), &["dictionary", "--config", "prem.toml", "--language", "nn", name]),
            0,
        );
        let written = fs::read_to_string(place.path().join(name)).expect("a dictionary");
        assert!(written.contains(part) && written.contains("rule:paper-has-language"), "{name}");
    }
    let said = text(&crate::place::prem(place.path(), &["dictionary", "--language", "en"]).stdout);
    assert!(said.starts_with("# Data dictionary") && said.contains("`contacts`"), "{said}");
}
