//! Delimited text: cut into chunks at the ends of records, split on all cores.

use std::{io, path::Path};

use prem_spec::model::Encoding;

use super::{Batch, Opened, Records, detect::detect};
use crate::{
    error::RefusalCause,
    header::read_header,
    layout::Declared,
    limits::Limits,
    note::Note,
    records::Dialect,
    source::{BlockReader, Framing, Source, SourceFault},
};

struct Delimited {
    blocks: BlockReader,
    /// The rows behind the header.
    first: Option<Vec<u8>>,
    dialect: Dialect,
    encoding: Encoding,
    notes: Vec<Note>,
}

pub(super) fn open(
    path: &Path,
    declared: &Declared<'_>,
    encoding: Option<Encoding>,
    limits: Limits,
) -> Result<Opened, SourceFault> {
    let found = detect(path, declared, encoding, limits)?;
    let source = Source::open(path, limits)??;
    let mut notes: Vec<Note> = source.compression().map(|format| Note::Compressed { format }).into_iter().collect();
    notes.extend(found.notes);
    let (dialect, encoding) = (found.dialect, found.encoding);
    let mut blocks = BlockReader::new(source, Framing::Quoted(dialect), limits);
    let mut first = blocks.next_chunk()?.ok_or(RefusalCause::Empty)?;
    let (header, begin) = read_header(&first, dialect, encoding)?;
    first.drain(..begin.bytes);
    notes.extend(begin.mark.then_some(Note::ByteOrderMark));
    Ok(Opened::new(header, Delimited { blocks, first: Some(first), dialect, encoding, notes }))
}

impl Records for Delimited {
    fn next(&mut self) -> Result<Option<Batch>, SourceFault> {
        let bytes = match self.first.take() {
            Some(first) => Some(first),
            None => self.blocks.next_chunk()?,
        };
        Ok(bytes.map(|bytes| Batch::Text { bytes, dialect: self.dialect, encoding: self.encoding }))
    }

    fn notes(&self) -> Vec<Note> {
        self.notes.clone()
    }

    fn finish(self: Box<Self>) -> io::Result<(String, u64)> {
        self.blocks.into_source().finish()
    }
}
