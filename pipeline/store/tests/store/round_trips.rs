//! What is written can be read, and is what was written.

use std::{collections::BTreeSet, fs, io::Write, path::PathBuf};

use arrow::datatypes::{DataType, TimeUnit};
use prem_spec::{ColumnKind, DeliveryMode};
use prem_store::{
    BadRow, Delivery, Lying, NewDelivery, Partition, Place, Publisher, Quarantine, Refusal, RowsWriter, Seen, Store,
    StoreError, arrival_sequence, arrow_schema, check_rows, delivered_by, month_rows_before, read_rows, sha256_file,
    sha256_hex, snapshot_rows_before,
    tables::{TableMeta, read_table, write_table},
};
use tempfile::tempdir;

use crate::sample::{
    bad_row, batch, codes, column, dataset, deliver, new_delivery, pending, write_quarantine, write_release, write_rows,
};

#[test]
fn a_declared_column_has_its_arrow_type() {
    let dataset = dataset();
    let schema = arrow_schema(&dataset, &dataset.columns);
    let types: Vec<&DataType> = schema.fields().iter().map(|field| field.data_type()).collect();
    assert_eq!(
        types,
        [
            &DataType::Int64,
            &DataType::Utf8,
            &DataType::Int16,
            &DataType::Utf8,
            &DataType::Utf8,
            &DataType::Int64,
            &DataType::Float64,
            &DataType::Date32,
            &DataType::Timestamp(TimeUnit::Millisecond, None),
            &DataType::Boolean,
        ]
    );
    let required: Vec<&str> =
        schema.fields().iter().filter(|field| !field.is_nullable()).map(|field| field.name().as_str()).collect();
    assert_eq!(required, ["_row", "visit_id", "day"]);
    assert_eq!(schema.metadata()["prem.contract"], "visits");
    assert_eq!(schema.metadata()["prem.contract_version"], "1.2.0");
}

#[test]
fn rows_come_back_as_they_were() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("rows.parquet");
    let dataset = dataset();
    let mut writer = RowsWriter::create(&path, &dataset, &dataset.columns).unwrap();
    let written = batch(&writer, 1, 100);
    writer.write(&written).unwrap();
    writer.finish().unwrap();
    let read: Vec<_> = read_rows(&path, &dataset, &dataset.columns).unwrap().map(Result::unwrap).collect();
    assert_eq!(read, [written]);
    let found = check_rows(&path, &dataset, &dataset.columns).unwrap();
    assert_eq!((found.rows, found.absent.len()), (100, 0));
}

#[test]
fn rows_must_be_written_in_their_order_and_schema() {
    let folder = tempdir().unwrap();
    let dataset = dataset();
    let mut writer = RowsWriter::create(&folder.path().join("a"), &dataset, &dataset.columns).unwrap();
    let (first, again) = (batch(&writer, 5, 5), batch(&writer, 9, 5));
    writer.write(&first).unwrap();
    assert!(matches!(writer.write(&again), Err(StoreError::Dataset { .. })));
    let other = RowsWriter::create(&folder.path().join("b"), &dataset, &dataset.columns[..8]).unwrap();
    let narrow = first.project(&[0, 1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
    assert_eq!(narrow.schema_ref().fields(), other.schema().fields());
    assert!(matches!(writer.write(&narrow), Err(StoreError::Dataset { .. })));
    let mut fresh = RowsWriter::create(&folder.path().join("c"), &dataset, &dataset.columns).unwrap();
    let from_zero = batch(&fresh, 0, 1);
    assert!(matches!(fresh.write(&from_zero), Err(StoreError::Dataset { .. })));
}

#[test]
fn a_contract_may_grow_but_not_change() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("rows.parquet");
    write_rows(&path, 3);
    let check = |change: &dyn Fn(&mut prem_spec::Dataset)| {
        let mut dataset = dataset();
        change(&mut dataset);
        check_rows(&path, &dataset, &dataset.columns).map_err(|error| error.to_string())
    };

    let grown = check(&|dataset| {
        dataset.version = "1.3.0".to_owned();
        dataset.columns.push(column("urgency", codes(&["1", "4"]), false));
    });
    assert_eq!(grown.unwrap().absent, ["urgency"]);
    let shrunk = check(&|dataset| dataset.columns.truncate(7));
    assert!(shrunk.unwrap().absent.is_empty());

    let major = check(&|dataset| dataset.version = "2.0.0".to_owned()).unwrap_err();
    assert!(major.contains("«visits» version «1.2.0»"), "{major}");
    assert!(check(&|dataset| dataset.name = "contacts".to_owned()).is_err());
    let wrong = check(&|dataset| {
        dataset.columns[1].kind = codes(&["man", "woman"]);
        dataset.columns[4].required = true;
        dataset.columns.push(column("unit", ColumnKind::Boolean, true));
    });
    let wrong = wrong.unwrap_err();
    for part in ["sex is Int16, not Utf8", "age may be empty", "unit is absent"] {
        assert!(wrong.contains(part), "{wrong}");
    }
}

#[test]
fn absent_columns_are_read_as_null() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("rows.parquet");
    write_rows(&path, 3);
    let mut dataset = dataset();
    dataset.columns.insert(0, column("urgency", codes(&["1", "4"]), false));
    let batch = read_rows(&path, &dataset, &dataset.columns).unwrap().next().unwrap().unwrap();
    assert_eq!(batch.schema().field(1).name(), "urgency");
    assert_eq!(batch.column(1).null_count(), 3);
}

#[test]
fn quarantine_comes_back_whatever_its_size() {
    let folder = tempdir().unwrap();
    for rows in [0, 1, 8192, 8193, 20_000] {
        let path = folder.path().join("quarantine.parquet");
        write_quarantine(&path, rows);
        let (read, meta) = read_table::<Quarantine>(&path).unwrap();
        assert_eq!((read.len() as i64, meta), (rows, TableMeta::default()));
        assert!(read.last().is_none_or(|last| *last == bad_row(rows + 1)));
    }
}

#[test]
fn a_table_names_its_run_and_plan() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("table.parquet");
    let meta = TableMeta { run_id: "r1".to_owned(), plan_hash: "p1".to_owned() };
    write_table(&path, &[bad_row(2)], &meta).unwrap();
    assert_eq!(read_table::<Quarantine>(&path).unwrap(), (vec![bad_row(2)], meta));
    assert!(matches!(read_table::<prem_store::tables::Estimate>(&path), Err(StoreError::Contract { .. })));
}

#[test]
fn a_delivery_is_registered_once() {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path().join("store"));
    assert!(store.deliveries().unwrap().is_empty());
    let locked = store.lock().unwrap();
    let first = deliver(&locked, "first").unwrap();
    let second = deliver(&locked, "second").unwrap();
    let again = deliver(&locked, "first").unwrap();
    assert_eq!((first.delivery.number, first.is_new), (1, true));
    assert_eq!((second.delivery.number, second.is_new), (2, true));
    assert_eq!((&again.delivery, again.is_new), (&first.delivery, false));
    let mut other = new_delivery("first");
    other.dataset = "contacts".to_owned();
    assert_eq!(locked.commit(pending(&locked), other).unwrap().delivery.number, 3);
    drop(locked);

    let locked = store.lock().unwrap();
    assert!(!deliver(&locked, "second").unwrap().is_new);
    let mut accepted = new_delivery("first");
    accepted.accept_again = true;
    let accepted = locked.commit(pending(&locked), accepted).unwrap();
    assert_eq!((accepted.delivery.number, accepted.is_new), (4, true));

    let all = store.deliveries().unwrap();
    assert_eq!(all.iter().map(|delivery| delivery.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(all[1], second.delivery);
    assert_eq!(store.find_delivery("visits", &first.delivery.sha256).unwrap(), Some(accepted.delivery));
    assert_eq!(read_table::<Quarantine>(&store.quarantine_path(&all[1])).unwrap().0.len(), 2);
    let dataset = dataset();
    assert_eq!(check_rows(&store.rows_path(&all[1]), &dataset, &dataset.columns).unwrap().rows, 8);
    let folder_name = store.delivery_folder(&all[1]);
    assert!(folder_name.ends_with(format!("deliveries/visits/000002-{}", &sha256_hex(b"second")[..12])));
}

#[test]
fn counts_that_do_not_reconcile_are_refused() {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path()).lock().unwrap();
    let mut lost = new_delivery("a");
    lost.counts.rows_in = 11;
    let mut not_as_stored = new_delivery("a");
    (not_as_stored.counts.rows_in, not_as_stored.counts.kept) = (9, 7);
    let mut not_in_quarantine = new_delivery("a");
    not_in_quarantine.counts.rows_in = 11;
    not_in_quarantine.counts.quarantined.insert("bad-date".to_owned(), 1);
    let mut no_hash = new_delivery("a");
    no_hash.sha256 = "../../etc".to_owned();
    for wrong in [lost, not_as_stored, not_in_quarantine, no_hash] {
        assert!(matches!(store.commit(pending(&store), wrong), Err(StoreError::Refused { .. })));
    }
    assert!(store.deliveries().unwrap().is_empty());
    assert!(fs::read_dir(folder.path().join("pending")).unwrap().next().is_none());
}

#[test]
fn names_cannot_lead_out_of_the_store() {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path()).lock().unwrap();
    for name in ["", "..", ".hidden", "a b", "a\\b", "a:b", "å"] {
        let mut new = new_delivery("a");
        new.dataset = name.to_owned();
        assert!(matches!(store.commit(pending(&store), new), Err(StoreError::Name { .. })), "{name}");
        assert!(Partition::new(name, "a").is_err() && Partition::new("a", &format!("a/{name}")).is_err());
        assert!(store.run(name).is_err() && Publisher::new(folder.path()).release_folder(name).is_err());
    }
    assert!(Partition::new("linked", "/absolute").is_err());
}

#[test]
fn the_later_delivery_is_decided_by_sequence_then_name_then_arrival_then_hash() {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path()).lock().unwrap();
    let early = "2025-03-01T02:00:00Z".parse().unwrap();
    let late = "2025-03-01T02:00:00.5Z".parse().unwrap();
    assert!(arrival_sequence(early) < arrival_sequence(late));
    let register = |content: &str, sequence: String, at| {
        let new = prem_store::NewDelivery { sequence, delivered_at: at, ..new_delivery(content) };
        store.commit(pending(&store), new).unwrap().delivery
    };
    let a = register("a", arrival_sequence(late), late);
    let b = register("b", arrival_sequence(early), early);
    let tie = register("c", arrival_sequence(early), early);
    assert!(a.cmp_sequence(&b).is_gt());
    assert_eq!(b.cmp_sequence(&tie), b.sha256.cmp(&tie.sha256));
    assert_eq!(delivered_by(&store.deliveries().unwrap(), Some(early)), [b, tie]);
    assert_eq!(delivered_by(&store.deliveries().unwrap(), None).len(), 3);
    // A correction under the same name counts whatever its hash; its place is not moved by an earlier arrival.
    for content in ["d", "e", "f", "g"] {
        let of_name = |what: &str, at| register(&format!("{content} {what}"), "2025-03".to_owned(), at);
        let (corrected, first) = (of_name("corrected", late), of_name("first", early));
        assert!(corrected.number < first.number && corrected.cmp_sequence(&first).is_gt(), "{content}");
        assert!(corrected.cmp_sequence(&a).is_lt(), "an earlier name stays earlier");
        // Of two names the run that took one of them first decides nothing.
        let other = Delivery { file_name: "another.csv".to_owned(), ..corrected.clone() };
        assert!(other.cmp_sequence(&corrected) == other.cmp_sequence(&first));
    }
}

#[test]
fn a_snapshot_is_compared_with_the_one_that_it_replaces() {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path()).lock().unwrap();
    let mut all = Vec::new();
    for (content, sequence, mode) in [
        ("a", "2025-9", DeliveryMode::Snapshot),
        ("b", "2025-11", DeliveryMode::Snapshot),
        ("c", "2025-12", DeliveryMode::Upsert),
    ] {
        let new = NewDelivery { sequence: sequence.to_owned(), mode, ..new_delivery(content) };
        all.push(store.commit(pending(&store), new).unwrap().delivery);
    }
    (all[0].counts.kept, all[1].counts.kept, all[1].counts.erased) = (3, 5, 2);
    let at = all[0].delivered_at;
    let before = |export: &str, sequence: &str| {
        snapshot_rows_before(
            &all,
            Place { export, sequence, file_name: &all[0].file_name, delivered_at: at, sha256: "f" },
        )
    };
    assert_eq!(before("register", "2025-8"), None);
    assert_eq!(before("register", "2025-10"), Some(3));
    // Erased rows were delivered too; an upsert replaces by key and is no measure.
    assert_eq!(before("register", "2026-1"), Some(7));
    assert_eq!(before("other", "2026-1"), None);
    // The same place and time: the content hash decides, and nothing is before itself.
    assert_eq!(snapshot_rows_before(&all, place_of(&all[0])), None);
}

fn place_of(delivery: &Delivery) -> Place<'_> {
    Place {
        export: &delivery.export,
        sequence: &delivery.sequence,
        file_name: &delivery.file_name,
        delivered_at: delivery.delivered_at,
        sha256: &delivery.sha256,
    }
}

#[test]
fn a_month_is_compared_with_the_delivery_that_replaced_it_last() {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path()).lock().unwrap();
    let month = |number| jiff::civil::date(2025, number, 1);
    let mut all = Vec::new();
    // In the order of arrival; the corrections come under later names, and not in their order.
    for (sequence, rows) in [("1", [(1, 40), (2, 50)]), ("3", [(2, 48), (3, 60)]), ("2", [(1, 41), (2, 49)])] {
        let month_rows = rows.map(|(number, rows)| (month(number), rows)).into();
        let new = NewDelivery {
            sequence: sequence.to_owned(),
            mode: DeliveryMode::ReplacePeriod,
            month_rows,
            ..new_delivery(sequence)
        };
        all.push(store.commit(pending(&store), new).unwrap().delivery);
    }
    assert_eq!(store.deliveries().unwrap(), all);
    let before = |export, sequence| {
        let rows = month_rows_before(&all, Place { export, sequence, ..place_of(&all[0]) });
        rows.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(before("register", "1"), []);
    assert_eq!(before("register", "1-1"), [(month(1), 40), (month(2), 50)]);
    assert_eq!(before("register", "2-1"), [(month(1), 41), (month(2), 49)]);
    assert_eq!(before("register", "9"), [(month(1), 41), (month(2), 48), (month(3), 60)]);
    assert_eq!(before("other", "9"), []);
}

#[test]
fn a_refusal_is_shown_until_the_file_is_taken() {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path()).lock().unwrap();
    let new = new_delivery("a");
    let refusal = Refusal {
        dataset: new.dataset,
        export: new.export,
        file_name: new.file_name,
        sha256: new.sha256,
        bytes: new.bytes,
        refused_at: new.delivered_at,
        plan_hash: "p".to_owned(),
        program: "0.1.0".to_owned(),
        reason: "6 of 10 rows are bad".to_owned(),
        counts: new.counts,
        first: vec![BadRow { line: 3, column: Some("age".to_owned()), reason: "out-of-range".to_owned() }],
    };
    store.refuse(&refusal).unwrap();
    store.refuse(&refusal).unwrap();
    assert_eq!(store.refusals().unwrap(), [refusal]);
    deliver(&store, "a").unwrap();
    assert!(store.refusals().unwrap().is_empty());
}

#[test]
fn a_partition_is_current_under_its_key_only() {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path()).lock().unwrap();
    let march = Partition::new("linked", "inpatient-2024/month=2025-03").unwrap();
    let may = Partition::new("linked", "inpatient-2024/month=2025-05").unwrap();
    for (partition, key, text) in [(&may, "k1", "may"), (&march, "k1", "march"), (&march, "k2", "march again")] {
        let pending = store.begin().unwrap();
        fs::write(pending.path().join("part.parquet"), text).unwrap();
        store.commit_partition(pending, partition, key, serde_json::json!({"rows": text.len()})).unwrap();
    }
    assert!(store.is_current(&march, "k2") && !store.is_current(&march, "k1") && store.is_current(&may, "k1"));
    let step = store.step(&march).unwrap().unwrap();
    assert_eq!((step.files["part.parquet"], &step.info["rows"]), (11, &serde_json::json!(11)));
    assert_eq!(fs::read_to_string(store.partition_folder(&march).join("part.parquet")).unwrap(), "march again");
    assert_eq!(store.partitions("linked").unwrap(), [march.clone(), may.clone()]);
    assert!(store.partitions("scored").unwrap().is_empty());

    for wrong in ["inpatient-2024", "inpatient-2024/month=2025-03/unit=1"] {
        let partition = Partition::new("linked", wrong).unwrap();
        let refused = store.commit_partition(store.begin().unwrap(), &partition, "k", serde_json::Value::Null);
        assert!(matches!(refused, Err(StoreError::Refused { .. })), "{wrong}");
    }
    store.remove_partition(&march).unwrap();
    store.remove_partition(&march).unwrap();
    assert_eq!(store.partitions("linked").unwrap(), [may]);
    assert!(fs::read_dir(folder.path().join("pending")).unwrap().next().is_none());
}

#[test]
fn a_run_folder_is_private_and_starts_empty() {
    let folder = tempdir().unwrap();
    let root = folder.path().join("store");
    let store = Store::open(&root).lock().unwrap();
    let run = store.begin_run("r1").unwrap();
    write_table(&run.table::<Quarantine>(), &[bad_row(1)], &TableMeta::default()).unwrap();
    assert!(run.path().join("quarantine.parquet").is_file());
    assert!(!store.begin_run("r1").unwrap().table::<Quarantine>().exists());
    assert_eq!(store.runs().unwrap(), ["r1"]);
    #[cfg(unix)]
    for path in [&root, &root.join("runs"), &run.path().to_path_buf(), &root.join("pending")] {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o700, "{}", path.display());
    }
    store.remove_run("r1").unwrap();
    assert!(!run.exists() && store.runs().unwrap().is_empty());
}

#[test]
fn a_file_that_was_seen_is_not_read_again() {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path().join("store")).lock().unwrap();
    let path = folder.path().join("visits.csv");
    fs::write(&path, "abc").unwrap();
    assert_eq!(store.seen(), None);
    let mut seen = Seen::default();
    let lying = |sha256: String, since| Lying { sha256, since };
    assert_eq!(seen.look(&path, 3).unwrap(), lying(sha256_file(&path).unwrap(), 3));
    store.save_seen(&seen).unwrap();
    let mut seen = store.seen().unwrap();
    assert_ne!(seen, Seen::default());

    // The same size and time: the cache answers, and would not know of another content.
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, "xyz").unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    assert_eq!(seen.look(&path, 5).unwrap(), lying(sha256_hex(b"abc"), 3));
    // Another size: it is read.
    fs::File::options().append(true).open(&path).unwrap().write_all(b"!").unwrap();
    assert_eq!(seen.look(&path, 5).unwrap(), lying(sha256_hex(b"xyz!"), 5));
    // The same content at another time has come anew.
    fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    assert_eq!(seen.look(&path, 7).unwrap(), lying(sha256_hex(b"xyz!"), 7));
    seen.retain(&BTreeSet::from([PathBuf::from("other")]));
    assert_eq!(seen, Seen::default());
}

#[test]
fn a_release_is_shown_in_one_step() {
    let folder = tempdir().unwrap();
    let publisher = Publisher::new(folder.path().join("published"));
    assert_eq!(publisher.current().unwrap(), None);
    for (run, page) in [("r1", "one"), ("r2", "two")] {
        let staging = publisher.staging(run).unwrap();
        write_release(&staging, page, "02:00");
        let finished = publisher.finish(&staging, run).unwrap();
        assert!(finished.is_new && !staging.exists());
        assert_ne!(publisher.current().unwrap().map(|current| current.run_id().to_owned()), Some(run.to_owned()));
        publisher.set_current(run, &finished.manifest_sha256).unwrap();
        assert_eq!(publisher.current().unwrap().unwrap().release, format!("releases/{run}"));
    }
    assert_eq!(publisher.releases().unwrap(), ["r1", "r2"]);
    #[cfg(unix)]
    assert_eq!(fs::read_to_string(publisher.root().join("current/region/index.html")).unwrap(), "two");
    assert_eq!(publisher.rollback("r1").unwrap().run_id(), "r1");
    assert_eq!(publisher.current().unwrap().unwrap().run_id(), "r1");
    assert!(matches!(publisher.rollback("r9"), Err(StoreError::Absent { .. })));
    assert!(matches!(publisher.set_current("r2", "00"), Err(StoreError::Damaged { .. })));
    assert_eq!(publisher.current().unwrap().unwrap().run_id(), "r1");
}

#[test]
fn the_same_release_is_kept_and_another_replaces_it() {
    let folder = tempdir().unwrap();
    let publisher = Publisher::new(folder.path());
    let finish = |page: &str, timings: &str| {
        let staging = publisher.staging("r1").unwrap();
        write_release(&staging, page, timings);
        publisher.finish(&staging, "r1").unwrap()
    };
    let first = finish("one", "02:00");
    let later = finish("one", "03:00");
    assert_eq!((later.is_new, &later.manifest_sha256), (false, &first.manifest_sha256));
    assert!(fs::read_to_string(first.folder.join("manifest.json")).unwrap().contains("02:00"));
    fs::remove_file(first.folder.join("region/index.html")).unwrap();
    assert!(finish("one", "03:00").is_new);
    assert!(finish("two", "03:00").is_new);
    assert_eq!(fs::read_to_string(first.folder.join("region/index.html")).unwrap(), "two");
    assert_eq!(publisher.releases().unwrap(), ["r1"]);
    assert_eq!(fs::read_dir(publisher.root().join("releases")).unwrap().count(), 1);
}
