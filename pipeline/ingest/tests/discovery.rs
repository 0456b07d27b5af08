//! Which files of an inbox are taken, in which order.

use std::{
    fs::{self, File},
    path::Path,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use prem_ingest::{IngestError, IngestOptions, RefusalCause, Settled, SkipReason, discover, ingest_file};

use crate::fixture::{export, plan};

const NOW: i64 = 1_750_000_000;

fn put(inbox: &Path, name: &str, seconds_ago: i64) {
    let path = inbox.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let changed = SystemTime::UNIX_EPOCH + Duration::from_secs((NOW - seconds_ago) as u64);
    File::create(path).unwrap().set_modified(changed).unwrap();
}

#[test]
fn files_are_matched_sorted_and_waited_for() {
    let inbox = tempfile::tempdir().unwrap();
    let mut plan = plan();
    let mut other = plan.exports["register"].clone();
    other.name = "a-survey".to_owned();
    other.files = vec!["surveys/**/*.csv".to_owned(), "surveys/*.csv".to_owned()];
    plan.exports.insert(other.name.clone(), other);
    export(&mut plan).files.push("stays_2*".to_owned());
    for name in ["stays_2.csv.gz", "stays_10.csv", "surveys/b.csv", "surveys/2025/a.csv"] {
        put(inbox.path(), name, 600);
    }
    put(inbox.path(), "stays_3.csv", 10);
    put(inbox.path(), "stays_4.csv", 10);
    put(inbox.path(), "stays_4.csv.ok", 10);
    put(inbox.path(), "stays_5.csv", -3600);
    for name in ["stays_6.csv.part", "stays_7.csv.tmp", ".stays_8.csv", ".hidden/stays_9.csv"] {
        put(inbox.path(), name, 600);
    }
    put(inbox.path(), "notes.txt", 600);
    put(inbox.path(), "deep/stays_1.csv", 600);
    #[cfg(unix)]
    std::os::unix::fs::symlink(inbox.path().join("stays_10.csv"), inbox.path().join("stays_link.csv")).unwrap();

    let settled = Settled::Since { now: Timestamp::from_second(NOW).unwrap(), seconds: 300 };
    let seen = discover(&plan, inbox.path(), settled).unwrap();
    let found: Vec<String> = seen.found.iter().map(|found| format!("{} {}", found.export, found.name)).collect();
    assert_eq!(
        found,
        [
            "a-survey surveys/2025/a.csv",
            "a-survey surveys/b.csv",
            "register stays_10.csv",
            "register stays_2.csv.gz",
            "register stays_4.csv"
        ]
    );
    let skipped: Vec<(&str, SkipReason)> = seen.skipped.iter().map(|file| (file.name.as_str(), file.reason)).collect();
    let mut expected = vec![
        ("deep/stays_1.csv", SkipReason::NoExport),
        ("notes.txt", SkipReason::NoExport),
        ("stays_3.csv", SkipReason::NotSettled),
        ("stays_5.csv", SkipReason::NotSettled),
    ];
    if cfg!(unix) {
        expected.push(("stays_link.csv", SkipReason::Link));
    }
    assert_eq!(skipped, expected);

    let all = discover(&plan, inbox.path(), Settled::Always).unwrap();
    assert_eq!(all.found.len(), 7);
}

#[test]
fn a_marker_counts_for_the_file_that_it_was_made_for() {
    let inbox = tempfile::tempdir().unwrap();
    // Delivered and marked an hour ago, and now being written again.
    put(inbox.path(), "stays_1.csv", 20);
    put(inbox.path(), "stays_1.csv.ok", 3600);
    // Written anew and rested: no marker is needed.
    put(inbox.path(), "stays_2.csv", 400);
    put(inbox.path(), "stays_2.csv.ok", 3600);
    // A clock that runs ahead: only the marker can say that the file is complete.
    put(inbox.path(), "stays_3.csv", -3600);
    put(inbox.path(), "stays_3.csv.ok", 10);
    put(inbox.path(), "stays_4.csv", 20);
    fs::create_dir(inbox.path().join("stays_4.csv.ok")).unwrap();
    let settled = Settled::Since { now: Timestamp::from_second(NOW).unwrap(), seconds: 300 };
    let seen = discover(&plan(), inbox.path(), settled).unwrap();
    let found: Vec<&str> = seen.found.iter().map(|found| found.name.as_str()).collect();
    assert_eq!(found, ["stays_2.csv", "stays_3.csv"]);
    let skipped: Vec<&str> = seen.skipped.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(skipped, ["stays_1.csv", "stays_4.csv"]);
}

/// Somebody appends to a file while it is read, from the first row to after the last.
#[test]
fn a_file_that_grows_while_it_is_read_is_refused_as_that_and_nothing_else() {
    use std::{
        io::Write,
        sync::atomic::{AtomicBool, Ordering},
    };

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stays_1.csv");
    let out = folder.path().join("out");
    fs::create_dir(&out).unwrap();
    let plan = plan();
    // A wrong header is the first thing that reading finds; the other file is sound, and ends inside a row.
    for header in ["wrong", crate::fixture::HEADER] {
        let rows = format!("{}\n", crate::fixture::GOOD).repeat(20_000);
        fs::write(&path, format!("{header}\n{rows}a-1;W1")).unwrap();
        let done = AtomicBool::new(false);
        let result = std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut file = File::options().append(true).open(&path).unwrap();
                while !done.load(Ordering::Relaxed) {
                    file.write_all(b";1;1;web\n").unwrap();
                    std::thread::sleep(Duration::from_micros(50));
                }
            });
            std::thread::sleep(Duration::from_millis(5));
            let result = (0..200)
                .map(|_| ingest_file(&plan, &plan.exports["register"], &path, &out, &IngestOptions::default()))
                .find(|result| matches!(result, Err(error) if error.refusal().is_some_and(|r| r.cause == RefusalCause::Changed)));
            done.store(true, Ordering::Relaxed);
            result
        });
        assert!(result.is_some(), "never seen to change");
        assert_eq!(fs::read_dir(&out).unwrap().count(), 0);
    }
}

#[test]
fn an_inbox_that_is_not_there() {
    let missing = tempfile::tempdir().unwrap().path().join("missing");
    assert!(matches!(discover(&plan(), &missing, Settled::Always), Err(IngestError::Io { action: "read", .. })));
}

#[test]
fn what_lies_where_a_file_should_is_told() {
    let inbox = tempfile::tempdir().unwrap();
    let mut plan = plan();
    export(&mut plan).files.push("surveys/**".to_owned());
    for name in ["stays_9.csv/rest.txt", "stays_2025.csv/stays_1.csv", "surveys/2025/a.csv"] {
        put(inbox.path(), name, 600);
    }
    fs::create_dir(inbox.path().join("stays_8.csv")).unwrap();
    fs::create_dir(inbox.path().join("surveys/2026")).unwrap();
    export(&mut plan).files.push("stays_2025.csv/*.csv".to_owned());
    let mut expected = vec![
        ("stays_8.csv", SkipReason::Folder),
        ("stays_9.csv", SkipReason::Folder),
        ("stays_9.csv/rest.txt", SkipReason::NoExport),
    ];
    #[cfg(unix)]
    {
        use std::os::unix::{ffi::OsStrExt, fs::symlink};
        symlink("nowhere", inbox.path().join("stays_5.csv")).unwrap();
        symlink("nowhere", inbox.path().join("notes")).unwrap();
        symlink(inbox.path().join("surveys"), inbox.path().join("elsewhere")).unwrap();
        File::create(inbox.path().join(std::ffi::OsStr::from_bytes(b"stays_\xf8.csv"))).unwrap();
        expected.extend([
            ("elsewhere", SkipReason::Link),
            ("notes", SkipReason::NoExport),
            ("stays_5.csv", SkipReason::Link),
            ("stays_\u{fffd}.csv", SkipReason::Name),
        ]);
        let pipe = |name: &str| std::process::Command::new("mkfifo").arg(inbox.path().join(name)).status();
        if ["stays_6.csv", "wake-up"].iter().all(|name| pipe(name).is_ok_and(|status| status.success())) {
            expected.extend([("stays_6.csv", SkipReason::Special), ("wake-up", SkipReason::NoExport)]);
        }
    }
    expected.sort_unstable();
    let seen = discover(&plan, inbox.path(), Settled::Always).unwrap();
    let found: Vec<&str> = seen.found.iter().map(|found| found.name.as_str()).collect();
    assert_eq!(found, ["stays_2025.csv/stays_1.csv", "surveys/2025/a.csv"]);
    let skipped: Vec<(&str, SkipReason)> = seen.skipped.iter().map(|file| (file.name.as_str(), file.reason)).collect();
    assert_eq!(skipped, expected);
    for (name, reason) in skipped {
        assert_eq!(reason.is_finding(), reason != SkipReason::NoExport, "{name}");
    }
}

#[test]
fn an_identity_number_in_a_name_is_told_and_never_shown() {
    let inbox = tempfile::tempdir().unwrap();
    let mut plan = plan();
    export(&mut plan).files.push("*/*.csv".to_owned());
    for name in ["stays_02013299997.csv", "020132_99997/a.csv", "note 02013299997.txt", "stays_02013299998.csv"] {
        put(inbox.path(), name, 600);
    }
    let seen = discover(&plan, inbox.path(), Settled::Always).unwrap();
    let skipped: Vec<(&str, SkipReason)> = seen.skipped.iter().map(|file| (file.name.as_str(), file.reason)).collect();
    assert_eq!(
        skipped,
        [
            ("************/a.csv", SkipReason::IdentityNumber),
            ("note ***********.txt", SkipReason::NoExport),
            ("stays_***********.csv", SkipReason::IdentityNumber)
        ]
    );
    let found: Vec<&str> = seen.found.iter().map(|found| found.name.as_str()).collect();
    assert_eq!(found, ["stays_02013299998.csv"]);

    let out = inbox.path().join("out");
    fs::create_dir(&out).unwrap();
    let path = inbox.path().join("stays_02013299997.csv");
    fs::write(&path, format!("{}\n{}\n", crate::fixture::HEADER, crate::fixture::GOOD)).unwrap();
    let error = ingest_file(&plan, &plan.exports["register"], &path, &out, &IngestOptions::default()).unwrap_err();
    assert_eq!(error.refusal().unwrap().cause, RefusalCause::IdentityNumberInName);
    let said = format!("{error} {error:?}");
    assert!(!said.contains("02013299997") && said.contains("stays_***********.csv"), "{said}");
    assert_eq!(fs::read_dir(&out).unwrap().count(), 0);
}
