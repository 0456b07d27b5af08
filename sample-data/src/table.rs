//! A dataset's file as its export declares it: which columns, under which header, written how.

use jiff::{ToSpan, civil::Date};
use prem_spec::{Encoding, Export, FileFormat, Plan, SourceValue};

use crate::SampleError;

/// Days as texts, before and after the first day of the span.
const DAYS_BEFORE: i32 = 400;

/// A column of the file: the field that fills it (`None`: the sample does not know it and leaves it blank).
struct Column {
    field: Option<usize>,
    header: String,
    /// Stored value → what the source writes for it.
    recode: Vec<(Vec<u8>, Vec<u8>)>,
    blank: Vec<u8>,
}

pub(crate) struct Table {
    columns: Vec<Column>,
    /// What the export says of each field.
    fields: Vec<FieldSource>,
    separator: u8,
    quote: u8,
    pub(crate) decimal: u8,
    encoding: Encoding,
    prefix: String,
    suffix: String,
    /// In the export's first date format, from `DAYS_BEFORE` days before the first day of the span.
    dates: Vec<Vec<u8>>,
    iso: Vec<Vec<u8>>,
}

/// Where a field's value comes from in the export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FieldSource {
    Written,
    Constant(String),
    Absent,
}

impl Table {
    /// `fields` are the stored columns that the sample can fill, in the order of a [`Row`]'s cells; dates reach from some
    /// time before `first` to `days` days after it.
    pub(crate) fn new(
        plan: &Plan,
        export: &Export,
        fields: &[String],
        first: Date,
        days: i32,
    ) -> Result<Self, SampleError> {
        let FileFormat::Delimited { separator, quote, encoding, decimal } = export.format else {
            let message = "the sample writes delimited text only".to_owned();
            return Err(SampleError::Export { export: export.name.clone(), message });
        };
        // What a file is detected to be, the sample may choose.
        let (separator, encoding) = (separator.unwrap_or(';'), encoding.unwrap_or(Encoding::Utf8));
        let byte = |name: &str, character: char| {
            u8::try_from(character).ok().filter(u8::is_ascii).ok_or_else(|| SampleError::Export {
                export: export.name.clone(),
                message: format!("the {name} is not an ASCII character"),
            })
        };
        let stored = plan.stored_columns(export);
        let columns = stored
            .iter()
            .filter_map(|column| {
                let field = fields.iter().position(|field| *field == column.name);
                Column::new(export, &column.name, field)
            })
            .collect();
        let sources = fields
            .iter()
            .map(|field| match export.columns.get(field).map(|column| &column.value) {
                Some(SourceValue::Constant(value)) => FieldSource::Constant(value.clone()),
                Some(SourceValue::Absent) => FieldSource::Absent,
                _ if stored.iter().any(|column| column.name == *field) => FieldSource::Written,
                _ => FieldSource::Absent,
            })
            .collect();
        let (prefix, suffix) = pattern(export)?;
        let format = export.date_formats.first().map_or("%Y-%m-%d", String::as_str);
        Ok(Self {
            columns,
            fields: sources,
            separator: byte("separator", separator)?,
            quote: byte("quote", quote)?,
            decimal: byte("decimal sign", decimal)?,
            encoding,
            prefix,
            suffix,
            dates: day_texts(export, format, first, days)?,
            iso: day_texts(export, "%Y-%m-%d", first, days)?,
        })
    }

    /// The file's name with `stamp` in the place of the pattern's `*`.
    pub(crate) fn file_name(&self, stamp: &str) -> String {
        format!("{}{stamp}{}", self.prefix, self.suffix)
    }

    pub(crate) fn source(&self, field: usize) -> &FieldSource {
        &self.fields[field]
    }

    /// Whether a change of the field would be seen in the file.
    pub(crate) fn is_written(&self, field: usize) -> bool {
        self.fields[field] == FieldSource::Written
    }

    /// Byte order mark (UTF-8) and header line.
    pub(crate) fn header(&self) -> Vec<u8> {
        let mut out = if self.encoding == Encoding::Utf8 { vec![0xEF, 0xBB, 0xBF] } else { Vec::new() };
        for (index, column) in self.columns.iter().enumerate() {
            if index > 0 {
                out.push(self.separator);
            }
            self.cell(column.header.as_bytes(), &mut out);
        }
        out.extend_from_slice(b"\r\n");
        out
    }

    pub(crate) fn write(&self, row: &Row, out: &mut Vec<u8>) {
        for (index, column) in self.columns.iter().enumerate() {
            if index > 0 {
                out.push(self.separator);
            }
            let stored = column.field.map_or(&[][..], |field| row.get(field));
            if stored.is_empty() {
                out.extend_from_slice(&column.blank);
            } else if let Some((_, source)) = column.recode.iter().find(|(value, _)| value == stored) {
                self.cell(source, out);
            } else {
                self.cell(stored, out);
            }
        }
        out.extend_from_slice(b"\r\n");
    }

    fn cell(&self, text: &[u8], out: &mut Vec<u8>) {
        let special = |byte: &u8| *byte == self.separator || *byte == self.quote || *byte == b'\n' || *byte == b'\r';
        if text.iter().any(special) {
            out.push(self.quote);
            for &byte in text {
                if byte == self.quote {
                    out.push(byte);
                }
                out.push(byte);
            }
            out.push(self.quote);
        } else if self.encoding == Encoding::Utf8 || text.is_ascii() {
            out.extend_from_slice(text);
        } else {
            // Windows-1252 and ISO 8859-1 agree on what the sample writes: letters from U+00A0 to U+00FF.
            let narrow = |letter: char| u8::try_from(letter).ok().filter(|b| *b < 0x80 || *b >= 0xA0).unwrap_or(b'?');
            out.extend(String::from_utf8_lossy(text).chars().map(narrow));
        }
    }

    /// A day in the export's format; days are counted from the first day of the span.
    pub(crate) fn date(&self, day: i32) -> &[u8] {
        at(&self.dates, day)
    }

    /// `2025-03-02T14:30`
    pub(crate) fn date_time(&self, minute: i64, row: &mut Row) {
        let day = i32::try_from(minute.div_euclid(1_440)).unwrap_or(0);
        let minute = minute.rem_euclid(1_440);
        let two = |value: i64| [b'0' + (value / 10) as u8, b'0' + (value % 10) as u8];
        row.start();
        row.add(at(&self.iso, day));
        row.add(b"T");
        row.add(&two(minute / 60));
        row.add(b":");
        row.add(&two(minute % 60));
        row.end();
    }
}

fn at(texts: &[Vec<u8>], day: i32) -> &[u8] {
    let index = usize::try_from(day + DAYS_BEFORE).unwrap_or(0).min(texts.len().saturating_sub(1));
    texts.get(index).map_or(&[], Vec::as_slice)
}

impl Column {
    fn new(export: &Export, name: &str, field: Option<usize>) -> Option<Self> {
        let declared = export.columns.get(name);
        let header = match declared.map(|column| &column.value) {
            None => name.to_owned(),
            Some(SourceValue::Header(names)) => names.first().cloned()?,
            Some(SourceValue::Constant(_) | SourceValue::Absent | SourceValue::Checkboxes(_)) => return None,
        };
        let own = declared.map_or(&[][..], |column| &column.missing);
        let mut missing = own.iter().chain(&export.missing);
        let blank = if missing.clone().any(String::is_empty) { "" } else { missing.next().map_or("", String::as_str) };
        let recode = declared.map(|column| &column.recode).into_iter().flatten();
        let recode =
            recode.map(|(source, stored)| (stored.clone().into_bytes(), source.clone().into_bytes())).collect();
        Some(Self { field, header, recode, blank: blank.as_bytes().to_vec() })
    }
}

fn pattern(export: &Export) -> Result<(String, String), SampleError> {
    let pattern = export.files.first().map_or("", String::as_str);
    match pattern.split_once('*') {
        Some((prefix, suffix)) if !suffix.contains(['*', '?', '[']) && !prefix.contains(['?', '[']) => {
            Ok((prefix.to_owned(), suffix.to_owned()))
        }
        _ => Err(SampleError::FilePattern { export: export.name.clone(), pattern: pattern.to_owned() }),
    }
}

fn day_texts(export: &Export, format: &str, first: Date, days: i32) -> Result<Vec<Vec<u8>>, SampleError> {
    let text = |day: i32| {
        let date = first.checked_add(i64::from(day).days())?;
        Ok::<_, jiff::Error>(jiff::fmt::strtime::format(format, date)?.into_bytes())
    };
    (-DAYS_BEFORE..=days)
        .map(text)
        .collect::<Result<_, _>>()
        .map_err(|error| SampleError::Export { export: export.name.clone(), message: error.to_string() })
}

/// The cells of one row, in the order of the table's fields. An empty cell is a missing value.
#[derive(Default, Clone)]
pub(crate) struct Row {
    bytes: Vec<u8>,
    cells: Vec<(usize, usize)>,
    open: usize,
}

impl Row {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.cells.clear();
    }

    pub(crate) fn start(&mut self) {
        self.open = self.bytes.len();
    }

    pub(crate) fn add(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
    }

    pub(crate) fn end(&mut self) {
        self.cells.push((self.open, self.bytes.len()));
    }

    pub(crate) fn text(&mut self, text: &[u8]) {
        self.start();
        self.add(text);
        self.end();
    }

    pub(crate) fn blank(&mut self) {
        self.text(b"");
    }

    /// A letter and a number of ten digits.
    pub(crate) fn id(&mut self, letter: u8, mut number: u64) {
        let mut text = [b'0'; 11];
        text[0] = letter;
        for digit in text[1..].iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
        self.text(&text);
    }

    /// Sixteen hexadecimal digits.
    pub(crate) fn pseudonym(&mut self, id: u64) {
        let mut text = [0; 16];
        for (index, digit) in text.iter_mut().enumerate() {
            *digit = b"0123456789abcdef"[(id >> (60 - 4 * index)) as usize & 15];
        }
        self.text(&text);
    }

    /// Replaces a cell.
    pub(crate) fn set(&mut self, field: usize, text: &[u8]) {
        let start = self.bytes.len();
        self.add(text);
        self.cells[field] = (start, self.bytes.len());
    }

    pub(crate) fn swap(&mut self, a: usize, b: usize) {
        self.cells.swap(a, b);
    }

    pub(crate) fn get(&self, field: usize) -> &[u8] {
        let (from, to) = self.cells[field];
        &self.bytes[from..to]
    }
}
