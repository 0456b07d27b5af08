//! Delimited text into a table: all rows with the header's number of fields, and notes on the others.

use super::{BadRecord, Dialect, FieldAt, Place, Step, Table, next_record, table::small};
use crate::{reason::Reason, source::Decoded};

struct Splitter {
    table: Table,
    /// Where the current record's fields begin in `spans`.
    first: usize,
    bad_bytes: std::iter::Peekable<std::vec::IntoIter<usize>>,
}

/// Splits decoded text into fields. Empty records are counted and left out.
pub(crate) fn split(decoded: Decoded, dialect: Dialect, width: usize) -> Table {
    let Decoded { text, bad } = decoded;
    let table = Table { spans: Vec::with_capacity(text.len() / 6), ..Table::new(width) };
    let mut splitter = Splitter { table, first: 0, bad_bytes: bad.into_iter().peekable() };
    let bytes = text.as_bytes();
    let tail = if memchr::memchr(dialect.quote, bytes).is_none() {
        splitter.unquoted(bytes, dialect.separator);
        String::new()
    } else {
        splitter.quoted(&text, dialect)
    };
    let mut table = splitter.table;
    table.text = text;
    table.text.push_str(&tail);
    table
}

impl Splitter {
    /// No quote in the whole chunk: every separator and line end is one.
    fn unquoted(&mut self, bytes: &[u8], separator: u8) {
        let mut start = 0;
        let mut record_start = 0;
        for at in memchr::memchr2_iter(separator, b'\n', bytes) {
            if bytes[at] == b'\n' {
                let end = if at > start && bytes[at - 1] == b'\r' { at - 1 } else { at };
                self.table.spans.push(span(start, end));
                self.end_record(bytes, at, 1);
                record_start = at + 1;
            } else {
                self.table.spans.push(span(start, at));
            }
            start = at + 1;
        }
        if record_start < bytes.len() {
            let end = bytes.len() - usize::from(bytes.ends_with(b"\r") && bytes.len() > start);
            self.table.spans.push(span(start, end));
            self.end_record(bytes, bytes.len(), 0);
        }
    }

    /// Returns the fields whose doubled quotes were undone, to stand behind the text.
    fn quoted(&mut self, text: &str, dialect: Dialect) -> String {
        let bytes = text.as_bytes();
        let quote = char::from(dialect.quote);
        let (doubled_quote, single_quote) = (format!("{quote}{quote}"), quote.to_string());
        let mut tail = String::new();
        let mut position = 0;
        while position < bytes.len() {
            let spans = &mut self.table.spans;
            let step = next_record(&bytes[position..], dialect, true, |FieldAt { start, end, doubled }| {
                let (mut start, mut end) = (position + start, position + end);
                if doubled {
                    let undone = text[start..end].replace(&doubled_quote, &single_quote);
                    start = bytes.len() + tail.len();
                    end = start + undone.len();
                    tail.push_str(&undone);
                }
                spans.push(span(start, end));
            });
            let (Step::Record { next, .. } | Step::Malformed { next, .. }) = step else { break };
            let end = position + next;
            let lines = memchr::memchr_iter(b'\n', &bytes[position..end]).count();
            if matches!(step, Step::Malformed { .. }) {
                self.table.spans.truncate(self.first);
                self.drop_record(end, lines, Reason::MalformedQuote);
            } else {
                self.end_record(bytes, end, lines);
            }
            position = end;
        }
        tail
    }

    /// Takes the fields since the last record as one of `lines` line ends.
    fn end_record(&mut self, bytes: &[u8], end: usize, lines: usize) {
        let fields = &self.table.spans[self.first..];
        if is_empty(bytes, fields) {
            self.table.spans.truncate(self.first);
            self.table.empty += 1;
            self.table.lines += small(lines);
        } else if fields.len() != self.table.width {
            self.table.spans.truncate(self.first);
            self.drop_record(end, lines, Reason::WrongFieldCount);
        } else if self.has_bad_bytes(end) {
            self.table.spans.truncate(self.first);
            self.drop_record(end, lines, Reason::NotUtf8);
        } else {
            let place = self.next_place();
            self.table.places.push(place);
            self.table.lines += small(lines);
            self.first = self.table.spans.len();
        }
    }

    fn drop_record(&mut self, end: usize, lines: usize, reason: Reason) {
        let reason = if self.has_bad_bytes(end) { Reason::NotUtf8 } else { reason };
        let place = self.next_place();
        self.table.bad.push(BadRecord { place, reason });
        self.table.lines += small(lines);
    }

    fn next_place(&self) -> Place {
        Place { line: self.table.lines, record: small(self.table.places.len() + self.table.bad.len()) }
    }

    /// Whether a byte before `end` is none of UTF-8; each is asked for once.
    fn has_bad_bytes(&mut self, end: usize) -> bool {
        let mut any = false;
        while self.bad_bytes.next_if(|at| *at < end).is_some() {
            any = true;
        }
        any
    }
}

fn span(start: usize, end: usize) -> (u32, u32) {
    (small(start), small(end))
}

/// A record in which every field is blank. Fields behind the text are never blank: they have a quote.
fn is_empty(bytes: &[u8], fields: &[(u32, u32)]) -> bool {
    let blank = |byte: &u8| byte.is_ascii_whitespace();
    fields
        .iter()
        .all(|&(start, end)| bytes.get(start as usize..end as usize).is_some_and(|cell| cell.iter().all(blank)))
}
