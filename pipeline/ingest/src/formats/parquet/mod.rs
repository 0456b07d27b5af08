//! Parquet files with flat columns, read by the types that Parquet itself knows: what pandas, R or another writer noted beside
//! them is not asked.
//!
//! | type | text |
//! |---|---|
//! | integers, floats, decimals | the number; NaN is missing |
//! | texts | as they are |
//! | booleans | `true`, `false` |
//! | dates | ISO 8601 |
//! | times with a date | ISO 8601 to the second; of instants (with a time zone) the Norwegian local time |
//!
//! Another type refuses the file where a stored column reads it. A line number is the row's.
//!
//! Pages may unfold to anything, so [`survey`] looks at their headers first and refuses what would not fit in memory.

mod pages;
mod survey;

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    datatypes::{
        DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
        Schema, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, UInt8Type,
        UInt16Type, UInt32Type, UInt64Type,
    },
};
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{
            ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
        },
    },
    basic::Compression,
    file::metadata::{ParquetMetaData, RowGroupMetaData},
};

use super::{Batch, Opened, Records, moment, number::write_number};
use crate::{
    error::RefusalCause,
    header::{Header, show},
    layout::Declared,
    limits::{CHUNK_CELLS, Limits},
    note::Note,
    reason::Reason,
    records::{Table, TableBuilder},
    source::{SeekableFile, SourceFault, Unpacked},
};

const FORMAT: &str = "a Parquet file";

struct RowGroups {
    sha256: String,
    bytes: u64,
    batches: ParquetRecordBatchReader,
    rows: u64,
    /// Rows that the footer says there are.
    announced: u64,
    decimal: char,
    notes: Vec<Note>,
    /// After the reader of it, so that it goes last.
    _unpacked: Option<Unpacked>,
}

pub(super) fn open(file: SeekableFile, declared: &Declared<'_>, limits: Limits) -> Result<Opened, SourceFault> {
    guarded(|| open_file(file, declared, limits))?
}

/// A defence in depth: what the library asserts of a file must not end the night.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, SourceFault> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| unreadable("it contradicts itself").into())
}

fn open_file(file: SeekableFile, declared: &Declared<'_>, limits: Limits) -> Result<Opened, SourceFault> {
    let notes = file.notes();
    let SeekableFile { file, sha256, bytes, content_bytes, unpacked, .. } = file;
    let damaged = |_| SourceFault::from(unreadable("its footer is damaged or missing"));
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let found = ArrowReaderMetadata::load(&file, options.clone()).map_err(damaged)?;
    check_compression(found.metadata())?;
    let announced = check_rows(found.metadata(), survey::rows_max(content_bytes, limits))?;
    let schema = found.schema();
    // Every writer's columns by name; those that are nested count as one.
    let header = Header::of(schema.fields().iter().map(|field| field.name().clone()), 0)?;
    check_types(schema, &header, declared)?;
    let readable: Vec<usize> =
        (0..schema.fields().len()).filter(|field| is_readable(schema.field(*field).data_type())).collect();
    // A view shares the bytes of a text that is repeated: a small file cannot unfold to gigabytes of text.
    let views: Vec<_> = schema
        .fields()
        .iter()
        .map(|field| match field.data_type() {
            DataType::Utf8 => Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View)),
            _ => Arc::clone(field),
        })
        .collect();
    let options = options.with_schema(Arc::new(Schema::new(views)));
    let found = ArrowReaderMetadata::try_new(Arc::clone(found.metadata()), options).map_err(damaged)?;
    let mask = ProjectionMask::roots(found.parquet_schema(), readable.iter().copied());
    let batch_rows = (CHUNK_CELLS / readable.len().max(1)).max(1);
    let tree = found.parquet_schema();
    let is_read = |leaf| readable.contains(&tree.get_column_root_idx(leaf));
    survey::look_through(&file, found.metadata(), batch_rows, is_read)?;
    let header = Header { names: readable.iter().map(|field| header.names[*field].clone()).collect(), ..header };
    let batches = ParquetRecordBatchReaderBuilder::new_with_metadata(file, found)
        .with_projection(mask)
        .with_batch_size(batch_rows)
        .build()
        .map_err(damaged)?;
    let decimal = char::from(declared.decimal);
    Ok(Opened::new(
        header,
        RowGroups { sha256, bytes, notes, batches, rows: 0, announced, decimal, _unpacked: unpacked },
    ))
}

fn unreadable(reason: impl Into<String>) -> RefusalCause {
    RefusalCause::Unreadable { format: FORMAT, reason: reason.into() }
}

/// The name of a compression that is not read. The old framing of lz4 does not bound what it unfolds to.
fn unknown(compression: Compression) -> Option<&'static str> {
    match compression {
        Compression::UNCOMPRESSED
        | Compression::SNAPPY
        | Compression::GZIP(_)
        | Compression::LZ4_RAW
        | Compression::ZSTD(_) => None,
        Compression::LZ4 => Some("lz4 in its old framing"),
        Compression::BROTLI(_) => Some("brotli"),
        _ => Some("lzo"),
    }
}

fn check_compression(metadata: &ParquetMetaData) -> Result<(), RefusalCause> {
    let mut columns = metadata.row_groups().iter().flat_map(RowGroupMetaData::columns);
    match columns.find_map(|column| unknown(column.compression())) {
        None => Ok(()),
        Some(name) => Err(unreadable(format!("its compression is {name}, none of snappy, gzip, lz4, zstd and none"))),
    }
}

/// The rows that the footer announces: not without end, and everywhere as many.
fn check_rows(metadata: &ParquetMetaData, max: u64) -> Result<u64, RefusalCause> {
    let count = |rows: i64| u64::try_from(rows).map_err(|_| contradictory());
    let sum =
        metadata.row_groups().iter().try_fold(0_u64, |sum, group| Ok(sum.saturating_add(count(group.num_rows())?)));
    match sum? {
        rows if rows > max => Err(RefusalCause::TooLarge { format: FORMAT, what: "rows", max }),
        rows if rows != count(metadata.file_metadata().num_rows())? => Err(contradictory()),
        rows => Ok(rows),
    }
}

fn contradictory() -> RefusalCause {
    unreadable("its footer contradicts itself")
}

/// Refuses columns that are to be stored and have types that cannot be.
fn check_types(schema: &Schema, header: &Header, declared: &Declared<'_>) -> Result<(), RefusalCause> {
    let sought: Vec<String> = declared.columns.iter().flat_map(|column| declared.sought(column)).collect();
    let wrong: Vec<String> = (0..schema.fields().len())
        .filter(|field| !is_readable(schema.field(*field).data_type()))
        .filter(|field| sought.iter().any(|name| header.position(name) == Some(*field)))
        .map(|field| format!("{} is {}", show(&header.names[field]), kind(schema.field(field).data_type())))
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(RefusalCause::WrongColumnTypes { columns: wrong }) }
}

/// A type in words: its own text could name fields that look like values.
fn kind(kind: &DataType) -> &'static str {
    match kind {
        DataType::Binary | DataType::LargeBinary | DataType::FixedSizeBinary(_) => "bytes that are not marked as text",
        DataType::Time32(_) | DataType::Time64(_) => "a time without a date",
        kind if kind.is_nested() => "nested",
        _ => "of another type",
    }
}

fn is_readable(kind: &DataType) -> bool {
    kind.is_integer()
        || matches!(
            kind,
            DataType::Null
                | DataType::Boolean
                | DataType::Float32
                | DataType::Float64
                | DataType::Decimal128(..)
                | DataType::Utf8
                | DataType::Utf8View
                | DataType::Date32
                | DataType::Timestamp(..)
        )
}

impl Records for RowGroups {
    fn next(&mut self) -> Result<Option<Batch>, SourceFault> {
        match guarded(|| self.batches.next())? {
            None if self.rows == self.announced => Ok(None),
            Some(Ok(batch)) if self.rows + batch.num_rows() as u64 <= self.announced => {
                self.rows += batch.num_rows() as u64;
                Ok(Some(Batch::Arrow { batch, decimal: self.decimal }))
            }
            None | Some(Ok(_)) => Err(unreadable("it has more or fewer rows than its footer says").into()),
            Some(Err(_)) => Err(unreadable("its content is damaged").into()),
        }
    }

    fn notes(&self) -> Vec<Note> {
        self.notes.clone()
    }

    fn finish(self: Box<Self>) -> io::Result<(String, u64)> {
        Ok((self.sha256, self.bytes))
    }
}

/// Rows as text cells.
pub(super) fn table(batch: &RecordBatch, decimal: char, width: usize) -> Table {
    let mut table = TableBuilder::new(width);
    let columns: Vec<Column<'_>> = batch.columns().iter().map(Column::new).collect();
    for row in 0..batch.num_rows() {
        for column in &columns {
            column.cell(row, decimal, &mut table);
        }
        table.end_row();
    }
    table.finish()
}

/// A column whose type was looked up once and not for every cell.
struct Column<'a> {
    array: &'a ArrayRef,
    values: Values<'a>,
}

enum Values<'a> {
    None,
    Texts(&'a arrow::array::StringViewArray),
    Truths(&'a arrow::array::BooleanArray),
    Integers(Box<dyn Fn(usize) -> i128 + 'a>),
    Floats(&'a [f64]),
    /// Written by themselves: as 64-bit floats they would show digits that nobody wrote.
    ShortFloats(&'a [f32]),
    Decimals(&'a arrow::array::Decimal128Array),
    Days(&'a [i32]),
    /// Local seconds.
    Moments(Box<dyn Fn(usize) -> i64 + 'a>),
}

impl<'a> Column<'a> {
    fn new(array: &'a ArrayRef) -> Self {
        macro_rules! integers {
            ($kind:ty) => {{
                let values = array.as_primitive_opt::<$kind>().map(|array| array.values());
                values.map(|values| Values::Integers(Box::new(|row| i128::from(values[row]))))
            }};
        }
        let values = match array.data_type() {
            DataType::Utf8View => array.as_string_view_opt().map(Values::Texts),
            DataType::Boolean => array.as_boolean_opt().map(Values::Truths),
            DataType::Int8 => integers!(Int8Type),
            DataType::Int16 => integers!(Int16Type),
            DataType::Int32 => integers!(Int32Type),
            DataType::Int64 => integers!(Int64Type),
            DataType::UInt8 => integers!(UInt8Type),
            DataType::UInt16 => integers!(UInt16Type),
            DataType::UInt32 => integers!(UInt32Type),
            DataType::UInt64 => integers!(UInt64Type),
            DataType::Float32 => {
                array.as_primitive_opt::<Float32Type>().map(|array| Values::ShortFloats(array.values()))
            }
            DataType::Float64 => array.as_primitive_opt::<Float64Type>().map(|array| Values::Floats(array.values())),
            DataType::Decimal128(..) => array.as_primitive_opt::<Decimal128Type>().map(Values::Decimals),
            DataType::Date32 => array.as_primitive_opt::<Date32Type>().map(|array| Values::Days(array.values())),
            DataType::Timestamp(unit, zone) => moments(array, *unit, zone.is_some()),
            _ => None,
        };
        Self { array, values: values.unwrap_or(Values::None) }
    }

    fn cell(&self, row: usize, decimal: char, table: &mut TableBuilder) {
        if self.array.is_null(row) {
            return table.blank();
        }
        match &self.values {
            Values::None => table.blank(),
            Values::Texts(texts) => table.text(texts.value(row)),
            Values::Truths(truths) => table.text(if truths.value(row) { "true" } else { "false" }),
            Values::Integers(number) => table.text(&number(row).to_string()),
            Values::Floats(numbers) => table.try_write(|to| write_number(to, numbers[row], decimal)),
            Values::ShortFloats(numbers) => {
                let shown = numbers[row].to_string().parse().unwrap_or(f64::NAN);
                table.try_write(|to| write_number(to, shown, decimal));
            }
            Values::Decimals(numbers) => {
                table.text(&numbers.value_as_string(row).replace('.', decimal.encode_utf8(&mut [0; 4])));
            }
            Values::Days(days) => moment(table, |to| moment::write_day(to, i64::from(days[row]))),
            Values::Moments(seconds) => moment(table, |to| moment::write_seconds(to, seconds(row))),
        }
    }
}

fn moments(array: &ArrayRef, unit: TimeUnit, is_instant: bool) -> Option<Values<'_>> {
    let (values, per_second): (&[i64], i64) = match unit {
        TimeUnit::Second => (array.as_primitive_opt::<arrow::datatypes::TimestampSecondType>()?.values(), 1),
        TimeUnit::Millisecond => (array.as_primitive_opt::<TimestampMillisecondType>()?.values(), 1_000),
        TimeUnit::Microsecond => (array.as_primitive_opt::<TimestampMicrosecondType>()?.values(), 1_000_000),
        TimeUnit::Nanosecond => (array.as_primitive_opt::<TimestampNanosecondType>()?.values(), 1_000_000_000),
    };
    Some(Values::Moments(Box::new(move |row| {
        let seconds = values[row].div_euclid(per_second);
        if is_instant { moment::norwegian_seconds(seconds) } else { seconds }
    })))
}

/// A day beyond the calendar is no date.
fn moment(table: &mut TableBuilder, write: impl FnOnce(&mut String) -> bool) {
    table.try_write(|to| if write(to) { Ok(()) } else { Err(Reason::NotADate) });
}
