//! Expected mortality of the general population.
//!
//! # Estimand
//! Hazard per day by sex, calendar period and age.
//! # Formula
//! Looked up: the last age and the last period that have begun.
//! # Source
//! relsurv's `ratetable` (M. Pohar and J. Stare, Computer Methods and Programs in Biomedicine 81 (2006) 272–278).
//! # Assumptions
//! Hazard constant within a cell.
//! # Edge cases
//! Ages beyond the last cut use the last, dates after the last period the last period, dates before the first the first. A yearly probability q
//! becomes −ln(1 − q)/days. An age or date that is not finite has no hazard.
//! # Reference values
//! tests/reference/survival.rs: survival/life_table_slopop.csv.

use crate::error::{Result, StatsError, check_all_finite, check_length, check_non_negative};

/// Hazards per day; periods and dates are days since any fixed day.
#[derive(Debug, Clone, PartialEq)]
pub struct LifeTable {
    age_from: Vec<f64>,
    valid_from: Vec<f64>,
    hazards: Vec<f64>,
    sexes: usize,
}

impl LifeTable {
    /// `age_from` in days and `valid_from` in days, both rising; `hazards` per day ordered by sex, then period, then age.
    pub fn new(age_from: &[f64], valid_from: &[f64], sexes: usize, hazards: &[f64]) -> Result<Self> {
        for (what, cuts) in [("life table: ages", age_from), ("life table: periods", valid_from)] {
            check_all_finite(what, cuts)?;
            if cuts.is_empty() || sexes == 0 {
                return Err(StatsError::Empty { what });
            }
            if cuts.windows(2).any(|w| w[0] >= w[1]) {
                return Err(StatsError::Undefined { what, reason: "the cuts do not rise" });
            }
        }
        let cells = age_from.len().saturating_mul(valid_from.len()).saturating_mul(sexes);
        check_length("life table: hazards", cells, hazards.len())?;
        check_non_negative("life table: hazards", hazards)?;
        Ok(LifeTable { age_from: age_from.to_vec(), valid_from: valid_from.to_vec(), hazards: hazards.to_vec(), sexes })
    }

    /// Number of sexes in the table.
    pub fn sexes(&self) -> usize {
        self.sexes
    }

    /// Hazard per day of sex number `sex` at an age and a date, both in days; `None` for a sex that the table has not, and where
    /// age or date are not finite.
    pub fn hazard(&self, sex: usize, age: f64, date: f64) -> Option<f64> {
        let cell = |cuts: &[f64], v: f64| cuts.partition_point(|c| *c <= v).saturating_sub(1);
        let known = age.is_finite() && date.is_finite();
        known.then(|| self.at(sex, cell(&self.valid_from, date), cell(&self.age_from, age))).flatten()
    }

    pub(super) fn at(&self, sex: usize, period: usize, age: usize) -> Option<f64> {
        let row = (sex.min(self.sexes) * self.valid_from.len() + period) * self.age_from.len() + age;
        self.hazards.get(row).copied()
    }

    /// Moves cell numbers forward to an age and a date that only ever rise.
    pub(super) fn advance(&self, cells: &mut (usize, usize), date: f64, age: f64) {
        while cells.0 + 1 < self.valid_from.len() && self.valid_from[cells.0 + 1] <= date {
            cells.0 += 1;
        }
        while cells.1 + 1 < self.age_from.len() && self.age_from[cells.1 + 1] <= age {
            cells.1 += 1;
        }
    }
}
