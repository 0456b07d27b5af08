//! Difference of each unit from a reference that contains the unit.
//!
//! # Estimand
//! Δ_j = a_j − R with R = Σw_k a_k, and its standard error.
//! # Formula
//! SE² = S_j(1 − 2w_j) + Σw_k²S_k + D_j'V(β̂)D_j, D_j = x̄_j − Σw_k x̄_k. S: sampling variances without the part of β̂.
//! # Source
//! Variance of a linear combination of independent means (G. Casella and R. L. Berger, *Statistical Inference*, 2nd ed. (2002),
//! theorem 4.5.6); V(β̂) is shared by all units, so it enters once.
//! # Assumptions
//! Unit means independent given β̂; weights known; β̂ independent of the means (within-unit β̂).
//! # Edge cases
//! One unit that is its own reference has difference and SE 0. Weights are divided by their sum. Without adjusters D'VD is 0.
//! # Reference values
//! By hand, tests/comparison_by_hand.rs; contrasts of R's lm with unit dummies: tests/reference/r_standardised.rs
//! (1e-10).

use crate::error::{Result, StatsError, check_all_finite, check_length, check_non_negative, finite_result};
use crate::numeric;

/// Adjuster means (one row of `p` values a unit, row after row) and V(β̂) (p × p, row after row).
#[derive(Debug, Clone, Copy)]
pub struct SharedCoefficients<'a> {
    pub adjuster_means: &'a [f64],
    pub covariance: &'a [f64],
    pub p: usize,
}

/// A unit's difference from the reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    pub difference: f64,
    pub se: f64,
    /// Part of SE² from sampling, and from the shared coefficients.
    pub sampling_variance: f64,
    pub coefficient_variance: f64,
}

/// Reference value R and the differences, one per unit.
///
/// `values` a_j, `sampling_variances` S_j, `weights` w_j (any scale), all of one length.
pub fn differences_from_reference(
    values: &[f64],
    sampling_variances: &[f64],
    weights: &[f64],
    shared: Option<SharedCoefficients<'_>>,
) -> Result<(f64, Vec<Difference>)> {
    const WHAT: &str = "difference from the reference";
    check_all_finite(WHAT, values)?;
    check_length("difference: sampling variances", values.len(), sampling_variances.len())?;
    check_length("difference: weights", values.len(), weights.len())?;
    check_non_negative("difference: sampling variances", sampling_variances)?;
    check_non_negative("difference: weights", weights)?;
    if values.is_empty() {
        return Err(StatsError::Empty { what: WHAT });
    }
    let total = numeric::sum(weights.iter().copied());
    if !(total > 0.0 && total.is_finite()) {
        return Err(StatsError::out_of_range("difference: sum of weights", total, "above 0"));
    }
    let w: Vec<f64> = weights.iter().map(|w| w / total).collect();
    let reference = finite_result(WHAT, numeric::sum(w.iter().zip(values).map(|(w, a)| w * a)))?;
    let reference_variance = numeric::sum(w.iter().zip(sampling_variances).map(|(w, s)| w * w * s));
    let coefficient = match shared {
        Some(shared) => coefficient_variances(&w, shared)?,
        None => vec![0.0; values.len()],
    };
    let mut differences = Vec::with_capacity(values.len());
    for j in 0..values.len() {
        // S_j(1 − w_j)² + Σ_{k≠j} w_k²S_k, written so that nothing negative can appear for a single unit.
        let others = (reference_variance - w[j] * w[j] * sampling_variances[j]).max(0.0);
        let sampling = sampling_variances[j] * (1.0 - w[j]).powi(2) + others;
        differences.push(Difference {
            difference: values[j] - reference,
            se: finite_result(WHAT, (sampling + coefficient[j]).sqrt())?,
            sampling_variance: sampling,
            coefficient_variance: coefficient[j],
        });
    }
    Ok((reference, differences))
}

/// Degrees of freedom of each difference's SE² by Satterthwaite: SE⁴ df_j/((1 − w_j)²S_j)², with the other units' parts and that
/// of β̂ as known. They rest on many more answers; and a p that depended on each other unit's S would tell what is withheld of
/// them.
///
/// `degrees_of_freedom` are those of `sampling_variances`, infinite where the variance is known.
pub fn degrees_of_freedom_of_differences(
    differences: &[Difference],
    sampling_variances: &[f64],
    degrees_of_freedom: &[f64],
    weights: &[f64],
) -> Result<Vec<f64>> {
    check_length("difference: sampling variances", differences.len(), sampling_variances.len())?;
    check_length("difference: degrees of freedom", differences.len(), degrees_of_freedom.len())?;
    check_length("difference: weights", differences.len(), weights.len())?;
    check_non_negative("difference: sampling variances", sampling_variances)?;
    check_non_negative("difference: weights", weights)?;
    if let Some(df) = degrees_of_freedom.iter().find(|df| df.is_nan() || **df <= 0.0) {
        return Err(StatsError::out_of_range("difference: degrees of freedom", *df, "above 0"));
    }
    let total = numeric::sum(weights.iter().copied());
    if !(total > 0.0 && total.is_finite()) {
        return Err(StatsError::out_of_range("difference: sum of weights", total, "above 0"));
    }
    // In units of the largest variance, so that squares of variances stay numbers.
    let scale = sampling_variances.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let own = |(j, d): (usize, &Difference)| {
        let part = (1.0 - weights[j] / total).powi(2) * (sampling_variances[j] / scale);
        let spread = part * part / degrees_of_freedom[j];
        if spread > 0.0 { (d.se / scale.sqrt()).powi(4) / spread } else { f64::INFINITY }
    };
    Ok(differences.iter().enumerate().map(own).collect())
}

/// D_j'V(β̂)D_j per unit, with weights that sum to 1.
fn coefficient_variances(w: &[f64], shared: SharedCoefficients<'_>) -> Result<Vec<f64>> {
    let SharedCoefficients { adjuster_means: x, covariance: v, p } = shared;
    check_length("difference: adjuster means", w.len().saturating_mul(p), x.len())?;
    check_length("difference: covariance of coefficients", p.saturating_mul(p), v.len())?;
    check_all_finite("difference: adjuster means", x)?;
    check_all_finite("difference: covariance of coefficients", v)?;
    let centre: Vec<f64> = (0..p).map(|c| numeric::sum(w.iter().enumerate().map(|(j, w)| w * x[j * p + c]))).collect();
    let variances = (0..w.len()).map(|j| {
        let d: Vec<f64> = (0..p).map(|c| x[j * p + c] - centre[c]).collect();
        let terms = (0..p * p).map(|i| d[i / p] * v[i] * d[i % p]);
        finite_result("difference: coefficient variance", numeric::at_least_zero(numeric::sum(terms)))
    });
    variances.collect()
}
