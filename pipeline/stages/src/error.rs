//! What can stop a stage.

use std::path::{Path, PathBuf};

use polars::error::PolarsError;
use thiserror::Error;

#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StageError {
    /// A frame could not be computed. The library's own message may quote a cell, so only its kind is kept.
    #[error("cannot {step}: {kind}")]
    Frame { step: &'static str, kind: String },
    /// A frame could not be read or written because of the file system.
    #[error("cannot {step}: {kind}; see that the disk has room and that the store may be read and written")]
    Disk { step: &'static str, kind: std::io::ErrorKind },
    #[error("{} lacks the column {column}: it was written by another version; delete the derived tables", path.display())]
    Column { path: PathBuf, column: String },
    #[error("cannot {step} {}: {source}", path.display())]
    Io { step: &'static str, path: PathBuf, source: std::io::Error },
    #[error("{what} of {indicator} in {period}: {source}")]
    Kernel { what: &'static str, indicator: String, period: String, source: prem_stats::StatsError },
    /// What was told of a number does not give the number.
    #[error("the way to {indicator} of {unit} in {period} does not add up: {detail}")]
    Unexplained { indicator: String, unit: String, period: String, detail: String },
    #[error("no rows of «{dataset}» are stored, but {needed_by} needs them")]
    Missing { dataset: &'static str, needed_by: String },
    #[error("no contact discharged in {window} is stored: discharges are stored from {first} to {last}")]
    NotInWindow { window: String, first: String, last: String },
    #[error(transparent)]
    Store(#[from] prem_store::StoreError),
}

impl StageError {
    pub(crate) fn frame(step: &'static str) -> impl Fn(PolarsError) -> Self {
        move |error| match disk_error(&error) {
            Some(kind) => Self::Disk { step, kind },
            None => Self::Frame { step, kind: kind_of(&error) },
        }
    }

    pub(crate) fn io(step: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { step, path, source }
    }
}

fn disk_error(error: &PolarsError) -> Option<std::io::ErrorKind> {
    match error {
        PolarsError::IO { error, .. } => Some(error.kind()),
        PolarsError::Context { error, .. } => disk_error(error),
        _ => None,
    }
}

/// The variant's name and, for names of columns, the name: both come from schemas, never from cells.
fn kind_of(error: &PolarsError) -> String {
    match error {
        PolarsError::ColumnNotFound(name) => format!("column {name} not found"),
        PolarsError::SchemaMismatch(_) => "schemas differ".to_owned(),
        PolarsError::ComputeError(_) => "computation failed".to_owned(),
        PolarsError::Context { error, .. } => kind_of(error),
        other => {
            let debug = format!("{other:?}");
            debug.split(['(', ' ', '{']).next().unwrap_or("unknown").to_owned()
        }
    }
}
