//! Observed over expected times the overall share: the indirectly standardised proportion.
//!
//! # Estimand
//! O_j/E_j·p̄, with E_j what the unit's respondents would give at the average unit.
//! # Formula
//! p̂_i = expit((x_i − c)'β̂ + α), α such that ΣE = ΣO over all rows; E_j = Σp̂_i, Var(O_j) = Σp̂_i(1 − p̂_i); limits
//! (O_j ± z√Var(O_j))/E_j·p̄, the lower one at least 0.
//! # Source
//! Iezzoni (ed., 2013) Risk Adjustment for Measuring Health Care Outcomes; DeLong et al. (1997)
//! Statistics in Medicine 16:2645–2664.
//! # Assumptions
//! β̂ as known. The value can exceed 1, and quality leaks into E: an option, not the default.
//! # Edge cases
//! n = 0 gives no value; no events at all, or nothing but events, leave α undefined: an error.
//! # Reference values
//! By hand in `tests/binary_proportion.rs`; R's glm: `tests/reference/r_standardised.rs` (1e-9).

use super::counts::BinaryTable;
use super::logistic::{LogisticFit, unit_effect};
use super::{expit, expit_variance};
use crate::distributions::normal;
use crate::error::{Result, StatsError, check_length};

/// The ratio of one unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IndirectRatio {
    pub n: u64,
    /// O_j.
    pub observed: u64,
    /// E_j.
    pub expected: f64,
    /// Var(O_j).
    pub observed_variance: f64,
    /// O_j/E_j.
    pub ratio: f64,
    /// √Var(O_j)/E_j.
    pub ratio_standard_error: f64,
    /// ratio·p̄.
    pub value: f64,
    pub lower: f64,
    pub upper: f64,
}

/// Ratios of the units in `table`; `calibration` (usually the lowest units' table) fixes α and p̄.
pub fn indirect_ratios(
    fit: &LogisticFit,
    calibration: &BinaryTable,
    table: &BinaryTable,
    level: f64,
) -> Result<Vec<Option<IndirectRatio>>> {
    check_length("adjusters of the table", fit.coefficients.len(), table.adjusters())?;
    check_length("adjusters of the calibration table", fit.coefficients.len(), calibration.adjusters())?;
    if !(level > 0.0 && level < 1.0) {
        return Err(StatsError::out_of_range("level", level, "between 0 and 1, both excluded"));
    }
    let z = normal::upper_quantile(0.5 * (1.0 - level))?;
    let cells: Vec<(f64, f64)> = (0..calibration.units())
        .flat_map(|j| calibration.cells(j))
        .map(|c| (fit.linear_predictor(calibration.pattern(c.pattern as usize)), c.trials as f64))
        .collect();
    let total: f64 = cells.iter().map(|c| c.1).sum();
    let events = (0..calibration.units()).map(|j| calibration.events(j)).sum::<u64>() as f64;
    if events == 0.0 || events == total {
        return Err(StatsError::Constant { what: "outcomes of all units" });
    }
    let alpha = unit_effect(&cells, events, None)
        .ok_or(StatsError::NotConverged { what: "average unit effect", iterations: 0 })?;
    let overall = events / total;
    let result = |j: usize| {
        let n = table.trials(j);
        if n == 0 {
            return Ok(None);
        }
        let (mut expected, mut variance) = (0.0, 0.0);
        for cell in table.cells(j) {
            let e = fit.linear_predictor(table.pattern(cell.pattern as usize)) + alpha;
            expected += cell.trials as f64 * expit(e);
            variance += cell.trials as f64 * expit_variance(e);
        }
        let observed = table.events(j);
        let scale = overall / expected;
        if !(expected > 0.0 && scale.is_finite() && variance.is_finite()) {
            return Err(StatsError::Undefined { what: "expected events", reason: "not above 0" });
        }
        let half = z * variance.sqrt();
        Ok(Some(IndirectRatio {
            n,
            observed,
            expected,
            observed_variance: variance,
            ratio: observed as f64 / expected,
            ratio_standard_error: variance.sqrt() / expected,
            value: observed as f64 * scale,
            lower: ((observed as f64 - half) * scale).max(0.0),
            upper: (observed as f64 + half) * scale,
        }))
    };
    (0..table.units()).map(result).collect()
}
