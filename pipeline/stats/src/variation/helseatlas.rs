//! Variation as the Norwegian health atlas computes it.
//!
//! # Estimand
//! Spread of relative rates from yearly mean counts: shown beside our own way, not instead of it.
//! # Formula
//! Ō = O/years, Ē = E/years; SCV = mean(((Ō − Ē)/Ē)² − 1/Ē) · 100; FT1–FT3 rounded to two decimals.
//! # Source
//! Helseatlas (SKDE), method notes: counts are yearly means; areas below a minimum count are left out before ranking.
//! # Assumptions
//! Dividing counts by the number of years and then subtracting 1/E corrects for `years` times the chance variation there is:
//! the component comes out too small. [`scv_diehr`] on summed counts is the default.
//! # Edge cases
//! Units with a yearly mean below `fewest` are left out and listed; fewer than 2 left is an error; an FT that does not exist is `None`.
//! # Reference values
//! By hand, tests/variation_by_hand.rs; from yearly counts in R: tests/reference/r_areas.rs (1e-10).

use super::{Scv, check_observed_expected, extremal_quotient, scv_diehr};
use crate::error::{Result, StatsError};

/// The atlas's figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Helseatlas {
    pub scv: Scv,
    /// FT1, FT2, FT3 on O/E, rounded to two decimals.
    pub ft: [Option<f64>; 3],
    /// Positions of units left out for too few events.
    pub left_out: Vec<usize>,
    pub method: &'static str,
}

/// Figures from counts summed over `years`; units with fewer than `fewest` events a year are left out.
pub fn helseatlas(observed: &[f64], expected: &[f64], years: f64, fewest: f64) -> Result<Helseatlas> {
    check_observed_expected("helseatlas variation", observed, expected, 2)?;
    if !(years >= 1.0 && years.is_finite()) {
        return Err(StatsError::out_of_range("helseatlas: years", years, "at least 1"));
    }
    let (mut o, mut e, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    for (j, (observed, expected)) in observed.iter().zip(expected).enumerate() {
        if observed / years < fewest {
            left_out.push(j);
        } else {
            o.push(observed / years);
            e.push(expected / years);
        }
    }
    let mut scv = scv_diehr(&o, &e, 1.0)?;
    scv.method = "scv-helseatlas";
    let ratios: Vec<f64> = o.iter().zip(&e).map(|(o, e)| o / e).collect();
    let rounded = |q: f64| Some((q * 100.0).round() / 100.0).filter(|q| q.is_finite());
    let ft = [1, 2, 3].map(|k| extremal_quotient(&ratios, k).ok().and_then(rounded));
    Ok(Helseatlas { scv, ft, left_out, method: "helseatlas" })
}
