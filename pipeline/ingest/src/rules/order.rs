//! Which of two dates, times or numbers is the greater one. A missing one is neither.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampMillisecondType};

use crate::columns::day_of;

/// Whether `later` lies before `earlier`. A time on the day of a date is neither before nor after it.
pub(super) fn is_before(later: &ArrayRef, earlier: &ArrayRef, row: usize) -> bool {
    let by_day = is_date(earlier) || is_date(later);
    let pair = moment(earlier, row, by_day).zip(moment(later, row, by_day));
    pair.is_some_and(|(first, second)| second < first)
}

/// Whether `smaller` is above `larger`.
pub(super) fn is_above(smaller: &ArrayRef, larger: &ArrayRef, row: usize) -> bool {
    let pair = number(smaller, row).zip(number(larger, row));
    pair.is_some_and(|(smaller, larger)| smaller.compare(larger) == Ordering::Greater)
}

fn is_date(array: &ArrayRef) -> bool {
    array.data_type() == &DataType::Date32
}

/// Milliseconds, or days where one of the two is a day.
fn moment(array: &ArrayRef, row: usize, by_day: bool) -> Option<i64> {
    if by_day {
        return day_of(array, row);
    }
    let times = array.as_primitive_opt::<TimestampMillisecondType>()?;
    times.is_valid(row).then(|| times.value(row))
}

#[derive(Clone, Copy)]
enum Number {
    Whole(i64),
    Real(f64),
}

fn number(array: &ArrayRef, row: usize) -> Option<Number> {
    if array.is_null(row) {
        return None;
    }
    if let Some(whole) = array.as_primitive_opt::<Int64Type>() {
        return Some(Number::Whole(whole.value(row)));
    }
    array.as_primitive_opt::<Float64Type>().map(|real| Number::Real(real.value(row)))
}

impl Number {
    /// Whole numbers exactly, also past 2^53.
    fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => a.cmp(&b),
            (a, b) => a.real().total_cmp(&b.real()),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a bound beside a measured number")]
    fn real(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Real(real) => real,
        }
    }
}
