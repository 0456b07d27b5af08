//! Rules across columns of one row: one date or time may not be before another.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Date32Type, TimestampMillisecondType};
use prem_spec::model::{Column, Rule};

use crate::problem::Problems;

const MILLISECONDS_PER_DAY: i64 = 86_400_000;

/// A rule whose columns are known by their places.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OrderRule {
    earlier: usize,
    later: usize,
}

impl OrderRule {
    /// # Errors
    /// When a column of the rule is none of the dataset's.
    pub(crate) fn new(rule: &Rule, columns: &[Column]) -> Result<Self, String> {
        let place = |name: &str| {
            columns
                .iter()
                .position(|column| column.name == name)
                .ok_or_else(|| format!("rule {} names a column {name} that is not stored", rule.id))
        };
        Ok(Self { earlier: place(&rule.earlier)?, later: place(&rule.later)? })
    }

    /// Marks the rows that break rule number `index`. A row in which either value is missing or bad cannot.
    pub(crate) fn check(self, index: usize, arrays: &[ArrayRef], problems: &mut Problems) {
        let (Some(earlier), Some(later)) = (arrays.get(self.earlier), arrays.get(self.later)) else { return };
        let by_day = is_date(earlier) || is_date(later);
        for row in 0..earlier.len().min(later.len()) {
            if let (Some(first), Some(second)) = (moment(earlier, row, by_day), moment(later, row, by_day))
                && second < first
            {
                problems.add_rule(row, index);
            }
        }
    }
}

fn is_date(array: &ArrayRef) -> bool {
    array.data_type() == &DataType::Date32
}

/// Milliseconds, or days where one of the two is a day: a time on the day of a date is neither before nor after it.
fn moment(array: &ArrayRef, row: usize, by_day: bool) -> Option<i64> {
    if array.is_null(row) {
        return None;
    }
    if let Some(days) = array.as_primitive_opt::<Date32Type>() {
        return Some(i64::from(days.value(row)));
    }
    let milliseconds = array.as_primitive_opt::<TimestampMillisecondType>()?.value(row);
    Some(if by_day { milliseconds.div_euclid(MILLISECONDS_PER_DAY) } else { milliseconds })
}
