//! 30-day survival of hospitals that share a patient's course.
//!
//! # Estimand
//! Per hospital, the mortality that the reference population would have at the hospital's own odds.
//! # Formula
//! With shares w_ij of patient i's time in hospital j: O_j = Σw_ij d_i, E_j = Σw_ij p̂_i, Var = Σw_ij² p̂_i(1 − p̂_i). δ_j solves
//! Σw_ij expit(η_i + δ) = O_j; value = mean over the reference of expit(η + δ). Limits: roots in δ of (O_j − Σwp(δ))² =
//! z²Σw²p(δ)(1 − p(δ)), mapped the same way; z = (O − E)/√Var for classes.
//! # Source
//! Score interval: E. B. Wilson (1927), with case mix; shares: Norwegian Institute of Public Health, *30-day survival after hospital
//! admission* (method reports).
//! # Assumptions
//! η known from the case-mix model, its level included: over all patients Σexpit(η) = Σd, or E and z compare with another
//! place than the reference; patients independent.
//! # Edge cases
//! O = 0 gives mortality 0 and lower limit 0; O = Σw gives 1 and upper limit 1. A hospital without shares is left out.
//! # Reference values
//! Without case mix and with whole shares the limits are Wilson's: tests/survival_by_hand.rs. With case mix and shared courses R's
//! glm with an offset and uniroot: tests/reference/r_standardised.rs.

use crate::binary::{expit, expit_variance};
use crate::error::{Result, StatsError, check_all_finite, check_length, finite_result};
use crate::interval::{Interval, Level};
use crate::numeric;

/// Patient number, hospital number, and the share of the course there (0–1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    pub patient: usize,
    pub hospital: usize,
    pub share: f64,
}

/// A hospital's 30-day mortality (survival is 1 minus it).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HospitalSurvival {
    pub hospital: usize,
    /// Patients with a share, and the sum of shares.
    pub patients: usize,
    pub n: f64,
    pub observed: f64,
    pub expected: f64,
    pub variance: f64,
    /// (O − E)/√Var; `None` where the variance is 0.
    pub z: Option<f64>,
    pub mortality: f64,
    pub interval: Interval,
    pub method: &'static str,
}

const FARTHEST: f64 = 60.0;

/// Mortality of every hospital in `shares`, from patients' linear predictors and deaths, over the `reference` predictors.
pub fn hospital_survival(
    linear_predictors: &[f64],
    died: &[bool],
    shares: &[Share],
    reference: &[f64],
    level: Level,
) -> Result<Vec<HospitalSurvival>> {
    const WHAT: &str = "30-day survival";
    check_all_finite(WHAT, linear_predictors)?;
    check_all_finite("30-day survival: reference", reference)?;
    check_length("30-day survival: deaths", linear_predictors.len(), died.len())?;
    if reference.is_empty() {
        return Err(StatsError::Empty { what: "30-day survival: reference" });
    }
    let mut hospitals: std::collections::BTreeMap<usize, Vec<(f64, f64, f64)>> = std::collections::BTreeMap::new();
    for s in shares {
        if !(s.share >= 0.0 && s.share <= 1.0) {
            return Err(StatsError::out_of_range("30-day survival: share", s.share, "0 to 1"));
        }
        let (Some(eta), Some(died)) = (linear_predictors.get(s.patient), died.get(s.patient)) else {
            return Err(StatsError::LengthMismatch {
                what: "30-day survival: patient",
                expected: linear_predictors.len(),
                found: s.patient.saturating_add(1),
            });
        };
        if s.share > 0.0 {
            hospitals.entry(s.hospital).or_default().push((*eta, if *died { 1.0 } else { 0.0 }, s.share));
        }
    }
    hospitals.into_iter().map(|(hospital, rows)| one(hospital, &rows, reference, level)).collect()
}

fn one(hospital: usize, rows: &[(f64, f64, f64)], reference: &[f64], level: Level) -> Result<HospitalSurvival> {
    const WHAT: &str = "30-day survival";
    let z = level.z()?;
    let n = numeric::sum(rows.iter().map(|r| r.2));
    let observed = numeric::sum(rows.iter().map(|r| r.2 * r.1));
    let deaths = |delta: f64| numeric::sum(rows.iter().map(|r| r.2 * expit(r.0 + delta)));
    let survivors = |delta: f64| numeric::sum(rows.iter().map(|r| r.2 * expit(-r.0 - delta)));
    let variance = |delta: f64| numeric::sum(rows.iter().map(|r| r.2 * r.2 * expit_variance(r.0 + delta)));
    // Far enough that every probability is 0 or 1 to the last digit, whatever the predictors are.
    let largest = rows.iter().fold(0.0_f64, |a, r| a.max(r.0.abs())) + FARTHEST;
    let root = |width: f64| {
        numeric::bracketed_root(WHAT, -largest, largest, |delta| {
            let (dead, alive) = (deaths(delta), survivors(delta));
            // Of the two the smaller, which keeps its digits where nearly all died or nearly none.
            let gap = if dead <= alive { observed - dead } else { alive - (n - observed) };
            Ok(gap - width * variance(delta).sqrt())
        })
    };
    let mapped = |delta: f64| numeric::mean(&reference.iter().map(|eta| expit(eta + delta)).collect::<Vec<f64>>());
    let none = rows.iter().all(|r| r.1 == 0.0);
    let all = rows.iter().all(|r| r.1 == 1.0);
    let mortality = if none {
        0.0
    } else if all {
        1.0
    } else {
        mapped(root(0.0)?)
    };
    let low = if none { 0.0 } else { mapped(root(z)?) };
    let high = if all { 1.0 } else { mapped(root(-z)?) };
    let (expected, variance) = (deaths(0.0), variance(0.0));
    Ok(HospitalSurvival {
        hospital,
        patients: rows.len(),
        n,
        observed,
        expected: finite_result(WHAT, expected)?,
        variance,
        z: (variance > 0.0).then(|| (observed - expected) / variance.sqrt()),
        mortality,
        interval: Interval::new(low.min(mortality), high.max(mortality))?,
        method: "logistic-shares-score",
    })
}
