//! The formats in which files come. Each gives a header and batches of rows; a batch becomes a table of text cells on any core,
//! and from there all formats go the same way: columns, rules, identity guard, quarantine, counts.
//!
//! Text cells are the common ground because the declarations speak of text (codes, missing values, recodings, patterns), and
//! because a number or date that passes the same parser gets the same value in every format. What a typed format knows is
//! written canonically: integers without decimals, other numbers with the export's decimal sign, dates as ISO 8601.
//!
//! | format | read as | memory |
//! |---|---|---|
//! | delimited text | stream, split on all cores | a few chunks |
//! | QuestionnaireResponse | stream of lines, parsed on all cores | a few chunks |
//! | SPSS | stream, one case after the other | one chunk |
//! | Parquet | row groups by column, in batches | a few pages per column, bounded by limits, and a few batches |
//! | Excel | texts in memory, cells as a stream | bounded by limits on the unfolded workbook |

mod batch;
mod delimited;
mod detect;
mod excel;
mod fhir;
mod moment;
mod number;
mod parquet;
mod spss;

use std::{io, path::Path};

use prem_spec::model::FileFormat;

use crate::{
    header::Header,
    layout::Declared,
    limits::Limits,
    note::Note,
    source::{SeekableFile, SourceFault},
};

pub(crate) use batch::Batch;
pub(crate) use moment::norwegian_seconds;

/// Formats of dates in cells that a typed format wrote, besides the export's own.
pub(crate) const CANONICAL_DATES: [&str; 2] = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"];

/// A file's rows, in order.
pub(crate) trait Records: Send {
    /// The next rows, or `None` at the end.
    fn next(&mut self) -> Result<Option<Batch>, SourceFault>;

    /// What is worth telling of the file so far.
    fn notes(&self) -> Vec<Note>;

    /// SHA-256 and size of the file as it was delivered.
    fn finish(self: Box<Self>) -> io::Result<(String, u64)>;
}

/// A file whose header is known.
pub(crate) struct Opened {
    pub(crate) header: Header,
    pub(crate) records: Box<dyn Records>,
}

impl Opened {
    fn new(header: Header, records: impl Records + 'static) -> Self {
        Self { header, records: Box::new(records) }
    }
}

/// Opens a file as the export declares it; `out` is where a packed one may be unpacked for the while that it is read.
pub(crate) fn open(path: &Path, declared: &Declared<'_>, limits: Limits, out: &Path) -> Result<Opened, SourceFault> {
    match &declared.export.format {
        FileFormat::Delimited { encoding, .. } => delimited::open(path, declared, *encoding, limits),
        FileFormat::Excel { sheet, header_row, .. } => {
            let file = SeekableFile::open(path, out, limits)?;
            excel::open(file, sheet.as_deref(), *header_row, declared.decimal)
        }
        FileFormat::Parquet { .. } => parquet::open(SeekableFile::open(path, out, limits)?, declared, limits),
        FileFormat::Spss { .. } => spss::open(path, declared.decimal, limits),
        FileFormat::FhirQuestionnaireResponse => fhir::open(path, declared, limits),
    }
}

/// At most `count` batches; fewer only at the end.
pub(crate) fn next_batches(records: &mut dyn Records, count: usize) -> Result<Vec<Batch>, SourceFault> {
    let mut batches = Vec::with_capacity(count);
    while batches.len() < count
        && let Some(batch) = records.next()?
    {
        batches.push(batch);
    }
    Ok(batches)
}
