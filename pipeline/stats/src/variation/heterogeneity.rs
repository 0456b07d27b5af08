//! Between-unit variance of values with known sampling variances.
//!
//! # Estimand
//! τ², the variance of the units' true values; its root is the between-unit SD.
//! # Formula
//! w = 1/v, Q = Σw(y − μ̂_w)². DerSimonian–Laird: τ² = max(0, (Q − (J − 1))/(Σw − Σw²/Σw)). Paule–Mandel: Σ(y − μ̂)²/(v + τ²) = J − 1.
//! REML: root of the restricted score. μ̂ with weights 1/(v + τ²).
//! # Source
//! R. DerSimonian and N. Laird, Controlled Clinical Trials 7 (1986) 177–188; R. C. Paule and J. Mandel, J. Res. NBS 87 (1982)
//! 377–385; W. Viechtbauer, JEBS 30 (2005) 261–293 (REML, I²).
//! # Assumptions
//! Independent units, v known.
//! # Edge cases
//! τ² = 0 is a legal answer. Fewer than 2 units or v = 0 is an error.
//! # Reference values
//! tests/reference/funnel.rs: funnel/mean_scores_heterogeneity.csv (1e-10; REML and Paule–Mandel 1e-8).

use crate::distributions::chi_squared;
use crate::error::{Result, StatsError, check_all_finite, check_length, check_positive, finite_result};
use crate::numeric;

/// Q test, between-unit variance and overall mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heterogeneity {
    /// Cochran's Q, its degrees of freedom and p.
    pub q: f64,
    pub df: f64,
    pub q_p: f64,
    /// Inverse-variance weighted mean without between-unit variance.
    pub fixed_mean: f64,
    pub fixed_se: f64,
    /// Between-unit variance.
    pub tau2: f64,
    /// Overall mean with weights 1/(v + τ²).
    pub mean: f64,
    pub se: f64,
    /// τ²/(τ² + typical v), 0–1.
    pub i2: f64,
    /// (τ² + typical v)/typical v.
    pub h2: f64,
    pub units: usize,
    pub method: &'static str,
}

impl Heterogeneity {
    /// Between-unit standard deviation.
    pub fn between_unit_sd(&self) -> f64 {
        self.tau2.sqrt()
    }

    /// Values shrunk towards the overall mean: μ̂ + τ²/(τ² + v)(y − μ̂).
    ///
    /// # Errors
    /// Fewer than two values, lengths that differ, variances not above 0, numbers that are not finite.
    pub fn shrunken(&self, values: &[f64], variances: &[f64]) -> Result<Vec<f64>> {
        check_inputs(values, variances)?;
        let shrink = |(y, v): (&f64, &f64)| self.mean + self.tau2 / (self.tau2 + v) * (y - self.mean);
        values.iter().zip(variances).map(|pair| finite_result("shrunken value", shrink(pair))).collect()
    }
}

fn check_inputs(values: &[f64], variances: &[f64]) -> Result<()> {
    const WHAT: &str = "between-unit variance";
    check_length(WHAT, values.len(), variances.len())?;
    check_all_finite(WHAT, values)?;
    check_positive(WHAT, variances)?;
    if values.len() < 2 {
        return Err(StatsError::TooFew { what: WHAT, needed: 2, found: values.len() });
    }
    Ok(())
}

/// (μ̂, se, Σw(y − μ̂)²) with weights 1/(v + τ²).
fn pooled(values: &[f64], variances: &[f64], tau2: f64) -> (f64, f64, f64) {
    let w = || variances.iter().map(|v| 1.0 / (v + tau2));
    let total = numeric::sum(w());
    let mean = numeric::sum(w().zip(values).map(|(w, y)| w * y)) / total;
    let q = numeric::sum(w().zip(values).map(|(w, y)| w * (y - mean).powi(2)));
    (mean, (1.0 / total).sqrt(), q)
}

/// DerSimonian and Laird's moment estimate.
pub fn dersimonian_laird(values: &[f64], variances: &[f64]) -> Result<Heterogeneity> {
    check_inputs(values, variances)?;
    let (_, _, q) = pooled(values, variances, 0.0);
    let tau2 = (q - (values.len() as f64 - 1.0)) / weight_spread(variances);
    describe(values, variances, numeric::at_least_zero(tau2), "dersimonian-laird")
}

/// Σw − Σw²/Σw, as Σw_j(Σw − w_j)/Σw with every rest summed by itself: nothing cancels when one weight dominates.
pub(crate) fn weight_spread(variances: &[f64]) -> f64 {
    let w: Vec<f64> = variances.iter().map(|v| 1.0 / v).collect();
    let total = numeric::sum(w.iter().copied());
    let mut after = vec![0.0; w.len() + 1];
    for j in (0..w.len()).rev() {
        after[j] = after[j + 1] + w[j];
    }
    let mut before = 0.0;
    numeric::sum(w.iter().enumerate().map(|(j, w)| {
        let rest = before + after[j + 1];
        before += w;
        w * (rest / total)
    }))
}

/// Paule and Mandel's estimate.
pub fn paule_mandel(values: &[f64], variances: &[f64]) -> Result<Heterogeneity> {
    check_inputs(values, variances)?;
    let df = values.len() as f64 - 1.0;
    let excess = |tau2: f64| Ok(pooled(values, variances, tau2).2 - df);
    let tau2 = root_from_zero("Paule-Mandel", values, excess)?;
    describe(values, variances, tau2, "paule-mandel")
}

/// Restricted maximum likelihood.
pub fn reml(values: &[f64], variances: &[f64]) -> Result<Heterogeneity> {
    check_inputs(values, variances)?;
    // Twice the restricted score: Σw²(y − μ̂)² − Σw + Σw²/Σw, scaled by Σw to keep its sign readable at any size.
    let score = |tau2: f64| {
        let (mean, se, _) = pooled(values, variances, tau2);
        let w = || variances.iter().map(|v| 1.0 / (v + tau2));
        let total = 1.0 / (se * se);
        let squared = numeric::sum(w().zip(values).map(|(w, y)| (w * (y - mean)).powi(2)));
        Ok((squared - total + numeric::sum(w().map(|w| w * w)) / total) / total)
    };
    let tau2 = root_from_zero("REML", values, score)?;
    describe(values, variances, tau2, "reml")
}

/// Root on τ² ≥ 0 of a function that is negative for large τ²; 0 where it is negative from the start.
fn root_from_zero(what: &'static str, values: &[f64], f: impl Fn(f64) -> Result<f64>) -> Result<f64> {
    if f(0.0)? <= 0.0 {
        return Ok(0.0);
    }
    let mut high = numeric::variance(values).max(f64::MIN_POSITIVE);
    for _ in 0..200 {
        if f(high)? < 0.0 {
            return numeric::bracketed_root(what, 0.0, high, f);
        }
        high *= 2.0;
    }
    Err(StatsError::NotConverged { what, iterations: 200 })
}

fn describe(values: &[f64], variances: &[f64], tau2: f64, method: &'static str) -> Result<Heterogeneity> {
    const WHAT: &str = "between-unit variance";
    let (fixed_mean, fixed_se, q) = pooled(values, variances, 0.0);
    let (mean, se, _) = pooled(values, variances, tau2);
    let df = values.len() as f64 - 1.0;
    let typical = df / weight_spread(variances);
    for v in [fixed_mean, fixed_se, q, mean, se, tau2, typical] {
        finite_result(WHAT, v)?;
    }
    Ok(Heterogeneity {
        q,
        df,
        q_p: chi_squared::sf(q, df)?,
        fixed_mean,
        fixed_se,
        tau2,
        mean,
        se,
        i2: tau2 / (tau2 + typical),
        h2: (tau2 + typical) / typical,
        units: values.len(),
        method,
    })
}
