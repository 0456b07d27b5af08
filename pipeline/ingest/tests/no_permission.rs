//! What the program may not read. The superuser may read everything, so under it the test runs itself once more as nobody.
#![cfg(unix)]
#![allow(clippy::print_stdout, reason = "says what it skipped")]

use std::{
    fs::{self, File, Permissions},
    os::unix::fs::PermissionsExt,
    process::Command,
};

use prem_ingest::{IngestError, IngestOptions, Settled, SkipReason, discover, ingest_file};

use crate::fixture::{HEADER, plan};

const NAME: &str = "no_permission::what_may_not_be_read_is_told";
const AS_NOBODY: &str = "PREM_TEST_AS_NOBODY";

#[test]
fn what_may_not_be_read_is_told() {
    let inbox = tempfile::tempdir().unwrap();
    let (file, folder) = (inbox.path().join("stays_1.csv"), inbox.path().join("inner"));
    fs::write(&file, HEADER).unwrap();
    fs::write(inbox.path().join("stays_2.csv"), HEADER).unwrap();
    fs::create_dir(&folder).unwrap();
    for path in [&file, &folder] {
        fs::set_permissions(path, Permissions::from_mode(0o000)).unwrap();
    }
    if File::open(&file).is_ok() {
        assert!(std::env::var_os(AS_NOBODY).is_none(), "nobody may read everything");
        return as_nobody();
    }
    let plan = plan();
    let seen = discover(&plan, inbox.path(), Settled::Always).unwrap();
    let found: Vec<&str> = seen.found.iter().map(|found| found.name.as_str()).collect();
    assert_eq!(found, ["stays_2.csv"]);
    let skipped: Vec<(&str, SkipReason)> = seen.skipped.iter().map(|file| (file.name.as_str(), file.reason)).collect();
    assert_eq!(skipped, [("inner/", SkipReason::Unreadable), ("stays_1.csv", SkipReason::Unreadable)]);
    let out = inbox.path().join("out");
    fs::create_dir(&out).unwrap();
    let refused = ingest_file(&plan, &plan.exports["register"], &file, &out, &IngestOptions::default());
    assert!(matches!(refused, Err(IngestError::Io { action: "open", .. })), "{refused:?}");
    assert_eq!(fs::read_dir(&out).unwrap().count(), 0);
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
}

/// Runs this test alone in a process that is not the superuser's.
fn as_nobody() {
    let place = tempfile::tempdir().unwrap();
    let program = place.path().join("tests");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(place.path(), Permissions::from_mode(0o777)).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program).args(["--exact", NAME]);
    match command.env(AS_NOBODY, "1").env("TMPDIR", place.path()).output() {
        Err(error) => println!("skipped: the superuser may read everything, and setpriv cannot be run: {error}"),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && said.contains("1 passed"), "{said}{output:?}");
        }
    }
}
