//! The current view of a dataset: of all rows delivered, those that stand today.

use std::path::PathBuf;

use jiff::{ToSpan, civil::Date};
use polars::prelude::*;
use prem_spec::Dataset;
use prem_store::ROW;

use crate::{
    StageError,
    frames::{days_of, scan, series, texts},
};

/// The stored rows of one delivery. A list of parts is in sequence order: the last one is the latest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub rows: PathBuf,
    pub export: String,
    /// Whose unit codes the rows use.
    pub source: String,
    pub replaces: Replaces,
    pub kept: u64,
}

/// Which rows of its export's earlier deliveries a delivery replaces, besides those with a key that it has too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replaces {
    Keys,
    /// Rows whose `column` lies in one of these months, known by their first days. Rows without a date lie in none.
    Months {
        column: String,
        months: Vec<Date>,
    },
    Everything,
}

/// How many rows of one part do not stand, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ViewCounts {
    /// Rows stored.
    pub stored: u64,
    /// Rows whose key came again later in the same delivery.
    pub duplicate: u64,
    /// Rows that a later delivery replaced, or left out of what it holds everything of.
    pub superseded: u64,
}

impl ViewCounts {
    pub fn current(self) -> u64 {
        self.stored - self.duplicate - self.superseded
    }
}

pub(crate) const SOURCE: &str = "_source";
/// Place of the row's delivery among the parts.
pub(crate) const DELIVERY: &str = "_delivery";

/// A part of which something may still count.
struct Standing<'a> {
    index: usize,
    part: &'a Part,
    /// Days from 1970-01-01 to the first day after, by column, that later deliveries of the export replace.
    replaced: Vec<(&'a str, i32, i32)>,
}

/// Place of a later part, and the days from and to which it replaces: half-open.
type Run = (usize, i32, i32);

fn standing(parts: &[Part]) -> Vec<Standing<'_>> {
    let of_part = |(index, part): (usize, &Part)| -> Option<(usize, Vec<Run>)> {
        let later = parts.iter().enumerate().skip(index + 1).filter(|(_, later)| later.export == part.export);
        let mut replaced = Vec::new();
        for (place, later) in later {
            match &later.replaces {
                Replaces::Keys => {}
                Replaces::Months { months, .. } => {
                    replaced.extend(runs_of(months).into_iter().map(|(from, to)| (place, from, to)));
                }
                Replaces::Everything => return None,
            }
        }
        Some((index, replaced))
    };
    let column = |place: usize| match &parts[place].replaces {
        Replaces::Months { column, .. } => column.as_str(),
        Replaces::Keys | Replaces::Everything => "",
    };
    let found = parts.iter().enumerate().filter_map(of_part);
    found
        .map(|(index, replaced)| Standing {
            index,
            part: &parts[index],
            replaced: replaced.into_iter().map(|(place, from, to)| (column(place), from, to)).collect(),
        })
        .collect()
}

/// Months that follow one another as runs of days, half-open.
fn runs_of(months: &[Date]) -> Vec<(i32, i32)> {
    let mut runs: Vec<(i32, i32)> = Vec::new();
    for month in months {
        let Ok(next) = month.checked_add(1.month()) else { continue };
        let (from, to) = (days_of(*month), days_of(next));
        match runs.last_mut() {
            Some(last) if last.1 == from => last.1 = to,
            _ => runs.push((from, to)),
        }
    }
    runs
}

/// The rows of a part that no later delivery's period covers.
fn in_scope(mut frame: LazyFrame, schema: &Schema, replaced: &[(&str, i32, i32)]) -> LazyFrame {
    for (column, from, to) in replaced.iter().filter(|(column, ..)| schema.get(column).is_some()) {
        let day = col(*column).cast(DataType::Date).cast(DataType::Int32);
        let is_covered = day.clone().gt_eq(lit(*from)).and(day.lt(lit(*to))).fill_null(lit(false));
        frame = frame.filter(is_covered.not());
    }
    frame
}

/// The parts one after another. A column that a part does not have (it was declared later) is null there.
fn stacked(parts: &[Standing<'_>], columns: &[PlSmallStr]) -> Result<LazyFrame, StageError> {
    let mut scans = Vec::new();
    for standing in parts {
        let mut frame = scan(&standing.part.rows)?;
        let schema = frame.collect_schema().map_err(StageError::frame("read a schema"))?;
        scans.push((standing, frame, schema));
    }
    let kind = |name: &PlSmallStr| scans.iter().find_map(|(.., schema)| schema.get(name)).cloned();
    let kinds: Vec<(PlSmallStr, DataType)> =
        columns.iter().map(|name| (name.clone(), kind(name).unwrap_or(DataType::String))).collect();
    let selected: Vec<LazyFrame> = scans
        .iter()
        .map(|(standing, frame, schema)| {
            let wanted: Vec<Expr> = kinds
                .iter()
                .map(|(name, kind)| match schema.get(name) {
                    Some(_) => col(name.clone()),
                    None => lit(NULL).cast(kind.clone()).alias(name.clone()),
                })
                .collect();
            let number = u32::try_from(standing.index).unwrap_or(u32::MAX);
            let place = lit(number).cast(DataType::UInt32).alias(DELIVERY);
            let origin = [place, lit(standing.part.source.as_str()).alias(SOURCE)];
            in_scope(frame.clone(), schema, &standing.replaced).select(wanted).with_columns(origin)
        })
        .collect();
    concat(selected, UnionArgs::default()).map_err(StageError::frame("stack deliveries"))
}

fn key_of(dataset: &Dataset) -> Vec<PlSmallStr> {
    dataset.key.iter().map(|name| PlSmallStr::from_str(name)).collect()
}

/// The rows that stand, in delivery order: of each key the last row of the latest delivery. `None` without parts.
pub(crate) fn current(dataset: &Dataset, parts: &[Part], columns: &[&str]) -> Result<Option<LazyFrame>, StageError> {
    let parts = standing(parts);
    if parts.is_empty() {
        return Ok(None);
    }
    let key = key_of(dataset);
    let mut names: Vec<PlSmallStr> = key.clone();
    names.extend(columns.iter().map(|name| PlSmallStr::from_str(name)).filter(|name| !key.contains(name)));
    let frame = stacked(&parts, &names)?;
    let key: Vec<Expr> = key.into_iter().map(col).collect();
    Ok(Some(frame.unique_stable_generic(Some(key), UniqueKeepStrategy::Last)))
}

/// Counts what does not stand, part by part.
///
/// # Errors
/// When a part cannot be read.
pub fn count_view(dataset: &Dataset, parts: &[Part]) -> Result<Vec<ViewCounts>, StageError> {
    // What a later delivery covers is superseded whole, also where a key stands in it twice.
    let mut counts: Vec<ViewCounts> =
        parts.iter().map(|part| ViewCounts { stored: part.kept, duplicate: 0, superseded: part.kept }).collect();
    let standing = standing(parts);
    if standing.is_empty() {
        return Ok(counts);
    }
    let key = key_of(dataset);
    let columns = || key.iter().cloned().map(col);
    let rows = stacked(&standing, &key)?;
    let mut rows_of = vec![0; parts.len()];
    if standing.iter().any(|standing| !standing.replaced.is_empty()) {
        add_rows(&mut rows_of, rows.clone())?;
    } else {
        standing.iter().for_each(|standing| rows_of[standing.index] = standing.part.kept);
    }
    let per_delivery: Vec<Expr> = columns().chain([col(DELIVERY)]).collect();
    let distinct = rows
        .unique_generic(Some(per_delivery), UniqueKeepStrategy::Any)
        .collect()
        .map_err(StageError::frame("count delivered keys"))?;
    let (mut distinct_of, mut current_of) = (vec![0; parts.len()], vec![0; parts.len()]);
    add_rows(&mut distinct_of, distinct.clone().lazy())?;
    let latest = distinct.lazy().group_by(columns().collect::<Vec<_>>()).agg([col(DELIVERY).max()]);
    add_rows(&mut current_of, latest)?;
    for Standing { index, .. } in standing {
        // A file with other rows than its record says leaves a sum that does not add up, which is told.
        let of = &mut counts[index];
        of.duplicate = rows_of[index].saturating_sub(distinct_of[index]);
        of.superseded = of.stored.saturating_sub(of.duplicate + current_of[index]);
    }
    Ok(counts)
}

/// Rows by the place of their delivery.
fn add_rows(rows_of: &mut [u64], frame: LazyFrame) -> Result<(), StageError> {
    let counted = frame
        .group_by([col(DELIVERY)])
        .agg([len().cast(DataType::UInt32).alias("rows")])
        .collect()
        .map_err(StageError::frame("count rows by delivery"))?;
    let of = |name: &str| -> Result<Vec<Option<u32>>, StageError> {
        let column = series(&counted, name)?.u32().map_err(StageError::frame("count rows by delivery"))?;
        Ok(column.iter().collect())
    };
    for (place, rows) in of(DELIVERY)?.into_iter().zip(of("rows")?) {
        if let (Some(place), Some(rows)) = (place.and_then(|place| rows_of.get_mut(place as usize)), rows) {
            *place = u64::from(rows);
        }
    }
    Ok(())
}

/// One side of a reference: the dataset, its deliveries in sequence order, and the column.
pub type Side<'a> = (&'a Dataset, &'a [Part], &'a str);

/// Rows that stand and whose column `from` has a value that `to` of the rows that stand there does not have, with the columns
/// `also`. `None` without parts.
fn unmatched((dataset, parts, column): Side<'_>, to: Side<'_>, also: &[&str]) -> Result<Option<LazyFrame>, StageError> {
    let columns: Vec<&str> = std::iter::once(column).chain(also.iter().copied()).collect();
    let Some(rows) = current(dataset, parts, &columns)? else { return Ok(None) };
    let wanted: Vec<Expr> = columns.iter().chain(&[DELIVERY]).map(|name| col(*name)).collect();
    let rows = rows.filter(col(column).is_not_null()).select(wanted);
    let (to, to_parts, to_column) = to;
    Ok(Some(match current(to, to_parts, &[to_column])? {
        Some(known) => {
            let known = known.select([col(to_column).alias("_known")]);
            rows.join(known, [col(column)], [col("_known")], JoinArgs::new(JoinType::Anti))
        }
        None => rows,
    }))
}

/// Number of rows that stand and refer to what no row that stands has.
///
/// # Errors
/// When a part cannot be read.
pub fn count_unmatched(from: Side<'_>, to: Side<'_>) -> Result<u64, StageError> {
    let Some(rows) = unmatched(from, to, &[])? else { return Ok(0) };
    let rows = rows.collect().map_err(StageError::frame("look for what is referred to"))?;
    Ok(rows.height() as u64)
}

/// A row that refers to what no row has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmatchedRow {
    /// Place of its delivery among the parts.
    pub part: usize,
    /// Its number in the file, from 1.
    pub row: i64,
    pub value: String,
}

/// The first `rows_max` rows that [`count_unmatched`] counts, in the order of deliveries and rows.
///
/// # Errors
/// When a part cannot be read.
pub fn list_unmatched(from: Side<'_>, to: Side<'_>, rows_max: u32) -> Result<Vec<UnmatchedRow>, StageError> {
    let Some(rows) = unmatched(from, to, &[ROW])? else { return Ok(Vec::new()) };
    let listed = rows
        .select([col(DELIVERY), col(ROW), col(from.2).cast(DataType::String).alias("_value")])
        .sort([DELIVERY, ROW], SortMultipleOptions::default())
        .limit(rows_max)
        .collect()
        .map_err(StageError::frame("list what refers to nothing"))?;
    let parts = series(&listed, DELIVERY)?.u32().map_err(StageError::frame("read deliveries"))?;
    let numbers = series(&listed, ROW)?.i64().map_err(StageError::frame("read row numbers"))?;
    let rows = parts.iter().zip(numbers.iter()).zip(texts(&listed, "_value")?);
    let listed = rows.map(|((part, row), value)| UnmatchedRow {
        part: part.unwrap_or_default() as usize,
        row: row.unwrap_or_default(),
        value: value.unwrap_or_default().to_owned(),
    });
    Ok(listed.collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::path::Path;

    use jiff::civil::date;
    use prem_spec::{Column as Declared, ColumnKind, Text};
    use tempfile::tempdir;

    use super::*;
    use crate::frames::write;

    fn dataset() -> Dataset {
        let kind = ColumnKind::Text { max_length: 8, pattern: None };
        let column = Declared {
            name: "id".to_owned(),
            kind,
            required: true,
            unique: false,
            references: None,
            identifying: false,
            leading_zeros: false,
            eleven_digits_are_pseudonyms: false,
            description: Text::default(),
        };
        Dataset {
            name: "stays".to_owned(),
            version: "1".to_owned(),
            title: Text::default(),
            row: Text::default(),
            key: vec!["id".to_owned()],
            columns: vec![column],
            rules: Vec::new(),
        }
    }

    /// A delivery of rows with an id and a day of January (from 1), February (from 32) or March (from 60) 2025; 0 is no day.
    fn part(folder: &Path, number: usize, export: &str, replaces: Replaces, rows: &[(&str, i32)]) -> Part {
        let path = folder.join(format!("{number}.parquet"));
        let start = days_of(date(2025, 1, 1));
        let ids: Vec<&str> = rows.iter().map(|(id, _)| *id).collect();
        let days: Vec<Option<i32>> = rows.iter().map(|(_, day)| (*day > 0).then(|| start + day - 1)).collect();
        let numbers: Vec<i64> = (1..).take(rows.len()).collect();
        let mut frame = df!(ROW => numbers, "id" => ids, "day" => days).unwrap();
        let day = frame.column("day").unwrap().cast(&DataType::Date).unwrap();
        frame.with_column(day).unwrap();
        write(&mut frame, &path).unwrap();
        let kept = rows.len() as u64;
        Part { rows: path, export: export.to_owned(), source: "pas".to_owned(), replaces, kept }
    }

    fn months(months: &[i8]) -> Replaces {
        Replaces::Months {
            column: "day".to_owned(),
            months: months.iter().map(|month| date(2025, *month, 1)).collect(),
        }
    }

    /// Ids that stand, and duplicate and superseded rows of each part.
    fn view(parts: &[Part]) -> (Vec<String>, Vec<(u64, u64)>) {
        let frame = current(&dataset(), parts, &["day"]).unwrap().unwrap().collect().unwrap();
        let ids: Vec<String> = texts(&frame, "id").unwrap().into_iter().flatten().map(str::to_owned).collect();
        let counts = count_view(&dataset(), parts).unwrap();
        assert_eq!(counts.iter().map(|counts| counts.current()).sum::<u64>(), ids.len() as u64);
        (ids, counts.iter().map(|counts| (counts.duplicate, counts.superseded)).collect())
    }

    #[test]
    fn a_period_replaces_the_rows_of_its_months_and_no_others() {
        let folder = tempdir().unwrap();
        let first = [("a", 1), ("b", 31), ("c", 32), ("d", 59), ("e", 60), ("f", 0), ("c", 33)];
        let second = [("a", 2), ("d", 45), ("d", 46)];
        let parts = [
            part(folder.path(), 1, "monthly", months(&[1, 2, 3]), &first),
            part(folder.path(), 2, "other", Replaces::Keys, &[("x", 40)]),
            // February again, without c; a is of another month and has the same key.
            part(folder.path(), 3, "monthly", months(&[2]), &second),
        ];
        let (ids, counts) = view(&parts);
        assert_eq!(ids, ["b", "e", "f", "x", "a", "d"]);
        // Of the first: c twice and d lie in February, a is replaced by its key.
        assert_eq!(counts, [(0, 4), (0, 0), (1, 0)]);
    }

    #[test]
    fn an_empty_period_empties_its_months() {
        let folder = tempdir().unwrap();
        let parts = [
            part(folder.path(), 1, "monthly", months(&[1]), &[("a", 1), ("a", 1), ("b", 40)]),
            part(folder.path(), 2, "monthly", months(&[1, 2]), &[]),
        ];
        let (ids, counts) = view(&parts);
        assert!(ids.is_empty());
        assert_eq!(counts, [(0, 3), (0, 0)]);
    }

    #[test]
    fn a_snapshot_replaces_everything_of_its_export_and_keys_of_others() {
        let folder = tempdir().unwrap();
        let parts = [
            part(folder.path(), 1, "whole", Replaces::Everything, &[("a", 1), ("b", 2)]),
            part(folder.path(), 2, "other", Replaces::Keys, &[("b", 3), ("b", 4), ("c", 5)]),
            part(folder.path(), 3, "whole", Replaces::Everything, &[("c", 6)]),
        ];
        let (ids, counts) = view(&parts);
        assert_eq!(ids, ["b", "c"]);
        assert_eq!(counts, [(0, 2), (1, 1), (0, 0)]);
    }

    #[test]
    fn rows_without_a_partner_are_counted_among_those_that_stand() {
        let folder = tempdir().unwrap();
        let rows = [
            part(folder.path(), 1, "whole", Replaces::Everything, &[("gone", 1)]),
            part(folder.path(), 2, "whole", Replaces::Everything, &[("a", 1), ("b", 2), ("c", 3), ("c", 3)]),
        ];
        let known = [part(folder.path(), 3, "known", Replaces::Keys, &[("b", 1), ("gone", 1)])];
        let dataset = dataset();
        let count = |to: &[Part]| count_unmatched((&dataset, &rows, "id"), (&dataset, to, "id")).unwrap();
        assert_eq!(count(&known), 2);
        assert_eq!(count(&rows), 0);
        assert_eq!(count(&[]), 3);
        let list = |to: &[Part], rows_max| {
            let listed = list_unmatched((&dataset, &rows, "id"), (&dataset, to, "id"), rows_max).unwrap();
            listed.into_iter().map(|row| (row.part, row.row, row.value)).collect::<Vec<_>>()
        };
        // Of a key that comes twice the last row stands.
        assert_eq!(list(&known, 9), [(1, 1, "a".to_owned()), (1, 4, "c".to_owned())]);
        assert_eq!(list(&known, 1), [(1, 1, "a".to_owned())]);
        assert!(list(&rows, 9).is_empty());
    }
}
