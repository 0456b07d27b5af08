//! Headers of the pages of a column chunk, read without their pages. They come in Thrift's compact protocol; of that, no more is
//! read than what a page's size follows from, and nothing is taken that the library might read in another way: fields stand in
//! rising order and have the types of the format.

use std::io::{self, BufRead, Read};

/// Structs inside each other, at most; the format has three.
const DEPTH_MAX: u8 = 8;

/// The types that fields of a page's header have. Of a boolean, the type is the value.
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const I32: u8 = 5;
const I64: u8 = 6;
const BINARY: u8 = 8;
const STRUCT: u8 = 12;

const DATA: i32 = 0;
const DICTIONARY: i32 = 2;
const DATA_V2: i32 = 3;

/// What a page says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) kind: PageKind,
    pub(super) unfolded: u64,
    pub(super) packed: u64,
    pub(super) values: u64,
    /// By the numbers of the format.
    pub(super) encoding: i32,
    /// Bytes before the packed ones.
    pub(super) plain: u64,
    /// A page of the second version may leave its values as they are.
    pub(super) is_packed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageKind {
    Data,
    Dictionary,
    /// Passed over by every reader.
    Other,
}

/// What is no header of a page.
pub(super) fn damaged() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

/// The header that stands next.
pub(super) fn read_header(from: &mut impl BufRead) -> io::Result<Page> {
    let header = read_struct(from, DEPTH_MAX)?;
    let size = |id| count(header.integer(id)?);
    let kind = header.integer(1)?;
    // The library goes by it whatever the kind.
    if header.get(8).is_some() != (kind == DATA_V2) {
        return Err(damaged());
    }
    let mut page = Page {
        kind: PageKind::Other,
        unfolded: size(2)?,
        packed: size(3)?,
        values: 0,
        encoding: 0,
        plain: 0,
        is_packed: true,
    };
    match kind {
        DATA => {
            let data = header.inner(5)?;
            (page.kind, page.values, page.encoding) = (PageKind::Data, count(data.integer(1)?)?, data.integer(2)?);
        }
        DICTIONARY => {
            let dictionary = header.inner(7)?;
            (page.kind, page.values) = (PageKind::Dictionary, count(dictionary.integer(1)?)?);
        }
        DATA_V2 => {
            let data = header.inner(8)?;
            (page.kind, page.values, page.encoding) = (PageKind::Data, count(data.integer(1)?)?, data.integer(4)?);
            page.plain = count(data.integer(5)?)? + count(data.integer(6)?)?;
            page.is_packed = data.boolean(7)?.unwrap_or(true);
        }
        _ => {}
    }
    Ok(page)
}

fn count(number: i32) -> io::Result<u64> {
    u64::try_from(number).map_err(|_| damaged())
}

enum Value {
    Integer(i32),
    Boolean(bool),
    Inner(Fields),
    Other,
}

/// A struct's fields by number.
struct Fields(Vec<(i16, Value)>);

impl Fields {
    fn get(&self, id: i16) -> Option<&Value> {
        self.0.iter().find(|(found, _)| *found == id).map(|(_, value)| value)
    }

    fn integer(&self, id: i16) -> io::Result<i32> {
        if let Some(Value::Integer(number)) = self.get(id) { Ok(*number) } else { Err(damaged()) }
    }

    fn boolean(&self, id: i16) -> io::Result<Option<bool>> {
        match self.get(id) {
            None => Ok(None),
            Some(Value::Boolean(truth)) => Ok(Some(*truth)),
            Some(_) => Err(damaged()),
        }
    }

    fn inner(&self, id: i16) -> io::Result<&Fields> {
        if let Some(Value::Inner(fields)) = self.get(id) { Ok(fields) } else { Err(damaged()) }
    }
}

fn read_struct(from: &mut impl BufRead, depth: u8) -> io::Result<Fields> {
    let depth = depth.checked_sub(1).ok_or_else(damaged)?;
    let mut fields = Vec::new();
    let mut last = 0_i16;
    loop {
        let byte = read_byte(from)?;
        if byte == 0 {
            return Ok(Fields(fields));
        }
        let step = i16::from(byte >> 4);
        let id = if step == 0 { i16::try_from(read_zigzag(from)?) } else { Ok(last.saturating_add(step)) };
        let id = id.ok().filter(|id| *id > last).ok_or_else(damaged)?;
        last = id;
        let value = match byte & 0x0f {
            kind @ (TRUE | FALSE) => Value::Boolean(kind == TRUE),
            I32 => Value::Integer(i32::try_from(read_zigzag(from)?).map_err(|_| damaged())?),
            I64 => read_varint(from).map(|_| Value::Other)?,
            BINARY => {
                let length = read_varint(from)?;
                skip_bytes(from, length).map(|()| Value::Other)?
            }
            STRUCT => Value::Inner(read_struct(from, depth)?),
            _ => return Err(damaged()),
        };
        fields.push((id, value));
    }
}

fn skip_bytes(from: &mut impl BufRead, count: u64) -> io::Result<()> {
    let skipped = io::copy(&mut from.take(count), &mut io::sink())?;
    if skipped == count { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn read_byte(from: &mut impl Read) -> io::Result<u8> {
    let mut byte = [0];
    from.read_exact(&mut byte)?;
    Ok(byte[0])
}

fn read_varint(from: &mut impl Read) -> io::Result<u64> {
    let mut number = 0_u64;
    for place in 0..10 {
        let byte = read_byte(from)?;
        let bits = u64::from(byte & 0x7f);
        number |= bits.checked_shl(7 * place).filter(|shifted| shifted >> (7 * place) == bits).ok_or_else(damaged)?;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(damaged())
}

fn read_zigzag(from: &mut impl Read) -> io::Result<i64> {
    let number = read_varint(from)?;
    Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that panics has found something")]
mod tests {
    use super::*;

    /// A data page of 300 bytes that unfolds to 500, of seven values in encoding 8, with statistics and a checksum.
    const HEADER: &[u8] = &[
        0x15, 0, 0x15, 0xe8, 7, 0x15, 0xd8, 4, 0x15, 2, 0x1c, 0x15, 14, 0x15, 16, 0x15, 6, 0x15, 6, 0x1c, 0x18, 2, 1,
        2, 0, 0, 0,
    ];

    #[test]
    fn a_header_by_hand() {
        let page = read_header(&mut &HEADER[..]).unwrap();
        let expected = (PageKind::Data, 500, 300, 7, 8);
        assert_eq!((page.kind, page.unfolded, page.packed, page.values, page.encoding), expected);
    }

    #[test]
    fn what_is_no_header_is_damaged() {
        for end in 0..HEADER.len() {
            assert!(read_header(&mut &HEADER[..end]).is_err(), "{end}");
        }
        for (at, to) in [(3, 0xe7), (0, 0x16), (2, 0x05), (10, 0x2c), (1, 4)] {
            let mut header = HEADER.to_vec();
            header[at] = to;
            assert!(read_header(&mut &header[..]).is_err(), "{at}");
        }
        // Structs in structs without end.
        assert!(read_header(&mut &[0x1c; 1000][..]).is_err());
        let mut unending = io::repeat(0xff);
        assert!(read_varint(&mut unending).is_err());
    }
}
