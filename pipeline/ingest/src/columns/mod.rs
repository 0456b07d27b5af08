//! One column of a chunk: cells → missing values → recoding → a typed array, with a reason for each value that does not fit.
//!
//! Each kind of column has its file and says in `take` what it accepts.

mod boolean;
mod code;
mod code_list;
mod date;
mod integer;
mod number;
mod reader;
mod text;

use arrow::array::ArrayRef;

use crate::{identity::Scope, reason::Reason};

pub(crate) use date::{DateFormat, MILLISECONDS_PER_DAY, SECONDS_PER_DAY, date_of, day_number, day_of};
pub(crate) use reader::{Cells, ColumnReader, trim};

/// Takes the values of a column one by one.
trait Builder {
    /// How values that are taken may still identify a person; `None` where they cannot.
    const GUARD: Option<Scope>;

    /// Appends a value; on a reason nothing is appended.
    fn take(&mut self, value: &str) -> Result<(), Reason>;

    fn null(&mut self);

    fn finish(self) -> ArrayRef;
}
