//! One chunk of a file, from bytes to typed columns: the part that runs on all cores.

use std::{borrow::Cow, collections::BTreeSet};

use arrow::{
    array::{ArrayRef, BooleanArray},
    compute::filter,
    error::ArrowError,
};

use prem_store::KeyColumn;

use crate::{
    columns::trim,
    formats::Batch,
    identity::{Context, Counts, Scope},
    layout::{Declared, Layout},
    problem::{Problem, Problems},
    reason::Reason,
    records::Table,
    rules::{Cleared, check_all},
    unique::{Keyed, keyed},
};

/// A chunk's rows and what is wrong with the others. Lines and records are counted from the chunk's first.
pub(crate) struct Parsed {
    /// One array per stored column, with the good rows.
    pub(crate) arrays: Vec<ArrayRef>,
    /// The good rows' places among the chunk's records.
    pub(crate) kept: Vec<u32>,
    /// In the order of lines; those of one row stand together.
    pub(crate) mistakes: Vec<Mistake>,
    pub(crate) records: u64,
    pub(crate) empty: u64,
    pub(crate) lines: u32,
    /// Per stored column, then per extra one.
    pub(crate) counts: Vec<Counts>,
    /// Rule → cells of good rows that it set to missing.
    pub(crate) cleared: Vec<(usize, u64)>,
    /// Values of unique columns in good rows.
    pub(crate) keyed: Vec<Keyed>,
    /// With unique columns: each cell of `cleared`, as its rule and its row's place among the good ones.
    pub(crate) cleared_cells: Vec<(usize, usize)>,
    /// Names of values that no field holds.
    pub(crate) unread: BTreeSet<String>,
}

pub(crate) struct Mistake {
    pub(crate) line: u32,
    pub(crate) record: u32,
    pub(crate) column: Option<usize>,
    pub(crate) reason: Reason,
    pub(crate) value: Option<String>,
    /// Whose row it is, hashed.
    pub(crate) subject: Option<String>,
}

/// `contexts` are those of the stored columns, from the file's beginning; empty for the beginning itself.
pub(crate) fn parse(
    batch: Batch,
    declared: &Declared<'_>,
    layout: &Layout,
    contexts: &[Context],
) -> Result<Parsed, ArrowError> {
    let table = batch.into_table(layout.width);
    let mut problems = Problems::new(table.rows());
    for flaw in &table.flaws {
        if let Some(index) = layout.readers.iter().position(|reader| reader.fields().contains(&flaw.field)) {
            problems.add(flaw.row, index, flaw.reason, None);
        }
    }
    let mut counts = Vec::with_capacity(layout.readers.len() + layout.extra.len());
    let mut arrays = Vec::with_capacity(layout.readers.len());
    for (index, reader) in layout.readers.iter().enumerate() {
        let context = contexts.get(index).copied().unwrap_or_default();
        let (array, found) = reader.read(index, &table, context, &mut problems);
        arrays.push(array);
        counts.push(found);
    }
    let shown = |row, column: usize| layout.readers.get(column).and_then(|reader| reader.shown(&table, row));
    let cleared = check_all(&declared.rules, &mut arrays, &mut problems, shown)?;
    if let Some(window) = &layout.window {
        window.check(&arrays, &mut problems, shown);
    }
    for extra in &layout.extra {
        let mut found = Counts::default();
        for value in (0..table.rows()).map(|row| trim(table.cell(row, extra.field))).filter(|value| !value.is_empty()) {
            extra.guard.look(value, Scope::Whole, &mut found);
        }
        counts.push(found);
    }
    let good: Vec<bool> = (0..table.rows()).map(|row| !problems.is_bad(row)).collect();
    let (keyed, cleared_cells) = keys(declared, &arrays, &table, &good, &cleared);
    let cleared = cleared.counts(|row| good[row]).collect();
    let kept = (0..table.rows()).filter(|row| good[*row]).map(|row| table.place(row).record).collect();
    if !problems.is_empty() {
        let good = BooleanArray::from(good);
        arrays = arrays.iter().map(|array| filter(array, &good)).collect::<Result<_, _>>()?;
    }
    Ok(Parsed {
        arrays,
        kept,
        mistakes: mistakes(&table, without_echoes(&table, problems.into_sorted()), |row| {
            subject(&table, row, declared, layout)
        }),
        records: table.records(),
        empty: table.empty,
        lines: table.lines,
        counts,
        cleared,
        keyed,
        cleared_cells,
        unread: table.unread,
    })
}

/// A cell without a value to be had reads as an empty one, which is no second mistake of a required column.
fn without_echoes(table: &Table, mut problems: Vec<Problem>) -> Vec<Problem> {
    if !table.flaws.is_empty() {
        let mut seen = BTreeSet::new();
        problems.retain(|problem| problem.column.is_none_or(|column| seen.insert((problem.row, column))));
    }
    problems
}

/// The keys of a bad row, hashed: without them an erasure could not find it.
fn subject(table: &Table, row: usize, declared: &Declared<'_>, layout: &Layout) -> Option<String> {
    let secret = declared.secret.as_ref()?;
    let keys: Vec<(KeyColumn, Cow<'_, str>)> = layout
        .readers
        .iter()
        .filter_map(|reader| Some((KeyColumn::from_name(&reader.name)?, reader.key_text(table, row))))
        .collect();
    secret.subject(keys.iter().map(|(column, key)| (*column, key.as_ref())))
}

/// What must be known of good rows that may yet turn out to repeat a value: the values, and the cells that rules set to missing.
fn keys(
    declared: &Declared<'_>,
    arrays: &[ArrayRef],
    table: &Table,
    good: &[bool],
    cleared: &Cleared,
) -> (Vec<Keyed>, Vec<(usize, usize)>) {
    if declared.unique.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let kept: Vec<(usize, u32)> =
        (0..table.rows()).filter(|row| good[*row]).map(|row| (row, table.place(row).line)).collect();
    let values = declared.unique.iter().flat_map(|column| keyed(*column, &arrays[*column], &kept)).collect();
    let place = |row: usize| kept.binary_search_by_key(&row, |(row, _)| *row).ok();
    (values, cleared.cells().filter_map(|(rule, row)| Some((rule, place(row)?))).collect())
}

/// Problems of rows and bad records, in the order of the file.
fn mistakes(table: &Table, problems: Vec<Problem>, subject: impl Fn(usize) -> Option<String>) -> Vec<Mistake> {
    let of_rows = problems.into_iter().map(|problem| {
        let place = table.place(problem.row);
        let Problem { row, column, reason, value } = problem;
        Mistake { line: place.line, record: place.record, column, reason, value, subject: subject(row) }
    });
    let of_records = table.bad.iter().map(|bad| Mistake {
        line: bad.place.line,
        record: bad.place.record,
        column: None,
        reason: bad.reason,
        value: None,
        subject: None,
    });
    let mut all: Vec<Mistake> = of_rows.chain(of_records).collect();
    // Stable: a row's problems stay in the order of its columns.
    all.sort_by_key(|mistake| mistake.record);
    all
}
