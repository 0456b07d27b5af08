//! What a column demands of a value, as one list: ingest checks these, and the data dictionary is written from them.

use jiff::civil::Date;

use super::{Code, Column, ColumnKind, Reference};

/// One demand. A value that does not meet it is a bad row under [`Constraint::reason`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Constraint<'a> {
    Required,
    Unique,
    References(&'a Reference),
    /// At most so many characters.
    MaxLength(usize),
    /// A regular expression for the whole value, or for each code of a list.
    Pattern(&'a str),
    Codes(&'a [Code]),
    IntegerRange {
        min: i64,
        max: i64,
    },
    NumberRange {
        min: f64,
        max: f64,
    },
    DateRange {
        min: Date,
        max: Date,
    },
}

impl Constraint<'_> {
    /// The stable word under which rows that break it are counted. A reference is judged on what stands, not row by row, and has
    /// none: see [`Column::references`].
    pub fn reason(&self) -> Option<&'static str> {
        Some(match self {
            Self::Required => "missing-required",
            Self::Unique => "not-unique",
            Self::References(_) => return None,
            Self::MaxLength(_) => "too-long",
            Self::Pattern(_) => "pattern",
            Self::Codes(_) => "not-a-code",
            Self::IntegerRange { .. } | Self::NumberRange { .. } | Self::DateRange { .. } => "out-of-range",
        })
    }
}

impl Column {
    /// Everything that the column demands besides its type; ends that no value reaches are left out.
    pub fn constraints(&self) -> Vec<Constraint<'_>> {
        let mut all = Vec::new();
        all.extend(self.required.then_some(Constraint::Required));
        all.extend(self.unique.then_some(Constraint::Unique));
        all.extend(self.references.as_ref().map(Constraint::References));
        match &self.kind {
            ColumnKind::Text { max_length, pattern } => {
                all.push(Constraint::MaxLength(*max_length));
                all.extend(pattern.as_deref().map(Constraint::Pattern));
            }
            ColumnKind::Code { codes } => all.push(Constraint::Codes(codes)),
            ColumnKind::CodeList { pattern } => all.extend(pattern.as_deref().map(Constraint::Pattern)),
            ColumnKind::Integer { min, max } => {
                if (*min, *max) != (i64::MIN, i64::MAX) {
                    all.push(Constraint::IntegerRange { min: *min, max: *max });
                }
            }
            ColumnKind::Number { min, max } => {
                if *min > f64::MIN || *max < f64::MAX {
                    all.push(Constraint::NumberRange { min: *min, max: *max });
                }
            }
            ColumnKind::Date { min, max } | ColumnKind::DateTime { min, max } => {
                all.push(Constraint::DateRange { min: *min, max: *max });
            }
            ColumnKind::Boolean => {}
        }
        all
    }
}

impl ColumnKind {
    /// The word that declares the kind.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Code { .. } => "code",
            Self::CodeList { .. } => "code-list",
            Self::Integer { .. } => "integer",
            Self::Number { .. } => "number",
            Self::Date { .. } => "date",
            Self::DateTime { .. } => "date-time",
            Self::Boolean => "boolean",
        }
    }

    /// The reason of a value that is not of the kind at all; `None` where the constraints alone tell.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Integer { .. } | Self::Number { .. } => Some("not-a-number"),
            Self::Date { .. } | Self::DateTime { .. } => Some("not-a-date"),
            Self::Boolean => Some("not-a-boolean"),
            Self::Text { .. } => Some("control-character"),
            Self::Code { .. } | Self::CodeList { .. } => None,
        }
    }
}
