//! The linked table, cut by month of discharge.

use std::{collections::BTreeMap, path::Path};

use jiff::civil::Date;
use polars::prelude::*;
use prem_spec::Organisation;

use super::{
    PERIOD_DATE, UNIT,
    join::{CONTACT_FOUND, INVITED_CONTACT, PROBABILITY_UNCLEAR, SOURCE_OF_UNIT},
    verdict::Verdict,
};
use crate::{
    StageError,
    frames::{self, days, month_of},
    view::{DELIVERY, SOURCE},
};

/// Keys of persons and contacts, and what linking alone needed.
const DROPPED: [&str; 9] = [
    "invitation_id",
    "contact_id",
    INVITED_CONTACT,
    CONTACT_FOUND,
    PROBABILITY_UNCLEAR,
    "unit_code",
    SOURCE_OF_UNIT,
    SOURCE,
    DELIVERY,
];

/// The kept rows with their unit, in the order of month, unit and response id, without keys of persons or contacts.
pub(super) fn keep(
    organisation: &Organisation,
    joined: DataFrame,
    verdicts: &[Verdict],
) -> Result<DataFrame, StageError> {
    let unit = |verdict: &Verdict| match verdict {
        Verdict::Kept { unit } => Some(*unit),
        _ => None,
    };
    let position: UInt32Chunked = verdicts.iter().map(unit).collect();
    let name = |position: u32| organisation.units.get(position as usize).map(|unit| unit.id.as_str());
    let ids: StringChunked = verdicts.iter().map(|verdict| unit(verdict).and_then(name)).collect();
    let present: Vec<&str> = DROPPED.into_iter().filter(|name| joined.column(name).is_ok()).collect();
    joined
        .lazy()
        .drop(cols(present))
        .with_columns([
            lit(position.into_series()).alias("_position"),
            lit(ids.into_series()).alias(UNIT),
            col(PERIOD_DATE).dt().year().alias("_year"),
            col(PERIOD_DATE).dt().month().alias("_month"),
        ])
        .filter(col("_position").is_not_null())
        .sort(["_year", "_month", "_position", "response_id"], SortMultipleOptions::default())
        .drop(cols(["_year", "_month", "_position"]))
        .collect()
        .map_err(StageError::frame("order linked responses"))
}

/// The month of each row, by its first day.
pub(super) fn of(linked: &DataFrame) -> Result<Vec<Option<Date>>, StageError> {
    Ok(days(linked, PERIOD_DATE)?.iter().map(|day| day.and_then(month_of)).collect())
}

/// Writes a part per month; gives the rows of each.
pub(super) fn write(
    linked: &DataFrame,
    months: &[Option<Date>],
    out: &Path,
) -> Result<BTreeMap<Date, u64>, StageError> {
    let mut written = BTreeMap::new();
    let mut start = 0;
    while start < months.len() {
        let length = months[start..].iter().take_while(|month| **month == months[start]).count();
        if let Some(month) = months[start] {
            let folder = out.join(month_folder(month));
            std::fs::create_dir_all(&folder).map_err(StageError::io("create", &folder))?;
            let first = i64::try_from(start).unwrap_or(i64::MAX);
            frames::write(&mut linked.slice(first, length), &folder.join("part.parquet"))?;
            written.insert(month, length as u64);
        }
        start += length;
    }
    Ok(written)
}

fn month_folder(month: Date) -> String {
    format!("month={:04}-{:02}", month.year(), month.month())
}
