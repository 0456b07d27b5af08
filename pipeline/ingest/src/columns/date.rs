//! Dates and times by declared formats, strictly: two digits are two digits, and 31 February is no day.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Builder, TimestampMillisecondBuilder};
use arrow::datatypes::{Date32Type, TimestampMillisecondType};
use jiff::{civil::Date, fmt::strtime::BrokenDownTime};

use super::Builder;
use crate::{formats::norwegian_seconds, identity::Scope, reason::Reason};

pub(crate) const SECONDS_PER_DAY: i64 = 86_400;
pub(crate) const MILLISECONDS_PER_DAY: i64 = 1000 * SECONDS_PER_DAY;
const EPOCH: Date = jiff::civil::date(1970, 1, 1);

/// A format, ready to be matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DateFormat {
    /// Years, months, days, hours, minutes and seconds with text between.
    Simple(Vec<Part>),
    /// Anything else that strftime knows, by jiff. A time with its distance from UTC becomes Norwegian local time.
    Other(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Literal(u8),
    /// A number of `digits_min..=digits_max` digits.
    Number {
        unit: Unit,
        digits_min: usize,
        digits_max: usize,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Moment {
    /// Days from 1970-01-01.
    day: i32,
    seconds: i64,
}

impl DateFormat {
    /// `%-d` and `%-m` take one or two digits.
    pub(crate) fn compile(format: &str) -> Self {
        simple(format).map_or_else(|| Self::Other(format.to_owned()), Self::Simple)
    }

    fn parse(&self, value: &str) -> Option<Moment> {
        match self {
            Self::Simple(parts) => parse_simple(parts, value.as_bytes()),
            Self::Other(format) => {
                let time = BrokenDownTime::parse(format, value).ok()?;
                if time.offset().is_some() {
                    let local = norwegian_seconds(time.to_timestamp().ok()?.as_second());
                    let day = i32::try_from(local.div_euclid(SECONDS_PER_DAY)).ok()?;
                    return Some(Moment { day, seconds: local.rem_euclid(SECONDS_PER_DAY) });
                }
                let date = time.to_date().ok()?;
                let clock = time.to_time().unwrap_or_default();
                let seconds =
                    i64::from(clock.hour()) * 3600 + i64::from(clock.minute()) * 60 + i64::from(clock.second());
                Some(Moment { day: day_number(date), seconds })
            }
        }
    }
}

fn simple(format: &str) -> Option<Vec<Part>> {
    let format = format.replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S").replace("%R", "%H:%M");
    let mut parts = Vec::new();
    let mut bytes = format.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            parts.push(Part::Literal(byte));
            continue;
        }
        let mut directive = bytes.next()?;
        let mut digits_min = 2;
        if directive == b'-' {
            digits_min = 1;
            directive = bytes.next()?;
        }
        let unit = match directive {
            b'Y' => Unit::Year,
            b'm' => Unit::Month,
            b'd' => Unit::Day,
            b'H' => Unit::Hour,
            b'M' => Unit::Minute,
            b'S' => Unit::Second,
            b'%' => {
                parts.push(Part::Literal(b'%'));
                continue;
            }
            _ => return None,
        };
        let (digits_min, digits_max) = if unit == Unit::Year { (4, 4) } else { (digits_min, 2) };
        parts.push(Part::Number { unit, digits_min, digits_max });
    }
    Some(parts)
}

fn parse_simple(parts: &[Part], bytes: &[u8]) -> Option<Moment> {
    let (mut year, mut month, mut day) = (None, None, None);
    let (mut hour, mut minute, mut second) = (0, 0, 0);
    let mut rest = bytes;
    for part in parts {
        match *part {
            Part::Literal(expected) => {
                let (first, others) = rest.split_first()?;
                if *first != expected {
                    return None;
                }
                rest = others;
            }
            Part::Number { unit, digits_min, digits_max } => {
                let (number, others) = number(rest, digits_min, digits_max)?;
                match unit {
                    Unit::Year => year = i16::try_from(number).ok(),
                    Unit::Month => month = i8::try_from(number).ok(),
                    Unit::Day => day = i8::try_from(number).ok(),
                    Unit::Hour => hour = number,
                    Unit::Minute => minute = number,
                    Unit::Second => second = number,
                }
                rest = others;
            }
        }
    }
    if !rest.is_empty() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let day = day_number(Date::new(year?, month?, day?).ok()?);
    Some(Moment { day, seconds: i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second) })
}

fn number(bytes: &[u8], digits_min: usize, digits_max: usize) -> Option<(u32, &[u8])> {
    let mut number = 0;
    let mut count = 0;
    while count < digits_max
        && let Some(digit) = bytes.get(count).filter(|byte| byte.is_ascii_digit())
    {
        number = number * 10 + u32::from(digit - b'0');
        count += 1;
    }
    (count >= digits_min).then(|| (number, &bytes[count..]))
}

/// Days from 1970-01-01 (Hinnant's `days_from_civil`).
pub(crate) fn day_number(date: Date) -> i32 {
    let (month, day) = (i32::from(date.month()), i32::from(date.day()));
    let year = i32::from(date.year()) - i32::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The day that is `day` days from 1970-01-01; `None` outside the years 1 to 9999.
pub(crate) fn date_of(day: i64) -> Option<Date> {
    let span = jiff::Span::new().try_days(day).ok()?;
    EPOCH.checked_add(span).ok().filter(|date| date.year() >= 1)
}

/// The day of a stored date or time; `None` where it is missing.
pub(crate) fn day_of(array: &ArrayRef, row: usize) -> Option<i64> {
    if array.is_null(row) {
        return None;
    }
    if let Some(days) = array.as_primitive_opt::<Date32Type>() {
        return Some(i64::from(days.value(row)));
    }
    let times = array.as_primitive_opt::<TimestampMillisecondType>()?;
    Some(times.value(row).div_euclid(MILLISECONDS_PER_DAY))
}

fn parse(formats: &[DateFormat], value: &str, min: i32, max: i32) -> Result<Moment, Reason> {
    let moment = formats.iter().find_map(|format| format.parse(value)).ok_or(Reason::NotADate)?;
    if (min..=max).contains(&moment.day) { Ok(moment) } else { Err(Reason::OutOfRange) }
}

pub(super) struct DateBuilder<'a> {
    values: Date32Builder,
    formats: &'a [DateFormat],
    min: i32,
    max: i32,
}

impl<'a> DateBuilder<'a> {
    pub(super) fn new(rows: usize, formats: &'a [DateFormat], min: i32, max: i32) -> Self {
        Self { values: Date32Builder::with_capacity(rows), formats, min, max }
    }
}

impl Builder for DateBuilder<'_> {
    const GUARD: Option<Scope> = None;

    fn take(&mut self, value: &str) -> Result<(), Reason> {
        self.values.append_value(parse(self.formats, value, self.min, self.max)?.day);
        Ok(())
    }

    fn null(&mut self) {
        self.values.append_null();
    }

    fn finish(mut self) -> ArrayRef {
        Arc::new(self.values.finish())
    }
}

/// Local times as milliseconds from 1970-01-01 00:00, to the second; a date alone is its midnight.
pub(super) struct DateTimeBuilder<'a> {
    values: TimestampMillisecondBuilder,
    formats: &'a [DateFormat],
    min: i32,
    max: i32,
}

impl<'a> DateTimeBuilder<'a> {
    pub(super) fn new(rows: usize, formats: &'a [DateFormat], min: i32, max: i32) -> Self {
        Self { values: TimestampMillisecondBuilder::with_capacity(rows), formats, min, max }
    }
}

impl Builder for DateTimeBuilder<'_> {
    const GUARD: Option<Scope> = None;

    fn take(&mut self, value: &str) -> Result<(), Reason> {
        let moment = parse(self.formats, value, self.min, self.max)?;
        self.values.append_value((i64::from(moment.day) * SECONDS_PER_DAY + moment.seconds) * 1000);
        Ok(())
    }

    fn null(&mut self) {
        self.values.append_null();
    }

    fn finish(mut self) -> ArrayRef {
        Arc::new(self.values.finish())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn read(format: &str, value: &str) -> Option<(i32, i64)> {
        DateFormat::compile(format).parse(value).map(|moment| (moment.day, moment.seconds))
    }

    #[test]
    fn counts_days_as_the_calendar_does() {
        let mut day = date(1899, 12, 31);
        for number in day_number(day)..day_number(date(2101, 1, 1)) {
            assert_eq!(day_number(day), number);
            day = day.tomorrow().unwrap();
        }
        assert_eq!(day_number(date(1970, 1, 1)), 0);
    }

    #[test]
    fn is_strict() {
        assert_eq!(read("%d.%m.%Y", "02.01.1970"), Some((1, 0)));
        assert_eq!(read("%-d.%-m.%Y", "2.1.1970"), Some((1, 0)));
        assert_eq!(read("%Y-%m-%dT%H:%M", "1970-01-02T01:30"), Some((1, 5400)));
        for wrong in [
            "2.1.1970",
            "31.02.2025",
            "29.02.2025",
            "00.01.2025",
            "01.13.2025",
            "01.01.25",
            "01.01.20255",
            "01-01-2025",
            "",
        ] {
            assert_eq!(read("%d.%m.%Y", wrong), None, "{wrong}");
        }
        assert_eq!(read("%d.%m.%Y", "29.02.2024"), Some((day_number(date(2024, 2, 29)), 0)));
        assert_eq!(read("%Y-%m-%dT%H:%M", "1970-01-02T24:00"), None);
    }

    #[test]
    fn leaves_rare_formats_to_the_library() {
        assert_eq!(read("%d %b %Y", "02 Jan 1970"), Some((1, 0)));
        assert_eq!(read("%d %b %Y", "31 Feb 1970"), None);
    }
}
