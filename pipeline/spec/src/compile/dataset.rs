//! `schemas/datasets/*.toml`.

use jiff::civil::{Date, date};

use super::reader::Node;
use crate::model::{Code, Column, ColumnKind, Dataset, Rule, Text};

/// Texts longer than this are free text, which is never stored.
const TEXT_LENGTH_MAX: i64 = 255;
const TEXT_LENGTH_DEFAULT: i64 = 64;
/// Register data begin in the twentieth century and no planned date lies beyond the twenty-first.
const DATE_MIN: Date = date(1900, 1, 1);
const DATE_MAX: Date = date(2100, 1, 1);

pub(super) fn read(node: Node<'_>) -> Option<Dataset> {
    let name = node.string("name");
    let version = node.string("version");
    let title = node.text("title");
    let row = node.text("row");
    let key = node.strings("key");
    let columns: Vec<Column> = node.tables("column").into_iter().filter_map(column).collect();
    let known: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    if key.is_empty() {
        node.error(node.span.clone(), "a dataset needs a key", Some("add `key = [\"…_id\"]`".to_owned()));
    }
    for name in &key {
        if !known.contains(&name.value.as_str()) {
            node.unknown("column", name, &known);
        }
    }
    for (index, name) in known.iter().enumerate() {
        if known[..index].contains(name) {
            node.error(node.span.clone(), format!("column «{name}» is declared twice"), None);
        }
    }
    let rules = node.tables("rule").into_iter().filter_map(|rule| read_rule(rule, &columns)).collect();
    node.finish();
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

fn column(node: Node<'_>) -> Option<Column> {
    let name = node.string("name");
    let kind = column_kind(&node);
    let required = node.opt_bool("required").unwrap_or(false);
    let identifying = node.opt_bool("identifying").unwrap_or(false);
    let pseudonyms = node.opt_bool("eleven_digits_are_pseudonyms").unwrap_or(false);
    let description = node.text("description");
    if let Some(name) = name.as_ref().filter(|name| !is_identifier(&name.value)) {
        node.error(name.span.clone(), "a column's name is lower-case letters, digits and _", None);
    }
    node.finish();
    Some(Column {
        name: name?.value,
        kind: kind?,
        required,
        identifying,
        eleven_digits_are_pseudonyms: pseudonyms,
        description: description?,
    })
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
    )?;
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
            let min = node.opt_integer("min").map_or(i64::MIN, |at| at.value);
            ColumnKind::Integer { min, max: node.opt_integer("max").map_or(i64::MAX, |at| at.value) }
        }
        Kind::Number => {
            let min = node.opt_number("min").map_or(f64::MIN, |at| at.value);
            ColumnKind::Number { min, max: node.opt_number("max").map_or(f64::MAX, |at| at.value) }
        }
        Kind::Date => ColumnKind::Date { min: earliest(node), max: latest(node) },
        Kind::DateTime => ColumnKind::DateTime { min: earliest(node), max: latest(node) },
        Kind::Boolean => ColumnKind::Boolean,
    })
}

fn earliest(node: &Node<'_>) -> Date {
    node.opt_date("min").map_or(DATE_MIN, |at| at.value)
}

fn latest(node: &Node<'_>) -> Date {
    node.opt_date("max").map_or(DATE_MAX, |at| at.value)
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

fn read_rule(node: Node<'_>, columns: &[Column]) -> Option<Rule> {
    let id = node.string("id");
    let earlier = node.string("earlier");
    let later = node.string("later");
    let description = node.text("description").unwrap_or_else(Text::default);
    let is_date = |column: &Column| matches!(column.kind, ColumnKind::Date { .. } | ColumnKind::DateTime { .. });
    let dates: Vec<&str> = columns.iter().filter(|c| is_date(c)).map(|column| column.name.as_str()).collect();
    for name in [&earlier, &later].into_iter().flatten() {
        if !dates.contains(&name.value.as_str()) {
            node.unknown("date column", name, &dates);
        }
    }
    node.finish();
    Some(Rule { id: id?.value, earlier: earlier?.value, later: later?.value, description })
}
