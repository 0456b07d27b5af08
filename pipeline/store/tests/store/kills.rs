//! What a process that is killed at some moment leaves, and what the next one makes of it.

use std::{fs, mem};

use jiff::civil::date;
use prem_store::{
    Delivery, DrawRecord, LockedStore, Partition, Publisher, Store, StoreError, Withdrawal, sha256_hex, tables::Drawn,
};
use tempfile::tempdir;

use crate::sample::{deliver, pending, publish, tree, write_release};

#[test]
fn two_processes_cannot_write_at_once() {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path());
    let locked = store.lock().unwrap();
    assert!(matches!(store.lock(), Err(StoreError::Locked { .. })));
    drop(locked);
    store.lock().unwrap();
}

#[test]
fn a_refused_lock_removes_nothing() {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path());
    let locked = store.lock().unwrap();
    let pending = pending(&locked);
    assert!(store.lock().is_err());
    assert!(pending.rows().is_file());
}

#[test]
fn a_pending_delivery_is_no_delivery() {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path());
    let locked = store.lock().unwrap();
    deliver(&locked, "first").unwrap();
    let left = pending(&locked);
    let path = left.path().to_path_buf();
    // Killed: no destructor runs, and the operating system gives the lock back.
    mem::forget(left);
    drop(locked);
    let before = tree(&folder.path().join("deliveries"));

    assert_eq!(store.deliveries().unwrap().len(), 1);
    assert!(path.exists());
    let locked = store.lock().unwrap();
    assert!(!path.exists());
    assert_eq!(tree(&folder.path().join("deliveries")), before);
    assert_eq!(deliver(&locked, "second").unwrap().delivery.number, 2);
}

#[test]
fn only_pending_things_are_swept() {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path());
    drop(store.lock().unwrap());
    fs::create_dir(folder.path().join("notes")).unwrap();
    for name in ["notes/readme.txt", "something.pending", "pending/refusal-000001"] {
        fs::write(folder.path().join(name), "x").unwrap();
    }
    drop(store.lock().unwrap());
    let left: Vec<String> =
        tree(folder.path()).into_iter().map(|(path, _)| path.to_string_lossy().replace('\\', "/")).collect();
    assert_eq!(left, ["LOCK", "notes/readme.txt", "something.pending"]);
}

#[test]
fn a_half_replaced_partition_is_stale_and_not_wrong() {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path());
    let locked = store.lock().unwrap();
    let partition = Partition::new("linked", "q/month=2025-03").unwrap();
    let commit = |locked: &LockedStore, text: &str, key: &str| {
        let pending = locked.begin().unwrap();
        fs::write(pending.path().join("part.parquet"), text).unwrap();
        locked.commit_partition(pending, &partition, key, serde_json::Value::Null).unwrap();
    };
    commit(&locked, "old", "k1");
    // Killed between the two renames: the old one is away, the new one is still pending.
    let new = locked.begin().unwrap();
    fs::write(new.path().join("part.parquet"), "new").unwrap();
    mem::forget(new);
    fs::rename(store.partition_folder(&partition), folder.path().join("pending/replaced-000009")).unwrap();
    drop(locked);

    assert!(!store.is_current(&partition, "k1") && !store.is_current(&partition, "k2"));
    assert!(store.partitions("linked").unwrap().is_empty());
    let locked = store.lock().unwrap();
    assert_eq!(fs::read_dir(folder.path().join("pending")).unwrap().count(), 0);
    commit(&locked, "new", "k2");
    assert!(store.is_current(&partition, "k2"));
}

#[test]
fn yesterdays_release_stays_until_the_rename() {
    let folder = tempdir().unwrap();
    let publisher = Publisher::new(folder.path());
    publish(&publisher);

    // Killed while staging, and killed after the release is finished but before it is shown.
    let half = publisher.staging("r2").unwrap();
    fs::write(half.join("manifest.json"), "{").unwrap();
    fs::write(folder.path().join(".current.json.pending"), "{\"rel").unwrap();
    assert_eq!(publisher.current().unwrap().unwrap().run_id(), "r1");
    assert_eq!(publisher.releases().unwrap(), ["r1"]);
    let staging = publisher.staging("r3").unwrap();
    assert!(!half.exists());
    write_release(&staging, "three", "02:00");
    let finished = publisher.finish(&staging, "r3").unwrap();
    assert_eq!(publisher.current().unwrap().unwrap().run_id(), "r1");
    publisher.set_current("r3", &finished.manifest_sha256).unwrap();
    assert_eq!(publisher.current().unwrap().unwrap().run_id(), "r3");
}

#[test]
fn a_half_replaced_release_is_brought_back() {
    let folder = tempdir().unwrap();
    let publisher = Publisher::new(folder.path());
    let finished = publish(&publisher);
    fs::rename(&finished.folder, folder.path().join("releases/.replaced-r1")).unwrap();

    assert!(matches!(publisher.current(), Err(StoreError::Damaged { .. })));
    publisher.recover().unwrap();
    assert_eq!(publisher.current().unwrap().unwrap().manifest_sha256, finished.manifest_sha256);
    // Killed after the second rename: the new one stays.
    fs::create_dir(folder.path().join("releases/.replaced-r1")).unwrap();
    publisher.recover().unwrap();
    assert_eq!(fs::read_to_string(finished.folder.join("region/index.html")).unwrap(), "one");
    assert_eq!(fs::read_dir(folder.path().join("releases")).unwrap().count(), 1);
}

const WHY: &str = "the file of another hospital";

/// A store of two deliveries, a derived table and a run; gives the second delivery.
fn two_deliveries(store: &LockedStore) -> Delivery {
    deliver(store, "right").unwrap();
    let wrong = deliver(store, "wrong").unwrap().delivery;
    let pending = store.begin().unwrap();
    fs::write(pending.path().join("part.parquet"), "rows of both").unwrap();
    let partition = Partition::new("linked", "q").unwrap();
    store.commit_partition(pending, &partition, "key", serde_json::Value::Null).unwrap();
    fs::write(store.begin_run("run").unwrap().path().join("estimates.parquet"), "numbers").unwrap();
    wrong
}

#[test]
fn a_withdrawn_delivery_is_there_or_it_is_not() {
    let when = "2025-03-02T08:00:00Z".parse().unwrap();
    let mut stood = Vec::new();
    for steps in 0.. {
        let folder = tempdir().unwrap();
        let store = Store::open(folder.path());
        let locked = store.lock().unwrap();
        let wrong = two_deliveries(&locked);
        let mut left = steps;
        let killed = locked.withdraw_with(&wrong, WHY, when, &mut || {
            if left == 0 {
                return Err(StoreError::Locked { path: "killed".into() });
            }
            left -= 1;
            Ok(())
        });
        drop(locked);

        // A reader without the lock sees one or the other.
        let numbers = || store.deliveries().unwrap().iter().map(|of| of.number).collect::<Vec<_>>();
        let stands = store.withdrawals().unwrap().is_empty();
        assert_eq!(numbers(), if stands { vec![1, 2] } else { vec![1] }, "step {steps}");
        stood.push(stands);
        let locked = store.lock().unwrap();
        if stands {
            assert_eq!((store.partitions("linked").unwrap().len(), store.runs().unwrap().len()), (1, 1));
            locked.withdraw(&wrong, WHY, when).unwrap();
        }
        let of_wrong = store.delivery_folder(&wrong);
        assert!(!of_wrong.exists() && store.find_delivery("visits", &wrong.sha256).unwrap().is_none(), "step {steps}");
        assert!(store.partitions("linked").unwrap().is_empty() && store.runs().unwrap().is_empty(), "step {steps}");
        assert_eq!(fs::read_dir(folder.path().join("pending")).unwrap().count(), 0, "step {steps}");
        assert_eq!(deliver(&locked, "new").unwrap().delivery.number, 3, "no number is given twice");
        if killed.is_ok() {
            break;
        }
    }
    assert_eq!(
        stood,
        [true, false, false, false, false, false],
        "nothing written but a folder, then the record and the rest"
    );
}

#[test]
fn a_withdrawal_is_remembered_and_its_bytes_may_come_again() {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path()).lock().unwrap();
    let wrong = two_deliveries(&store);
    let when = "2025-03-02T08:00:00Z".parse().unwrap();
    let withdrawn = store.withdraw(&wrong, WHY, when).unwrap();
    let expected = Withdrawal {
        number: 2,
        dataset: "visits".to_owned(),
        export: wrong.export.clone(),
        file_name: wrong.file_name.clone(),
        sha256: sha256_hex(b"wrong"),
        delivered_at: wrong.delivered_at,
        counts: wrong.counts.clone(),
        withdrawn_at: when,
        why: WHY.to_owned(),
    };
    assert_eq!(withdrawn, expected);
    assert_eq!(store.withdrawals().unwrap(), [expected]);
    assert!(withdrawn.is_of("visits", &wrong.sha256));
    assert!(!withdrawn.is_of("contacts", &wrong.sha256) && !withdrawn.is_of("visits", &sha256_hex(b"right")));
    // Whoever commits the bytes again wants them: a delivery of its own, beside the record of the first.
    let again = deliver(&store, "wrong").unwrap();
    assert!(again.is_new && again.delivery.number == 3);
    store.withdraw(&again.delivery, "wrong after all", when).unwrap();
    assert_eq!(store.withdrawals().unwrap().iter().map(|of| of.number).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(store.deliveries().unwrap().len(), 1);
}

/// A draw of one person, with the seed for its name.
fn draw_of(seed: u64) -> (DrawRecord, Vec<Drawn>) {
    let row = Drawn {
        invitation_id: format!("i{seed}"),
        person_id: format!("p{seed}"),
        contact_id: format!("c{seed}"),
        questionnaire_id: "stay".to_owned(),
        unit_id: "ward".to_owned(),
        stratum: "ward".to_owned(),
        inclusion_probability: 1.0,
        drawn_on: date(2025, 4, 10),
    };
    let record = DrawRecord {
        plan: "monthly".to_owned(),
        window: "2025-03".to_owned(),
        on: row.drawn_on,
        seed,
        inputs: format!("inputs-{seed}"),
        drawn: 1,
        report: serde_json::Value::Null,
    };
    (record, vec![row])
}

#[test]
fn a_replaced_draw_is_whole_at_every_step() {
    let ((first, first_rows), (second, second_rows)) = (draw_of(1), draw_of(2));
    let mut seeds = Vec::new();
    for steps in 0.. {
        let folder = tempdir().unwrap();
        let store = Store::open(folder.path());
        let locked = store.lock().unwrap();
        locked.keep_draw(locked.begin().unwrap(), &first, &first_rows).unwrap();
        let mut left = steps;
        let killed = locked.keep_draw_with(locked.begin().unwrap(), &second, &second_rows, &mut || {
            if left == 0 {
                return Err(StoreError::Locked { path: "killed".into() });
            }
            left -= 1;
            Ok(())
        });
        drop(locked);

        let found = store.draws().unwrap();
        let expected = if found == [first.clone()] { &first_rows } else { &second_rows };
        assert_eq!(&store.drawn(&found[0]).unwrap(), expected, "step {steps}");
        seeds.push(found[0].seed);
        // The next draw leaves nothing of the one that was interrupted.
        let locked = store.lock().unwrap();
        locked.keep_draw(locked.begin().unwrap(), &second, &second_rows).unwrap();
        assert_eq!(store.drawn(&second).unwrap(), second_rows);
        let names: Vec<_> = tree(&folder.path().join("draws")).into_iter().map(|(path, _)| path).collect();
        let names_of_one = ["monthly/2025-03/draw.json", "monthly/2025-03/drawn-inputs-2.parquet"];
        assert_eq!(names, names_of_one.map(std::path::PathBuf::from), "step {steps}");
        if killed.is_ok() {
            break;
        }
    }
    assert_eq!(seeds, [1, 1, 2, 2], "before it, its rows beside it, its record in place, undisturbed");
}
