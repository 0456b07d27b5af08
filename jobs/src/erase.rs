//! `prem erase`: persons who withdraw leave the store, and stay out of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Write as _},
    fs,
    path::Path,
};

use jiff::Timestamp;
use prem_store::{Delivery, ErasedRows, Withdrawal};
use serde::Serialize;

use crate::{
    cli::EraseArgs,
    config::Config,
    error::JobError,
    session::Session,
    status::standing_refusals,
    summary::{grouped, listed, reasons},
};

/// A longer line is no key of any dataset.
const KEY_CHARACTERS_MAX: usize = 255;
/// Lines that an error names.
const LINES_SHOWN_MAX: usize = 10;
const MARK: char = '\u{feff}';

/// What an erasure did, or would do. No key is in it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    pub dry_run: bool,
    /// Keys that were not erased before.
    pub keys_new: u64,
    /// Keys that had been erased before.
    pub keys_known: u64,
    /// Of the new ones: those that no stored row held.
    pub keys_without_rows: u64,
    /// Dataset → rows that go from its deliveries.
    pub rows: BTreeMap<String, Rows>,
    /// Files of the inbox that still hold rows of these persons.
    pub inbox_files: Vec<String>,
    /// Files of the inbox that are refused or were withdrawn, so that nobody knows whom they hold.
    pub unread_files: Vec<String>,
    /// Releases, which hold no person's rows and are left as they are.
    pub releases: usize,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct Rows {
    pub kept: u64,
    pub quarantined: BTreeMap<String, u64>,
}

impl From<&ErasedRows> for Rows {
    fn from(rows: &ErasedRows) -> Self {
        Self { kept: rows.kept, quarantined: rows.quarantined.clone() }
    }
}

/// # Errors
/// When the keys cannot be read, or the store cannot be read or written.
pub fn erase(args: &EraseArgs, now: Timestamp) -> Result<Report, JobError> {
    let session = Session::open(Config::load(&args.place)?, now)?;
    let column = args.column.into();
    let keys = read_keys(&args.keys, args.column.name())?;
    let (mut report, deliveries) = if args.dry_run {
        let plan = session.store.plan_erasure(column, &keys)?;
        let report = Report {
            dry_run: true,
            keys_new: plan.keys_new,
            keys_known: plan.known_already,
            keys_without_rows: plan.without_rows,
            rows: plan.counts.iter().map(|(dataset, rows)| (dataset.clone(), rows.into())).collect(),
            ..Report::default()
        };
        (report, plan.deliveries)
    } else {
        let erased = session.store.lock()?.erase(column, &keys, now)?;
        tracing::info!(keys = erased.numbers.len(), deliveries = erased.deliveries.len(), "erased");
        let report = Report {
            keys_new: erased.numbers.len() as u64,
            keys_known: erased.known_already,
            keys_without_rows: erased.without_rows,
            rows: erased.counts.iter().map(|(dataset, rows)| (dataset.clone(), rows.into())).collect(),
            ..Report::default()
        };
        (report, erased.deliveries)
    };
    report.inbox_files = in_inbox(&session, deliveries.iter().map(|delivery: &Delivery| delivery.file_name.as_str()));
    let refusals = standing_refusals(&session)?;
    let (withdrawals, stored) = (session.store.withdrawals()?, session.store.deliveries()?);
    let is_stored = |of: &&Withdrawal| stored.iter().any(|delivery| delivery.file_name == of.file_name);
    let withdrawn = withdrawals.iter().filter(|of| !is_stored(of)).map(|of| of.file_name.as_str());
    let refused = refusals.iter().map(|refusal| refusal.file_name.as_str());
    report.unread_files = in_inbox(&session, refused.chain(withdrawn));
    report.releases = session.publisher.releases()?.len();
    Ok(report)
}

fn in_inbox<'a>(session: &Session, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let names: BTreeSet<&str> = names.filter(|name| session.config.inbox.join(name).exists()).collect();
    names.into_iter().map(str::to_owned).collect()
}

/// One key a line; blank lines and a first line with the column's name do not count.
fn read_keys(path: &Path, column: &str) -> Result<BTreeSet<String>, JobError> {
    let bytes =
        fs::read(path).map_err(|error| JobError::InputMissing(format!("cannot read {}: {error}", path.display())))?;
    keys_of(&bytes, column).map_err(|reason| JobError::Keys(format!("{}: {reason}", path.display())))
}

fn keys_of(bytes: &[u8], column: &str) -> Result<BTreeSet<String>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not text in UTF-8; save it so".to_owned())?;
    let text = text.strip_prefix(MARK).unwrap_or(text);
    let (mut keys, mut wrong) = (BTreeSet::new(), Vec::new());
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || (number == 0 && line == column) {
            continue;
        }
        let is_key = !line.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, ';' | ',' | '"'));
        if is_key && line.chars().count() <= KEY_CHARACTERS_MAX {
            keys.insert(line.to_owned());
        } else {
            wrong.push((number + 1).to_string());
        }
    }
    if !wrong.is_empty() {
        let more = if wrong.len() > LINES_SHOWN_MAX { ", …" } else { "" };
        wrong.truncate(LINES_SHOWN_MAX);
        return Err(format!(
            "one {column} a line and nothing else is wanted; look at line {}{more}. Nothing was erased",
            wrong.join(", ")
        ));
    }
    if keys.is_empty() {
        return Err(format!("it holds no {column}; nothing was erased"));
    }
    Ok(keys)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        let what = if self.dry_run { "Would erase" } else { "Erased" };
        writeln!(text, "{what} the rows of {} keys; {} had been erased before.", self.keys_new, self.keys_known)?;
        if self.keys_without_rows > 0 {
            writeln!(
                text,
                "  {} of them are in no stored row; rows that come later are kept out all the same.",
                self.keys_without_rows
            )?;
        }
        for (dataset, rows) in &self.rows {
            write!(text, "  {dataset}: {} rows", grouped(rows.kept))?;
            if !rows.quarantined.is_empty() {
                write!(text, ", and in quarantine {}", reasons(&rows.quarantined))?;
            }
            writeln!(text)?;
        }
        if !self.rows.is_empty() && !self.dry_run {
            writeln!(text, "Derived tables and run folders were removed; the next run makes them again.")?;
        }
        if !self.inbox_files.is_empty() {
            let files = listed(&self.inbox_files);
            writeln!(text, "Files of the inbox that still hold these persons: {files}.")?;
            writeln!(text, "  Remove them, or have them exported again; the store does not take the rows again.")?;
        }
        if !self.unread_files.is_empty() {
            let files = listed(&self.unread_files);
            writeln!(text, "Refused or withdrawn files of the inbox are not stored, and may hold them too: {files}.")?;
        }
        if self.releases > 0 {
            let n = self.releases;
            writeln!(
                text,
                "The {n} releases hold tables of many persons and are left as they are; the next run makes one without the rows."
            )?;
        }
        if !self.dry_run {
            writeln!(text, "The file of keys names the persons: remove it. So do backups of the store from before.")?;
        }
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::keys_of;

    #[test]
    fn a_file_of_keys() {
        let keys = keys_of("\u{feff}person_id\r\np-2\r\n\r\n  p-1\r\np-2\r\n".as_bytes(), "person_id").unwrap();
        assert_eq!(keys.into_iter().collect::<Vec<_>>(), ["p-1", "p-2"]);
    }

    #[test]
    fn what_is_no_file_of_keys_names_lines_and_no_key() {
        let error = keys_of(b"secret-1;x\nsecret-2\nsecret 3\n", "person_id").unwrap_err();
        assert!(error.contains("line 1, 3") && !error.contains("secret"), "{error}");
        for empty in [&b""[..], b"person_id\n", b"\n \n"] {
            assert!(keys_of(empty, "person_id").unwrap_err().contains("no person_id"));
        }
        assert!(keys_of(b"\xff\xfe", "person_id").is_err());
    }
}
