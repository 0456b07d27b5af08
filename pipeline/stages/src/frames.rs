//! Small doors between frames and slices.

use std::path::Path;

use jiff::civil::Date;
use polars::prelude::*;

use crate::StageError;

/// Scans Parquet files in the given order.
pub(crate) fn scan(path: &Path) -> Result<LazyFrame, StageError> {
    // Globs are off: a path is a path, also when a folder's name holds a bracket.
    let arguments = ScanArgsParquet { glob: false, ..ScanArgsParquet::default() };
    LazyFrame::scan_parquet(PlRefPath::try_from_path(path).map_err(StageError::frame("name a file"))?, arguments)
        .map_err(StageError::frame("open a Parquet file"))
}

/// Writes a frame as Parquet with the same bytes for the same rows, whatever the number of threads.
pub(crate) fn write(frame: &mut DataFrame, path: &Path) -> Result<(), StageError> {
    let file = std::fs::File::create(path).map_err(StageError::io("create", path))?;
    frame.rechunk_mut();
    ParquetWriter::new(&file)
        .with_compression(ParquetCompression::Zstd(None))
        .with_row_group_size(Some(ROW_GROUP_ROWS))
        .finish(frame)
        .map_err(StageError::frame("write a Parquet file"))?;
    file.sync_all().map_err(StageError::io("flush", path))
}

const ROW_GROUP_ROWS: usize = 128 * 1024;

pub(crate) fn series<'a>(frame: &'a DataFrame, name: &str) -> Result<&'a Series, StageError> {
    frame.column(name).map(Column::as_materialized_series).map_err(StageError::frame("read a column"))
}

/// A column as numbers; null is NaN. Codes stored as integers and whole numbers are numbers too.
pub(crate) fn numbers(frame: &DataFrame, name: &str) -> Result<Vec<f64>, StageError> {
    let numbers = series(frame, name)?.cast(&DataType::Float64).map_err(StageError::frame("read numbers"))?;
    let numbers = numbers.f64().map_err(StageError::frame("read numbers"))?;
    Ok(numbers.iter().map(|value| value.unwrap_or(f64::NAN)).collect())
}

/// A column of truth values; null is `false`.
pub(crate) fn flags(frame: &DataFrame, name: &str) -> Result<Vec<bool>, StageError> {
    let flags = series(frame, name)?.bool().map_err(StageError::frame("read flags"))?;
    Ok(flags.iter().map(|flag| flag == Some(true)).collect())
}

/// A column as small codes; null where missing.
pub(crate) fn codes(frame: &DataFrame, name: &str) -> Result<Vec<Option<i16>>, StageError> {
    let codes = series(frame, name)?.cast(&DataType::Int16).map_err(StageError::frame("read codes"))?;
    Ok(codes.i16().map_err(StageError::frame("read codes"))?.iter().collect())
}

/// A text column, row by row.
pub(crate) fn texts<'a>(frame: &'a DataFrame, name: &str) -> Result<Vec<Option<&'a str>>, StageError> {
    Ok(series(frame, name)?.str().map_err(StageError::frame("read texts"))?.iter().collect())
}

/// The distinct texts of a column, sorted, and each row's place among them; `None` where it has none.
pub(crate) fn numbered(column: &[Option<&str>]) -> (Vec<String>, Vec<Option<u32>>) {
    let mut names: Vec<&str> = column.iter().copied().flatten().collect();
    names.sort_unstable();
    names.dedup();
    let place = |name: &str| u32::try_from(names.binary_search(&name).ok()?).ok();
    let places = column.iter().map(|name| name.and_then(place)).collect();
    (names.into_iter().map(str::to_owned).collect(), places)
}

/// Days since 1970-01-01 of a date or timestamp column.
pub(crate) fn days(frame: &DataFrame, name: &str) -> Result<Vec<Option<i32>>, StageError> {
    let dates = series(frame, name)?.cast(&DataType::Date).map_err(StageError::frame("read dates"))?;
    Ok(dates.date().map_err(StageError::frame("read dates"))?.physical().iter().collect())
}

/// Seconds since 1970-01-01 00:00 of a timestamp column, as fine as times are stored.
pub(crate) fn seconds(frame: &DataFrame, name: &str) -> Result<Vec<Option<i64>>, StageError> {
    let kind = DataType::Datetime(TimeUnit::Milliseconds, None);
    let times = series(frame, name)?.cast(&kind).map_err(StageError::frame("read times"))?;
    let times = times.datetime().map_err(StageError::frame("read times"))?;
    Ok(times.physical().iter().map(|time| time.map(|time| time.div_euclid(1000))).collect())
}

const EPOCH: Date = jiff::civil::date(1970, 1, 1);

pub(crate) fn days_of(date: Date) -> i32 {
    (date - EPOCH).get_days()
}

/// The first day of the month that holds day `days`; `None` outside the calendar.
pub(crate) fn month_of(days: i32) -> Option<Date> {
    let date = EPOCH.checked_add(jiff::Span::new().try_days(days).ok()?).ok()?;
    Some(date.first_of_month())
}

pub(crate) fn date_of(days: i32) -> Option<Date> {
    EPOCH.checked_add(jiff::Span::new().try_days(days).ok()?).ok()
}
