//! What can go wrong when a release is written.

use std::path::{Path, PathBuf};

use prem_protect::StoreError;
use thiserror::Error;

#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportError {
    #[error("cannot {action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error("cannot make the workbook {}: {reason}", path.display())]
    Workbook { path: PathBuf, reason: String },
    #[error("cannot make the page {}: {reason}", path.display())]
    Page { path: PathBuf, reason: String },
    #[error("the texts for «{language}» are not readable: {reason}")]
    Texts { language: &'static str, reason: String },
    #[error("the id «{id}» cannot be the name of a folder: a-z, 0-9 and - only")]
    FolderName { id: String },
    #[error(transparent)]
    Table(#[from] StoreError),
}

impl ReportError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }

    pub(crate) fn workbook(path: &Path) -> impl FnOnce(rust_xlsxwriter::XlsxError) -> Self {
        let path = path.to_path_buf();
        move |error| Self::Workbook { path, reason: error.to_string() }
    }
}
