//! Texts: a length in characters, and perhaps a pattern.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};
use regex::Regex;

use super::Builder;
use crate::{identity::Scope, reason::Reason};

pub(super) struct TextBuilder {
    values: StringBuilder,
    length_max: usize,
    /// Digits are filled up to `length_max` with zeros in front.
    leading_zeros: bool,
    /// A copy of its own: threads that share one wait for each other's scratch space.
    pattern: Option<Regex>,
}

impl TextBuilder {
    pub(super) fn new(rows: usize, length_max: usize, leading_zeros: bool, pattern: Option<Regex>) -> Self {
        Self {
            values: StringBuilder::with_capacity(rows, rows * length_max.min(16)),
            length_max,
            leading_zeros,
            pattern,
        }
    }
}

impl Builder for TextBuilder {
    const GUARD: Option<Scope> = Some(Scope::Text);

    fn take(&mut self, value: &str) -> Result<(), Reason> {
        if has_control(value) {
            return Err(Reason::ControlCharacter);
        }
        // A text has at most as many characters as bytes.
        if value.len() > self.length_max && value.chars().count() > self.length_max {
            return Err(Reason::TooLong);
        }
        if self.leading_zeros
            && let Some(whole) = with_zeros(value, self.length_max)
        {
            return self.take(&whole);
        }
        if self.pattern.as_ref().is_some_and(|pattern| !pattern.is_match(value)) {
            return Err(Reason::Pattern);
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

/// Digits that are fewer than `length`, with the zeros in front that a spreadsheet took.
pub(super) fn with_zeros(value: &str, length: usize) -> Option<String> {
    let is_short = !value.is_empty() && value.len() < length && value.bytes().all(|byte| byte.is_ascii_digit());
    is_short.then(|| format!("{value:0>length$}"))
}

/// Control characters other than tabs and line ends, and byte order marks: signs of a wrong encoding or of joined files.
fn has_control(value: &str) -> bool {
    let suspicious = |byte: u8| (byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) || byte >= 0x7f;
    value.bytes().any(suspicious)
        && value.chars().any(|c| c == '\u{feff}' || (c.is_control() && !matches!(c, '\t' | '\n' | '\r')))
}
