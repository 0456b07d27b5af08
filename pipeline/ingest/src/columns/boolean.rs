//! Booleans: `true` and `false` in any case, `1` and `0`. Other words need a recoding.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanBuilder};

use super::Builder;
use crate::{identity::Scope, reason::Reason};

pub(super) struct BooleanCells {
    values: BooleanBuilder,
}

impl BooleanCells {
    pub(super) fn new(rows: usize) -> Self {
        Self { values: BooleanBuilder::with_capacity(rows) }
    }
}

impl Builder for BooleanCells {
    const GUARD: Option<Scope> = None;

    fn take(&mut self, value: &str) -> Result<(), Reason> {
        let truth = match value {
            "1" => true,
            "0" => false,
            _ if value.eq_ignore_ascii_case("true") => true,
            _ if value.eq_ignore_ascii_case("false") => false,
            _ => return Err(Reason::NotABoolean),
        };
        self.values.append_value(truth);
        Ok(())
    }

    fn null(&mut self) {
        self.values.append_null();
    }

    fn finish(mut self) -> ArrayRef {
        Arc::new(self.values.finish())
    }
}
