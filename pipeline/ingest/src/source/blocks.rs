//! Cuts a stream of text into chunks at the ends of records, so that chunks can be parsed independently.
//!
//! Where chunks end depends on the bytes alone: not on how much a read returned, nor on threads.

use super::{Source, SourceFault, container::foreign_format};
use crate::{
    error::RefusalCause,
    limits::Limits,
    records::{Dialect, Step, next_record},
};

/// What a file with a NUL byte is.
pub(crate) const BINARY: &str = "binary (it has NUL bytes)";

/// What makes a record.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Framing {
    /// A line, unless a line end stands inside quotes.
    Quoted(Dialect),
    /// A line.
    Lines,
}

pub(crate) struct BlockReader {
    source: Source,
    framing: Framing,
    limits: Limits,
    carry: Vec<u8>,
    lines_read: u64,
    begun: bool,
    ended: bool,
}

impl BlockReader {
    pub(crate) fn new(source: Source, framing: Framing, limits: Limits) -> Self {
        Self { source, framing, limits, carry: Vec::new(), lines_read: 0, begun: false, ended: false }
    }

    pub(crate) fn into_source(self) -> Source {
        self.source
    }

    /// The next records, or `None` at the end.
    pub(crate) fn next_chunk(&mut self) -> Result<Option<Vec<u8>>, SourceFault> {
        let mut bytes = std::mem::take(&mut self.carry);
        let mut checked = 0;
        while !self.ended {
            let target = if bytes.len() < self.limits.chunk_bytes {
                self.limits.chunk_bytes
            } else {
                bytes.len() + self.limits.chunk_bytes
            };
            self.ended = self.source.fill(&mut bytes, target)?;
            let foreign = if self.begun { None } else { foreign_format(&bytes) };
            self.begun = true;
            let binary = || memchr::memchr(0, &bytes[checked..]).map(|_| BINARY);
            if let Some(what) = foreign.or_else(binary) {
                return Err(SourceFault::Refused(match self.framing {
                    Framing::Quoted(_) => RefusalCause::NotDelimitedText { what },
                    Framing::Lines => RefusalCause::NotResources { what },
                }));
            }
            checked = bytes.len();
            if self.ended {
                break;
            }
            let cut = self.last_record_end(&bytes);
            if cut > 0 {
                self.carry.reserve(self.limits.chunk_bytes);
                self.carry.extend_from_slice(&bytes[cut..]);
                bytes.truncate(cut);
                break;
            }
            if bytes.len() >= self.limits.record_bytes_max {
                let cause =
                    RefusalCause::LineTooLong { line: self.lines_read + 1, bytes_max: self.limits.record_bytes_max };
                return Err(SourceFault::Refused(cause));
            }
        }
        self.lines_read += memchr::memchr_iter(b'\n', &bytes).count() as u64;
        Ok((!bytes.is_empty()).then_some(bytes))
    }

    /// Bytes up to the end of the last whole record; 0 where none ends.
    fn last_record_end(&self, bytes: &[u8]) -> usize {
        let Framing::Quoted(dialect) = self.framing else {
            return memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1);
        };
        let mut position = 0;
        loop {
            // Lines before the one with the next quote end where they end.
            let Some(quote) = memchr::memchr(dialect.quote, &bytes[position..]) else {
                return memchr::memrchr(b'\n', &bytes[position..]).map_or(position, |at| position + at + 1);
            };
            position += memchr::memrchr(b'\n', &bytes[position..position + quote]).map_or(0, |at| at + 1);
            let rest = &bytes[position..];
            let give_up = rest.len() >= self.limits.record_bytes_max;
            match next_record(rest, dialect, give_up, |_| {}) {
                Step::Record { next, .. } | Step::Malformed { next, .. } if position + next <= bytes.len() => {
                    // A record that ends with the bytes and not with a line end may go on.
                    if bytes[..position + next].last() != Some(&b'\n') {
                        return position;
                    }
                    position += next;
                }
                _ => return position,
            }
        }
    }
}
