//! What is wrong with the rows of a chunk, and what quarantine may show of it.

use crate::{
    identity::is_sensitive,
    limits::{PROBLEMS_PER_ROW_MAX, RAW_CHARACTERS_MAX},
    reason::Reason,
};

/// Values of more words than this are prose, and free text is never stored.
const WORDS_MAX: usize = 3;

/// One mistake in one row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    pub(crate) row: usize,
    /// Place among the stored columns; `None` where a rule or the row as a whole is broken.
    pub(crate) column: Option<usize>,
    pub(crate) reason: Reason,
    /// The value as delivered, where it may be shown.
    pub(crate) value: Option<String>,
}

/// Collects mistakes column by column, so that a row's first mistake is that of its first column.
pub(crate) struct Problems {
    all: Vec<Problem>,
    per_row: Vec<u8>,
}

impl Problems {
    pub(crate) fn new(rows: usize) -> Self {
        Self { all: Vec::new(), per_row: vec![0; rows] }
    }

    pub(crate) fn add(&mut self, row: usize, column: usize, reason: Reason, value: Option<&str>) {
        self.push(row, Some(column), reason, value);
    }

    pub(crate) fn add_rule(&mut self, row: usize, rule: usize) {
        self.push(row, None, Reason::Rule(rule), None);
    }

    fn push(&mut self, row: usize, column: Option<usize>, reason: Reason, value: Option<&str>) {
        let Some(count) = self.per_row.get_mut(row).filter(|count| **count < PROBLEMS_PER_ROW_MAX) else { return };
        *count += 1;
        self.all.push(Problem { row, column, reason, value: value.and_then(shown) });
    }

    pub(crate) fn is_bad(&self, row: usize) -> bool {
        self.per_row.get(row).is_some_and(|count| *count > 0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// By row, within a row by column, rules last.
    pub(crate) fn into_sorted(mut self) -> Vec<Problem> {
        // Stable: columns were read in their order.
        self.all.sort_by_key(|problem| problem.row);
        self.all
    }
}

/// A value as quarantine may show it: short, on one line, and nothing that identifies a person or is prose.
pub(crate) fn shown(value: &str) -> Option<String> {
    if is_sensitive(value) || value.split_whitespace().count() > WORDS_MAX {
        return None;
    }
    let mut text = String::with_capacity(value.len().min(RAW_CHARACTERS_MAX));
    for (count, character) in value.chars().enumerate() {
        if count == RAW_CHARACTERS_MAX {
            text.push('…');
            break;
        }
        if character.is_control() || character == '\u{feff}' {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    Some(text)
}
