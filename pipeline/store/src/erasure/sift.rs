//! One Parquet file: which of its rows an erasure takes, and the file without them.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use arrow::{
    array::{Array, BooleanArray, RecordBatch, StringArray},
    compute::{cast, filter_record_batch},
    datatypes::{DataType, Schema, SchemaRef},
};

use super::{
    chain::KeyColumn,
    ledger::ErasedRows,
    secret::Secret,
    tombstones::{RowKeys, Tombstones},
};
use crate::{
    StoreError,
    hash::unhex,
    parquet_file::{OpenParquet, ParquetFile},
    schema::CONTRACT,
    tables::{Quarantine, Table},
};

const SUBJECT: &str = "subject";
const LINE: &str = "line";
const REASON: &str = "reason";

/// Where the keys of a file's rows stand.
enum Keys {
    Columns(Vec<KeyColumn>),
    /// Hashed already: quarantine holds no key of a row.
    Subjects,
}

impl Keys {
    fn of(file: &OpenParquet) -> Self {
        let has = |name: &str| file.schema().column_with_name(name).is_some();
        // Quarantine of before 1.1.0 does not say whose its rows are.
        if file.text(CONTRACT) == Quarantine::NAME && has(SUBJECT) {
            return Self::Subjects;
        }
        Self::Columns(KeyColumn::ALL.into_iter().filter(|column| has(column.name())).collect())
    }

    fn names(&self) -> Vec<&'static str> {
        match self {
            Self::Columns(columns) => columns.iter().map(|column| column.name()).collect(),
            Self::Subjects => vec![SUBJECT],
        }
    }

    fn read(&self, batch: &RecordBatch, secret: &Secret) -> Result<Vec<RowKeys>, String> {
        let mut rows: Vec<RowKeys> = vec![[None; KeyColumn::ALL.len()]; batch.num_rows()];
        match self {
            Self::Columns(columns) => {
                for column in columns {
                    let texts = texts(batch, column.name())?;
                    for (row, key) in rows.iter_mut().zip(texts.iter()) {
                        row[*column as usize] = key.map(|key| secret.hash(*column, key));
                    }
                }
            }
            Self::Subjects => {
                for (row, subject) in rows.iter_mut().zip(texts(batch, SUBJECT)?.iter()) {
                    for part in subject.unwrap_or_default().split(' ') {
                        let Some((name, hash)) = part.split_once(':') else { continue };
                        if let (Some(column), Some(hash)) = (KeyColumn::from_name(name), unhex(hash)) {
                            row[column as usize] = Some(hash);
                        }
                    }
                }
            }
        }
        Ok(rows)
    }
}

/// A column as texts, as a person would write the keys in a file.
fn texts(batch: &RecordBatch, name: &str) -> Result<StringArray, String> {
    let column = batch.column_by_name(name).ok_or_else(|| format!("column {name} is absent"))?;
    let column = cast(column, &DataType::Utf8).map_err(|_| format!("column {name} cannot be read as text"))?;
    column.as_any().downcast_ref::<StringArray>().cloned().ok_or_else(|| format!("column {name} is no text"))
}

/// How near to the person the keys of a file begin: files are read in this order, so that most of what hangs below a key is
/// known before the files that hold it.
pub(super) fn nearness(path: &Path) -> Result<usize, StoreError> {
    Ok(match Keys::of(&OpenParquet::open(path)?) {
        Keys::Columns(columns) => columns.first().map_or(KeyColumn::ALL.len(), |column| *column as usize),
        Keys::Subjects => 0,
    })
}

/// Whether any row of a file holds an erased key. What hangs below the keys of such rows is learnt.
pub(super) fn holds_erased(path: &Path, secret: &Secret, tombstones: &mut Tombstones) -> Result<bool, StoreError> {
    let file = OpenParquet::open(path)?;
    let keys = Keys::of(&file);
    let names = keys.names();
    if names.is_empty() {
        return Ok(false);
    }
    let mut any = false;
    for batch in file.batches_of(&names)? {
        for row in keys.read(&batch?, secret).map_err(|reason| StoreError::damaged(path, reason))? {
            any |= tombstones.judge(&row).is_some();
        }
    }
    Ok(any)
}

/// What went from a file, by the number of the erasure.
pub(super) type Removed = BTreeMap<u64, ErasedRows>;

/// Writes the rows that stay to `out`; without one it only counts.
///
/// A row of quarantine counts once, under its first reason, like [`crate::IngestCounts`].
pub(super) fn sift(
    path: &Path,
    out: Option<&Path>,
    secret: &Secret,
    tombstones: &mut Tombstones,
) -> Result<Removed, StoreError> {
    let file = OpenParquet::open(path)?;
    let keys = Keys::of(&file);
    let mut writer =
        out.map(|out| ParquetFile::create(out, written_schema(&file, &keys), &file.pairs())).transpose()?;
    let mut counting = Counting { removed: Removed::new(), line: None };
    for batch in file.batches()? {
        let batch = batch?;
        let damaged = |reason: String| StoreError::damaged(path, reason);
        let rows = keys.read(&batch, secret).map_err(damaged)?;
        let verdicts: Vec<Option<u64>> = rows.iter().map(|row| tombstones.judge(row)).collect();
        match keys {
            Keys::Columns(_) => counting.rows(&verdicts),
            Keys::Subjects => counting.quarantine(&batch, &verdicts).map_err(damaged)?,
        }
        if let Some(writer) = &mut writer {
            let stays: BooleanArray = verdicts.iter().map(|verdict| Some(verdict.is_none())).collect();
            let left = filter_record_batch(&batch, &stays).map_err(|error| StoreError::parquet(path, error))?;
            writer.write(&left)?;
        }
    }
    writer.map(ParquetFile::finish).transpose()?;
    Ok(counting.removed)
}

/// The schema as the file was first written with. Reading adds the metadata pairs to it, which tables did not have there.
fn written_schema(file: &OpenParquet, keys: &Keys) -> SchemaRef {
    match keys {
        Keys::Columns(_) => Arc::clone(file.schema()),
        Keys::Subjects => Arc::new(Schema::new(file.schema().fields().clone())),
    }
}

struct Counting {
    removed: Removed,
    /// The line of quarantine that was counted last.
    line: Option<i64>,
}

impl Counting {
    fn rows(&mut self, verdicts: &[Option<u64>]) {
        for number in verdicts.iter().flatten() {
            self.removed.entry(*number).or_default().kept += 1;
        }
    }

    fn quarantine(&mut self, batch: &RecordBatch, verdicts: &[Option<u64>]) -> Result<(), String> {
        let (lines, reasons) = (texts(batch, LINE)?, texts(batch, REASON)?);
        for (row, number) in verdicts.iter().enumerate() {
            let line = lines.value(row).parse().ok();
            let Some(number) = number.filter(|_| line != self.line) else { continue };
            self.line = line;
            let quarantined = &mut self.removed.entry(number).or_default().quarantined;
            *quarantined.entry(reasons.value(row).to_owned()).or_default() += 1;
        }
        Ok(())
    }
}
