//! What can go wrong with a file. A refusal concerns the whole file: nothing of it is stored. Messages name files, columns
//! and counts, say what to do, and never quote a cell.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use prem_store::{BadRow, IngestCounts};
use thiserror::Error;

#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IngestError {
    /// The file is not taken, and nothing of it is stored.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// The file cannot be opened or read.
    #[error("cannot {action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
    /// The declarations do not fit together.
    #[error("export {export}: {reason}")]
    Declaration { export: String, reason: String },
    /// The store could not take the rows.
    #[error(transparent)]
    Store(Box<prem_store::StoreError>),
}

impl IngestError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }

    /// The refusal, where it is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}

impl From<Refusal> for IngestError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<prem_store::StoreError> for IngestError {
    fn from(error: prem_store::StoreError) -> Self {
        Self::Store(Box::new(error))
    }
}

/// A file that is not taken.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{file} ({export}) is refused: {cause}")]
pub struct Refusal {
    /// File name without its folder, and without identity numbers.
    pub file: String,
    pub export: String,
    pub cause: RefusalCause,
    /// As far as the file was read.
    pub counts: IngestCounts,
    /// The first bad rows, as far as the file was read.
    pub first: Vec<BadRow>,
}

/// Why a file is not taken, and what to do.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum RefusalCause {
    #[error("it is {what}, not a file; deliver the file itself")]
    NotAFile { what: &'static str },
    #[error("it is empty, without even a header line; ask the sender for a new export")]
    Empty,
    #[error("it changed while it was read; deliver it under a temporary name and rename it when it is complete")]
    Changed,
    #[error("its {format} compression is damaged or cut short; ask the sender to send it again")]
    BrokenCompression { format: &'static str },
    #[error(
        "its {format} compression unfolds more than {ratio} times or past {bytes_max} bytes; \
         deliver it uncompressed if that is right"
    )]
    Bomb { format: &'static str, ratio: u64, bytes_max: u64 },
    #[error("it is {what}, not delimited text; export it as CSV")]
    NotDelimitedText { what: &'static str },
    #[error("it is {what}, not lines of FHIR resources; export it as NDJSON, one resource a line")]
    NotResources { what: &'static str },
    #[error("it cannot be read as {format}: {reason}; ask the sender to export it again")]
    Unreadable { format: &'static str, reason: String },
    #[error("it holds more than is read of {format}: {what} past {max}; deliver it as text, or in parts")]
    TooLarge { format: &'static str, what: &'static str, max: u64 },
    #[error("it has no sheet {wanted}, but: {}; correct `sheet` in the export's `[format]`", found.join(", "))]
    NoSuchSheet { wanted: String, found: Vec<String> },
    #[error("columns have types that cannot be read: {}; ask the sender for text, numbers or dates", columns.join(", "))]
    WrongColumnTypes { columns: Vec<String> },
    #[error("its {what} cannot be detected; declare it in the export's `[format]`")]
    Undetected { what: &'static str },
    #[error(
        "{cells} of its formulas have no result, the first in row {row}, column {column}; open it in a spreadsheet program, save it, \
         and deliver that"
    )]
    FormulasWithoutResult { cells: u64, row: u32, column: String },
    #[error(
        "all that it has beyond ASCII is written in UTF-8, but the export declares another encoding; correct `encoding`"
    )]
    LooksLikeUtf8,
    #[error(
        "it begins with the byte order mark of UTF-8, but the export declares another encoding; correct `encoding`"
    )]
    UnexpectedByteOrderMark,
    #[error(
        "a line or quoted value at line {line} is longer than {bytes_max} bytes; check separator, quote and line ends"
    )]
    LineTooLong { line: u64, bytes_max: usize },
    #[error("its header line cannot be read: {reason}; check `encoding`, `separator` and `quote`")]
    UnreadableHeader { reason: &'static str },
    #[error("its header has more than {columns_max} columns; check `separator`")]
    TooManyColumns { columns_max: usize },
    #[error("its header names columns twice: {}; rename or remove one of each", names.join(", "))]
    DuplicateHeaders { names: Vec<String> },
    #[error(
        "its header lacks {}; the file has: {}. Name the right headers under `[columns]`, \
         or say `absent = true` for what the source does not have",
        missing.join(", "), found.join(", ")
    )]
    MissingHeaders { missing: Vec<String>, found: Vec<String> },
    #[error("it has columns that the export does not know: {}; declare `extra_columns = \"ignore\"` or remove them", names.join(", "))]
    ExtraHeaders { names: Vec<String> },
    #[error(
        "{quarantined} of {rows_in} rows are bad, more than the accepted share of {share_max} ({}). The first: {}. Look at these \
         lines and see what the sender changed", reasons.join(", "), first.join("; ")
    )]
    TooManyBadRows { quarantined: u64, rows_in: u64, share_max: f64, reasons: Vec<String>, first: Vec<String> },
    #[error(
        "it keeps {kept} rows{}{rows_before}, less than the share of {share_min} that `min_rows_share` demands, and rows that it \
         leaves out are gone. Ask the sender for the whole export; where so many are gone indeed, run once with `--accept-fewer`",
        month.map_or_else(
            || " where the snapshot before it kept ".to_owned(),
            |month| format!(" of {} where the delivery before it kept ", month.strftime("%Y-%m")),
        )
    )]
    TooFewRows { month: Option<Date>, kept: u64, rows_before: u64, share_min: f64 },
    #[error(
        "its name says no period such as 2025-03 or 2025-T2 where the export's `file_name = {pattern:?}` looks for one"
    )]
    NoPeriodInName { pattern: String },
    #[error("no row has a value in column {column}, which says which of two deliveries is the later one")]
    NoSequence { column: String },
    #[error(
        "{} as if they were national identity numbers; these are never stored. Ask the sender for pseudonyms, or declare \
         `eleven_digits_are_pseudonyms` where they are", columns.join(", ")
    )]
    IdentityNumbers { columns: Vec<String> },
    #[error("its name has what looks like a national identity number, which is never stored; rename it")]
    IdentityNumberInName,
    #[error("{} as if they were e-mail addresses or telephone numbers; these are never stored. Ask the sender to leave them out", columns.join(", "))]
    ContactDetails { columns: Vec<String> },
}

impl RefusalCause {
    /// A stable word for manifests and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAFile { .. } => "not-a-file",
            Self::Empty => "empty",
            Self::Changed => "changed",
            Self::BrokenCompression { .. } => "broken-compression",
            Self::Bomb { .. } => "bomb",
            Self::NotDelimitedText { .. } => "not-delimited-text",
            Self::NotResources { .. } => "not-resources",
            Self::Unreadable { .. } => "unreadable",
            Self::TooLarge { .. } => "too-large",
            Self::NoSuchSheet { .. } => "no-such-sheet",
            Self::WrongColumnTypes { .. } => "wrong-column-types",
            Self::Undetected { .. } => "undetected",
            Self::FormulasWithoutResult { .. } => "formulas-without-result",
            Self::LooksLikeUtf8 => "looks-like-utf-8",
            Self::UnexpectedByteOrderMark => "unexpected-byte-order-mark",
            Self::LineTooLong { .. } => "line-too-long",
            Self::UnreadableHeader { .. } => "unreadable-header",
            Self::TooManyColumns { .. } => "too-many-columns",
            Self::DuplicateHeaders { .. } => "duplicate-headers",
            Self::MissingHeaders { .. } => "missing-headers",
            Self::ExtraHeaders { .. } => "extra-headers",
            Self::TooManyBadRows { .. } => "too-many-bad-rows",
            Self::TooFewRows { .. } => "too-few-rows",
            Self::NoPeriodInName { .. } => "no-period-in-name",
            Self::NoSequence { .. } => "no-sequence",
            Self::IdentityNumbers { .. } => "identity-numbers",
            Self::IdentityNumberInName => "identity-number-in-name",
            Self::ContactDetails { .. } => "contact-details",
        }
    }
}
