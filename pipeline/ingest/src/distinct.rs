//! Rows without those that repeat the value of a unique column. Most are known when they come and are never stored; where a file has
//! more values than memory is allowed for, stored rows are read again and written anew, for then all values are known at its end alone.

use std::{collections::BTreeMap, fs, io, path::Path, sync::mpsc, thread};

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray},
    compute::filter_record_batch,
    datatypes::Int64Type,
    util::display::{ArrayFormatter, FormatOptions},
};
use prem_store::{KeyColumn, RowsWriter, StoreError, read_rows};

use crate::{
    columns::ColumnReader,
    facts::Facts,
    layout::{Declared, Layout},
    problem::shown,
    reason::Reason,
    sink::{DISTINCT, Quarantined, Tally},
    unique::{Repeated, Uniques},
};

/// Batches that are read ahead of the writer.
const AHEAD: usize = 4;

/// What quarantine says of the kept row at `place` of `arrays`, which repeats a value of `column`.
pub(crate) fn mistake(
    declared: &Declared<'_>,
    layout: &Layout,
    arrays: &[ArrayRef],
    column: usize,
    place: usize,
) -> (Reason, Option<String>, Option<String>) {
    let is_hidden = layout.readers.get(column).is_none_or(ColumnReader::is_identifying);
    let value = arrays.get(column).filter(|_| !is_hidden).and_then(|cells| text(cells, place));
    (Reason::NotUnique, value.as_deref().and_then(shown), subject(declared, arrays, place))
}

/// Takes values that turned out to be repeated when all were known out of the complete table `rows`.
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
    tally.facts = Facts::default();
    let path = rows.with_file_name(DISTINCT);
    let mut writer = RowsWriter::create(&path, declared.dataset, &declared.columns)?;
    let batches = read_rows(rows, declared.dataset, &declared.columns)?;
    let (sender, receiver) = mpsc::sync_channel(AHEAD);
    let reader =
        thread::spawn(move || batches.map(|batch| sender.send(batch)).take_while(Result::is_ok).for_each(drop));
    for batch in receiver {
        let batch = batch?;
        let (records, arrays) = batch.columns().split_first().map_or((None, &[][..]), |(records, arrays)| {
            (records.as_primitive_opt::<Int64Type>().map(|records| records.values().as_ref()), arrays)
        });
        let records: &[i64] = records.unwrap_or_default();
        let Some(last) = records.last().and_then(|record| u64::try_from(*record).ok()) else { continue };
        let mut keep = vec![true; batch.num_rows()];
        while let Some(next) = repeated.next_if(|next| next.as_ref().map_or(true, |next| next.record <= last)) {
            let Repeated { record, column, line } = next.map_err(io)?;
            // A row that is not there was known to repeat another value.
            let Ok(place) = records.binary_search(&record.cast_signed()) else { continue };
            if std::mem::replace(&mut keep[place], false) {
                tally.kept -= 1;
                *tally.reasons.entry(Reason::NotUnique).or_default() += 1;
                // What rules set aside is counted of kept rows alone.
                while let Some(cell) = cleared.next_if(|cell| cell.as_ref().map_or(true, |cell| cell.record <= record))
                {
                    let cell = cell.map_err(io)?;
                    if cell.record == record {
                        take_back(&mut tally.cleared, cell.rule);
                    }
                }
            }
            let Some(of_column) = declared.columns.get(column) else { continue };
            let mistake = mistake(declared, layout, arrays, column, place);
            quarantined.add(tally, line, Some(&of_column.name), mistake)?;
        }
        let kept = filter_record_batch(&batch, &BooleanArray::from(keep));
        let kept = kept.map_err(|error| StoreError::parquet(rows, error))?;
        tally.facts.see(&declared.wanted, &kept.columns()[1..]);
        writer.write(&kept)?;
    }
    if let Err(panic) = reader.join() {
        std::panic::resume_unwind(panic);
    }
    writer.finish()?;
    fs::rename(&path, rows).map_err(StoreError::io("replace", rows))
}

/// Counts one cell less that `rule` has set to missing.
pub(crate) fn take_back(cleared: &mut BTreeMap<usize, u64>, rule: usize) {
    if let Some(cells) = cleared.get_mut(&rule) {
        *cells = cells.saturating_sub(1);
    }
    cleared.retain(|_, cells| *cells > 0);
}

/// A stored value as text.
fn text(cells: &ArrayRef, row: usize) -> Option<String> {
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(cells.as_ref(), &options).ok()?;
    (!cells.is_null(row)).then(|| formatter.value(row).to_string())
}

/// The keys of the row, hashed, as of any bad row.
fn subject(declared: &Declared<'_>, arrays: &[ArrayRef], row: usize) -> Option<String> {
    let keys: Vec<(KeyColumn, String)> = declared
        .columns
        .iter()
        .zip(arrays)
        .filter_map(|(column, cells)| Some((KeyColumn::from_name(&column.name)?, text(cells, row)?)))
        .collect();
    declared.secret.as_ref()?.subject(keys.iter().map(|(key, value)| (*key, value.as_str())))
}
