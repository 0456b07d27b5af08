//! Logistic regression with one free effect per unit.
//!
//! # Estimand
//! β in logit P(y_ij = 1) = α_j + x_ij'β.
//! # Formula
//! For each β the α_j solve Σp = O_j, which profiles them out; Newton on the profile: gradient Σ(O − np)x, information
//! Σ_jΣ np(1 − p)(x − x̃_j)(x − x̃_j)' with x̃_j the mean under np(1 − p): the Schur complement of the unit block.
//! # Source
//! McCullagh, Nelder (1989) Generalized Linear Models, section 4.4; Chamberlain (1980) Review of Economic Studies
//! 47:225–238 (the unconditional estimator; its bias is of order 1/n_j).
//! # Assumptions
//! Independent answers; one slope for all units; units of some size.
//! # Edge cases
//! Units whose outcomes are all 0 or all 1 say nothing about β and are left out of the fit by name. Constant
//! and collinear adjusters are dropped; separating ones are an error or dropped, as asked. No adjusters left: β = 0.
//! # Reference values
//! `tests/binary_logistic.rs`: by hand, a two-by-two table, and a dense fit with unit dummies; R's glm with unit
//! dummies: `tests/reference/r_models.rs` and `tests/reference/r_standardised.rs` (1e-9).

use super::counts::BinaryTable;
use super::separation::separating_columns;
use super::{expit, expit_variance};
use crate::case_mix::root_from;
use crate::error::{Result, StatsError, check_all_finite};
use crate::linear_algebra::{Cholesky, DropReason, Dropped, Matrix, dot, independent_columns};
use crate::numeric::at_least_zero;

const MAX_ITERATIONS: usize = 100;

/// Newton decrement, in units of log-likelihood, at which β no longer moves by a visible part of its standard error.
const DECREMENT: f64 = 1e-18;

/// Information on an adjuster's coefficient, in units of its range, below which it is separating: at a maximum that exists,
/// even one exceptional outcome among a billion leaves information of order 1.
const VANISHED_INFORMATION: f64 = 1e-4;

/// What to do with separating adjusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeparationPolicy {
    /// [`StatsError::Separation`].
    Refuse,
    /// Leave them out, named in `dropped`.
    Drop,
}

/// How the fit ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogisticConvergence {
    pub iterations: usize,
    /// g'H⁻¹g at the last step.
    pub decrement: f64,
    pub converged: bool,
}

/// β with unit effects.
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticFit {
    /// β̂, p values in the caller's order; 0 for dropped adjusters.
    pub coefficients: Vec<f64>,
    /// V(β̂), p × p; 0 for dropped adjusters.
    pub covariance: Matrix,
    /// α̂_j at the adjusters' centre; `None` for units that say nothing about β.
    pub unit_effects: Vec<Option<f64>>,
    /// Centre of the adjusters: mean over the rows used.
    pub center: Vec<f64>,
    pub log_likelihood: f64,
    pub kept: Vec<usize>,
    pub dropped: Vec<Dropped>,
    /// Units with rows but without events.
    pub units_all_zero: Vec<usize>,
    /// Units with rows and nothing but events.
    pub units_all_one: Vec<usize>,
    /// Rows in units that inform β.
    pub rows: u64,
    pub convergence: LogisticConvergence,
}

impl LogisticFit {
    /// (x − centre)'β̂: the linear predictor without any unit effect. NaN where a value of `x` is.
    pub fn linear_predictor(&self, x: &[f64]) -> f64 {
        x.iter().zip(&self.center).zip(&self.coefficients).map(|((x, c), b)| (x - c) * b).sum()
    }

    pub fn standard_errors(&self) -> Vec<f64> {
        (0..self.coefficients.len()).map(|k| at_least_zero(self.covariance[(k, k)]).sqrt()).collect()
    }
}

/// Fits β on the lowest units.
///
/// # Errors
/// No rows; separation under [`SeparationPolicy::Refuse`]; no convergence.
pub fn fit_logistic(table: &BinaryTable, policy: SeparationPolicy) -> Result<LogisticFit> {
    let (mut zero, mut one, mut informative, mut rows) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for j in 0..table.units() {
        let (trials, events) = (table.trials(j), table.events(j));
        match (trials, events) {
            (0, _) => {}
            (_, 0) => zero.push(j),
            (n, o) if n == o => one.push(j),
            (n, _) => {
                informative.push(j);
                rows += n;
            }
        }
    }
    if informative.is_empty() && zero.is_empty() && one.is_empty() {
        return Err(StatsError::Empty { what: "rows of a logistic fit" });
    }
    let problem = Problem::new(table, &informative);
    let (mut kept, mut dropped) = problem.independent();
    let separating = separating_columns(table, &informative, &kept);
    let drop = |kept: &mut Vec<usize>, dropped: &mut Vec<Dropped>, which: &[usize]| {
        kept.retain(|k| !which.contains(k));
        dropped.extend(which.iter().map(|&index| Dropped { index, reason: DropReason::Separated }));
    };
    if !separating.is_empty() && policy == SeparationPolicy::Refuse {
        return Err(StatsError::Separation { what: "logistic case mix" });
    }
    drop(&mut kept, &mut dropped, &separating);
    loop {
        match problem.newton(&kept)? {
            Outcome::Separated(which) => {
                if policy == SeparationPolicy::Refuse || which.is_empty() {
                    return Err(StatsError::Separation { what: "logistic case mix" });
                }
                drop(&mut kept, &mut dropped, &which);
            }
            Outcome::Fitted(state, convergence) => {
                dropped.sort_by_key(|d| d.index);
                let p = table.adjusters();
                let inverse = state.factor.inverse();
                let mut coefficients = vec![0.0; p];
                let mut covariance = Matrix::zeros(p, p);
                for (a, &ka) in kept.iter().enumerate() {
                    coefficients[ka] = state.beta[a];
                    for (b, &kb) in kept.iter().enumerate() {
                        covariance[(ka, kb)] = inverse[(a, b)];
                    }
                }
                check_all_finite("coefficients", &coefficients)?;
                let mut unit_effects = vec![None; table.units()];
                for (&j, &a) in informative.iter().zip(&state.alpha) {
                    unit_effects[j] = Some(a);
                }
                return Ok(LogisticFit {
                    coefficients,
                    covariance,
                    unit_effects,
                    center: problem.center,
                    log_likelihood: state.log_likelihood,
                    kept,
                    dropped,
                    units_all_zero: zero,
                    units_all_one: one,
                    rows,
                    convergence,
                });
            }
        }
    }
}

enum Outcome {
    Fitted(State, LogisticConvergence),
    Separated(Vec<usize>),
}

/// Everything at one β.
struct State {
    beta: Vec<f64>,
    alpha: Vec<f64>,
    log_likelihood: f64,
    gradient: Vec<f64>,
    information: Matrix,
    factor: Cholesky,
}

struct Problem<'a> {
    table: &'a BinaryTable,
    informative: &'a [usize],
    center: Vec<f64>,
    /// Patterns less the centre, row by row.
    x: Vec<f64>,
}

impl<'a> Problem<'a> {
    fn new(table: &'a BinaryTable, informative: &'a [usize]) -> Self {
        let p = table.adjusters();
        let mut center = vec![0.0; p];
        let mut total = 0.0;
        for cell in informative.iter().flat_map(|&j| table.cells(j)) {
            let n = cell.trials as f64;
            total += n;
            for (c, x) in center.iter_mut().zip(table.pattern(cell.pattern as usize)) {
                *c += n / total * (x - *c);
            }
        }
        let x = (0..table.patterns())
            .flat_map(|i| table.pattern(i).iter().zip(&center).map(|(x, c)| x - c).collect::<Vec<_>>())
            .collect();
        Problem { table, informative, center, x }
    }

    fn pattern(&self, i: u32) -> &[f64] {
        let p = self.table.adjusters();
        &self.x[i as usize * p..(i as usize + 1) * p]
    }

    /// Centred within units, rows equally weighted: which adjusters can have a coefficient.
    fn independent(&self) -> (Vec<usize>, Vec<Dropped>) {
        let p = self.table.adjusters();
        let mut cross = Matrix::zeros(p, p);
        let mut raw = vec![0.0; p];
        for &j in self.informative {
            self.add_centred(j, &(0..p).collect::<Vec<_>>(), |c| c.trials as f64, &mut cross);
            for cell in self.table.cells(j) {
                for (r, x) in raw.iter_mut().zip(self.table.pattern(cell.pattern as usize)) {
                    *r += cell.trials as f64 * x * x;
                }
            }
        }
        independent_columns(&cross, &raw)
    }

    /// Adds Σ w (x − x̃)(x − x̃)' of unit `j` over the columns `kept`.
    fn add_centred(&self, j: usize, kept: &[usize], weight: impl Fn(&super::Cell) -> f64, out: &mut Matrix) {
        let mut mean = vec![0.0; kept.len()];
        let mut total = 0.0;
        for cell in self.table.cells(j) {
            let w = weight(cell);
            total += w;
            if total > 0.0 {
                let x = self.pattern(cell.pattern);
                for (m, &k) in mean.iter_mut().zip(kept) {
                    *m += w / total * (x[k] - *m);
                }
            }
        }
        let mut difference = vec![0.0; kept.len()];
        for cell in self.table.cells(j) {
            let x = self.pattern(cell.pattern);
            for ((d, m), &k) in difference.iter_mut().zip(&mean).zip(kept) {
                *d = x[k] - m;
            }
            out.add_outer(weight(cell), &difference);
        }
    }

    /// Largest less smallest value of column `k` in the informative units.
    fn range(&self, k: usize) -> f64 {
        let values = self.informative.iter().flat_map(|&j| self.table.cells(j)).map(|c| self.pattern(c.pattern)[k]);
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        high - low
    }

    fn predictor(&self, beta: &[f64], kept: &[usize]) -> Vec<f64> {
        (0..self.table.patterns() as u32)
            .map(|i| kept.iter().zip(beta).map(|(&k, b)| self.pattern(i)[k] * b).sum())
            .collect()
    }

    /// `None` when the information is singular or a unit effect cannot be solved.
    fn state(&self, beta: Vec<f64>, kept: &[usize], start: Option<&[f64]>) -> Option<State> {
        let eta = self.predictor(&beta, kept);
        let d = kept.len();
        let mut information = Matrix::zeros(d, d);
        let mut gradient = vec![0.0; d];
        let mut log_likelihood = 0.0;
        let mut alpha = Vec::with_capacity(self.informative.len());
        for (position, &j) in self.informative.iter().enumerate() {
            let cells: Vec<(f64, f64)> =
                self.table.cells(j).iter().map(|c| (eta[c.pattern as usize], c.trials as f64)).collect();
            let a = unit_effect(&cells, self.table.events(j) as f64, start.map(|s| s[position]))?;
            for cell in self.table.cells(j) {
                let e = eta[cell.pattern as usize] + a;
                let (n, o) = (cell.trials as f64, cell.events as f64);
                log_likelihood -= o * softplus(-e) + (n - o) * softplus(e);
                // o − np, from the side that does not cancel.
                let residual = o * expit(-e) - (n - o) * expit(e);
                let x = self.pattern(cell.pattern);
                for (g, &k) in gradient.iter_mut().zip(kept) {
                    *g += residual * x[k];
                }
            }
            let weight = |c: &super::Cell| c.trials as f64 * expit_variance(eta[c.pattern as usize] + a);
            self.add_centred(j, kept, weight, &mut information);
            alpha.push(a);
        }
        let factor = Cholesky::new("information of a logistic fit", &information).ok()?;
        log_likelihood.is_finite().then_some(State { beta, alpha, log_likelihood, gradient, information, factor })
    }

    fn newton(&self, kept: &[usize]) -> Result<Outcome> {
        let singular = StatsError::Singular { what: "information of a logistic fit" };
        let mut state = self.state(vec![0.0; kept.len()], kept, None).ok_or(singular)?;
        let ranges: Vec<f64> = kept.iter().map(|&k| self.range(k)).collect();
        for iteration in 1..=MAX_ITERATIONS {
            let step = state.factor.solve(&state.gradient);
            let decrement = dot(&step, &state.gradient);
            let mut factor = 1.0;
            let next = loop {
                let beta: Vec<f64> = state.beta.iter().zip(&step).map(|(b, s)| b + factor * s).collect();
                let candidate = self.state(beta, kept, Some(&state.alpha));
                match candidate {
                    // Near the maximum the likelihood cannot tell steps apart: rounding may look like a fall.
                    Some(c) if c.log_likelihood >= state.log_likelihood - 1e-12 * state.log_likelihood.abs() => {
                        break Some(c);
                    }
                    _ if factor < 1e-6 => break None,
                    _ => factor *= 0.5,
                }
            };
            let vanished = |s: &State| -> Vec<usize> {
                let now = partial_information(s);
                let low = |(n, r): (&f64, &f64)| {
                    let information = n * r * r;
                    information.is_nan() || information < VANISHED_INFORMATION
                };
                kept.iter().zip(now.iter().zip(&ranges)).filter(|(_, pair)| low(*pair)).map(|(k, _)| *k).collect()
            };
            let Some(next) = next else {
                return Ok(Outcome::Separated(vanished(&state)));
            };
            state = next;
            let gone = vanished(&state);
            if !gone.is_empty() {
                return Ok(Outcome::Separated(gone));
            }
            if decrement <= DECREMENT {
                let convergence = LogisticConvergence { iterations: iteration, decrement, converged: true };
                return Ok(Outcome::Fitted(state, convergence));
            }
        }
        Err(StatsError::NotConverged { what: "logistic case mix", iterations: MAX_ITERATIONS })
    }
}

/// Information on each coefficient once the others are estimated: 1/(H⁻¹)_kk.
fn partial_information(state: &State) -> Vec<f64> {
    let inverse = state.factor.inverse();
    (0..state.information.rows()).map(|k| 1.0 / inverse[(k, k)]).collect()
}

fn softplus(x: f64) -> f64 {
    if x > 0.0 { x + (-x).exp().ln_1p() } else { x.exp().ln_1p() }
}

/// δ with Σ n·expit(η + δ) = O for 0 < O < Σn; `cells` are (η, n).
pub(super) fn unit_effect(cells: &[(f64, f64)], events: f64, start: Option<f64>) -> Option<f64> {
    let trials: f64 = cells.iter().map(|c| c.1).sum();
    let excess = |delta: f64| excess_events(cells, events, trials, delta).0;
    // Newton from a good start usually ends here.
    if let Some(mut at) = start {
        for _ in 0..12 {
            let (difference, variance) = excess_events(cells, events, trials, at);
            let step = difference / variance;
            if !step.is_finite() || step.abs() > 5.0 {
                break;
            }
            at += step;
            if step.abs() <= 4.0 * f64::EPSILON * at.abs().max(1.0) {
                return Some(at);
            }
        }
    }
    let typical = cells.iter().map(|c| c.0 * c.1).sum::<f64>() / trials;
    let from = (events / (trials - events)).ln() - typical;
    let direction = if excess(from) > 0.0 { 1.0 } else { -1.0 };
    root_from(excess, from, 0.25 * direction, from + 4e3 * direction)
}

/// (O − Σnp, Σnp(1 − p)) at δ, the difference taken on the side that does not cancel.
pub(super) fn excess_events(cells: &[(f64, f64)], events: f64, trials: f64, delta: f64) -> (f64, f64) {
    let (mut expected, mut complement, mut variance) = (0.0, 0.0, 0.0);
    for (eta, n) in cells {
        let e = eta + delta;
        expected += n * expit(e);
        complement += n * expit(-e);
        variance += n * expit_variance(e);
    }
    let difference = if expected <= complement { events - expected } else { complement - (trials - events) };
    (difference, variance)
}
