//! `[format]` of an export: how the bytes of its files are rows.

use super::reader::{At, Node};
use crate::model::{Encoding, FileFormat, ResourceElement, SourceColumn, SourceValue};

#[derive(Clone, Copy)]
enum Kind {
    Delimited,
    Excel,
    Parquet,
    Spss,
    Fhir,
}

/// The word that leaves a property to each file.
const DETECT: &str = "detect";

pub(super) fn read_format(node: Node<'_>) -> Option<FileFormat> {
    let kind = node.choice(
        "type",
        &[
            ("delimited", Kind::Delimited),
            ("excel", Kind::Excel),
            ("parquet", Kind::Parquet),
            ("spss", Kind::Spss),
            ("fhir-questionnaire-response", Kind::Fhir),
        ],
    );
    let Some(kind) = kind else {
        node.tolerate(&["separator", "quote", "decimal", "encoding", "sheet", "header_row"]);
        node.finish();
        return None;
    };
    let format = match kind {
        Kind::Delimited => delimited(&node),
        Kind::Excel => excel(&node),
        Kind::Parquet => character(&node, "decimal", ',').map(|decimal| FileFormat::Parquet { decimal }),
        Kind::Spss => character(&node, "decimal", ',').map(|decimal| FileFormat::Spss { decimal }),
        Kind::Fhir => Some(FileFormat::FhirQuestionnaireResponse),
    };
    node.finish();
    format
}

fn delimited(node: &Node<'_>) -> Option<FileFormat> {
    let detected = node.is_text("separator", DETECT);
    let separator = if detected { Some(None) } else { character(node, "separator", ';').map(Some) };
    let quote = character(node, "quote", '"');
    let decimal = character(node, "decimal", ',');
    let encoding = node.opt_choice(
        "encoding",
        &[
            ("utf-8", Some(Encoding::Utf8)),
            ("windows-1252", Some(Encoding::Windows1252)),
            ("iso-8859-1", Some(Encoding::Iso8859_1)),
            (DETECT, None),
        ],
    );
    Some(FileFormat::Delimited {
        separator: separator?,
        quote: quote?,
        encoding: encoding.unwrap_or(Some(Encoding::Utf8)),
        decimal: decimal?,
    })
}

fn excel(node: &Node<'_>) -> Option<FileFormat> {
    let sheet = node.opt_string("sheet").map(|at| at.value);
    let row = node.opt_integer("header_row");
    let header_row = row.as_ref().map_or(Some(1), |at| u32::try_from(at.value).ok().filter(|row| *row >= 1));
    if let Some(row) = row.filter(|_| header_row.is_none()) {
        node.error(row.span, "`header_row` is a row of the sheet, from 1", None);
    }
    let decimal = character(node, "decimal", ',');
    Some(FileFormat::Excel { sheet, header_row: header_row?, decimal: decimal? })
}

/// Header names that no file of the format can have.
pub(super) fn check_headers(node: &Node<'_>, format: &FileFormat, columns: &[(At<String>, Option<SourceColumn>)]) {
    let is_fhir = matches!(format, FileFormat::FhirQuestionnaireResponse);
    for (column, source) in columns {
        match source.as_ref().map(|source| &source.value) {
            Some(SourceValue::Checkboxes(_)) if is_fhir => {
                let message =
                    "answers of a resource are lists already: read them by their linkId, without `checkboxes`";
                node.error(column.span.clone(), message, None);
            }
            Some(SourceValue::Header(names)) if is_fhir => {
                let elements = names.iter().filter_map(|name| name.strip_prefix(ResourceElement::PREFIX));
                for element in elements.filter(|element| ResourceElement::of(element).is_none()) {
                    let known: Vec<&str> = ResourceElement::NAMED.iter().map(|(name, _)| *name).collect();
                    let message =
                        format!("`{}{element}` is nothing that is read of a resource", ResourceElement::PREFIX);
                    let help = format!("known: {} and extension('address')", known.join(", "));
                    node.error(column.span.clone(), message, Some(help));
                }
            }
            _ => {}
        }
    }
}

fn character(node: &Node<'_>, key: &'static str, default: char) -> Option<char> {
    let Some(text) = node.opt_string(key) else { return Some(default) };
    let mut characters = text.value.chars();
    let first = characters.next().filter(char::is_ascii);
    if first.is_none() || characters.next().is_some() {
        node.error(text.span, format!("`{key}` is one ASCII character"), None);
        return None;
    }
    first
}
