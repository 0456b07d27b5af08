//! Numbers of other software that the project does not ship: where they are, and a word where they are not at hand.
//!
//! Test binaries of several crates take this file in by its path. A test that finds nothing to compare with passes all the
//! same, so each says what it did not compare, on stderr and past the harness: of what a passing test prints by `eprintln!`
//! nobody sees anything.
#![allow(dead_code, reason = "every test binary uses a part of it")]

use std::{
    collections::BTreeSet,
    io::Write,
    path::{Path, PathBuf},
    sync::Mutex,
};

/// Names another folder than the one beside the workspace.
const VARIABLE: &str = "PREM_REFERENCE";

/// What was said, so that each test says it once.
static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Where reference files are kept, at hand or not.
pub fn root() -> PathBuf {
    if let Some(folder) = std::env::var_os(VARIABLE) {
        return PathBuf::from(folder);
    }
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().find(|folder| folder.join("Cargo.lock").is_file()).unwrap_or(own).join("../shared/reference")
}

/// A file or folder of it; `None`, said aloud, where it is not at hand.
pub fn find(path: &str) -> Option<PathBuf> {
    let full = root().join(path);
    if full.exists() {
        return Some(full);
    }
    say_skipped(path);
    None
}

/// The word for a test that compares with `path` and cannot. The same line for each file where the whole folder is missing.
pub fn skipped(test: &str, path: &str, is_folder_there: bool) -> String {
    let missing = if is_folder_there { path } else { "the folder of reference files" };
    format!("SKIPPED: what {test} compares with {missing}, not at hand; {VARIABLE} says where it is\n")
}

fn say_skipped(path: &str) {
    let thread = std::thread::current();
    let line = skipped(thread.name().unwrap_or("a test"), path, root().is_dir());
    // A lock that another test's failure has poisoned still holds the lines.
    let mut said = SAID.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if said.insert(line.clone()) {
        // Nowhere else to say that stderr is closed.
        let _: std::io::Result<()> = std::io::stderr().write_all(line.as_bytes());
    }
}
