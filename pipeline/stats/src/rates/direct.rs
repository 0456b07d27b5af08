//! Directly standardised rate.
//!
//! # Estimand
//! The rate that a standard population would have with the unit's stratum-specific rates.
//! # Formula
//! r = Σ w_g x_g/n_g / Σ w_g; Var = Σ w_g² x_g/n_g² / (Σw)²; with persons who have f events each,
//! Var = Σ_g w_g²/n_g² Σ_f f² v_gf / (Σw)². Limits by Dobson on the total count of events, as Public Health England has it: repeat
//! events widen the interval through Var alone.
//! # Source
//! A. J. Dobson et al., Statistics in Medicine 10 (1991) 457–462; non-independent events: Public Health England, *Technical
//! guide: confidence intervals* (2018).
//! # Assumptions
//! Events Poisson within strata (or persons with f events Poisson); weights and populations known.
//! # Edge cases
//! Fewer than 10 events: no interval and the reason. A stratum with weight but no population is an error: collapse it with its
//! neighbour first. Weight 0 leaves a stratum out of the rate.
//! # Reference values
//! reference/rates/dsr_expected.csv (1e-11 relative).

use crate::error::{Result, StatsError, check_length, check_non_negative, finite_result};
use crate::interval::{Interval, Level, dobson};
use crate::numeric;

/// Persons in stratum `stratum` (position in the slices) with `frequency` events each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RepeatEvents {
    pub stratum: usize,
    pub frequency: f64,
    pub persons: f64,
}

/// A directly standardised rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DirectRate {
    /// Rate times the multiplier.
    pub value: f64,
    /// Variance of the rate before the multiplier.
    pub variance: f64,
    /// Standard error times the multiplier.
    pub se: f64,
    pub interval: Option<Interval>,
    /// Why there is no interval.
    pub refused: Option<&'static str>,
    pub events: f64,
    pub population: f64,
    pub method: &'static str,
}

/// Rate from `events`, `population` and standard `weights`, one value a stratum, times `multiplier` (such as 100,000).
pub fn directly_standardised(
    events: &[f64],
    population: &[f64],
    weights: &[f64],
    multiplier: f64,
    level: Level,
) -> Result<DirectRate> {
    check_non_negative("directly standardised rate: events", events)?;
    standardise(events, events, population, weights, multiplier, level, "dobson-byar")
}

/// As [`directly_standardised`], for persons who may have several events; `repeats` lists them per stratum and frequency.
pub fn directly_standardised_repeat_events(
    repeats: &[RepeatEvents],
    population: &[f64],
    weights: &[f64],
    multiplier: f64,
    level: Level,
) -> Result<DirectRate> {
    let mut events = vec![0.0; population.len()];
    let mut squared = vec![0.0; population.len()];
    for r in repeats {
        check_non_negative("repeat events", &[r.frequency, r.persons])?;
        let found = r.stratum + 1;
        if found > population.len() {
            return Err(StatsError::LengthMismatch {
                what: "repeat events: stratum",
                expected: population.len(),
                found,
            });
        }
        events[r.stratum] += r.frequency * r.persons;
        squared[r.stratum] += r.frequency * r.frequency * r.persons;
    }
    standardise(&events, &squared, population, weights, multiplier, level, "dobson-byar-repeat-events")
}

fn standardise(
    events: &[f64],
    count_variances: &[f64],
    population: &[f64],
    weights: &[f64],
    multiplier: f64,
    level: Level,
    method: &'static str,
) -> Result<DirectRate> {
    const WHAT: &str = "directly standardised rate";
    check_length("directly standardised rate: population", events.len(), population.len())?;
    check_length("directly standardised rate: weights", events.len(), weights.len())?;
    check_non_negative("directly standardised rate: population", population)?;
    check_non_negative("directly standardised rate: weights", weights)?;
    if !(multiplier > 0.0 && multiplier.is_finite()) {
        return Err(StatsError::out_of_range("rate multiplier", multiplier, "above 0"));
    }
    let total_weight = numeric::sum(weights.iter().copied());
    if total_weight <= 0.0 {
        return Err(StatsError::Empty { what: "directly standardised rate: weights" });
    }
    let strata = || (0..events.len()).filter(|g| weights[*g] > 0.0);
    if strata().any(|g| population[g] == 0.0) {
        return Err(StatsError::Undefined { what: WHAT, reason: "a stratum with weight has no population" });
    }
    let share = |g: usize| weights[g] / total_weight / population[g];
    let rate = numeric::sum(strata().map(|g| share(g) * events[g]));
    let variance = finite_result(WHAT, numeric::sum(strata().map(|g| share(g).powi(2) * count_variances[g])))?;
    let total = finite_result("directly standardised rate: events", numeric::sum(events.iter().copied()))?;
    let persons = finite_result("directly standardised rate: population", numeric::sum(population.iter().copied()))?;
    let interval = match dobson(rate, variance, total, level) {
        Ok(limits) => Some(limits.scaled(multiplier)?),
        Err(StatsError::TooFew { .. }) => None,
        Err(other) => return Err(other),
    };
    Ok(DirectRate {
        value: finite_result(WHAT, rate * multiplier)?,
        variance,
        se: finite_result(WHAT, variance.sqrt() * multiplier)?,
        interval,
        refused: if interval.is_none() { Some("fewer than 10 events") } else { None },
        events: total,
        population: persons,
        method,
    })
}
