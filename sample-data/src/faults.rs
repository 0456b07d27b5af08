//! Errors that a dataset's contract forbids, each under the reason that ingest gives it.

use std::collections::BTreeMap;

use jiff::{ToSpan, civil::Date};
use prem_spec::{Column, ColumnKind, Dataset, Export, RuleKind};

use crate::{
    draw::{Stream, below},
    table::{Row, Table},
};

/// Changes that break a row, by reason.
pub(crate) struct Faults {
    reasons: Vec<(String, Vec<Change>)>,
}

enum Change {
    Replace {
        field: usize,
        text: Vec<u8>,
    },
    /// Two dates change places.
    Swap {
        earlier: usize,
        later: usize,
    },
}

impl Faults {
    /// `columns` are the stored columns; only those that the sample fills and the export writes can be broken.
    pub(crate) fn new(
        dataset: &Dataset,
        columns: &[Column],
        export: &Export,
        table: &Table,
        fields: &[String],
    ) -> Self {
        let mut reasons: BTreeMap<String, Vec<Change>> = BTreeMap::new();
        let field_of =
            |name: &str| fields.iter().position(|field| field == name).filter(|&field| table.is_written(field));
        for column in columns {
            let Some(field) = field_of(&column.name) else { continue };
            for (reason, text) in bad_values(column, export, table) {
                reasons.entry(reason.to_owned()).or_default().push(Change::Replace { field, text: text.into_bytes() });
            }
        }
        for rule in &dataset.rules {
            let RuleKind::LaterOrEqual { earlier, later } = &rule.kind else { continue };
            if same_kind(dataset, earlier, later)
                && let (Some(earlier), Some(later)) = (field_of(earlier), field_of(later))
            {
                reasons.entry(rule.reason()).or_default().push(Change::Swap { earlier, later });
            }
        }
        Self { reasons: reasons.into_iter().collect() }
    }

    /// Breaks the row and tells the reason; `None` when the dataset has no constraint that can be broken.
    pub(crate) fn spoil(&self, stream: &mut Stream, row: &mut Row) -> Option<&str> {
        if self.reasons.is_empty() {
            return None;
        }
        let (reason, changes) = &self.reasons[below(stream, self.reasons.len())];
        match &changes[below(stream, changes.len())] {
            Change::Replace { field, text } => row.set(*field, text),
            Change::Swap { earlier, later } => {
                // Equal or absent dates break no rule when they change places.
                if row.get(*earlier) == row.get(*later) || row.get(*earlier).is_empty() || row.get(*later).is_empty() {
                    return None;
                }
                row.swap(*earlier, *later);
            }
        }
        Some(reason)
    }
}

fn same_kind(dataset: &Dataset, a: &str, b: &str) -> bool {
    let kind = |name| dataset.column(name).map(|column| std::mem::discriminant(&column.kind));
    kind(a).is_some() && kind(a) == kind(b)
}

fn bad_values(column: &Column, export: &Export, table: &Table) -> Vec<(&'static str, String)> {
    let mut values = Vec::new();
    if column.required {
        values.push(("missing-required", String::new()));
    }
    match &column.kind {
        ColumnKind::Text { max_length, pattern: None } => values.push(("too-long", "x".repeat(max_length + 1))),
        ColumnKind::Code { codes } => {
            let recode = export.columns.get(&column.name).map(|column| &column.recode);
            let free = |text: &&str| {
                !codes.iter().any(|code| code.code == *text) && recode.is_none_or(|recode| !recode.contains_key(*text))
            };
            if let Some(code) = ["77", "777", "7777", "?"].iter().find(|text| free(text)) {
                values.push(("not-a-code", (*code).to_owned()));
            }
        }
        ColumnKind::Integer { min, max } => {
            values.push(("not-a-number", "ukjent".to_owned()));
            if let Some(beyond) = max.checked_add(1).or(min.checked_sub(1)) {
                values.push(("out-of-range", beyond.to_string()));
            }
        }
        ColumnKind::Number { max, .. } => {
            values.push(("not-a-number", "ukjent".to_owned()));
            if *max < 1e12 {
                let text = format!("{:.1}", max + 1.0).replace('.', &char::from(table.decimal).to_string());
                values.push(("out-of-range", text));
            }
        }
        ColumnKind::Date { max, .. } => {
            values.push(("not-a-date", "ukjent".to_owned()));
            let format = export.date_formats.first().map_or("%Y-%m-%d", String::as_str);
            let text = beyond(*max).and_then(|day| jiff::fmt::strtime::format(format, day).ok());
            values.extend(text.map(|text| ("out-of-range", text)));
        }
        ColumnKind::DateTime { max, .. } => {
            values.push(("not-a-date", "ukjent".to_owned()));
            values.extend(beyond(*max).map(|day| ("out-of-range", format!("{day}T12:00"))));
        }
        _ => {}
    }
    values
}

/// A year after the latest day.
fn beyond(max: Date) -> Option<Date> {
    max.checked_add(1.year()).ok()
}
