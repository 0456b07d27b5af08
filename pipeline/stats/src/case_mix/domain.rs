//! Adjusted means of parts of units under a β that is known already: strata such as men and women.
//!
//! # Estimand
//! The adjusted mean of the rows of a domain, with the β̂ of all rows.
//! # Formula
//! With e = y − x'β̂: a_d = ē_d + x̄'β̂, S_d from Σw²(e − ē_d)² as in [`AdjustedMean`]; only means are needed beside
//! the residuals, so memory is domains × (p + 6) and not domains × p².
//! # Source
//! Särndal, Swensson, Wretman (1992) Model Assisted Survey Sampling, sections 5.8 and 10.3 (domains).
//! # Assumptions
//! β̂ as in the fit that gave it.
//! # Edge cases
//! A domain without rows has no value. Values and weights are checked as for [`SufficientStatistics`].
//! # Reference values
//! `tests/case_mix_domain.rs`: equals the moments of the same rows.

use super::adjusted::{AdjustedMean, AdjustedMeanOptions, Summary, from_summary};
use super::sufficient::SufficientStatistics;
use crate::error::{Result, check_all_finite, check_length};
use crate::linear_algebra::{Matrix, dot};

/// A β̂ that other rows gave, and what a mean needs beside it.
#[derive(Debug, Clone, Copy)]
pub struct KnownCoefficients<'a> {
    pub coefficients: &'a [f64],
    /// V(β̂).
    pub covariance: &'a Matrix,
    /// s² and its degrees of freedom.
    pub residual_variance: f64,
    pub degrees_of_freedom: f64,
}

/// Accumulator of domains: `new`, `add`, `merge`, [`adjusted_means`](Self::adjusted_means).
#[derive(Debug, Clone)]
pub struct DomainSums {
    adjusters: usize,
    /// Moments of the residuals, without adjusters.
    residuals: SufficientStatistics,
    /// Σw per domain, and Σwx, p values a domain.
    weight: Vec<f64>,
    sums: Vec<f64>,
}

impl DomainSums {
    pub fn new(domains: usize, adjusters: usize) -> Self {
        DomainSums {
            adjusters,
            residuals: SufficientStatistics::weighted(domains, 0),
            weight: vec![0.0; domains],
            sums: vec![0.0; domains * adjusters],
        }
    }

    /// Adds rows: domain, outcome, one slice per adjuster, and a weight above 0 each.
    ///
    /// # Errors
    /// As [`SufficientStatistics::add_weighted`].
    pub fn add(
        &mut self,
        domains: &[u32],
        y: &[f64],
        x: &[&[f64]],
        weights: &[f64],
        coefficients: &[f64],
    ) -> Result<()> {
        check_length("adjuster columns", self.adjusters, x.len())?;
        check_length("coefficients", self.adjusters, coefficients.len())?;
        check_length("weights", y.len(), weights.len())?;
        let mut residuals = y.to_vec();
        for (column, beta) in x.iter().zip(coefficients) {
            check_length("adjuster", y.len(), column.len())?;
            check_all_finite("adjuster", column)?;
            residuals.iter_mut().zip(*column).for_each(|(e, x)| *e -= beta * x);
        }
        self.residuals.add_weighted(domains, &residuals, &[], weights)?;
        let p = self.adjusters;
        for (row, (domain, w)) in domains.iter().zip(weights).enumerate() {
            let domain = *domain as usize;
            self.weight[domain] += w;
            for (sum, column) in self.sums[domain * p..(domain + 1) * p].iter_mut().zip(x) {
                *sum += w * column[row];
            }
        }
        Ok(())
    }

    /// Adds the rows behind `other`.
    ///
    /// # Errors
    /// When shapes differ.
    pub fn merge(&mut self, other: &DomainSums) -> Result<()> {
        check_length("adjuster columns", self.adjusters, other.adjusters)?;
        self.residuals.merge(&other.residuals)?;
        self.weight.iter_mut().zip(&other.weight).for_each(|(a, b)| *a += b);
        self.sums.iter_mut().zip(&other.sums).for_each(|(a, b)| *a += b);
        Ok(())
    }

    /// Σw of every domain.
    pub fn weights(&self) -> &[f64] {
        &self.weight
    }

    /// Adjusted means of groups of domains: domain `d` becomes part of `parent[d]`, or of none. `None` for groups without rows.
    ///
    /// # Errors
    /// Shapes that do not fit, values that overflow, a level outside (0, 1).
    pub fn adjusted_means(
        &self,
        parent: &[Option<u32>],
        groups: usize,
        fit: &KnownCoefficients<'_>,
        reference: &[f64],
        options: &AdjustedMeanOptions,
    ) -> Result<Vec<Option<AdjustedMean>>> {
        let p = self.adjusters;
        check_length("coefficients", p, fit.coefficients.len())?;
        check_length("reference adjusters", p, reference.len())?;
        check_all_finite("reference adjusters", reference)?;
        options.check()?;
        let moments = self.residuals.clone().finish()?.aggregate(parent, groups)?;
        let (mut weight, mut sums) = (vec![0.0; groups], vec![0.0; groups * p]);
        for (domain, target) in parent.iter().enumerate() {
            let Some(target) = target.map(|target| target as usize) else { continue };
            weight[target] += self.weight[domain];
            let own = &self.sums[domain * p..(domain + 1) * p];
            sums[target * p..(target + 1) * p].iter_mut().zip(own).for_each(|(a, b)| *a += b);
        }
        (0..groups)
            .map(|j| {
                let n = moments.count(j);
                if n == 0 {
                    return Ok(None);
                }
                let mean_adjusters: Vec<f64> = sums[j * p..(j + 1) * p].iter().map(|sum| sum / weight[j]).collect();
                let total = moments.weight_sum(j);
                let summary = Summary {
                    n,
                    n_effective: moments.effective_rows(j),
                    crude: moments.weighted_mean_y(j) + dot(&mean_adjusters, fit.coefficients),
                    mean_adjusters,
                    residual: moments.weighted_residual_sum_of_squares(j, &[])? / (total * total),
                };
                let pooled = (fit.residual_variance, fit.degrees_of_freedom);
                let quadratic = |difference: &[f64]| fit.covariance.quadratic(difference);
                from_summary(summary, fit.coefficients, reference, options, pooled, quadratic).map(Some)
            })
            .collect()
    }
}
