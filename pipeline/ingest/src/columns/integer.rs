//! Integers: digits, perhaps a sign. No exponent, no decimals, no separators of thousands.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Builder};

use super::Builder;
use crate::{identity::Scope, reason::Reason};

pub(super) struct IntegerBuilder {
    values: Int64Builder,
    min: i64,
    max: i64,
}

impl IntegerBuilder {
    pub(super) fn new(rows: usize, min: i64, max: i64) -> Self {
        Self { values: Int64Builder::with_capacity(rows), min, max }
    }
}

impl Builder for IntegerBuilder {
    const GUARD: Option<Scope> = Some(Scope::Whole);

    fn take(&mut self, value: &str) -> Result<(), Reason> {
        let number = parse(value.as_bytes())?;
        if !(self.min..=self.max).contains(&number) {
            return Err(Reason::OutOfRange);
        }
        self.values.append_value(number);
        Ok(())
    }

    fn null(&mut self) {
        self.values.append_null();
    }

    fn finish(mut self) -> ArrayRef {
        Arc::new(self.values.finish())
    }
}

/// A number too large for 64 bits is a number all the same, out of any range.
pub(super) fn parse(bytes: &[u8]) -> Result<i64, Reason> {
    let (negative, digits) = match bytes {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Reason::NotANumber);
    }
    let mut number = 0_i64;
    for byte in digits {
        let digit = i64::from(byte - b'0');
        let next = number.checked_mul(10);
        number =
            if negative { next.and_then(|n| n.checked_sub(digit)) } else { next.and_then(|n| n.checked_add(digit)) }
                .ok_or(Reason::OutOfRange)?;
    }
    Ok(number)
}
