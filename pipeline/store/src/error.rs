//! What can go wrong on disk. Messages name files and columns, never a cell, and say what to do.

use std::path::{Path, PathBuf};

use thiserror::Error;

#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    #[error("cannot {action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error("{} is not a readable Parquet file: {reason}; restore it from a backup or make it again", path.display())]
    Parquet { path: PathBuf, reason: String },
    #[error("{table} breaks its contract (version {version}): {reason}")]
    Contract { table: &'static str, version: &'static str, reason: String },
    #[error("{} breaks the contract of dataset {dataset} (version {version}): {reason}", path.display())]
    Dataset { path: PathBuf, dataset: String, version: String, reason: String },
    #[error("the store {} is locked by another run; wait until it has ended and start again", path.display())]
    Locked { path: PathBuf },
    #[error("{} is damaged: {reason}; restore it from a backup, or move it away and deliver or run again", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error("{} cannot be kept: {reason}", path.display())]
    Refused { path: PathBuf, reason: String },
    #[error(
        "«{name}» cannot be the name of a {what}: use letters a–z and A–Z, digits, «-», «_», «=» and «.», not first a «.»"
    )]
    Name { what: &'static str, name: String },
    #[error("there is no {}; `prem status` lists what there is", path.display())]
    Absent { path: PathBuf },
}

impl StoreError {
    pub fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }

    pub fn parquet(path: &Path, error: impl std::fmt::Display) -> Self {
        Self::Parquet { path: path.to_path_buf(), reason: error.to_string() }
    }

    pub(crate) fn damaged(path: &Path, reason: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_path_buf(), reason: reason.into() }
    }

    pub(crate) fn refused(path: &Path, reason: impl Into<String>) -> Self {
        Self::Refused { path: path.to_path_buf(), reason: reason.into() }
    }
}
