//! What a night may bring: a killed run, a second run beside the first.

use std::fs::{self, File};

use crate::place::{Place, assert_same, contents, expect_code};

/// Milliseconds after which a run is killed: early in ingest to late in publication.
const KILLS_MS: [u64; 7] = [15, 60, 150, 300, 500, 800, 1200];

#[test]
fn a_killed_run_leaves_the_old_release_and_the_next_run_makes_the_same_as_ever() {
    let undisturbed = Place::region(2_000);
    undisturbed.run(&[]);
    let place = Place::region(2_000);
    for milliseconds in KILLS_MS {
        place.kill_after(milliseconds, &["run", "--quiet"]);
        if let Some(current) = place.current() {
            // Whatever is current is whole.
            assert_same(&current, &undisturbed.current().expect("a release"));
        }
    }
    place.run(&[]);
    assert_same(&place.current().expect("a release"), &undisturbed.current().expect("a release"));
}

#[test]
fn a_locked_store_says_try_again_and_is_left_alone() {
    let place = Place::region(300);
    place.run(&[]);
    let before = contents(&place.path().join("published"));
    let lock = File::options().write(true).open(place.path().join("store/LOCK")).expect("the lock file");
    lock.lock().expect("the lock");
    fs::copy(place.inbox("responses_2024-03.csv"), place.inbox("responses_2099-01.csv")).expect("a new file");
    expect_code(&place.prem(&["run"]), 75);
    drop(lock);
    assert_eq!(before, contents(&place.path().join("published")));
}
