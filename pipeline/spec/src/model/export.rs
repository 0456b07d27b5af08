//! Exports: how one source's files map to a dataset.

use std::collections::BTreeMap;

use serde::Serialize;

/// A source's files and how they become rows of a dataset (`schemas/exports/*.toml`).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Export {
    pub name: String,
    pub dataset: String,
    /// Which source's unit codes the file uses (`[unit.codes]` of the organisation).
    pub source: String,
    /// Glob patterns relative to the inbox, `/` between folders.
    pub files: Vec<String>,
    pub format: FileFormat,
    pub mode: DeliveryMode,
    pub sequence: Sequence,
    /// For `responses`: whose items the file has.
    pub questionnaire: Option<String>,
    /// A file with a larger share of quarantined rows than this is refused whole.
    pub max_bad_share: f64,
    pub extra_columns: ExtraColumns,
    /// Values that mean «missing» in any column, compared after trimming.
    pub missing: Vec<String>,
    /// strftime-like formats tried in order, for example `%Y-%m-%d` or `%d.%m.%Y`.
    pub date_formats: Vec<String>,
    /// Stored column → where its value comes from. Columns without an entry are read from a header of their own name.
    pub columns: BTreeMap<String, SourceColumn>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum FileFormat {
    /// Delimited text, one header line; gzip or zstd around it is seen from the file's first bytes.
    Delimited { separator: char, quote: char, encoding: Encoding, decimal: char },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// With or without a byte order mark.
    Utf8,
    Windows1252,
    Iso8859_1,
}

/// What a delivery means for the rows delivered before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryMode {
    /// Rows with a known key replace the earlier row; others are new.
    Upsert,
    /// The file holds the whole dataset: rows absent from it are gone.
    Snapshot,
}

/// What decides which of two deliveries is the later one. Ties are broken by content hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sequence {
    FileName,
    Arrival,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExtraColumns {
    Ignore,
    Refuse,
}

/// Where a stored column's value comes from in a source.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SourceColumn {
    pub value: SourceValue,
    /// Values that mean «missing» in this column besides the export's own.
    pub missing: Vec<String>,
    /// Source value → stored value, before checking; a value without an entry is kept as it is.
    pub recode: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceValue {
    /// Header names, the first that the file has.
    Header(Vec<String>),
    /// The same value for every row.
    Constant(String),
    /// The source has no such column; every row is missing it.
    Absent,
}
