//! Parsed chunks, in order, into the two tables of a delivery.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, BooleanArray, Int64Array, RecordBatch},
    compute::filter,
};
use prem_store::{BadRow, IngestCounts, Quarantine, QuarantineWriter, RowsWriter, StoreError, tables::TableMeta};

use crate::{
    chunk::{Mistake, Parsed},
    distinct::{keep_first, mistake, take_back},
    facts::Facts,
    identity::Counts,
    layout::{Declared, Layout},
    limits::{BAD_ROWS_NAMED_MAX, Limits},
    reason::Reason,
    unique::{Keyed, Uniques},
};

/// Files of a delivery, as the store names them.
const ROWS: &str = "rows.parquet";
const QUARANTINE: &str = "quarantine.parquet";
/// Rows on the way to being written anew.
pub(crate) const DISTINCT: &str = "rows.distinct";

pub(crate) struct Sink<'a> {
    declared: &'a Declared<'a>,
    layout: &'a Layout,
    rows: RowsWriter,
    quarantined: Quarantined<'a>,
    /// Records and lines before the next chunk.
    records: u64,
    lines: u64,
    tally: Tally,
    out: PathBuf,
    uniques: Option<Uniques>,
}

/// What a file's rows came to.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) kept: u64,
    pub(crate) records: u64,
    pub(crate) empty: u64,
    pub(crate) reasons: BTreeMap<Reason, u64>,
    /// Rule → cells of kept rows that it set to missing.
    pub(crate) cleared: BTreeMap<usize, u64>,
    pub(crate) facts: Facts,
    /// The first bad rows, for the message of a refusal.
    pub(crate) first: Vec<BadRow>,
    /// Per stored column, then per extra one.
    pub(crate) counts: Vec<Counts>,
}

/// The table of bad rows while it is written.
pub(crate) struct Quarantined<'a> {
    declared: &'a Declared<'a>,
    file: &'a str,
    writer: QuarantineWriter,
}

impl Quarantined<'_> {
    /// Lists one mistake of one row.
    pub(crate) fn add(
        &mut self,
        tally: &mut Tally,
        line: u64,
        column: Option<&str>,
        (reason, value, subject): (Reason, Option<String>, Option<String>),
    ) -> Result<(), StoreError> {
        let reason = reason.text(&self.declared.rule_reasons);
        if tally.first.len() < BAD_ROWS_NAMED_MAX {
            tally.first.push(BadRow { line, column: column.map(str::to_owned), reason: reason.clone() });
        }
        self.writer.push(Quarantine {
            dataset: self.declared.dataset.name.clone(),
            export: self.declared.export.name.clone(),
            source_file: self.file.to_owned(),
            line: line as i64,
            column: column.map(str::to_owned),
            reason,
            value,
            subject,
        })
    }
}

impl Tally {
    pub(crate) fn ingest_counts(&self, declared: &Declared<'_>) -> IngestCounts {
        let mut quarantined = BTreeMap::new();
        for (reason, rows) in &self.reasons {
            *quarantined.entry(reason.text(&declared.rule_reasons)).or_default() += rows;
        }
        let mut cleared: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for (rule, cells) in &self.cleared {
            let Some(rule) = declared.dataset.rules.get(*rule) else { continue };
            let column = rule.subject().unwrap_or_default().to_owned();
            *cleared.entry(column).or_default().entry(rule.reason()).or_default() += cells;
        }
        IngestCounts { rows_in: self.records, kept: self.kept, quarantined, erased: 0, empty: self.empty, cleared }
    }
}

impl<'a> Sink<'a> {
    /// `lines` are those of the header.
    pub(crate) fn create(
        out: &Path,
        declared: &'a Declared<'a>,
        layout: &'a Layout,
        file: &'a str,
        lines: u64,
        limits: Limits,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            declared,
            layout,
            rows: RowsWriter::create(&out.join(ROWS), declared.dataset, &declared.columns)?,
            quarantined: Quarantined {
                declared,
                file,
                writer: QuarantineWriter::create(&out.join(QUARANTINE), &TableMeta::default())?,
            },
            records: 0,
            lines,
            tally: Tally {
                counts: vec![Counts::default(); layout.readers.len() + layout.extra.len()],
                ..Tally::default()
            },
            out: out.to_path_buf(),
            uniques: (!declared.unique.is_empty()).then(|| Uniques::new(out, limits.unique_values_max)),
        })
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    pub(crate) fn write(&mut self, mut parsed: Parsed) -> Result<(), StoreError> {
        for (sum, counts) in self.tally.counts.iter_mut().zip(&parsed.counts) {
            sum.merge(*counts);
        }
        self.tally.empty += parsed.empty;
        self.tally.records += parsed.records;
        for (rule, cells) in std::mem::take(&mut parsed.cleared) {
            *self.tally.cleared.entry(rule).or_default() += cells;
        }
        self.take_out_repeated(&mut parsed)?;
        self.tally.kept += parsed.kept.len() as u64;
        if !parsed.kept.is_empty() {
            self.write_rows(parsed.arrays, &parsed.kept)?;
        }
        let mut counted = None;
        for mistake in parsed.mistakes {
            // The first mistake of a row is the one that counts.
            if counted != Some(mistake.record) {
                counted = Some(mistake.record);
                *self.tally.reasons.entry(mistake.reason).or_default() += 1;
            }
            let column = mistake.column.and_then(|index| self.layout.readers.get(index));
            let line = self.lines + u64::from(mistake.line) + 1;
            let column = column.map(|column| column.name.as_str());
            let Mistake { reason, value, subject, .. } = mistake;
            self.quarantined.add(&mut self.tally, line, column, (reason, value, subject))?;
        }
        self.records += parsed.records;
        self.lines += u64::from(parsed.lines);
        Ok(())
    }

    /// Makes mistakes of kept rows that are known to repeat a value.
    fn take_out_repeated(&mut self, parsed: &mut Parsed) -> Result<(), StoreError> {
        let Some(uniques) = &mut self.uniques else { return Ok(()) };
        let failed = |source| StoreError::io("write", &self.out)(source);
        let record = |row: usize| self.records + u64::from(parsed.kept[row]) + 1;
        let mut repeated = Vec::new();
        for keyed in std::mem::take(&mut parsed.keyed) {
            match uniques.is_repeated(&keyed, record(keyed.row), self.lines) {
                Ok(false) => {}
                Ok(true) => repeated.push(keyed),
                Err(error) => return Err(failed(error)),
            }
        }
        let mut good = vec![true; parsed.kept.len()];
        repeated.iter().for_each(|keyed| good[keyed.row] = false);
        for (rule, row) in &parsed.cleared_cells {
            if !good[*row] {
                take_back(&mut self.tally.cleared, *rule);
            } else if uniques.is_full() {
                uniques.add_cleared(*rule, record(*row)).map_err(failed)?;
            }
        }
        if repeated.is_empty() {
            return Ok(());
        }
        parsed.mistakes.extend(repeated.into_iter().map(|Keyed { column, row, line, .. }| {
            let (reason, value, subject) = mistake(self.declared, self.layout, &parsed.arrays, column, row);
            Mistake { line, record: parsed.kept[row], column: Some(column), reason, value, subject }
        }));
        // Stable: columns stand in their order.
        parsed.mistakes.sort_by_key(|mistake| mistake.record);
        let mut places = good.iter();
        parsed.kept.retain(|_| places.next().is_some_and(|is_good| *is_good));
        let good = BooleanArray::from(good);
        let arrays = parsed.arrays.iter().map(|array| filter(array, &good)).collect::<Result<_, _>>();
        parsed.arrays = arrays.map_err(|error| StoreError::parquet(&self.out, error))?;
        Ok(())
    }

    fn write_rows(&mut self, arrays: Vec<ArrayRef>, kept: &[u32]) -> Result<(), StoreError> {
        self.tally.facts.see(&self.declared.wanted, &arrays);
        let numbers: Int64Array = kept.iter().map(|record| (self.records + u64::from(*record) + 1) as i64).collect();
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(arrays.len() + 1);
        columns.push(Arc::new(numbers));
        columns.extend(arrays);
        let schema = Arc::clone(self.rows.schema());
        let batch = RecordBatch::try_new(schema, columns).map_err(|error| StoreError::Dataset {
            path: Path::new(ROWS).to_path_buf(),
            dataset: self.declared.dataset.name.clone(),
            version: self.declared.dataset.version.clone(),
            reason: error.to_string(),
        })?;
        self.rows.write(&batch)
    }

    /// Completes both tables; values that turn out to be repeated now that all are known leave the rows.
    pub(crate) fn finish(self) -> Result<Tally, StoreError> {
        let Self { declared, layout, rows, mut quarantined, mut tally, out, uniques, .. } = self;
        rows.finish()?;
        if let Some(uniques) = uniques {
            keep_first(declared, layout, &out.join(ROWS), uniques, &mut quarantined, &mut tally)?;
        }
        quarantined.writer.finish()?;
        Ok(tally)
    }

    /// Removes what was written of a file that is not taken.
    pub(crate) fn remove(out: &Path) {
        for name in [ROWS, QUARANTINE, DISTINCT] {
            // The folder is pending: what cannot be removed here goes with it.
            let _ = std::fs::remove_file(out.join(name));
        }
    }
}
