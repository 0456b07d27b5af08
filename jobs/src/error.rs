//! What a run can end with, and the exit code for each.

use std::path::{Path, PathBuf};

use prem_ingest::IngestError;
use prem_protect::ProtectError;
use prem_report::ReportError;
use prem_sample::SampleError;
use prem_spec::suggestion;
use prem_stages::StageError;
use prem_store::StoreError;
use thiserror::Error;

use crate::summary::counted;

/// Exit codes of the command; part of its contract.
pub mod exit {
    pub const DONE: u8 = 0;
    pub const USAGE: u8 = 2;
    pub const DATA_REFUSED: u8 = 65;
    pub const INPUT_MISSING: u8 = 66;
    pub const BUG: u8 = 70;
    pub const CANNOT_WRITE: u8 = 73;
    pub const TRY_AGAIN: u8 = 75;
    pub const CONFIGURATION: u8 = 78;
}

#[derive(Debug, Error)]
pub enum JobError {
    /// Something that was typed is not known.
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Configuration(String),
    /// The mistakes have been shown.
    #[error("the declarations have {}; nothing was run", counted(*errors as u64, "mistake", "mistakes"))]
    Declarations { errors: usize },
    #[error("{0}")]
    InputMissing(String),
    /// Refused files held back everything that could have been published.
    #[error("{0}")]
    HeldBack(String),
    /// A file of keys that is none.
    #[error("{0}")]
    Keys(String),
    #[error("cannot {action} {}: {source}", path.display())]
    Write { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Ingest(#[from] IngestError),
    #[error(transparent)]
    Stage(#[from] StageError),
    #[error(transparent)]
    Protect(#[from] ProtectError),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// `differs` says in what this draw would be another.
    #[error(
        "{plan} was drawn for {window} already, on {on}; this would be another draw, {differs}: add --replace if that list \
         was never used"
    )]
    DrawnBefore { plan: String, window: String, on: jiff::civil::Date, differs: &'static str },
    #[error(
        "{} holds something else, perhaps the list of another draw; give another --out, or --replace to write over it",
        path.display()
    )]
    Occupied { path: PathBuf },
    #[error("rows do not add up in {dataset}: {detail}; nothing was published")]
    Irreconcilable { dataset: String, detail: String },
}

impl JobError {
    /// A name that was typed and is not among those known, with the nearest of them.
    pub fn unknown<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a String>) -> Self {
        let known: Vec<&str> = known.into_iter().map(String::as_str).collect();
        Self::Usage(format!("no {what} is called «{name}»; {}", suggestion(name, &known)))
    }

    pub fn write(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Write { action, path, source }
    }

    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => exit::USAGE,
            Self::Configuration(_) | Self::Declarations { .. } => exit::CONFIGURATION,
            Self::InputMissing(_) => exit::INPUT_MISSING,
            Self::Keys(_) | Self::HeldBack(_) => exit::DATA_REFUSED,
            Self::Write { .. } | Self::DrawnBefore { .. } | Self::Occupied { .. } => exit::CANNOT_WRITE,
            Self::Store(error) => of_store(error),
            Self::Stage(StageError::Store(error)) => of_store(error),
            Self::Stage(StageError::Missing { .. } | StageError::NotInWindow { .. }) => exit::INPUT_MISSING,
            Self::Stage(StageError::Io { .. }) => exit::CANNOT_WRITE,
            Self::Stage(StageError::Disk { kind, .. }) if *kind != std::io::ErrorKind::NotFound => exit::CANNOT_WRITE,
            Self::Stage(StageError::Disk { .. }) => exit::INPUT_MISSING,
            Self::Report(ReportError::Io { .. }) => exit::CANNOT_WRITE,
            Self::Report(ReportError::Table(error)) => of_store(error),
            Self::Protect(ProtectError::Store(error)) => of_store(error),
            Self::Ingest(IngestError::Refused(_)) => exit::DATA_REFUSED,
            Self::Ingest(IngestError::Io { .. }) => exit::INPUT_MISSING,
            Self::Ingest(IngestError::Declaration { .. }) => exit::CONFIGURATION,
            Self::Ingest(IngestError::Store(error)) => of_store(error),
            _ => exit::BUG,
        }
    }
}

fn of_store(error: &StoreError) -> u8 {
    match error {
        StoreError::Locked { .. } => exit::TRY_AGAIN,
        StoreError::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => exit::INPUT_MISSING,
        StoreError::Io { .. } => exit::CANNOT_WRITE,
        StoreError::Absent { .. } | StoreError::Damaged { .. } | StoreError::Parquet { .. } => exit::INPUT_MISSING,
        _ => exit::BUG,
    }
}
