//! Codes: one of a declared list, written exactly so. `01` and `1.0` are other codes than `1`.

use std::{collections::BTreeSet, sync::Arc};

use arrow::array::{ArrayRef, Int16Builder, StringBuilder};

use super::Builder;
use crate::{identity::Scope, reason::Reason};

pub(super) struct IntegerCodeBuilder<'a> {
    values: Int16Builder,
    /// Ascending.
    codes: &'a [i16],
}

impl<'a> IntegerCodeBuilder<'a> {
    pub(super) fn new(rows: usize, codes: &'a [i16]) -> Self {
        Self { values: Int16Builder::with_capacity(rows), codes }
    }

    /// Most scales are runs of integers, where a code's place follows from its value.
    fn is_declared(&self, code: i16) -> bool {
        let first = self.codes.first().copied().unwrap_or_default();
        let place = usize::try_from(i32::from(code) - i32::from(first));
        place.is_ok_and(|place| self.codes.get(place) == Some(&code)) || self.codes.binary_search(&code).is_ok()
    }
}

impl Builder for IntegerCodeBuilder<'_> {
    const GUARD: Option<Scope> = None;

    fn take(&mut self, value: &str) -> Result<(), Reason> {
        let code = canonical(value.as_bytes()).ok_or(Reason::NotACode)?;
        if !self.is_declared(code) {
            return Err(Reason::NotACode);
        }
        self.values.append_value(code);
        Ok(())
    }

    fn null(&mut self) {
        self.values.append_null();
    }

    fn finish(mut self) -> ArrayRef {
        Arc::new(self.values.finish())
    }
}

/// An integer in the only way to write it: no plus, no leading zero, no `-0`.
fn canonical(bytes: &[u8]) -> Option<i16> {
    let (negative, digits) = match bytes {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 5 || (digits[0] == b'0' && (digits.len() > 1 || negative)) {
        return None;
    }
    let mut number = 0_i32;
    for byte in digits {
        number = number * 10 + i32::from(byte.is_ascii_digit().then(|| byte - b'0')?);
    }
    i16::try_from(if negative { -number } else { number }).ok()
}

pub(super) struct TextCodeBuilder<'a> {
    values: StringBuilder,
    codes: &'a BTreeSet<String>,
}

impl<'a> TextCodeBuilder<'a> {
    pub(super) fn new(rows: usize, codes: &'a BTreeSet<String>) -> Self {
        Self { values: StringBuilder::with_capacity(rows, rows * 4), codes }
    }
}

impl Builder for TextCodeBuilder<'_> {
    const GUARD: Option<Scope> = None;

    fn take(&mut self, value: &str) -> Result<(), Reason> {
        if !self.codes.contains(value) {
            return Err(Reason::NotACode);
        }
        self.values.append_value(value);
        Ok(())
    }

    fn null(&mut self) {
        self.values.append_null();
    }

    fn finish(mut self) -> ArrayRef {
        Arc::new(self.values.finish())
    }
}
