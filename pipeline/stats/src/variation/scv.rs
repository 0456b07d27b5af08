//! Systematic component of variation.
//!
//! # Estimand
//! Variance of the units' relative rates beyond what chance gives, times 100.
//! # Formula
//! Diehr: mean(((O − E)/E)² − κ/E) · 100 with κ = Σf²π_f/Σfπ_f; McPherson: mean((ln O/E)² − 1/E) · 100.
//! # Source
//! K. McPherson et al., NEJM 307 (1982) 1310–1314; P. Diehr et al., Health Services Research 24 (1990) 741–771; K. C. Cain and P. Diehr, ibid. 27 (1992) 267–294
//! (κ: their «multiple admission factor»).
//! # Assumptions
//! Poisson counts given E (κ = 1), or persons Poisson and their numbers of events distributed alike everywhere (κ > 1).
//! # Edge cases
//! `reported` is 0 where `raw` is negative. McPherson's form does not exist with O = 0.
//! # Reference values
//! reference/variation/turp_expected.csv (1e-10); base R: tests/reference/r_closed.rs (1e-10); with limits from all
//! resamples in R: tests/reference/r_resampling.rs.

use super::check_observed_expected;
use crate::error::{Result, StatsError, check_non_negative, finite_result};
use crate::numeric;

/// Customary factor: the component is reported times 100.
pub const SCALE: f64 = 100.0;

/// The component as computed and as reported.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scv {
    pub raw: f64,
    /// `raw`, or 0 where that is negative.
    pub reported: f64,
    pub units: usize,
    pub method: &'static str,
}

impl Scv {
    fn from_mean(what: &'static str, mean: f64, units: usize, method: &'static str) -> Result<Scv> {
        let raw = finite_result(what, mean * SCALE)?;
        Ok(Scv { raw, reported: raw.max(0.0), units, method })
    }
}

/// Diehr's form; `repeat_factor` is κ from [`repeat_event_factor`], 1 for independent events.
pub fn scv_diehr(observed: &[f64], expected: &[f64], repeat_factor: f64) -> Result<Scv> {
    const WHAT: &str = "systematic component of variation";
    check_observed_expected(WHAT, observed, expected, 2)?;
    if !(repeat_factor > 0.0 && repeat_factor.is_finite()) {
        return Err(StatsError::out_of_range("repeat event factor", repeat_factor, "above 0"));
    }
    let mean = diehr_sum(observed, expected, repeat_factor) / observed.len() as f64;
    Scv::from_mean(WHAT, mean, observed.len(), "scv-diehr")
}

fn diehr_sum(observed: &[f64], expected: &[f64], repeat_factor: f64) -> f64 {
    numeric::sum(observed.iter().zip(expected).map(|(o, e)| ((o - e) / e).powi(2) - repeat_factor / e))
}

/// McPherson's logarithmic form.
pub fn scv_mcpherson(observed: &[f64], expected: &[f64]) -> Result<Scv> {
    const WHAT: &str = "systematic component of variation (McPherson)";
    check_observed_expected(WHAT, observed, expected, 2)?;
    if observed.contains(&0.0) {
        return Err(StatsError::Undefined { what: WHAT, reason: "a unit has no events" });
    }
    let total = numeric::sum(observed.iter().zip(expected).map(|(o, e)| (o / e).ln().powi(2) - 1.0 / e));
    Scv::from_mean(WHAT, total / observed.len() as f64, observed.len(), "scv-mcpherson")
}

/// κ = Σf²π_f/Σfπ_f from the number of `persons` with each `frequency` of events.
pub fn repeat_event_factor(frequency: &[f64], persons: &[f64]) -> Result<f64> {
    const WHAT: &str = "repeat event factor";
    crate::error::check_length(WHAT, frequency.len(), persons.len())?;
    check_non_negative(WHAT, frequency)?;
    check_non_negative(WHAT, persons)?;
    let events = numeric::sum(frequency.iter().zip(persons).map(|(f, v)| f * v));
    if events <= 0.0 {
        return Err(StatsError::Empty { what: WHAT });
    }
    finite_result(WHAT, numeric::sum(frequency.iter().zip(persons).map(|(f, v)| f * f * v)) / events)
}
