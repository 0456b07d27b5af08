//! CSV for people with a Norwegian spreadsheet: `;`, decimal comma, UTF-8 with byte order mark, missing is empty.

use std::{fs, path::Path};

use crate::{
    ReportError,
    cells::{CellValue, Cells},
    harmless::harmless,
};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

pub(crate) const DELIMITER: u8 = b';';

pub(crate) fn write(path: &Path, cells: &Cells) -> Result<(), ReportError> {
    let failed =
        |error: csv::Error| ReportError::Io { action: "write", path: path.to_path_buf(), source: error.into() };
    let mut writer = csv::WriterBuilder::new()
        .delimiter(DELIMITER)
        .terminator(csv::Terminator::CRLF)
        .from_writer(BYTE_ORDER_MARK.to_vec());
    writer.write_record(cells.contract.iter().map(|column| column.name)).map_err(failed)?;
    for row in 0..cells.rows() {
        writer.write_record((0..cells.columns()).map(|column| text(cells.at(row, column)))).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|error| ReportError::Io {
        action: "write",
        path: path.to_path_buf(),
        source: error.into_error(),
    })?;
    fs::write(path, bytes).map_err(ReportError::io("write", path))
}

fn text(cell: CellValue<'_>) -> String {
    match cell {
        CellValue::Missing => String::new(),
        CellValue::Text(text) => harmless(text).into_owned(),
        CellValue::Whole(number) => number.to_string(),
        // The shortest text that reads back as the same number, without an exponent.
        CellValue::Number(number) => number.to_string().replace('.', ","),
        CellValue::Flag(flag) => flag.to_string(),
        CellValue::Day(day) => day.to_string(),
    }
}
