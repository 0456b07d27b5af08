//! Weighted proportions, crude or case-mix adjusted, with linearised variance and score limits.
//!
//! # Estimand
//! The share of events in the reference population, had all of it been treated by unit j, from a sample in which
//! respondent i stands for w_i patients.
//! # Formula
//! As [`adjusted_proportions`](super::adjusted_proportions) with weights: δ_j solves Σw_i expit(η_i + δ) = Σw_i y_i.
//! U = Σw_i(y_i − p_i) has the linearised variance of [`score_variance`] over sampling strata; S_j = (Σ_ref wp(1 − p)/Σw)²
//! Var(U)/(Σw_i p_i(1 − p_i))². Limits: roots in δ of (Σw(y − p))² = z² D Σw²p(1 − p), D = Var(U)/Σw²p(1 − p) at δ̂. Without
//! adjusters: p̂ = Σwy/Σw, and the interval belongs to a binomial of n* = p̂(1 − p̂)/S_j answers.
//! # Source
//! Särndal, Swensson, Wretman (1992) Model Assisted Survey Sampling, section 5.7; Binder (1983) International
//! Statistical Review 51:279–292 (estimating functions); Korn, Graubard (1998) Survey Methodology 24:193–201 (n*).
//! # Assumptions
//! β̂ is given and unweighted: a sampling weight is no precision weight.
//! # Edge cases
//! Fewer than [`ROBUST_FROM`] rows, or all or none with the event: Var(U) is the model's, and D what a finite population leaves of
//! it. n = 0 gives no value.
//! # Reference values
//! `tests/binary_weighted.rs`: equal weights give the unweighted kernels; by hand. R's svyglm:
//! `tests/reference/r_standardised.rs` (1e-9).

use std::collections::{BTreeMap, BTreeSet};

use super::counts::BinaryTable;
use super::logistic::{LogisticFit, excess_events, unit_effect};
use super::proportion::{Standard, simple_sample};
use super::{ReferencePopulation, expit, expit_variance};
use crate::case_mix::{ROBUST_FROM, root_from};
use crate::distributions::normal;
use crate::error::{Result, StatsError, check_length, check_positive, finite_result};
use crate::weights::{Margin, Scored, score_variance};
use rayon::prelude::*;

/// The respondents: cells of a table whose rows carry one weight each.
#[derive(Debug, Clone, Copy)]
pub struct WeightedCells<'a> {
    /// Answers per cell and pattern of adjusters.
    pub table: &'a BinaryTable,
    /// Weight of every respondent in a cell.
    pub weights: &'a [f64],
    /// Sampling stratum of a cell.
    pub strata: &'a [u32],
    /// Respondents by stratum who are in no cell, since how many of a stratum are asked about is chance; empty where all are.
    pub outside: &'a [u64],
    /// 1 − f_h by stratum; `None` without a finite-population correction.
    pub correction: Option<&'a [f64]>,
    /// Margins that the weights were adjusted to, by cell; within a block no other respondents matter.
    pub calibration: Option<&'a CellCalibration>,
}

/// Margins over cells.
#[derive(Debug, Clone, PartialEq)]
pub struct CellCalibration {
    /// The unit within which a cell's weights were adjusted.
    pub block: Vec<u32>,
    /// One list a margin: the margin's category of every cell, counted from 0 over all blocks.
    pub categories: Vec<Vec<usize>>,
}

/// A weighted proportion of one unit.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightedProportion {
    pub n: u64,
    pub events: u64,
    /// Kish's effective number of respondents.
    pub n_effective: f64,
    /// Σw: what the unit counts for.
    pub weight: f64,
    /// Σwy/Σw.
    pub crude: f64,
    pub value: f64,
    /// δ_j on the scale of the fit's centred predictor, where the fit adjusts; −∞ or ∞ where nobody or everybody has the event.
    pub offset: Option<f64>,
    /// Limits where the fit adjusts; the caller's interval on `binomial_n` answers where it does not.
    pub limits: Option<(f64, f64)>,
    /// n*: the answers of a simple sample with the same variance of the crude share.
    pub binomial_n: f64,
    /// The same for the value.
    pub value_n: f64,
    pub sampling_variance: f64,
    pub gradient: Vec<f64>,
    pub variance: f64,
}

/// All respondents with their weights, as the reference population.
pub fn weighted_reference(cells: &WeightedCells<'_>) -> Result<ReferencePopulation> {
    let table = cells.table;
    check_length("weights of cells", table.units(), cells.weights.len())?;
    let mut weights = vec![0.0; table.patterns()];
    for unit in 0..table.units() {
        for cell in table.cells(unit) {
            weights[cell.pattern as usize] += cells.weights[unit] * cell.trials as f64;
        }
    }
    let rows = (0..table.patterns()).flat_map(|pattern| table.pattern(pattern).to_vec()).collect();
    ReferencePopulation::new(table.adjusters(), rows, weights)
}

/// Proportions of the groups that cells belong to (`group[cell]`, of `groups`); `None` for groups without respondents.
/// Without a fit nothing is adjusted and the reference does not matter.
///
/// # Errors
/// Shapes that do not fit, weights not above 0, a level outside (0, 1), limits that cannot be found.
pub fn weighted_proportions(
    fit: Option<&LogisticFit>,
    cells: &WeightedCells<'_>,
    (group, groups): (&[Option<u32>], usize),
    reference: &ReferencePopulation,
    level: f64,
) -> Result<Vec<Option<WeightedProportion>>> {
    let table = cells.table;
    check_length("weights of cells", table.units(), cells.weights.len())?;
    check_length("strata of cells", table.units(), cells.strata.len())?;
    check_length("groups of cells", table.units(), group.len())?;
    check_positive("weights of cells", cells.weights)?;
    if let Some(fit) = fit {
        check_length("adjusters of the table", fit.coefficients.len(), table.adjusters())?;
        check_length("adjusters of the reference", fit.coefficients.len(), reference.adjusters())?;
    }
    if !(level > 0.0 && level < 1.0) {
        return Err(StatsError::out_of_range("level", level, "between 0 and 1, both excluded"));
    }
    let z = normal::upper_quantile(0.5 * (1.0 - level))?;
    let eta: Vec<f64> =
        (0..table.patterns()).map(|i| fit.map_or(0.0, |fit| fit.linear_predictor(table.pattern(i)))).collect();
    let standard = fit.map(|fit| Standard::new(fit, reference));
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); groups];
    for (cell, target) in group.iter().enumerate() {
        if let Some(list) = target.and_then(|target| members.get_mut(target as usize)) {
            list.push(cell);
        }
    }
    let mut stratum_sizes: BTreeMap<u32, u64> = BTreeMap::new();
    for (cell, stratum) in cells.strata.iter().enumerate() {
        let outside = || cells.outside.get(*stratum as usize).copied().unwrap_or(0);
        *stratum_sizes.entry(*stratum).or_insert_with(outside) += table.trials(cell);
    }
    let one = |members: &Vec<usize>| {
        Unit { cells, stratum_sizes: &stratum_sizes, members, eta: &eta, z }.estimate(fit.zip(standard.as_ref()))
    };
    members.par_iter().map(one).collect()
}

impl WeightedProportion {
    /// Itself, or an error where weights were so large that a sum overflowed.
    fn finite(self) -> Result<Self> {
        let numbers = [self.n_effective, self.weight, self.crude, self.value, self.binomial_n, self.sampling_variance];
        for number in numbers.into_iter().chain([self.variance]).chain(self.limits.map(|limits| limits.0 + limits.1)) {
            finite_result("weighted proportion", number)?;
        }
        Ok(self)
    }
}

struct Unit<'a> {
    cells: &'a WeightedCells<'a>,
    /// Respondents of each sampling stratum, of all units and those outside.
    stratum_sizes: &'a BTreeMap<u32, u64>,
    /// Cells of the unit.
    members: &'a [usize],
    eta: &'a [f64],
    z: f64,
}

impl Unit<'_> {
    /// (pattern, weight, trials, events) of the unit's respondents.
    fn rows(&self) -> impl Iterator<Item = (usize, f64, f64, f64)> {
        self.members.iter().flat_map(|&member| {
            let weight = self.cells.weights[member];
            let cells = self.cells.table.cells(member).iter();
            cells.map(move |cell| (cell.pattern as usize, weight, cell.trials as f64, cell.events as f64))
        })
    }

    fn estimate(&self, adjusted: Option<(&LogisticFit, &Standard<'_>)>) -> Result<Option<WeightedProportion>> {
        let (mut n, mut events) = (0u64, 0u64);
        for &member in self.members {
            n += self.cells.table.trials(member);
            events += self.cells.table.events(member);
        }
        if n == 0 {
            return Ok(None);
        }
        let (mut weight, mut squares, mut observed) = (0.0, 0.0, 0.0);
        for (_, w, trials, events) in self.rows() {
            weight += w * trials;
            squares += w * w * trials;
            observed += w * events;
        }
        let n_effective = weight * weight / squares;
        let is_mixed = events > 0 && events < n;
        let is_robust = is_mixed && n >= ROBUST_FROM;
        // Without adjusters all have the same predictor, so that δ is the logit of the share.
        let flat: Vec<(f64, f64)> =
            self.rows().map(|(pattern, w, trials, _)| (self.eta[pattern], w * trials)).collect();
        let failed = || StatsError::NotConverged { what: "a weighted proportion's offset", iterations: 0 };
        let offset = match events {
            0 => f64::NEG_INFINITY,
            o if o == n => f64::INFINITY,
            _ => unit_effect(&flat, observed, None).ok_or_else(failed)?,
        };
        let crude = (observed / weight).clamp(0.0, 1.0);
        let model_variance = |delta: f64| -> f64 {
            self.rows().map(|(pattern, w, trials, _)| w * w * trials * expit_variance(self.eta[pattern] + delta)).sum()
        };
        let (score, ratio) = if is_robust {
            let model = model_variance(offset);
            let linearised = self.linearised_variance(offset)?;
            (linearised, (linearised / model).max(RATIO_MIN))
        } else {
            let ratio =
                self.share_left(|pattern| if is_mixed { expit_variance(self.eta[pattern] + offset) } else { 1.0 });
            (if is_mixed { ratio * model_variance(offset) } else { 0.0 }, ratio)
        };
        let crude_variance = if is_robust && adjusted.is_some() {
            self.linearised_crude_variance(crude)? / (weight * weight)
        } else if is_robust {
            score / (weight * weight)
        } else {
            crude * (1.0 - crude) / n_effective * self.share_left(|_| 1.0)
        };
        // In a census there is no variance, and as many answers as one likes.
        let binomial = crude * (1.0 - crude);
        let binomial_n = if is_mixed {
            binomial / crude_variance.max(RATIO_MIN * binomial / n_effective)
        } else {
            n_effective / self.share_left(|_| 1.0)
        };
        let mut result = WeightedProportion {
            n,
            events,
            n_effective,
            weight,
            crude,
            value: crude,
            offset: None,
            limits: None,
            binomial_n,
            value_n: binomial_n,
            sampling_variance: crude_variance,
            gradient: Vec::new(),
            variance: crude_variance,
        };
        let Some((fit, standard)) = adjusted else { return result.finite().map(Some) };
        let limit = |sign: f64| -> Option<f64> {
            let value = |delta: f64| {
                let (difference, _) = excess_events(&flat, observed, weight, delta);
                difference + sign * self.z * (ratio * model_variance(delta)).sqrt()
            };
            let (start, step) = if offset.is_finite() {
                let information = excess_events(&flat, observed, weight, offset).1;
                (offset, (0.5 * self.z * score.sqrt() / information).clamp(1e-9, 1.0))
            } else {
                // From an infinite offset the walk starts where fewer than e⁻⁴⁰ events are expected (or missing).
                let extreme = flat.iter().map(|c| sign * c.0).fold(f64::NEG_INFINITY, f64::max);
                (-sign * (extreme + weight.ln() + 40.0), 0.5)
            };
            root_from(value, start, sign * step, start + sign * 4e3)
        };
        let lower = if events == 0 { 0.0 } else { standard.value(limit(-1.0).ok_or_else(failed)?) };
        let upper = if events == n { 1.0 } else { standard.value(limit(1.0).ok_or_else(failed)?) };
        result.value = standard.value(offset);
        result.offset = Some(offset);
        result.limits = Some((lower, upper));
        let p = fit.coefficients.len();
        result.gradient = vec![0.0; p];
        result.sampling_variance = if offset.is_finite() {
            let information = excess_events(&flat, observed, weight, offset).1;
            let mut mean = vec![0.0; p];
            for (pattern, w, trials, _) in self.rows() {
                let share = w * trials * expit_variance(self.eta[pattern] + offset) / information;
                for (m, x) in mean.iter_mut().zip(self.cells.table.pattern(pattern)) {
                    *m += share * x;
                }
            }
            let slope = standard.gradient(offset, &mean, &mut result.gradient);
            (slope / information).powi(2) * score
        } else {
            ((upper - lower) / (2.0 * self.z)).powi(2)
        };
        let floored = result.sampling_variance.max(RATIO_MIN * result.value * (1.0 - result.value) / n_effective);
        result.value_n = simple_sample((result.value, floored), (lower, upper), self.z);
        let from_fit = fit.covariance.quadratic(&result.gradient).max(0.0);
        result.variance = result.sampling_variance + from_fit;
        result.finite().map(Some)
    }

    /// What a finite population leaves of Σw²v over the respondents, v by their pattern: 1 without a correction.
    fn share_left(&self, variance: impl Fn(usize) -> f64) -> f64 {
        let Some(correction) = self.cells.correction else { return 1.0 };
        let (mut left, mut all) = (0.0, 0.0);
        for &member in self.members {
            let of_stratum = correction.get(self.cells.strata[member] as usize).copied().unwrap_or(1.0);
            for cell in self.cells.table.cells(member) {
                let own = self.cells.weights[member].powi(2) * cell.trials as f64 * variance(cell.pattern as usize);
                all += own;
                left += of_stratum.clamp(0.0, 1.0) * own;
            }
        }
        (left / all).max(RATIO_MIN)
    }

    /// Var(Σw(y − p)) with p at `offset`.
    fn linearised_variance(&self, offset: f64) -> Result<f64> {
        self.variance_about(|pattern| expit(self.eta[pattern] + offset))
    }

    fn linearised_crude_variance(&self, crude: f64) -> Result<f64> {
        self.variance_about(|_| crude)
    }

    fn variance_about(&self, expected: impl Fn(usize) -> f64) -> Result<f64> {
        let (mut scores, mut weights, mut counts, mut strata) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut owner: Vec<usize> = Vec::new();
        let own: BTreeSet<usize> = self.members.iter().copied().collect();
        for cell in self.involved(&own) {
            for part in self.cells.table.cells(cell) {
                let p = expected(part.pattern as usize);
                for (count, y) in [(part.events, 1.0), (part.trials - part.events, 0.0)] {
                    if count > 0 {
                        scores.push(if own.contains(&cell) { y - p } else { 0.0 });
                        weights.push(self.cells.weights[cell]);
                        counts.push(count as f64);
                        strata.push(self.cells.strata[cell]);
                        owner.push(cell);
                    }
                }
            }
        }
        if self.cells.calibration.is_none() {
            // Respondents of a stratum who are in other units: how many the unit has of it is chance too.
            let mut inside: BTreeMap<u32, u64> = BTreeMap::new();
            for &cell in self.members {
                *inside.entry(self.cells.strata[cell]).or_default() += self.cells.table.trials(cell);
            }
            for (stratum, n) in inside {
                let outside = self.stratum_sizes.get(&stratum).map_or(0, |all| all - n);
                if outside > 0 {
                    scores.push(0.0);
                    weights.push(1.0);
                    counts.push(outside as f64);
                    strata.push(stratum);
                }
            }
        }
        let margins: Vec<Margin> = match self.cells.calibration {
            None => Vec::new(),
            Some(calibration) => calibration.categories.iter().map(|of| compact(&owner, of)).collect(),
        };
        let rows = Scored { scores: &scores, weights: &weights, counts: Some(&counts), strata: &strata };
        score_variance(&rows, self.cells.correction, &margins)
    }

    /// The unit's cells, and all that share a block of the calibration with them.
    fn involved(&self, own: &BTreeSet<usize>) -> Vec<usize> {
        let Some(calibration) = self.cells.calibration else { return own.iter().copied().collect() };
        let blocks: BTreeSet<u32> = own.iter().map(|cell| calibration.block[*cell]).collect();
        (0..self.cells.table.units()).filter(|cell| blocks.contains(&calibration.block[*cell])).collect()
    }
}

/// The categories of some rows, numbered without gaps. Totals do not enter residuals.
fn compact(owner: &[usize], categories: &[usize]) -> Margin {
    let present: BTreeSet<usize> = owner.iter().map(|cell| categories[*cell]).collect();
    let rank: BTreeMap<usize, usize> = present.iter().enumerate().map(|(i, c)| (*c, i)).collect();
    Margin {
        cells: owner.iter().map(|cell| rank.get(&categories[*cell]).copied().unwrap_or(0)).collect(),
        totals: vec![0.0; present.len()],
    }
}

/// A census leaves no sampling variance; limits still need a step to walk.
const RATIO_MIN: f64 = 1e-9;
