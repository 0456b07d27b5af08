//! Why a table cannot be protected, or is not what it says it is.

use std::path::PathBuf;

use prem_store::StoreError;
use thiserror::Error;

use crate::Recoverable;

#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProtectError {
    #[error("the {table} table names indicator «{indicator}», which the plan does not declare")]
    UnknownIndicator { table: &'static str, indicator: String },
    #[error("the estimates of {indicator} hold «{text}», which is not a {what}")]
    NotUnderstood { indicator: String, what: &'static str, text: String },
    #[error("protecting {indicator} needs larger numbers than exact arithmetic holds here")]
    Arithmetic { indicator: String },
    /// The proof failed: nothing may be released.
    #[error(
        "{} withheld cells can be worked out from what would be published; the first is {}",
        cells.len(),
        cells.first().map(ToString::to_string).unwrap_or_default()
    )]
    Recoverable { cells: Vec<Recoverable> },
    #[error("{} is not the protected set that was written: {reason}", path.display())]
    NotAuthentic { path: PathBuf, reason: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}
