//! What an export declares, bound to the header of one file: which field feeds which stored column.

use std::collections::BTreeMap;

use prem_spec::model::{Column, Dataset, Encoding, Export, ExtraColumns, FileFormat, Plan, SourceValue};

use crate::{
    columns::{Cells, ColumnReader, DateFormat},
    error::{IngestError, RefusalCause},
    header::{Header, show, show_all},
    identity::Guard,
    records::Dialect,
    rules::OrderRule,
};

/// What holds for every file of an export.
pub(crate) struct Declared<'a> {
    pub(crate) export: &'a Export,
    pub(crate) dataset: &'a Dataset,
    pub(crate) columns: Vec<Column>,
    pub(crate) dialect: Dialect,
    pub(crate) encoding: Encoding,
    pub(crate) rules: Vec<OrderRule>,
    pub(crate) rule_ids: Vec<String>,
    formats: Vec<DateFormat>,
    decimal: u8,
}

/// What holds for one file.
pub(crate) struct Layout {
    pub(crate) readers: Vec<ColumnReader>,
    /// Fields that feed no column; they too may not hold identity numbers.
    pub(crate) extra: Vec<Extra>,
    /// Fields of every row.
    pub(crate) width: usize,
    /// Optional columns that the file does not have.
    pub(crate) absent: Vec<String>,
}

pub(crate) struct Extra {
    pub(crate) field: usize,
    /// As a message may show it.
    pub(crate) name: String,
    pub(crate) guard: Guard,
}

impl<'a> Declared<'a> {
    pub(crate) fn new(plan: &'a Plan, export: &'a Export) -> Result<Self, IngestError> {
        let wrong = |reason: String| IngestError::Declaration { export: export.name.clone(), reason };
        let dataset = plan
            .datasets
            .get(&export.dataset)
            .ok_or_else(|| wrong(format!("there is no dataset {}", export.dataset)))?;
        let columns = plan.stored_columns(export);
        let FileFormat::Delimited { separator, quote, encoding, decimal } = export.format;
        let byte = |what: &str, character: char| {
            u8::try_from(character)
                .ok()
                .filter(|byte| byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0))
                .ok_or_else(|| wrong(format!("`{what}` must be an ASCII character, and no line end")))
        };
        let dialect = Dialect { separator: byte("separator", separator)?, quote: byte("quote", quote)? };
        if dialect.separator == dialect.quote {
            return Err(wrong("`separator` and `quote` are the same".to_owned()));
        }
        let rules = dataset.rules.iter().map(|rule| OrderRule::new(rule, &columns)).collect::<Result<_, _>>();
        Ok(Self {
            export,
            dataset,
            dialect,
            encoding,
            rules: rules.map_err(wrong)?,
            rule_ids: dataset.rules.iter().map(|rule| rule.id.clone()).collect(),
            formats: export.date_formats.iter().map(|format| DateFormat::compile(format)).collect(),
            decimal: byte("decimal", decimal)?,
            columns,
        })
    }

    /// Finds every column in a header, or says all that is wrong with it.
    pub(crate) fn bind(&self, header: &Header) -> Result<Result<Layout, RefusalCause>, IngestError> {
        let duplicates = header.duplicates();
        if !duplicates.is_empty() {
            return Ok(Err(RefusalCause::DuplicateHeaders { names: duplicates }));
        }
        let mut readers = Vec::with_capacity(self.columns.len());
        let (mut missing, mut absent) = (Vec::new(), Vec::new());
        for column in &self.columns {
            let cells = match self.cells(column, header) {
                Ok(cells) => cells,
                Err(names) if self.may_lack(column) => {
                    absent.extend(names);
                    Cells::Absent
                }
                Err(names) => {
                    missing.push(show_all(names.iter().map(String::as_str)).join(" or "));
                    Cells::Absent
                }
            };
            readers.push(self.reader(column, cells, header)?);
        }
        if !missing.is_empty() {
            let found = show_all(header.names.iter().map(String::as_str));
            return Ok(Err(RefusalCause::MissingHeaders { missing, found }));
        }
        let used: Vec<usize> = readers.iter().filter_map(ColumnReader::field).collect();
        let extra: Vec<Extra> = header
            .names
            .iter()
            .enumerate()
            .filter(|(field, _)| !used.contains(field))
            .map(|(field, name)| Extra { field, name: show(name), guard: Guard::new(name, false) })
            .collect();
        if self.export.extra_columns == ExtraColumns::Refuse && !extra.is_empty() {
            let names = show_all(extra.iter().map(|extra| header.names[extra.field].as_str()));
            return Ok(Err(RefusalCause::ExtraHeaders { names }));
        }
        Ok(Ok(Layout { readers, extra, width: header.names.len(), absent }))
    }

    /// Where the column's values stand, or the header names under which they were sought.
    fn cells(&self, column: &Column, header: &Header) -> Result<Cells, Vec<String>> {
        let own = || vec![column.name.clone()];
        let names = match self.export.columns.get(&column.name).map(|source| &source.value) {
            None => own(),
            Some(SourceValue::Header(names)) if names.is_empty() => own(),
            Some(SourceValue::Header(names)) => names.clone(),
            Some(SourceValue::Constant(constant)) => return Ok(Cells::Constant(constant.clone())),
            Some(SourceValue::Absent) => return Ok(Cells::Absent),
        };
        names.iter().find_map(|name| header.position(name)).map(Cells::Field).ok_or(names)
    }

    /// Whether a file may come without the column: it is an optional one of the dataset that the export does not mention. An item
    /// of the questionnaire must be there or be declared absent, or every patient would seem to have left it blank.
    fn may_lack(&self, column: &Column) -> bool {
        !column.required
            && !self.export.columns.contains_key(&column.name)
            && self.dataset.column(&column.name).is_some()
    }

    fn reader(&self, column: &Column, cells: Cells, header: &Header) -> Result<ColumnReader, IngestError> {
        let source = self.export.columns.get(&column.name);
        let mut missing: Vec<String> = self.export.missing.iter().map(|value| value.trim().to_owned()).collect();
        missing.extend(source.into_iter().flat_map(|source| &source.missing).map(|value| value.trim().to_owned()));
        let recode = source.map_or_else(BTreeMap::new, |source| source.recode.clone());
        let name = match &cells {
            Cells::Field(field) => header.names[*field].as_str(),
            _ => &column.name,
        };
        ColumnReader::new(column, cells, name, missing, recode, &self.formats, self.decimal)
            .map_err(|reason| IngestError::Declaration { export: self.export.name.clone(), reason })
    }
}
