//! The cells of any contract table, one column after the other, for the formats that are not Parquet.

use arrow::{
    array::{Array, ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray},
    record_batch::RecordBatch,
};
use jiff::{ToSpan, civil::Date};
use prem_protect::tables::{ColumnContract, Table};

use crate::ReportError;

/// One cell. Missing is not a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum CellValue<'a> {
    Missing,
    Text(&'a str),
    Whole(i64),
    Number(f64),
    Flag(bool),
    Day(Date),
}

/// A table's columns and their contracts.
pub(crate) struct Cells {
    pub(crate) contract: Vec<ColumnContract>,
    batch: RecordBatch,
}

impl Cells {
    pub(crate) fn of<T: Table>(rows: &[T]) -> Result<Self, ReportError> {
        Ok(Self { contract: T::columns(), batch: T::to_batch(rows)? })
    }

    pub(crate) fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    pub(crate) fn columns(&self) -> usize {
        self.batch.num_columns()
    }

    pub(crate) fn at(&self, row: usize, column: usize) -> CellValue<'_> {
        value(self.batch.column(column), row)
    }
}

fn value(array: &ArrayRef, row: usize) -> CellValue<'_> {
    if array.is_null(row) {
        return CellValue::Missing;
    }
    let any = array.as_any();
    if let Some(array) = any.downcast_ref::<StringArray>() {
        CellValue::Text(array.value(row))
    } else if let Some(array) = any.downcast_ref::<Int64Array>() {
        CellValue::Whole(array.value(row))
    } else if let Some(array) = any.downcast_ref::<Float64Array>() {
        CellValue::Number(array.value(row))
    } else if let Some(array) = any.downcast_ref::<BooleanArray>() {
        CellValue::Flag(array.value(row))
    } else if let Some(array) = any.downcast_ref::<Date32Array>() {
        day(array.value(row)).map_or(CellValue::Missing, CellValue::Day)
    } else {
        CellValue::Missing
    }
}

fn day(days: i32) -> Option<Date> {
    jiff::civil::date(1970, 1, 1).checked_add(i64::from(days).days()).ok()
}
