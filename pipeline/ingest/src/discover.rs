//! Which files of an inbox belong to which export, and which of them are complete.

use std::{
    fs,
    path::{Path, PathBuf},
};

use glob::{MatchOptions, Pattern};
use jiff::Timestamp;
use prem_spec::model::Plan;

use crate::error::IngestError;

/// Folders below the inbox, at most.
const DEPTH_MAX: usize = 16;
const MARKER: &str = ".ok";
/// Endings of files that somebody is still writing.
const UNFINISHED: [&str; 4] = [".part", ".tmp", ".filepart", ".crdownload"];
/// `*` does not reach into folders.
const MATCHING: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// When a file counts as complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// A marker `<name>.ok` stands beside it that is not older than the file, or the file was not changed in the `seconds`
    /// before `now`.
    Since { now: Timestamp, seconds: i64 },
    /// Always: files that nobody is writing.
    Always,
}

/// A file to be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub export: String,
    pub path: PathBuf,
    /// Path in the inbox, `/` between folders.
    pub name: String,
    pub bytes: u64,
}

/// A file that is not taken now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Path in the inbox, `/` between folders.
    pub name: String,
    pub reason: SkipReason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum SkipReason {
    #[error("changed too recently and has no marker «.ok»; it is taken when it has settled")]
    NotSettled,
    #[error("changed while it was read; it is taken when it has settled")]
    Changed,
    #[error("is a link, which is not followed; deliver the file itself")]
    Link,
    #[error("is neither file nor folder")]
    Special,
    #[error("has a name that is no text in UTF-8; rename it")]
    Name,
    #[error("lies too deep in folders")]
    TooDeep,
    #[error("cannot be looked into; check its permissions")]
    Unreadable,
    #[error("matches no export's `files`")]
    NoExport,
}

/// An inbox, looked through once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inbox {
    /// By export, then by name: the order of `sequence = "file-name"`.
    pub found: Vec<Found>,
    /// By name.
    pub skipped: Vec<Skipped>,
}

/// Looks through `inbox` for files that match an export's patterns. Links are not followed; hidden files, markers and files with
/// an ending of unfinished transfers are passed over.
///
/// # Errors
/// When the inbox itself cannot be read, or a pattern is none.
pub fn discover(plan: &Plan, inbox: &Path, settled: Settled) -> Result<Inbox, IngestError> {
    let mut exports = Vec::new();
    for export in plan.exports.values() {
        for file in &export.files {
            let pattern = Pattern::new(file).map_err(|error| IngestError::Declaration {
                export: export.name.clone(),
                reason: format!("«{file}» is no pattern: {}", error.msg),
            })?;
            exports.push((export.name.as_str(), pattern));
        }
    }
    fs::read_dir(inbox).map_err(IngestError::io("read", inbox))?;
    let mut walk = Walk { exports, settled, inbox: Inbox::default() };
    walk.folder(inbox, "", 0);
    let Inbox { mut found, mut skipped } = walk.inbox;
    found.sort_by(|a, b| (&a.export, &a.name).cmp(&(&b.export, &b.name)));
    found.dedup();
    skipped.sort_by(|a, b| (&a.name, a.reason).cmp(&(&b.name, b.reason)));
    Ok(Inbox { found, skipped })
}

struct Walk<'a> {
    exports: Vec<(&'a str, Pattern)>,
    settled: Settled,
    inbox: Inbox,
}

impl Walk<'_> {
    fn skip(&mut self, name: &str, reason: SkipReason) {
        let name = name.chars().filter(|character| !character.is_control()).collect();
        self.inbox.skipped.push(Skipped { name, reason });
    }

    fn folder(&mut self, folder: &Path, prefix: &str, depth: usize) {
        let Ok(entries) = fs::read_dir(folder) else {
            return self.skip(prefix, SkipReason::Unreadable);
        };
        for entry in entries {
            let Ok(entry) = entry else {
                self.skip(prefix, SkipReason::Unreadable);
                continue;
            };
            let file_name = entry.file_name();
            let Some(text) = file_name.to_str() else {
                self.skip(&format!("{prefix}{}", file_name.to_string_lossy()), SkipReason::Name);
                continue;
            };
            if text.starts_with('.') {
                continue;
            }
            let name = format!("{prefix}{text}");
            let Ok(metadata) = fs::symlink_metadata(entry.path()) else {
                self.skip(&name, SkipReason::Unreadable);
                continue;
            };
            let kind = metadata.file_type();
            if kind.is_symlink() {
                self.skip(&name, SkipReason::Link);
            } else if kind.is_dir() && depth == DEPTH_MAX {
                self.skip(&name, SkipReason::TooDeep);
            } else if kind.is_dir() {
                self.folder(&entry.path(), &format!("{name}/"), depth + 1);
            } else if kind.is_file() {
                self.file(&entry.path(), &name, &metadata);
            } else {
                self.skip(&name, SkipReason::Special);
            }
        }
    }

    fn file(&mut self, path: &Path, name: &str, metadata: &fs::Metadata) {
        let lower = name.to_lowercase();
        if lower.ends_with(MARKER) || UNFINISHED.iter().any(|ending| lower.ends_with(ending)) {
            return;
        }
        let exports: Vec<String> = self
            .exports
            .iter()
            .filter(|(_, pattern)| pattern.matches_with(name, MATCHING))
            .map(|(export, _)| (*export).to_owned())
            .collect();
        if exports.is_empty() {
            return self.skip(name, SkipReason::NoExport);
        }
        if !self.is_settled(path, metadata) {
            return self.skip(name, SkipReason::NotSettled);
        }
        for export in exports {
            let found = Found { export, path: path.to_path_buf(), name: name.to_owned(), bytes: metadata.len() };
            self.inbox.found.push(found);
        }
    }

    /// A file whose time of change is unknown or lies in the future is settled only by its marker. A marker that is older than
    /// the file was made for what the file held before: somebody may be writing it anew.
    fn is_settled(&self, path: &Path, metadata: &fs::Metadata) -> bool {
        let Settled::Since { now, seconds } = self.settled else { return true };
        let time_of = |metadata: &fs::Metadata| Timestamp::try_from(metadata.modified().ok()?).ok();
        let changed = time_of(metadata);
        let has_rested = changed.is_some_and(|changed| now.duration_since(changed).as_secs() >= seconds);
        let mut marker = path.as_os_str().to_owned();
        marker.push(MARKER);
        let Ok(marker) = fs::symlink_metadata(&marker) else { return has_rested };
        let is_older = match (time_of(&marker), changed) {
            (Some(marked), Some(changed)) => marked < changed && changed <= now,
            _ => false,
        };
        (marker.is_file() && !is_older) || has_rested
    }
}
