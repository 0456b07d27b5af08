//! Student's t interval of a mean.
//!
//! # Estimand
//! A population mean.
//! # Formula
//! ȳ ± t(1 − α/2; df) · se, with se = s/√n and df = n − 1 for raw values.
//! # Source
//! W. S. Gosset, Biometrika 6 (1908) 1–25.
//! # Assumptions
//! Independent values, normal or many.
//! # Edge cases
//! Fewer than 2 values is an error; values that are all equal give se = 0 and an interval of width 0.
//! # Reference values
//! tests/reference/intervals.rs: intervals/phe_mean_expected.csv (1e-11), rapwhale_examples.csv (1e-10).

use super::{Estimate, Interval, Level};
use crate::distributions::student_t as t_distribution;
use crate::error::{Result, StatsError, check_all_finite, check_finite, finite_result};
use crate::numeric;

/// A mean with its spread and interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanEstimate {
    pub value: f64,
    /// Standard deviation (n − 1) of the values.
    pub sd: f64,
    pub se: f64,
    pub df: f64,
    pub interval: Interval,
    pub n: f64,
    pub method: &'static str,
}

/// Mean of raw values with its t interval.
pub fn mean(values: &[f64], level: Level) -> Result<MeanEstimate> {
    check_all_finite("mean", values)?;
    if values.len() < 2 {
        return Err(StatsError::TooFew { what: "t interval of a mean", needed: 2, found: values.len() });
    }
    let n = values.len() as f64;
    let value = finite_result("mean", numeric::mean(values))?;
    let sd = finite_result("standard deviation", numeric::variance(values).sqrt())?;
    let se = sd / n.sqrt();
    let e = student_t(value, se, n - 1.0, level)?;
    Ok(MeanEstimate { value, sd, se, df: n - 1.0, interval: e.interval, n, method: e.method })
}

/// Interval of a `value` from its standard error and degrees of freedom; `n` in the result is df + 1.
pub fn student_t(value: f64, se: f64, df: f64, level: Level) -> Result<Estimate> {
    check_finite("t interval: value", value)?;
    if !(se >= 0.0 && se.is_finite()) {
        return Err(StatsError::out_of_range("t interval: standard error", se, "at least 0"));
    }
    if !(df > 0.0 && df.is_finite()) {
        return Err(StatsError::out_of_range("t interval: degrees of freedom", df, "above 0 and finite"));
    }
    let half = t_distribution::upper_quantile(level.tail(), df)? * se;
    Ok(Estimate { value, interval: Interval::new(value - half, value + half)?, n: df + 1.0, method: "student-t" })
}

/// value ± z · se.
pub fn normal(value: f64, se: f64, level: Level) -> Result<Interval> {
    check_finite("normal interval: value", value)?;
    if !(se >= 0.0 && se.is_finite()) {
        return Err(StatsError::out_of_range("normal interval: standard error", se, "at least 0"));
    }
    let half = level.z()? * se;
    Interval::new(value - half, value + half)
}
