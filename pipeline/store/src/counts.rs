//! No row disappears without a counted reason. Both counts add up exactly, or they do not reconcile.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The reason under which erased rows are excluded.
const ERASED: &str = "erased";

/// Where the rows of one delivered file went.
///
/// Invariant: `rows_in = kept + Σ quarantined + erased`. A row is counted once, under its first reason, also when the quarantine
/// table lists several mistakes in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IngestCounts {
    /// Data rows of the file, the header not counted.
    pub rows_in: u64,
    pub kept: u64,
    /// Reason → rows.
    pub quarantined: BTreeMap<String, u64>,
    /// Rows of persons who withdrew, kept out or taken out since.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub erased: u64,
    /// Lines without any value. They are no rows and not part of the sum, but are told: a file of nothing else says something.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub empty: u64,
    /// Column → reason → cells of kept rows that a rule set to missing. Cells are no rows: they are not part of the sum.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cleared: BTreeMap<String, BTreeMap<String, u64>>,
}

fn is_zero(rows: &u64) -> bool {
    *rows == 0
}

impl IngestCounts {
    pub fn quarantined_total(&self) -> u64 {
        total(&self.quarantined)
    }

    pub fn reconciles(&self) -> bool {
        let accounted = u128::from(self.kept) + wide_total(&self.quarantined) + u128::from(self.erased);
        u128::from(self.rows_in) == accounted
    }

    /// Adds the counts of another file or part.
    pub fn merge(&mut self, other: &Self) {
        self.rows_in = self.rows_in.saturating_add(other.rows_in);
        self.kept = self.kept.saturating_add(other.kept);
        merge_reasons(&mut self.quarantined, &other.quarantined);
        self.erased = self.erased.saturating_add(other.erased);
        self.empty = self.empty.saturating_add(other.empty);
        merge_cells(&mut self.cleared, &other.cleared);
    }
}

/// Where the rows of a step, or of a whole run, went.
///
/// Invariant: `rows_in = kept + Σ quarantined + duplicate + superseded + Σ excluded`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowCounts {
    pub rows_in: u64,
    pub kept: u64,
    /// Reason → rows.
    pub quarantined: BTreeMap<String, u64>,
    /// The same key more than once in one delivery.
    pub duplicate: u64,
    /// Replaced by a later delivery.
    pub superseded: u64,
    /// Reason → rows.
    pub excluded: BTreeMap<String, u64>,
    /// Lines without any value, which are no rows; not part of the sum.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub empty: u64,
    /// Column → reason → cells of kept rows that a rule set to missing; not part of the sum.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cleared: BTreeMap<String, BTreeMap<String, u64>>,
    /// Column → rows that stand and whose value the dataset it refers to does not have (yet); not part of the sum, since the
    /// other file may come tomorrow. What needs the partner leaves such rows out under a reason of its own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unmatched: BTreeMap<String, u64>,
}

impl RowCounts {
    pub fn reconciles(&self) -> bool {
        let accounted = u128::from(self.kept)
            + wide_total(&self.quarantined)
            + u128::from(self.duplicate)
            + u128::from(self.superseded)
            + wide_total(&self.excluded);
        u128::from(self.rows_in) == accounted
    }

    /// Counts `rows` under `reason`; zero leaves no entry.
    pub fn exclude(&mut self, reason: &str, rows: u64) {
        add_reason(&mut self.excluded, reason, rows);
    }

    /// Adds the counts of another partition: any order and grouping gives the same sum.
    pub fn merge(&mut self, other: &Self) {
        self.rows_in = self.rows_in.saturating_add(other.rows_in);
        self.kept = self.kept.saturating_add(other.kept);
        merge_reasons(&mut self.quarantined, &other.quarantined);
        self.duplicate = self.duplicate.saturating_add(other.duplicate);
        self.superseded = self.superseded.saturating_add(other.superseded);
        merge_reasons(&mut self.excluded, &other.excluded);
        self.empty = self.empty.saturating_add(other.empty);
        merge_cells(&mut self.cleared, &other.cleared);
        merge_reasons(&mut self.unmatched, &other.unmatched);
    }
}

impl From<&IngestCounts> for RowCounts {
    fn from(counts: &IngestCounts) -> Self {
        let IngestCounts { rows_in, kept, quarantined, erased, empty, cleared } = counts.clone();
        let mut rows = Self { rows_in, kept, quarantined, empty, cleared, ..Self::default() };
        rows.exclude(ERASED, erased);
        rows
    }
}

fn total(reasons: &BTreeMap<String, u64>) -> u64 {
    reasons.values().fold(0, |sum, rows| sum.saturating_add(*rows))
}

fn wide_total(reasons: &BTreeMap<String, u64>) -> u128 {
    reasons.values().map(|rows| u128::from(*rows)).sum()
}

fn add_reason(reasons: &mut BTreeMap<String, u64>, reason: &str, rows: u64) {
    if rows > 0 {
        let sum = reasons.entry(reason.to_owned()).or_default();
        *sum = sum.saturating_add(rows);
    }
}

fn merge_reasons(into: &mut BTreeMap<String, u64>, from: &BTreeMap<String, u64>) {
    for (reason, rows) in from {
        add_reason(into, reason, *rows);
    }
}

fn merge_cells(into: &mut BTreeMap<String, BTreeMap<String, u64>>, from: &BTreeMap<String, BTreeMap<String, u64>>) {
    for (column, reasons) in from {
        merge_reasons(into.entry(column.clone()).or_default(), reasons);
    }
}
