//! `prem diff` and `prem rollback`.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    fs, io,
    path::Path,
};

use jiff::Timestamp;
use prem_spec::printable;
use prem_store::tables::{Estimate, read_table};
use serde::Serialize;

use crate::{
    cli::{DiffArgs, RollbackArgs},
    config::Config,
    error::JobError,
    manifest,
    session::Session,
};

/// Differences smaller than this share of a value come from another processor, not from other data.
const SAME_SHARE: f64 = 1e-12;
/// Lines of differences that a person is shown; the program's output has all.
const SHOWN_MAX: usize = 50;

/// The stratum of everybody, which goes without saying.
const TOTAL: &str = "total";

#[derive(Debug, Clone, Default, Serialize)]
pub struct Difference {
    pub only_earlier: usize,
    pub only_later: usize,
    pub same: usize,
    pub changed: Vec<Changed>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Changed {
    pub indicator: String,
    pub period: String,
    pub unit_id: String,
    pub stratum: String,
    pub earlier: Option<f64>,
    pub later: Option<f64>,
    pub comparison: Option<(String, String)>,
}

type Key = (String, String, String, String);

/// Compares the published region tables of two releases.
///
/// # Errors
/// When a release cannot be read.
pub fn diff(args: &DiffArgs, now: Timestamp) -> Result<Difference, JobError> {
    let session = Session::open(Config::load(&args.place)?, now)?;
    let read = |run_id: &str| -> Result<BTreeMap<Key, Estimate>, JobError> {
        let folder = session.publisher.release_folder(checked_id(run_id)?)?;
        let path = folder.join(Path::new("region").join("estimates.parquet"));
        let (rows, _) = read_table::<Estimate>(&path)?;
        let key =
            |row: &Estimate| (row.indicator.clone(), row.period.clone(), row.unit_id.clone(), row.stratum.clone());
        Ok(rows.into_iter().map(|row| (key(&row), row)).collect())
    };
    let (earlier, later) = (read(&args.earlier)?, read(&args.later)?);
    let mut difference = Difference {
        only_earlier: earlier.keys().filter(|key| !later.contains_key(*key)).count(),
        only_later: later.keys().filter(|key| !earlier.contains_key(*key)).count(),
        ..Difference::default()
    };
    for (key, before) in &earlier {
        let Some(after) = later.get(key) else { continue };
        let words = (before.comparison.clone().unwrap_or_default(), after.comparison.clone().unwrap_or_default());
        let word_changed = words.0 != words.1;
        if is_same(before.value, after.value) && before.suppressed == after.suppressed && !word_changed {
            difference.same += 1;
            continue;
        }
        difference.changed.push(Changed {
            indicator: key.0.clone(),
            period: key.1.clone(),
            unit_id: key.2.clone(),
            stratum: key.3.clone(),
            earlier: before.value,
            later: after.value,
            comparison: word_changed.then_some(words),
        });
    }
    Ok(difference)
}

fn is_same(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= SAME_SHARE * a.abs().max(b.abs()),
        (a, b) => a.is_none() && b.is_none(),
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        let show = |value: Option<f64>| value.map_or_else(|| "withheld".to_owned(), |value| format!("{value:.4}"));
        for change in self.changed.iter().take(SHOWN_MAX) {
            let stratum = if change.stratum == TOTAL { String::new() } else { format!(" {}", change.stratum) };
            write!(
                text,
                "{} {} {}{stratum}: {} → {}",
                change.indicator,
                change.period,
                change.unit_id,
                show(change.earlier),
                show(change.later)
            )?;
            if let Some((before, after)) = &change.comparison {
                write!(text, " ({before} → {after})")?;
            }
            writeln!(text)?;
        }
        if self.changed.len() > SHOWN_MAX {
            writeln!(text, "… and {} more; --output json has all", self.changed.len() - SHOWN_MAX)?;
        }
        writeln!(
            text,
            "{} rows the same, {} changed, {} only in the earlier, {} only in the later release.",
            self.same,
            self.changed.len(),
            self.only_earlier,
            self.only_later
        )?;
        f.write_str(&text)
    }
}

/// Names the run whose release was rolled back, so that the next run does not bring it back by itself.
const ROLLED_BACK: &str = "rolled-back.json";

/// Whether an operator went back from the release of `run_id`.
pub fn is_rolled_back(session: &Session, run_id: &str) -> bool {
    let read = fs::read_to_string(session.publisher.root().join(ROLLED_BACK)).ok();
    read.and_then(|text| serde_json::from_str::<String>(&text).ok()).is_some_and(|rolled_back| rolled_back == run_id)
}

/// A new release is current: the rollback is history.
///
/// # Errors
/// When the note cannot be removed.
pub fn forget_rollback(session: &Session) -> Result<(), JobError> {
    let path = session.publisher.root().join(ROLLED_BACK);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(JobError::write("remove", &path)(error)),
        _ => Ok(()),
    }
}

/// A run id as it was typed.
///
/// # Errors
/// [`JobError::Usage`] when it can be none.
pub fn checked_id(run_id: &str) -> Result<&str, JobError> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if run_id.is_empty() || !run_id.bytes().all(is_digit) {
        let run_id = printable(run_id);
        return Err(JobError::Usage(format!(
            "«{run_id}» is no run id: it has the digits 0–9 and a–f alone; `prem status` lists the releases"
        )));
    }
    Ok(run_id)
}

/// # Errors
/// When there is no such release, it is of a narrowed run, or it cannot be made current.
pub fn rollback(args: &RollbackArgs, now: Timestamp) -> Result<String, JobError> {
    let session = Session::open(Config::load(&args.place)?, now)?;
    let release = session.publisher.release_folder(checked_id(&args.release)?)?;
    let _lock = session.store.lock()?;
    if manifest::is_narrowed(&release) {
        return Err(JobError::Usage(format!(
            "{} is the release of a narrowed run (--period, --indicator, --unit or --as-of): it shows a part and never becomes \
             the current one; `prem status` lists the others",
            args.release
        )));
    }
    let before = session.publisher.current()?.map(|current| current.run_id().to_owned());
    let current = session.publisher.rollback(&args.release)?;
    if let Some(before) = before.filter(|before| before != current.run_id()) {
        let path = session.publisher.root().join(ROLLED_BACK);
        let text = serde_json::to_string(&before).unwrap_or_default();
        fs::write(&path, text).map_err(JobError::write("write", &path))?;
    }
    Ok(format!(
        "{} is the current release, and stays so until a delivery or a declaration changes, or `prem run --force`.\n",
        current.run_id()
    ))
}
