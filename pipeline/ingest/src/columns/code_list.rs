//! Lists of codes such as ICD-10: between blanks, commas or semicolons; stored in upper case with one space between.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};
use regex::Regex;

use super::Builder;
use crate::{identity::Scope, reason::Reason};

pub(super) struct CodeListBuilder {
    values: StringBuilder,
    /// A copy of its own: threads that share one wait for each other's scratch space.
    pattern: Option<Regex>,
    list: String,
}

impl CodeListBuilder {
    pub(super) fn new(rows: usize, pattern: Option<Regex>) -> Self {
        Self { values: StringBuilder::with_capacity(rows, rows * 8), pattern, list: String::new() }
    }
}

impl Builder for CodeListBuilder {
    const GUARD: Option<Scope> = Some(Scope::Text);

    fn take(&mut self, value: &str) -> Result<(), Reason> {
        self.list.clear();
        let is_between = |c: char| c.is_whitespace() || matches!(c, ',' | ';');
        for code in value.split(is_between).filter(|code| !code.is_empty()) {
            if !self.list.is_empty() {
                self.list.push(' ');
            }
            let start = self.list.len();
            if code.is_ascii() {
                self.list.push_str(code);
                self.list[start..].make_ascii_uppercase();
            } else {
                self.list.push_str(&code.to_uppercase());
            }
            let code = &self.list[start..];
            if code.contains(|c: char| c.is_control() || c == '\u{feff}') {
                return Err(Reason::ControlCharacter);
            }
            if self.pattern.as_ref().is_some_and(|pattern| !pattern.is_match(code)) {
                return Err(Reason::Pattern);
            }
        }
        if self.list.is_empty() {
            // Nothing but separators: a value was meant and is not there.
            return Err(Reason::Pattern);
        }
        self.values.append_value(&self.list);
        Ok(())
    }

    fn null(&mut self) {
        self.values.append_null();
    }

    fn finish(mut self) -> ArrayRef {
        Arc::new(self.values.finish())
    }
}
