//! From a declared dataset to the Arrow schema of its stored rows.

use std::collections::HashMap;

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use prem_spec::{Column, ColumnKind, Dataset};

/// Name of the first column of every stored dataset: the row's number in its source, from 1, the header not counted.
pub const ROW: &str = "_row";
/// Metadata key: which contract a file follows, a dataset's or a table's name.
pub const CONTRACT: &str = "prem.contract";
/// Metadata key: the version of that contract.
pub const CONTRACT_VERSION: &str = "prem.contract_version";

/// How values of a kind are stored. Widths do not follow declared limits, so that moving a limit changes no file.
///
/// Timestamps are in milliseconds because Parquet has no unit of seconds: other programs would see plain integers.
pub fn arrow_type(kind: &ColumnKind) -> DataType {
    match kind {
        ColumnKind::Text { .. } | ColumnKind::CodeList { .. } => DataType::Utf8,
        ColumnKind::Code { .. } if kind.codes_are_integers() => DataType::Int16,
        ColumnKind::Code { .. } => DataType::Utf8,
        ColumnKind::Integer { .. } => DataType::Int64,
        ColumnKind::Number { .. } => DataType::Float64,
        ColumnKind::Date { .. } => DataType::Date32,
        ColumnKind::DateTime { .. } => DataType::Timestamp(TimeUnit::Millisecond, None),
        ColumnKind::Boolean => DataType::Boolean,
    }
}

/// The schema of `dataset`'s stored rows with `columns` (its own and, for responses, one per item): [`ROW`] first, then
/// the columns in declared order; a column may be null unless it is required.
pub fn arrow_schema(dataset: &Dataset, columns: &[Column]) -> Schema {
    let mut fields = vec![Field::new(ROW, DataType::Int64, false)];
    fields.extend(columns.iter().map(|column| Field::new(&column.name, arrow_type(&column.kind), !column.required)));
    let metadata = [(CONTRACT, &dataset.name), (CONTRACT_VERSION, &dataset.version)];
    let metadata: HashMap<String, String> =
        metadata.into_iter().map(|(key, value)| (key.to_owned(), value.clone())).collect();
    Schema::new(fields).with_metadata(metadata)
}
