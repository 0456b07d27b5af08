//! Persons who withdraw: their rows go from everything stored, stay out, and change what a run is a function of.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use arrow::{array::AsArray, compute::cast, datatypes::DataType};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::place::{Place, expect_code, text};

fn parquet_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(parquet_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "parquet") {
            found.push(path);
        }
    }
    found
}

/// Every value of the named columns in every Parquet file of the store.
pub fn stored(place: &Place, columns: &[&str]) -> BTreeSet<(String, String)> {
    let mut values = BTreeSet::new();
    for path in parquet_files(&place.path().join("store")) {
        let file = fs::File::open(&path).expect("a file");
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet").build().expect("a reader");
        for batch in reader {
            let batch = batch.expect("a batch");
            for name in columns {
                let Some(column) = batch.column_by_name(name) else { continue };
                let column = cast(column, &DataType::Utf8).expect("text");
                let texts = column.as_string::<i32>();
                values.extend(texts.iter().flatten().map(|value| ((*name).to_owned(), value.to_owned())));
            }
        }
    }
    values
}

const KEYS: [&str; 4] = ["person_id", "contact_id", "invitation_id", "response_id"];

/// The keys of a person who answered, found in the files of the inbox: person, contact, invitation, response.
struct Person {
    keys: [String; 4],
}

impl Person {
    fn who_answered(place: &Place, skip: usize) -> Self {
        let column = |line: &str, at: usize| line.split(';').nth(at).unwrap_or_default().to_owned();
        let place_of = |header: &str, name: &str| header.split(';').position(|found| found.trim() == name);
        let read = |name: &str| String::from_utf8_lossy(&fs::read(place.inbox(name)).expect("a file")).into_owned();
        let names: BTreeSet<String> = fs::read_dir(place.path().join("inbox"))
            .expect("an inbox")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        let files = |start: &str| names.iter().filter(|name| name.starts_with(start)).cloned().collect::<Vec<_>>();
        let invitations: Vec<String> = files("invitations_").iter().map(|name| read(name)).collect();
        let contacts: Vec<String> = files("contacts_").iter().map(|name| read(name)).collect();
        let find = |files: &[String], name: &str, key: &str, wanted: &str| {
            files.iter().find_map(|text| {
                let header = text.trim_start_matches('\u{feff}').lines().next()?;
                let (at, to) = (place_of(header, key)?, place_of(header, wanted)?);
                text.lines().skip(1).find(|line| column(line, at) == name).map(|line| column(line, to))
            })
        };
        let mut met = 0;
        for name in files("responses_") {
            let answers = read(&name);
            let Some(header) = answers.trim_start_matches('\u{feff}').lines().next() else { continue };
            let response_at = place_of(header, "SvarID").or_else(|| place_of(header, "svar_id"));
            let invitation_at = place_of(header, "InvitasjonsID").or_else(|| place_of(header, "invitasjon_id"));
            let (Some(response_at), Some(invitation_at)) = (response_at, invitation_at) else { continue };
            for line in answers.lines().skip(1) {
                let (response, invitation) = (column(line, response_at), column(line, invitation_at));
                let Some(contact) = find(&invitations, &invitation, "InvitasjonsID", "KontaktID") else { continue };
                let Some(person) = find(&contacts, &contact, "kontakt_id", "person_lopenr") else { continue };
                met += 1;
                if met > skip {
                    return Self { keys: [person, contact, invitation, response] };
                }
            }
        }
        panic!("nobody answered");
    }

    fn is_in(&self, values: &BTreeSet<(String, String)>) -> [bool; 4] {
        let holds = |at: usize| values.contains(&(KEYS[at].to_owned(), self.keys[at].clone()));
        [holds(0), holds(1), holds(2), holds(3)]
    }
}

fn write_keys(place: &Place, keys: &[&str]) {
    fs::write(place.path().join("keys.txt"), keys.join("\n") + "\n").expect("a file of keys");
}

fn erase(place: &Place, column: &str, more: &[&str]) -> Value {
    let mut arguments = vec!["erase", "--keys", "keys.txt", "--column", column];
    arguments.extend(more);
    let output = place.prem(&arguments);
    expect_code(&output, 0);
    serde_json::from_slice(&output.stdout).expect("a report")
}

fn count(value: &Value, path: &str) -> u64 {
    value.pointer(path).and_then(Value::as_u64).unwrap_or(0)
}

#[test]
fn a_person_who_withdraws_leaves_nothing_behind_and_stays_out() {
    let place = Place::region(600);
    let first = place.run(&[]);
    let person = Person::who_answered(&place, 3);
    let before = stored(&place, &KEYS);
    assert_eq!(person.is_in(&before), [true; 4]);
    write_keys(&place, &[&person.keys[0], "nobody-has-this-key"]);

    let planned = erase(&place, "person_id", &["--dry-run"]);
    assert_eq!(person.is_in(&stored(&place, &KEYS)), [true; 4], "a dry run takes nothing");
    let report = erase(&place, "person_id", &[]);
    assert_eq!(planned["rows"], report["rows"]);
    assert_eq!((count(&report, "/keys_new"), count(&report, "/keys_without_rows")), (2, 1));
    for dataset in ["contacts", "invitations", "responses"] {
        assert!(count(&report, &format!("/rows/{dataset}/kept")) > 0, "{dataset}: {report}");
    }
    assert!(!report["inbox_files"].as_array().expect("files").is_empty(), "the inbox still holds the person");
    let after = stored(&place, &KEYS);
    assert_eq!(person.is_in(&after), [false; 4]);
    // Nobody else is gone.
    let gone: Vec<_> = before.difference(&after).filter(|(name, _)| name == "person_id").collect();
    assert_eq!(gone, [&("person_id".to_owned(), person.keys[0].clone())]);

    // The next run is another one, says so, and adds up.
    let second = place.run(&[]);
    assert_ne!(first["run_id"], second["run_id"]);
    assert_eq!(count(&second, "/later_erasures"), 1);
    assert_eq!(count(&place.manifest(), "/later_erasures"), 1);
    assert!(count(&second, "/rows/responses/excluded/erased") > 0);
    assert_eq!(count(&first, "/rows/responses/rows_in"), count(&second, "/rows/responses/rows_in"));
    assert_eq!(place.run(&[])["idle"], Value::Bool(true));

    // The same rows in new files stay out, and a new contact of the person does not come in by another door.
    for start in ["contacts_", "invitations_", "responses_"] {
        for entry in fs::read_dir(place.path().join("inbox")).expect("an inbox") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if name.starts_with(start) && name.contains("2025-0") {
                let mut bytes = fs::read(&path).expect("bytes");
                bytes.extend_from_slice(b"\r\n");
                fs::write(place.inbox(&name.replace(".csv", "b.csv")), bytes).expect("the file again");
            }
        }
    }
    place.run(&[]);
    assert_eq!(person.is_in(&stored(&place, &KEYS)), [false; 4]);
}

#[test]
fn an_erasure_says_nothing_of_whom_it_was() {
    let place = Place::region(300);
    place.run(&[]);
    let person = Person::who_answered(&place, 0);
    write_keys(&place, &[&person.keys[1]]);
    let output = place.prem(&["erase", "--keys", "keys.txt", "--column", "contact_id", "--log", "json"]);
    expect_code(&output, 0);
    for said in [text(&output.stdout), text(&output.stderr)] {
        assert!(person.keys.iter().all(|key| !said.contains(key.as_str())), "{said}");
    }
    let ledger = fs::read_to_string(place.path().join("store/erasures/ledger.json")).expect("a ledger");
    assert!(person.keys.iter().all(|key| !ledger.contains(key.as_str())));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let key = fs::metadata(place.path().join("store/erasures/key")).expect("a key");
        assert_eq!(key.permissions().mode() & 0o777, 0o600);
    }
    // The person keeps other contacts: only what hangs below the key went.
    assert_eq!(person.is_in(&stored(&place, &KEYS))[1..], [false; 3]);
}

#[test]
fn the_past_is_seen_as_it_was_except_the_erased() {
    let place = Place::region(300);
    place.run(&["--delivered-at", "2025-06-01"]);
    let late = place.inbox("responses_2098-01.csv");
    fs::copy(place.inbox("responses_2024-06.csv"), &late).expect("a file");
    let mut bytes = fs::read(&late).expect("bytes");
    bytes.extend_from_slice(b"\r\n");
    fs::write(&late, bytes).expect("other bytes");
    place.run(&["--delivered-at", "2025-09-01"]);
    let before = place.run(&["--as-of", "2025-07-01"]);
    let person = Person::who_answered(&place, 1);
    write_keys(&place, &[&person.keys[0]]);
    erase(&place, "person_id", &[]);
    let after = place.run(&["--as-of", "2025-07-01"]);
    assert_ne!(before["run_id"], after["run_id"]);
    assert_eq!(count(&before, "/rows/responses/rows_in"), count(&after, "/rows/responses/rows_in"));
    assert_eq!(count(&after, "/later_erasures"), 1);
}

#[test]
fn refused_files_are_named_as_long_as_they_stand() {
    let place = Place::region(300);
    let population = place.delivered("population");
    let sound = fs::read(&population).expect("its bytes");
    fs::write(&population, "year;persons\n2024;1\n").expect("a wrong header");
    expect_code(&place.prem(&["run"]), 65);
    write_keys(&place, &["nobody-has-this-key"]);
    let unread = || erase(&place, "person_id", &["--dry-run"])["unread_files"].as_array().map_or(0, Vec::len);
    assert_eq!(unread(), 1);
    fs::write(&population, sound).expect("the right file");
    place.run(&[]);
    assert_eq!(unread(), 0, "the record of the refusal stays, and says nothing of the file that lies there now");
}

/// Milliseconds after which an erasure is killed.
const KILLS_MS: [u64; 6] = [3, 8, 15, 25, 40, 80];

#[test]
fn a_killed_erasure_is_finished_by_the_next_command() {
    let place = Place::region(1_000);
    place.run(&[]);
    for (at, milliseconds) in KILLS_MS.into_iter().enumerate() {
        let person = Person::who_answered(&place, 5 * at);
        write_keys(&place, &[&person.keys[0]]);
        place.kill_after(milliseconds, &["erase", "--keys", "keys.txt", "--column", "person_id"]);
        let ledger = fs::read_to_string(place.path().join("store/erasures/ledger.json")).unwrap_or_default();
        let has_begun = ledger.matches("\"number\"").count() > at;
        if !has_begun {
            // Killed before the withdrawal was written: nothing has changed.
            assert_eq!(person.is_in(&stored(&place, &KEYS)), [true; 4]);
            erase(&place, "person_id", &[]);
        }
        place.run(&[]);
        assert_eq!(person.is_in(&stored(&place, &KEYS)), [false; 4]);
    }
}
