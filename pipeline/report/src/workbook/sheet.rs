//! A contract table as a sheet: frozen header, filter, one format per column.

use jiff::civil::Date;
use prem_protect::tables::ColumnContract;
use rust_xlsxwriter::{ExcelDateTime, Format, FormatAlign, Note, Worksheet, XlsxError};

use crate::{
    cells::{CellValue, Cells},
    harmless::harmless,
};

/// Excel shows these with the reader's own signs: `1 234,50` with Norwegian settings.
const WHOLE: &str = "#,##0";
const NUMBER: &str = "#,##0.00";
const PROBABILITY: &str = "0.0000";
const DAY: &str = "dd.mm.yyyy";

/// Columns are as wide as their longest text, within these characters.
const WIDTH_MIN: usize = 9;
const WIDTH_MAX: usize = 42;

pub(super) fn header_format() -> Format {
    Format::new().set_bold().set_background_color("#E6EEF5").set_align(FormatAlign::Top).set_text_wrap()
}

pub(super) fn write(sheet: &mut Worksheet, name: &str, cells: &Cells) -> Result<(), XlsxError> {
    sheet.set_name(name)?;
    let header = header_format();
    let formats: Vec<Format> = cells.contract.iter().map(number_format).collect();
    for (column, contract) in cells.contract.iter().enumerate() {
        let at = index(column);
        sheet.write_string_with_format(0, at, contract.name, &header)?;
        sheet.insert_note(0, at, &Note::new(contract.description).add_author_prefix(false))?;
        let mut width = contract.name.chars().count();
        for row in 0..cells.rows() {
            width = width.max(write_cell(sheet, row, at, cells.at(row, column), &formats[column])?);
        }
        sheet.set_column_width(at, width.clamp(WIDTH_MIN, WIDTH_MAX) as f64 + 2.0)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    if cells.rows() > 0 && cells.columns() > 0 {
        sheet.autofilter(0, 0, line(cells.rows()), index(cells.columns() - 1))?;
    }
    Ok(())
}

fn number_format(column: &ColumnContract) -> Format {
    let is_probability = column.name == "p" || column.name == "q" || column.name.ends_with("_p");
    let code = match column.data_type {
        arrow::datatypes::DataType::Int64 => WHOLE,
        arrow::datatypes::DataType::Float64 if is_probability => PROBABILITY,
        arrow::datatypes::DataType::Float64 => NUMBER,
        arrow::datatypes::DataType::Date32 => DAY,
        _ => "@",
    };
    Format::new().set_num_format(code)
}

/// Writes one cell and gives the characters it needs.
fn write_cell(
    sheet: &mut Worksheet,
    row: usize,
    column: u16,
    cell: CellValue<'_>,
    format: &Format,
) -> Result<usize, XlsxError> {
    let row = line(row + 1);
    match cell {
        CellValue::Missing => return Ok(0),
        CellValue::Text(text) => {
            sheet.write_string_with_format(row, column, harmless(text), format)?;
            return Ok(text.chars().count());
        }
        // Counts are far below 2⁵³.
        CellValue::Whole(number) => sheet.write_number_with_format(row, column, number as f64, format)?,
        CellValue::Number(number) => sheet.write_number_with_format(row, column, number, format)?,
        CellValue::Flag(flag) => sheet.write_boolean(row, column, flag)?,
        CellValue::Day(day) => sheet.write_datetime_with_format(row, column, excel_day(day)?, format)?,
    };
    Ok(WIDTH_MIN)
}

fn excel_day(day: Date) -> Result<ExcelDateTime, XlsxError> {
    let part = |value: i8| u8::try_from(value).unwrap_or(1);
    ExcelDateTime::from_ymd(u16::try_from(day.year()).unwrap_or(0), part(day.month()), part(day.day()))
}

/// A row or column that Excel does not have is refused by the writer.
fn line(row: usize) -> u32 {
    u32::try_from(row).unwrap_or(u32::MAX)
}

pub(super) fn index(column: usize) -> u16 {
    u16::try_from(column).unwrap_or(u16::MAX)
}
