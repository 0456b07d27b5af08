//! `schemas/exports/*.toml`.

use std::collections::BTreeMap;

use jiff::{
    civil::date,
    fmt::strtime::{self, BrokenDownTime},
    tz::TimeZone,
};
use toml::{Spanned, de::DeValue};

use super::{
    format::{check_headers, read_format},
    order,
    reader::{At, Node},
    scope::{Names, Scope},
};
use crate::model::{DeliveryMode, Export, ExtraColumns, SourceColumn, SourceValue};

/// Files with more bad rows than one in twenty are refused unless the export says otherwise.
const BAD_SHARE_DEFAULT: f64 = 0.05;
/// Files that keep fewer than half the rows of what they replace are refused unless the export says otherwise.
const ROWS_SHARE_DEFAULT: f64 = 0.5;

pub(super) fn read(node: Node<'_>, scope: &Scope) -> Option<Export> {
    let name = node.string("name");
    let dataset = node.string("dataset");
    let source = node.string("source");
    let files = node.strings("files");
    if node.lacks("files") {
        node.error(node.span_of("files"), "an export needs `files`", Some("files = [\"responses_*.csv\"]".to_owned()));
    }
    let mode = order::read_mode(&node);
    let questionnaire = node.opt_string("questionnaire");
    let bad_share = read_share(&node, "max_bad_share");
    let rows_share = read_share(&node, "min_rows_share");
    let is_upsert = mode == Some(DeliveryMode::Upsert);
    if let Some(at) = rows_share.as_ref().filter(|_| is_upsert) {
        node.error(
            at.span.clone(),
            "mode «upsert» has no `min_rows_share`: no row goes because a file leaves it out",
            None,
        );
    }
    let extra = node.opt_choice("extra_columns", &[("ignore", ExtraColumns::Ignore), ("refuse", ExtraColumns::Refuse)]);
    let missing = node.strings("missing").into_iter().map(|at| at.value).collect();
    let date_formats = date_formats(&node);
    let format = node.table("format").and_then(read_format);
    let columns = read_columns(&node);
    if let Some(format) = &format {
        check_headers(&node, format, &columns);
    }
    let expected = node.opt_table("expected").and_then(super::expected::read);
    let mut stored = Names::unknown();
    if let Some(dataset) = &dataset {
        node.refer("dataset", dataset, &scope.datasets);
        let is_responses = dataset.value == "responses";
        if is_responses && !node.has("questionnaire") {
            node.error(dataset.span.clone(), "an export of responses says which `questionnaire` it holds", None);
        }
        if let Some(questionnaire) = questionnaire.as_ref().filter(|_| !is_responses) {
            node.error(questionnaire.span.clone(), "only an export of responses holds a `questionnaire`", None);
        }
        stored = Scope::members(&scope.columns, &dataset.value);
        if let Some(questionnaire) = &questionnaire {
            stored.extend(&Scope::members(&scope.questionnaire_items, &questionnaire.value));
        }
        for (name, _) in &columns {
            node.refer("stored column", name, &stored);
        }
    }
    let sequence = order::read_sequence(&node, &stored);
    let period = order::read_period(&node, mode, &stored);
    if let Some(questionnaire) = &questionnaire {
        node.refer("questionnaire", questionnaire, &scope.questionnaires);
    }
    node.finish();
    Some(Export {
        name: name?.value,
        dataset: dataset?.value,
        source: source?.value,
        files: files.into_iter().map(|at| at.value).collect(),
        format: format?,
        mode: mode?,
        period,
        sequence: sequence?,
        questionnaire: questionnaire.map(|at| at.value),
        max_bad_share: bad_share.map_or(BAD_SHARE_DEFAULT, |at| at.value),
        min_rows_share: if is_upsert { 0.0 } else { rows_share.map_or(ROWS_SHARE_DEFAULT, |at| at.value) },
        extra_columns: extra.unwrap_or(ExtraColumns::Ignore),
        missing,
        date_formats,
        expected,
        columns: columns.into_iter().filter_map(|(name, column)| Some((name.value, column?))).collect(),
    })
}

fn read_share(node: &Node<'_>, key: &'static str) -> Option<At<f64>> {
    let share = node.opt_number(key)?;
    if !(0.0..=1.0).contains(&share.value) {
        node.error(share.span.clone(), format!("`{key}` is a share from 0 to 1"), None);
    }
    Some(share)
}

fn date_formats(node: &Node<'_>) -> Vec<String> {
    let formats = node.strings("date_formats");
    for format in &formats {
        if !is_date_format(&format.value) {
            let message = "not a date format: no day that it writes can be read again";
            node.error(format.span.clone(), message, Some("%d.%m.%Y".to_owned()));
        }
    }
    if formats.is_empty() { vec!["%Y-%m-%d".to_owned()] } else { formats.into_iter().map(|at| at.value).collect() }
}

/// Whether a day can be written in a format and read again.
fn is_date_format(format: &str) -> bool {
    let day = date(2025, 1, 31);
    let written = day.at(12, 30, 0, 0).to_zoned(TimeZone::UTC).and_then(|moment| strtime::format(format, &moment));
    let read = written.and_then(|text| BrokenDownTime::parse(format, text)?.to_date());
    read.is_ok_and(|read| read == day)
}

fn read_columns(node: &Node<'_>) -> Vec<(At<String>, Option<SourceColumn>)> {
    let entries = node.entries("columns");
    entries.into_iter().map(|(name, value)| (name, source_column(node, value))).collect()
}

/// A bare text is a header name; a table says more.
fn source_column<'a>(node: &Node<'a>, value: &'a Spanned<DeValue<'a>>) -> Option<SourceColumn> {
    let plain = |value| SourceColumn { value, missing: Vec::new(), recode: BTreeMap::new() };
    let table = match value.get_ref() {
        DeValue::String(header) => return Some(plain(SourceValue::Header(vec![header.to_string()]))),
        DeValue::Table(table) => table,
        _ => {
            node.error(
                value.span(),
                "a column is a header name or a table with header, checkboxes, constant or absent",
                None,
            );
            return None;
        }
    };
    let node = Node::new(node.sink, table, value.span());
    let header: Vec<String> = node.strings("header").into_iter().map(|at| at.value).collect();
    let checkboxes = node.opt_string("checkboxes").map(|at| at.value);
    let constant = node.opt_string("constant").map(|at| at.value);
    let absent = node.opt_bool("absent").unwrap_or(false);
    let missing = node.strings("missing").into_iter().map(|at| at.value).collect();
    let recode = node.string_map("recode");
    let span = node.span.clone();
    let value = match (header.is_empty(), checkboxes, constant, absent) {
        (false, None, None, false) => Some(SourceValue::Header(header)),
        (true, Some(name), None, false) => Some(SourceValue::Checkboxes(name)),
        (true, None, Some(constant), false) => Some(SourceValue::Constant(constant)),
        (true, None, None, true) => Some(SourceValue::Absent),
        _ => {
            let message = "a column has exactly one of `header`, `checkboxes`, `constant` and `absent = true`";
            node.error(span, message, None);
            None
        }
    };
    node.finish();
    Some(SourceColumn { value: value?, missing, recode })
}
