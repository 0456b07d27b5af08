//! Logistic random intercept: β, the between-unit SD, and units' effects and marginal probabilities.
//!
//! # Estimand
//! β and τ in logit P = x'β + b_j, b_j ~ N(0, τ²); b_j; the probability in a reference population.
//! # Formula
//! (β̂, τ̂) maximise the [`MixedLogisticLikelihood`]: quasi-Newton (BFGS) on central differences in the metric of
//! the plain logistic fit, then Newton with the full Hessian, which also gives the standard errors. Unit j standardised:
//! Σ_k ω*_k mean_ref expit(η + τu_k), ω* the posterior weights of the nodes; all units: the same under ϕ. At its mode:
//! mean_ref expit(η + b̂_j), reliability λ_j = 1 − Var(b_j | data)/τ̂², limits at b̂_j ± z√(Var(b_j | data) + d'V(β̂)d), d = x̄_ref − λ_j x̄_j with
//! means under p(1 − p): the prediction error variance at τ̂, as of linear mixed models.
//! # Source
//! Pinheiro, Bates (1995) Journal of Computational and Graphical Statistics 4:12–35; Nocedal, Wright (2006)
//! Numerical Optimization, algorithm 6.1; Zeger, Liang, Albert (1988) Biometrics 44:1049–1060 (marginal probabilities).
//! # Assumptions
//! Normal unit effects, independent of the adjusters.
//! # Edge cases
//! τ̂ = 0 is an answer and is reported: the plain logistic fit. Constant and collinear adjusters are dropped;
//! separation as for the fit with unit effects.
//! # Reference values
//! lme4's glmer with 1 and 9 nodes: `tests/reference/binary.rs` (mixed/); with 1, 5 and 25: `tests/reference/r_models.rs`;
//! the likelihood integrated by Simpson's rule and maximised: `tests/reference/r_dense.rs`; marginal probabilities:
//! `tests/reference/r_standardised.rs`.

use super::counts::{BinaryTable, ReferencePopulation};
use super::gauss_hermite::gauss_hermite;
use super::logistic::{LogisticFit, SeparationPolicy, fit_logistic};
use super::mixed_likelihood::MixedLogisticLikelihood;
use super::{expit, expit_variance};
use crate::error::{Result, StatsError, check_all_finite, check_length, finite_result};
use crate::interval::Level;
use crate::linear_algebra::{Cholesky, Dropped, Matrix, dot, symmetric_eigen};
use crate::numeric::at_least_zero;

const MAX_ITERATIONS: usize = 200;
/// Steps of the differences, in standard errors of the plain fit.
const GRADIENT_STEP: f64 = 1e-4;
const HESSIAN_STEP: f64 = 3e-3;
/// τ below which the likelihood at 0 is looked at.
const NEAR_ZERO: f64 = 1e-2;

/// One unit's effect.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogisticEffect {
    pub n: u64,
    /// Conditional mode of b_j.
    pub mode: f64,
    /// τ²/(1 + τ²Σnp(1 − p)) at the mode.
    pub conditional_variance: f64,
}

/// A fitted logistic random intercept.
#[derive(Debug, Clone)]
pub struct LogisticRandomIntercept {
    /// Intercept, then one coefficient per adjuster in the caller's order; 0 for dropped ones.
    pub coefficients: Vec<f64>,
    pub covariance: Matrix,
    /// τ̂.
    pub between_unit_sd: f64,
    /// τ̂ = 0.
    pub boundary: bool,
    pub log_likelihood: f64,
    /// One per unit; units without rows have mode 0 and variance τ².
    pub effects: Vec<LogisticEffect>,
    pub dropped: Vec<Dropped>,
    pub iterations: usize,
    /// Newton decrement at the end, in units of log-likelihood.
    pub decrement: f64,
    /// Nodes of the quadrature; 1 is Laplace.
    pub nodes: usize,
    parameters: Vec<f64>,
    kept: Vec<usize>,
    center: Vec<f64>,
}

/// A probability in the reference population.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MarginalProbability {
    pub value: f64,
    /// Posterior SD, β and τ as known.
    pub standard_deviation: f64,
}

/// A probability in the reference population at a unit's conditional mode.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConditionalProbability {
    pub value: f64,
    /// Limits by the prediction error variance, τ as known.
    pub lower: f64,
    pub upper: f64,
    /// Share of τ² that the unit's own answers have taken away; 0 where τ̂ = 0.
    pub reliability: f64,
}

/// The objective for `table`, with the adjusters that can be estimated; the start is the plain logistic fit.
///
/// # Errors
/// As [`fit_logistic`]; an order outside 1 to 100; all outcomes alike.
pub fn mixed_logistic_likelihood(
    table: &BinaryTable,
    nodes: usize,
    policy: SeparationPolicy,
) -> Result<(MixedLogisticLikelihood<'_>, LogisticFit)> {
    let rule = gauss_hermite(nodes)?;
    let plain = fit_logistic(&table.aggregate(&vec![Some(0); table.units()], 1)?, policy)?;
    if plain.unit_effects[0].is_none() {
        return Err(StatsError::Constant { what: "binary outcomes" });
    }
    let (kept, dropped, center) = (plain.kept.clone(), plain.dropped.clone(), plain.center.clone());
    Ok((MixedLogisticLikelihood { table, rule, kept, dropped, center }, plain))
}

/// Fits the model with `nodes` quadrature nodes (1 = Laplace).
///
/// # Errors
/// As [`mixed_logistic_likelihood`]; fewer than two units with rows; no convergence.
pub fn fit_logistic_random_intercept(
    table: &BinaryTable,
    nodes: usize,
    policy: SeparationPolicy,
) -> Result<LogisticRandomIntercept> {
    let with_rows = (0..table.units()).filter(|&j| table.trials(j) > 0).count();
    if with_rows < 2 {
        return Err(StatsError::TooFew { what: "units for a random intercept", needed: 2, found: with_rows });
    }
    let (likelihood, plain) = mixed_logistic_likelihood(table, nodes, policy)?;
    let d = likelihood.kept.len() + 2;
    let metric = start_metric(table, &likelihood, &plain)?;
    let mut start: Vec<f64> = vec![plain.unit_effects[0].unwrap_or(0.0)];
    start.extend(likelihood.kept.iter().map(|&k| plain.coefficients[k]));
    let zero_slope = likelihood_at_zero(&likelihood, &start)?;
    start.push(0.3);
    let to_parameters = |psi: &[f64]| -> Vec<f64> { start.iter().zip(metric.times(psi)).map(|(s, m)| s + m).collect() };
    let loss = |psi: &[f64]| likelihood.objective(&to_parameters(psi)).map(|l| -l);
    let (mut psi, mut iterations) = bfgs(&loss, d)?;
    let mut hessian = hessian(&loss, &psi)?;
    let mut decrement = f64::INFINITY;
    for _ in 0..4 {
        let gradient = gradient(&loss, &psi)?;
        let Ok(factor) = Cholesky::new("Hessian of a logistic random intercept", &hessian) else { break };
        let step = factor.solve(&gradient);
        decrement = dot(&step, &gradient);
        psi.iter_mut().zip(&step).for_each(|(p, s)| *p -= s);
        iterations += 1;
        if decrement < 1e-14 {
            break;
        }
        hessian = self::hessian(&loss, &psi)?;
    }
    let mut parameters = to_parameters(&psi);
    parameters[d - 1] = parameters[d - 1].abs();
    let mut log_likelihood = likelihood.objective(&parameters)?;
    let mut boundary = false;
    let mut small = match Cholesky::new("Hessian of a logistic random intercept", &hessian) {
        Ok(factor) => metric.product(&factor.inverse()).product(&metric.transpose()),
        Err(e) if parameters[d - 1] > NEAR_ZERO => return Err(e),
        Err(_) => Matrix::zeros(d, d),
    };
    if parameters[d - 1] < NEAR_ZERO && zero_slope.0 >= log_likelihood - 1e-9 {
        parameters[..d - 1].copy_from_slice(&start[..d - 1]);
        parameters[d - 1] = 0.0;
        log_likelihood = zero_slope.0;
        boundary = true;
        decrement = 0.0;
        let plain_covariance = metric.product(&metric.transpose());
        small = Matrix::from_fn(d, d, |a, b| if a + 1 == d || b + 1 == d { 0.0 } else { plain_covariance[(a, b)] });
    }
    if decrement.is_nan() || decrement >= 1e-8 {
        return Err(StatsError::NotConverged { what: "logistic random intercept", iterations });
    }
    finish(table, &likelihood, parameters, &small, log_likelihood, boundary, iterations, decrement)
}

#[allow(clippy::too_many_arguments)]
fn finish(
    table: &BinaryTable,
    likelihood: &MixedLogisticLikelihood<'_>,
    parameters: Vec<f64>,
    small: &Matrix,
    log_likelihood: f64,
    boundary: bool,
    iterations: usize,
    decrement: f64,
) -> Result<LogisticRandomIntercept> {
    let (p, d) = (table.adjusters(), parameters.len());
    let map = Matrix::from_fn(p + 1, d - 1, |i, k| match (i, k) {
        (0, 0) => 1.0,
        (0, k) => -likelihood.center[likelihood.kept[k - 1]],
        (i, k) => f64::from(k > 0 && likelihood.kept[k - 1] + 1 == i),
    });
    let coefficients = map.times(&parameters[..d - 1]);
    check_all_finite("coefficients", &coefficients)?;
    let fixed = small.submatrix(&(0..d - 1).collect::<Vec<_>>());
    let tau = parameters[d - 1];
    let effects = likelihood
        .expand(&parameters)?
        .iter()
        .enumerate()
        .map(|(j, unit)| LogisticEffect {
            n: table.trials(j),
            mode: unit.as_ref().map_or(0.0, |u| tau * u.mode),
            conditional_variance: unit.as_ref().map_or(tau * tau, |u| (tau * u.spread).powi(2)),
        })
        .collect();
    Ok(LogisticRandomIntercept {
        coefficients,
        covariance: map.product(&fixed).product(&map.transpose()),
        between_unit_sd: tau,
        boundary,
        log_likelihood,
        effects,
        dropped: likelihood.dropped.clone(),
        iterations,
        decrement,
        nodes: likelihood.rule.len(),
        parameters,
        kept: likelihood.kept.clone(),
        center: likelihood.center.clone(),
    })
}

impl LogisticRandomIntercept {
    pub fn standard_errors(&self) -> Vec<f64> {
        (0..self.coefficients.len()).map(|k| at_least_zero(self.covariance[(k, k)]).sqrt()).collect()
    }

    /// Median odds ratio exp(√2·τ·z_0.75): the typical odds ratio between two random units.
    pub fn median_odds_ratio(&self) -> f64 {
        (std::f64::consts::SQRT_2 * self.between_unit_sd * 0.674_489_750_196_081_7).exp()
    }

    /// Each unit's probability in the reference population, averaged over its posterior; `table` is the fitted one. The
    /// quadrature has at least 15 nodes.
    ///
    /// # Errors
    /// Shapes that do not fit, an empty reference.
    pub fn marginal_probabilities(
        &self,
        table: &BinaryTable,
        reference: &ReferencePopulation,
    ) -> Result<Vec<MarginalProbability>> {
        check_length("units", self.effects.len(), table.units())?;
        check_length("adjusters of the table", self.center.len(), table.adjusters())?;
        let rule = gauss_hermite(self.nodes.max(15))?;
        let likelihood = MixedLogisticLikelihood {
            table,
            rule: rule.clone(),
            kept: self.kept.clone(),
            dropped: Vec::new(),
            center: self.center.clone(),
        };
        let curve = self.reference_curve(reference)?;
        let result = |unit: &Option<super::mixed_likelihood::UnitExpansion>| {
            let (mut first, mut second) = (0.0, 0.0);
            for (k, (z, w)) in rule.iter().enumerate() {
                let (u, w) = unit.as_ref().map_or((*z, *w), |e| (e.mode + e.spread * z, e.weights[k]));
                let p = curve(self.between_unit_sd * u);
                first += w * p;
                second += w * p * p;
            }
            MarginalProbability { value: first, standard_deviation: (second - first * first).max(0.0).sqrt() }
        };
        Ok(likelihood.expand(&self.parameters)?.iter().map(result).collect())
    }

    /// Each unit's probability in the reference population at its conditional mode: the mean of what lme4's `predict` gives when
    /// everybody is treated there; `table` is the fitted one. `None` for units without rows.
    ///
    /// # Errors
    /// Shapes that do not fit, an empty reference, a level outside 0 to 1, adjusters so large that a variance overflows.
    pub fn conditional_probabilities(
        &self,
        table: &BinaryTable,
        reference: &ReferencePopulation,
        level: f64,
    ) -> Result<Vec<Option<ConditionalProbability>>> {
        check_length("units", self.effects.len(), table.units())?;
        check_length("adjusters of the table", self.center.len(), table.adjusters())?;
        let z = Level::new(level)?.z()?;
        let curve = self.reference_curve(reference)?;
        let everybody = || (0..reference.weights().len()).map(|i| (reference.weights()[i], reference.row(i)));
        let variance = self.between_unit_sd.powi(2);
        let unit = |(j, effect): (usize, &LogisticEffect)| {
            if effect.n == 0 {
                return Ok(None);
            }
            let left = effect.conditional_variance;
            let reliability = if variance > 0.0 { at_least_zero(1.0 - left / variance) } else { 0.0 };
            let own = table.cells(j).iter().map(|cell| (cell.trials as f64, table.pattern(cell.pattern as usize)));
            let mut difference = self.weighted_adjusters(everybody(), effect.mode);
            for (d, x) in difference.iter_mut().zip(self.weighted_adjusters(own, effect.mode)) {
                *d -= reliability * x;
            }
            let from_fit =
                finite_result("variance of a conditional probability", self.covariance.quadratic(&difference))?;
            let half = z * (left + at_least_zero(from_fit)).sqrt();
            Ok(Some(ConditionalProbability {
                value: curve(effect.mode),
                lower: curve(effect.mode - half),
                upper: curve(effect.mode + half),
                reliability,
            }))
        };
        self.effects.iter().enumerate().map(unit).collect()
    }

    /// Mean of (1, x) over `rows` (weight and adjusters) under p(1 − p) at the unit effect `b`.
    fn weighted_adjusters<'a>(&self, rows: impl Iterator<Item = (f64, &'a [f64])>, b: f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.coefficients.len()];
        for (weight, x) in rows {
            let v = weight * expit_variance(self.coefficients[0] + dot(x, &self.coefficients[1..]) + b);
            sums[0] += v;
            sums[1..].iter_mut().zip(x).for_each(|(sum, x)| *sum += v * x);
        }
        let total = sums[0];
        sums.iter_mut().for_each(|sum| *sum /= total);
        sums
    }

    /// The probability in the reference population at b = 0, towards which units' own are pulled.
    ///
    /// # Errors
    /// Shapes that do not fit, an empty reference.
    pub fn probability_without_effect(&self, reference: &ReferencePopulation) -> Result<f64> {
        Ok(self.reference_curve(reference)?(0.0))
    }

    /// The probability in the reference population over all units: marginal, not at b = 0.
    pub fn overall_probability(&self, reference: &ReferencePopulation) -> Result<f64> {
        let curve = self.reference_curve(reference)?;
        let rule = gauss_hermite(self.nodes.max(31))?;
        Ok(rule.iter().map(|(z, w)| w * curve(self.between_unit_sd * z)).sum())
    }

    fn reference_curve<'a>(&'a self, reference: &'a ReferencePopulation) -> Result<impl Fn(f64) -> f64 + 'a> {
        check_length("adjusters of the reference", self.center.len(), reference.adjusters())?;
        reference.check()?;
        let total: f64 = reference.weights().iter().sum();
        let eta: Vec<f64> = (0..reference.weights().len())
            .map(|i| self.coefficients[0] + dot(reference.row(i), &self.coefficients[1..]))
            .collect();
        let mean = move |b: f64| -> f64 {
            eta.iter().zip(reference.weights()).map(|(e, w)| w / total * expit(e + b)).sum::<f64>()
        };
        Ok(mean)
    }
}

/// log L at τ = 0 with the plain fit's coefficients.
fn likelihood_at_zero(likelihood: &MixedLogisticLikelihood<'_>, beta: &[f64]) -> Result<(f64,)> {
    let mut parameters = beta.to_vec();
    parameters.push(0.0);
    Ok((likelihood.objective(&parameters)?,))
}

/// Square root of the plain fit's covariance of (intercept at the centre, slopes), with 0.1 for τ.
fn start_metric(table: &BinaryTable, likelihood: &MixedLogisticLikelihood<'_>, plain: &LogisticFit) -> Result<Matrix> {
    let kept = &likelihood.kept;
    let d = kept.len() + 2;
    let mut information = Matrix::zeros(d - 1, d - 1);
    let alpha = plain.unit_effects[0].unwrap_or(0.0);
    for cell in (0..table.units()).flat_map(|j| table.cells(j)) {
        let x = table.pattern(cell.pattern as usize);
        let mut row = vec![1.0];
        row.extend(kept.iter().map(|&k| x[k] - likelihood.center[k]));
        information.add_outer(cell.trials as f64 * expit_variance(plain.linear_predictor(x) + alpha), &row);
    }
    let covariance = Cholesky::new("information of a logistic fit", &information)?.inverse();
    let root = symmetric_eigen("information of a logistic fit", &covariance)?.map(|v| v.max(0.0).sqrt());
    Ok(Matrix::from_fn(d, d, |a, b| match (a + 1 == d, b + 1 == d) {
        (true, true) => 0.1,
        (false, false) => root[(a, b)],
        _ => 0.0,
    }))
}

fn gradient(loss: &impl Fn(&[f64]) -> Result<f64>, at: &[f64]) -> Result<Vec<f64>> {
    (0..at.len())
        .map(|k| {
            let mut moved = at.to_vec();
            moved[k] += GRADIENT_STEP;
            let up = loss(&moved)?;
            moved[k] = at[k] - GRADIENT_STEP;
            Ok((up - loss(&moved)?) / (2.0 * GRADIENT_STEP))
        })
        .collect()
}

fn hessian(loss: &impl Fn(&[f64]) -> Result<f64>, at: &[f64]) -> Result<Matrix> {
    let d = at.len();
    let h = HESSIAN_STEP;
    let shifted = |a: usize, da: f64, b: usize, db: f64| {
        let mut moved = at.to_vec();
        moved[a] += da;
        moved[b] += db;
        loss(&moved)
    };
    let centre = loss(at)?;
    let mut out = Matrix::zeros(d, d);
    for a in 0..d {
        out[(a, a)] = (shifted(a, h, a, 0.0)? - 2.0 * centre + shifted(a, -h, a, 0.0)?) / (h * h);
        for b in 0..a {
            let mixed = shifted(a, h, b, h)? - shifted(a, h, b, -h)? - shifted(a, -h, b, h)? + shifted(a, -h, b, -h)?;
            out[(a, b)] = mixed / (4.0 * h * h);
            out[(b, a)] = out[(a, b)];
        }
    }
    Ok(out)
}

/// Quasi-Newton from 0; the point where the gradient is small.
fn bfgs(loss: &impl Fn(&[f64]) -> Result<f64>, d: usize) -> Result<(Vec<f64>, usize)> {
    let mut at = vec![0.0; d];
    let mut value = loss(&at)?;
    let mut slope = gradient(loss, &at)?;
    let mut inverse = Matrix::identity(d);
    for iteration in 0..MAX_ITERATIONS {
        let mut step: Vec<f64> = inverse.times(&slope).iter().map(|s| -s).collect();
        let longest = step.iter().fold(0.0f64, |m, s| m.max(s.abs()));
        if longest > 5.0 {
            step.iter_mut().for_each(|s| *s *= 5.0 / longest);
        }
        let descent = dot(&step, &slope);
        if descent > -1e-10 {
            return Ok((at, iteration));
        }
        let mut factor = 1.0;
        let (next, next_value) = loop {
            let next: Vec<f64> = at.iter().zip(&step).map(|(a, s)| a + factor * s).collect();
            let v = loss(&next).unwrap_or(f64::INFINITY);
            if v <= value + 1e-4 * factor * descent || factor < 1e-8 {
                break (next, v);
            }
            factor *= 0.5;
        };
        if next_value.is_nan() || next_value >= value {
            return Ok((at, iteration));
        }
        let next_slope = gradient(loss, &next)?;
        let s: Vec<f64> = next.iter().zip(&at).map(|(a, b)| a - b).collect();
        let y: Vec<f64> = next_slope.iter().zip(&slope).map(|(a, b)| a - b).collect();
        let sy = dot(&s, &y);
        if sy > 1e-14 {
            let hy = inverse.times(&y);
            let scale = (1.0 + dot(&y, &hy) / sy) / sy;
            for a in 0..d {
                for b in 0..d {
                    inverse[(a, b)] += scale * s[a] * s[b] - (hy[a] * s[b] + s[a] * hy[b]) / sy;
                }
            }
        }
        (at, value, slope) = (next, next_value, next_slope);
    }
    Err(StatsError::NotConverged { what: "logistic random intercept", iterations: MAX_ITERATIONS })
}
