//! Numbers with the export's decimal sign: digits, perhaps a sign and decimals. No exponent, no separators of thousands, no
//! NaN or infinity: a spreadsheet that writes `1e3` or `1.000` has changed a value, and which one is not to be guessed.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Builder};

use super::Builder;
use crate::{identity::Scope, reason::Reason};

pub(super) struct NumberBuilder {
    values: Float64Builder,
    decimal: u8,
    min: f64,
    max: f64,
}

impl NumberBuilder {
    pub(super) fn new(rows: usize, decimal: u8, min: f64, max: f64) -> Self {
        Self { values: Float64Builder::with_capacity(rows), decimal, min, max }
    }
}

impl Builder for NumberBuilder {
    const GUARD: Option<Scope> = Some(Scope::Whole);

    fn take(&mut self, value: &str) -> Result<(), Reason> {
        let number = parse(value, self.decimal).ok_or(Reason::NotANumber)?;
        if !(self.min..=self.max).contains(&number) || !number.is_finite() {
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

/// Powers of ten that a 64-bit float holds exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];
/// Integers up to here are exact as well, so that one division rounds once, as correct parsing does (Clinger 1990).
const EXACT_INTEGER_MAX: u64 = 1 << 53;

#[expect(clippy::cast_precision_loss, reason = "checked to be exact")]
/// The nearest 64-bit float; `-0` becomes 0.
fn parse(value: &str, decimal: u8) -> Option<f64> {
    let (negative, digits) = match value.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let mut integer = 0_u64;
    let mut exact = true;
    let mut seen = 0_usize;
    let mut point = None;
    for (at, byte) in digits.iter().enumerate() {
        if byte.is_ascii_digit() {
            seen += 1;
            integer = integer.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
            exact &= integer <= EXACT_INTEGER_MAX;
        } else if *byte == decimal && point.is_none() && at > 0 {
            point = Some(at);
        } else {
            return None;
        }
    }
    let decimals = point.map_or(0, |at| digits.len() - at - 1);
    if seen == 0 || (point.is_some() && decimals == 0) {
        return None;
    }
    let size = if exact && seen <= 19 && decimals < EXACT_POWERS.len() {
        integer as f64 / EXACT_POWERS[decimals]
    } else {
        String::from_utf8_lossy(digits).replace(char::from(decimal), ".").parse().ok()?
    };
    Some(if negative { 0.0 - size } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_standard_library_reads() {
        for text in [
            "0",
            "1",
            "0.1",
            "123456.789",
            "-2.50",
            "0.30000000000000004",
            "9007199254740993",
            "12345678901234567890.5",
        ] {
            assert_eq!(parse(text, b'.'), text.parse().ok(), "{text}");
            assert_eq!(parse(&text.replace('.', ","), b','), text.parse().ok(), "{text}");
        }
        assert!(parse("-0", b',').is_some_and(f64::is_sign_positive));
    }

    #[test]
    fn refuses_what_is_not_plainly_a_number() {
        for text in ["", "-", ".", "1.", ".5", "1e3", "NaN", "inf", "1.5", "1 000", "1,2,3", "0x1", "--1", "1-"] {
            assert_eq!(parse(text, b','), None, "{text}");
        }
    }
}
