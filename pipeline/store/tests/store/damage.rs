//! Files that were changed by something else give an error that names them, never a panic and never another number.

use std::{fs, path::Path};

use prem_store::{Partition, Publisher, Quarantine, Store, StoreError, check_rows, read_rows, tables::read_table};
use tempfile::tempdir;

use crate::sample::{dataset, deliver, publish, write_quarantine, write_rows};

fn damaged_path(error: &StoreError) -> &Path {
    match error {
        StoreError::Damaged { path, .. } | StoreError::Parquet { path, .. } => path,
        other => panic!("not said to be damaged: {other}"),
    }
}

#[test]
fn a_damaged_delivery_is_named() {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path());
    let delivery = deliver(&store.lock().unwrap(), "a").unwrap().delivery;
    let place = store.delivery_folder(&delivery);
    let record = place.join("delivery.json");
    let text = fs::read_to_string(&record).unwrap();
    let changes = [
        text[..text.len() / 2].to_owned(),
        String::new(),
        text.replace("\"number\": 1", "\"number\": 2"),
        text.replace("\"number\": 1", "\"number\": -1"),
        text.replace("\"kept\": 8", "\"kept\": 7"),
        text.replace("\"rows_in\": 10", "\"rows_in\": 11"),
        text.replace("\"upsert\"", "\"whatever\""),
        text.replace("\"visits\"", "\"contacts\""),
        text.replace("\"bytes\"", "\"octets\""),
        text.replace("2025-03-01T02:00:00Z", "yesterday"),
    ];
    for change in changes {
        assert_ne!(change, text);
        fs::write(&record, &change).unwrap();
        let error = store.deliveries().unwrap_err();
        assert!(damaged_path(&error).starts_with(&place), "{error}");
        assert!(!error.to_string().contains("yesterday"), "{error}");
        // Nothing is registered beside it before a person has looked.
        assert!(deliver(&store.lock().unwrap(), "b").is_err());
    }
    fs::remove_file(&record).unwrap();
    assert_eq!(damaged_path(&store.deliveries().unwrap_err()), place);
    fs::write(&record, &text).unwrap();
    assert_eq!(store.deliveries().unwrap(), [delivery]);
    fs::remove_file(place.join("rows.parquet")).unwrap();
    assert_eq!(damaged_path(&store.deliveries().unwrap_err()), place.join("rows.parquet"));
}

#[test]
fn a_changed_byte_in_a_delivery_is_noticed() {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path());
    let delivery = deliver(&store.lock().unwrap(), "a").unwrap().delivery;
    store.verify_delivery(&delivery).unwrap();
    let rows = store.rows_path(&delivery);
    let mut bytes = fs::read(&rows).unwrap();
    bytes[100] ^= 1;
    fs::write(&rows, bytes).unwrap();
    assert_eq!(damaged_path(&store.verify_delivery(&delivery).unwrap_err()), rows);
}

#[test]
fn two_deliveries_with_one_number_are_damage() {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path());
    let delivery = deliver(&store.lock().unwrap(), "a").unwrap().delivery;
    let (from, to) = (store.delivery_folder(&delivery), folder.path().join("deliveries/copies"));
    let to = to.join(from.file_name().unwrap());
    fs::create_dir_all(&to).unwrap();
    for name in ["rows.parquet", "quarantine.parquet"] {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
    let text = fs::read_to_string(from.join("delivery.json")).unwrap();
    fs::write(to.join("delivery.json"), text.replace("\"visits\"", "\"copies\"")).unwrap();
    let error = store.deliveries().unwrap_err();
    assert!(error.to_string().contains("number 1 was given to"), "{error}");
}

#[test]
fn a_damaged_partition_is_stale_and_named() {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path()).lock().unwrap();
    let partition = Partition::new("linked", "q/month=2025-03").unwrap();
    let pending = store.begin().unwrap();
    fs::write(pending.path().join("part.parquet"), "data").unwrap();
    store.commit_partition(pending, &partition, "k", serde_json::Value::Null).unwrap();
    let place = store.partition_folder(&partition);
    fs::write(place.join("part.parquet"), "dat").unwrap();
    assert!(!store.is_current(&partition, "k"));
    assert_eq!(damaged_path(&store.step(&partition).unwrap_err()), place.join("part.parquet"));
    fs::write(place.join("step.json"), "{}").unwrap();
    assert!(!store.is_current(&partition, "k"));
    assert_eq!(damaged_path(&store.step(&partition).unwrap_err()), place.join("step.json"));
    // It can still be replaced.
    store.commit_partition(store.begin().unwrap(), &partition, "k", serde_json::Value::Null).unwrap();
    assert!(store.is_current(&partition, "k"));
}

#[test]
fn a_damaged_current_or_refusal_is_named_and_a_damaged_cache_is_empty() {
    let folder = tempdir().unwrap();
    let publisher = Publisher::new(folder.path());
    publish(&publisher);
    let current = folder.path().join("current.json");
    let text = fs::read_to_string(&current).unwrap();
    for change in ["", "{}", &text.replace("releases/r1", "releases/r2"), &text.replace("releases/r1", "../secret")] {
        fs::write(&current, change).unwrap();
        assert_eq!(damaged_path(&publisher.current().unwrap_err()), current);
    }
    publisher.rollback("r1").unwrap();
    assert_eq!(fs::read_to_string(&current).unwrap(), text);

    let store = Store::open(folder.path().join("store"));
    fs::create_dir_all(store.root().join("refusals")).unwrap();
    fs::write(store.root().join("refusals/x.json"), "[").unwrap();
    assert_eq!(damaged_path(&store.refusals().unwrap_err()), store.root().join("refusals/x.json"));
    fs::write(store.root().join("seen.json"), "[").unwrap();
    assert_eq!(store.seen(), None);
}

/// Reads everything; only an error or an answer is allowed.
fn read_all(path: &Path) {
    let dataset = dataset();
    let _ = check_rows(path, &dataset, &dataset.columns);
    if let Ok(batches) = read_rows(path, &dataset, &dataset.columns) {
        let _ = batches.take(1000).collect::<Vec<_>>();
    }
    let _ = read_table::<Quarantine>(path);
}

#[test]
fn a_cut_parquet_file_is_an_error() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("rows.parquet");
    write_rows(&path, 20);
    let whole = fs::read(&path).unwrap();
    let dataset = dataset();
    for kept in (0..whole.len()).step_by(13).chain([whole.len() - 1]) {
        fs::write(&path, &whole[..kept]).unwrap();
        let error = check_rows(&path, &dataset, &dataset.columns).unwrap_err();
        assert_eq!(damaged_path(&error), path);
    }
}

#[test]
fn a_changed_byte_in_a_parquet_file_is_never_a_panic() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("rows.parquet");
    for write in [write_rows, write_quarantine] {
        write(&path, 20);
        let whole = fs::read(&path).unwrap();
        for place in (0..whole.len()).step_by(3) {
            let mut changed = whole.clone();
            changed[place] ^= 1 << (place % 8);
            fs::write(&path, &changed).unwrap();
            read_all(&path);
        }
    }
}

/// Another file system gives the same folder another size: only files have one.
#[test]
fn a_partition_with_folders_may_be_copied() {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path()).lock().unwrap();
    let partition = Partition::new("linked", "q").unwrap();
    let pending = store.begin().unwrap();
    fs::create_dir(pending.path().join("month=2025-03")).unwrap();
    fs::write(pending.path().join("month=2025-03/part.parquet"), "data").unwrap();
    let step = store.commit_partition(pending, &partition, "k", serde_json::Value::Null).unwrap();
    assert_eq!(step.files, [("month=2025-03/part.parquet".to_owned(), 4)].into());
    let record = store.partition_folder(&partition).join("step.json");
    let text = fs::read_to_string(&record).unwrap();
    // As earlier versions wrote it, on another file system.
    let earlier = text.replace("\"month=2025-03/part.parquet\": 4", "\"month=2025-03\": 3");
    assert_ne!(earlier, text);
    fs::write(&record, earlier).unwrap();
    assert!(store.is_current(&partition, "k"));

    fs::write(&record, text).unwrap();
    assert!(store.is_current(&partition, "k"));
    let part = store.partition_folder(&partition).join("month=2025-03/part.parquet");
    fs::write(&part, "dat").unwrap();
    assert_eq!(damaged_path(&store.step(&partition).unwrap_err()), part);
    fs::remove_dir_all(part.parent().unwrap()).unwrap();
    assert!(!store.is_current(&partition, "k"));
}
