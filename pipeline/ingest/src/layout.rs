//! What an export declares, bound to the header of one file: which field feeds which stored column.

use std::collections::{BTreeMap, BTreeSet};

use prem_spec::model::{Column, Dataset, Export, ExtraColumns, FileFormat, Item, Plan, Rule, SourceValue};
use prem_store::Secret;

use crate::{
    columns::{Cells, ColumnReader, DateFormat},
    error::{IngestError, RefusalCause},
    facts::{Wanted, Window},
    formats::CANONICAL_DATES,
    header::{Header, show, show_all},
    identity::Guard,
    rules::RowRule,
};

/// What holds for every file of an export.
pub(crate) struct Declared<'a> {
    pub(crate) export: &'a Export,
    pub(crate) dataset: &'a Dataset,
    pub(crate) columns: Vec<Column>,
    /// Of delimited text: `None` where each file has its own.
    pub(crate) separator: Option<u8>,
    pub(crate) quote: u8,
    pub(crate) decimal: u8,
    pub(crate) rules: Vec<RowRule>,
    /// Places of columns whose values may stand once in a file.
    pub(crate) unique: Vec<usize>,
    pub(crate) wanted: Wanted,
    /// The reason of each rule.
    pub(crate) rule_reasons: Vec<String>,
    /// For the subjects of quarantined rows.
    pub(crate) secret: Option<Secret>,
    formats: Vec<DateFormat>,
    /// Items of some versions or some trusts only.
    not_in_all_forms: BTreeSet<&'a str>,
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
    /// The days that the file may have rows of, where its name says so.
    pub(crate) window: Option<Window>,
}

pub(crate) struct Extra {
    pub(crate) field: usize,
    /// As a message may show it.
    pub(crate) name: String,
    pub(crate) guard: Guard,
}

fn not_in_all_forms<'a>(plan: &'a Plan, export: &Export) -> BTreeSet<&'a str> {
    let questionnaire = export.questionnaire.as_ref().and_then(|id| plan.questionnaires.get(id));
    let items = questionnaire.into_iter().flat_map(|questionnaire| &questionnaire.items);
    let is_partial = |item: &&Item| questionnaire.is_some_and(|questionnaire| !questionnaire.asks_always(&item.id));
    items.filter(is_partial).map(|item| item.id.as_str()).collect()
}

impl<'a> Declared<'a> {
    pub(crate) fn new(plan: &'a Plan, export: &'a Export) -> Result<Self, IngestError> {
        let wrong = |reason: String| IngestError::Declaration { export: export.name.clone(), reason };
        let dataset = plan
            .datasets
            .get(&export.dataset)
            .ok_or_else(|| wrong(format!("there is no dataset {}", export.dataset)))?;
        let columns = plan.stored_columns(export);
        let byte = |what: &str, character: char| {
            u8::try_from(character)
                .ok()
                .filter(|byte| byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0))
                .ok_or_else(|| wrong(format!("`{what}` must be an ASCII character, and no line end")))
        };
        let (separator, quote, decimal) = match export.format {
            FileFormat::Delimited { separator, quote, decimal, .. } => (separator, quote, decimal),
            FileFormat::Excel { decimal, .. } | FileFormat::Parquet { decimal } | FileFormat::Spss { decimal } => {
                (None, '"', decimal)
            }
            FileFormat::FhirQuestionnaireResponse => (None, '"', '.'),
        };
        let separator = separator.map(|separator| byte("separator", separator)).transpose()?;
        let quote = byte("quote", quote)?;
        if separator == Some(quote) {
            return Err(wrong("`separator` and `quote` are the same".to_owned()));
        }
        let canonical: &[&str] = match export.format {
            FileFormat::Delimited { .. } => &[],
            _ => &CANONICAL_DATES,
        };
        let formats = canonical.iter().copied().chain(export.date_formats.iter().map(String::as_str));
        let rules = dataset.rules.iter().map(|rule| RowRule::new(rule, &columns)).collect::<Result<_, _>>();
        Ok(Self {
            export,
            dataset,
            separator,
            quote,
            rules: rules.map_err(wrong)?,
            unique: (0..columns.len()).filter(|index| columns[*index].unique).collect(),
            wanted: Wanted::new(export, &columns).map_err(wrong)?,
            rule_reasons: dataset.rules.iter().map(Rule::reason).collect(),
            formats: formats.map(DateFormat::compile).collect(),
            decimal: byte("decimal", decimal)?,
            columns,
            secret: None,
            not_in_all_forms: not_in_all_forms(plan, export),
        })
    }

    /// The header names under which a column's values are sought; none where the file does not give them.
    pub(crate) fn sought(&self, column: &Column) -> Vec<String> {
        match self.export.columns.get(&column.name).map(|source| &source.value) {
            Some(SourceValue::Header(names)) if !names.is_empty() => names.clone(),
            None | Some(SourceValue::Header(_)) => vec![column.name.clone()],
            Some(SourceValue::Checkboxes(_) | SourceValue::Constant(_) | SourceValue::Absent) => Vec::new(),
        }
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
        // What one column hides, another that reads the same field may not show.
        let hidden: Vec<usize> =
            readers.iter().filter(|reader| reader.is_identifying()).flat_map(ColumnReader::fields).collect();
        let shares = |reader: &&mut ColumnReader| reader.fields().iter().any(|field| hidden.contains(field));
        readers.iter_mut().filter(shares).for_each(ColumnReader::hide);
        let used: Vec<usize> = readers.iter().flat_map(ColumnReader::fields).collect();
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
        Ok(Ok(Layout { readers, extra, width: header.names.len(), absent, window: None }))
    }

    /// Where the column's values stand, or the header names under which they were sought.
    fn cells(&self, column: &Column, header: &Header) -> Result<Cells, Vec<String>> {
        match self.export.columns.get(&column.name).map(|source| &source.value) {
            Some(SourceValue::Constant(constant)) => Ok(Cells::Constant(constant.clone())),
            Some(SourceValue::Absent) => Ok(Cells::Absent),
            Some(SourceValue::Checkboxes(name)) => checkboxes(name, header),
            None | Some(SourceValue::Header(_)) => {
                let names = self.sought(column);
                names.iter().find_map(|name| header.position(name)).map(Cells::Field).ok_or(names)
            }
        }
    }

    /// Whether a file may come without the column: it is an optional one of the dataset that the export does not mention. An item
    /// of the questionnaire must be there or be declared absent, or every patient would seem to have left it blank; but
    /// one that not all of its forms have may be lacking.
    fn may_lack(&self, column: &Column) -> bool {
        let is_optional = !column.required
            && !self.export.columns.contains_key(&column.name)
            && self.dataset.column(&column.name).is_some();
        is_optional || self.not_in_all_forms.contains(column.name.as_str())
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

/// REDCap writes one column per code, and a minus in a code as an underscore.
fn checkboxes(name: &str, header: &Header) -> Result<Cells, Vec<String>> {
    let prefix = format!("{name}___");
    let code = |field: &str| {
        let code = field.strip_prefix(&prefix).filter(|code| !code.is_empty())?;
        Some(code.strip_prefix('_').map_or_else(|| code.to_owned(), |code| format!("-{code}")))
    };
    let boxes: Vec<(usize, String)> =
        header.names.iter().enumerate().filter_map(|(field, name)| Some((field, code(name)?))).collect();
    if boxes.is_empty() { Err(vec![format!("{prefix}…")]) } else { Ok(Cells::Checkboxes(boxes)) }
}
