//! What a workbook unfolds to, seen before it is opened: its own directory may lie about sizes, so every part is unfolded once,
//! counted and forgotten.

use std::{
    fs::File,
    io::{BufReader, Read, Seek},
};

use zip::ZipArchive;

use super::unreadable;
use crate::{
    error::RefusalCause,
    limits::{WORKBOOK_BYTES_MAX, WORKBOOK_TEXTS_BYTES_MAX},
    source::SourceFault,
};

const BLOCK_BYTES: usize = 1 << 16;
/// Parts of a workbook with hundreds of sheets and pictures stay far below.
const PARTS_MAX: usize = 10_000;
/// The attribute by which the part with the texts announces their number; the reader reserves room for as many.
const ANNOUNCED: &[u8] = b"uniqueCount";
/// The attribute with its number and blanks around the sign.
const ANNOUNCEMENT_BYTES: usize = 64;
/// No text takes fewer bytes of its part: `<si/>`.
const TEXT_BYTES_MIN: u64 = 5;

/// Reads every part of the workbook through.
pub(super) fn look_through(file: &File) -> Result<(), SourceFault> {
    let mut file = file.try_clone().map_err(SourceFault::Io)?;
    file.rewind().map_err(SourceFault::Io)?;
    let damaged = || unreadable("it is no workbook of the .xlsx kind, or damaged");
    let mut archive = ZipArchive::new(BufReader::new(&file)).map_err(|_| damaged())?;
    if archive.len() > PARTS_MAX {
        return Err(damaged().into());
    }
    let mut left = WORKBOOK_BYTES_MAX;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|_| damaged())?;
        let is_texts = part.name().map_err(|_| damaged())?.to_ascii_lowercase().contains("sharedstrings");
        let max = if is_texts { left.min(WORKBOOK_TEXTS_BYTES_MAX) } else { left };
        let size = measure(part, max)?;
        left -= size;
    }
    file.rewind().map_err(SourceFault::Io)
}

/// The unfolded size of a part, at most `max`.
fn measure(mut part: impl Read, max: u64) -> Result<u64, RefusalCause> {
    let mut size = 0;
    let mut announced = 0;
    let mut buffer = vec![0; ANNOUNCEMENT_BYTES + BLOCK_BYTES];
    // The end of the bytes before, so that an announcement is seen where it stands across blocks.
    let mut kept = 0;
    loop {
        let read = part.read(&mut buffer[kept..]).map_err(|_| unreadable("a part of it is damaged"))?;
        size += read as u64;
        if size > max {
            return Err(RefusalCause::TooLarge { format: super::FORMAT, what: "bytes of unfolded content", max });
        }
        let end = kept + read;
        let bytes = &buffer[..end];
        if size == read as u64 && bytes.iter().take(4).any(|byte| matches!(byte, 0 | 0xfe | 0xff)) && is_text(bytes) {
            return Err(unreadable("a part of it is not written in UTF-8"));
        }
        // One that stands at the very end is seen again with what follows it.
        let is_whole = |at: &usize| read == 0 || end - at >= ANNOUNCEMENT_BYTES;
        for at in memchr::memmem::find_iter(bytes, ANNOUNCED).filter(is_whole) {
            let rest = &bytes[at + ANNOUNCED.len()..end.min(at + ANNOUNCEMENT_BYTES)];
            announced = announced.max(number_after(rest));
        }
        if read == 0 {
            break;
        }
        let from = end.saturating_sub(ANNOUNCEMENT_BYTES);
        buffer.copy_within(from..end, 0);
        kept = end - from;
    }
    if announced > size / TEXT_BYTES_MIN {
        return Err(unreadable("it announces more texts than it has"));
    }
    Ok(size)
}

/// Whether the bytes begin an XML text of two-byte characters; pictures may begin with any byte.
fn is_text(bytes: &[u8]) -> bool {
    let is = |mark: &[u8]| bytes.starts_with(mark);
    is(b"\xff\xfe") || is(b"\xfe\xff") || is(b"<\0") || is(b"\0<")
}

/// `="123"`: 123. A number too large is the largest, and so is one that is nowhere near.
fn number_after(bytes: &[u8]) -> u64 {
    let is_before = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'=' | b'"' | b'\'');
    let digits = bytes.iter().skip_while(|byte| is_before(byte)).take_while(|byte| byte.is_ascii_digit());
    if digits.clone().next().is_none() {
        return u64::MAX;
    }
    digits.fold(0_u64, |number, byte| number.saturating_mul(10).saturating_add(u64::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announcements_are_compared_with_what_there_is() {
        let part = |count: &str| format!("<sst uniqueCount = \"{count}\"><si><t>a</t></si></sst>");
        assert!(measure(part("1").as_bytes(), 1000).is_ok());
        assert!(measure(part("99999999999999999999").as_bytes(), 1000).is_err());
        let far = format!("{}{}", " ".repeat(BLOCK_BYTES - 6), part("1000000"));
        assert!(measure(far.as_bytes(), 1 << 20).is_err());
    }

    #[test]
    fn sizes_are_bounded() {
        assert!(matches!(measure(&[b'a'; 1001][..], 1000), Err(RefusalCause::TooLarge { .. })));
        assert_eq!(measure(&[b'a'; 1000][..], 1000), Ok(1000));
    }
}
