//! Where one record ends, and where its fields are.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) separator: u8,
    pub(crate) quote: u8,
}

/// A field's place, without its outer quotes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldAt {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Quotes inside are written twice.
    pub(crate) doubled: bool,
}

/// What stands at the beginning of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A record; the following one begins at `next`. `end` excludes the line end.
    Record { end: usize, next: usize },
    /// A line whose quotes make no sense; the following line begins at `next`.
    Malformed { end: usize, next: usize },
    /// The bytes end before the record does.
    Incomplete,
}

/// Reads one record and gives its fields to `field`. With `whole`, nothing follows these bytes, so that a record without line
/// end is complete and a quote without end malformed. Fields given for a malformed record are to be forgotten.
pub(crate) fn next_record(bytes: &[u8], dialect: Dialect, whole: bool, mut field: impl FnMut(FieldAt)) -> Step {
    let Dialect { separator, quote } = dialect;
    let mut at = 0;
    loop {
        if bytes.get(at) == Some(&quote) {
            let start = at + 1;
            let Some((end, doubled)) = closing_quote(bytes, start, quote, whole) else {
                return if whole { malformed(bytes, whole) } else { Step::Incomplete };
            };
            field(FieldAt { start, end, doubled });
            match (bytes.get(end + 1), bytes.get(end + 2)) {
                (Some(next), _) if *next == separator => at = end + 2,
                (Some(b'\n'), _) => return Step::Record { end: end + 1, next: end + 2 },
                (Some(b'\r'), Some(b'\n')) => return Step::Record { end: end + 1, next: end + 3 },
                (Some(b'\r'), None) | (None, _) if whole => {
                    return Step::Record { end: end + 1, next: bytes.len() };
                }
                (Some(b'\r'), None) | (None, _) => return Step::Incomplete,
                _ => return malformed(bytes, whole),
            }
        } else {
            let Some(stop) = memchr::memchr2(separator, b'\n', &bytes[at..]).map(|offset| at + offset) else {
                if !whole {
                    return Step::Incomplete;
                }
                let end = without_return(bytes, at, bytes.len());
                field(FieldAt { start: at, end, doubled: false });
                return Step::Record { end, next: bytes.len() };
            };
            if bytes[stop] == b'\n' {
                let end = without_return(bytes, at, stop);
                field(FieldAt { start: at, end, doubled: false });
                return Step::Record { end, next: stop + 1 };
            }
            field(FieldAt { start: at, end: stop, doubled: false });
            at = stop + 1;
        }
    }
}

/// The place of the single quote that ends a field, and whether doubled ones stand before it. A quote that is the last byte
/// decides nothing unless the bytes are whole.
fn closing_quote(bytes: &[u8], start: usize, quote: u8, whole: bool) -> Option<(usize, bool)> {
    let mut from = start;
    let mut doubled = false;
    loop {
        let at = from + memchr::memchr(quote, bytes.get(from..)?)?;
        match bytes.get(at + 1) {
            Some(next) if *next == quote => {
                doubled = true;
                from = at + 2;
            }
            None if !whole => return None,
            _ => return Some((at, doubled)),
        }
    }
}

fn malformed(bytes: &[u8], whole: bool) -> Step {
    match memchr::memchr(b'\n', bytes) {
        Some(stop) => Step::Malformed { end: without_return(bytes, 0, stop), next: stop + 1 },
        None if whole => Step::Malformed { end: bytes.len(), next: bytes.len() },
        None => Step::Incomplete,
    }
}

fn without_return(bytes: &[u8], start: usize, end: usize) -> usize {
    if end > start && bytes[end - 1] == b'\r' { end - 1 } else { end }
}
