//! A disk that takes no more, and places that cannot be written: exit 73, and everything as it was.

use std::{fs, process::Command};

use crate::place::{Place, assert_same, contents, expect_code};

/// Largest file, in the shell's blocks of 512 bytes, that a process may write: from the first record to the last table.
#[cfg(unix)]
const BLOCKS: [u32; 6] = [0, 1, 8, 32, 64, 128];

#[cfg(unix)]
#[test]
fn a_full_disk_stops_a_run_and_spoils_nothing() {
    let undisturbed = Place::region(2_000);
    undisturbed.run(&[]);
    let place = Place::region(2_000);
    let mut stopped = 0;
    for blocks in BLOCKS {
        // A write past the limit fails with an error, as on a full disk, because the signal is ignored.
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" run --config prem.toml --quiet");
        let output = Command::new("sh")
            .args(["-c", &script])
            .arg(assert_cmd::cargo::cargo_bin!("prem"))
            .current_dir(place.path())
            .output()
            .expect("a shell");
        let code = output.status.code();
        assert!(
            code == Some(73) || code == Some(0),
            "{blocks} blocks: {:?}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        stopped += u32::from(code == Some(73));
        expect_code(&place.prem(&["status"]), 0);
        if let Some(current) = place.current() {
            assert_same(&current, &undisturbed.current().expect("a release"));
        }
    }
    assert!(stopped >= 3, "only {stopped} runs met the limit");
    place.run(&[]);
    assert_same(&place.current().expect("a release"), &undisturbed.current().expect("a release"));
}

#[test]
fn places_that_cannot_be_written() {
    let place = Place::region(300);
    fs::write(place.path().join("taken"), "a file").expect("a file");
    expect_code(&place.prem(&["run", "--store", "taken"]), 73);
    expect_code(&place.prem(&["run", "--store", "taken/below"]), 73);
    place.run(&[]);
    let before = contents(&place.path().join("published"));
    expect_code(&place.prem(&["run", "--publish", "taken/below"]), 73);
    assert_eq!(before, contents(&place.path().join("published")));
}
