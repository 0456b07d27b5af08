//! Input datasets: what a row is, its key, and what each column may hold. A constraint both checks and describes itself.

use jiff::civil::Date;
use serde::Serialize;

use super::{Rule, Text};

/// Columns by which rows are joined and persons are withdrawn from the store, whatever their dataset's key: without them an erasure
/// would pass a row by.
pub const IDENTITY_COLUMNS: [&str; 4] = ["person_id", "contact_id", "invitation_id", "response_id"];

/// An input dataset (`schemas/datasets/*.toml`).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dataset {
    pub name: String,
    /// Version of the contract, written into every Parquet file of the dataset.
    pub version: String,
    pub title: Text,
    /// What one row is.
    pub row: Text,
    /// Columns that together identify a row; never empty.
    pub key: Vec<String>,
    pub columns: Vec<Column>,
    pub rules: Vec<Rule>,
}

impl Dataset {
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// A stored column and what it may hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    pub name: String,
    pub kind: ColumnKind,
    /// A row without a value goes to quarantine as `missing-required`.
    pub required: bool,
    /// A value may stand once in a file: the first row with it is kept, later ones go to quarantine as `not-unique`.
    pub unique: bool,
    /// Where a value must be known. Judged on what stands once every file of a run has been read, never on one file alone: the
    /// other dataset's file may come tomorrow.
    pub references: Option<Reference>,
    /// The raw value is never written to quarantine, a log or an error.
    pub identifying: bool,
    /// Values of eleven digits are pseudonyms here and not judged as national identity numbers.
    pub eleven_digits_are_pseudonyms: bool,
    /// Spreadsheets take zeros away: digits that are fewer than the text's `max_length` get them back before they are checked.
    pub leading_zeros: bool,
    pub description: Text,
}

/// Type and constraint of a column. Units: dates are calendar days; numbers are as the column's description says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ColumnKind {
    /// UTF-8, at most `max_length` characters; `pattern` is a regular expression that matches the whole value.
    Text {
        max_length: usize,
        pattern: Option<String>,
    },
    /// One of `codes`; stored as Int16 where every code is an integer of that size, else as text.
    Code {
        codes: Vec<Code>,
    },
    /// Codes such as ICD-10 or NCSP, any number of them: stored as text, upper case, one space between.
    CodeList {
        pattern: Option<String>,
    },
    /// Int64 within `min..=max`.
    Integer {
        min: i64,
        max: i64,
    },
    /// Finite Float64 within `min..=max`.
    Number {
        min: f64,
        max: f64,
    },
    /// Date32 within `min..=max`.
    Date {
        min: Date,
        max: Date,
    },
    /// Timestamp in seconds without zone (local Norwegian time), its day within `min..=max`.
    DateTime {
        min: Date,
        max: Date,
    },
    Boolean,
}

impl ColumnKind {
    /// Whether values of the two kinds are stored alike, so that they can be compared.
    pub fn is_stored_as(&self, other: &Self) -> bool {
        let text = |kind: &Self| match kind {
            Self::Code { .. } => !kind.codes_are_integers(),
            Self::Text { .. } => true,
            _ => false,
        };
        (text(self) && text(other))
            || (self.codes_are_integers() == other.codes_are_integers()
                && std::mem::discriminant(self) == std::mem::discriminant(other))
    }

    /// Whether a `Code` column is stored as Int16.
    pub fn codes_are_integers(&self) -> bool {
        matches!(self, Self::Code { codes } if codes.iter().all(|code| is_canonical_i16(&code.code)))
    }
}

fn is_canonical_i16(text: &str) -> bool {
    text.parse::<i16>().is_ok_and(|number| number.to_string() == text)
}

/// A code and what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Code {
    pub code: String,
    pub label: Text,
}

/// A column of another dataset (or of the same one) that holds what this column refers to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reference {
    pub dataset: String,
    pub column: String,
}
