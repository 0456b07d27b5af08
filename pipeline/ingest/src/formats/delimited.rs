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
    beyond_ascii: BeyondAscii,
    notes: Vec<Note>,
}

/// What text in an encoding of single bytes has beyond ASCII. Letters of such an encoding hardly ever stand together as UTF-8 writes
/// one letter, and in a whole file never.
#[derive(Default)]
struct BeyondAscii {
    as_utf8: bool,
    otherwise: bool,
}

impl BeyondAscii {
    fn look(&mut self, bytes: &[u8]) {
        if !bytes.is_ascii() {
            let is_utf8 = std::str::from_utf8(bytes).is_ok();
            self.as_utf8 |= is_utf8;
            self.otherwise |= !is_utf8;
        }
    }
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
    let mut beyond_ascii = BeyondAscii::default();
    beyond_ascii.look(first.get(..begin.bytes).unwrap_or_default());
    first.drain(..begin.bytes);
    notes.extend(begin.mark.then_some(Note::ByteOrderMark));
    Ok(Opened::new(header, Delimited { blocks, first: Some(first), dialect, encoding, beyond_ascii, notes }))
}

impl Records for Delimited {
    fn next(&mut self) -> Result<Option<Batch>, SourceFault> {
        let bytes = match self.first.take() {
            Some(first) => Some(first),
            None => self.blocks.next_chunk()?,
        };
        if self.encoding != Encoding::Utf8 {
            match &bytes {
                Some(bytes) => self.beyond_ascii.look(bytes),
                None if self.beyond_ascii.as_utf8 && !self.beyond_ascii.otherwise => {
                    return Err(RefusalCause::LooksLikeUtf8.into());
                }
                None => {}
            }
        }
        Ok(bytes.map(|bytes| Batch::Text { bytes, dialect: self.dialect, encoding: self.encoding }))
    }

    fn notes(&self) -> Vec<Note> {
        self.notes.clone()
    }

    fn finish(self: Box<Self>) -> io::Result<(String, u64)> {
        self.blocks.into_source().finish()
    }
}
