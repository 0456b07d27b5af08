//! Persons who withdraw, in stores small enough to see every row, and killed at every step.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, mem,
    path::Path,
    sync::Arc,
};

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use jiff::Timestamp;
use prem_spec::{ColumnKind, Dataset, DeliveryMode, Text};
use prem_store::{
    Delivery, IngestCounts, KeyColumn, LockedStore, NewDelivery, Partition, Quarantine, QuarantineWriter, RowsWriter,
    Store, StoreError, read_rows, sha256_hex,
    tables::{TableMeta, read_table},
};
use tempfile::tempdir;

use crate::sample::{column, tree};

fn texts(name: &str, columns: &[&str]) -> Dataset {
    let text = |name: &&str| column(name, ColumnKind::Text { max_length: 40, pattern: None }, false);
    Dataset {
        name: name.to_owned(),
        version: "1.0.0".to_owned(),
        title: Text::default(),
        row: Text::default(),
        key: vec![columns[0].to_owned()],
        columns: columns.iter().map(text).collect(),
        rules: Vec::new(),
    }
}

fn contacts() -> Dataset {
    texts("contacts", &["contact_id", "person_id", "unit"])
}

fn invitations() -> Dataset {
    texts("invitations", &["invitation_id", "contact_id"])
}

fn responses() -> Dataset {
    texts("responses", &["response_id", "invitation_id", "contact_id", "answer"])
}

/// A bad row: its line, its reasons, and the keys that were read of it.
type Bad<'a> = (i64, &'a [&'a str], &'a [(KeyColumn, &'a str)]);

fn deliver(store: &LockedStore, dataset: &Dataset, rows: &[&[&str]], bad: &[Bad<'_>]) -> Delivery {
    let pending = store.begin().unwrap();
    let mut writer = RowsWriter::create(&pending.rows(), dataset, &dataset.columns).unwrap();
    let mut arrays: Vec<ArrayRef> = vec![Arc::new(Int64Array::from_iter_values(1..=rows.len() as i64))];
    for at in 0..dataset.columns.len() {
        let values = rows.iter().map(|row| row.get(at).copied().filter(|value| !value.is_empty()));
        arrays.push(Arc::new(values.collect::<StringArray>()));
    }
    let batch = RecordBatch::try_new(Arc::clone(writer.schema()), arrays).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    let secret = store.secret().unwrap();
    let mut quarantine = QuarantineWriter::create(&pending.quarantine(), &TableMeta::default()).unwrap();
    let mut quarantined = BTreeMap::new();
    for (line, reasons, keys) in bad {
        *quarantined.entry(reasons[0].to_owned()).or_default() += 1;
        for reason in *reasons {
            quarantine
                .push(Quarantine {
                    dataset: dataset.name.clone(),
                    export: "export".to_owned(),
                    source_file: "file".to_owned(),
                    line: *line,
                    column: None,
                    reason: (*reason).to_owned(),
                    value: None,
                    subject: secret.subject(keys.iter().copied()),
                })
                .unwrap();
        }
    }
    quarantine.finish().unwrap();
    let content = format!("{}{rows:?}{bad:?}", dataset.name);
    let new = NewDelivery {
        dataset: dataset.name.clone(),
        export: "export".to_owned(),
        file_name: format!("{}.csv", dataset.name),
        sha256: sha256_hex(content.as_bytes()),
        bytes: content.len() as u64,
        sequence: "a".to_owned(),
        mode: DeliveryMode::Upsert,
        covers: None,
        month_rows: BTreeMap::new(),
        delivered_at: Timestamp::UNIX_EPOCH,
        counts: IngestCounts {
            rows_in: (rows.len() + bad.len()) as u64,
            kept: rows.len() as u64,
            quarantined,
            ..IngestCounts::default()
        },
        detected: BTreeMap::new(),
        accept_again: false,
    };
    store.commit(pending, new).unwrap().delivery
}

/// The first column of every stored row of a dataset.
fn ids(store: &Store, dataset: &Dataset) -> Vec<String> {
    let mut ids = Vec::new();
    for delivery in store.deliveries().unwrap().iter().filter(|delivery| delivery.dataset == dataset.name) {
        store.verify_delivery(delivery).unwrap();
        for batch in read_rows(&store.rows_path(delivery), dataset, &dataset.columns).unwrap() {
            let batch = batch.unwrap();
            let column = batch.column(1).as_string::<i32>();
            ids.extend((0..column.len()).map(|row| column.value(row).to_owned()));
        }
    }
    ids
}

fn bad_lines(store: &Store) -> Vec<i64> {
    let deliveries = store.deliveries().unwrap();
    let read = |delivery: &Delivery| read_table::<Quarantine>(&store.quarantine_path(delivery)).unwrap().0;
    deliveries.iter().flat_map(read).map(|row| row.line).collect()
}

fn keys(keys: &[&str]) -> BTreeSet<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

const WHEN: Timestamp = Timestamp::UNIX_EPOCH;

/// Persons p1 and p2. p1 has contacts c1 and c3, the latter in a quarantined row only; responses come before the contacts they
/// hang below, and one of them names its invitation alone.
fn fill(store: &LockedStore) {
    deliver(store, &responses(), &[&["r1", "i1", "", "4"], &["r2", "i2", "", "3"]], &[]);
    deliver(
        store,
        &responses(),
        &[&["r3", "", "c3", "1"], &["r4", "", "c2", "2"], &["r1", "", "", "5"]],
        &[(9, &["not-a-code"], &[(KeyColumn::ResponseId, "r9"), (KeyColumn::InvitationId, "i1")])],
    );
    deliver(store, &invitations(), &[&["i1", "c1"], &["i2", "c2"]], &[]);
    deliver(
        store,
        &contacts(),
        &[&["c1", "p1", "W"], &["c2", "p2", "W"]],
        &[
            (4, &["out-of-range", "not-a-date"], &[(KeyColumn::PersonId, "p1"), (KeyColumn::ContactId, "c3")]),
            (5, &["out-of-range"], &[(KeyColumn::PersonId, "p2"), (KeyColumn::ContactId, "c4")]),
            (6, &["malformed-quote"], &[]),
        ],
    );
    let partition = Partition::new("linked", "q").unwrap();
    let pending = store.begin().unwrap();
    fs::write(pending.path().join("part.parquet"), "rows").unwrap();
    store.commit_partition(pending, &partition, "key", serde_json::Value::Null).unwrap();
    fs::write(store.begin_run("run").unwrap().path().join("estimates.parquet"), "numbers").unwrap();
}

fn expect_p1_gone(store: &Store) {
    assert_eq!(ids(store, &contacts()), ["c2"]);
    assert_eq!(ids(store, &invitations()), ["i2"]);
    assert_eq!(ids(store, &responses()), ["r2", "r4"]);
    assert_eq!(bad_lines(store), [5, 6]);
    assert!(store.deliveries().unwrap().iter().all(|delivery| delivery.counts.reconciles()));
    assert!(store.partitions("linked").unwrap().is_empty() && store.runs().unwrap().is_empty());
}

#[test]
fn everything_below_a_person_goes_and_is_counted() {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path()).lock().unwrap();
    fill(&store);
    let before = store.deliveries().unwrap();
    let plan = store.plan_erasure(KeyColumn::PersonId, &keys(&["p1", "p9"])).unwrap();
    assert_eq!(store.deliveries().unwrap(), before, "a plan changes nothing");
    let erased = store.erase(KeyColumn::PersonId, &keys(&["p1", "p9"]), WHEN).unwrap();
    assert_eq!((plan.keys_new, plan.without_rows, &plan.counts), (2, 1, &erased.counts));
    assert_eq!((erased.numbers.as_slice(), erased.without_rows), (&[1, 2][..], 1));
    let rows = |dataset: &str| {
        let rows = &erased.counts[dataset];
        (rows.kept, rows.quarantined.iter().map(|(reason, rows)| format!("{reason} {rows}")).collect::<Vec<_>>())
    };
    assert_eq!(rows("contacts"), (1, vec!["out-of-range 1".to_owned()]));
    assert_eq!(rows("invitations"), (1, vec![]));
    assert_eq!(rows("responses"), (3, vec!["not-a-code 1".to_owned()]));
    expect_p1_gone(&store);
    for (before, after) in before.iter().zip(store.deliveries().unwrap()) {
        let same = |delivery: &Delivery| (delivery.number, delivery.sha256.clone(), delivery.counts.rows_in);
        assert_eq!(same(before), same(&after));
        assert_ne!(before.content_key(), after.content_key());
        assert_eq!(after.counts.erased, after.erasures[&1].total());
    }
    let again = store.erase(KeyColumn::PersonId, &keys(&["p1"]), WHEN).unwrap();
    assert_eq!((again.known_already, again.numbers.len(), again.counts.len()), (1, 0, 0));
}

#[test]
fn rows_that_come_later_stay_out_by_whatever_door() {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path()).lock().unwrap();
    store.erase(KeyColumn::PersonId, &keys(&["p1"]), WHEN).unwrap();
    fill(&store);
    // Responses were stored before anything said whose they are.
    assert_eq!(ids(&store, &responses()).len(), 5);
    store.finish_erasures().unwrap();
    expect_p1_gone(&store);
    let of = |dataset: &str| store.deliveries().unwrap().into_iter().rfind(|found| found.dataset == dataset).unwrap();
    assert_eq!((of("contacts").counts.erased, of("contacts").erasures.len()), (2, 0), "kept out, not taken out");
    assert_eq!((of("invitations").counts.erased, of("invitations").erasures.len()), (1, 1), "taken out later");
    // The same invitation and response in new files.
    let delivery = deliver(&store, &invitations(), &[&["i1", "c1"], &["i5", "c1"], &["i6", "c2"]], &[]);
    assert_eq!((delivery.counts.kept, delivery.counts.erased), (1, 2));
    let delivery = deliver(&store, &responses(), &[&["r5", "i5", "", "1"], &["r6", "i6", "", "1"]], &[]);
    assert_eq!((delivery.counts.kept, delivery.counts.erased), (1, 1));
    store.finish_erasures().unwrap();
    assert!(store.erasures().unwrap().iter().all(|erasure| erasure.complete));
    assert_eq!(ids(&store, &responses()), ["r2", "r4", "r6"]);
}

/// Beginning anew with an empty folder would bring everybody back; the folder of erasures taken along keeps them out.
#[test]
fn a_new_store_with_the_old_ones_erasures_keeps_the_erased_out() {
    let folder = tempdir().unwrap();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    let store = Store::open(&old).lock().unwrap();
    fill(&store);
    store.erase(KeyColumn::PersonId, &keys(&["p1"]), WHEN).unwrap();
    drop(store);
    fs::create_dir_all(new.join("erasures")).unwrap();
    for (path, bytes) in tree(&old.join("erasures")) {
        fs::write(new.join("erasures").join(path), bytes).unwrap();
    }
    let store = Store::open(&new).lock().unwrap();
    fill(&store);
    store.finish_erasures().unwrap();
    assert_eq!(
        (ids(&store, &contacts()), ids(&store, &responses())),
        (vec!["c2".into()], vec!["r2".into(), "r4".into()])
    );
    let without = Store::open(folder.path().join("without")).lock().unwrap();
    fill(&without);
    without.finish_erasures().unwrap();
    assert_eq!(ids(&without, &contacts()), ["c1", "c2"]);
}

#[test]
fn a_contact_goes_without_its_person() {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path()).lock().unwrap();
    deliver(&store, &contacts(), &[&["c1", "p1", "W"], &["c2", "p1", "W"]], &[]);
    store.erase(KeyColumn::ContactId, &keys(&["c1"]), WHEN).unwrap();
    assert_eq!(ids(&store, &contacts()), ["c2"]);
    // A key of another column that reads the same is another key.
    store.erase(KeyColumn::ResponseId, &keys(&["c2"]), WHEN).unwrap();
    assert_eq!(ids(&store, &contacts()), ["c2"]);
}

#[test]
fn what_is_left_has_the_bytes_of_a_file_without_the_rows() {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path().join("a")).lock().unwrap();
    let dataset = contacts();
    let with = deliver(&store, &dataset, &[&["c2", "p2", "W"], &["c1", "p1", "W"]], &[]);
    store.erase(KeyColumn::PersonId, &keys(&["p1"]), WHEN).unwrap();
    let other = Store::open(folder.path().join("b")).lock().unwrap();
    let without = deliver(&other, &dataset, &[&["c2", "p2", "W"]], &[]);
    let with = store.find_delivery("contacts", &with.sha256).unwrap().unwrap();
    assert_eq!(
        fs::read(store.rows_path(&with)).unwrap(),
        fs::read(other.rows_path(&without)).unwrap(),
        "metadata, schema and encoding are those of ingest"
    );
}

/// A store whose secret is a fixed one, so that two of them can be compared.
fn store_with_fixed_secret(root: &Path) -> LockedStore {
    fs::create_dir_all(root.join("erasures")).unwrap();
    fs::write(root.join("erasures/key"), [7; 32]).unwrap();
    Store::open(root).lock().unwrap()
}

#[test]
fn killed_at_any_step_it_is_finished_by_the_next_command() {
    let folder = tempdir().unwrap();
    let undisturbed = folder.path().join("undisturbed");
    let store = store_with_fixed_secret(&undisturbed);
    fill(&store);
    store.erase(KeyColumn::PersonId, &keys(&["p1"]), WHEN).unwrap();
    drop(store);
    let expected = tree(&undisturbed);

    let mut steps = 0;
    loop {
        let root = folder.path().join(format!("killed-{steps}"));
        let store = store_with_fixed_secret(&root);
        fill(&store);
        let mut left = steps;
        let killed = store.erase_with(KeyColumn::PersonId, &keys(&["p1"]), WHEN, &mut || {
            if left == 0 {
                return Err(StoreError::Locked { path: "killed".into() });
            }
            left -= 1;
            Ok(())
        });
        let has_begun = !store.erasures().unwrap().is_empty();
        drop(store);
        // What a reader without the lock sees in between is whole.
        Store::open(&root).deliveries().unwrap();
        if killed.is_ok() {
            assert!(steps > 12, "only {steps} steps were tried");
            break;
        }
        let store = Store::open(&root).lock().unwrap();
        if has_begun {
            expect_p1_gone(&store);
        } else {
            store.erase(KeyColumn::PersonId, &keys(&["p1"]), WHEN).unwrap();
        }
        drop(store);
        let found = tree(&root);
        let names =
            |tree: &[(std::path::PathBuf, Vec<u8>)]| tree.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
        assert_eq!(names(&found), names(&expected), "step {steps}");
        assert!(found == expected, "step {steps}");
        steps += 1;
    }
}

#[test]
fn tombstones_without_their_secret_stop_everything() {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path()).lock().unwrap();
    store.erase(KeyColumn::PersonId, &keys(&["p1"]), WHEN).unwrap();
    fs::remove_file(folder.path().join("erasures/key")).unwrap();
    let error = store.secret().unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(store.erase(KeyColumn::PersonId, &keys(&["p2"]), WHEN).is_err());
    assert!(!format!("{:?}", Store::open(folder.path()).erasures().unwrap()).contains("p1"));
}

#[cfg(unix)]
#[test]
fn the_secret_is_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempdir().unwrap();
    let store = Store::open(folder.path()).lock().unwrap();
    let secret = store.secret().unwrap();
    let path = folder.path().join("erasures/key");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read(&path).unwrap().len(), 32);
    assert_eq!(format!("{secret:?}"), "Secret(…)");
    mem::drop(store);
    assert_eq!(
        Store::open(folder.path()).lock().unwrap().secret().unwrap().subject([(KeyColumn::PersonId, "p")]),
        secret.subject([(KeyColumn::PersonId, "p")])
    );
}
