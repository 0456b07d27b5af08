//! Median odds ratio, latent-scale ICC and the share of variance explained.
//!
//! # Estimand
//! MOR: the median odds ratio between two like patients in two randomly drawn units, the higher over the lower.
//! # Formula
//! MOR = exp(√(2V) Φ⁻¹(0.75)); ICC = V/(V + π²/3); explained = 1 − V_adjusted/V_raw.
//! # Source
//! K. Larsen and J. Merlo, American Journal of Epidemiology 161 (2005) 81–88; J. Merlo et al., JECH 60 (2006) 290–297.
//! # Assumptions
//! V is the between-unit variance on the logit scale, normal.
//! # Edge cases
//! V = 0 gives 1 and 0. `share_explained` may be negative and does not exist at V_raw = 0.
//! # Reference values
//! By hand, tests/variation_by_hand.rs: V = 0.5 gives exp(0.6744897501960817) = 1.96303108…; the median by integration (1e-10), and the share
//! explained by two models of glmer (1e-5): tests/reference/r_areas.rs.

use crate::error::{Result, StatsError, finite_result};

const UPPER_QUARTILE: f64 = 0.674_489_750_196_081_7;

fn check_variance(v: f64) -> Result<f64> {
    if v >= 0.0 && v.is_finite() {
        Ok(v)
    } else {
        Err(StatsError::out_of_range("between-unit variance", v, "at least 0"))
    }
}

/// Median odds ratio of a between-unit `variance` on the logit scale.
pub fn median_odds_ratio(variance: f64) -> Result<f64> {
    finite_result("median odds ratio", ((2.0 * check_variance(variance)?).sqrt() * UPPER_QUARTILE).exp())
}

/// Intraclass correlation on the latent logistic scale.
pub fn latent_icc(variance: f64) -> Result<f64> {
    let v = check_variance(variance)?;
    Ok(v / (v + std::f64::consts::PI.powi(2) / 3.0))
}

/// Share of the between-unit variance that adjustment explains.
pub fn share_explained(raw: f64, adjusted: f64) -> Result<f64> {
    if check_variance(raw)? == 0.0 {
        return Err(StatsError::Undefined { what: "share explained", reason: "no variance before adjustment" });
    }
    finite_result("share explained", 1.0 - check_variance(adjusted)? / raw)
}
