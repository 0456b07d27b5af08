//! What the kept rows of a file say about the delivery as a whole: the months they lie in, and its place among deliveries.

use std::{collections::BTreeMap, ops::Range};

use arrow::{
    array::{Array, ArrayRef, AsArray},
    datatypes::{Int64Type, TimestampMillisecondType},
};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use prem_spec::{
    Period,
    model::{Column, Covers, Export, Sequence},
};
use regex::Regex;

use crate::{
    columns::{MILLISECONDS_PER_DAY, date_of, day_number, day_of},
    error::RefusalCause,
    problem::Problems,
    reason::Reason,
};

/// What an export wants to know of its rows.
#[derive(Default)]
pub(crate) struct Wanted {
    period: Option<PeriodColumn>,
    sequence: Option<SequenceColumn>,
}

struct PeriodColumn {
    index: usize,
    name: String,
    /// Finds the period in a file's name; `None` where the rows tell.
    file_name: Option<Regex>,
}

struct SequenceColumn {
    index: usize,
    name: String,
}

/// The days that a file may have rows of, because its name says so.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    index: usize,
    days: Range<i64>,
    months: Vec<Date>,
}

impl Wanted {
    pub(crate) fn new(export: &Export, columns: &[Column]) -> Result<Self, String> {
        let place = |name: &String| {
            let place = columns.iter().position(|column| column.name == *name);
            place.ok_or_else(|| format!("a column {name} is not stored"))
        };
        let period = export.period.as_ref().map(|period| {
            let file_name = match &period.covers {
                Covers::Rows => None,
                Covers::FileName(pattern) => Some(Regex::new(pattern).map_err(|error| error.to_string())?),
            };
            Ok::<_, String>(PeriodColumn { index: place(&period.column)?, name: period.column.clone(), file_name })
        });
        let sequence = match &export.sequence {
            Sequence::Column(name) => Some(SequenceColumn { index: place(name)?, name: name.clone() }),
            Sequence::FileName | Sequence::Arrival => None,
        };
        Ok(Self { period: period.transpose()?, sequence })
    }

    /// The days that a file of this name may have rows of; `None` where its name says nothing.
    pub(crate) fn window(&self, file_name: &str) -> Result<Option<Window>, RefusalCause> {
        let Some((period, regex)) = self.period.as_ref().and_then(|period| Some((period, period.file_name.as_ref()?)))
        else {
            return Ok(None);
        };
        let group = regex.captures(file_name).and_then(|captures| captures.get(1));
        let found = group.and_then(|group| group.as_str().parse::<Period>().ok());
        let found = found.ok_or_else(|| RefusalCause::NoPeriodInName { pattern: regex.as_str().to_owned() })?;
        let days = i64::from(day_number(found.start()))..i64::from(day_number(found.end()));
        Ok(Some(Window { index: period.index, days, months: found.months().collect() }))
    }
}

impl Window {
    /// Marks rows of other days: a file that covers a month has nothing to say of another.
    pub(crate) fn check<'v>(
        &self,
        arrays: &[ArrayRef],
        problems: &mut Problems,
        shown: impl Fn(usize, usize) -> Option<&'v str>,
    ) {
        let Some(array) = arrays.get(self.index) else { return };
        for row in 0..array.len() {
            if day_of(array, row).is_some_and(|day| !self.days.contains(&day)) && !problems.is_bad(row) {
                problems.add(row, self.index, Reason::OutsidePeriod, shown(row, self.index));
            }
        }
    }
}

/// What the kept rows said.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// First days of months → rows in them.
    months: BTreeMap<Date, u64>,
    /// The month that was seen last, and its days: rows of one month mostly stand together.
    seen: (Date, Range<i64>),
    latest: Option<(Moment, i64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Milliseconds,
    Number,
}

impl Facts {
    /// Looks at rows that are kept; `arrays` are those of the stored columns.
    pub(crate) fn see(&mut self, wanted: &Wanted, arrays: &[ArrayRef]) {
        if let Some(array) = wanted.period.as_ref().and_then(|period| arrays.get(period.index)) {
            (0..array.len()).filter_map(|row| day_of(array, row)).for_each(|day| self.see_day(day));
        }
        if let Some(array) = wanted.sequence.as_ref().and_then(|sequence| arrays.get(sequence.index)) {
            let values = (0..array.len()).filter_map(|row| value_of(array, row));
            self.latest = values.chain(self.latest).max_by_key(|(_, value)| *value);
        }
    }

    fn see_day(&mut self, day: i64) {
        if !self.seen.1.contains(&day) {
            let Some(month) = date_of(day).map(Date::first_of_month) else { return };
            let Ok(next) = month.checked_add(1.month()) else { return };
            self.seen = (month, i64::from(day_number(month))..i64::from(day_number(next)));
        }
        *self.months.entry(self.seen.0).or_default() += 1;
    }

    /// The column by which rows of other deliveries are placed in months, and the months that the file covers with its rows in
    /// each.
    pub(crate) fn covered(&self, wanted: &Wanted, window: Option<&Window>) -> Option<(String, BTreeMap<Date, u64>)> {
        let period = wanted.period.as_ref()?;
        let rows = |month: &Date| (*month, self.months.get(month).copied().unwrap_or_default());
        let months = window.map_or_else(|| self.months.clone(), |window| window.months.iter().map(rows).collect());
        Some((period.name.clone(), months))
    }

    /// The file's place among deliveries, as text that sorts.
    pub(crate) fn sequence(&self, wanted: &Wanted) -> Result<Option<String>, RefusalCause> {
        let Some(sequence) = &wanted.sequence else { return Ok(None) };
        let (moment, value) = self.latest.ok_or_else(|| RefusalCause::NoSequence { column: sequence.name.clone() })?;
        Ok(Some(match moment {
            Moment::Milliseconds => {
                let time = Timestamp::from_millisecond(value).map(|time| time.to_zoned(TimeZone::UTC).datetime());
                time.map_or_else(|_| format!("{value:020}"), |time| format!("{time:.3}"))
            }
            // From 0 upwards, so that text order is the order of numbers.
            Moment::Number => format!("{:020}", i128::from(value) - i128::from(i64::MIN)),
        }))
    }
}

fn value_of(array: &ArrayRef, row: usize) -> Option<(Moment, i64)> {
    if array.is_null(row) {
        return None;
    }
    if let Some(numbers) = array.as_primitive_opt::<Int64Type>() {
        return Some((Moment::Number, numbers.value(row)));
    }
    if let Some(times) = array.as_primitive_opt::<TimestampMillisecondType>() {
        return Some((Moment::Milliseconds, times.value(row)));
    }
    day_of(array, row).map(|day| (Moment::Milliseconds, day * MILLISECONDS_PER_DAY))
}
