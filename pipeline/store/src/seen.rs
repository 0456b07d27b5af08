//! Hashes of inbox files by path, size and time of change, so that an idle night does not read gigabytes again.
//!
//! A cache and nothing more: what it says decides whether a file is known already, and whether known bytes have come again. A lost or
//! damaged one costs time, and takes the files for ones that have always lain there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use serde::{Deserialize, Serialize};

use crate::{LockedStore, Store, StoreError, disk, hash::sha256_file};

/// What was seen when the store was last saved, and since.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    files: BTreeMap<String, SeenFile>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeenFile {
    bytes: u64,
    /// Nanoseconds since 1970.
    modified_ns: u64,
    sha256: String,
    #[serde(default)]
    since: u64,
}

/// A file of the inbox as it lies there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lying {
    pub sha256: String,
    /// Number of the last delivery that was registered when the file was first seen so: later ones came after it.
    pub since: u64,
}

impl Seen {
    /// A file's content and since when it lies there: what was seen before when size and time are the same, else its hash is
    /// computed, and remembered together with `last`, the number of the last delivery so far.
    ///
    /// A file that changes while it is read is not remembered.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn look(&mut self, path: &Path, last: u64) -> Result<Lying, StoreError> {
        let before = stamp(path)?;
        // A path that is no text cannot be a key.
        let key = path.to_str();
        if let (Some(known), Some((bytes, modified_ns))) = (key.and_then(|key| self.files.get(key)), before)
            && (known.bytes, known.modified_ns) == (bytes, modified_ns)
        {
            return Ok(Lying { sha256: known.sha256.clone(), since: known.since });
        }
        let sha256 = sha256_file(path)?;
        if let (Some(key), Some((bytes, modified_ns))) = (key, before)
            && stamp(path)? == before
        {
            self.files.insert(key.to_owned(), SeenFile { bytes, modified_ns, sha256: sha256.clone(), since: last });
        }
        Ok(Lying { sha256, since: last })
    }

    /// Forgets files that are not in `present`.
    pub fn retain(&mut self, present: &BTreeSet<PathBuf>) {
        self.files.retain(|path, _| present.contains(Path::new(path)));
    }
}

/// Size and time of change, where the file system has a time since 1970.
fn stamp(path: &Path) -> Result<Option<(u64, u64)>, StoreError> {
    let file = fs::metadata(path).map_err(StoreError::io("look at", path))?;
    let modified = file.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Ok(modified.and_then(|since| u64::try_from(since.as_nanos()).ok()).map(|since| (file.len(), since)))
}

impl Store {
    /// What was saved; `None` where nothing was, or where it cannot be read.
    pub fn seen(&self) -> Option<Seen> {
        disk::read_json(&self.root().join("seen.json")).unwrap_or_else(|error| {
            tracing::warn!(%error, "inbox files are hashed again");
            None
        })
    }
}

impl LockedStore {
    /// # Errors
    /// When the file cannot be written.
    pub fn save_seen(&self, seen: &Seen) -> Result<(), StoreError> {
        disk::replace_json(&self.pending_name("seen"), &self.root().join("seen.json"), seen)
    }
}
