//! The dictionary: what a case is made of.

use std::{borrow::Cow, collections::BTreeMap};

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

use super::{
    input::{Input, Order},
    unreadable,
};
use crate::{
    error::RefusalCause,
    limits::{SPSS_CASE_BYTES_MAX, SPSS_RECORD_BYTES_MAX},
    source::SourceFault,
};

/// Bytes of the unit of which cases are made: a number, or eight characters.
pub(super) const UNIT: usize = 8;
/// What a missing number is stored as.
pub(super) const SYSTEM_MISSING: f64 = -f64::MAX;
/// A text longer than 255 bytes is stored in segments of as many.
const SEGMENT_BYTES: usize = 255;
/// And takes a segment for each of these.
const SEGMENT_STEP: usize = 252;
/// Print formats of dates, and of dates with a time.
const MOMENT_FORMATS: [u8; 7] = [20, 22, 23, 24, 38, 39, 41];

pub(super) struct Dictionary {
    pub(super) order: Order,
    pub(super) compression: Compression,
    pub(super) bias: f64,
    /// As announced; `None` where the writer did not know.
    pub(super) cases: Option<u64>,
    pub(super) variables: Vec<Variable>,
    pub(super) case_bytes: usize,
    pub(super) encoding: &'static Encoding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Bytes,
    Zlib,
}

pub(super) struct Variable {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) missing: Missing,
    /// First byte in a case.
    from: usize,
}

pub(super) enum Kind {
    Number {
        is_moment: bool,
    },
    /// Segments as bytes from the variable's first, and the width of the text.
    Text {
        segments: Vec<(usize, usize)>,
        width: usize,
    },
}

/// What the user said to count as missing.
#[derive(Default)]
pub(super) struct Missing {
    range: Option<(f64, f64)>,
    numbers: Vec<f64>,
    texts: Vec<Vec<u8>>,
}

impl Missing {
    pub(super) fn holds_number(&self, value: f64) -> bool {
        value == SYSTEM_MISSING
            || value.is_nan()
            || self.range.is_some_and(|(low, high)| (low..=high).contains(&value))
            || self.numbers.contains(&value)
    }

    pub(super) fn holds_text(&self, text: &[u8]) -> bool {
        self.texts.iter().any(|missing| missing == text.trim_ascii_end())
    }
}

impl Variable {
    pub(super) fn bytes<'c>(&self, case: &'c [u8]) -> &'c [u8] {
        case.get(self.from..self.from + UNIT).unwrap_or_default()
    }

    /// A text without the blanks that fill it up.
    pub(super) fn text<'c>(&self, case: &'c [u8]) -> Cow<'c, [u8]> {
        let Kind::Text { segments, width } = &self.kind else { return Cow::Borrowed(&[]) };
        let segment =
            |(from, bytes): &(usize, usize)| case.get(self.from + from..self.from + from + bytes).unwrap_or_default();
        let whole = match segments.as_slice() {
            [only] => Cow::Borrowed(segment(only)),
            several => Cow::Owned(several.iter().flat_map(segment).take(*width).copied().collect()),
        };
        match whole {
            Cow::Borrowed(bytes) => Cow::Borrowed(bytes.trim_ascii_end()),
            Cow::Owned(bytes) => Cow::Owned(bytes.trim_ascii_end().to_vec()),
        }
    }
}

/// A variable as its own record says, before the records that say more.
struct Raw {
    short: Vec<u8>,
    /// 0 for a number, else bytes of a text.
    width: usize,
    format: u8,
    missing: Missing,
    from: usize,
}

/// What the records behind the variables add, by short name.
#[derive(Default)]
struct Further {
    long_names: BTreeMap<Vec<u8>, Vec<u8>>,
    long_widths: BTreeMap<Vec<u8>, usize>,
    long_missing: Vec<(Vec<u8>, Vec<Vec<u8>>)>,
    encoding: Option<String>,
    code_page: Option<i32>,
}

impl Dictionary {
    pub(super) fn read(input: &mut Input) -> Result<Self, SourceFault> {
        let Some(magic) = input.try_take(4)? else { return Err(RefusalCause::Empty.into()) };
        let is_zlib = magic == b"$FL3";
        if !is_zlib && magic != b"$FL2" {
            return Err(unreadable("it does not begin as one"));
        }
        input.skip(60)?;
        let layout = input.array()?;
        let order = match (i32::from_le_bytes(layout), i32::from_be_bytes(layout)) {
            (2 | 3, _) => Order::Little,
            (_, 2 | 3) => Order::Big,
            _ => return Err(unreadable("its byte order is unknown")),
        };
        input.skip(4)?;
        let compression = match (order.integer(input.array()?), is_zlib) {
            (0, false) => Compression::None,
            (1, false) => Compression::Bytes,
            (2, true) => Compression::Zlib,
            _ => return Err(unreadable("its compression is unknown")),
        };
        input.skip(4)?;
        let cases = u64::try_from(order.integer(input.array()?)).ok();
        let bias = order.float(input.array()?);
        input.skip(84)?;
        let mut raws: Vec<Raw> = Vec::new();
        let mut case_bytes = 0;
        let mut further = Further::default();
        loop {
            match order.integer(input.array()?) {
                2 => {
                    if case_bytes >= SPSS_CASE_BYTES_MAX {
                        let max = SPSS_CASE_BYTES_MAX as u64;
                        return Err(RefusalCause::TooLarge { format: super::FORMAT, what: "bytes a case", max }.into());
                    }
                    raws.extend(read_variable(input, order, case_bytes)?);
                    case_bytes += UNIT;
                }
                3 => skip_labels(input, order)?,
                4 => {
                    let count = order.count(input.array()?)?;
                    input.skip(u64::from(count) * 4)?;
                }
                6 => {
                    let lines = order.count(input.array()?)?;
                    input.skip(u64::from(lines) * 80)?;
                }
                7 => further.read(input, order)?,
                999 => {
                    input.skip(4)?;
                    break;
                }
                _ => return Err(unreadable("its dictionary is damaged")),
            }
        }
        let encoding = further.encoding()?;
        let variables = combine(raws, &further, encoding, case_bytes)?;
        if variables.is_empty() {
            return Err(unreadable("it has no variables"));
        }
        Ok(Self { order, compression, bias, cases, variables, case_bytes, encoding })
    }
}

impl Dictionary {
    /// For each unit of a case whether it is a number.
    pub(super) fn number_units(&self) -> Vec<bool> {
        let mut units = vec![false; self.case_bytes / UNIT];
        for variable in self.variables.iter().filter(|variable| matches!(variable.kind, Kind::Number { .. })) {
            if let Some(unit) = units.get_mut(variable.from / UNIT) {
                *unit = true;
            }
        }
        units
    }
}

/// `None` for the units that only continue a text.
fn read_variable(input: &mut Input, order: Order, from: usize) -> Result<Option<Raw>, SourceFault> {
    let width = order.integer(input.array()?);
    let is_labelled = order.integer(input.array()?);
    let missing_count = order.integer(input.array()?);
    // Type, width and decimals, one byte each, from the higher byte down.
    let format = order.integer(input.array()?).to_be_bytes()[1];
    input.skip(4)?;
    let short: [u8; 8] = input.array()?;
    if is_labelled != 0 {
        let length = u64::from(order.count(input.array()?)?);
        input.skip(length.next_multiple_of(4))?;
    }
    let values: Vec<[u8; 8]> = match missing_count {
        -3..=3 => (0..missing_count.abs()).map(|_| input.array()).collect::<Result<_, _>>()?,
        _ => return Err(unreadable("its dictionary is damaged")),
    };
    let width = match width {
        -1 => return Ok(None),
        0..=255 => usize::try_from(width).unwrap_or_default(),
        _ => return Err(unreadable("its dictionary is damaged")),
    };
    let mut missing = Missing::default();
    if width > 0 {
        missing.texts = values.iter().map(|value| value.trim_ascii_end().to_vec()).collect();
    } else {
        let mut numbers: Vec<f64> = values.iter().map(|value| order.float(*value)).collect();
        if missing_count < -1 {
            let rest = numbers.split_off(2);
            missing.range = Some((numbers[0], numbers[1]));
            numbers = rest;
        }
        missing.numbers = numbers;
    }
    Ok(Some(Raw { short: short.trim_ascii_end().to_ascii_uppercase(), width, format, missing, from }))
}

fn skip_labels(input: &mut Input, order: Order) -> Result<(), SourceFault> {
    for _ in 0..order.count(input.array()?)? {
        input.skip(UNIT as u64)?;
        let [length] = input.array()?;
        // The length and the text fill whole units together.
        input.skip((u64::from(length) + 1).next_multiple_of(UNIT as u64) - 1)?;
    }
    Ok(())
}

impl Further {
    fn read(&mut self, input: &mut Input, order: Order) -> Result<(), SourceFault> {
        let kind = order.integer(input.array()?);
        let size = u64::from(order.count(input.array()?)?);
        let bytes = size * u64::from(order.count(input.array()?)?);
        if !matches!(kind, 3 | 13 | 14 | 20 | 22) {
            return input.skip(bytes);
        }
        if bytes > SPSS_RECORD_BYTES_MAX {
            let max = SPSS_RECORD_BYTES_MAX;
            return Err(
                RefusalCause::TooLarge { format: super::FORMAT, what: "bytes of a dictionary record", max }.into()
            );
        }
        let content = input.take(usize::try_from(bytes).unwrap_or(usize::MAX))?;
        match kind {
            3 => self.code_page = content.get(28..32).and_then(|bytes| bytes.try_into().ok()).map(|b| order.integer(b)),
            13 => {
                let pairs = content.split(|byte| *byte == b'\t').filter_map(pair);
                self.long_names.extend(pairs.map(|(short, long)| (short.to_ascii_uppercase(), long.to_vec())));
            }
            14 => {
                let pairs = content.split(|byte| matches!(byte, b'\t' | 0)).filter_map(pair);
                let width = |text: &[u8]| std::str::from_utf8(text).ok()?.trim().parse().ok();
                self.long_widths
                    .extend(pairs.filter_map(|(short, text)| Some((short.to_ascii_uppercase(), width(text)?))));
            }
            20 => self.encoding = Some(String::from_utf8_lossy(content).trim().to_owned()),
            _ => self.long_missing = long_missing(content, order).unwrap_or_default(),
        }
        Ok(())
    }

    fn encoding(&self) -> Result<&'static Encoding, SourceFault> {
        if let Some(name) = &self.encoding {
            // «ISO_8859-1:1987» and the like: the year is no part of the name by which it is known.
            let label = name.split(':').next().unwrap_or(name);
            return Encoding::for_label(label.as_bytes())
                .or_else(|| Encoding::for_label(label.replace('_', "-").as_bytes()))
                .filter(|encoding| encoding.is_ascii_compatible())
                .ok_or_else(|| unreadable("its texts are in an encoding that is not known"));
        }
        match self.code_page {
            Some(65_001) => Ok(UTF_8),
            // 2 and 3 are seven- and eight-bit ASCII, as old versions wrote whatever Windows had.
            None | Some(2 | 3 | 1252 | 28_591) => Ok(WINDOWS_1252),
            Some(page) => Encoding::for_label(format!("windows-{page}").as_bytes())
                .ok_or_else(|| unreadable("its texts are in an encoding that is not known")),
        }
    }
}

/// `NAME=value`
fn pair(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == b'=')?;
    Some((&text[..at], &text[at + 1..]))
}

/// A variable's name and its missing values, as bytes.
type LongMissing = (Vec<u8>, Vec<Vec<u8>>);

/// Name, number of values, their length, values; again and again.
fn long_missing(mut content: &[u8], order: Order) -> Option<Vec<LongMissing>> {
    fn part<'c>(content: &mut &'c [u8], bytes: usize) -> Option<&'c [u8]> {
        let (here, rest) = content.split_at_checked(bytes)?;
        *content = rest;
        Some(here)
    }
    let mut all = Vec::new();
    while !content.is_empty() {
        let length = order.integer(part(&mut content, 4)?.try_into().ok()?);
        let name = part(&mut content, usize::try_from(length).ok()?)?.to_vec();
        let count = *part(&mut content, 1)?.first()?;
        let length = usize::try_from(order.integer(part(&mut content, 4)?.try_into().ok()?)).ok()?;
        let mut values = Vec::new();
        for _ in 0..count {
            values.push(part(&mut content, length)?.trim_ascii_end().to_vec());
        }
        all.push((name, values));
    }
    Some(all)
}

/// Long names and long texts put together.
fn combine(
    raws: Vec<Raw>,
    further: &Further,
    encoding: &'static Encoding,
    case_bytes: usize,
) -> Result<Vec<Variable>, SourceFault> {
    let mut variables = Vec::new();
    let mut raws = raws.into_iter();
    while let Some(raw) = raws.next() {
        let mut segments = Vec::new();
        let mut width = raw.width;
        if width > 0 {
            segments.push((0, width));
            if let Some(long) = further.long_widths.get(&raw.short).copied().filter(|long| *long > SEGMENT_BYTES) {
                width = long;
                for _ in 1..long.div_ceil(SEGMENT_STEP) {
                    let segment = raws.next().filter(|segment| segment.width > 0);
                    let segment = segment.ok_or_else(|| unreadable("its dictionary is damaged"))?;
                    segments.push((segment.from - raw.from, segment.width));
                }
            }
            let end = segments.last().map_or(0, |(from, bytes)| raw.from + from + bytes);
            if end > case_bytes {
                return Err(unreadable("its dictionary is damaged"));
            }
        }
        let name = further.long_names.get(&raw.short).unwrap_or(&raw.short);
        let kind = match width {
            0 => Kind::Number { is_moment: MOMENT_FORMATS.contains(&raw.format) },
            width => Kind::Text { segments, width },
        };
        let name = encoding.decode_without_bom_handling(name).0.into_owned();
        let mut missing = raw.missing;
        let long_missing = further.long_missing.iter().filter(|(of, _)| of.as_slice() == name.as_bytes());
        missing.texts.extend(long_missing.flat_map(|(_, values)| values.iter().cloned()));
        variables.push(Variable { name, kind, missing, from: raw.from });
    }
    Ok(variables)
}
