//! Rows without those that repeat the value of a unique column: stored rows are read again and written anew, for that is the first
//! moment at which all values are known. A file without repetitions, which is nearly every one, is not touched.

use std::{fs, io, path::Path, sync::mpsc, thread};

use arrow::{
    array::{Array, ArrayRef, BooleanArray, RecordBatch},
    compute::filter_record_batch,
    util::display::{ArrayFormatter, FormatOptions},
};
use prem_store::{KeyColumn, RowsWriter, StoreError, read_rows};

use crate::{
    columns::ColumnReader,
    layout::{Declared, Layout},
    problem::shown,
    reason::Reason,
    sink::{DISTINCT, Quarantined, Tally},
    unique::{Repeated, Uniques},
};

/// Batches that are read ahead of the writer.
const AHEAD: usize = 4;

/// Takes repeated values out of the complete table `rows`.
pub(crate) fn keep_first(
    declared: &Declared<'_>,
    layout: &Layout,
    rows: &Path,
    uniques: Uniques,
    quarantined: &mut Quarantined<'_>,
    tally: &mut Tally,
) -> Result<(), StoreError> {
    let io =
        |source: io::Error| StoreError::Io { action: "sort the unique values of", path: rows.to_path_buf(), source };
    let (repeated, cleared) = uniques.finish().map_err(io)?;
    let (mut repeated, mut cleared) = (repeated.peekable(), cleared.peekable());
    if repeated.peek().is_none() {
        return Ok(());
    }
    tally.facts = crate::facts::Facts::default();
    let path = rows.with_file_name(DISTINCT);
    let mut writer = RowsWriter::create(&path, declared.dataset, &declared.columns)?;
    let batches = read_rows(rows, declared.dataset, &declared.columns)?;
    let (sender, receiver) = mpsc::sync_channel(AHEAD);
    let reader =
        thread::spawn(move || batches.map(|batch| sender.send(batch)).take_while(Result::is_ok).for_each(drop));
    let mut before = 0;
    for batch in receiver {
        let batch = batch?;
        let end = before + batch.num_rows() as u64;
        let mut keep = vec![true; batch.num_rows()];
        while let Some(next) = repeated.next_if(|next| next.as_ref().map_or(true, |next| next.row < end)) {
            let Repeated { row, column, line } = next.map_err(io)?;
            let place = usize::try_from(row - before).unwrap_or(usize::MAX);
            let Some(kept) = keep.get_mut(place) else { continue };
            if *kept {
                *kept = false;
                tally.kept -= 1;
                *tally.reasons.entry(Reason::NotUnique).or_default() += 1;
                // What rules set aside is counted of kept rows alone.
                while let Some(cell) = cleared.next_if(|cell| cell.as_ref().map_or(true, |cell| cell.row <= row)) {
                    let cell = cell.map_err(io)?;
                    if let Some(cells) = tally.cleared.get_mut(&cell.rule).filter(|_| cell.row == row) {
                        *cells = cells.saturating_sub(1);
                    }
                }
            }
            let Some(of_column) = declared.columns.get(column) else { continue };
            // The first column is the row's number.
            let cells = batch.column(column + 1);
            let is_hidden = layout.readers.get(column).is_none_or(ColumnReader::is_identifying);
            let value = if is_hidden { None } else { text(cells, place).as_deref().and_then(shown) };
            let mistake = (Reason::NotUnique, value, subject(declared, &batch, place));
            quarantined.add(tally, line, Some(&of_column.name), mistake)?;
        }
        let kept = filter_record_batch(&batch, &BooleanArray::from(keep));
        let kept = kept.map_err(|error| StoreError::parquet(rows, error))?;
        tally.facts.see(&declared.wanted, &kept.columns()[1..]);
        writer.write(&kept)?;
        before = end;
    }
    if let Err(panic) = reader.join() {
        std::panic::resume_unwind(panic);
    }
    writer.finish()?;
    tally.cleared.retain(|_, cells| *cells > 0);
    fs::rename(&path, rows).map_err(StoreError::io("replace", rows))
}

/// A stored value as text.
fn text(cells: &ArrayRef, row: usize) -> Option<String> {
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(cells.as_ref(), &options).ok()?;
    (!cells.is_null(row)).then(|| formatter.value(row).to_string())
}

/// The keys of the row, hashed, as of any bad row.
fn subject(declared: &Declared<'_>, batch: &RecordBatch, row: usize) -> Option<String> {
    let keys: Vec<(KeyColumn, String)> = KeyColumn::ALL
        .into_iter()
        .filter_map(|key| Some((key, text(batch.column_by_name(key.name())?, row)?)))
        .collect();
    declared.secret.as_ref()?.subject(keys.iter().map(|(key, value)| (*key, value.as_str())))
}
