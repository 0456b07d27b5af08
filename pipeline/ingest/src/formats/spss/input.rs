//! Bytes of a file, in order, in its byte order.

use super::unreadable;
use crate::source::{Source, SourceFault};

const BLOCK_BYTES: usize = 1 << 18;

pub(super) struct Input {
    source: Source,
    buffer: Vec<u8>,
    at: usize,
    /// Bytes of the file before the buffer.
    before: u64,
    ended: bool,
}

impl Input {
    pub(super) fn new(source: Source) -> Self {
        Self { source, buffer: Vec::new(), at: 0, before: 0, ended: false }
    }

    pub(super) fn into_source(self) -> Source {
        self.source
    }

    /// Where in the file the next byte stands.
    pub(super) fn position(&self) -> u64 {
        self.before + self.at as u64
    }

    /// What is at hand of the bytes that follow, at least one; empty at the end.
    pub(super) fn peek(&mut self) -> Result<&[u8], SourceFault> {
        if self.at == self.buffer.len() {
            self.refill(1)?;
        }
        Ok(&self.buffer[self.at..])
    }

    /// Takes bytes that were peeked at.
    pub(super) fn consume(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.buffer.len());
    }

    /// The next `count` bytes; `count` is small or was compared with a limit.
    pub(super) fn take(&mut self, count: usize) -> Result<&[u8], SourceFault> {
        self.try_take(count)?.ok_or_else(cut_short)
    }

    /// As [`Self::take`], and `None` where nothing at all follows.
    pub(super) fn try_take(&mut self, count: usize) -> Result<Option<&[u8]>, SourceFault> {
        if self.buffer.len() - self.at < count {
            self.refill(count)?;
        }
        if self.at == self.buffer.len() && count > 0 {
            return Ok(None);
        }
        let end = self.at + count;
        if end > self.buffer.len() {
            return Err(cut_short());
        }
        let from = std::mem::replace(&mut self.at, end);
        Ok(Some(&self.buffer[from..end]))
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], SourceFault> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// Passes over bytes without keeping them, however many are announced.
    pub(super) fn skip(&mut self, mut count: u64) -> Result<(), SourceFault> {
        while count > 0 {
            let here = self.peek()?.len();
            if here == 0 {
                return Err(cut_short());
            }
            let passed = usize::try_from(count).unwrap_or(usize::MAX).min(here);
            self.consume(passed);
            count -= passed as u64;
        }
        Ok(())
    }

    fn refill(&mut self, count: usize) -> Result<(), SourceFault> {
        self.buffer.drain(..self.at);
        self.before += self.at as u64;
        self.at = 0;
        if !self.ended {
            self.ended = self.source.fill(&mut self.buffer, count.max(BLOCK_BYTES))?;
        }
        Ok(())
    }
}

fn cut_short() -> SourceFault {
    unreadable("it is cut short")
}

/// The order of a number's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    pub(super) fn integer(self, bytes: [u8; 4]) -> i32 {
        match self {
            Self::Little => i32::from_le_bytes(bytes),
            Self::Big => i32::from_be_bytes(bytes),
        }
    }

    pub(super) fn float(self, bytes: [u8; 8]) -> f64 {
        match self {
            Self::Little => f64::from_le_bytes(bytes),
            Self::Big => f64::from_be_bytes(bytes),
        }
    }

    /// A float of eight bytes; of any other number of bytes, no number.
    pub(super) fn number(self, bytes: &[u8]) -> f64 {
        bytes.try_into().map_or(f64::NAN, |bytes| self.float(bytes))
    }

    /// A count; negative ones are nonsense.
    pub(super) fn count(self, bytes: [u8; 4]) -> Result<u32, SourceFault> {
        u32::try_from(self.integer(bytes)).map_err(|_| unreadable("it has a negative count"))
    }
}
