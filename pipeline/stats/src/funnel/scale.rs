//! Scales on which units of a funnel have a variance that does not depend on their value.
//!
//! # Estimand
//! (y, s, target) per unit: transformed value, its standard error at the target, and the transformed target.
//! # Formula
//! Mean: y = a, s = SE. Proportion: y = arcsin √(x/n), s = 1/(2√n). Ratio, logarithm: y = ln(O/E), s = 1/√E. Ratio, square root:
//! y = √(O/E), s = 1/(2√E).
//! # Source
//! D. J. Spiegelhalter, Statistics in Medicine 24 (2005) 1185–1202, appendix; D. J. Spiegelhalter et al., JRSS A 175 (2012) 1.
//! # Assumptions
//! Large enough counts for the normal approximation.
//! # Edge cases
//! O = 0 has no logarithm: use the square root. Limits are clipped to the scale's range before they are transformed back. A standard
//! error that is not above 0 gives no z.
//! # Reference values
//! tests/reference/funnel.rs: funnel/od_six_expected_units.csv (1e-10).

use crate::error::{Result, StatsError, check_finite, check_positive, finite_result};

/// Scale of a funnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Means and adjusted values as they are.
    Mean,
    /// Proportions by arcsine of the square root.
    ArcsineProportion,
    /// O/E by logarithm.
    LogRatio,
    /// O/E by square root.
    SqrtRatio,
}

/// A unit on a funnel's scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standardised {
    pub y: f64,
    pub s: f64,
    pub target: f64,
}

impl Standardised {
    /// Unadjusted z = (y − target)/s.
    ///
    /// # Errors
    /// s not above 0, or a number that is not finite.
    pub fn z(&self) -> Result<f64> {
        check_positive("funnel unit: standard error", &[self.s])?;
        finite_result("funnel z", (self.y - self.target) / self.s)
    }
}

impl Scale {
    /// A value on this scale.
    pub fn forward(self, value: f64) -> Result<f64> {
        check_finite("funnel value", value)?;
        match self {
            Scale::Mean => Ok(value),
            Scale::ArcsineProportion if (0.0..=1.0).contains(&value) => Ok(value.sqrt().asin()),
            Scale::ArcsineProportion => Err(StatsError::out_of_range("funnel proportion", value, "0 to 1")),
            Scale::LogRatio if value > 0.0 => Ok(value.ln()),
            Scale::LogRatio => Err(StatsError::out_of_range("funnel ratio", value, "above 0")),
            Scale::SqrtRatio if value >= 0.0 => Ok(value.sqrt()),
            Scale::SqrtRatio => Err(StatsError::out_of_range("funnel ratio", value, "at least 0")),
        }
    }

    /// Back to the natural scale, clipped to what exists there.
    ///
    /// # Errors
    /// A `y` that is not finite, or too large for the natural scale.
    pub fn back(self, y: f64) -> Result<f64> {
        let y = check_finite("funnel limit", y)?;
        let natural = match self {
            Scale::Mean => y,
            Scale::ArcsineProportion => y.clamp(0.0, std::f64::consts::FRAC_PI_2).sin().powi(2),
            Scale::LogRatio => y.exp(),
            Scale::SqrtRatio => y.max(0.0).powi(2),
        };
        finite_result("funnel limit", natural)
    }

    /// Standard error on this scale for a unit of `size`: n for proportions, E for ratios, the SE itself for means.
    pub fn standard_error(self, size: f64) -> Result<f64> {
        if !(size > 0.0 && size.is_finite()) {
            return Err(StatsError::out_of_range("funnel unit size", size, "above 0"));
        }
        Ok(match self {
            Scale::Mean => size,
            Scale::LogRatio => 1.0 / size.sqrt(),
            Scale::ArcsineProportion | Scale::SqrtRatio => 0.5 / size.sqrt(),
        })
    }

    /// A unit with `value` (mean, x/n or O/E) and `size` against `target`.
    pub fn standardise(self, value: f64, size: f64, target: f64) -> Result<Standardised> {
        Ok(Standardised {
            y: finite_result("funnel value", self.forward(value)?)?,
            s: self.standard_error(size)?,
            target: self.forward(target)?,
        })
    }
}
