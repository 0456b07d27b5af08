//! `tables.xlsx`: a first sheet for people, then one sheet per table.
//!
//! Two writes give the same bytes: the creation time is fixed, and the writer stamps its zip entries with a constant.

mod overview;
mod sheet;

use std::path::Path;

use prem_protect::Protected;
use prem_spec::Plan;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, XlsxError};

use crate::{ReportError, RunFacts, cells::Cells, texts::Texts};

/// Written as the time of creation of every workbook, since a run has no time of day.
const CREATED: (u16, u8, u8) = (2020, 1, 1);

/// One table as it becomes a sheet: the text key of the sheet's name, and its cells.
pub(crate) type SheetOf<'a> = (&'static str, &'a Cells);

pub(crate) fn write(
    path: &Path,
    plan: &Plan,
    protected: &Protected,
    tables: &[SheetOf<'_>],
    held_back: &[String],
    facts: &RunFacts,
    texts: &Texts,
) -> Result<(), ReportError> {
    // Made in memory first, so that a full disk is told from a workbook that cannot be made.
    let bytes = build(plan, protected, tables, held_back, facts, texts).map_err(ReportError::workbook(path))?;
    std::fs::write(path, bytes).map_err(ReportError::io("write", path))
}

fn build(
    plan: &Plan,
    protected: &Protected,
    tables: &[SheetOf<'_>],
    held_back: &[String],
    facts: &RunFacts,
    texts: &Texts,
) -> Result<Vec<u8>, XlsxError> {
    let (year, month, day) = CREATED;
    let mut workbook = Workbook::new();
    let created = ExcelDateTime::from_ymd(year, month, day)?;
    workbook
        .set_properties(&DocProperties::new().set_title(texts.get("package_title")).set_creation_datetime(&created));
    overview::write(workbook.add_worksheet(), plan, protected, held_back, facts, texts)?;
    for (name, cells) in tables {
        sheet::write(workbook.add_worksheet(), texts.get(name), cells)?;
    }
    workbook.save_to_buffer()
}
