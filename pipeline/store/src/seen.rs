//! Hashes of inbox files by path, size and time of change, so that an idle night does not read gigabytes again.
//!
//! A cache and nothing more: what it says decides only whether a file is known already. A lost or damaged one costs time.

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
}

impl Seen {
    /// The hash of a file's content: the one seen before when size and time are the same, else computed and remembered.
    ///
    /// A file that changes while it is read is not remembered.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn sha256(&mut self, path: &Path) -> Result<String, StoreError> {
        let before = stamp(path)?;
        // A path that is no text cannot be a key.
        let key = path.to_str();
        if let (Some(known), Some((bytes, modified_ns))) = (key.and_then(|key| self.files.get(key)), before)
            && (known.bytes, known.modified_ns) == (bytes, modified_ns)
        {
            return Ok(known.sha256.clone());
        }
        let sha256 = sha256_file(path)?;
        if let (Some(key), Some((bytes, modified_ns))) = (key, before)
            && stamp(path)? == before
        {
            self.files.insert(key.to_owned(), SeenFile { bytes, modified_ns, sha256: sha256.clone() });
        }
        Ok(sha256)
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
    /// What was saved; empty where nothing was, or where it cannot be read.
    pub fn seen(&self) -> Seen {
        match disk::read_json(&self.root().join("seen.json")) {
            Ok(seen) => seen.unwrap_or_default(),
            Err(error) => {
                tracing::warn!(%error, "inbox files are hashed again");
                Seen::default()
            }
        }
    }
}

impl LockedStore {
    /// # Errors
    /// When the file cannot be written.
    pub fn save_seen(&self, seen: &Seen) -> Result<(), StoreError> {
        disk::replace_json(&self.pending_name("seen"), &self.root().join("seen.json"), seen)
    }
}
