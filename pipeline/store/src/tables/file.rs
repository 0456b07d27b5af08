//! A table as a Parquet file whose metadata says which contract, run and plan it belongs to.

use std::{path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, RecordBatch},
    datatypes::{Field, Schema},
};

use super::Table;
use crate::{
    StoreError,
    parquet_file::{OpenParquet, ParquetFile},
    schema::{CONTRACT, CONTRACT_VERSION},
};

/// What a table's Parquet metadata says of its origin. Empty for tables that no run made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableMeta {
    pub run_id: String,
    pub plan_hash: String,
}

const RUN_ID: &str = "prem.run_id";
const PLAN_HASH: &str = "prem.plan_hash";
/// Rows that are held as values before they become a batch.
const BATCH_ROWS: usize = 8192;

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

/// Writes a table row by row: memory holds one batch of values and one encoded row group, whatever the number of rows.
pub struct TableWriter<T: Table> {
    file: ParquetFile,
    rows: Vec<T>,
}

impl<T: Table> TableWriter<T> {
    /// # Errors
    /// When the file cannot be made.
    pub fn create(path: &Path, meta: &TableMeta) -> Result<Self, StoreError> {
        let pairs = [
            (CONTRACT, T::NAME),
            (CONTRACT_VERSION, T::VERSION),
            (RUN_ID, meta.run_id.as_str()),
            (PLAN_HASH, meta.plan_hash.as_str()),
        ];
        Ok(Self { file: ParquetFile::create(path, Arc::new(schema_of::<T>()), &pairs)?, rows: Vec::new() })
    }

    /// # Errors
    /// When a full batch cannot be written.
    pub fn push(&mut self, row: T) -> Result<(), StoreError> {
        self.rows.push(row);
        if self.rows.len() == BATCH_ROWS { self.write_batch() } else { Ok(()) }
    }

    /// Writes the rest and the footer, and flushes; gives the number of rows.
    ///
    /// # Errors
    /// When the file cannot be completed.
    pub fn finish(mut self) -> Result<u64, StoreError> {
        self.write_batch()?;
        self.file.finish()
    }

    fn write_batch(&mut self) -> Result<(), StoreError> {
        self.file.write(&T::to_batch(&self.rows)?)?;
        self.rows.clear();
        Ok(())
    }
}

/// Writes `rows` to `path`; the caller owns the place and its atomic appearance.
///
/// # Errors
/// When the file cannot be written or the rows break the contract.
pub fn write_table<T: Table>(path: &Path, rows: &[T], meta: &TableMeta) -> Result<(), StoreError> {
    let mut writer = TableWriter::<T>::create(path, meta)?;
    for batch in rows.chunks(BATCH_ROWS) {
        writer.file.write(&T::to_batch(batch)?)?;
    }
    writer.finish().map(|_| ())
}

/// Reads a table back, checking that contract, version, columns and types are as declared.
///
/// # Errors
/// When the file is unreadable or is not this table in this version.
pub fn read_table<T: Table>(path: &Path) -> Result<(Vec<T>, TableMeta), StoreError> {
    let file = OpenParquet::open(path)?;
    let (name, version) = (file.text(CONTRACT), file.text(CONTRACT_VERSION));
    if name != T::NAME || version != T::VERSION {
        return Err(StoreError::Contract {
            table: T::NAME,
            version: T::VERSION,
            reason: format!("{} says it is «{name}» version «{version}»", path.display()),
        });
    }
    let meta = TableMeta { run_id: file.text(RUN_ID).to_owned(), plan_hash: file.text(PLAN_HASH).to_owned() };
    let mut rows = Vec::new();
    for batch in file.batches()? {
        rows.extend(T::from_batch(&batch?)?);
    }
    Ok((rows, meta))
}
