//! Responses left out, kept apart with their reason.

use std::path::Path;

use polars::prelude::DataFrame;
use prem_store::tables::{TableMeta, TableWriter, Unlinked};

use super::{PERIOD_DATE, verdict::Verdict};
use crate::{
    StageError,
    frames::{days, month_of, texts},
    unplaced::shown,
};

pub(super) const FILE: &str = "unlinked.parquet";

/// Writes a row for every response that was not kept, in the order of delivery.
pub(super) fn write(joined: &DataFrame, verdicts: &[Verdict], path: &Path) -> Result<(), StageError> {
    let (ids, period_days) = (texts(joined, "response_id")?, days(joined, PERIOD_DATE)?);
    let mut table = TableWriter::<Unlinked>::create(path, &TableMeta::default())?;
    for (row, verdict) in verdicts.iter().enumerate() {
        let (reason, unit_code) = match verdict {
            Verdict::Kept { .. } => continue,
            Verdict::Excluded(reason) => (*reason, None),
            Verdict::Unplaced { reason, code } => (*reason, Some(shown(code).to_owned())),
        };
        table.push(Unlinked {
            response_id: ids[row].unwrap_or_default().to_owned(),
            reason: reason.to_owned(),
            month: period_days[row].and_then(month_of),
            unit_code,
        })?;
    }
    table.finish()?;
    Ok(())
}
