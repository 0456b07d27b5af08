//! Periods: `2025`, `2025-T2`, `2025-Q3`, `2025-10`, `2025-10..2026-03`; half-open dates inside.

use std::{fmt, str::FromStr};

use jiff::{ToSpan, civil::Date};
use serde::Serialize;
use thiserror::Error;

/// A union of whole calendar months.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    start: Date,
    /// Exclusive.
    end: Date,
    kind: PeriodKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeriodKind {
    Year,
    Tertial,
    Quarter,
    Month,
    /// Any other run of months.
    Months,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("«{text}» is not a period: write 2025, 2025-T2, 2025-Q3, 2025-10 or 2025-10..2026-03")]
pub struct PeriodError {
    text: String,
}

impl PeriodKind {
    /// Length in months of a period of this kind.
    fn months(self) -> Option<i8> {
        match self {
            Self::Year => Some(12),
            Self::Tertial => Some(4),
            Self::Quarter => Some(3),
            Self::Month => Some(1),
            Self::Months => None,
        }
    }
}

impl Period {
    /// First day.
    pub fn start(self) -> Date {
        self.start
    }

    /// First day after the period.
    pub fn end(self) -> Date {
        self.end
    }

    pub fn kind(self) -> PeriodKind {
        self.kind
    }

    pub fn contains(self, date: Date) -> bool {
        self.start <= date && date < self.end
    }

    /// The period of `kind` that holds `date`; `None` for [`PeriodKind::Months`] and at the end of the calendar.
    pub fn of(kind: PeriodKind, date: Date) -> Option<Self> {
        let length = kind.months()?;
        let start_month = (date.month() - 1) / length * length + 1;
        let start = Date::new(date.year(), start_month, 1).ok()?;
        Some(Self { start, end: start.checked_add(i64::from(length).months()).ok()?, kind })
    }

    /// The twelve months that end with `last`; a calendar year has its own name.
    pub fn year_to(last: Self) -> Option<Self> {
        let start = last.end.checked_sub(12.months()).ok()?;
        let kind = if start.month() == 1 { PeriodKind::Year } else { PeriodKind::Months };
        Some(Self { start, end: last.end, kind })
    }

    /// The period of the same length that ends where this one starts.
    pub fn previous(self) -> Option<Self> {
        let months = self.months().count();
        let start = self.start.checked_sub(i64::try_from(months).ok()?.months()).ok()?;
        Some(Self { start, end: self.start, kind: self.kind })
    }

    /// The first days of the months of the period, in order.
    pub fn months(self) -> impl Iterator<Item = Date> {
        std::iter::successors(Some(self.start), |month| month.checked_add(1.month()).ok())
            .take_while(move |month| *month < self.end)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month) = (self.start.year(), self.start.month());
        match self.kind {
            PeriodKind::Year => write!(f, "{year:04}"),
            PeriodKind::Tertial => write!(f, "{year:04}-T{}", (month - 1) / 4 + 1),
            PeriodKind::Quarter => write!(f, "{year:04}-Q{}", (month - 1) / 3 + 1),
            PeriodKind::Month => write!(f, "{year:04}-{month:02}"),
            PeriodKind::Months => {
                let last = self.end.yesterday().unwrap_or(self.end);
                write!(f, "{year:04}-{month:02}..{:04}-{:02}", last.year(), last.month())
            }
        }
    }
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        parse(text).ok_or_else(|| PeriodError { text: text.to_owned() })
    }
}

impl Serialize for Period {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn parse(text: &str) -> Option<Period> {
    if let Some((from, to)) = text.split_once("..") {
        let (start, last) = (month(from)?, month(to)?);
        if last < start {
            return None;
        }
        return Some(Period { start, end: last.checked_add(1.month()).ok()?, kind: PeriodKind::Months });
    }
    let Some((year, part)) = text.split_once('-') else {
        return Period::of(PeriodKind::Year, Date::new(digits(text, 4)?, 1, 1).ok()?);
    };
    let year = digits(year, 4)?;
    let nth = |kind: PeriodKind, number: &str, most: i16| {
        let number = digits(number, 1)?;
        let length = i16::from(kind.months()?);
        let month = i8::try_from((number - 1) * length + 1).ok()?;
        (1..=most).contains(&number).then(|| Period::of(kind, Date::new(year, month, 1).ok()?))?
    };
    match part.as_bytes().first()? {
        b'T' => nth(PeriodKind::Tertial, &part[1..], 3),
        b'Q' => nth(PeriodKind::Quarter, &part[1..], 4),
        _ => Period::of(PeriodKind::Month, month(text)?),
    }
}

fn month(text: &str) -> Option<Date> {
    let (year, month) = text.split_once('-')?;
    Date::new(digits(year, 4)?, i8::try_from(digits(month, 2)?).ok()?, 1).ok()
}

/// Exactly `length` ASCII digits.
fn digits(text: &str, length: usize) -> Option<i16> {
    (text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_reads_and_writes_itself() {
        for text in ["2025", "2025-T1", "2025-T3", "2025-Q1", "2025-Q4", "2025-01", "2025-12", "2025-10..2026-03"] {
            assert_eq!(text.parse::<Period>().map(|period| period.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn dates_are_half_open() {
        let period: Period = "2025-T2".parse().expect("a tertial");
        assert_eq!((period.start(), period.end()), (jiff::civil::date(2025, 5, 1), jiff::civil::date(2025, 9, 1)));
        assert!(period.contains(jiff::civil::date(2025, 8, 31)) && !period.contains(jiff::civil::date(2025, 9, 1)));
        assert_eq!(period.months().count(), 4);
        assert_eq!(period.previous().map(|p| p.to_string()).as_deref(), Some("2025-T1"));
        let quarter: Period = "2025-Q1".parse().expect("a quarter");
        assert_eq!(quarter.previous().map(|p| p.to_string()).as_deref(), Some("2024-Q4"));
    }

    #[test]
    fn a_year_ends_with_any_quarter() {
        let to = |text: &str| Period::year_to(text.parse().expect("a quarter")).map(|period| period.to_string());
        assert_eq!(to("2026-Q1").as_deref(), Some("2025-04..2026-03"));
        assert_eq!(to("2025-Q4").as_deref(), Some("2025"));
        let window: Period = "2025-04..2026-03".parse().expect("a window");
        assert_eq!(window.previous().map(|p| p.to_string()).as_deref(), Some("2024-04..2025-03"));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "25",
            "2025-13",
            "2025-00",
            "2025-T4",
            "2025-Q5",
            "2025-Q0",
            "2025-1",
            "2025-Q",
            "2026-03..2025-10",
            "2025..2026",
            "٢٠٢٥",
            "2025-é",
        ] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }
}
