//! Cases as one stream of units of eight bytes, whichever way they were compressed.

use flate2::{Decompress, FlushDecompress, Status};

use super::{
    dictionary::{Compression, Dictionary, SYSTEM_MISSING, UNIT},
    input::{Input, Order},
    unreadable,
};
use crate::{
    error::RefusalCause,
    limits::Limits,
    source::{Source, SourceFault},
};

const BLOCK_BYTES: usize = 1 << 16;

/// Codes of byte compression; those between stand for a small whole number.
const PADDING: u8 = 0;
const END: u8 = 252;
const AS_IT_IS: u8 = 253;
const BLANKS: u8 = 254;
const MISSING: u8 = 255;

pub(super) struct Cases {
    bytes: Bytes,
    is_plain: bool,
    order: Order,
    bias: f64,
    /// The unread codes of a group of eight.
    codes: [u8; UNIT],
    next_code: usize,
    /// Units that hold numbers, and not text.
    numbers: Vec<bool>,
}

impl Cases {
    pub(super) fn new(mut input: Input, dictionary: &Dictionary, limits: Limits) -> Result<Self, SourceFault> {
        let zlib = match dictionary.compression {
            Compression::Zlib => {
                // Three places in the file, of which the last tells where the data end.
                input.skip(8)?;
                let end = input.array()?;
                input.skip(8)?;
                let end = match dictionary.order {
                    Order::Little => u64::from_le_bytes(end),
                    Order::Big => u64::from_be_bytes(end),
                };
                Some(Zlib::new(end.saturating_sub(input.position()), limits))
            }
            Compression::None | Compression::Bytes => None,
        };
        Ok(Self {
            bytes: Bytes { input, zlib },
            is_plain: dictionary.compression == Compression::None,
            order: dictionary.order,
            bias: dictionary.bias,
            codes: [PADDING; UNIT],
            next_code: UNIT,
            numbers: dictionary.number_units(),
        })
    }

    pub(super) fn into_source(self) -> Source {
        self.bytes.input.into_source()
    }

    /// Fills `case`; false where there is none any more.
    pub(super) fn next(&mut self, case: &mut [u8]) -> Result<bool, SourceFault> {
        if self.is_plain {
            return self.bytes.fill(case);
        }
        for at in 0..case.len() / UNIT {
            let unit = &mut case[at * UNIT..(at + 1) * UNIT];
            if !self.unit(unit, self.numbers.get(at) == Some(&true))? {
                return if at == 0 { Ok(false) } else { Err(unreadable("it ends inside a case")) };
            }
        }
        Ok(true)
    }

    /// One unit; false at the end of the data.
    fn unit(&mut self, unit: &mut [u8], is_number: bool) -> Result<bool, SourceFault> {
        loop {
            if self.next_code == UNIT {
                let mut codes = [PADDING; UNIT];
                if !self.bytes.fill(&mut codes)? {
                    return Ok(false);
                }
                (self.codes, self.next_code) = (codes, 0);
            }
            let code = self.codes[self.next_code];
            self.next_code += 1;
            match code {
                PADDING => {}
                END => return Ok(false),
                AS_IT_IS => {
                    if !self.bytes.fill(unit)? {
                        return Err(unreadable("it ends inside a case"));
                    }
                    return Ok(true);
                }
                BLANKS => unit.fill(b' '),
                MISSING => unit.copy_from_slice(&self.encode(SYSTEM_MISSING)),
                small if is_number => unit.copy_from_slice(&self.encode(f64::from(small) - self.bias)),
                _ => return Err(unreadable("it has a number where a text is")),
            }
            if code != PADDING {
                return Ok(true);
            }
        }
    }

    fn encode(&self, number: f64) -> [u8; 8] {
        match self.order {
            Order::Little => number.to_le_bytes(),
            Order::Big => number.to_be_bytes(),
        }
    }
}

/// The data's bytes, unpacked where zlib is around them.
struct Bytes {
    input: Input,
    zlib: Option<Zlib>,
}

impl Bytes {
    /// Fills `to` whole; false where nothing at all is left.
    fn fill(&mut self, to: &mut [u8]) -> Result<bool, SourceFault> {
        match &mut self.zlib {
            None => match self.input.try_take(to.len())? {
                Some(bytes) => {
                    to.copy_from_slice(bytes);
                    Ok(true)
                }
                None => Ok(false),
            },
            Some(zlib) => zlib.fill(&mut self.input, to),
        }
    }
}

/// Blocks of zlib, one behind the other; only their sum has a meaning.
struct Zlib {
    decompress: Decompress,
    /// Packed bytes up to the trailer.
    packed_max: u64,
    packed: u64,
    unpacked: u64,
    buffer: Vec<u8>,
    at: usize,
    is_inside: bool,
    limits: Limits,
}

impl Zlib {
    fn new(packed_max: u64, limits: Limits) -> Self {
        Self {
            decompress: Decompress::new(true),
            packed_max,
            packed: 0,
            unpacked: 0,
            buffer: Vec::new(),
            at: 0,
            is_inside: false,
            limits,
        }
    }

    fn fill(&mut self, input: &mut Input, to: &mut [u8]) -> Result<bool, SourceFault> {
        let mut filled = 0;
        while filled < to.len() {
            if self.at == self.buffer.len() && !self.unpack(input)? {
                return if filled == 0 { Ok(false) } else { Err(unreadable("it ends inside a case")) };
            }
            let here = (to.len() - filled).min(self.buffer.len() - self.at);
            to[filled..filled + here].copy_from_slice(&self.buffer[self.at..self.at + here]);
            self.at += here;
            filled += here;
        }
        Ok(true)
    }

    /// Unpacks some more; false at the end of the data.
    fn unpack(&mut self, input: &mut Input) -> Result<bool, SourceFault> {
        let damaged = || unreadable("its compression is damaged");
        self.at = 0;
        loop {
            self.buffer.resize(BLOCK_BYTES, 0);
            let packed = input.peek()?;
            if packed.is_empty() || self.packed >= self.packed_max {
                self.buffer.clear();
                return if self.is_inside { Err(unreadable("it is cut short")) } else { Ok(false) };
            }
            let (before_in, before_out) = (self.decompress.total_in(), self.decompress.total_out());
            let status = self.decompress.decompress(packed, &mut self.buffer, FlushDecompress::None);
            let status = status.map_err(|_| damaged())?;
            let (taken, given) = (self.decompress.total_in() - before_in, self.decompress.total_out() - before_out);
            input.consume(usize::try_from(taken).unwrap_or(usize::MAX));
            self.buffer.truncate(usize::try_from(given).unwrap_or_default());
            self.packed += taken;
            self.unpacked += given;
            self.is_inside = true;
            self.check_expansion()?;
            if status == Status::StreamEnd {
                self.decompress.reset(true);
                self.is_inside = false;
            } else if taken == 0 && given == 0 {
                return Err(damaged());
            }
            if !self.buffer.is_empty() {
                return Ok(true);
            }
        }
    }

    fn check_expansion(&self) -> Result<(), SourceFault> {
        let Limits { expansion_max, expansion_free_bytes, text_bytes_max, .. } = self.limits;
        let unfolds = self.unpacked > expansion_free_bytes && self.unpacked / expansion_max.max(1) > self.packed;
        if unfolds || self.unpacked > text_bytes_max {
            return Err(RefusalCause::Bomb { format: "zlib", ratio: expansion_max, bytes_max: text_bytes_max }.into());
        }
        Ok(())
    }
}
