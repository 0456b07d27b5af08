//! «Where a column has one of these codes»: true, false, or not to be said.

use std::collections::BTreeSet;

use arrow::{
    array::{Array, ArrayRef, AsArray},
    datatypes::Int16Type,
};
use prem_spec::model::ColumnKind;

use super::Cleared;

pub(super) struct Condition {
    column: usize,
    codes: Codes,
}

enum Codes {
    /// Any value.
    Any,
    Integers(Vec<i16>),
    Texts(BTreeSet<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Holds,
    Fails,
    /// The column is missing: nobody knows.
    Open,
}

impl Condition {
    pub(super) fn new(column: usize, kind: &ColumnKind, codes: &[String]) -> Self {
        let codes = if codes.is_empty() {
            Codes::Any
        } else if kind.codes_are_integers() {
            Codes::Integers(codes.iter().filter_map(|code| code.parse().ok()).collect())
        } else {
            Codes::Texts(codes.iter().cloned().collect())
        };
        Self { column, codes }
    }

    fn judge(&self, row: usize, arrays: &[ArrayRef], cleared: &Cleared) -> Verdict {
        let Some(array) = arrays.get(self.column) else { return Verdict::Open };
        if array.is_null(row) {
            let is_said = matches!(self.codes, Codes::Any) || cleared.holds(self.column, row);
            return if is_said { Verdict::Fails } else { Verdict::Open };
        }
        let holds = match &self.codes {
            Codes::Any => true,
            Codes::Integers(codes) => {
                array.as_primitive_opt::<Int16Type>().is_some_and(|values| codes.contains(&values.value(row)))
            }
            Codes::Texts(codes) => array.as_string_opt::<i32>().is_some_and(|values| codes.contains(values.value(row))),
        };
        if holds { Verdict::Holds } else { Verdict::Fails }
    }
}

/// Fails where one fails, else is open where one is open.
pub(super) fn all_hold(when: &[Condition], row: usize, arrays: &[ArrayRef], cleared: &Cleared) -> Verdict {
    let mut all = Verdict::Holds;
    for condition in when {
        match condition.judge(row, arrays, cleared) {
            Verdict::Fails => return Verdict::Fails,
            Verdict::Open => all = Verdict::Open,
            Verdict::Holds => {}
        }
    }
    all
}
