//! Excel workbooks (.xlsx), by calamine: one sheet, the headers in a declared row.
//!
//! A cell counts by its value and not by how it is shown: numbers are written without the cell's number format, a cell formatted
//! as a date is a date, a formula is its last result; one under a header that was never reckoned refuses the file. Rows without any
//! value are no rows. A line number is that of the sheet.
//!
//! A workbook keeps its texts in a part of their own, so it cannot be read as a stream: [`survey`] looks through the whole file
//! first and refuses what would not fit in memory.

mod survey;

use std::{
    io::{self, BufReader},
    panic::{AssertUnwindSafe, catch_unwind},
};

use calamine::{DataRef, Reader, Xlsx};

use super::{Batch, Opened, Records, moment, number::write_number};
use crate::{
    error::RefusalCause,
    header::{Header, show, show_all},
    limits::{
        CHUNK_BYTES, CHUNK_CELLS, COLUMNS_MAX, WORKBOOK_BLANKS_MAX, WORKBOOK_CELLS_BYTES_MAX, WORKBOOK_CELLS_MAX,
    },
    note::Note,
    reason::Reason,
    records::{Table, TableBuilder},
    source::{SeekableFile, SourceFault},
};

const FORMAT: &str = "an Excel workbook";
/// Rows of a sheet, by the file format.
const ROWS_MAX: u32 = 1 << 20;
/// Serial day numbers of 1970-01-01 in the two calendars of workbooks.
const EPOCH_1900: f64 = 25_569.0;
const EPOCH_1904: f64 = 24_107.0;
/// The calendar of 1900 has a 29 February that never was; days before the first of March are one less.
const FIRST_OF_MARCH_1900: f64 = 61.0;
const SECONDS_PER_DAY: f64 = 86_400.0;

struct Sheet {
    sha256: String,
    bytes: u64,
    notes: Vec<Note>,
    tables: std::vec::IntoIter<Table>,
}

pub(super) fn open(
    source: SeekableFile,
    sheet: Option<&str>,
    header_row: u32,
    decimal: u8,
) -> Result<Opened, SourceFault> {
    let notes = source.notes();
    // What was unpacked is not needed beyond this.
    let SeekableFile { file, sha256, bytes, unpacked: _unpacked, .. } = source;
    survey::look_through(&file)?;
    let begin = Begin { header_row: header_row.saturating_sub(1), decimal: char::from(decimal) };
    // A defence in depth: what a library asserts of a workbook must not end the night.
    let read = catch_unwind(AssertUnwindSafe(|| read(file, sheet, begin)));
    let (header, tables) = read.unwrap_or_else(|_| Err(unreadable("it contradicts itself").into()))?;
    Ok(Opened::new(header, Sheet { sha256, bytes, notes, tables: tables.into_iter() }))
}

fn unreadable(reason: impl Into<String>) -> RefusalCause {
    RefusalCause::Unreadable { format: FORMAT, reason: reason.into() }
}

#[derive(Clone, Copy)]
struct Begin {
    /// From 0.
    header_row: u32,
    decimal: char,
}

/// The header, and all rows as tables of a chunk's size.
fn read(file: std::fs::File, sheet: Option<&str>, begin: Begin) -> Result<(Header, Vec<Table>), SourceFault> {
    let mut workbook =
        Xlsx::new(BufReader::new(file)).map_err(|_| unreadable("it is damaged, encrypted or of another kind"))?;
    let names = workbook.sheet_names();
    let known = || show_all(names.iter().map(String::as_str));
    let name = match (sheet, names.as_slice()) {
        (Some(sheet), names) => names
            .iter()
            .find(|name| *name == sheet)
            .ok_or_else(|| RefusalCause::NoSuchSheet { wanted: show(sheet), found: known() })?,
        (None, [only]) => only,
        (None, _) => {
            return Err(RefusalCause::NoSuchSheet { wanted: "of its own".to_owned(), found: known() }.into());
        }
    };
    let is_1904 = workbook.has_1904_epoch();
    let damaged = |_| SourceFault::from(unreadable("its sheet is damaged"));
    let mut cells = workbook.worksheet_cells_reader(name).map_err(damaged)?;
    let mut names: Vec<String> = Vec::new();
    let mut rows: Option<Rows> = None;
    // Places of cells without a value.
    let mut blanks: Vec<(u32, u32)> = Vec::new();
    while let Some(cell) = cells.next_cell().map_err(damaged)? {
        let ((row, column), value) = (cell.get_position(), cell.get_value());
        if row >= ROWS_MAX {
            return Err(unreadable("it has more rows than a sheet has").into());
        }
        if row < begin.header_row {
            continue;
        }
        if *value == DataRef::Empty {
            if blanks.len() >= WORKBOOK_BLANKS_MAX {
                return Err(too_large("cells without a value", WORKBOOK_BLANKS_MAX).into());
            }
            blanks.push((row, column));
            continue;
        }
        let column = column as usize;
        if row == begin.header_row && rows.is_none() {
            if column < names.len() {
                return Err(unreadable("its cells are out of order").into());
            }
            if column >= COLUMNS_MAX {
                return Err(RefusalCause::TooManyColumns { columns_max: COLUMNS_MAX }.into());
            }
            names.resize(column, String::new());
            let mut name = String::new();
            _ = write(&mut name, value, is_1904, begin.decimal);
            names.push(name);
            continue;
        }
        let rows = rows.get_or_insert_with(|| Rows::new(names.len(), begin.header_row + 1));
        rows.go_to(row, column)?;
        rows.cell(column, |to| write(to, value, is_1904, begin.decimal));
    }
    drop(cells);
    blanks.sort_unstable();
    check_formulas(&mut workbook, name, &names, &blanks)?;
    if names.is_empty() {
        return Err(RefusalCause::Empty.into());
    }
    let tables = rows.map(Rows::finish).transpose()?.unwrap_or_default();
    Ok((Header::of(names, u64::from(begin.header_row) + 1)?, tables))
}

/// Whether none of the cells without a value is a formula that the program which wrote the file left to others to reckon.
fn check_formulas<R: io::Read + io::Seek>(
    workbook: &mut Xlsx<R>,
    sheet: &str,
    names: &[String],
    // In their order.
    blanks: &[(u32, u32)],
) -> Result<(), SourceFault> {
    if blanks.is_empty() {
        return Ok(());
    }
    let damaged = |_| SourceFault::from(unreadable("its sheet is damaged"));
    let mut cells = workbook.worksheet_cells_reader(sheet).map_err(damaged)?;
    let mut without_result = 0;
    let mut first = None;
    while let Some(cell) = cells.next_formula().map_err(damaged)? {
        let place = cell.get_position();
        let is_read = (place.1 as usize) < names.len();
        if is_read && !cell.get_value().is_empty() && blanks.binary_search(&place).is_ok() {
            without_result += 1;
            first.get_or_insert(place);
        }
    }
    let Some((row, column)) = first else { return Ok(()) };
    let column = names.get(column as usize).map(|name| show(name)).unwrap_or_default();
    Err(RefusalCause::FormulasWithoutResult { cells: without_result, row: row + 1, column }.into())
}

fn too_large(what: &'static str, max: usize) -> RefusalCause {
    RefusalCause::TooLarge { format: FORMAT, what, max: max as u64 }
}

/// Cells in the order of the sheet, into tables.
struct Rows {
    width: usize,
    /// The row that is being filled, from 0.
    row: u32,
    table: TableBuilder,
    full: Vec<Table>,
    /// Cells and bytes of the full tables.
    cells: usize,
    bytes: usize,
}

impl Rows {
    fn new(width: usize, row: u32) -> Self {
        Self { width, row, table: TableBuilder::new(width), full: Vec::new(), cells: 0, bytes: 0 }
    }

    /// Ends the rows before `row`; those between have no value.
    fn go_to(&mut self, row: u32, column: usize) -> Result<(), RefusalCause> {
        if row < self.row || (row == self.row && column < self.table.cells_in_row()) {
            return Err(unreadable("its cells are out of order"));
        }
        while self.row < row {
            self.end_row()?;
        }
        Ok(())
    }

    fn cell(&mut self, column: usize, write: impl FnOnce(&mut String) -> Result<(), Reason>) {
        if column >= self.width {
            return;
        }
        while self.table.cells_in_row() < column {
            self.table.blank();
        }
        self.table.try_write(write);
    }

    fn end_row(&mut self) -> Result<(), RefusalCause> {
        self.table.end_row();
        self.row += 1;
        if self.table.cells() < CHUNK_CELLS && self.table.bytes() < CHUNK_BYTES {
            return Ok(());
        }
        self.cells += self.table.cells();
        self.bytes += self.table.bytes();
        self.full.push(std::mem::replace(&mut self.table, TableBuilder::new(self.width)).finish());
        if self.cells > WORKBOOK_CELLS_MAX {
            return Err(too_large("cells", WORKBOOK_CELLS_MAX));
        }
        if self.bytes > WORKBOOK_CELLS_BYTES_MAX {
            return Err(too_large("bytes of text in cells", WORKBOOK_CELLS_BYTES_MAX));
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<Table>, RefusalCause> {
        self.end_row()?;
        self.full.push(self.table.finish());
        Ok(self.full)
    }
}

fn write(to: &mut String, value: &DataRef<'_>, is_1904: bool, decimal: char) -> Result<(), Reason> {
    match value {
        DataRef::Empty => {}
        DataRef::Int(number) => to.push_str(&number.to_string()),
        DataRef::Float(number) => write_number(to, *number, decimal)?,
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => to.push_str(text),
        DataRef::SharedString(text) => to.push_str(text),
        DataRef::Bool(truth) => to.push_str(if *truth { "true" } else { "false" }),
        DataRef::DateTime(moment) if moment.is_duration() => write_number(to, moment.as_f64(), decimal)?,
        DataRef::DateTime(moment) => write_moment(to, moment.as_f64(), is_1904, decimal)?,
        DataRef::Error(_) => return Err(Reason::SpreadsheetError),
    }
    Ok(())
}

/// A serial day number to the second. A time without a day is no date: it stays the number that it is.
#[expect(clippy::cast_possible_truncation, reason = "days beyond the calendar are no dates")]
fn write_moment(to: &mut String, serial: f64, is_1904: bool, decimal: char) -> Result<(), Reason> {
    let days = match is_1904 {
        true => serial - EPOCH_1904,
        false if serial < FIRST_OF_MARCH_1900 => serial - EPOCH_1900 + 1.0,
        false => serial - EPOCH_1900,
    };
    if serial < 1.0 || !moment::write_seconds(to, (days * SECONDS_PER_DAY).round() as i64) {
        write_number(to, serial, decimal)?;
    }
    Ok(())
}

impl Records for Sheet {
    fn next(&mut self) -> Result<Option<Batch>, SourceFault> {
        Ok(self.tables.next().map(Batch::Cells))
    }

    fn notes(&self) -> Vec<Note> {
        self.notes.clone()
    }

    fn finish(self: Box<Self>) -> io::Result<(String, u64)> {
        Ok((self.sha256, self.bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_days_of_both_calendars() {
        let text = |serial, is_1904| {
            let mut text = String::new();
            write_moment(&mut text, serial, is_1904, ',').unwrap();
            text
        };
        assert_eq!(text(1.0, false), "1900-01-01");
        assert_eq!(text(59.0, false), "1900-02-28");
        assert_eq!(text(61.0, false), "1900-03-01");
        assert_eq!(text(45_688.0, false), "2025-01-31");
        assert_eq!(text(44_226.0, true), "2025-01-31");
        // 12:15 is 0.510416… of a day.
        assert_eq!(text(45_687.510_416_666_664, false), "2025-01-30T12:15:00");
        assert_eq!(text(0.5, false), "0,5");
    }
}
