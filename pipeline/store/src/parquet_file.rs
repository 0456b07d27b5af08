//! Writing and opening Parquet, the same way for rows of datasets and for tables.
//!
//! The bytes depend on the schema, the metadata pairs and the rows alone: no clock, no library version, no thread. Columns are encoded
//! side by side, each by itself.
//! The Parquet library may panic where a file's bytes were changed; here that is an error like any other damage.

use std::{
    collections::HashMap,
    fs::File,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use arrow::{array::RecordBatch, compute::concat_batches, datatypes::SchemaRef};
use parquet::{
    arrow::{
        ARROW_SCHEMA_META_KEY, ArrowWriter, ProjectionMask,
        arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder},
        arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves},
    },
    basic::{Compression, Encoding, ZstdLevel},
    errors::ParquetError,
    file::{metadata::KeyValue, properties::WriterProperties, writer::SerializedFileWriter},
    schema::types::ColumnPath,
};
use rayon::prelude::*;

use crate::{ROW, StoreError};

/// Rows in a row group: what is held in memory, encoded, while writing, and the unit that readers skip by statistics.
const ROW_GROUP_ROWS_MAX: usize = 1 << 18;
/// Rows that reach the encoder at a time. Pages end where its calls do, so they are cut here and not by the caller;
/// divides [`ROW_GROUP_ROWS_MAX`].
const BLOCK_ROWS: usize = 1 << 13;

/// A Parquet file that is being written, in batches of any size.
pub(crate) struct ParquetFile {
    path: PathBuf,
    schema: SchemaRef,
    writer: SerializedFileWriter<File>,
    factory: ArrowRowGroupWriterFactory,
    /// Of the row group that is being written; none between two.
    columns: Vec<ArrowColumnWriter>,
    group_rows: usize,
    /// Batches that do not fill a block yet.
    waiting: Vec<RecordBatch>,
    waiting_rows: usize,
    rows: u64,
}

impl ParquetFile {
    /// Pairs with an empty value are left out.
    pub(crate) fn create(path: &Path, schema: SchemaRef, pairs: &[(&str, &str)]) -> Result<Self, StoreError> {
        let pairs = pairs
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| KeyValue { key: (*key).to_owned(), value: Some((*value).to_owned()) })
            .collect();
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS_MAX))
            // Row numbers rise: their differences take next to no place.
            .set_column_dictionary_enabled(ColumnPath::from(ROW), false)
            .set_column_encoding(ColumnPath::from(ROW), Encoding::DELTA_BINARY_PACKED)
            .set_created_by(format!("prem {}", env!("CARGO_PKG_VERSION")))
            .set_key_value_metadata(Some(pairs))
            .build();
        let file = File::create(path).map_err(StoreError::io("create", path))?;
        let (writer, factory) = ArrowWriter::try_new(file, SchemaRef::clone(&schema), Some(properties))
            .and_then(ArrowWriter::into_serialized_writer)
            .map_err(|error| write_error(path, error))?;
        let (columns, waiting) = (Vec::new(), Vec::new());
        let path = path.to_path_buf();
        Ok(Self { path, schema, writer, factory, columns, group_rows: 0, waiting, waiting_rows: 0, rows: 0 })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), StoreError> {
        self.rows += batch.num_rows() as u64;
        let mut start = 0;
        while start < batch.num_rows() {
            let taken = (batch.num_rows() - start).min(BLOCK_ROWS - self.waiting_rows);
            self.waiting.push(batch.slice(start, taken));
            self.waiting_rows += taken;
            start += taken;
            if self.waiting_rows == BLOCK_ROWS {
                self.write_block()?;
            }
        }
        Ok(())
    }

    fn write_block(&mut self) -> Result<(), StoreError> {
        let block =
            concat_batches(&self.schema, &self.waiting).map_err(|error| StoreError::parquet(&self.path, error))?;
        self.waiting.clear();
        self.waiting_rows = 0;
        self.encode(&block).map_err(|error| write_error(&self.path, error))
    }

    fn encode(&mut self, block: &RecordBatch) -> Result<(), ParquetError> {
        if block.num_rows() == 0 {
            return Ok(());
        }
        if self.columns.is_empty() {
            self.columns = self.factory.create_column_writers(self.writer.flushed_row_groups().len())?;
        }
        let mut leaves = Vec::with_capacity(self.columns.len());
        for (field, values) in self.schema.fields().iter().zip(block.columns()) {
            leaves.extend(compute_leaves(field, values)?);
        }
        self.columns.par_iter_mut().zip(leaves).try_for_each(|(column, leaf)| column.write(&leaf))?;
        self.group_rows += block.num_rows();
        if self.group_rows >= ROW_GROUP_ROWS_MAX { self.end_group() } else { Ok(()) }
    }

    fn end_group(&mut self) -> Result<(), ParquetError> {
        if self.columns.is_empty() {
            return Ok(());
        }
        self.group_rows = 0;
        let columns = std::mem::take(&mut self.columns);
        let chunks: Vec<ArrowColumnChunk> =
            columns.into_par_iter().map(ArrowColumnWriter::close).collect::<Result<_, _>>()?;
        let mut group = self.writer.next_row_group()?;
        for chunk in chunks {
            chunk.append_to_row_group(&mut group)?;
        }
        group.close().map(|_| ())
    }

    /// Writes the footer and flushes; gives the number of rows.
    pub(crate) fn finish(mut self) -> Result<u64, StoreError> {
        self.write_block()?;
        self.end_group().map_err(|error| write_error(&self.path, error))?;
        let Self { path, mut writer, rows, .. } = self;
        // Not `into_inner`, which makes a text of what the operating system said.
        writer.finish().map_err(|error| write_error(&path, error))?;
        writer.inner().sync_all().map_err(StoreError::io("flush", &path))?;
        Ok(rows)
    }
}

/// A full disk is no damaged file: what the operating system said is kept.
fn write_error(path: &Path, error: ParquetError) -> StoreError {
    match error {
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(source) => StoreError::io("write", path)(*source),
            Err(other) => StoreError::parquet(path, other),
        },
        other => StoreError::parquet(path, other),
    }
}

/// A Parquet file whose footer has been read.
pub(crate) struct OpenParquet {
    path: PathBuf,
    builder: ParquetRecordBatchReaderBuilder<File>,
    pairs: HashMap<String, String>,
    pub(crate) rows: u64,
}

impl OpenParquet {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let file = File::open(path).map_err(StoreError::io("open", path))?;
        let builder = contained(path, || {
            ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| StoreError::parquet(path, error))
        })?;
        let footer = builder.metadata().file_metadata();
        let rows = u64::try_from(footer.num_rows())
            .map_err(|_| StoreError::parquet(path, "its footer counts a negative number of rows"))?;
        let pairs = footer
            .key_value_metadata()
            .into_iter()
            .flatten()
            .filter_map(|pair| Some((pair.key.clone(), pair.value.clone()?)))
            .collect();
        Ok(Self { path: path.to_path_buf(), builder, pairs, rows })
    }

    /// The value of a metadata pair; empty where there is none.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.pairs.get(key).map_or("", String::as_str)
    }

    /// All metadata pairs but the schema that the Arrow writer adds by itself, in the order of keys.
    pub(crate) fn pairs(&self) -> Vec<(&str, &str)> {
        let own = self.pairs.iter().filter(|(key, _)| key.as_str() != ARROW_SCHEMA_META_KEY);
        let mut pairs: Vec<(&str, &str)> = own.map(|(key, value)| (key.as_str(), value.as_str())).collect();
        pairs.sort_unstable();
        pairs
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        self.builder.schema()
    }

    /// Batches of the named columns alone, in the file's order; names that the file does not have are left out.
    pub(crate) fn batches_of(mut self, names: &[&str]) -> Result<Batches, StoreError> {
        let places: Vec<usize> = names.iter().filter_map(|name| self.schema().index_of(name).ok()).collect();
        let mask = ProjectionMask::roots(self.builder.parquet_schema(), places);
        self.builder = self.builder.with_projection(mask);
        self.batches()
    }

    pub(crate) fn batches(self) -> Result<Batches, StoreError> {
        let Self { path, builder, .. } = self;
        let reader =
            contained(&path, || builder.build().map_err(|error| StoreError::parquet(&path, error))).map(Some)?;
        Ok(Batches { path, reader })
    }
}

/// The batches of a file, up to the end or the first that cannot be read.
pub(crate) struct Batches {
    path: PathBuf,
    reader: Option<ParquetRecordBatchReader>,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut reader = self.reader.take()?;
        let batch =
            contained(&self.path, || reader.next().transpose().map_err(|error| StoreError::parquet(&self.path, error)));
        if let Ok(Some(_)) = batch {
            self.reader = Some(reader);
        }
        batch.transpose()
    }
}

/// Runs something of the Parquet library. What it leaves half done after a panic is dropped, never used again.
fn contained<R>(path: &Path, work: impl FnOnce() -> Result<R, StoreError>) -> Result<R, StoreError> {
    let undecodable = |_| Err(StoreError::parquet(path, "its content cannot be decoded"));
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(undecodable)
}
