//! Means, totals and ratios from a sample design, with linearised variances.
//!
//! # Estimand
//! Population total Σwy, mean Σwy/Σw, ratio Σwy/Σwx.
//! # Formula
//! Linearised values u_i: wy; w(y − ȳ)/Σw; w(y − Rx)/Σwx. V = Σ_h (1 − n_h/N_h) n_h/(n_h − 1) Σ_c (u_hc − ū_h)² over the clusters c of stratum
//! h. Design effect: V over that of a simple random sample, (1 − n/N)S²/n, S² = n/(n − 1) · Σw(y − ȳ)²/Σw.
//! # Source
//! C.-E. Särndal, B. Swensson and J. Wretman, *Model Assisted Survey Sampling* (1992), sections 5.5–5.7; T. Lumley, *Complex Surveys*
//! (2010), appendix A.
//! # Assumptions
//! Clusters drawn with replacement within strata, or the finite-population correction given.
//! # Edge cases
//! A stratum with one cluster is an error. A domain is a ratio with y and x set to 0 outside it, so all clusters count. After
//! calibration give `residuals` of y. df = clusters − strata.
//! # Reference values
//! tests/reference/weights.rs: weights/expected_estimates.csv, expected_adjusted.csv (1e-10); survey with unequal clusters:
//! tests/reference/r_survey.rs (1e-10).

use crate::error::{Result, StatsError, check_all_finite, check_length, check_non_negative, finite_result};
use crate::interval::{Interval, Level, student_t};
use crate::numeric;
use std::collections::BTreeMap;

/// A sample design; `None` means: no strata, every row its own cluster, no finite-population correction.
#[derive(Debug, Clone, Copy)]
pub struct Design<'a> {
    pub weights: &'a [f64],
    pub strata: Option<&'a [usize]>,
    pub clusters: Option<&'a [usize]>,
    /// Clusters in the population, per row the number of its stratum.
    pub population: Option<&'a [f64]>,
}

/// An estimate with its design-based standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DesignEstimate {
    pub value: f64,
    pub se: f64,
    pub df: f64,
    /// Against simple random sampling without, and with, replacement; means and totals only.
    pub design_effect: Option<f64>,
    pub design_effect_with_replacement: Option<f64>,
    pub method: &'static str,
}

impl DesignEstimate {
    /// t interval on the design's degrees of freedom.
    pub fn interval(&self, level: Level) -> Result<Interval> {
        Ok(student_t(self.value, self.se, self.df, level)?.interval)
    }
}

impl<'a> Design<'a> {
    /// Weights only.
    pub fn weighted(weights: &'a [f64]) -> Self {
        Design { weights, strata: None, clusters: None, population: None }
    }

    fn check(&self, rows: usize) -> Result<f64> {
        check_length("design: weights", rows, self.weights.len())?;
        check_non_negative("design: weights", self.weights)?;
        for (what, ids) in [("design: strata", self.strata), ("design: clusters", self.clusters)] {
            if let Some(ids) = ids {
                check_length(what, rows, ids.len())?;
            }
        }
        if let Some(population) = self.population {
            check_length("design: population", rows, population.len())?;
            check_non_negative("design: population", population)?;
        }
        let total = numeric::sum(self.weights.iter().copied());
        if total > 0.0 && total.is_finite() { Ok(total) } else { Err(StatsError::Empty { what: "design: weights" }) }
    }

    /// Variance and degrees of freedom of the sum of linearised values.
    pub fn variance(&self, linearised: &[f64]) -> Result<(f64, f64)> {
        check_all_finite("design: linearised values", linearised)?;
        self.check(linearised.len())?;
        let mut strata: BTreeMap<usize, (BTreeMap<usize, f64>, Option<f64>)> = BTreeMap::new();
        for (i, u) in linearised.iter().enumerate() {
            let (clusters, population) = strata.entry(self.strata.map_or(0, |s| s[i])).or_default();
            *clusters.entry(self.clusters.map_or(i, |c| c[i])).or_insert(0.0) += u;
            *population = self.population.map(|p| p[i]);
        }
        let (mut variance, mut df) = (0.0, 0.0);
        for (clusters, population) in strata.values() {
            let sums: Vec<f64> = clusters.values().copied().collect();
            let n = sums.len() as f64;
            if sums.len() < 2 {
                return Err(StatsError::TooFew { what: "design: clusters in a stratum", needed: 2, found: sums.len() });
            }
            let correction = match population {
                Some(size) if *size < n => {
                    return Err(StatsError::out_of_range("design: population", *size, "at least the clusters sampled"));
                }
                Some(size) => 1.0 - n / size,
                None => 1.0,
            };
            variance += correction * n / (n - 1.0) * numeric::at_least_zero(numeric::squared_deviations(&sums));
            df += n - 1.0;
        }
        Ok((finite_result("design variance", variance)?, df))
    }
}

/// Σwy. `residuals` of a calibrated variable replace y in the variance.
pub fn total(values: &[f64], design: &Design<'_>, residuals: Option<&[f64]>) -> Result<DesignEstimate> {
    check_all_finite("design total", values)?;
    let population = design.check(values.len())?;
    let w = design.weights;
    let value = finite_result("design total", numeric::sum(values.iter().zip(w).map(|(y, w)| w * y)))?;
    let spread = residuals.unwrap_or(values);
    check_length("design total: residuals", values.len(), spread.len())?;
    let linearised: Vec<f64> = spread.iter().zip(w).map(|(y, w)| w * y).collect();
    let simple = simple_variance(values, w, population) * population * population;
    finish(value, &linearised, design, Some((simple, population)), "taylor-total")
}

/// Σwy/Σw. `residuals` of a calibrated variable replace y − ȳ in the variance.
pub fn mean(values: &[f64], design: &Design<'_>, residuals: Option<&[f64]>) -> Result<DesignEstimate> {
    check_all_finite("design mean", values)?;
    let population = design.check(values.len())?;
    let w = design.weights;
    let value = finite_result("design mean", numeric::sum(values.iter().zip(w).map(|(y, w)| w * y)) / population)?;
    let linearised: Vec<f64> = match residuals {
        Some(r) => {
            check_length("design mean: residuals", values.len(), r.len())?;
            r.iter().zip(w).map(|(r, w)| w * r / population).collect()
        }
        None => values.iter().zip(w).map(|(y, w)| w * (y - value) / population).collect(),
    };
    let simple = simple_variance(values, w, population);
    finish(value, &linearised, design, Some((simple, population)), "taylor-mean")
}

/// Σwy/Σwx: ratios, and means of domains (y·d over d).
pub fn ratio(numerator: &[f64], denominator: &[f64], design: &Design<'_>) -> Result<DesignEstimate> {
    check_all_finite("design ratio", numerator)?;
    check_all_finite("design ratio: denominator", denominator)?;
    check_length("design ratio: denominator", numerator.len(), denominator.len())?;
    design.check(numerator.len())?;
    let w = design.weights;
    let below = numeric::sum(denominator.iter().zip(w).map(|(x, w)| w * x));
    if below == 0.0 {
        return Err(StatsError::Undefined { what: "design ratio", reason: "the denominator sums to 0" });
    }
    let value = finite_result("design ratio", numeric::sum(numerator.iter().zip(w).map(|(y, w)| w * y)) / below)?;
    let linearised: Vec<f64> = (0..w.len()).map(|i| w[i] * (numerator[i] - value * denominator[i]) / below).collect();
    finish(value, &linearised, design, None, "taylor-ratio")
}

/// S²/n of a simple random sample with replacement.
fn simple_variance(values: &[f64], weights: &[f64], population: f64) -> f64 {
    let n = weights.iter().filter(|w| **w > 0.0).count() as f64;
    let mean = numeric::sum(values.iter().zip(weights).map(|(y, w)| w / population * y));
    let spread = numeric::sum(values.iter().zip(weights).map(|(y, w)| w / population * (y - mean).powi(2)));
    spread / (n - 1.0)
}

fn finish(
    value: f64,
    linearised: &[f64],
    design: &Design<'_>,
    simple: Option<(f64, f64)>,
    method: &'static str,
) -> Result<DesignEstimate> {
    let (variance, df) = design.variance(linearised)?;
    let n = design.weights.iter().filter(|w| **w > 0.0).count() as f64;
    let known = |v: f64| (v.is_finite() && v >= 0.0).then_some(v);
    let with = simple.and_then(|(simple, _)| known(variance / simple));
    let without = simple.and_then(|(simple, size)| known(variance / (simple * (1.0 - n / size))));
    Ok(DesignEstimate {
        value,
        se: variance.sqrt(),
        df,
        design_effect: without,
        design_effect_with_replacement: with,
        method,
    })
}
