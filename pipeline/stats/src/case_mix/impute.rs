//! Missing adjusters replaced by their unit's mean.
//!
//! # Estimand
//! A complete adjuster column.
//! # Formula
//! x_ij = mean of the values present in unit j.
//! # Source
//! AHRQ, Instructions for Analyzing Data from CAHPS Surveys, macro 4.1, parameter `impute=1`.
//! # Assumptions
//! The mean is over all rows of the unit, answered or not: impute before non-responders are left out.
//! # Edge cases
//! A unit without any value keeps its NaN and is counted.
//! # Reference values
//! `tests/reference/cahps.rs`: the macro's results, whose adjusters are completed so (cahps/).

use crate::error::{Result, StatsError, check_length, finite_result};

/// What an imputation did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imputed {
    /// Values filled in.
    pub filled: usize,
    /// Values still missing: their unit has none to average.
    pub still_missing: usize,
}

/// Replaces NaN in `column` by the mean of the row's unit; `units[i]` below `unit_count`.
///
/// # Errors
/// Unequal lengths, a unit out of range, an infinite value, a mean that overflows; after the last, part of the column is filled.
pub fn unit_mean_impute(units: &[u32], unit_count: usize, column: &mut [f64]) -> Result<Imputed> {
    check_length("unit indices", column.len(), units.len())?;
    if let Some(bad) = units.iter().find(|u| **u as usize >= unit_count) {
        return Err(StatsError::out_of_range("unit index", f64::from(*bad), "below the number of units"));
    }
    if let Some(index) = column.iter().position(|v| v.is_infinite()) {
        return Err(StatsError::NotFinite { what: "adjuster", index });
    }
    let mut sum = vec![0.0; unit_count];
    let mut present = vec![0u64; unit_count];
    for (&u, v) in units.iter().zip(column.iter()).filter(|(_, v)| !v.is_nan()) {
        sum[u as usize] += v;
        present[u as usize] += 1;
    }
    let mut done = Imputed { filled: 0, still_missing: 0 };
    for (&u, v) in units.iter().zip(column.iter_mut()).filter(|(_, v)| v.is_nan()) {
        if present[u as usize] > 0 {
            *v = finite_result("mean of an adjuster", sum[u as usize] / present[u as usize] as f64)?;
            done.filled += 1;
        } else {
            done.still_missing += 1;
        }
    }
    Ok(done)
}
