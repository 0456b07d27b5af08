//! χ² test of equal relative rates.
//!
//! # Estimand
//! Whether the units' counts differ more from those expected than chance allows.
//! # Formula
//! Σ(O − E)²/E against χ² with J − 1 degrees of freedom.
//! # Source
//! P. Diehr et al., Health Services Research 24 (1990) 741–771.
//! # Assumptions
//! Independent Poisson counts, E not too small.
//! # Edge cases
//! Fewer than 2 units or E = 0 is an error.
//! # Reference values
//! tests/reference/variation.rs: variation/turp_expected.csv (1e-10; log10 p).

use super::check_observed_expected;
use crate::distributions::chi_squared;
use crate::error::{Result, finite_result};
use crate::numeric;

/// Statistic, degrees of freedom and upper-tail p.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChiSquaredTest {
    pub statistic: f64,
    pub df: f64,
    pub p: f64,
    pub method: &'static str,
}

/// Test over all units.
pub fn chi_squared_test(observed: &[f64], expected: &[f64]) -> Result<ChiSquaredTest> {
    check_observed_expected("χ² test", observed, expected, 2)?;
    let statistic =
        finite_result("χ² test", numeric::sum(observed.iter().zip(expected).map(|(o, e)| (o - e).powi(2) / e)))?;
    let df = observed.len() as f64 - 1.0;
    Ok(ChiSquaredTest { statistic, df, p: chi_squared::sf(statistic, df)?, method: "chi-squared" })
}
