//! The current view of a dataset: of all rows delivered, those that stand today.

use std::path::PathBuf;

use polars::prelude::*;
use prem_spec::Dataset;

use crate::{StageError, frames::scan};

/// The stored rows of one delivery. A list of parts is in sequence order: the last one is the latest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub rows: PathBuf,
    pub export: String,
    /// Whose unit codes the rows use.
    pub source: String,
    /// The delivery holds the whole dataset of its export: earlier ones no longer count.
    pub is_snapshot: bool,
    pub kept: u64,
}

/// How many rows do not stand, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ViewCounts {
    /// Rows stored, in all parts.
    pub stored: u64,
    /// Rows whose key came again later in the same delivery.
    pub duplicate: u64,
    /// Rows that a later delivery replaced, or left out of a snapshot.
    pub superseded: u64,
}

impl ViewCounts {
    pub fn current(self) -> u64 {
        self.stored - self.duplicate - self.superseded
    }
}

pub(crate) const SOURCE: &str = "_source";
pub(crate) const DELIVERY: &str = "_delivery";

/// The parts that still count, each with its place in the sequence, and the rows of those that do not.
fn standing(parts: &[Part]) -> (Vec<(usize, &Part)>, u64) {
    let is_replaced = |index: usize, part: &Part| {
        part.is_snapshot && parts[index + 1..].iter().any(|later| later.export == part.export)
    };
    let replaced = parts.iter().enumerate().filter(|(index, part)| is_replaced(*index, part));
    let rows = replaced.map(|(_, part)| part.kept).sum();
    (parts.iter().enumerate().filter(|(index, part)| !is_replaced(*index, part)).collect(), rows)
}

/// The parts one after another. A column that a part does not have (it was declared later) is null there.
fn stacked(parts: &[(usize, &Part)], columns: &[PlSmallStr]) -> Result<LazyFrame, StageError> {
    let mut scans = Vec::new();
    for (index, part) in parts {
        let mut frame = scan(&part.rows)?;
        let schema = frame.collect_schema().map_err(StageError::frame("read a schema"))?;
        scans.push((*index, *part, frame, schema));
    }
    let kind = |name: &PlSmallStr| scans.iter().find_map(|(.., schema)| schema.get(name)).cloned();
    let kinds: Vec<(PlSmallStr, DataType)> =
        columns.iter().map(|name| (name.clone(), kind(name).unwrap_or(DataType::String))).collect();
    let selected: Vec<LazyFrame> = scans
        .iter()
        .map(|(index, part, frame, schema)| {
            let wanted: Vec<Expr> = kinds
                .iter()
                .map(|(name, kind)| match schema.get(name) {
                    Some(_) => col(name.clone()),
                    None => lit(NULL).cast(kind.clone()).alias(name.clone()),
                })
                .collect();
            let number = u32::try_from(*index).unwrap_or(u32::MAX);
            let origin = [lit(number).alias(DELIVERY), lit(part.source.as_str()).alias(SOURCE)];
            frame.clone().select(wanted).with_columns(origin)
        })
        .collect();
    concat(selected, UnionArgs::default()).map_err(StageError::frame("stack deliveries"))
}

fn key_of(dataset: &Dataset) -> Vec<PlSmallStr> {
    dataset.key.iter().map(|name| PlSmallStr::from_str(name)).collect()
}

/// The rows that stand, in delivery order: of each key the last row of the latest delivery. `None` without parts.
pub(crate) fn current(dataset: &Dataset, parts: &[Part], columns: &[&str]) -> Result<Option<LazyFrame>, StageError> {
    let (parts, _) = standing(parts);
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

/// Counts what does not stand.
///
/// # Errors
/// When a part cannot be read.
pub fn count_view(dataset: &Dataset, parts: &[Part]) -> Result<ViewCounts, StageError> {
    let stored = parts.iter().map(|part| part.kept).sum();
    let (standing, replaced) = standing(parts);
    if standing.is_empty() {
        return Ok(ViewCounts { stored, duplicate: 0, superseded: replaced });
    }
    let key = key_of(dataset);
    let mut per_delivery: Vec<Expr> = key.iter().cloned().map(col).collect();
    per_delivery.push(col(DELIVERY));
    let distinct = stacked(&standing, &key)?
        .unique_generic(Some(per_delivery), UniqueKeepStrategy::Any)
        .select(key.into_iter().map(col).collect::<Vec<_>>())
        .collect()
        .map_err(StageError::frame("count delivered keys"))?;
    let in_deliveries = distinct.height() as u64;
    let keys = distinct
        .lazy()
        .unique_generic(None, UniqueKeepStrategy::Any)
        .collect()
        .map_err(StageError::frame("count keys"))?
        .height() as u64;
    Ok(ViewCounts { stored, duplicate: stored - replaced - in_deliveries, superseded: replaced + in_deliveries - keys })
}
