//! What each cell of a system is: shown, hidden, and what an outsider knows of its count beforehand.

use std::collections::BTreeMap;

use prem_spec::{Indicator, PrimaryReason};
use prem_store::tables::Estimate;

use crate::{
    beside::Beside,
    bounds::Range,
    primary,
    reason::SECONDARY,
    system::{CellKey, System, is_unknown},
};

/// The state of one indicator's cells, in the system's order.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    /// Hidden from the reader: withheld, or latent.
    pub(crate) hidden: Vec<bool>,
    /// Withheld for its own sake.
    pub(crate) primary: Vec<bool>,
    /// In the table: may be withheld. Latent cells are not.
    pub(crate) listed: Vec<bool>,
    /// What withholding the cell costs: its respondents, or its events for rates; at least 1.
    pub(crate) cost: Vec<u64>,
    /// The kinds of counts whose possible values are bounded.
    pub(crate) counts: Vec<Counts>,
}

/// One kind of count over all cells: events, those without the event, or respondents.
#[derive(Debug, Clone)]
pub(crate) struct Counts {
    /// The value of a listed cell; 0 for latent cells, which are never shown.
    pub(crate) values: Vec<f64>,
    /// What the published reason tells of a primary cell's count.
    pub(crate) known: Vec<Range>,
    /// What it tells of a secondary cell's: it is not small.
    pub(crate) secondary: Range,
    /// What the table beside tells of any cell's.
    pub(crate) beside: Vec<Range>,
    /// From here on a count is no secret, however well it is known. Of respondents only the smallest are: `response` has
    /// nearly their number.
    pub(crate) open_from: f64,
}

impl Pattern {
    /// The state of some cells alone, in the order of `cells`.
    pub(crate) fn of_cells(&self, cells: &[usize]) -> Self {
        fn pick<T: Clone>(of: &[T], cells: &[usize]) -> Vec<T> {
            cells.iter().map(|cell| of[*cell].clone()).collect()
        }
        let counts = |counts: &Counts| Counts {
            values: pick(&counts.values, cells),
            known: pick(&counts.known, cells),
            secondary: counts.secondary,
            beside: pick(&counts.beside, cells),
            open_from: counts.open_from,
        };
        Self {
            hidden: pick(&self.hidden, cells),
            primary: pick(&self.primary, cells),
            listed: pick(&self.listed, cells),
            cost: pick(&self.cost, cells),
            counts: self.counts.iter().map(counts).collect(),
        }
    }

    /// What is known beforehand of a cell's count; `unknown` cells are those an outsider cannot work out.
    pub(crate) fn range(&self, counts: &Counts, unknown: &[bool], cell: usize) -> Range {
        let told = match (unknown[cell], self.listed[cell], self.primary[cell]) {
            (false, ..) => return Range { low: counts.values[cell], high: counts.values[cell] },
            (true, true, false) => counts.secondary,
            (true, ..) => counts.known[cell],
        };
        told.within(counts.beside[cell])
    }

    /// The state before secondary protection: rows that are `suppressed` are hidden, whether by stages or by the
    /// primary rule, and those with a primary reason are what is to be protected.
    pub(crate) fn of(system: &System, indicator: &Indicator, rows: &[&Estimate], beside: &Beside<'_>) -> Self {
        let size = system.keys.len();
        let mut pattern = Self {
            hidden: vec![true; size],
            primary: vec![false; size],
            listed: vec![false; size],
            cost: vec![1; size],
            counts: Vec::new(),
        };
        let mut by_cell: BTreeMap<usize, Vec<&Estimate>> = BTreeMap::new();
        for row in rows {
            if let Some(cell) = system.index_of(&CellKey::of(row)) {
                by_cell.entry(cell).or_default().push(row);
            }
        }
        for (cell, rows) in &by_cell {
            // Of unknown stratum: never published, so never to be shown again.
            pattern.listed[*cell] = !is_unknown(&system.keys[*cell].stratum);
            pattern.hidden[*cell] = rows.iter().any(|row| row.suppressed);
            pattern.primary[*cell] =
                rows.iter().any(|row| row.suppressed && row.suppression_reason.as_deref() != Some(SECONDARY));
            pattern.cost[*cell] = rows.iter().map(|row| cost(indicator, row)).max().unwrap_or(1).max(1);
        }
        let persons: Vec<Range> = system.keys.iter().map(|key| beside.persons(indicator, key)).collect();
        if indicator.measure.is_rate() || indicator.measure.is_proportion() {
            let persons = persons.clone();
            pattern.counts.push(counts(persons, &by_cell, indicator, PrimaryReason::SmallCount, |row| row.numerator));
        }
        if indicator.measure.is_proportion() {
            let complement = |row: &Estimate| primary::counts(row).map(|(_, complement)| complement);
            let persons = persons.iter().map(|of| Range { low: 0.0, ..*of }).collect();
            pattern.counts.push(counts(persons, &by_cell, indicator, PrimaryReason::SmallComplement, complement));
        }
        if !indicator.measure.is_rate() && indicator.protection.minimum_n > 0 {
            pattern.counts.push(respondents(persons, &by_cell, indicator));
        }
        pattern
    }
}

fn cost(indicator: &Indicator, row: &Estimate) -> u64 {
    let people = if indicator.measure.is_rate() { row.numerator.map(|events| events as i64) } else { row.n };
    people.and_then(|people| u64::try_from(people).ok()).unwrap_or(1)
}

fn counts(
    beside: Vec<Range>,
    by_cell: &BTreeMap<usize, Vec<&Estimate>>,
    indicator: &Indicator,
    about: PrimaryReason,
    value: impl Fn(&Estimate) -> Option<f64>,
) -> Counts {
    let rule = &indicator.protection;
    // Small enough for exact doubles: thresholds of a handful.
    let smallest_shown = rule.minimum_count as f64;
    let lowest_hidden = if rule.protect_zero { 0.0 } else { 1.0 };
    let secondary = Range { low: if rule.protect_zero { smallest_shown } else { 0.0 }, high: f64::INFINITY };
    let mut counts = Counts {
        values: vec![0.0; beside.len()],
        known: vec![Range::FROM_ZERO; beside.len()],
        secondary,
        beside,
        open_from: f64::INFINITY,
    };
    for (cell, rows) in by_cell {
        counts.values[*cell] = rows.iter().find_map(|row| value(row)).unwrap_or(0.0);
        if rows.iter().any(|row| row.suppression_reason.as_deref() == Some(about.as_str())) {
            counts.known[*cell] = Range { low: lowest_hidden, high: (smallest_shown - 1.0).max(lowest_hidden) };
        }
    }
    counts
}

/// The respondents of each cell. A row is there only when somebody is behind it.
fn respondents(beside: Vec<Range>, by_cell: &BTreeMap<usize, Vec<&Estimate>>, indicator: &Indicator) -> Counts {
    let rule = &indicator.protection;
    let smallest_shown = rule.minimum_n as f64;
    let mut counts = Counts {
        values: vec![0.0; beside.len()],
        known: vec![Range::FROM_ZERO; beside.len()],
        secondary: Range { low: smallest_shown, high: f64::INFINITY },
        beside,
        open_from: rule.minimum_count as f64,
    };
    for (cell, rows) in by_cell {
        counts.values[*cell] = rows.iter().find_map(|row| row.n).map_or(0.0, |n| n as f64);
        let is_few =
            |row: &&Estimate| row.suppression_reason.as_deref() == Some(PrimaryReason::FewRespondents.as_str());
        let high = if rows.iter().any(is_few) { (smallest_shown - 1.0).max(1.0) } else { f64::INFINITY };
        counts.known[*cell] = Range { low: 1.0, high };
    }
    counts
}
