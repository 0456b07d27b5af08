//! The stored rows of a dataset: a Parquet file that follows the declared contract, checked where it is written and
//! where it is read.

use std::{path::Path, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, Int64Array, RecordBatch, new_null_array},
    datatypes::{Schema, SchemaRef},
};
use prem_spec::{Column, Dataset};

use crate::{
    StoreError,
    parquet_file::{OpenParquet, ParquetFile},
    schema::{CONTRACT, CONTRACT_VERSION, ROW, arrow_schema},
};

/// A broken contract, from the two things that name it.
fn broken(path: &Path, dataset: &Dataset, reason: impl Into<String>) -> StoreError {
    StoreError::Dataset {
        path: path.to_path_buf(),
        dataset: dataset.name.clone(),
        version: dataset.version.clone(),
        reason: reason.into(),
    }
}

/// Writes a dataset's rows in batches.
///
/// Invariants: every batch has exactly the schema of [`arrow_schema`]; row numbers start at 1 or later and rise. The
/// same rows give the same bytes, however they were cut into batches.
pub struct RowsWriter {
    file: ParquetFile,
    dataset: Dataset,
    schema: SchemaRef,
    last_row: i64,
}

impl RowsWriter {
    /// # Errors
    /// When the file cannot be made.
    pub fn create(path: &Path, dataset: &Dataset, columns: &[Column]) -> Result<Self, StoreError> {
        let schema = Arc::new(arrow_schema(dataset, columns));
        let pairs = [(CONTRACT, dataset.name.as_str()), (CONTRACT_VERSION, dataset.version.as_str())];
        let file = ParquetFile::create(path, Arc::clone(&schema), &pairs)?;
        Ok(Self { file, dataset: dataset.clone(), schema, last_row: 0 })
    }

    /// The schema that batches must have.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// # Errors
    /// [`StoreError::Dataset`] when the batch has another schema or its row numbers do not rise.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), StoreError> {
        if batch.schema_ref().fields() != self.schema.fields() {
            let reason = "a batch was built with another schema; build it with the writer's own";
            return Err(broken(self.file.path(), &self.dataset, reason));
        }
        let numbers = batch.column(0).as_any().downcast_ref::<Int64Array>();
        for number in numbers.map(|numbers| numbers.values().iter()).into_iter().flatten() {
            if *number <= self.last_row {
                let reason = format!("{ROW} is {number} after {}: rows must be written in their order", self.last_row);
                return Err(broken(self.file.path(), &self.dataset, reason));
            }
            self.last_row = *number;
        }
        self.file.write(batch)
    }

    /// Writes the footer and flushes; gives the number of rows.
    ///
    /// # Errors
    /// When the file cannot be completed.
    pub fn finish(self) -> Result<u64, StoreError> {
        self.file.finish()
    }
}

/// A file of rows that was found to follow its contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowsFile {
    pub rows: u64,
    /// Optional columns that were declared after the file was written: every row of it lacks them.
    pub absent: Vec<String>,
}

/// Checks a stored file against the declarations of today, from its footer alone.
///
/// It follows them when it belongs to the dataset, its contract version has the same major number, every column has the
/// declared type, and every required column is there without nulls. Columns that are no longer declared are ignored.
///
/// # Errors
/// [`StoreError::Dataset`] where it does not, [`StoreError::Parquet`] where it cannot be read.
pub fn check_rows(path: &Path, dataset: &Dataset, columns: &[Column]) -> Result<RowsFile, StoreError> {
    checked(path, dataset, columns).map(|(_, _, found)| found)
}

/// Reads a stored file in batches of the declared schema; absent optional columns are null.
///
/// # Errors
/// As [`check_rows`]; each batch may fail too.
pub fn read_rows(
    path: &Path,
    dataset: &Dataset,
    columns: &[Column],
) -> Result<impl Iterator<Item = Result<RecordBatch, StoreError>> + use<>, StoreError> {
    let (file, schema, _) = checked(path, dataset, columns)?;
    let (path, dataset) = (path.to_path_buf(), dataset.clone());
    Ok(file.batches()?.map(move |batch| {
        let batch = batch?;
        let columns: Vec<ArrayRef> = schema
            .fields()
            .iter()
            .map(|field| match batch.column_by_name(field.name()) {
                Some(column) => Arc::clone(column),
                None => new_null_array(field.data_type(), batch.num_rows()),
            })
            .collect();
        RecordBatch::try_new(Arc::clone(&schema), columns).map_err(|error| broken(&path, &dataset, error.to_string()))
    }))
}

fn checked(
    path: &Path,
    dataset: &Dataset,
    columns: &[Column],
) -> Result<(OpenParquet, SchemaRef, RowsFile), StoreError> {
    let file = OpenParquet::open(path)?;
    let (name, version) = (file.text(CONTRACT), file.text(CONTRACT_VERSION));
    if name != dataset.name || major(version) != major(&dataset.version) {
        return Err(broken(path, dataset, format!("the file says it is «{name}» version «{version}»")));
    }
    let expected = arrow_schema(dataset, columns);
    let absent = compare(&expected, file.schema()).map_err(|reason| broken(path, dataset, reason))?;
    let found = RowsFile { rows: file.rows, absent };
    Ok((file, Arc::new(expected), found))
}

/// The optional columns that `found` lacks, or everything in which it is not as `expected`.
fn compare(expected: &Schema, found: &Schema) -> Result<Vec<String>, String> {
    let (mut absent, mut wrong) = (Vec::new(), Vec::new());
    for field in expected.fields() {
        match found.field_with_name(field.name()) {
            Ok(there) if there.data_type() != field.data_type() => {
                wrong.push(format!("column {} is {}, not {}", field.name(), there.data_type(), field.data_type()));
            }
            Ok(there) if there.is_nullable() && !field.is_nullable() => {
                wrong.push(format!("column {} may be empty, but is required", field.name()));
            }
            Ok(_) => {}
            Err(_) if field.is_nullable() => absent.push(field.name().clone()),
            Err(_) => wrong.push(format!("column {} is absent, but is required", field.name())),
        }
    }
    if wrong.is_empty() { Ok(absent) } else { Err(wrong.join("; ")) }
}

/// `1` of `1.4.2`: contracts with the same major number can be read as one another.
fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or(version)
}
