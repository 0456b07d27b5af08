//! SPSS system files: .sav (plain or byte-compressed) and .zsav, streamed case by case.
//!
//! Codes count and not their labels; system-missing and user-missing values (discrete ones and ranges, of numbers and texts) are
//! missing; dates and times are those variables whose print format says so, as seconds from the Gregorian calendar's first day.
//! A line number is the case's.
//!
//! The reader is our own, small and without unsafe code, because no library fits: those in Rust hold the whole file as frames of
//! an older arrow or of polars, the one in C would bring a C library to read hostile files with. The layout is as PSPP's
//! developers documented it («System File Format») and as R's haven writes it.
//!
//! ```text
//! input       bytes in the file's order, never more in memory than asked for
//! dictionary  variables, missing values, long names, encoding
//! cases       plain, byte-compressed and zlib-compressed data as one stream of eight-byte units
//! ```

mod cases;
mod dictionary;
mod input;

use std::{io, path::Path};

use super::{Batch, Opened, Records, moment, number::write_number};
use crate::{
    error::RefusalCause,
    header::Header,
    limits::{CHUNK_BYTES, CHUNK_CELLS, Limits},
    note::Note,
    reason::Reason,
    records::TableBuilder,
    source::{Source, SourceFault},
};
use cases::Cases;
use dictionary::{Dictionary, Kind, Variable};
use input::Input;

const FORMAT: &str = "an SPSS file";
/// Seconds from 14 October 1582 to 1 January 1970.
const EPOCH_SECONDS: f64 = 12_219_379_200.0;

pub(super) fn unreadable(reason: impl Into<String>) -> SourceFault {
    RefusalCause::Unreadable { format: FORMAT, reason: reason.into() }.into()
}

struct SavedCases {
    dictionary: Dictionary,
    cases: Cases,
    decimal: char,
    notes: Vec<Note>,
    read: u64,
    ended: bool,
}

pub(super) fn open(path: &Path, decimal: u8, limits: Limits) -> Result<Opened, SourceFault> {
    let source = Source::open(path, limits)??;
    let notes = source.compression().map(|format| Note::Compressed { format }).into_iter().collect();
    let mut input = Input::new(source);
    let dictionary = Dictionary::read(&mut input)?;
    let header = Header::of(dictionary.variables.iter().map(|variable| variable.name.clone()), 0)?;
    let cases = Cases::new(input, &dictionary, limits)?;
    let decimal = char::from(decimal);
    Ok(Opened::new(header, SavedCases { dictionary, cases, decimal, notes, read: 0, ended: false }))
}

impl Records for SavedCases {
    fn next(&mut self) -> Result<Option<Batch>, SourceFault> {
        let mut table = TableBuilder::new(self.dictionary.variables.len());
        let mut case = vec![0; self.dictionary.case_bytes];
        let begun = self.read;
        while !self.ended && table.cells() < CHUNK_CELLS && table.bytes() < CHUNK_BYTES {
            if !self.cases.next(&mut case)? {
                self.ended = true;
                break;
            }
            self.read += 1;
            for variable in &self.dictionary.variables {
                self.cell(variable, &case, &mut table);
            }
            table.end_row();
        }
        if self.ended && self.dictionary.cases.is_some_and(|announced| announced != self.read) {
            return Err(unreadable(format!("it holds {} cases and announces another number", self.read)));
        }
        Ok((self.read > begun).then(|| Batch::Cells(table.finish())))
    }

    fn notes(&self) -> Vec<Note> {
        self.notes.clone()
    }

    fn finish(self: Box<Self>) -> io::Result<(String, u64)> {
        self.cases.into_source().finish()
    }
}

impl SavedCases {
    fn cell(&self, variable: &Variable, case: &[u8], table: &mut TableBuilder) {
        match &variable.kind {
            Kind::Number { is_moment } => {
                let value = self.dictionary.order.number(variable.bytes(case));
                if variable.missing.holds_number(value) {
                    table.blank();
                } else {
                    table.try_write(|to| write(to, value, *is_moment, self.decimal));
                }
            }
            Kind::Text { .. } => {
                let bytes = variable.text(case);
                if variable.missing.holds_text(&bytes) {
                    return table.blank();
                }
                match self.dictionary.encoding.decode_without_bom_handling_and_without_replacement(&bytes) {
                    Some(text) => table.text(&text),
                    None => table.flaw(Reason::NotUtf8),
                }
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "seconds beyond the calendar are no dates")]
fn write(to: &mut String, value: f64, is_moment: bool, decimal: char) -> Result<(), Reason> {
    if !is_moment {
        return write_number(to, value, decimal);
    }
    let seconds = (value - EPOCH_SECONDS).round();
    if moment::write_seconds(to, seconds as i64) { Ok(()) } else { Err(Reason::NotADate) }
}
