//! Rows that stand and refer to what the other dataset does not have: for whoever asks the sender where it is. They stay kept.

use super::table;

table! {
    /// A row whose reference finds nothing.
    Unmatched, "unmatched", "1.0.0";
    /// Dataset of the row.
    dataset: String,
    /// Export that described its file.
    export: String,
    /// Path of the file in the inbox.
    source_file: String,
    /// Number of the row in the file, from 1, the header and lines without any value not counted.
    row: i64,
    /// Column that refers.
    column: String,
    /// What it refers to: dataset.column.
    reference: String,
    /// The value; null in columns that identify a person.
    value: Option<String>,
}
