//! A stored column, ready to be read from any chunk of one file.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use arrow::array::ArrayRef;
use prem_spec::model::{Column, ColumnKind};
use regex::Regex;

use super::{
    Builder,
    boolean::BooleanCells,
    code::{IntegerCodeBuilder, TextCodeBuilder},
    code_list::CodeListBuilder,
    date::{DateBuilder, DateFormat, DateTimeBuilder, day_number},
    integer::{self, IntegerBuilder},
    number::NumberBuilder,
    text::{TextBuilder, with_zeros},
};
use crate::{
    identity::{Context, Counts, Finding, Guard, Scope},
    limits::CELL_BYTES_MAX,
    problem::Problems,
    reason::Reason,
    records::Table,
};

/// Where a column's values come from in a file.
#[derive(Debug, Clone)]
pub(crate) enum Cells {
    Field(usize),
    /// Fields with 1 where their code was ticked.
    Checkboxes(Vec<(usize, String)>),
    Constant(String),
    Absent,
}

/// How the values are checked and stored.
enum Kind {
    Text { length_max: usize, leading_zeros: bool, pattern: Option<Regex> },
    IntegerCode { codes: Vec<i16> },
    TextCode { codes: BTreeSet<String> },
    CodeList { pattern: Option<Regex> },
    Integer { min: i64, max: i64 },
    Number { min: f64, max: f64, decimal: u8 },
    Date { min: i32, max: i32 },
    DateTime { min: i32, max: i32 },
    Boolean,
}

pub(crate) struct ColumnReader {
    pub(crate) name: String,
    identifying: bool,
    cells: Cells,
    kind: Kind,
    formats: Vec<DateFormat>,
    required: bool,
    missing: Vec<String>,
    recode: BTreeMap<String, String>,
    guard: Guard,
}

impl ColumnReader {
    /// # Errors
    /// When the column's pattern is no regular expression.
    pub(crate) fn new(
        column: &Column,
        cells: Cells,
        header: &str,
        missing: Vec<String>,
        recode: BTreeMap<String, String>,
        formats: &[DateFormat],
        decimal: u8,
    ) -> Result<Self, String> {
        let kind = match &column.kind {
            ColumnKind::Text { max_length, pattern } => Kind::Text {
                length_max: *max_length,
                leading_zeros: column.leading_zeros,
                pattern: whole(pattern.as_deref(), &column.name)?,
            },
            kind @ ColumnKind::Code { codes } if kind.codes_are_integers() => {
                let mut codes: Vec<i16> = codes.iter().filter_map(|code| code.code.parse().ok()).collect();
                codes.sort_unstable();
                Kind::IntegerCode { codes }
            }
            ColumnKind::Code { codes } => {
                Kind::TextCode { codes: codes.iter().map(|code| code.code.clone()).collect() }
            }
            ColumnKind::CodeList { pattern } => Kind::CodeList { pattern: whole(pattern.as_deref(), &column.name)? },
            ColumnKind::Integer { min, max } => Kind::Integer { min: *min, max: *max },
            ColumnKind::Number { min, max } => Kind::Number { min: *min, max: *max, decimal },
            ColumnKind::Date { min, max } => Kind::Date { min: day_number(*min), max: day_number(*max) },
            ColumnKind::DateTime { min, max } => Kind::DateTime { min: day_number(*min), max: day_number(*max) },
            ColumnKind::Boolean => Kind::Boolean,
        };
        Ok(Self {
            name: column.name.clone(),
            identifying: column.identifying,
            cells,
            kind,
            formats: formats.to_vec(),
            required: column.required,
            missing,
            recode,
            guard: Guard::new(header, column.eleven_digits_are_pseudonyms),
        })
    }

    /// Whether its values are never shown.
    pub(crate) fn is_identifying(&self) -> bool {
        self.identifying
    }

    /// Never shows a value.
    pub(crate) fn hide(&mut self) {
        self.identifying = true;
    }

    /// What a row has in this column as text, as it would be stored were the row a good one; empty where there is no value.
    pub(crate) fn key_text<'v>(&'v self, table: &'v Table, row: usize) -> Cow<'v, str> {
        let stored = self.stored(trim(self.raw(table, row)));
        let canonical = match &self.kind {
            Kind::Text { length_max, leading_zeros: true, .. } => with_zeros(stored, *length_max),
            Kind::Integer { .. } => integer::parse(stored.as_bytes()).ok().map(|number| number.to_string()),
            _ => None,
        };
        canonical.map_or(Cow::Borrowed(stored), Cow::Owned)
    }

    fn raw<'v>(&'v self, table: &'v Table, row: usize) -> &'v str {
        match &self.cells {
            Cells::Field(field) => table.cell(row, *field),
            Cells::Constant(constant) => constant,
            Cells::Checkboxes(_) | Cells::Absent => "",
        }
    }

    /// Empty where `value` means that there is none.
    fn stored<'v>(&'v self, value: &'v str) -> &'v str {
        if value.is_empty() || self.missing.iter().any(|missing| missing == value) {
            return "";
        }
        self.recode.get(value).map_or(value, String::as_str)
    }

    /// Which fields of the file the column reads.
    pub(crate) fn fields(&self) -> Vec<usize> {
        match &self.cells {
            Cells::Field(field) => vec![*field],
            Cells::Checkboxes(boxes) => boxes.iter().map(|(field, _)| *field).collect(),
            Cells::Constant(_) | Cells::Absent => Vec::new(),
        }
    }

    /// The cell of a row as it was delivered, where it may be shown: quarantine names it under a rule across columns.
    pub(crate) fn shown<'t>(&self, table: &'t Table, row: usize) -> Option<&'t str> {
        match self.cells {
            Cells::Field(field) if !self.identifying => {
                Some(trim(table.cell(row, field))).filter(|cell| !cell.is_empty())
            }
            _ => None,
        }
    }

    /// Reads all rows of a chunk; the array has a null where a value is missing or does not fit.
    pub(crate) fn read(
        &self,
        index: usize,
        table: &Table,
        context: Context,
        problems: &mut Problems,
    ) -> (ArrayRef, Counts) {
        let rows = table.rows();
        let mut run = Run { reader: self, index, table, context, problems };
        match &self.kind {
            Kind::Text { length_max, leading_zeros, pattern } => {
                run.all(TextBuilder::new(rows, *length_max, *leading_zeros, pattern.clone()))
            }
            Kind::IntegerCode { codes } => run.all(IntegerCodeBuilder::new(rows, codes)),
            Kind::TextCode { codes } => run.all(TextCodeBuilder::new(rows, codes)),
            Kind::CodeList { pattern } => run.all(CodeListBuilder::new(rows, pattern.clone())),
            Kind::Integer { min, max } => run.all(IntegerBuilder::new(rows, *min, *max)),
            Kind::Number { min, max, decimal } => run.all(NumberBuilder::new(rows, *decimal, *min, *max)),
            Kind::Date { min, max } => run.all(DateBuilder::new(rows, &self.formats, *min, *max)),
            Kind::DateTime { min, max } => run.all(DateTimeBuilder::new(rows, &self.formats, *min, *max)),
            Kind::Boolean => run.all(BooleanCells::new(rows)),
        }
    }
}

struct Run<'a> {
    reader: &'a ColumnReader,
    index: usize,
    table: &'a Table,
    context: Context,
    problems: &'a mut Problems,
}

impl Run<'_> {
    fn all<B: Builder>(&mut self, mut builder: B) -> (ArrayRef, Counts) {
        let mut counts = Counts::default();
        let mut ticked = String::new();
        for row in 0..self.table.rows() {
            let raw = match &self.reader.cells {
                Cells::Checkboxes(boxes) => match list_ticked(boxes, self.table, row, &mut ticked) {
                    Ok(()) => ticked.as_str(),
                    Err(value) => {
                        builder.null();
                        let value = Some(value).filter(|_| !self.reader.identifying);
                        self.problems.add(row, self.index, Reason::NotABoolean, value);
                        continue;
                    }
                },
                _ => self.reader.raw(self.table, row),
            };
            if let Err((reason, value)) = self.one(&mut builder, raw, &mut counts) {
                builder.null();
                self.problems.add(row, self.index, reason, value.filter(|_| !self.reader.identifying));
            }
        }
        (builder.finish(), counts)
    }

    /// Appends one value or null, or gives the reason and what may be shown of the value.
    fn one<'v, B: Builder>(
        &self,
        builder: &mut B,
        raw: &'v str,
        counts: &mut Counts,
    ) -> Result<(), (Reason, Option<&'v str>)> {
        let reader = self.reader;
        let value = trim(raw);
        if value.len() > CELL_BYTES_MAX {
            return Err((Reason::TooLong, None));
        }
        let stored = reader.stored(value);
        if stored.is_empty() {
            if reader.required {
                return Err((Reason::MissingRequired, None));
            }
            builder.null();
            return Ok(());
        }
        let taken = match B::GUARD {
            Some(scope) => {
                match reader.guard.look(value, scope, counts) {
                    Finding::Identity | Finding::IdentityWithoutZero | Finding::IdentityInText
                        if self.context.long_codes => {}
                    Finding::Identity | Finding::IdentityWithoutZero | Finding::IdentityInText => {
                        return Err((Reason::IdentityNumber, None));
                    }
                    Finding::Email | Finding::Telephone => return Err((Reason::ContactDetails, None)),
                    Finding::Nothing | Finding::Digits => {}
                }
                builder.take(stored)
            }
            None => {
                let taken = builder.take(stored);
                if taken.is_ok() {
                    counts.values += 1;
                } else {
                    reader.guard.look(value, Scope::Text, counts);
                }
                taken
            }
        };
        taken.map_err(|reason| (reason, Some(value).filter(|_| reason != Reason::TooLong)))
    }
}

/// The codes whose box was ticked, with one space between; or a value that is neither ticked nor not.
fn list_ticked<'t>(boxes: &[(usize, String)], table: &'t Table, row: usize, list: &mut String) -> Result<(), &'t str> {
    list.clear();
    for (field, code) in boxes {
        match trim(table.cell(row, *field)) {
            "1" | "Checked" => {
                if !list.is_empty() {
                    list.push(' ');
                }
                list.push_str(code);
            }
            "0" | "Unchecked" | "" => {}
            other => return Err(other),
        }
    }
    Ok(())
}

/// Without blanks at both ends; the quick look spares most cells the search for them.
pub(crate) fn trim(text: &str) -> &str {
    let plain = |byte: Option<&u8>| byte.is_some_and(|byte| *byte > b' ' && *byte < 0x7f);
    let bytes = text.as_bytes();
    if bytes.is_empty() || (plain(bytes.first()) && plain(bytes.last())) { text } else { text.trim() }
}

/// A pattern that the whole value must match.
fn whole(pattern: Option<&str>, column: &str) -> Result<Option<Regex>, String> {
    pattern
        .map(|pattern| Regex::new(&format!(r"\A(?:{pattern})\z")))
        .transpose()
        .map_err(|error| format!("the pattern of column {column} cannot be used: {error}"))
}
