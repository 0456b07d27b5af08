//! The header line: its names, and how a message may show them.

use std::collections::BTreeSet;

use prem_spec::model::Encoding;

use crate::{
    columns::trim,
    error::RefusalCause,
    identity::is_sensitive,
    limits::{COLUMNS_MAX, HEADER_CHARACTERS_MAX, HEADER_NAMES_MAX},
    records::{Dialect, FieldAt, Step, next_record},
    source::decode,
};

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";
/// A header name with as many digits is rather a value: the file may have no header at all.
const DIGITS_MAX: usize = 6;

/// The names of a file's columns, trimmed, in the file's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) names: Vec<String>,
    /// Lines before the first row.
    pub(crate) lines: u64,
}

/// Where the header of a text ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Begin {
    /// The file begins with a byte order mark.
    pub(crate) mark: bool,
    /// Bytes before the first row.
    pub(crate) bytes: usize,
}

/// Reads the header from the first records of a file. Blank lines before it are skipped.
pub(crate) fn read_header(chunk: &[u8], dialect: Dialect, encoding: Encoding) -> Result<(Header, Begin), RefusalCause> {
    let mark = chunk.starts_with(UTF8_MARK);
    if mark && encoding != Encoding::Utf8 {
        return Err(RefusalCause::UnexpectedByteOrderMark);
    }
    let mut position = if mark { UTF8_MARK.len() } else { 0 };
    loop {
        let rest = &chunk[position..];
        let mut fields = Vec::new();
        let step = next_record(rest, dialect, true, |field| fields.push(field));
        let (Step::Record { next, .. } | Step::Malformed { next, .. }) = step else {
            return Err(RefusalCause::Empty);
        };
        if next == 0 {
            return Err(RefusalCause::Empty);
        }
        position += next;
        if rest[..next].iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if matches!(step, Step::Malformed { .. }) {
            return Err(RefusalCause::UnreadableHeader { reason: "its quotes do not close" });
        }
        if fields.len() > COLUMNS_MAX {
            return Err(RefusalCause::TooManyColumns { columns_max: COLUMNS_MAX });
        }
        let names = fields.into_iter().map(|field| name(rest, field, dialect, encoding)).collect::<Result<_, _>>()?;
        let lines = memchr::memchr_iter(b'\n', &chunk[..position]).count() as u64;
        return Ok((Header { names, lines }, Begin { mark, bytes: position }));
    }
}

fn name(bytes: &[u8], field: FieldAt, dialect: Dialect, encoding: Encoding) -> Result<String, RefusalCause> {
    let decoded = decode(bytes[field.start..field.end].to_vec(), encoding);
    if !decoded.bad.is_empty() {
        return Err(RefusalCause::UnreadableHeader { reason: "it has bytes that are not UTF-8" });
    }
    let quote = char::from(dialect.quote);
    let text =
        if field.doubled { decoded.text.replace(&format!("{quote}{quote}"), &quote.to_string()) } else { decoded.text };
    Ok(trim(&text).to_owned())
}

impl Header {
    /// Of names as a format gives them.
    ///
    /// # Errors
    /// Where there are too many.
    pub(crate) fn of(names: impl IntoIterator<Item = String>, lines: u64) -> Result<Self, RefusalCause> {
        let names: Vec<String> = names.into_iter().map(|name| trim(&name).to_owned()).collect();
        if names.len() > COLUMNS_MAX {
            return Err(RefusalCause::TooManyColumns { columns_max: COLUMNS_MAX });
        }
        Ok(Self { names, lines })
    }

    /// The place of a name.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == trim(name))
    }

    /// Names that stand there more than once. Columns without name are only ever extra ones.
    pub(crate) fn duplicates(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let repeated: BTreeSet<&str> =
            self.names.iter().map(String::as_str).filter(|name| !name.is_empty() && !seen.insert(*name)).collect();
        show_all(repeated)
    }
}

/// Names as a message may list them.
pub(crate) fn show_all<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut shown: Vec<String> = names.into_iter().map(show).collect();
    if shown.len() > HEADER_NAMES_MAX {
        let more = shown.len() - HEADER_NAMES_MAX;
        shown.truncate(HEADER_NAMES_MAX);
        shown.push(format!("and {more} more"));
    }
    shown
}

/// A header name on one line, short; withheld where it looks like a value.
pub(crate) fn show(name: &str) -> String {
    if is_sensitive(name) || name.chars().filter(char::is_ascii_digit).count() >= DIGITS_MAX {
        return "(a name that looks like a value)".to_owned();
    }
    let text: String = name.chars().filter(|c| !c.is_control()).take(HEADER_CHARACTERS_MAX).collect();
    if text.len() < name.len() { format!("«{text}…»") } else { format!("«{text}»") }
}
