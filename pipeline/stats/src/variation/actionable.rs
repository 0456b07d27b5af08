//! How many events more or fewer than at a reference rate.
//!
//! # Estimand
//! Per unit E_j(θ̃_j − c) with c = 1 (the region's rate) or the 25th or 75th percentile of the units' smoothed ratios; the sums of
//! the positive parts (excess) and of the negative ones (deficit).
//! # Formula
//! θ̃ from [`eb_poisson`](super::eb_poisson()). Beside it the crude O − E, and what chance alone would give where all n = ΣO events
//! fall as E does: X_j ~ Binomial(n, p = E_j/ΣE), E[(X − np)⁺] = k(1 − p)·Pr(X = k), k = ⌊np⌋ + 1, times √κ for repeat events.
//! # Source
//! Smoothing: D. Clayton and J. Kaldor, Biometrics 43 (1987) 671–681. Mean deviation of the binomial distribution (de Moivre):
//! P. Diaconis and S. Zabell, Statistical Science 6 (1991) 284–302, section 1.
//! # Assumptions
//! Those of the Poisson–gamma model; E at the region's own rates, ΣE = ΣO. Excess says nothing about which rate is right.
//! # Edge cases
//! Without variation beyond chance all smoothed figures are 0. One unit has all events: chance gives it none.
//! # Reference values
//! By hand and by counting all outcomes, tests/variation_by_hand.rs.

use super::check_observed_expected;
use super::quantile::quantile_type_7;
use crate::distributions::binomial;
use crate::error::{Result, StatsError, check_length, check_non_negative, finite_result};
use crate::numeric;

/// Events above and below a reference rate, per unit and in sum.
#[derive(Debug, Clone, PartialEq)]
pub struct Actionable {
    /// E(θ̃ − 1) per unit.
    pub smoothed: Vec<f64>,
    /// O − E per unit.
    pub crude: Vec<f64>,
    /// E(θ̃ − P25) and E(θ̃ − P75) per unit.
    pub from_p25: Vec<f64>,
    pub from_p75: Vec<f64>,
    /// The percentiles themselves.
    pub p25: f64,
    pub p75: f64,
    /// Sum of positive and of negative smoothed figures, both ≥ 0.
    pub excess: f64,
    pub deficit: f64,
    /// The same for the crude figures.
    pub crude_excess: f64,
    pub crude_deficit: f64,
    /// Crude excess (and deficit) that chance alone would give.
    pub chance: f64,
    pub method: &'static str,
}

/// Figures from counts and the `smoothed_ratios` of the same units; `repeat_factor` is κ.
pub fn actionable(
    observed: &[f64],
    expected: &[f64],
    smoothed_ratios: &[f64],
    repeat_factor: f64,
) -> Result<Actionable> {
    check_observed_expected("actionable variation", observed, expected, 1)?;
    check_length("actionable variation: smoothed ratios", observed.len(), smoothed_ratios.len())?;
    check_non_negative("actionable variation: smoothed ratios", smoothed_ratios)?;
    if !(repeat_factor > 0.0 && repeat_factor.is_finite()) {
        return Err(StatsError::out_of_range("repeat event factor", repeat_factor, "above 0"));
    }
    let p25 = quantile_type_7(smoothed_ratios, 0.25)?;
    let p75 = quantile_type_7(smoothed_ratios, 0.75)?;
    let from = |c: f64| -> Vec<f64> { expected.iter().zip(smoothed_ratios).map(|(e, r)| e * (r - c)).collect() };
    let crude: Vec<f64> = observed.iter().zip(expected).map(|(o, e)| o - e).collect();
    let smoothed = from(1.0);
    let above = |v: &[f64]| numeric::sum(v.iter().map(|x| x.max(0.0)));
    let below = |v: &[f64]| numeric::sum(v.iter().map(|x| (-x).max(0.0)));
    let (events, sum) = (numeric::sum(observed.iter().copied()), numeric::sum(expected.iter().copied()));
    let mut chance = 0.0;
    for p in expected.iter().map(|e| (e / sum).min(1.0)) {
        let k = (events * p).floor() + 1.0;
        if k <= events {
            chance += k * (1.0 - p) * binomial::pmf(k, events, p)?;
        }
    }
    let finite = |v: f64| finite_result("actionable variation", v);
    Ok(Actionable {
        excess: finite(above(&smoothed))?,
        deficit: finite(below(&smoothed))?,
        crude_excess: finite(above(&crude))?,
        crude_deficit: finite(below(&crude))?,
        smoothed,
        crude,
        from_p25: from(p25),
        from_p75: from(p75),
        p25,
        p75,
        chance: finite(chance * repeat_factor.sqrt())?,
        method: "eb-poisson-excess",
    })
}
