//! What can go wrong on disk. Messages name files and columns, never a cell.

use std::path::{Path, PathBuf};

use thiserror::Error;

#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    #[error("cannot {action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error("{} is not a readable Parquet file: {reason}", path.display())]
    Parquet { path: PathBuf, reason: String },
    #[error("{table} breaks its contract (version {version}): {reason}")]
    Contract { table: &'static str, version: &'static str, reason: String },
    #[error("the store {} is locked by another run", path.display())]
    Locked { path: PathBuf },
    #[error("{} is damaged: {reason}", path.display())]
    Damaged { path: PathBuf, reason: String },
}

impl StoreError {
    pub fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }

    pub fn parquet(path: &Path, error: impl std::fmt::Display) -> Self {
        Self::Parquet { path: path.to_path_buf(), reason: error.to_string() }
    }
}
