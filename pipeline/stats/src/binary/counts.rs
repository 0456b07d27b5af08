//! Binary outcomes as counts per unit and covariate pattern.
//!
//! # Estimand
//! For unit j and pattern x: trials n_jx and events O_jx.
//! # Formula
//! Integer counting; equal means equal bits, with −0 read as 0.
//! # Source
//! McCullagh, Nelder (1989) Generalized Linear Models, section 4.1.2 (covariate classes).
//! # Assumptions
//! Adjusters are mostly categories. Continuous ones work, with as many patterns as rows.
//! # Edge cases
//! Outcomes other than 0 and 1, and adjusters that are not finite, are errors.
//! # Reference values
//! By hand and by property in `tests/binary_counts.rs`.
//!
//! Patterns are sorted by value, so neither the order of rows nor hashing shows in the result.

use crate::error::{Result, StatsError, check_all_finite, check_length, check_non_negative};
use std::collections::HashMap;

/// Trials and events of one pattern in one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    pub unit: u32,
    pub pattern: u32,
    pub trials: u64,
    pub events: u64,
}

/// Accumulator: `new`, `add`, `merge`, `finish`.
///
/// ```
/// use prem_stats::binary::BinaryCounts;
/// let mut counts = BinaryCounts::new(2, 1);
/// counts.add(&[0, 0, 1], &[1.0, 0.0, 1.0], &[&[5.0, 5.0, 6.0]])?;
/// let table = counts.finish();
/// assert_eq!((table.trials(0), table.events(0)), (2, 1));
/// assert_eq!(table.patterns(), 2);
/// # Ok::<(), prem_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct BinaryCounts {
    units: usize,
    adjusters: usize,
    pattern_ids: HashMap<Box<[u64]>, u32>,
    cells: HashMap<(u32, u32), (u64, u64)>,
}

impl BinaryCounts {
    pub fn new(units: usize, adjusters: usize) -> Self {
        BinaryCounts { units, adjusters, pattern_ids: HashMap::new(), cells: HashMap::new() }
    }

    /// Adds rows: unit, outcome 0 or 1, and one slice per adjuster.
    ///
    /// # Errors
    /// Unequal lengths, a unit out of range, an outcome other than 0 or 1, an adjuster that is not finite. After an error
    /// the accumulator holds part of the rows and must be discarded.
    pub fn add(&mut self, units: &[u32], y: &[f64], x: &[&[f64]]) -> Result<()> {
        check_length("adjuster columns", self.adjusters, x.len())?;
        check_length("unit indices", y.len(), units.len())?;
        for column in x {
            check_length("adjuster", y.len(), column.len())?;
            check_all_finite("adjuster", column)?;
        }
        let mut key = vec![0u64; self.adjusters];
        for (i, (&unit, &outcome)) in units.iter().zip(y).enumerate() {
            if unit as usize >= self.units {
                return Err(StatsError::out_of_range("unit index", f64::from(unit), "below the number of units"));
            }
            if outcome != 0.0 && outcome != 1.0 {
                return Err(StatsError::out_of_range("binary outcome", outcome, "0 or 1"));
            }
            for (k, column) in key.iter_mut().zip(x) {
                *k = (column[i] + 0.0).to_bits();
            }
            let pattern = self.pattern_id(&key)?;
            let cell = self.cells.entry((unit, pattern)).or_insert((0, 0));
            cell.0 += 1;
            cell.1 += u64::from(outcome == 1.0);
        }
        Ok(())
    }

    /// Adds counted rows of one pattern in one unit; no trials, no change.
    ///
    /// # Errors
    /// As [`add`](Self::add); also more events than trials.
    pub fn add_counts(&mut self, unit: u32, x: &[f64], trials: u64, events: u64) -> Result<()> {
        check_length("adjusters", self.adjusters, x.len())?;
        check_all_finite("adjuster", x)?;
        if unit as usize >= self.units {
            return Err(StatsError::out_of_range("unit index", f64::from(unit), "below the number of units"));
        }
        if events > trials {
            return Err(StatsError::out_of_range("events", events as f64, "at most the trials"));
        }
        if trials == 0 {
            return Ok(());
        }
        let key: Vec<u64> = x.iter().map(|v| (v + 0.0).to_bits()).collect();
        let pattern = self.pattern_id(&key)?;
        let cell = self.cells.entry((unit, pattern)).or_insert((0, 0));
        cell.0 = cell.0.saturating_add(trials);
        cell.1 = cell.1.saturating_add(events);
        Ok(())
    }

    fn pattern_id(&mut self, key: &[u64]) -> Result<u32> {
        if let Some(&id) = self.pattern_ids.get(key) {
            return Ok(id);
        }
        let id = u32::try_from(self.pattern_ids.len()).map_err(|_| StatsError::Undefined {
            what: "covariate patterns",
            reason: "more than 4,294,967,295 distinct patterns",
        })?;
        self.pattern_ids.insert(key.into(), id);
        Ok(id)
    }

    /// Adds the rows behind `other`.
    pub fn merge(&mut self, other: &BinaryCounts) -> Result<()> {
        check_length("units", self.units, other.units)?;
        check_length("adjuster columns", self.adjusters, other.adjusters)?;
        let mut translate = vec![0u32; other.pattern_ids.len()];
        for (key, &id) in &other.pattern_ids {
            translate[id as usize] = self.pattern_id(key)?;
        }
        for (&(unit, pattern), &(trials, events)) in &other.cells {
            let cell = self.cells.entry((unit, translate[pattern as usize])).or_insert((0, 0));
            cell.0 = cell.0.saturating_add(trials);
            cell.1 = cell.1.saturating_add(events);
        }
        Ok(())
    }

    /// The table, patterns in increasing order, cells by unit and pattern.
    pub fn finish(self) -> BinaryTable {
        let mut keys: Vec<(Vec<f64>, u32)> = self
            .pattern_ids
            .into_iter()
            .map(|(key, id)| (key.iter().map(|b| f64::from_bits(*b)).collect(), id))
            .collect();
        keys.sort_by(|a, b| {
            let pairs = a.0.iter().zip(&b.0).map(|(x, z)| x.total_cmp(z));
            pairs.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
        });
        let mut rank = vec![0u32; keys.len()];
        let mut rows = Vec::with_capacity(keys.len() * self.adjusters);
        for (position, (x, id)) in keys.iter().enumerate() {
            rank[*id as usize] = position as u32;
            rows.extend_from_slice(x);
        }
        let cells = self
            .cells
            .into_iter()
            .map(|((unit, pattern), (trials, events))| Cell { unit, pattern: rank[pattern as usize], trials, events })
            .collect();
        BinaryTable::new(self.units, self.adjusters, keys.len(), rows, cells)
    }
}

/// Counts per unit and pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct BinaryTable {
    units: usize,
    adjusters: usize,
    patterns: usize,
    /// Patterns, row by row.
    rows: Vec<f64>,
    /// Sorted by unit, then pattern.
    cells: Vec<Cell>,
    /// Cells of unit j: starts[j]..starts[j + 1].
    starts: Vec<usize>,
}

impl BinaryTable {
    fn new(units: usize, adjusters: usize, patterns: usize, rows: Vec<f64>, mut cells: Vec<Cell>) -> Self {
        cells.sort_by_key(|c| (c.unit, c.pattern));
        let mut merged: Vec<Cell> = Vec::with_capacity(cells.len());
        for cell in cells {
            match merged.last_mut() {
                Some(last) if (last.unit, last.pattern) == (cell.unit, cell.pattern) => {
                    last.trials += cell.trials;
                    last.events += cell.events;
                }
                _ => merged.push(cell),
            }
        }
        let starts = (0..=units).map(|u| merged.partition_point(|c| (c.unit as usize) < u)).collect();
        BinaryTable { units, adjusters, patterns, rows, cells: merged, starts }
    }

    pub fn units(&self) -> usize {
        self.units
    }

    pub fn adjusters(&self) -> usize {
        self.adjusters
    }

    /// Number of distinct patterns.
    pub fn patterns(&self) -> usize {
        self.patterns
    }

    /// Adjusters of pattern `i`.
    pub fn pattern(&self, i: usize) -> &[f64] {
        &self.rows[i * self.adjusters..(i + 1) * self.adjusters]
    }

    /// Cells of unit `j`.
    pub fn cells(&self, j: usize) -> &[Cell] {
        &self.cells[self.starts[j]..self.starts[j + 1]]
    }

    /// n_j.
    pub fn trials(&self, j: usize) -> u64 {
        self.cells(j).iter().map(|c| c.trials).sum()
    }

    /// O_j.
    pub fn events(&self, j: usize) -> u64 {
        self.cells(j).iter().map(|c| c.events).sum()
    }

    /// The table of higher units: unit `j` becomes part of `parent[j]`, or of none.
    pub fn aggregate(&self, parent: &[Option<u32>], parents: usize) -> Result<BinaryTable> {
        check_length("parents of units", self.units, parent.len())?;
        if let Some(bad) = parent.iter().flatten().find(|t| **t as usize >= parents) {
            return Err(StatsError::out_of_range("parent index", f64::from(*bad), "below the number of parents"));
        }
        let cells = self.cells.iter().filter_map(|c| parent[c.unit as usize].map(|unit| Cell { unit, ..*c })).collect();
        Ok(BinaryTable::new(parents, self.adjusters, self.patterns, self.rows.clone(), cells))
    }

    /// The table of `units` in that order; one that is named twice is two units. For [`bootstrap`](crate::bootstrap).
    ///
    /// # Errors
    /// When a unit is not below [`units`](Self::units).
    pub fn of_units(&self, units: &[usize]) -> Result<BinaryTable> {
        if let Some(bad) = units.iter().find(|u| **u >= self.units) {
            return Err(StatsError::out_of_range("unit", *bad as f64, "below the number of units"));
        }
        let of =
            |(place, unit): (usize, &usize)| self.cells(*unit).iter().map(move |c| Cell { unit: place as u32, ..*c });
        let cells = units.iter().enumerate().flat_map(of).collect();
        Ok(BinaryTable::new(units.len(), self.adjusters, self.patterns, self.rows.clone(), cells))
    }

    /// All respondents as the reference population.
    pub fn reference(&self) -> ReferencePopulation {
        let mut weights = vec![0.0; self.patterns];
        for cell in &self.cells {
            weights[cell.pattern as usize] += cell.trials as f64;
        }
        ReferencePopulation { adjusters: self.adjusters, rows: self.rows.clone(), weights }
    }
}

/// The population that adjusted proportions refer to: distinct adjuster rows with weights.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferencePopulation {
    adjusters: usize,
    rows: Vec<f64>,
    weights: Vec<f64>,
}

impl ReferencePopulation {
    /// `rows`: adjusters row by row; `weights`: one per row, at least 0, not all 0.
    pub fn new(adjusters: usize, rows: Vec<f64>, weights: Vec<f64>) -> Result<Self> {
        check_length("reference adjusters", weights.len() * adjusters, rows.len())?;
        check_all_finite("reference adjusters", &rows)?;
        check_non_negative("reference weights", &weights)?;
        let this = ReferencePopulation { adjusters, rows, weights };
        this.check()?;
        Ok(this)
    }

    pub(super) fn check(&self) -> Result<()> {
        let total: f64 = self.weights.iter().sum();
        if total > 0.0 && total.is_finite() { Ok(()) } else { Err(StatsError::Empty { what: "reference population" }) }
    }

    pub fn adjusters(&self) -> usize {
        self.adjusters
    }

    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Adjusters of row `i`.
    pub fn row(&self, i: usize) -> &[f64] {
        &self.rows[i * self.adjusters..(i + 1) * self.adjusters]
    }
}
