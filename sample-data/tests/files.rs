//! The files: the same for the same settings, readable as declared, and with exactly the planted errors.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a test fails by panicking, says what it skipped, and counts small things"
)]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use common::{Record, plan, plan_of_one, read};
use jiff::civil::Date;
use prem_sample::{MARK, Settings, generate, read_truth};
use prem_spec::{
    AdjusterKind, Column, ColumnKind, Dataset, Encoding, FileFormat, Link, Plan, RuleKind, SourceColumn, SourceValue,
};

fn small() -> Settings {
    Settings {
        responses: 3_000,
        contacts: 12_000,
        months: 6,
        broken_share: 0.02,
        late_share: 0.02,
        corrected_share: 0.02,
        duplicate_share: 0.02,
        stray_share: 0.01,
        population: false,
        ..Settings::default()
    }
}

fn bytes(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    ["inbox", "truth"]
        .iter()
        .flat_map(|part| fs::read_dir(folder.join(part)).expect("a folder"))
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (path.to_string_lossy().replace(&*folder.to_string_lossy(), ""), fs::read(&path).expect("a file")))
        .collect()
}

#[test]
fn the_same_settings_give_the_same_bytes_on_any_number_of_threads() {
    let plan = plan_of_one();
    let make = |threads: usize, seed: u64| {
        let folder = tempfile::tempdir().expect("a folder");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        let settings = Settings { seed, ..small() };
        pool.install(|| generate(&plan, &settings, folder.path())).expect("a region");
        bytes(folder.path())
    };
    let one = make(1, 5);
    assert!(one == make(3, 5));
    assert!(one != make(1, 6));
    assert!(one.keys().all(|name| !name.contains("unfinished")));
}

/// The outpatients' form beside the inpatients': its own files and truth, contacts and invitations in common files, and every
/// invitation names its questionnaire.
#[test]
fn other_questionnaires_are_answered_beside_the_main_one() {
    let plan = plan();
    let folder = tempfile::tempdir().expect("a folder");
    let settings = Settings { other_share: 0.5, broken_share: 0.0, ..small() };
    let truth = generate(&plan, &settings, folder.path()).expect("a region");
    let rows_of = |prefix: &str| -> usize {
        let files = truth.files.iter().filter(|name| name.starts_with(prefix));
        files
            .map(|name| fs::read_to_string(folder.path().join("inbox").join(name)).expect("UTF-8").lines().count() - 1)
            .sum()
    };
    let (main, other) = (rows_of("responses_"), rows_of("somatic-outpatient_"));
    assert!(other > main / 3 && other < main, "{main} and {other}");
    assert_eq!((main + other) as u64, truth.rows("responses", "rows"));
    let outpatient = truth.units.iter().find(|unit| unit.indicator == "outpatient-staff" && unit.level == "rhf");
    assert!(outpatient.expect("its truth").respondents < other as u64, "proxies do not count");
    let invited = read(&plan, &folder.path().join("inbox"), "invitations").into_iter().flat_map(|(_, rows)| rows);
    let mut ids: Vec<String> = invited.map(|one| one["questionnaire_id"].clone()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids, ["adult-inpatient", "somatic-outpatient"]);
}

/// All seven forms: each is sent to patients whom its indicators count, as far as the register knows, and answered in files of
/// its own.
#[test]
fn every_questionnaire_is_answered_by_patients_of_its_own() {
    let plan = plan();
    let folder = tempfile::tempdir().expect("a folder");
    let clean = Settings { broken_share: 0.0, stray_share: 0.0, contacts: 0, ..small() };
    let settings = Settings { every_questionnaire: true, other_share: 0.3, ..clean };
    let truth = generate(&plan, &settings, folder.path()).expect("a region");
    let inbox = folder.path().join("inbox");
    let rows = |dataset: &str| -> Vec<Record> {
        read(&plan, &inbox, dataset).into_iter().flat_map(|(_, rows)| rows).collect()
    };
    let contacts: BTreeMap<String, Record> =
        rows("contacts").into_iter().map(|contact| (contact["contact_id"].clone(), contact)).collect();
    let mut asked: BTreeMap<String, Vec<&Record>> = BTreeMap::new();
    for invitation in rows("invitations") {
        asked.entry(invitation["questionnaire_id"].clone()).or_default().push(&contacts[&invitation["contact_id"]]);
    }
    assert_eq!(asked.keys().collect::<Vec<_>>(), plan.questionnaires.keys().collect::<Vec<_>>());
    for indicator in plan.indicators.values() {
        let population = &indicator.population;
        let Some(questionnaire) = &population.questionnaire else { continue };
        for contact in &asked[questionnaire] {
            let age: i64 = contact["age"].parse().expect("an age");
            let is_one = |codes: &[String], column: &str| codes.is_empty() || codes.contains(&contact[column]);
            let is_meant = |prefix: &String| contact["main_diagnosis"].starts_with(prefix.as_str());
            assert!(population.age_min.is_none_or(|least| age >= least), "{questionnaire}: {contact:?}");
            assert!(population.age_max.is_none_or(|most| age <= most), "{questionnaire}: {contact:?}");
            assert!(is_one(&population.care_levels, "care_level"), "{questionnaire}: {contact:?}");
            assert!(is_one(&population.urgencies, "urgency"), "{questionnaire}: {contact:?}");
            let diagnoses = &population.main_diagnoses;
            assert!(diagnoses.is_empty() || diagnoses.iter().any(is_meant), "{questionnaire}: {contact:?}");
        }
    }
    let women = asked["maternity"].iter().all(|contact| contact["sex"] == "2");
    assert!(women && asked.values().all(|contacts| contacts.len() > 500), "about 900 answers are asked of each");
    for export in plan.exports.values().filter(|export| export.dataset == "responses") {
        let (start, _) = export.files[0].split_once('*').expect("a pattern");
        assert!(truth.files.iter().any(|name| name.starts_with(start)), "{start}: {:?}", truth.files);
    }
}

#[test]
fn the_truth_reads_as_it_was_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let truth = generate(&plan_of_one(), &small(), folder.path()).expect("a region");
    assert_eq!(truth, read_truth(&folder.path().join("truth")).expect("the truth"));
    assert!(folder.path().join("inbox").join(MARK).is_file() && !truth.files.iter().any(|name| name == MARK));
    assert_eq!(truth.cut_answers, 0);
    assert!(!truth.units.is_empty() && !truth.adjusters.is_empty() && !truth.rates.is_empty());
}

#[test]
fn planted_errors_are_counted_exactly() {
    let plan = plan_of_one();
    let folder = tempfile::tempdir().expect("a folder");
    let truth = generate(&plan, &small(), folder.path()).expect("a region");
    let inbox = folder.path().join("inbox");
    for name in ["contacts", "invitations", "responses"] {
        let export = plan.exports.values().find(|export| export.dataset == name).expect("an export");
        let (dataset, columns) = (&plan.datasets[name], plan.stored_columns(export));
        let files = read(&plan, &inbox, name);
        let mut found: BTreeMap<String, u64> = BTreeMap::new();
        let (mut rows, mut duplicates, mut superseded) = (0, 0, 0);
        let mut keys = BTreeSet::new();
        for (_, records) in &files {
            let mut seen = BTreeSet::new();
            for record in records {
                rows += 1;
                if let Some(reason) = mistake(dataset, &columns, &export.date_formats[0], record) {
                    *found.entry(reason).or_default() += 1;
                } else if !seen.insert(record.clone()) {
                    duplicates += 1;
                } else if !keys.insert(record[&dataset.key[0]].clone()) {
                    superseded += 1;
                }
            }
        }
        let planted: BTreeMap<String, u64> = truth
            .deliveries
            .iter()
            .filter(|count| count.dataset == name && count.finding == "quarantine")
            .map(|count| (count.reason.clone(), count.rows))
            .collect();
        assert_eq!(found, planted, "{name}");
        assert!(planted.len() >= 3, "{name}: {planted:?}");
        assert_eq!(rows, truth.rows(name, "rows"));
        assert_eq!(duplicates, truth.rows(name, "duplicate"), "{name}");
        assert_eq!(superseded, truth.rows(name, "superseded"), "{name}");
    }
    assert!(truth.rows("responses", "late") > 20 && truth.rows("responses", "superseded") > 20);
    strays(&plan, &inbox, &truth);
}

/// In files of a handful of rows one broken row is more than the export accepts.
#[test]
fn no_file_has_more_broken_rows_than_its_export_accepts() {
    let strict = plan_of_one();
    let mut tolerant = strict.clone();
    tolerant.exports.values_mut().for_each(|export| export.max_bad_share = 1.0);
    let settings = Settings { responses: 300, contacts: 700, months: 4, broken_share: 0.25, ..small() };
    let folders = [tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder")];
    let truth = generate(&strict, &settings, folders[0].path()).expect("a region");
    let broken_freely = generate(&tolerant, &settings, folders[1].path()).expect("a region");
    assert_eq!(truth.files, broken_freely.files);
    let mut all_spared = 0;
    for name in ["contacts", "invitations", "responses"] {
        let export = strict.exports.values().find(|export| export.dataset == name).expect("an export");
        let (dataset, columns) = (&strict.datasets[name], strict.stored_columns(export));
        let is_bad = |record: &Record| mistake(dataset, &columns, &export.date_formats[0], record).is_some();
        let of = |folder: &tempfile::TempDir| read(&strict, &folder.path().join("inbox"), name);
        let (mut bad, mut spared) = (0, 0);
        for ((file, few), (_, many)) in of(&folders[0]).iter().zip(&of(&folders[1])) {
            let here = few.iter().filter(|record| is_bad(record)).count();
            assert!(here as f64 <= export.max_bad_share * few.len() as f64, "{file}: {here} of {}", few.len());
            bad += here;
            // Nothing else is another: the rows are the same but for those that stayed whole.
            assert_eq!(few.len(), many.len(), "{file}");
            for (whole, other) in few.iter().zip(many).filter(|(one, other)| one != other) {
                assert!(!is_bad(whole) && is_bad(other), "{file}: {whole:?} instead of {other:?}");
                spared += 1;
            }
        }
        assert_eq!(
            (bad as u64, (bad + spared) as u64),
            (truth.rows(name, "quarantine"), broken_freely.rows(name, "quarantine"))
        );
        assert!(bad > 0, "{name}");
        all_spared += spared;
        for finding in ["rows", "duplicate", "superseded", "late", "stray"] {
            assert_eq!(truth.rows(name, finding), broken_freely.rows(name, finding), "{name} {finding}");
        }
    }
    assert!(all_spared > 40, "{all_spared} rows would have been too many");
}

fn strays(plan: &Plan, inbox: &Path, truth: &prem_sample::Truth) {
    let all = |name: &str| read(plan, inbox, name).into_iter().flat_map(|(_, records)| records);
    let invitations: BTreeSet<String> = all("invitations").map(|record| record["invitation_id"].clone()).collect();
    let discharges: BTreeMap<String, String> =
        all("contacts").map(|record| (record["contact_id"].clone(), record["discharged_at"].clone())).collect();
    let codes: BTreeSet<&String> =
        plan.organisation.units.iter().flat_map(|unit| unit.codes.values().flatten()).collect();
    let mut found: BTreeMap<&str, u64> = BTreeMap::new();
    for record in all("responses") {
        let contact = record["invitation_id"].replace('I', "K");
        let answered = Date::strptime("%d.%m.%Y", &record["answered_at"]).ok();
        let discharged = discharges.get(&contact).and_then(|text| text.split('T').next()?.parse::<Date>().ok());
        let late = answered.zip(discharged).is_some_and(|(a, d)| a.duration_since(d).as_hours() / 24 > 180);
        if record["invitation_id"].starts_with('X') {
            assert!(!invitations.contains(&record["invitation_id"]));
            *found.entry("unknown-invitation").or_default() += 1;
        } else if late && answered.is_some_and(|day| day.year() < 2090) {
            *found.entry("out-of-window").or_default() += 1;
        } else if record["unit_code"].len() < 50 && !codes.contains(&record["unit_code"]) {
            *found.entry("unknown-unit").or_default() += 1;
        }
    }
    for count in truth.deliveries.iter().filter(|count| count.dataset == "responses" && count.finding == "stray") {
        assert_eq!(found.get(count.reason.as_str()), Some(&count.rows), "{}", count.reason);
    }
}

/// The first constraint that a row breaks, by the contract alone.
fn mistake(dataset: &Dataset, columns: &[Column], format: &str, record: &Record) -> Option<String> {
    for column in columns {
        let value = record[&column.name].as_str();
        if value.is_empty() {
            if column.required {
                return Some("missing-required".to_owned());
            }
            continue;
        }
        let date = match &column.kind {
            ColumnKind::DateTime { .. } => value.split_once('T').and_then(|(day, _)| day.parse().ok()),
            _ => Date::strptime(format, value).ok(),
        };
        let reason = match &column.kind {
            ColumnKind::Text { max_length, .. } => (value.chars().count() > *max_length).then_some("too-long"),
            ColumnKind::Code { codes } => (!codes.iter().any(|code| code.code == value)).then_some("not-a-code"),
            ColumnKind::Integer { min, max } => match value.parse::<i64>() {
                Ok(number) => (number < *min || number > *max).then_some("out-of-range"),
                Err(_) => Some("not-a-number"),
            },
            ColumnKind::Number { min, max } => match value.replace(',', ".").parse::<f64>() {
                Ok(number) => (number < *min || number > *max).then_some("out-of-range"),
                Err(_) => Some("not-a-number"),
            },
            ColumnKind::Date { min, max } | ColumnKind::DateTime { min, max } => match date {
                Some(date) => (date < *min || date > *max).then_some("out-of-range"),
                None => Some("not-a-date"),
            },
            _ => None,
        };
        if let Some(reason) = reason {
            return Some(reason.to_owned());
        }
    }
    let broken = dataset.rules.iter().find(|rule| {
        let RuleKind::LaterOrEqual { earlier, later } = &rule.kind else { return false };
        let (earlier, later) = (&record[earlier], &record[later]);
        !earlier.is_empty() && !later.is_empty() && later < earlier
    });
    broken.map(|rule| format!("rule:{}", rule.id))
}

/// Another separator, decimal sign, date format and encoding, a column that the source lacks, one that is the same for all,
/// an adjuster in years, and answers that carry their own unit: all of it is data.
#[test]
fn a_changed_plan_changes_the_files() {
    let mut plan = plan_of_one();
    let export = plan.exports.values_mut().find(|export| export.dataset == "responses").expect("an export");
    export.format = FileFormat::Delimited {
        separator: Some(','),
        quote: '\'',
        encoding: Some(Encoding::Windows1252),
        decimal: '.',
    };
    export.date_formats = vec!["%Y/%m/%d".to_owned()];
    export.files = vec!["answers/from-*.txt".to_owned()];
    export.missing = vec!["NULL".to_owned()];
    let column = |value| SourceColumn { value, missing: Vec::new(), recode: BTreeMap::new() };
    export.columns.insert("language".to_owned(), column(SourceValue::Constant("nn".to_owned())));
    export.columns.insert("mode".to_owned(), column(SourceValue::Absent));
    let questionnaire = plan.questionnaires.values_mut().next().expect("a questionnaire");
    questionnaire.link = Link::Response;
    let age = questionnaire.adjusters.iter_mut().find(|adjuster| adjuster.column == "age").expect("age");
    age.kind = AdjusterKind::Continuous { min: 18.0, max: 105.0 };
    let folder = tempfile::tempdir().expect("a folder");
    let truth = generate(&plan, &small(), folder.path()).expect("a region");
    let name = truth.files.iter().find(|name| name.ends_with("2024-03.txt")).expect("a file");
    let bytes = fs::read(folder.path().join("inbox").join(name)).expect("a file");
    let text: String = bytes.into_iter().map(char::from).collect();
    let (header, rows) = text.split_once("\r\n").expect("a header");
    assert!(!header.contains("Språk") && !header.contains("Svarmåte") && header.contains(",Svardato,"));
    assert!(rows.contains(",2024/03/") && rows.contains(",NULL,"));
    let language = |level: &str| truth.adjusters.iter().find(|one| one.adjuster == "language" && one.level == level);
    assert!((language("nn").expect("nynorsk").share - 1.0).abs() < 1e-9);
    assert!(truth.adjusters.iter().any(|one| one.adjuster == "age" && one.level == "slope" && one.effect != 0.0));
}

#[test]
fn wrong_settings_are_refused_and_nothing_is_left() {
    let plan = plan_of_one();
    let folder = tempfile::tempdir().expect("a folder");
    for settings in [
        Settings { months: 0, ..small() },
        Settings { missing_share: 0.9, ..small() },
        Settings { inclusion: [1.0, 0.0, 1.0], ..small() },
        Settings { confounding: f64::NAN, ..small() },
    ] {
        assert!(generate(&plan, &settings, folder.path()).is_err());
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

/// After a change of the declarations or of the generator:
/// `cargo run -p prem-sample --example region -- DIR delivery`, then copy its inbox to `sample-data/delivery`.
#[test]
fn the_committed_delivery_is_what_the_generator_makes() {
    let folder = tempfile::tempdir().expect("a folder");
    let truth = generate(&plan_of_one(), &Settings::committed_delivery(), folder.path()).expect("a region");
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("delivery");
    let mut size = 0;
    for name in truth.files.iter().map(String::as_str).chain([MARK]) {
        let made = fs::read(folder.path().join("inbox").join(name)).expect("a file");
        size += made.len();
        assert!(made == fs::read(committed.join(name)).expect("a committed file"), "{name} differs: make it again");
    }
    assert_eq!(fs::read_dir(&committed).expect("a folder").count(), truth.files.len() + 1);
    assert!(size < 150_000, "{size} bytes");
}

/// A share of the wards differs, the others are exactly alike, and the region stands where they stand.
#[test]
fn two_groups_are_equal_and_different() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = Settings { unit_sd: [0.0, 0.0, 0.0, 5.0], effect_share: 0.3, responses: 4_000, ..small() };
    let truth = generate(&plan_of_one(), &settings, folder.path()).expect("a sample");
    let of = |level: &str| -> Vec<_> {
        truth.units.iter().filter(|unit| unit.level == level && unit.indicator == "inpatient-staff").collect()
    };
    let wards = of("ward");
    let equal = wards.iter().filter(|unit| unit.effect == 0.0).count();
    let share = equal as f64 / wards.len() as f64;
    assert!((0.55..0.85).contains(&share), "{equal} of {} wards have no effect", wards.len());
    // Who answers is left to chance: the region's mean effect is 0 but for some hundredths.
    assert!(of("rhf").iter().all(|unit| unit.effect.abs() < 0.25), "{:?}", of("rhf"));
    assert!(wards.iter().any(|unit| unit.effect.abs() > 4.0));
}
