//! Which files of an inbox belong to which export, and which of them are complete.

use std::{
    fs::{self, File},
    io::ErrorKind,
    path::{Path, PathBuf},
};

use glob::{MatchOptions, Pattern};
use jiff::Timestamp;
use prem_spec::model::Plan;

use crate::{error::IngestError, identity::without_identity};

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
    /// Path in the inbox, `/` between folders, stars for the digits of identity numbers.
    pub name: String,
    pub reason: SkipReason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum SkipReason {
    #[error("changed too recently and has no marker «.ok»; it is taken when it has settled")]
    NotSettled,
    #[error("changed while it was read; it is taken when it has settled")]
    Changed,
    #[error("went away before it was read")]
    Gone,
    #[error("is a link, which is not followed; deliver the file itself")]
    Link,
    #[error("is a folder under the name of a file; deliver the file itself")]
    Folder,
    #[error("is neither file nor folder")]
    Special,
    #[error("has a name that is no text in UTF-8; rename it")]
    Name,
    #[error("lies too deep in folders")]
    TooDeep,
    #[error("cannot be read; check its permissions")]
    Unreadable,
    #[error("has what looks like a national identity number in its name, which is never stored; rename it")]
    IdentityNumber,
    #[error("matches no export's `files`")]
    NoExport,
}

impl SkipReason {
    /// Whether somebody must see to it: waiting makes nothing of the file.
    pub fn is_finding(self) -> bool {
        match self {
            Self::NotSettled | Self::Changed | Self::Gone | Self::NoExport => false,
            Self::Link
            | Self::Folder
            | Self::Special
            | Self::Name
            | Self::TooDeep
            | Self::Unreadable
            | Self::IdentityNumber => true,
        }
    }
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
/// an ending of unfinished transfers are passed over. Every file that is found could be opened.
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

/// Whether a name is that of a marker or of an unfinished transfer.
fn is_no_delivery(name: &str) -> bool {
    let lower = name.to_lowercase();
    lower.ends_with(MARKER) || UNFINISHED.iter().any(|ending| lower.ends_with(ending))
}

struct Walk<'a> {
    exports: Vec<(&'a str, Pattern)>,
    settled: Settled,
    inbox: Inbox,
}

impl Walk<'_> {
    fn skip(&mut self, name: &str, reason: SkipReason) {
        let name: String = name.chars().filter(|character| !character.is_control()).collect();
        let name = without_identity(&name).unwrap_or(name);
        self.inbox.skipped.push(Skipped { name, reason });
    }

    /// Exports that want a file of this name.
    fn exports_of(&self, name: &str) -> Vec<String> {
        let wanted = self.exports.iter().filter(|(_, pattern)| pattern.matches_with(name, MATCHING));
        wanted.map(|(export, _)| (*export).to_owned()).collect()
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
            if !text.starts_with('.') {
                self.entry(&entry.path(), &format!("{prefix}{text}"), depth);
            }
        }
    }

    fn entry(&mut self, path: &Path, name: &str, depth: usize) {
        let metadata = match fs::symlink_metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => return,
            Err(_) => return self.skip(name, SkipReason::Unreadable),
        };
        let kind = metadata.file_type();
        if kind.is_dir() {
            return self.inner_folder(path, name, depth);
        }
        // What a link leads to may be a folder with files that an export wants.
        if kind.is_symlink() && fs::metadata(path).is_ok_and(|target| target.is_dir()) {
            return self.skip(name, SkipReason::Link);
        }
        if is_no_delivery(name) {
            return;
        }
        let exports = self.exports_of(name);
        let reason = match () {
            () if exports.is_empty() => SkipReason::NoExport,
            () if without_identity(name).is_some() => SkipReason::IdentityNumber,
            () if kind.is_symlink() => SkipReason::Link,
            () if !kind.is_file() => SkipReason::Special,
            () if !self.is_settled(path, &metadata) => SkipReason::NotSettled,
            () => match File::open(path) {
                Ok(_) => return self.found(&exports, path, name, metadata.len()),
                Err(error) if error.kind() == ErrorKind::NotFound => SkipReason::Gone,
                Err(_) => SkipReason::Unreadable,
            },
        };
        self.skip(name, reason);
    }

    fn found(&mut self, exports: &[String], path: &Path, name: &str, bytes: u64) {
        self.inbox.found.extend(exports.iter().map(|export| Found {
            export: export.clone(),
            path: path.to_path_buf(),
            name: name.to_owned(),
            bytes,
        }));
    }

    fn inner_folder(&mut self, path: &Path, name: &str, depth: usize) {
        if depth == DEPTH_MAX {
            return self.skip(name, SkipReason::TooDeep);
        }
        let (found, skipped) = (self.inbox.found.len(), self.inbox.skipped.len());
        self.folder(path, &format!("{name}/"), depth + 1);
        let holds_wanted = self.inbox.found.len() > found
            || self.inbox.skipped[skipped..].iter().any(|file| file.reason != SkipReason::NoExport);
        let is_wanted = |pattern: &Pattern| !pattern.as_str().ends_with("**") && pattern.matches_with(name, MATCHING);
        // Some program made a folder where a file should be.
        if !holds_wanted && !is_no_delivery(name) && self.exports.iter().any(|(_, pattern)| is_wanted(pattern)) {
            self.skip(name, SkipReason::Folder);
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
