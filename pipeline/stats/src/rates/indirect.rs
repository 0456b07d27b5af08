//! Indirectly standardised ratio and rate.
//!
//! # Estimand
//! Observed events over those expected at the reference's stratum-specific rates; times the reference's crude rate for a rate.
//! # Formula
//! E = Σ n_g X_g/N_g; ratio = O/E; rate = O/E · ΣX/ΣN. Limits of O: exact Poisson below 10, Byar from 10.
//! # Source
//! N. E. Breslow and N. E. Day, *Statistical Methods in Cancer Research* II (1987), chapter 2.
//! # Assumptions
//! Poisson events, reference rates known.
//! # Edge cases
//! A stratum where the reference has no population adds nothing to E if the unit has none either, else it is an error; E = 0 is
//! an error. Events in strata without population stay in O.
//! # Reference values
//! tests/reference/rates.rs: rates/isr_expected.csv (1e-11 relative).

use crate::error::{Result, StatsError, check_length, check_non_negative, finite_result};
use crate::interval::{Estimate, Level, count};
use crate::numeric;

/// Expected events Σ n_g X_g/N_g; one value a stratum.
pub fn expected_events(population: &[f64], reference_events: &[f64], reference_population: &[f64]) -> Result<f64> {
    check_length("expected events: reference events", population.len(), reference_events.len())?;
    check_length("expected events: reference population", population.len(), reference_population.len())?;
    check_non_negative("expected events: population", population)?;
    check_non_negative("expected events: reference events", reference_events)?;
    check_non_negative("expected events: reference population", reference_population)?;
    if (0..population.len()).any(|g| population[g] > 0.0 && reference_population[g] == 0.0) {
        return Err(StatsError::Undefined {
            what: "expected events",
            reason: "a stratum of the unit has no reference population",
        });
    }
    let terms = (0..population.len())
        .filter(|g| population[*g] > 0.0)
        .map(|g| population[g] * reference_events[g] / reference_population[g]);
    finite_result("expected events", numeric::sum(terms))
}

/// `observed`/`expected` · `multiplier` with its interval; `n` is the observed count.
pub fn standardised_ratio(observed: f64, expected: f64, multiplier: f64, level: Level) -> Result<Estimate> {
    for (what, v) in [("expected events", expected), ("ratio multiplier", multiplier)] {
        if !(v > 0.0 && v.is_finite()) {
            return Err(StatsError::out_of_range(what, v, "above 0"));
        }
    }
    let counted = count(observed, level)?;
    let factor = finite_result("standardised ratio", multiplier / expected)?;
    Ok(Estimate {
        value: finite_result("standardised ratio", observed * factor)?,
        interval: counted.interval.scaled(factor)?,
        n: observed,
        method: counted.method,
    })
}

/// The ratio times the reference's crude rate (`reference_rate` per person) times `multiplier`.
pub fn standardised_rate(
    observed: f64,
    expected: f64,
    reference_rate: f64,
    multiplier: f64,
    level: Level,
) -> Result<Estimate> {
    if !(reference_rate > 0.0 && reference_rate.is_finite()) {
        return Err(StatsError::out_of_range("reference rate", reference_rate, "above 0"));
    }
    standardised_ratio(observed, expected, reference_rate * multiplier, level)
}
