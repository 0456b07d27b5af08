//! Exports: how one source's files map to a dataset.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Expected;

/// A source's files and how they become rows of a dataset (`schemas/exports/*.toml`).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Export {
    pub name: String,
    pub dataset: String,
    /// Which source's unit codes the file uses (`[unit.codes]` of the organisation).
    pub source: String,
    /// Glob patterns relative to the inbox, `/` between folders.
    pub files: Vec<String>,
    pub format: FileFormat,
    pub mode: DeliveryMode,
    /// Which rows a delivery replaces; with [`DeliveryMode::ReplacePeriod`] and only then.
    pub period: Option<PeriodOfFile>,
    pub sequence: Sequence,
    /// For `responses`: whose items the file has.
    pub questionnaire: Option<String>,
    /// A file with a larger share of quarantined rows than this is refused whole.
    pub max_bad_share: f64,
    /// A file that keeps fewer rows than this share of the snapshot before it, or of a month as it was delivered before
    /// ([`DeliveryMode::ReplacePeriod`]), is refused whole, since rows that it leaves out are gone. 0 with
    /// [`DeliveryMode::Upsert`].
    pub min_rows_share: f64,
    pub extra_columns: ExtraColumns,
    /// Values that mean «missing» in any column, compared after trimming.
    pub missing: Vec<String>,
    /// strftime-like formats tried in order, for example `%Y-%m-%d` or `%d.%m.%Y`.
    pub date_formats: Vec<String>,
    /// Stored column → where its value comes from. Columns without an entry are read from a header of their own name.
    pub columns: BTreeMap<String, SourceColumn>,
    /// When deliveries are expected. It changes no number, so it is not part of the plan's hash.
    #[serde(skip)]
    pub expected: Option<Expected>,
}

impl Export {
    /// The part of a file's path that tells its deliveries apart: what the wildcards of the first pattern that fits stand for. So
    /// names of several exports can be compared, whatever their fixed parts.
    pub fn place_in_sequence<'a>(&self, path: &'a str) -> &'a str {
        let wildcards = ['*', '?', '['];
        let varying = |pattern: &String| {
            let (Some(first), Some(last)) = (pattern.find(wildcards), pattern.rfind(['*', '?', ']'])) else {
                return (*pattern == path).then_some("");
            };
            path.strip_prefix(&pattern[..first])?.strip_suffix(&pattern[last + 1..])
        };
        self.files.iter().find_map(varying).unwrap_or(path)
    }
}

/// How the bytes of an export's files are rows. gzip and zstd around them are seen from a file's first bytes, whatever the
/// format.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum FileFormat {
    /// Delimited text, one header line. A separator or encoding of `None` is detected, file by file.
    Delimited { separator: Option<char>, quote: char, encoding: Option<Encoding>, decimal: char },
    /// An Excel workbook (.xlsx): one sheet, `None` for the only one, with the headers in row `header_row` from 1. `decimal` is for
    /// numbers that were typed as text.
    Excel { sheet: Option<String>, header_row: u32, decimal: char },
    /// A Parquet file with flat columns. `decimal` is for numbers in columns of text.
    Parquet { decimal: char },
    /// An SPSS system file (.sav or .zsav): codes and not labels, user-missing values as missing.
    Spss { decimal: char },
    /// HL7 FHIR R4 QuestionnaireResponse, one resource a line: answers by linkId, elements as in [`ResourceElement`].
    FhirQuestionnaireResponse,
}

/// What a column may read of a QuestionnaireResponse besides its answers. The subject, the author and the source of the answers are
/// not among them: who answered is never stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceElement {
    Id,
    /// `identifier.value`.
    Identifier,
    /// The canonical address of the questionnaire, without its version.
    Questionnaire,
    /// What stands behind `|` in the canonical address.
    QuestionnaireVersion,
    Status,
    Authored,
    Language,
    /// The identifier of the encounter, or the id that its reference ends with.
    Encounter,
    /// The same of the order that the answers fulfil.
    BasedOn,
    /// The value of the extension with this address.
    Extension(String),
}

impl ResourceElement {
    /// What stands before an element's name under `[columns]`; without it a name is a linkId.
    pub const PREFIX: &str = "QuestionnaireResponse.";
    /// The elements by their names, extensions apart.
    pub const NAMED: [(&str, Self); 9] = [
        ("id", Self::Id),
        ("identifier", Self::Identifier),
        ("questionnaire", Self::Questionnaire),
        ("questionnaire.version", Self::QuestionnaireVersion),
        ("status", Self::Status),
        ("authored", Self::Authored),
        ("language", Self::Language),
        ("encounter", Self::Encounter),
        ("basedOn", Self::BasedOn),
    ];

    /// The element of that name, `extension('address')` included; `None` where there is none.
    pub fn of(name: &str) -> Option<Self> {
        if let Some(address) = name.strip_prefix("extension('").and_then(|rest| rest.strip_suffix("')")) {
            return (!address.is_empty()).then(|| Self::Extension(address.to_owned()));
        }
        Self::NAMED.into_iter().find(|(known, _)| *known == name).map(|(_, element)| element)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// With or without a byte order mark.
    Utf8,
    Windows1252,
    Iso8859_1,
}

/// What a delivery means for the rows delivered before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryMode {
    /// Rows with a known key replace the earlier row; others are new.
    Upsert,
    /// The file holds everything of the months it covers: rows of those months that it leaves out are gone.
    ReplacePeriod,
    /// The file holds the whole dataset: rows absent from it are gone.
    Snapshot,
}

/// Which months a delivery covers, and which rows lie in them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PeriodOfFile {
    /// The stored date or date-time that places a row in a month. A row without it lies in no period.
    pub column: String,
    pub covers: Covers,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Covers {
    /// Every month that a kept row of the file lies in. A month of which the file has nothing is not replaced.
    Rows,
    /// The period that the first group of this regular expression finds in the file's name, such as `2025-03` or `2025-T2`.
    FileName(String),
}

/// What decides which of two deliveries is the later one; of equal ones the one that arrived later, then the content hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sequence {
    /// What the wildcards of the export's pattern stand for in the file's path, numbers in it compared as numbers.
    FileName,
    /// The latest value of a stored date, date-time or whole number among the file's kept rows.
    Column(String),
    Arrival,
}

impl Sequence {
    /// Whether values of the two can be compared: exports that share keys must agree on what «later» means.
    pub fn is_comparable_with(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExtraColumns {
    Ignore,
    Refuse,
}

/// Where a stored column's value comes from in a source.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SourceColumn {
    pub value: SourceValue,
    /// Values that mean «missing» in this column besides the export's own.
    pub missing: Vec<String>,
    /// Source value → stored value, before checking; a value without an entry is kept as it is.
    pub recode: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceValue {
    /// Header names, the first that the file has.
    Header(Vec<String>),
    /// One column per code, `<name>___<code>` with 1 where the code was ticked, as REDCap writes them: the ticked codes as a list.
    Checkboxes(String),
    /// The same value for every row.
    Constant(String),
    /// The source has no such column; every row is missing it.
    Absent,
}
