//! The case-mix table of a linear fit.

use prem_stats::{
    case_mix::{Criterion, RandomIntercept, fit_random_intercept},
    linear_algebra::DropReason,
};
use prem_store::tables::{CaseMix, Estimate};

use super::{fit::Fit, is_gls, method};
use crate::estimate::{
    Task,
    coding::coefficient_rows,
    rows::{count, model_row, movement},
};

/// The row of the whole model, then one per coefficient.
pub(super) fn case_mix_rows(task: &Task<'_>, fit: &Fit, lowest: Option<&RandomIntercept>, estimates: &[Estimate]) -> Vec<CaseMix> {
    let before = fit_random_intercept(&fit.unadjusted, Criterion::Reml, None).ok();
    let convergence = match lowest {
        Some(model) if model.convergence.boundary => "converged at zero between-unit variance",
        Some(model) if model.convergence.converged => "converged",
        Some(_) => "not converged",
        None => "no random intercept: too few units",
    };
    let (adjustment_max, adjustment_mean) = movement(estimates);
    let whole = CaseMix {
        n_used: count(fit.within.rows).unwrap_or(0),
        n_left_out: count(fit.left_out).unwrap_or(0),
        n_units: i64::try_from(fit.within.units).unwrap_or(i64::MAX),
        r_squared: Some(fit.within.r_squared_within),
        sigma: Some(fit.within.residual_variance.sqrt()),
        between_sd: lowest.map(|model| model.components.between_unit_sd),
        between_sd_unadjusted: before.map(|model| model.components.between_unit_sd),
        adjustment_max,
        adjustment_mean,
        convergence: convergence.to_owned(),
        ..model_row(task, "(fit)", method(task))
    };
    let (coefficients, errors) = match lowest.filter(|_| is_gls(task)) {
        Some(model) => (model.coefficients[1..].to_vec(), model.standard_errors()[1..].to_vec()),
        None => (fit.within.coefficients.clone(), fit.within.standard_errors()),
    };
    let dropped: Vec<(usize, DropReason)> = fit.within.dropped.iter().map(|d| (d.index, d.reason)).collect();
    let terms = coefficient_rows(&whole, &fit.names, &coefficients, &errors, &dropped, fit.within.degrees_of_freedom);
    std::iter::once(whole).chain(terms).collect()
}

