//! Drawing whom to ask: who is eligible, who rests, and that the stated probabilities are the real ones.

use std::{collections::BTreeMap, fmt::Write as _, fs};

use serde_json::Value;

use crate::{
    erasure::stored,
    place::{Place, code, copy_folder, expect_code, shipped_schemas, text},
};

const ORGANISATION: &str = r#"
name = "region"
units = [
  { id = "region", level = "rhf", name = "Regionen", valid_from = 2020-01-01 },
  { id = "trust", level = "hf", name = "Helseforetaket", parent = "region", valid_from = 2020-01-01, codes = { pas = ["T"] } },
  { id = "large", level = "ward", name = "Stor post", parent = "trust", valid_from = 2020-01-01, codes = { pas = ["L"] } },
  { id = "small", level = "ward", name = "Liten post", parent = "trust", valid_from = 2020-01-01, codes = { pas = ["S"] } },
]
"#;

const QUESTIONNAIRES: [(&str, &str); 3] = [
    (
        "bank.toml",
        r#"
kind = "bank"
scale = [{ id = "extent", low = 1, high = 5 }]
item = [{ id = "listened", scale = "extent", text = "Lyttet personalet til deg?" }]
"#,
    ),
    (
        "stay.toml",
        r#"
kind = "questionnaire"
id = "stay"
version = "1"
title = "Opphold"
valid_from = 2020-01-01
items = ["listened"]
link = { via = "contact", answer_days_max = 100 }
"#,
    ),
    (
        "draw.toml",
        r#"
kind = "draw"
id = "monthly"
title = "Månedlig"
questionnaire = "stay"
[eligible]
care_levels = ["1"]
age_min = 18
stay_hours_min = 24
main_diagnoses_excluded = ["Z38"]
[quota]
per_unit = 4
census_up_to = 3
"#,
    ),
];

const EXPORTS: [(&str, &str); 3] = [
    ("contacts", r#"dataset = "contacts""#),
    ("invitations", r#"dataset = "invitations""#),
    ("reservations", r#"dataset = "reservations""#),
];

/// A place whose declarations lie in its own folder `schemas`.
pub fn place() -> Place {
    let schemas = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = schemas.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    write("organisations/region.toml", ORGANISATION);
    for (name, text) in QUESTIONNAIRES {
        write(&format!("questionnaires/{name}"), text);
    }
    for (name, dataset) in EXPORTS {
        let export = format!(
            "name = \"{name}\"\n{dataset}\nsource = \"pas\"\nfiles = [\"{name}_*.csv\"]\nmode = \"upsert\"\n\
             sequence = \"file-name\"\ndate_formats = [\"%Y-%m-%d\", \"%Y-%m-%dT%H:%M\"]\nformat = {{ type = \"delimited\" }}\n"
        );
        write(&format!("exports/{name}.toml"), &export);
    }
    let place = Place::empty(schemas.path());
    // The schemas move into the place, which outlives their folder.
    copy_folder(schemas.path(), &place.path().join("schemas"));
    place.use_schemas("schemas");
    place
}

/// A contact: id, person, unit code, admission, discharge, age, care level, diagnosis, status.
type Contact<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str, &'a str, &'a str, &'a str, &'a str);

fn contacts(place: &Place, rows: &[Contact<'_>]) {
    let mut file =
        "contact_id;person_id;unit_code;admitted_at;discharged_at;age;care_level;main_diagnosis;discharge_status;\
                    sex;urgency;municipality;district;other_diagnoses;procedures;drg\n"
            .to_owned();
    for (contact, person, unit, from, to, age, level, diagnosis, status) in rows {
        let row = [contact, person, unit, from, to, age, level, diagnosis, status].map(|cell| *cell).join(";");
        writeln!(file, "{row};;;;;;;").expect("text");
    }
    fs::write(place.inbox("contacts_1.csv"), file).expect("a file");
}

fn draw(place: &Place, arguments: &[&str]) -> Value {
    let mut all = vec!["draw", "monthly", "--window", "2025-03", "--on", "2025-04-10"];
    all.extend(arguments);
    if !arguments.contains(&"--dry-run") {
        all.extend(["--out", "list.csv"]);
    }
    let output = place.prem(&all);
    expect_code(&output, 0);
    serde_json::from_slice(&output.stdout).expect("a summary in JSON")
}

/// Drawn contacts with their probabilities.
fn list(place: &Place, summary: &Value) -> BTreeMap<String, f64> {
    let path = place.path().join(summary["list"].as_str().expect("a list"));
    let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_path(path).expect("a list");
    let rows = reader.deserialize::<BTreeMap<String, String>>().map(|row| row.expect("a row"));
    let number = |text: &str| text.replace(',', ".").parse().expect("a number");
    rows.map(|row| (row["contact_id"].clone(), number(&row["inclusion_probability"]))).collect()
}

const IN: &str = "2025-03-01T10:00";
const OUT: &str = "2025-03-04T10:00";

#[test]
fn every_contact_is_eligible_or_left_out_for_one_reason() {
    let place = place();
    contacts(
        &place,
        &[
            ("c01", "p01", "S", IN, OUT, "40", "1", "I21", "1"),
            ("c02", "p02", "S", IN, OUT, "17", "1", "I21", "1"),
            ("c03", "p03", "S", IN, OUT, "", "1", "I21", "1"),
            ("c04", "p04", "S", IN, "2025-03-02T09:59", "40", "1", "I21", "1"),
            ("c05", "p05", "S", IN, OUT, "40", "3", "I21", "1"),
            ("c06", "p06", "S", IN, OUT, "40", "1", "Z380", "1"),
            ("c07", "p07", "S", IN, OUT, "40", "1", "I21", "2"),
            ("c08", "p08", "X", IN, OUT, "40", "1", "I21", "1"),
            ("c09", "p09", "T", IN, OUT, "40", "1", "I21", "1"),
            ("c10", "p10", "S", IN, OUT, "40", "1", "I21", "1"),
            ("c11", "p11", "S", IN, OUT, "40", "1", "I21", "1"),
            // Of two stays the latest stands for the person.
            ("c12", "p12", "L", IN, OUT, "40", "1", "I21", "1"),
            ("c13", "p12", "S", "2025-03-10T08:00", "2025-03-12T08:00", "40", "1", "I21", "1"),
            // Outside the window: counted nowhere, but death there is known here.
            ("c14", "p14", "S", IN, OUT, "40", "1", "I21", "1"),
            ("c15", "p14", "S", "2025-04-01T08:00", "2025-04-02T08:00", "40", "1", "I21", "3"),
            ("c16", "p16", "S", "2024-06-01T08:00", "2024-06-03T08:00", "40", "1", "I21", "1"),
            ("c17", "p16", "S", IN, OUT, "40", "1", "I21", "1"),
            // Asked exactly twelve months before: the rest is over.
            ("c18", "p18", "S", "2024-04-01T08:00", "2024-04-03T08:00", "40", "1", "I21", "1"),
            ("c19", "p18", "S", IN, OUT, "40", "1", "I21", "1"),
        ],
    );
    fs::write(
        place.inbox("invitations_1.csv"),
        "invitation_id;contact_id;sent_at;outcome;stratum;inclusion_probability\ni1;c16;2024-06-20;undeliverable;;\ni2;c18;2024-04-10;sent;;\n",
    )
    .expect("a file");
    fs::write(
        place.inbox("reservations_1.csv"),
        "person_id;reserved_from;reserved_to\np10;;\np11;2025-01-01;2025-04-10\n",
    )
    .expect("a file");
    expect_code(&place.prem(&["ingest"]), 0);
    let summary = draw(&place, &[]);
    let report = &summary["report"];
    assert_eq!(report["contacts"], 16);
    let excluded = serde_json::json!({
        "age": 1, "age-unknown": 1, "stay-length": 1, "care-level": 1, "excluded-diagnosis": 1,
        "dead": 2, "unit-unknown": 1, "no-unit-at-level": 1, "reserved": 1, "later-contact": 1, "asked-within-rest": 1,
    });
    assert_eq!(report["excluded"], excluded);
    assert_eq!(report["unplaced"], serde_json::json!({ "unit-unknown": { "X": 1 } }));
    // c01, c11 (whose reservation ended on the day), c13 and c19 in a ward of more than three: four of four.
    let drawn = list(&place, &summary);
    assert_eq!(drawn.keys().collect::<Vec<_>>(), ["c01", "c11", "c13", "c19"]);
    assert!(drawn.values().all(|probability| *probability == 1.0));
}

/// Ten persons of a large ward and three of a small one, each with one stay.
fn two_wards(place: &Place) {
    let ids: Vec<(String, String)> = (0..13).map(|i| (format!("c{i:02}"), format!("p{i:02}"))).collect();
    let rows: Vec<Contact<'_>> = ids
        .iter()
        .enumerate()
        .map(|(i, (c, p))| (c.as_str(), p.as_str(), if i < 10 { "L" } else { "S" }, IN, OUT, "40", "1", "I21", "1"))
        .collect();
    contacts(place, &rows);
    expect_code(&place.prem(&["ingest"]), 0);
}

#[test]
fn the_same_seed_and_data_give_the_same_list_and_other_data_ask_first() {
    let place = place();
    two_wards(&place);
    let first = draw(&place, &[]);
    assert_eq!(first["already_drawn"], false);
    let drawn = list(&place, &first);
    assert_eq!(drawn.len(), 4 + 3);
    let again = draw(&place, &["--threads", "1"]);
    assert_eq!(again["already_drawn"], true);
    assert_eq!(list(&place, &again), drawn);

    // Who was drawn rests, in the next month's draw too, and before any invitation is delivered.
    let rows: Vec<String> =
        (0..13).map(|i| format!("n{i:02};p{i:02};L;2025-04-02T08:00;2025-04-05T08:00;40;1;I21;1;;;;;;;")).collect();
    let header =
        fs::read_to_string(place.inbox("contacts_1.csv")).expect("a file").lines().next().expect("a header").to_owned();
    fs::write(place.inbox("contacts_2.csv"), format!("{header}\n{}\n", rows.join("\n"))).expect("a file");
    expect_code(&place.prem(&["ingest"]), 0);
    let next = place.prem(&["draw", "monthly", "--window", "2025-04", "--on", "2025-05-10", "--out", "april.csv"]);
    expect_code(&next, 0);
    let next: Value = serde_json::from_slice(&next.stdout).expect("JSON");
    assert_eq!(next["report"]["excluded"]["asked-within-rest"], 7);
    assert_eq!(next["report"]["eligible"], 6);

    // New contacts were delivered, so March would be another draw: it is not silently replaced.
    let other = place.prem(&["draw", "monthly", "--window", "2025-03", "--out", "list.csv"]);
    assert_eq!(code(&other), 73, "{}", text(&other.stderr));
    assert!(text(&other.stderr).contains("--replace"));
    assert_eq!(draw(&place, &["--dry-run"])["list"], Value::Null);
}

#[test]
fn probabilities_are_those_stated() {
    const SEEDS: u32 = 150;
    let place = place();
    two_wards(&place);
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let mut stated = BTreeMap::new();
    for seed in 0..SEEDS {
        let summary = draw(&place, &["--replace", "--seed", &seed.to_string()]);
        stated.extend(list(&place, &summary));
        list(&place, &summary).into_keys().for_each(|contact| *counts.entry(contact).or_default() += 1);
    }
    assert_eq!(stated.len(), 13, "everybody is drawn some time");
    for (contact, probability) in stated {
        let expected = if contact.as_str() < "c10" { 0.4 } else { 1.0 };
        assert_eq!(probability, expected, "{contact}");
        let share = f64::from(counts[&contact]) / f64::from(SEEDS);
        let standard_error = (expected * (1.0 - expected) / f64::from(SEEDS)).sqrt();
        assert!((share - expected).abs() <= 4.0 * standard_error, "{contact}: {share} for {expected}");
    }
}

#[test]
fn who_withdraws_is_in_no_draw_any_more() {
    let place = place();
    two_wards(&place);
    assert!(list(&place, &draw(&place, &[])).contains_key("c10"));
    fs::write(place.path().join("withdrawn.txt"), "p10\n").expect("a file");
    let keeps = || stored(&place, &["person_id"]).contains(&("person_id".to_owned(), "p10".to_owned()));
    assert!(keeps());
    expect_code(&place.prem(&["erase", "--keys", "withdrawn.txt", "--column", "person_id"]), 0);
    assert!(!keeps());
    // The kept draw is that of other data now; without the person it can only be drawn anew.
    let anew = draw(&place, &["--replace"]);
    assert!(!list(&place, &anew).contains_key("c10"));
}

#[test]
fn an_unknown_plan_names_the_known_ones() {
    let place = place();
    let output = place.prem(&["draw", "weekly", "--window", "2025-03", "--dry-run"]);
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("known: monthly"), "{}", text(&output.stderr));
}

#[test]
fn a_window_is_drawn_when_it_is_over() {
    let place = place();
    two_wards(&place);
    let early = ["draw", "monthly", "--window", "2025-03", "--on", "2025-03-31"];
    let output = place.prem(&[&early[..], &["--out", "list.csv"]].concat());
    expect_code(&output, 2);
    let said = text(&output.stderr);
    assert!(said.contains("the window 2025-03 is not over on 2025-03-31, the day of the draw"), "{said}");
    assert!(said.contains("draw it on 2025-04-01 or later"), "{said}");
    assert!(!place.path().join("list.csv").exists());
    expect_code(&place.prem(&[&early[..], &["--dry-run"]].concat()), 0);
    let first_day = ["draw", "monthly", "--window", "2025-03", "--on", "2025-04-01", "--out", "list.csv"];
    expect_code(&place.prem(&first_day), 0);
}

#[test]
fn a_window_without_contacts_is_told_with_what_is_stored() {
    let place = place();
    two_wards(&place);
    let output = place.prem(&["draw", "monthly", "--window", "2031-01", "--on", "2031-02-10", "--out", "list.csv"]);
    expect_code(&output, 66);
    let said = text(&output.stderr);
    assert!(said.contains("no contact discharged in 2031-01 is stored"), "{said}");
    assert!(said.contains("from 2025-03-04 to 2025-03-04"), "{said}");
    assert!(!place.path().join("list.csv").exists());
}

#[test]
fn a_list_is_not_written_over_by_another() {
    let place = place();
    two_wards(&place);
    fs::write(place.path().join("list.csv"), "the list of another draw\n").expect("a file");
    let arguments = ["draw", "monthly", "--window", "2025-03", "--on", "2025-04-10", "--out", "list.csv"];
    let output = place.prem(&arguments);
    expect_code(&output, 73);
    assert!(text(&output.stderr).contains("list.csv holds something else"), "{}", text(&output.stderr));
    assert_eq!(fs::read_to_string(place.path().join("list.csv")).expect("a file"), "the list of another draw\n");
    // Nothing was drawn: the same draw to another file is the first.
    let first = place.prem(&[&arguments[..7], &["other.csv"]].concat());
    expect_code(&first, 0);
    let first: Value = serde_json::from_slice(&first.stdout).expect("JSON");
    assert_eq!(first["already_drawn"], false);
    // A draw that was made before does not write over it either.
    expect_code(&place.prem(&arguments), 73);
    expect_code(&place.prem(&[&arguments[..], &["--replace"]].concat()), 0);
    assert_eq!(
        fs::read(place.path().join("list.csv")).expect("a list"),
        fs::read(place.path().join("other.csv")).expect("a list")
    );
}

#[test]
fn another_day_is_not_told_as_other_data() {
    let place = place();
    two_wards(&place);
    draw(&place, &[]);
    let output = place.prem(&["draw", "monthly", "--window", "2025-03", "--on", "2025-04-11", "--out", "another.csv"]);
    expect_code(&output, 73);
    let said = text(&output.stderr);
    assert!(said.contains("on 2025-04-10; this would be another draw, on another day or from other data"), "{said}");
}

/// The survey office takes the columns away that are its own, adds when each was sent and what became of it, and sends the
/// list back: the shipped export of invitations reads every row of it.
#[test]
fn the_list_comes_back_through_the_shipped_export_of_invitations() {
    let place = place();
    let shipped = shipped_schemas().join("exports/survey-invitations.toml");
    fs::copy(shipped, place.path().join("schemas/exports/invitations.toml")).expect("the shipped export");
    two_wards(&place);
    draw(&place, &[]);
    let drawn = fs::read_to_string(place.path().join("list.csv")).expect("a list");
    let mut sent = String::new();
    for (place, line) in drawn.lines().enumerate() {
        let cells: Vec<&str> = line.split(';').collect();
        assert_eq!(cells.len(), 8, "{line}");
        let added = if place == 0 { "Sendt;Utfall" } else { "20.04.2025;Sendt" };
        writeln!(sent, "{};{added}", cells[..5].join(";")).expect("text");
    }
    assert!(sent.starts_with("InvitasjonsID;KontaktID;Skjema;Stratum;Trekksannsynlighet;Sendt;Utfall\n"), "{sent}");
    assert!(sent.contains(";0,4;20.04.2025"), "{sent}");
    fs::write(place.inbox("invitations_2025-04.csv"), sent).expect("a file");
    let output = place.prem(&["ingest"]);
    expect_code(&output, 0);
    let summary: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(summary["files_new"], 1);
    let deliveries = place.path().join("store/deliveries/invitations");
    let folder = fs::read_dir(deliveries).expect("deliveries").next().expect("a delivery").expect("an entry").path();
    let record: Value =
        serde_json::from_slice(&fs::read(folder.join("delivery.json")).expect("a record")).expect("JSON");
    assert_eq!((&record["counts"]["rows_in"], &record["counts"]["kept"]), (&Value::from(7), &Value::from(7)));
}
