//! Case-mix adjusted means of units with their variance and interval.
//!
//! # Estimand
//! The mean that unit j would have had with the reference mix of adjusters x̄.
//! # Formula
//! a_j = ȳ_j − (x̄_j − x̄)'β̂; V_j = S_j + (x̄_j − x̄)'V(β̂)(x̄_j − x̄). S_j = s²/n_j with t on N − J − p degrees of
//! freedom, or from n_j ≥ [`ROBUST_FROM`] the robust Σe²/(n_j(n_j − 1)) with t on n_j − 1. With design weights ȳ_j and x̄_j are
//! weighted, robust S_j = n/(n − 1)·Σw²e²/(Σw)² and pooled S_j = s²Σw²/(Σw)². Strata h with population shares combine as
//! a_u = ΣN_h a_h/ΣN_h, S_u = ΣN_h²S_h/(ΣN_h)².
//! # Source
//! Searle (1971) Linear Models, chapter 8 (adjusted means); Särndal, Swensson, Wretman (1992) Model Assisted
//! Survey Sampling, section 5.7 (linearised variance of a weighted mean); Cochran (1977) Sampling Techniques,
//! chapter 5 (strata).
//! # Assumptions
//! β̂ comes from variation within units, so that it does not correlate with ȳ_j.
//! # Edge cases
//! n_j = 0 gives no value. A unit whose residuals do not vary keeps the pooled S_j: a variance of 0 would be
//! a claim that no sample supports.
//! # Reference values
//! `tests/case_mix_within.rs`: by hand; `tests/reference/case_mix.rs`: R's unit dummies (mixed/); strata, whole and in
//! part: survey and Welch's t test in `tests/reference/r_groups.rs` (1e-10).

use super::moments::UnitMoments;
use crate::distributions::{normal, student_t};
use crate::error::{Result, StatsError, check_all_finite, check_length, finite_result};
use crate::interval::Level;
use crate::linear_algebra::{Matrix, dot};

/// Rows from which a unit's own residual variance replaces the pooled one (methods, section 2.2).
pub const ROBUST_FROM: u64 = 30;

/// Where S_j comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SamplingVariance {
    /// s²/n_j from all units.
    Pooled,
    /// The unit's own residuals about its own mean.
    Robust,
}

/// Choices for [`AdjustedMean`].
#[derive(Debug, Clone, PartialEq)]
pub struct AdjustedMeanOptions {
    /// Coverage of the interval, inside (0, 1).
    pub level: f64,
    /// Rows from which S_j is robust; `u64::MAX` keeps it pooled.
    pub robust_from: u64,
}

impl Default for AdjustedMeanOptions {
    fn default() -> Self {
        AdjustedMeanOptions { level: 0.95, robust_from: ROBUST_FROM }
    }
}

impl AdjustedMeanOptions {
    pub(super) fn check(&self) -> Result<()> {
        check_level(self.level)
    }
}

pub(super) fn check_level(level: f64) -> Result<()> {
    if level > 0.0 && level < 1.0 {
        Ok(())
    } else {
        Err(StatsError::out_of_range("level", level, "between 0 and 1, both excluded"))
    }
}

/// Quantile of t (normal for infinite degrees of freedom) that leaves (1 − level)/2 above.
pub fn critical_value(level: f64, degrees_of_freedom: f64) -> Result<f64> {
    let upper = 0.5 * Level::new(level)?.alpha();
    let quantile = if degrees_of_freedom == f64::INFINITY {
        normal::upper_quantile(upper)
    } else {
        student_t::upper_quantile(upper, degrees_of_freedom)
    };
    finite_result("critical value", quantile?)
}

/// The adjusted mean of one unit.
#[derive(Debug, Clone, PartialEq)]
pub struct AdjustedMean {
    /// Rows n_j.
    pub n: u64,
    /// Kish's effective rows; n without weights.
    pub n_effective: f64,
    /// ȳ_j, weighted when rows are.
    pub crude: f64,
    /// a_j.
    pub value: f64,
    /// S_j: the part that is the unit's own.
    pub sampling_variance: f64,
    /// V_j: S_j and the part that comes with β̂.
    pub variance: f64,
    /// √V_j.
    pub standard_error: f64,
    /// Degrees of freedom of the interval.
    pub degrees_of_freedom: f64,
    pub lower: f64,
    pub upper: f64,
    pub source: SamplingVariance,
    /// x̄_j, weighted when rows are: what a comparison needs beside V(β̂).
    pub mean_adjusters: Vec<f64>,
}

impl AdjustedMean {
    /// The same value with another sampling variance S_j on `degrees_of_freedom`: the finite-population correction, or the
    /// linearised variance under weights that were adjusted to margins.
    ///
    /// # Errors
    /// When S_j is negative or not finite, or `level` lies outside (0, 1).
    pub fn with_sampling_variance(&self, s: f64, degrees_of_freedom: f64, level: f64) -> Result<AdjustedMean> {
        check_level(level)?;
        crate::error::check_non_negative("sampling variance", &[s])?;
        let variance = (self.variance - self.sampling_variance + s).max(s);
        let standard_error = variance.sqrt();
        let half = critical_value(level, degrees_of_freedom)? * standard_error;
        Ok(AdjustedMean {
            sampling_variance: s,
            variance,
            standard_error,
            degrees_of_freedom,
            lower: self.value - half,
            upper: self.value + half,
            ..self.clone()
        })
    }
}

/// What an adjusted mean needs to know of a unit's rows.
pub(super) struct Summary {
    pub n: u64,
    pub n_effective: f64,
    /// ȳ_j and x̄_j, weighted when rows are.
    pub crude: f64,
    pub mean_adjusters: Vec<f64>,
    /// Σw²(e − ē)²/(Σw)², e = y − x'β.
    pub residual: f64,
}

impl Summary {
    fn of(moments: &UnitMoments, j: usize, beta: &[f64]) -> Result<Self> {
        let total = moments.weight_sum(j);
        Ok(Summary {
            n: moments.count(j),
            n_effective: moments.effective_rows(j),
            crude: moments.weighted_mean_y(j),
            mean_adjusters: moments.weighted_mean_x(j).to_vec(),
            residual: moments.weighted_residual_sum_of_squares(j, beta)? / (total * total),
        })
    }
}

/// One unit's adjusted mean; `beta_variance` maps x̄_j − x̄ to what β̂ adds to S_j.
pub(super) fn adjusted_mean(
    moments: &UnitMoments,
    j: usize,
    beta: &[f64],
    reference: &[f64],
    options: &AdjustedMeanOptions,
    pooled: (f64, f64),
    beta_variance: impl Fn(&[f64]) -> f64,
) -> Result<Option<AdjustedMean>> {
    if moments.count(j) == 0 {
        return Ok(None);
    }
    from_summary(Summary::of(moments, j, beta)?, beta, reference, options, pooled, beta_variance).map(Some)
}

/// As [`adjusted_mean`], from a summary with at least one row.
pub(super) fn from_summary(
    summary: Summary,
    beta: &[f64],
    reference: &[f64],
    options: &AdjustedMeanOptions,
    (s2, pooled_df): (f64, f64),
    beta_variance: impl Fn(&[f64]) -> f64,
) -> Result<AdjustedMean> {
    let Summary { n, n_effective, crude, mean_adjusters, residual } = summary;
    let difference: Vec<f64> = mean_adjusters.iter().zip(reference).map(|(a, b)| a - b).collect();
    let value = finite_result("adjusted mean", crude - dot(&difference, beta))?;
    let pooled = s2 / n_effective;
    let rows = n as f64;
    let robust = (n >= options.robust_from.max(2)).then(|| residual * (rows / (rows - 1.0)));
    // Rounding of products that cancel leaves about 1e-14 of the pooled figure, never more.
    let (sampling_variance, degrees_of_freedom, source) = match robust {
        Some(v) if v > 1e-12 * pooled => (v, rows - 1.0, SamplingVariance::Robust),
        _ => (pooled, pooled_df, SamplingVariance::Pooled),
    };
    let variance = finite_result("variance of an adjusted mean", sampling_variance + beta_variance(&difference))?;
    let standard_error = variance.max(0.0).sqrt();
    let half = critical_value(options.level, degrees_of_freedom)? * standard_error;
    Ok(AdjustedMean {
        n,
        n_effective,
        crude,
        value,
        sampling_variance,
        variance,
        standard_error,
        degrees_of_freedom,
        lower: value - half,
        upper: value + half,
        source,
        mean_adjusters,
    })
}

/// What a unit has of one sampling stratum.
#[derive(Debug, Clone, Copy)]
pub struct StratumPart<'a> {
    /// Patients it stands for: N_h, or, of a unit that has only a part of the stratum, that part by the weights.
    pub population: f64,
    /// a_h of the unit's respondents in the stratum.
    pub mean: &'a AdjustedMean,
    /// n_h: respondents of the whole stratum, in other units too.
    pub respondents: u64,
    /// 1 − f_h; 1 without a finite-population correction.
    pub left: f64,
}

/// The adjusted mean of a unit made of strata: ΣN_h a_h/ΣN_h, so that quotas do not decide it.
///
/// `covariance` is V(β̂), which the strata share, and `reference` x̄. S = Σ s_h²(1 − f_h)[S_h + n_h/(n_h − 1) (1/m_h − 1/n_h)(a_h − a)²],
/// s_h the shares: where a unit has m_h of a stratum's n_h respondents, how many it has is chance too (Särndal, Swensson, Wretman 1992,
/// section 10.3). Degrees of freedom follow Satterthwaite over the strata.
///
/// # Errors
/// No parts, a population or correction out of range, fewer respondents in a stratum than in the unit's part of it, or a shape
/// that does not fit.
pub fn combine_strata(
    parts: &[StratumPart<'_>],
    covariance: &Matrix,
    reference: &[f64],
    level: f64,
) -> Result<AdjustedMean> {
    check_level(level)?;
    if parts.is_empty() {
        return Err(StatsError::Empty { what: "strata" });
    }
    let populations: Vec<f64> = parts.iter().map(|part| part.population).collect();
    crate::error::check_positive("stratum population", &populations)?;
    check_all_finite("reference adjusters", reference)?;
    check_length("covariance of the coefficients", reference.len(), covariance.rows())?;
    let total: f64 = populations.iter().sum();
    // From the first part on, so that equal parts combine to themselves, to the last bit.
    let first = parts[0].mean;
    let mut mean_adjusters = first.mean_adjusters.clone();
    let (mut value, mut crude, mut n) = (first.value, first.crude, 0u64);
    for part in parts {
        let mean = part.mean;
        check_length("adjusters of a stratum", reference.len(), mean.mean_adjusters.len())?;
        if part.respondents < mean.n {
            let found = part.respondents as f64;
            return Err(StatsError::out_of_range("respondents of a stratum", found, "at least those of its part"));
        }
        if !(0.0..=1.0).contains(&part.left) {
            return Err(StatsError::out_of_range("share of a stratum not drawn", part.left, "from 0 to 1"));
        }
        let share = part.population / total;
        value += share * (mean.value - first.value);
        crude += share * (mean.crude - first.crude);
        n += mean.n;
        for ((m, x), of_first) in mean_adjusters.iter_mut().zip(&mean.mean_adjusters).zip(&first.mean_adjusters) {
            *m += share * (x - of_first);
        }
    }
    let (mut s, mut spread) = (0.0, 0.0);
    for part in parts {
        let share = part.population / total;
        let own = share * share * part.left * (part.mean.sampling_variance + part.membership_variance(value));
        s += own;
        spread += own * own / part.mean.degrees_of_freedom;
    }
    let difference: Vec<f64> = mean_adjusters.iter().zip(reference).map(|(a, b)| a - b).collect();
    let variance = finite_result("variance of combined strata", s + covariance.quadratic(&difference))?;
    let degrees_of_freedom = if spread > 0.0 { s * s / spread } else { f64::INFINITY };
    let standard_error = variance.max(0.0).sqrt();
    let half = critical_value(level, degrees_of_freedom)? * standard_error;
    let robust = parts.iter().all(|part| part.mean.source == SamplingVariance::Robust);
    Ok(AdjustedMean {
        n,
        n_effective: kish(parts, total),
        crude,
        value,
        sampling_variance: s,
        variance,
        standard_error,
        degrees_of_freedom,
        lower: value - half,
        upper: value + half,
        source: if robust { SamplingVariance::Robust } else { SamplingVariance::Pooled },
        mean_adjusters,
    })
}

impl StratumPart<'_> {
    /// n/(n − 1) (1/m − 1/n)(a_h − a)²: what chance does to how much of a unit lies in the stratum; 0 where all of the stratum does.
    fn membership_variance(&self, value: f64) -> f64 {
        let (m, n) = (self.mean.n as f64, self.respondents as f64);
        if self.mean.n == self.respondents {
            0.0
        } else {
            (n / m - 1.0) / (n - 1.0) * (self.mean.value - value).powi(2)
        }
    }
}

/// (ΣN_h)²/Σ(N_h²/n_h): the effective rows of a stratified sample.
fn kish(parts: &[StratumPart<'_>], total: f64) -> f64 {
    let squares: f64 = parts.iter().map(|part| part.population.powi(2) / part.mean.n_effective).sum();
    total * total / squares
}
