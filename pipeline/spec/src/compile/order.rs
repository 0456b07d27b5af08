//! What a delivery means for those before it: `mode`, `period` and `sequence` of an export.

use std::collections::BTreeMap;

use super::{
    reader::{At, Node},
    scope::Names,
};
use crate::model::{ColumnKind, Covers, Dataset, DeliveryMode, Export, PeriodOfFile, Sequence};

const MODES: [(&str, DeliveryMode); 3] = [
    ("upsert", DeliveryMode::Upsert),
    ("replace-period", DeliveryMode::ReplacePeriod),
    ("snapshot", DeliveryMode::Snapshot),
];
const SEQUENCES: [(&str, Sequence); 2] = [("file-name", Sequence::FileName), ("arrival", Sequence::Arrival)];

pub(super) fn read_mode(node: &Node<'_>) -> Option<DeliveryMode> {
    node.choice("mode", &MODES)
}

/// `sequence = "file-name"`, `"arrival"` or `{ column = "extracted_at" }`. `stored` are the export's columns.
pub(super) fn read_sequence(node: &Node<'_>, stored: &Names) -> Option<Sequence> {
    if !node.is_table("sequence") {
        let word = node.string("sequence")?;
        let found = SEQUENCES.iter().find(|(name, _)| *name == word.value).map(|(_, sequence)| sequence.clone());
        if found.is_none() {
            let help = "known: file-name, arrival, { column = \"…\" }";
            let message = format!("«{}» is not one of the words known here", word.value);
            node.error(word.span, message, Some(help.to_owned()));
        }
        return found;
    }
    let table = node.opt_table("sequence")?;
    let column = table.string("column");
    if let Some(name) = &column {
        table.refer("stored column", name, stored);
    }
    table.finish();
    Some(Sequence::Column(column?.value))
}

/// `period = { column = "discharged_at" }`, perhaps with `file_name = "_(.+)\\.csv"`; `None` also where it could not be read.
pub(super) fn read_period(node: &Node<'_>, mode: Option<DeliveryMode>, stored: &Names) -> Option<PeriodOfFile> {
    let table = node.opt_table("period");
    match (mode, node.has("period")) {
        (Some(DeliveryMode::ReplacePeriod), false) => {
            let help = "period = { column = \"discharged_at\" }".to_owned();
            node.error(node.span_of("mode"), "«replace-period» needs the `period` that a file covers", Some(help));
        }
        (Some(DeliveryMode::Upsert | DeliveryMode::Snapshot), true) => {
            node.error(node.span_of("period"), "only mode «replace-period» has a `period`", None);
        }
        _ => {}
    }
    let table = table?;
    let column = table.string("column");
    if let Some(name) = &column {
        table.refer("stored column", name, stored);
    }
    let covers = match table.opt_string("file_name") {
        None => Covers::Rows,
        Some(pattern) => {
            check_pattern(&table, &pattern);
            Covers::FileName(pattern.value)
        }
    };
    table.finish();
    Some(PeriodOfFile { column: column?.value, covers })
}

fn check_pattern(node: &Node<'_>, pattern: &At<String>) {
    match regex::Regex::new(&pattern.value) {
        Err(error) => node.error(pattern.span.clone(), format!("not a regular expression: {error}"), None),
        Ok(regex) if regex.captures_len() < 2 => {
            let help = "file_name = '_(.+)\\.csv'".to_owned();
            node.error(pattern.span.clone(), "the expression has no group that finds the period", Some(help));
        }
        Ok(_) => {}
    }
}

/// Types of the columns that `export` names, once datasets are known; and no rule may empty their cells.
pub(super) fn check_types(node: &Node<'_>, export: &Export, datasets: &BTreeMap<String, Dataset>) {
    let kind = |name: &str| datasets.get(&export.dataset).and_then(|dataset| dataset.column(name)).map(|c| &c.kind);
    let is_date = |kind: &ColumnKind| matches!(kind, ColumnKind::Date { .. } | ColumnKind::DateTime { .. });
    if let Some(period) = &export.period
        && kind(&period.column).is_some_and(|kind| !is_date(kind))
    {
        let message = format!("column «{}» is no date and places no row in a month", period.column);
        node.error(node.span_of("period"), message, None);
    }
    if let Sequence::Column(column) = &export.sequence
        && kind(column).is_some_and(|kind| !is_date(kind) && !matches!(kind, ColumnKind::Integer { .. }))
    {
        let message = format!("column «{column}» is no date or whole number and puts deliveries in no order");
        node.error(node.span_of("sequence"), message, None);
    }
    let clearing = |column: &str| {
        let rules = datasets.get(&export.dataset).into_iter().flat_map(|dataset| &dataset.rules);
        rules.filter(|rule| rule.clears() == Some(column)).map(|rule| rule.id.as_str()).next()
    };
    let of_sequence = match &export.sequence {
        Sequence::Column(column) => Some(("sequence", column)),
        Sequence::FileName | Sequence::Arrival => None,
    };
    let of_period = export.period.as_ref().map(|period| ("period", &period.column));
    for (key, column) in of_period.into_iter().chain(of_sequence) {
        if let Some(rule) = clearing(column) {
            let message = format!("rule «{rule}» sets column «{column}» to missing, and rows without it have no place");
            node.error(node.span_of(key), message, Some("on_break = \"row\"".to_owned()));
        }
    }
}

/// Exports whose rows share keys must agree on what «later» means: a name cannot be compared with a time.
pub(super) fn check_shared_keys(
    node: &Node<'_>,
    export: &Export,
    others: &BTreeMap<String, Export>,
    datasets: &BTreeMap<String, Dataset>,
) {
    let shares = |other: &&Export| {
        other.name != export.name && other.dataset == export.dataset && other.questionnaire == export.questionnaire
    };
    let kind = |export: &Export| match &export.sequence {
        Sequence::Column(column) => datasets
            .get(&export.dataset)
            .and_then(|dataset| dataset.column(column))
            .map(|column| matches!(column.kind, ColumnKind::Integer { .. })),
        Sequence::FileName | Sequence::Arrival => None,
    };
    for other in others.values().filter(shares) {
        if !export.sequence.is_comparable_with(&other.sequence) || kind(export) != kind(other) {
            let message = format!(
                "export «{}» fills the same dataset in another `sequence`: which of their deliveries is the later one would mean nothing",
                other.name
            );
            node.error(node.span_of("sequence"), message, Some("give both the same kind of `sequence`".to_owned()));
        }
    }
}
