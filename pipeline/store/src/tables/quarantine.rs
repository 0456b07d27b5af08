//! Rows that were not taken into a dataset, and why: stored beside the rows of the same delivery.
//!
//! A row may stand here more than once, with one mistake each; it is *counted* once (see [`crate::IngestCounts`]).

use super::{TableWriter, table};

/// Writes a delivery's quarantine; memory does not grow with the number of bad rows.
pub type QuarantineWriter = TableWriter<Quarantine>;

table! {
    /// A row of `quarantine`: one mistake in one source row.
    Quarantine, "quarantine", "1.1.0";
    /// Dataset that the row was meant for.
    dataset: String,
    /// Export that described the file.
    export: String,
    /// Name of the file as it was delivered.
    source_file: String,
    /// Line of the file where the row begins, from 1, the header counted.
    line: i64,
    /// Stored column that is wrong; null where the row as a whole is.
    column: Option<String>,
    /// Reason, for example missing-required or out-of-range; or the id of the rule that is broken.
    reason: String,
    /// The value as delivered; null in columns that identify a person.
    value: Option<String>,
    /// Whose row it is, for an erasure to find it: keyed hashes that say nothing outside the store; null without a key.
    subject: Option<String>,
}
