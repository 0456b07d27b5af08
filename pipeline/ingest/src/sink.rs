//! Parsed chunks, in order, into the two tables of a delivery.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use prem_store::{IngestCounts, Quarantine, QuarantineWriter, RowsWriter, StoreError, tables::TableMeta};

use crate::{
    chunk::Parsed,
    identity::Counts,
    layout::{Declared, Layout},
    reason::Reason,
};

/// Files of a delivery, as the store names them.
const ROWS: &str = "rows.parquet";
const QUARANTINE: &str = "quarantine.parquet";

pub(crate) struct Sink<'a> {
    declared: &'a Declared<'a>,
    layout: &'a Layout,
    file: &'a str,
    rows: RowsWriter,
    quarantine: QuarantineWriter,
    /// Records and lines before the next chunk.
    records: u64,
    lines: u64,
    tally: Tally,
}

/// What a file's rows came to.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) kept: u64,
    pub(crate) records: u64,
    pub(crate) empty: u64,
    pub(crate) reasons: BTreeMap<Reason, u64>,
    /// Per stored column, then per extra one.
    pub(crate) counts: Vec<Counts>,
}

impl Tally {
    pub(crate) fn ingest_counts(&self, rule_ids: &[String]) -> IngestCounts {
        let mut quarantined = BTreeMap::new();
        for (reason, rows) in &self.reasons {
            *quarantined.entry(reason.text(rule_ids)).or_default() += rows;
        }
        IngestCounts { rows_in: self.records, kept: self.kept, quarantined, erased: 0 }
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
    ) -> Result<Self, StoreError> {
        Ok(Self {
            declared,
            layout,
            file,
            rows: RowsWriter::create(&out.join(ROWS), declared.dataset, &declared.columns)?,
            quarantine: QuarantineWriter::create(&out.join(QUARANTINE), &TableMeta::default())?,
            records: 0,
            lines,
            tally: Tally {
                counts: vec![Counts::default(); layout.readers.len() + layout.extra.len()],
                ..Tally::default()
            },
        })
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    pub(crate) fn write(&mut self, parsed: Parsed) -> Result<(), StoreError> {
        for (sum, counts) in self.tally.counts.iter_mut().zip(&parsed.counts) {
            sum.merge(*counts);
        }
        self.tally.empty += parsed.empty;
        self.tally.records += parsed.records;
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
            self.quarantine.push(Quarantine {
                dataset: self.declared.dataset.name.clone(),
                export: self.declared.export.name.clone(),
                source_file: self.file.to_owned(),
                line: (self.lines + u64::from(mistake.line) + 1) as i64,
                column: column.map(|column| column.name.clone()),
                reason: mistake.reason.text(&self.declared.rule_ids),
                value: mistake.value,
                subject: mistake.subject,
            })?;
        }
        self.records += parsed.records;
        self.lines += u64::from(parsed.lines);
        Ok(())
    }

    fn write_rows(&mut self, arrays: Vec<ArrayRef>, kept: &[u32]) -> Result<(), StoreError> {
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

    pub(crate) fn finish(self) -> Result<Tally, StoreError> {
        self.rows.finish()?;
        self.quarantine.finish()?;
        Ok(self.tally)
    }

    /// Removes what was written of a file that is not taken.
    pub(crate) fn remove(out: &Path) {
        for name in [ROWS, QUARANTINE] {
            // The folder is pending: what cannot be removed here goes with it.
            let _ = std::fs::remove_file(out.join(name));
        }
    }
}
