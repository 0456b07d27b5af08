//! Separator and encoding of a text whose export leaves them to each file. What is found is told in a note.
//!
//! **Separator.** The one under which the header line has the most of the declared names, then the most names.
//!
//! **Encoding.** Windows-1252 and ISO-8859-1 accept almost any bytes, while text in them is hardly ever valid UTF-8: a letter such
//! as `ø` is one byte that UTF-8 wants others behind. So the bytes decide by majority: UTF-8 where at least as many characters of
//! several bytes are whole as broken (the broken ones cost their rows), Windows-1252 otherwise. The two others differ in 0x80–0x9F
//! only, where ISO-8859-1 has control characters that no survey writes, so Windows-1252 stands for both.
//!
//! Much of the file is read for it, and then read again: half a file of plain ASCII says nothing about the other half.

use std::path::Path;

use prem_spec::model::Encoding;

use crate::{
    error::RefusalCause,
    header::read_header,
    layout::Declared,
    limits::{DETECT_BYTES_MAX, Limits},
    note::Note,
    records::Dialect,
    source::{BINARY, Source, SourceFault, foreign_format},
};

const BLOCK_BYTES: usize = 1 << 20;

/// With the words that tell of them.
const SEPARATORS: [(u8, &str); 4] = [(b';', "semicolon"), (b',', "comma"), (b'\t', "tab"), (b'|', "vertical bar")];

pub(super) struct Detected {
    pub(super) dialect: Dialect,
    pub(super) encoding: Encoding,
    pub(super) notes: Vec<Note>,
}

pub(super) fn detect(
    path: &Path,
    declared: &Declared<'_>,
    encoding: Option<Encoding>,
    limits: Limits,
) -> Result<Detected, SourceFault> {
    if let (Some(separator), Some(encoding)) = (declared.separator, encoding) {
        let dialect = Dialect { separator, quote: declared.quote };
        return Ok(Detected { dialect, encoding, notes: Vec::new() });
    }
    let mut source = Source::open(path, limits)??;
    let mut text = Vec::new();
    let mut ended = source.fill(&mut text, BLOCK_BYTES)?;
    // Of a file that is no text there is nothing to detect, and that is not what is wrong with it.
    let binary = || memchr::memchr(0, &text).map(|_| BINARY);
    if let Some(what) = foreign_format(&text).or_else(binary) {
        return Err(RefusalCause::NotDelimitedText { what }.into());
    }
    let head = text.clone();
    let mut notes = Vec::new();
    let encoding = match encoding {
        Some(encoding) => encoding,
        None => {
            let mut census = Census::default();
            let mut read = text.len() as u64;
            census.count(&mut text);
            while !ended && read < DETECT_BYTES_MAX {
                let kept = text.len();
                ended = source.fill(&mut text, kept + BLOCK_BYTES)?;
                read += (text.len() - kept) as u64;
                census.count(&mut text);
            }
            let (encoding, value) = census.verdict();
            notes.push(Note::Detected { what: "encoding", value: value.to_owned() });
            encoding
        }
    };
    let separator = match declared.separator {
        Some(separator) => separator,
        None => {
            let (separator, name) = separator(&head, declared, encoding)?;
            notes.push(Note::Detected { what: "separator", value: name.to_owned() });
            separator
        }
    };
    Ok(Detected { dialect: Dialect { separator, quote: declared.quote }, encoding, notes })
}

/// Characters of several bytes, whole and broken.
#[derive(Default)]
struct Census {
    whole: u64,
    broken: u64,
}

impl Census {
    /// Counts the bytes and leaves those of a character that may go on.
    fn count(&mut self, bytes: &mut Vec<u8>) {
        let mut from = 0;
        while from < bytes.len() {
            let (valid, broken) = match std::str::from_utf8(&bytes[from..]) {
                Ok(text) => (text.len(), None),
                Err(error) => (error.valid_up_to(), Some(error.error_len())),
            };
            let begins = |byte: &&u8| **byte >= 0xc0;
            self.whole += bytes[from..from + valid].iter().filter(begins).count() as u64;
            from += valid;
            match broken {
                None => {}
                Some(Some(length)) => {
                    self.broken += 1;
                    from += length;
                }
                Some(None) => break,
            }
        }
        bytes.drain(..from);
    }

    fn verdict(&self) -> (Encoding, &'static str) {
        match (self.whole, self.broken) {
            (0, 0) => (Encoding::Utf8, "utf-8 (nothing but ASCII)"),
            (whole, broken) if whole >= broken => (Encoding::Utf8, "utf-8"),
            _ => (Encoding::Windows1252, "windows-1252"),
        }
    }
}

fn separator(head: &[u8], declared: &Declared<'_>, encoding: Encoding) -> Result<(u8, &'static str), RefusalCause> {
    let sought: Vec<String> = declared.columns.iter().flat_map(|column| declared.sought(column)).collect();
    // Headers known and headers in all, then the separator: more is better.
    type Found = ((usize, usize), (u8, &'static str));
    let mut best: Option<Found> = None;
    for (separator, name) in SEPARATORS.into_iter().filter(|(separator, _)| *separator != declared.quote) {
        let dialect = Dialect { separator, quote: declared.quote };
        let Ok((header, _)) = read_header(head, dialect, encoding) else { continue };
        let known = sought.iter().filter(|name| header.position(name).is_some()).count();
        let score = (known, header.names.len());
        if best.is_none_or(|(highest, _)| score > highest) {
            best = Some((score, (separator, name)));
        }
    }
    match best {
        Some(((known, names), found)) if known > 0 || names > 1 => Ok(found),
        Some(_) => Err(RefusalCause::Undetected { what: "separator" }),
        // Whatever the separator, there is no header.
        None => Err(match read_header(head, Dialect { separator: b';', quote: declared.quote }, encoding) {
            Err(cause) => cause,
            Ok(_) => RefusalCause::Undetected { what: "separator" },
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_may_stand_across_blocks() {
        let text = "blåbærgrød på ø".as_bytes();
        for cut in 0..text.len() {
            let mut census = Census::default();
            let mut bytes = text[..cut].to_vec();
            census.count(&mut bytes);
            bytes.extend_from_slice(&text[cut..]);
            census.count(&mut bytes);
            assert_eq!((census.whole, census.broken), (5, 0), "{cut}");
        }
    }

    #[test]
    fn the_majority_decides() {
        let verdict = |bytes: &[u8]| {
            let mut census = Census::default();
            census.count(&mut bytes.to_vec());
            census.verdict().0
        };
        assert_eq!(verdict(b"plain"), Encoding::Utf8);
        assert_eq!(verdict(b"bl\xe5b\xe6r"), Encoding::Windows1252);
        assert_eq!(verdict("blåbær".as_bytes()), Encoding::Utf8);
        assert_eq!(verdict(&["blåbær".as_bytes(), b";gr\xf8d"].concat()), Encoding::Utf8);
    }
}
