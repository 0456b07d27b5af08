//! Case-mix adjusted proportions with score limits.
//!
//! # Estimand
//! The share of events in the reference population, had all of it been treated by unit j.
//! # Formula
//! η_i = (x_i − c)'β̂; δ_j solves Σexpit(η_i + δ) = O_j; value = mean over the reference of expit(η + δ_j). Limits: the
//! roots in δ of (O_j − Σp_i(δ))² = z²Σp_i(δ)(1 − p_i(δ)), mapped the same way; Wilson's limits when there are no adjusters.
//! Sampling variance (Σ_ref wp(1 − p)/Σw)²/Σ_i p_i(1 − p_i); what β̂ adds is g'V(β̂)g, g = Σ_ref wp(1 − p)(x − x̃_j)/Σw.
//! # Source
//! Rao (1948) Proceedings of the Cambridge Philosophical Society 44:50–57 (score test); Wilson (1927) Journal of
//! the American Statistical Association 22:209–212; Lane, Nelder (1982) Biometrics 38:613–621 (standardised means).
//! # Assumptions
//! β̂ as known in the limits; independent answers.
//! # Edge cases
//! O = 0 gives value 0 and lower limit 0, O = n value 1 and upper limit 1; there the sampling variance is that
//! of the limits, ((upper − lower)/2z)², and `value_n` that of Wilson's limits; g = 0. n = 0 gives no value.
//! # Reference values
//! `tests/binary_proportion.rs`: Wilson to 1e-12, and by hand; predictions of R's glm, errors of its covariance and
//! limits by uniroot, of units and of a higher level: `tests/reference/r_standardised.rs` (1e-9).

use super::counts::{BinaryTable, ReferencePopulation};
use super::logistic::{LogisticFit, excess_events, unit_effect};
use super::{expit, expit_variance};
use crate::case_mix::root_from;
use crate::distributions::normal;
use crate::error::{Result, StatsError, check_length};
use rayon::prelude::*;

/// The adjusted proportion of one unit.
#[derive(Debug, Clone, PartialEq)]
pub struct AdjustedProportion {
    /// n_j.
    pub n: u64,
    /// O_j.
    pub events: u64,
    /// O_j/n_j.
    pub crude: f64,
    pub value: f64,
    pub lower: f64,
    pub upper: f64,
    /// δ_j on the scale of the fit's centred predictor; −∞ or ∞ for O = 0 or n.
    pub offset: f64,
    /// The answers of a simple sample in which the value would have the same sampling variance.
    pub value_n: f64,
    /// The part of the variance that is the unit's own.
    pub sampling_variance: f64,
    /// g: the derivative of the value by β.
    pub gradient: Vec<f64>,
    /// Sampling variance + g'V(β̂)g.
    pub variance: f64,
}

/// Adjusted proportions of the units in `table`, of the fit's level or any other. `None` for units without rows.
///
/// # Errors
/// Shapes that do not fit, an empty reference, a level outside (0, 1), limits that cannot be found.
pub fn adjusted_proportions(
    fit: &LogisticFit,
    table: &BinaryTable,
    reference: &ReferencePopulation,
    level: f64,
) -> Result<Vec<Option<AdjustedProportion>>> {
    check_length("adjusters of the table", fit.coefficients.len(), table.adjusters())?;
    check_length("adjusters of the reference", fit.coefficients.len(), reference.adjusters())?;
    reference.check()?;
    if !(level > 0.0 && level < 1.0) {
        return Err(StatsError::out_of_range("level", level, "between 0 and 1, both excluded"));
    }
    let z = normal::upper_quantile(0.5 * (1.0 - level))?;
    let eta: Vec<f64> = (0..table.patterns()).map(|i| fit.linear_predictor(table.pattern(i))).collect();
    let standard = Standard::new(fit, reference);
    (0..table.units()).into_par_iter().map(|j| one_unit(fit, table, j, &eta, &standard, z)).collect()
}

/// The reference population on the scale of the predictor; weights sum to 1.
pub(super) struct Standard<'a> {
    population: &'a ReferencePopulation,
    eta: Vec<f64>,
    weights: Vec<f64>,
}

impl<'a> Standard<'a> {
    pub(super) fn new(fit: &LogisticFit, population: &'a ReferencePopulation) -> Self {
        let total: f64 = population.weights().iter().sum();
        Standard {
            population,
            eta: (0..population.weights().len()).map(|i| fit.linear_predictor(population.row(i))).collect(),
            weights: population.weights().iter().map(|w| w / total).collect(),
        }
    }

    pub(super) fn value(&self, delta: f64) -> f64 {
        if delta.is_infinite() {
            // Weights that sum to 1 only nearly do not turn everybody into nearly everybody.
            return if delta > 0.0 { 1.0 } else { 0.0 };
        }
        let sum: f64 = self.eta.iter().zip(&self.weights).map(|(e, w)| w * expit(e + delta)).sum();
        sum.clamp(0.0, 1.0)
    }

    /// Σ_ref wp(1 − p) at `delta`, and into `gradient` Σ_ref wp(1 − p)(x − `mean`).
    pub(super) fn gradient(&self, delta: f64, mean: &[f64], gradient: &mut [f64]) -> f64 {
        let mut slope = 0.0;
        for (i, (e, w)) in self.eta.iter().zip(&self.weights).enumerate() {
            let v = w * expit_variance(e + delta);
            slope += v;
            for ((g, x), m) in gradient.iter_mut().zip(self.population.row(i)).zip(mean) {
                *g += v * (x - m);
            }
        }
        slope
    }
}

fn one_unit(
    fit: &LogisticFit,
    table: &BinaryTable,
    j: usize,
    eta: &[f64],
    standard: &Standard<'_>,
    z: f64,
) -> Result<Option<AdjustedProportion>> {
    let (n, events) = (table.trials(j), table.events(j));
    if n == 0 {
        return Ok(None);
    }
    let cells: Vec<(f64, f64)> = table.cells(j).iter().map(|c| (eta[c.pattern as usize], c.trials as f64)).collect();
    let (trials, observed) = (n as f64, events as f64);
    let failed = || StatsError::NotConverged { what: "score limits of an adjusted proportion", iterations: 0 };
    let offset = match events {
        0 => f64::NEG_INFINITY,
        o if o == n => f64::INFINITY,
        _ => unit_effect(&cells, observed, None).ok_or_else(failed)?,
    };
    let limit = |sign: f64| -> Option<f64> {
        let score = |delta: f64| {
            let (difference, variance) = excess_events(&cells, observed, trials, delta);
            difference + sign * z * variance.sqrt()
        };
        // From an infinite offset the walk starts where fewer than e⁻⁴⁰ events are expected (or missing).
        let start = if offset.is_finite() {
            offset
        } else {
            let extreme = cells.iter().map(|c| sign * c.0).fold(f64::NEG_INFINITY, f64::max);
            -sign * (extreme + trials.ln() + 40.0)
        };
        let step = if offset.is_finite() {
            let variance = excess_events(&cells, observed, trials, offset).1;
            (0.5 * z / variance.sqrt()).clamp(1e-9, 1.0)
        } else {
            0.5
        };
        root_from(score, start, sign * step, start + sign * 4e3)
    };
    let lower = if events == 0 { 0.0 } else { standard.value(limit(-1.0).ok_or_else(failed)?) };
    let upper = if events == n { 1.0 } else { standard.value(limit(1.0).ok_or_else(failed)?) };
    let value = standard.value(offset);
    let p = fit.coefficients.len();
    let mut gradient = vec![0.0; p];
    let sampling_variance = if offset.is_finite() {
        let own = excess_events(&cells, observed, trials, offset).1;
        let mut mean = vec![0.0; p];
        for cell in table.cells(j) {
            let w = cell.trials as f64 * expit_variance(eta[cell.pattern as usize] + offset) / own;
            for (m, x) in mean.iter_mut().zip(table.pattern(cell.pattern as usize)) {
                *m += w * x;
            }
        }
        let slope = standard.gradient(offset, &mean, &mut gradient);
        slope * slope / own
    } else {
        ((upper - lower) / (2.0 * z)).powi(2)
    };
    let variance = sampling_variance + fit.covariance.quadratic(&gradient).max(0.0);
    if ![value, lower, upper, variance].iter().all(|v| v.is_finite()) {
        return Err(StatsError::Undefined { what: "adjusted proportion", reason: "not a finite number" });
    }
    let crude = observed / trials;
    Ok(Some(AdjustedProportion {
        n,
        events,
        crude,
        value,
        lower,
        upper,
        offset,
        value_n: simple_sample((value, sampling_variance), (lower, upper), z),
        sampling_variance,
        gradient,
        variance,
    }))
}

/// n with value(1 − value)/n = variance; for values of 0 and 1 that of Wilson's other limit, z²/(n + z²) from the value.
pub(super) fn simple_sample((value, variance): (f64, f64), (lower, upper): (f64, f64), z: f64) -> f64 {
    match value {
        _ if lower <= 0.0 && value <= 0.0 => z * z * (1.0 - upper) / upper,
        _ if upper >= 1.0 && value >= 1.0 => z * z * lower / (1.0 - lower),
        _ => value * (1.0 - value) / variance,
    }
}
