//! Difference of an area's directly standardised rate from the region's.
//!
//! # Estimand
//! Δ_j = a_j − R: the standardised rate of area j less that of the whole region, which contains the area.
//! # Formula
//! a_j = Σ_g w_g x_jg/n_jg and R = Σ_g w_g Σ_k x_kg/N_g with N_g = Σ_k n_kg and Σ_g w_g = 1. The counts x are independent
//! and Var x = x, so
//! Var Δ_j = Σ_g w_g² [ (1/n_jg − 1/N_g)² x_jg + (Σ_k x_kg − x_jg)/N_g² ].
//! Where all areas have the region's rates, x_jg is expected to be n_jg X_g/N_g with X_g = Σ_k x_kg, and the same variance is
//! V₀ = Σ_g w_g² X_g (1/n_jg − 1/N_g)/N_g, which chance in area j has no part in.
//! Where persons are independent but their events are not, Var x = Σ_f f² v_f for v_f persons with f events, in place of x.
//! # Source
//! Variance of a linear combination of independent Poisson counts (G. Casella and R. L. Berger, *Statistical Inference*,
//! 2nd ed. (2002), theorem 4.5.6); the rate's own variance as in Dobson, Kuulasmaa,
//! Eberle and Scherer (1991), Statistics in Medicine 10, 457–462.
//! # Assumptions
//! Events independent, or persons with their events; one standard for area and region.
//! # Edge cases
//! An area that is the whole region has Δ = 0 and variance 0. A stratum with weight and without population is an error.
//! # Reference values
//! By hand: two areas, one stratum, n = (100, 300), x = (10, 60): a₁ = 0.1, R = 0.175, Δ₁ = −0.075, Var = (1/100 −
//! 1/400)²·10 + 60/400² = 0.0005625 + 0.000375 = 0.0009375, V₀ = 70·(1/100 − 1/400)/400 = 0.0013125. With 6 persons of
//! one event and 2 of two in the first area and 60 of one in the other, Var x₁ = 14: Var = 0.0007875 + 0.000375 =
//! 0.0011625. Four areas in three strata by R's glm and numerical derivatives: tests/reference/r_areas.rs (1e-10).

use crate::error::{Result, StatsError, check_length, check_non_negative, finite_result};
use crate::numeric;

/// An area's difference from the region, in the unit of the rate times the multiplier.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegionDifference {
    /// R.
    pub reference: f64,
    /// a_j − R.
    pub difference: f64,
    pub se: f64,
    /// √V₀: the standard error if the area had the region's rates.
    pub se_at_no_difference: f64,
}

/// `events` and `population` of the area, `region_events` and `region_population` of the region with the area in it, and
/// standard `weights` on any scale: one value a stratum each.
///
/// # Errors
/// Lengths that differ, negative values, an area larger than its region, no weight, a stratum with weight but no people.
pub fn difference_from_region(
    events: &[f64],
    population: &[f64],
    region_events: &[f64],
    region_population: &[f64],
    weights: &[f64],
    multiplier: f64,
) -> Result<RegionDifference> {
    difference_from_region_repeat_events(
        (events, events),
        population,
        (region_events, region_events),
        region_population,
        weights,
        multiplier,
    )
}

/// As [`difference_from_region`], for persons who may have several events: beside each count stands its variance,
/// Σf²v_f over the persons with f events in the stratum. The region's is the sum of its areas'.
///
/// # Errors
/// As [`difference_from_region`].
pub fn difference_from_region_repeat_events(
    (events, variances): (&[f64], &[f64]),
    population: &[f64],
    (region_events, region_variances): (&[f64], &[f64]),
    region_population: &[f64],
    weights: &[f64],
    multiplier: f64,
) -> Result<RegionDifference> {
    const WHAT: &str = "difference of standardised rates";
    for values in [variances, population, region_events, region_variances, region_population, weights] {
        check_length(WHAT, events.len(), values.len())?;
        check_non_negative(WHAT, values)?;
    }
    check_non_negative(WHAT, events)?;
    let total = numeric::sum(weights.iter().copied());
    if total <= 0.0 {
        return Err(StatsError::Empty { what: WHAT });
    }
    let strata: Vec<usize> = (0..events.len()).filter(|g| weights[*g] > 0.0).collect();
    if strata.iter().any(|g| population[*g] == 0.0) {
        return Err(StatsError::Undefined { what: WHAT, reason: "a stratum with weight has no population" });
    }
    let is_larger = |g: &usize| {
        population[*g] > region_population[*g] || events[*g] > region_events[*g] || variances[*g] > region_variances[*g]
    };
    if strata.iter().any(is_larger) {
        return Err(StatsError::Undefined { what: WHAT, reason: "the area is larger than the region it is part of" });
    }
    let w = |g: usize| weights[g] / total;
    let rate = numeric::sum(strata.iter().map(|g| w(*g) * events[*g] / population[*g]));
    let reference = numeric::sum(strata.iter().map(|g| w(*g) * region_events[*g] / region_population[*g]));
    let variance = numeric::sum(strata.iter().map(|g| {
        let (own, all) = (1.0 / population[*g], 1.0 / region_population[*g]);
        w(*g).powi(2) * ((own - all).powi(2) * variances[*g] + (region_variances[*g] - variances[*g]) * all * all)
    }));
    let at_no_difference = numeric::sum(strata.iter().map(|g| {
        let (own, all) = (1.0 / population[*g], 1.0 / region_population[*g]);
        w(*g).powi(2) * region_variances[*g] * (own - all) * all
    }));
    Ok(RegionDifference {
        reference: finite_result(WHAT, reference * multiplier)?,
        difference: finite_result(WHAT, (rate - reference) * multiplier)?,
        se: finite_result(WHAT, variance.sqrt() * multiplier)?,
        se_at_no_difference: finite_result(WHAT, at_no_difference.sqrt() * multiplier)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_areas_by_hand() {
        let d = difference_from_region(&[10.0], &[100.0], &[70.0], &[400.0], &[1.0], 1.0).expect("defined");
        assert!((d.reference - 0.175).abs() < 1e-15 && (d.difference + 0.075).abs() < 1e-15);
        assert!((d.se.powi(2) - 0.000_937_5).abs() < 1e-15);
        assert!((d.se_at_no_difference.powi(2) - 0.001_312_5).abs() < 1e-15);
    }

    #[test]
    fn persons_with_two_events_by_hand() {
        let d = difference_from_region_repeat_events(
            (&[10.0], &[14.0]),
            &[100.0],
            (&[70.0], &[74.0]),
            &[400.0],
            &[1.0],
            1.0,
        )
        .expect("defined");
        assert!((d.difference + 0.075).abs() < 1e-15);
        assert!((d.se.powi(2) - 0.001_162_5).abs() < 1e-15);
    }

    #[test]
    fn the_region_does_not_differ_from_itself() {
        let (x, n, w) = ([3.0, 8.0], [50.0, 20.0], [2.0, 1.0]);
        let d = difference_from_region(&x, &n, &x, &n, &w, 1000.0).expect("defined");
        assert!(d.difference == 0.0 && d.se == 0.0 && d.se_at_no_difference == 0.0);
    }

    #[test]
    fn nonsense_is_an_error() {
        assert!(difference_from_region(&[1.0], &[0.0], &[1.0], &[5.0], &[1.0], 1.0).is_err());
        assert!(difference_from_region(&[9.0], &[5.0], &[1.0], &[5.0], &[1.0], 1.0).is_err());
        assert!(difference_from_region(&[f64::NAN], &[5.0], &[1.0], &[5.0], &[1.0], 1.0).is_err());
        assert!(difference_from_region(&[], &[], &[], &[], &[], 1.0).is_err());
    }
}
