//! A grid over the variance ratios of a nested model, weighted by what the data say of them.
//!
//! # Estimand
//! ω(θ) ∝ Πθ_l·exp(−REML(θ)/2) dθ: the weights of the averaged interval, for several θ_l at once.
//! # Formula
//! A trapezoid rule in w_l = t_l/(1 + t_l), t_l = (n_l θ_l²)^¼, n_l the rows (of areas the precision) of a typical node of level l: the
//! density then vanishes like the third power at w = 0, and at w = 1 at least so with five nodes.
//! # Source
//! NIST DLMF 2.10.1 (Euler–Maclaurin): the trapezoid rule's error lies in derivatives at the ends, which vanish here.
//! # Assumptions
//! Those of the likelihood; a flat prior on each σ_l² given σ (areas: σ = 1), as for one level.
//! # Edge cases
//! Each axis is widened until its ends carry less than 10⁻⁴ of the weight or it spans the whole line.
//! # Reference values
//! `tests/case_mix_nested_shrinkage.rs`: one level against the grid of the plain random intercept; two levels against a
//! double integral in R: `tests/reference/r_dense.rs`, where values and errors are within 8e-7; areas of two and three levels
//! against integrals in R: `tests/reference/r_areas_nested.rs`, within 2e-5. In a made-up region of 165 areas and four
//! levels 17 points an axis instead of 13 move a value by 2e-3 of its standard error.

use super::nested_likelihood::NestedLikelihood;
use crate::error::{Result, StatsError};

/// Points per axis for 1, 2, 3, 4 and more levels.
const POINTS: [usize; 5] = [65, 21, 21, 13, 9];

/// Drop of the log weight, along one axis from the top, at which an axis ends at first.
const LOG_WEIGHT_DROP: f64 = 12.0;

/// Share of the weight that the end of an axis may carry.
const END_SHARE: f64 = 1e-4;

/// Points of less weight than this share of the largest are left out.
const NEGLIGIBLE: f64 = 1e-9;

const WIDENINGS_MAX: usize = 8;

/// w stays away from 0 and 1 by this much.
const MARGIN: f64 = 1e-3;

/// (ω, θ) with Σω = 1.
pub(super) fn grid(likelihood: &NestedLikelihood) -> Result<Vec<(f64, Vec<f64>)>> {
    let weight = LogWeight::of(likelihood);
    let top = weight.top()?;
    let peak = weight.at(&top)?;
    let mut ends: Vec<(f64, f64)> = (0..top.len()).map(|l| weight.ends(&top, peak, l)).collect::<Result<_>>()?;
    let count = POINTS[top.len().min(POINTS.len()) - 1];
    for _ in 0..WIDENINGS_MAX {
        let (points, marginals) = weight.tensor(&ends, count)?;
        if !widen(&mut ends, &marginals) {
            return Ok(points);
        }
    }
    weight.tensor(&ends, count).map(|(points, _)| points)
}

/// Widens the axes whose ends carry too much; tells whether any did.
fn widen(ends: &mut [(f64, f64)], marginals: &[Vec<f64>]) -> bool {
    let mut widened = false;
    for ((low, high), marginal) in ends.iter_mut().zip(marginals) {
        let by = 0.25 * (*high - *low);
        if marginal.first().is_some_and(|share| *share > END_SHARE) && *low > MARGIN {
            *low = (*low - by).max(MARGIN);
            widened = true;
        }
        if marginal.last().is_some_and(|share| *share > END_SHARE) && *high < 1.0 - MARGIN {
            *high = (*high + by).min(1.0 - MARGIN);
            widened = true;
        }
    }
    widened
}

struct LogWeight<'a> {
    likelihood: &'a NestedLikelihood,
    typical: Vec<f64>,
}

impl<'a> LogWeight<'a> {
    fn of(likelihood: &'a NestedLikelihood) -> Self {
        let typical = (0..likelihood.levels()).map(|l| likelihood.typical_rows(l)).collect();
        Self { likelihood, typical }
    }

    fn theta(&self, w: &[f64]) -> Vec<f64> {
        w.iter().zip(&self.typical).map(|(w, n)| (w / (1.0 - w)).powi(2) / n.sqrt()).collect()
    }

    /// Log of the density in w, up to a constant.
    fn at(&self, w: &[f64]) -> Result<f64> {
        let jacobian: f64 = w.iter().map(|w| 3.0 * (w / (1.0 - w)).ln() - 2.0 * (1.0 - w).ln()).sum();
        Ok(jacobian - 0.5 * self.likelihood.objective(&self.theta(w))?)
    }

    /// The highest point, one axis at a time.
    fn top(&self) -> Result<Vec<f64>> {
        let mut w = vec![0.5; self.typical.len()];
        let mut best = self.at(&w)?;
        for _ in 0..6 {
            let before = best;
            for l in 0..w.len() {
                let mut step = 0.1;
                while step > 1e-3 {
                    let mut moved = false;
                    for next in [w[l] - step, w[l] + step] {
                        let mut trial = w.clone();
                        trial[l] = next.clamp(MARGIN, 1.0 - MARGIN);
                        let value = self.at(&trial)?;
                        if value > best {
                            (w, best, moved) = (trial, value, true);
                            break;
                        }
                    }
                    if !moved {
                        step *= 0.5;
                    }
                }
            }
            if best - before < 1e-3 {
                break;
            }
        }
        Ok(w)
    }

    /// Where the log weight along axis `l` has dropped enough.
    fn ends(&self, top: &[f64], peak: f64, l: usize) -> Result<(f64, f64)> {
        let edge = |limit: f64| -> Result<f64> {
            let (mut near, mut far) = (top[l], limit);
            for _ in 0..14 {
                let middle = 0.5 * (near + far);
                let mut trial = top.to_vec();
                trial[l] = middle;
                if self.at(&trial)? > peak - LOG_WEIGHT_DROP {
                    near = middle;
                } else {
                    far = middle;
                }
            }
            Ok(far)
        };
        Ok((edge(MARGIN)?, edge(1.0 - MARGIN)?))
    }

    /// All combinations, and each axis's share of the weight per point.
    #[allow(clippy::type_complexity, reason = "weights with points, and marginals")]
    fn tensor(&self, ends: &[(f64, f64)], count: usize) -> Result<(Vec<(f64, Vec<f64>)>, Vec<Vec<f64>>)> {
        let axes = ends.len();
        let place = |l: usize, k: usize| ends[l].0 + (ends[l].1 - ends[l].0) * k as f64 / (count - 1) as f64;
        let total = count.pow(axes as u32);
        let index = |mut number: usize| -> Vec<usize> {
            (0..axes)
                .map(|_| {
                    let k = number % count;
                    number /= count;
                    k
                })
                .collect()
        };
        let mut logs = Vec::with_capacity(total);
        for number in 0..total {
            let w: Vec<f64> = index(number).into_iter().enumerate().map(|(l, k)| place(l, k)).collect();
            logs.push(self.at(&w)?);
        }
        let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if !largest.is_finite() {
            return Err(StatsError::NotConverged { what: "weights over the variance ratios", iterations: total });
        }
        let weights: Vec<f64> = logs.iter().map(|log| (log - largest).exp()).collect();
        let sum: f64 = weights.iter().filter(|weight| **weight > NEGLIGIBLE).sum();
        let mut marginals = vec![vec![0.0; count]; axes];
        let mut points = Vec::new();
        for (number, weight) in weights.into_iter().enumerate().filter(|(_, weight)| *weight > NEGLIGIBLE) {
            let at = index(number);
            for (marginal, k) in marginals.iter_mut().zip(&at) {
                marginal[*k] += weight / sum;
            }
            let w: Vec<f64> = at.into_iter().enumerate().map(|(l, k)| place(l, k)).collect();
            points.push((weight / sum, self.theta(&w)));
        }
        Ok((points, marginals))
    }
}
