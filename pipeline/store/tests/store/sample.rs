//! A small dataset, a delivery of it, and a release: what the tests write and read.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int16Array, Int64Array, RecordBatch, StringArray,
    TimestampMillisecondArray,
};
use prem_spec::{Code, Column, ColumnKind, Dataset, DeliveryMode, Text};
use prem_store::{
    Committed, Finished, IngestCounts, LockedStore, NewDelivery, Pending, Publisher, Quarantine, QuarantineWriter,
    RowsWriter, StoreError, sha256_hex, tables::TableMeta,
};

pub fn column(name: &str, kind: ColumnKind, required: bool) -> Column {
    Column {
        name: name.to_owned(),
        kind,
        required,
        unique: false,
        references: None,
        identifying: false,
        eleven_digits_are_pseudonyms: false,
        leading_zeros: false,
        description: Text::default(),
    }
}

pub fn codes(codes: &[&str]) -> ColumnKind {
    let code = |code: &&str| Code { code: (*code).to_owned(), label: Text::default() };
    ColumnKind::Code { codes: codes.iter().map(code).collect() }
}

/// One column of every kind.
pub fn dataset() -> Dataset {
    let (min, max) = (jiff::civil::date(2000, 1, 1), jiff::civil::date(2100, 1, 1));
    Dataset {
        name: "visits".to_owned(),
        version: "1.2.0".to_owned(),
        title: Text::default(),
        row: Text::default(),
        key: vec!["visit_id".to_owned()],
        columns: vec![
            column("visit_id", ColumnKind::Text { max_length: 40, pattern: None }, true),
            column("sex", codes(&["0", "1", "2", "9"]), false),
            column("mode", codes(&["web", "paper"]), false),
            column("procedures", ColumnKind::CodeList { pattern: None }, false),
            column("age", ColumnKind::Integer { min: 0, max: 120 }, false),
            column("weight", ColumnKind::Number { min: 0.0, max: 1.0 }, false),
            column("day", ColumnKind::Date { min, max }, true),
            column("answered_at", ColumnKind::DateTime { min, max }, false),
            column("urgent", ColumnKind::Boolean, false),
        ],
        rules: Vec::new(),
    }
}

/// `rows` rows that are numbered from `first`, with empty cells among them.
pub fn batch(writer: &RowsWriter, first: i64, rows: i64) -> RecordBatch {
    let numbers = || first..first + rows;
    let some = |number: i64| (number % 7 != 0).then_some(number);
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(numbers())),
        Arc::new(StringArray::from_iter_values(numbers().map(|number| format!("v{}", number * 7919 % 100_003)))),
        Arc::new(numbers().map(|number| some(number).map(|n| (n % 2 + 1) as i16)).collect::<Int16Array>()),
        Arc::new(numbers().map(|number| some(number).map(|_| "web")).collect::<StringArray>()),
        Arc::new(numbers().map(|number| some(number).map(|_| "NGB20 NFB30")).collect::<StringArray>()),
        Arc::new(numbers().map(|number| some(number).map(|n| n % 100)).collect::<Int64Array>()),
        Arc::new(numbers().map(|number| some(number).map(|n| 1.0 / n as f64)).collect::<Float64Array>()),
        Arc::new(Date32Array::from_iter_values(numbers().map(|number| 20_000 + (number % 300) as i32))),
        Arc::new(numbers().map(|number| some(number).map(|n| n * 86_400_000)).collect::<TimestampMillisecondArray>()),
        Arc::new(numbers().map(|number| some(number).map(|n| n % 3 == 0)).collect::<BooleanArray>()),
    ];
    RecordBatch::try_new(Arc::clone(writer.schema()), arrays).unwrap()
}

pub fn write_rows(path: &Path, rows: i64) {
    let dataset = dataset();
    let mut writer = RowsWriter::create(path, &dataset, &dataset.columns).unwrap();
    let batch = batch(&writer, 1, rows);
    writer.write(&batch).unwrap();
    assert_eq!(writer.finish().unwrap(), rows as u64);
}

pub fn bad_row(line: i64) -> Quarantine {
    Quarantine {
        dataset: "visits".to_owned(),
        export: "register".to_owned(),
        source_file: "visits.csv".to_owned(),
        line,
        column: Some("age".to_owned()),
        reason: "out-of-range".to_owned(),
        value: Some("181".to_owned()),
        subject: None,
    }
}

pub fn write_quarantine(path: &Path, rows: i64) {
    let mut writer = QuarantineWriter::create(path, &TableMeta::default()).unwrap();
    for line in 0..rows {
        writer.push(bad_row(line + 2)).unwrap();
    }
    assert_eq!(writer.finish().unwrap(), rows as u64);
}

/// A pending delivery of eight kept rows and two that are not.
pub fn pending(store: &LockedStore) -> Pending {
    let pending = store.begin().unwrap();
    write_rows(&pending.rows(), 8);
    write_quarantine(&pending.quarantine(), 2);
    pending
}

pub fn new_delivery(content: &str) -> NewDelivery {
    NewDelivery {
        dataset: "visits".to_owned(),
        export: "register".to_owned(),
        file_name: "2025/visits.csv".to_owned(),
        sha256: sha256_hex(content.as_bytes()),
        bytes: content.len() as u64,
        sequence: "2025/visits.csv".to_owned(),
        mode: DeliveryMode::Upsert,
        covers: None,
        month_rows: BTreeMap::new(),
        delivered_at: "2025-03-01T02:00:00Z".parse().unwrap(),
        counts: IngestCounts {
            rows_in: 10,
            kept: 8,
            quarantined: [("out-of-range".to_owned(), 2)].into(),
            ..IngestCounts::default()
        },
        detected: [("encoding".to_owned(), "windows-1252".to_owned())].into(),
        accept_again: false,
    }
}

pub fn deliver(store: &LockedStore, content: &str) -> Result<Committed, StoreError> {
    store.commit(pending(store), new_delivery(content))
}

/// A release with one page below it.
pub fn write_release(staging: &Path, page: &str, timings: &str) {
    fs::create_dir_all(staging.join("region")).unwrap();
    fs::write(staging.join("region/index.html"), page).unwrap();
    let manifest = format!("{{\"pages\": \"{}\", \"timings\": \"{timings}\"}}\n", sha256_hex(page.as_bytes()));
    fs::write(staging.join("manifest.json"), manifest).unwrap();
}

/// Makes the release `r1` with the page `one` the current one.
pub fn publish(publisher: &Publisher) -> Finished {
    let staging = publisher.staging("r1").unwrap();
    write_release(&staging, "one", "02:00");
    let finished = publisher.finish(&staging, "r1").unwrap();
    publisher.set_current("r1", &finished.manifest_sha256).unwrap();
    finished
}

/// Every file below a folder with its bytes, in the order of paths.
pub fn tree(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.strip_prefix(folder).unwrap().to_path_buf(), fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}
