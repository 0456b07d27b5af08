//! `schemas/datasets/*.toml`.

use std::collections::BTreeMap;

use jiff::civil::{Date, date};

use super::{
    reader::{At, Node},
    rule::{self, Known},
    scope::{Names, Referring, Scope},
};
use crate::model::{Code, Column, ColumnKind, Dataset, Reference};

/// Texts longer than this are free text, which is never stored.
const TEXT_LENGTH_MAX: i64 = 255;
const TEXT_LENGTH_DEFAULT: i64 = 64;
/// Register data begin in the twentieth century and no planned date lies beyond the twenty-first.
const DATE_MIN: Date = date(1900, 1, 1);
const DATE_MAX: Date = date(2100, 1, 1);

pub(super) fn read(node: Node<'_>, scope: &mut Scope) -> Option<Dataset> {
    let name = node.string("name");
    let version = node.string("version");
    let title = node.text("title");
    let row = node.text("row");
    let key = node.strings("key");
    let mut names = Names::default();
    let columns: Vec<Column> =
        node.tables("column").into_iter().filter_map(|table| column(table, &mut names, scope)).collect();
    if node.lacks("column") {
        node.error(node.span_of("column"), "a dataset needs at least one `[[column]]`", None);
    }
    if names.known().is_empty() {
        names.set_partial();
    }
    if node.lacks("key") {
        node.error(node.span.clone(), "a dataset needs a key", Some("add `key = [\"…_id\"]`".to_owned()));
    }
    for name in &key {
        node.refer("column", name, &names);
    }
    let of_key: Vec<&Column> =
        key.iter().filter_map(|name| columns.iter().find(|column| column.name == name.value)).collect();
    if !key.is_empty() && of_key.len() == key.len() && !of_key.iter().any(|column| column.required) {
        let message = "no column of the key is `required`: rows without any would all be taken for one";
        node.error(node.span_of("key"), message, Some("required = true".to_owned()));
    }
    let rules = rule::read_all(&node, Known { columns: &columns, names: &names, key: &key });
    node.finish();
    scope.datasets.declare(name.as_ref());
    if let Some(name) = &name {
        for column in &columns {
            if let ColumnKind::Code { codes } = &column.kind {
                let codes = codes.iter().map(|code| code.code.clone()).collect();
                scope.codes.insert((name.value.clone(), column.name.clone()), codes);
            }
        }
        scope.columns.insert(name.value.clone(), names);
    }
    Some(Dataset {
        name: name?.value,
        version: version?.value,
        title: title?,
        row: row?,
        key: key.into_iter().map(|name| name.value).collect(),
        columns,
        rules,
    })
}

fn column(node: Node<'_>, names: &mut Names, scope: &mut Scope) -> Option<Column> {
    let name = node.string("name");
    let kind = column_kind(&node);
    let required = node.opt_bool("required").unwrap_or(false);
    let unique = node.opt_bool("unique").unwrap_or(false);
    let references = node.opt_string("references");
    let identifying = node.opt_bool("identifying").unwrap_or(false);
    let pseudonyms = node.opt_bool("eleven_digits_are_pseudonyms").unwrap_or(false);
    let leading_zeros = node.opt_bool("leading_zeros").unwrap_or(false);
    if leading_zeros && kind.as_ref().is_some_and(|kind| !matches!(kind, ColumnKind::Text { .. })) {
        node.error(node.span_of("leading_zeros"), "only a text has leading zeros that can be lost", None);
    }
    let description = node.text("description");
    if let Some(name) = name.as_ref().filter(|name| !is_identifier(&name.value)) {
        node.error(name.span.clone(), "a column's name is lower-case letters, digits and _", None);
    }
    let to = references.as_ref().and_then(|to| reference(&node, to));
    names.declare_once(&node, "column", name.as_ref());
    let file = node.sink.file.to_owned();
    node.finish();
    let column = Column {
        name: name?.value,
        kind: kind?,
        required,
        unique,
        references: to.clone(),
        identifying,
        eleven_digits_are_pseudonyms: pseudonyms,
        leading_zeros,
        description: description?,
    };
    if let (Some(to), Some(at)) = (to, references) {
        scope.references.push(Referring { file, column: column.clone(), to, span: at.span });
    }
    Some(column)
}

/// `references = "dataset.column"`
fn reference(node: &Node<'_>, to: &At<String>) -> Option<Reference> {
    let parts = to.value.split_once('.').filter(|(dataset, column)| !dataset.is_empty() && is_identifier(column));
    let Some((dataset, column)) = parts else {
        let help = "references = \"contacts.contact_id\"".to_owned();
        node.error(to.span.clone(), "a reference is a dataset and its column with a full stop between", Some(help));
        return None;
    };
    Some(Reference { dataset: dataset.to_owned(), column: column.to_owned() })
}

/// Once every dataset is read: references lead to columns of the same type. `node_of` gives the file that declares one.
pub(super) fn check_references<'a>(
    all: &BTreeMap<String, Dataset>,
    scope: &Scope,
    node_of: impl Fn(&str) -> Option<Node<'a>>,
) {
    for Referring { file, column, to, span } in &scope.references {
        let Some(node) = node_of(file) else { continue };
        node.refer("dataset", &At { value: to.dataset.clone(), span: span.clone() }, &scope.datasets);
        if !scope.datasets.holds(&to.dataset) {
            continue;
        }
        let name = At { value: to.column.clone(), span: span.clone() };
        node.refer("column", &name, &Scope::members(&scope.columns, &to.dataset));
        let found = all.get(&to.dataset).and_then(|dataset| dataset.column(&to.column));
        if found.is_some_and(|found| !found.kind.is_stored_as(&column.kind)) {
            let message = format!("column «{}» and the one it refers to are of different types", column.name);
            node.error(span.clone(), message, None);
        }
    }
}

pub(super) fn is_identifier(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Code,
    CodeList,
    Integer,
    Number,
    Date,
    DateTime,
    Boolean,
}

fn column_kind(node: &Node<'_>) -> Option<ColumnKind> {
    let kind = node.choice(
        "type",
        &[
            ("text", Kind::Text),
            ("code", Kind::Code),
            ("code-list", Kind::CodeList),
            ("integer", Kind::Integer),
            ("number", Kind::Number),
            ("date", Kind::Date),
            ("date-time", Kind::DateTime),
            ("boolean", Kind::Boolean),
        ],
    );
    let Some(kind) = kind else {
        node.tolerate(&["max_length", "pattern", "codes", "min", "max"]);
        return None;
    };
    Some(match kind {
        Kind::Text => {
            let length = node.opt_integer("max_length");
            let max = length.as_ref().map_or(TEXT_LENGTH_DEFAULT, |at| at.value);
            if !(1..=TEXT_LENGTH_MAX).contains(&max) {
                let span = length.map_or(node.span.clone(), |at| at.span);
                node.error(span, format!("a stored text has 1 to {TEXT_LENGTH_MAX} characters"), None);
            }
            ColumnKind::Text { max_length: usize::try_from(max).ok()?, pattern: pattern(node) }
        }
        Kind::Code => ColumnKind::Code { codes: codes(node) },
        Kind::CodeList => ColumnKind::CodeList { pattern: pattern(node) },
        Kind::Integer => {
            let (min, max) = ends(node, node.opt_integer("min"), node.opt_integer("max"), (i64::MIN, i64::MAX));
            ColumnKind::Integer { min, max }
        }
        Kind::Number => {
            let (min, max) = ends(node, node.opt_number("min"), node.opt_number("max"), (f64::MIN, f64::MAX));
            ColumnKind::Number { min, max }
        }
        Kind::Date => {
            let (min, max) = ends(node, node.opt_date("min"), node.opt_date("max"), (DATE_MIN, DATE_MAX));
            ColumnKind::Date { min, max }
        }
        Kind::DateTime => {
            let (min, max) = ends(node, node.opt_date("min"), node.opt_date("max"), (DATE_MIN, DATE_MAX));
            ColumnKind::DateTime { min, max }
        }
        Kind::Boolean => ColumnKind::Boolean,
    })
}

/// Both ends of a range that holds at least one value.
fn ends<T: Copy + PartialOrd>(node: &Node<'_>, min: Option<At<T>>, max: Option<At<T>>, widest: (T, T)) -> (T, T) {
    let span = max.as_ref().or(min.as_ref()).map_or(node.span.clone(), |at| at.span.clone());
    let (min, max) = (min.map_or(widest.0, |at| at.value), max.map_or(widest.1, |at| at.value));
    if min > max {
        node.error(span, "`max` is below `min`: no value fits", None);
    }
    (min, max)
}

fn pattern(node: &Node<'_>) -> Option<String> {
    let pattern = node.opt_string("pattern")?;
    if let Err(error) = regex::Regex::new(&pattern.value) {
        node.error(pattern.span, format!("not a regular expression: {error}"), None);
    }
    Some(pattern.value)
}

/// `codes = { "1" = "Mann", "2" = { nb = "Kvinne", en = "Woman" } }`
fn codes(node: &Node<'_>) -> Vec<Code> {
    let Some(table) = node.table("codes") else { return Vec::new() };
    let codes: Vec<Code> = table
        .keys()
        .into_iter()
        .filter_map(|key| Some(Code { code: key.clone(), label: table.text_of(&key)? }))
        .collect();
    if codes.is_empty() {
        node.error(table.span, "a code column needs at least one code", None);
    }
    codes
}
