//! Bytes to text. A bad byte costs its row, not its file.

use encoding_rs::WINDOWS_1252;
use prem_spec::model::Encoding;

/// Text, and where bytes were that are none.
pub(crate) struct Decoded {
    pub(crate) text: String,
    /// Offsets in `text`, ascending, of `?` that stand for bytes outside UTF-8.
    pub(crate) bad: Vec<usize>,
}

/// All three encodings keep ASCII as it is, so separators, quotes and line ends stand where they stood.
pub(crate) fn decode(bytes: Vec<u8>, encoding: Encoding) -> Decoded {
    let text = match encoding {
        Encoding::Utf8 => return decode_utf8(bytes),
        Encoding::Windows1252 => WINDOWS_1252.decode_without_bom_handling(&bytes).0.into_owned(),
        // In the web's vocabulary «iso-8859-1» means Windows-1252; this is the real one.
        Encoding::Iso8859_1 => encoding_rs::mem::decode_latin1(&bytes).into_owned(),
    };
    Decoded { text, bad: Vec::new() }
}

fn decode_utf8(bytes: Vec<u8>) -> Decoded {
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => return Decoded { text, bad: Vec::new() },
        Err(error) => error.into_bytes(),
    };
    let mut text = String::with_capacity(bytes.len());
    let mut bad = Vec::new();
    for part in bytes.utf8_chunks() {
        text.push_str(part.valid());
        if !part.invalid().is_empty() {
            bad.push(text.len());
            text.push('?');
        }
    }
    Decoded { text, bad }
}
