//! Why a row goes to quarantine. The texts are stable: counts, manifests and tests use them.

/// A row's reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Bytes that are not text in UTF-8.
    NotUtf8,
    /// A quote that is never closed, or is closed inside a value.
    MalformedQuote,
    /// More or fewer fields than the header.
    WrongFieldCount,
    MissingRequired,
    TooLong,
    Pattern,
    NotACode,
    NotANumber,
    NotADate,
    NotABoolean,
    OutOfRange,
    /// A control character or a byte order mark inside a value.
    ControlCharacter,
    /// A national identity number in a column that is not made of eleven-digit codes.
    IdentityNumber,
    /// An e-mail address or a telephone number.
    ContactDetails,
    /// A cell of a workbook that holds an error such as `#N/A`.
    SpreadsheetError,
    /// A number with more digits than its format keeps: what was meant cannot be told.
    InexactNumber,
    /// A line that is no QuestionnaireResponse.
    NotAResource,
    /// A QuestionnaireResponse that is not completed, or was entered in error.
    ResourceStatus,
    /// More than one answer to a question that has one.
    SeveralAnswers,
    /// An answer of a kind that no column stores, such as an attachment.
    AnswerType,
    /// A value that stood in an earlier row, in a column whose values may stand once.
    NotUnique,
    /// A day outside the period that the file's name says it covers.
    OutsidePeriod,
    /// A rule across columns, by its place in the dataset's list.
    Rule(usize),
}

impl Reason {
    /// The reason's stable text; `rules` are the reasons of the dataset's rules in declared order.
    pub fn text(self, rules: &[String]) -> String {
        let fixed = match self {
            Self::NotUtf8 => "not-utf8",
            Self::MalformedQuote => "malformed-quote",
            Self::WrongFieldCount => "wrong-field-count",
            Self::MissingRequired => "missing-required",
            Self::TooLong => "too-long",
            Self::Pattern => "pattern",
            Self::NotACode => "not-a-code",
            Self::NotANumber => "not-a-number",
            Self::NotADate => "not-a-date",
            Self::NotABoolean => "not-a-boolean",
            Self::OutOfRange => "out-of-range",
            Self::ControlCharacter => "control-character",
            Self::IdentityNumber => "identity-number",
            Self::ContactDetails => "contact-details",
            Self::SpreadsheetError => "spreadsheet-error",
            Self::InexactNumber => "inexact-number",
            Self::NotAResource => "not-a-resource",
            Self::ResourceStatus => "resource-status",
            Self::SeveralAnswers => "several-answers",
            Self::AnswerType => "answer-type",
            Self::NotUnique => "not-unique",
            Self::OutsidePeriod => "outside-period",
            Self::Rule(index) => {
                return rules.get(index).map_or_else(|| "rule:unknown".to_owned(), String::clone);
            }
        };
        fixed.to_owned()
    }
}
