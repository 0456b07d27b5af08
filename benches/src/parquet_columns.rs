//! The matrix as a Parquet file, written and read in pieces.

use crate::matrix::{ADJUSTERS, Rows, rows};
use arrow::array::{ArrayRef, AsArray, Float64Array, RecordBatch, UInt32Array};
use arrow::datatypes::{DataType, Field, Float64Type, Schema, UInt32Type};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// Rows that are written, and read, at a time.
pub const ROWS_AT_ONCE: usize = 1 << 20;

fn schema() -> Arc<Schema> {
    let mut fields = vec![Field::new("unit", DataType::UInt32, false), Field::new("score", DataType::Float64, false)];
    fields.extend((0..ADJUSTERS).map(|k| Field::new(format!("x{k}"), DataType::Float64, false)));
    Arc::new(Schema::new(fields))
}

/// Writes `n` rows in `units` units; never holds more than [`ROWS_AT_ONCE`] of them.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, n: usize, units: usize) -> Result<(), Box<dyn Error>> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(parquet::basic::ZstdLevel::try_new(1)?))
        .set_max_row_group_row_count(Some(ROWS_AT_ONCE))
        .build();
    let mut writer = ArrowWriter::try_new(File::create(path)?, schema(), Some(properties))?;
    for from in (0..n).step_by(ROWS_AT_ONCE) {
        let Rows { units, y, x } = rows(from, (from + ROWS_AT_ONCE).min(n), n, units);
        let mut columns: Vec<ArrayRef> = vec![Arc::new(UInt32Array::from(units)), Arc::new(Float64Array::from(y))];
        columns.extend(x.into_iter().map(|column| Arc::new(Float64Array::from(column)) as ArrayRef));
        writer.write(&RecordBatch::try_new(schema(), columns)?)?;
    }
    writer.close()?;
    Ok(())
}

/// Calls `each` with (units, score, adjusters) of every piece of the file, in order.
///
/// # Errors
/// When the file cannot be read, or `each` fails.
pub fn read(
    path: &Path,
    mut each: impl FnMut(&[u32], &[f64], &[&[f64]]) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?.with_batch_size(ROWS_AT_ONCE).build()?;
    for batch in reader {
        let batch = batch?;
        let numbers = |k: usize| &batch.column(k).as_primitive::<Float64Type>().values()[..];
        let x: Vec<&[f64]> = (0..ADJUSTERS).map(|k| numbers(k + 2)).collect();
        each(batch.column(0).as_primitive::<UInt32Type>().values(), numbers(1), &x)?;
    }
    Ok(())
}
