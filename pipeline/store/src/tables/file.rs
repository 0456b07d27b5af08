//! A table as a Parquet file whose metadata says which contract, run and plan it belongs to.

use std::{collections::HashMap, fs::File, path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, RecordBatch},
    datatypes::{Field, Schema},
};
use parquet::{
    arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder},
    basic::{Compression, ZstdLevel},
    file::{metadata::KeyValue, properties::WriterProperties},
};

use super::Table;
use crate::StoreError;

/// What a table's Parquet metadata says of its origin.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableMeta {
    pub run_id: String,
    pub plan_hash: String,
}

const CONTRACT: &str = "prem.contract";
const CONTRACT_VERSION: &str = "prem.contract_version";
const RUN_ID: &str = "prem.run_id";
const PLAN_HASH: &str = "prem.plan_hash";

pub(crate) fn broken<T: Table>(column: &str, reason: impl Into<String>) -> StoreError {
    StoreError::Contract { table: T::NAME, version: T::VERSION, reason: format!("column {column} {}", reason.into()) }
}

pub(crate) fn schema_of<T: Table>() -> Schema {
    let fields: Vec<Field> =
        T::columns().into_iter().map(|column| Field::new(column.name, column.data_type, column.nullable)).collect();
    Schema::new(fields)
}

pub(crate) fn batch_of<T: Table>(arrays: Vec<ArrayRef>) -> Result<RecordBatch, StoreError> {
    RecordBatch::try_new(Arc::new(schema_of::<T>()), arrays).map_err(|error| StoreError::Contract {
        table: T::NAME,
        version: T::VERSION,
        reason: error.to_string(),
    })
}

pub(crate) fn column_of<'a, T: Table>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, StoreError> {
    batch.column_by_name(name).ok_or_else(|| broken::<T>(name, "is absent"))
}

/// Writes `rows` to `path`; the caller owns the place and its atomic appearance.
///
/// # Errors
/// When the file cannot be written or the rows break the contract.
pub fn write_table<T: Table>(path: &Path, rows: &[T], meta: &TableMeta) -> Result<(), StoreError> {
    let batch = T::to_batch(rows)?;
    let file = File::create(path).map_err(StoreError::io("create", path))?;
    let key = |key: &str, value: &str| KeyValue { key: key.to_owned(), value: Some(value.to_owned()) };
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(format!("prem {}", env!("CARGO_PKG_VERSION")))
        .set_key_value_metadata(Some(vec![
            key(CONTRACT, T::NAME),
            key(CONTRACT_VERSION, T::VERSION),
            key(RUN_ID, &meta.run_id),
            key(PLAN_HASH, &meta.plan_hash),
        ]))
        .build();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties))
        .map_err(|error| StoreError::parquet(path, error))?;
    writer.write(&batch).map_err(|error| StoreError::parquet(path, error))?;
    let file = writer.into_inner().map_err(|error| StoreError::parquet(path, error))?;
    file.sync_all().map_err(StoreError::io("flush", path))
}

/// Reads a table back, checking that contract, version, columns and types are as declared.
///
/// # Errors
/// When the file is unreadable or is not this table in this version.
pub fn read_table<T: Table>(path: &Path) -> Result<(Vec<T>, TableMeta), StoreError> {
    let file = File::open(path).map_err(StoreError::io("open", path))?;
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| StoreError::parquet(path, error))?;
    let pairs: HashMap<String, String> = builder
        .metadata()
        .file_metadata()
        .key_value_metadata()
        .into_iter()
        .flatten()
        .filter_map(|pair| Some((pair.key.clone(), pair.value.clone()?)))
        .collect();
    let text = |key: &str| pairs.get(key).cloned().unwrap_or_default();
    if text(CONTRACT) != T::NAME || text(CONTRACT_VERSION) != T::VERSION {
        return Err(StoreError::Contract {
            table: T::NAME,
            version: T::VERSION,
            reason: format!("{} says it is «{}» version «{}»", path.display(), text(CONTRACT), text(CONTRACT_VERSION)),
        });
    }
    let mut rows = Vec::new();
    for batch in builder.build().map_err(|error| StoreError::parquet(path, error))? {
        rows.extend(T::from_batch(&batch.map_err(|error| StoreError::parquet(path, error))?)?);
    }
    Ok((rows, TableMeta { run_id: text(RUN_ID), plan_hash: text(PLAN_HASH) }))
}
