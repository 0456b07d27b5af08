//! Refusals: a small record of each file that was refused whole, so that status can show it. Nothing else of it is kept.
//!
//! `refusals/<export>-<first 12 of sha256>.json`, replaced in one step, forgotten when the file is taken after all.

use std::{fmt, path::PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{IngestCounts, LockedStore, Store, StoreError, disk, hash::is_sha256};

/// A file that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    pub dataset: String,
    pub export: String,
    /// Path in the inbox, `/` between folders.
    pub file_name: String,
    pub sha256: String,
    pub bytes: u64,
    pub refused_at: Timestamp,
    /// The declarations it was judged by: with others it may be judged again.
    pub plan_hash: String,
    /// The version of the program that judged it: another may judge otherwise. Empty in records of before it was kept.
    #[serde(default)]
    pub program: String,
    /// Names columns, lines and counts, never a value.
    pub reason: String,
    /// As far as the file was read; they need not reconcile.
    pub counts: IngestCounts,
    /// The first bad rows, for whoever asks the sender.
    #[serde(default)]
    pub first: Vec<BadRow>,
}

/// Where a bad row stands and why it is bad; never what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BadRow {
    /// Line of the file, from 1, the header counted.
    pub line: u64,
    /// Stored column that is wrong; `None` where the row as a whole is.
    pub column: Option<String>,
    pub reason: String,
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.column {
            Some(column) => write!(f, "line {} column {column} {}", self.line, self.reason),
            None => write!(f, "line {} {}", self.line, self.reason),
        }
    }
}

impl Store {
    /// All refusals in the order of export and file name.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when a record is not one.
    pub fn refusals(&self) -> Result<Vec<Refusal>, StoreError> {
        let paths = disk::entries(&self.root().join("refusals"))?;
        let found = paths.iter().filter_map(|path| disk::read_json(path).transpose());
        let mut all: Vec<Refusal> = found.collect::<Result<_, _>>()?;
        all.sort_by(|a, b| (&a.export, &a.file_name, &a.sha256).cmp(&(&b.export, &b.file_name, &b.sha256)));
        Ok(all)
    }

    fn refusal_path(&self, export: &str, sha256: &str) -> PathBuf {
        let start = sha256.get(..12).unwrap_or(sha256);
        self.root().join("refusals").join(format!("{export}-{start}.json"))
    }
}

impl LockedStore {
    /// Records a refusal; the same file refused again replaces its record.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn refuse(&self, refusal: &Refusal) -> Result<(), StoreError> {
        disk::checked_name("export", &refusal.export)?;
        let path = self.refusal_path(&refusal.export, &refusal.sha256);
        if !is_sha256(&refusal.sha256) {
            return Err(StoreError::refused(&path, "its content hash is not a SHA-256"));
        }
        disk::create_private_folder(&self.root().join("refusals"))?;
        disk::replace_json(&self.pending_name("refusal"), &path, refusal)
    }

    pub(crate) fn forget_refusal(&self, export: &str, sha256: &str) -> Result<(), StoreError> {
        disk::remove(&self.refusal_path(export, sha256))
    }
}
