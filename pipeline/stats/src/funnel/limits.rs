//! Limits of a funnel with between-unit variance.
//!
//! # Estimand
//! Where a unit of a given size would lie, at a given level, if it differed from the target by chance (and τ²) only.
//! # Formula
//! g⁻¹(g(target) ± z √(s² + τ²)) on the funnel's scale g.
//! # Source
//! D. J. Spiegelhalter, Statistics in Medicine 24 (2005) 1185–1202.
//! # Assumptions
//! Those of the [`Scale`].
//! # Edge cases
//! Limits never leave the natural scale (0–1 for proportions, 0 and above for ratios). τ² = 0 gives the plain funnel. A unit whose
//! standard error is not above 0 has no z.
//! # Reference values
//! tests/reference/funnel.rs: funnel/od_six_expected_units.csv (1e-10).

use super::scale::{Scale, Standardised};
use crate::error::{Result, StatsError, check_positive, finite_result};
use crate::interval::{Interval, Level};

/// Limits for a unit of `size` (n, E or SE; see [`Scale::standard_error`]) around `target` on the natural scale.
pub fn funnel_limits(scale: Scale, target: f64, size: f64, tau2: f64, level: Level) -> Result<Interval> {
    if !(tau2 >= 0.0 && tau2.is_finite()) {
        return Err(StatsError::out_of_range("funnel: between-unit variance", tau2, "at least 0"));
    }
    let centre = scale.forward(target)?;
    let half = level.z()? * scale.standard_error(size)?.hypot(tau2.sqrt());
    Interval::new(scale.back(centre - half)?, scale.back(centre + half)?)
}

/// (y − target)/√(s² + τ²).
///
/// # Errors
/// s not above 0, τ² below 0, or a number that is not finite.
pub fn adjusted_z(unit: &Standardised, tau2: f64) -> Result<f64> {
    if !(tau2 >= 0.0 && tau2.is_finite()) {
        return Err(StatsError::out_of_range("funnel: between-unit variance", tau2, "at least 0"));
    }
    check_positive("funnel unit: standard error", &[unit.s])?;
    finite_result("funnel z", (unit.y - unit.target) / unit.s.hypot(tau2.sqrt()))
}
