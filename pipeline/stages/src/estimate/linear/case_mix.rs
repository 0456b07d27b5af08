//! The case-mix table of a linear fit.

use prem_stats::{
    case_mix::{Criterion, InteractionTest, RandomIntercept, fit_random_intercept, interaction_tests},
    linear_algebra::DropReason,
};
use prem_store::tables::{CaseMix, Estimate};

use super::{fit::Fit, is_gls, method};
use crate::estimate::{
    Task,
    coding::coefficient_rows,
    rows::{count, explained, model_row, movement},
};

/// The row of the whole model, then one per coefficient.
pub(super) fn case_mix_rows(
    task: &Task<'_>,
    fit: &Fit,
    lowest: Option<&RandomIntercept>,
    estimates: &[Estimate],
) -> Vec<CaseMix> {
    let before = fit_random_intercept(&fit.unadjusted, Criterion::Reml, None).ok();
    let convergence = match lowest {
        Some(model) if model.convergence.boundary => "converged at zero between-unit variance",
        Some(model) if model.convergence.converged => "converged",
        Some(_) => "not converged",
        None => "no random intercept: too few units",
    };
    let (adjustment_max, adjustment_mean) = movement(estimates);
    let sd = |model: Option<&RandomIntercept>| model.map(|model| model.components.between_unit_sd);
    let tests = interaction_tests(&fit.within, &fit.moments).ok();
    let whole = CaseMix {
        n_used: count(fit.within.rows).unwrap_or(0),
        n_left_out: count(fit.left_out).unwrap_or(0),
        n_no_value: count(without_value(task, fit)),
        n_units: i64::try_from(fit.within.units).unwrap_or(i64::MAX),
        r_squared: Some(fit.within.r_squared_within),
        sigma: Some(match lowest.filter(|_| is_gls(task)) {
            Some(model) => model.components.residual_sd,
            None => fit.within.residual_variance.sqrt(),
        }),
        between_sd: sd(lowest),
        between_sd_unadjusted: sd(before.as_ref()),
        explained: explained(sd(before.as_ref()), sd(lowest)),
        icc: lowest.map(|model| model.components.intraclass_correlation()),
        icc_unadjusted: before.as_ref().map(|model| model.components.intraclass_correlation()),
        interaction_f: tests.as_ref().and_then(|tests| tests.all).map(|test| test.f),
        interaction_p: tests.as_ref().and_then(|tests| tests.all).map(|test| test.p),
        adjustment_max,
        adjustment_mean,
        convergence: convergence.to_owned(),
        ..model_row(task, "(fit)", &method(task))
    };
    let (coefficients, errors) = match lowest.filter(|_| is_gls(task)) {
        Some(model) => (model.coefficients[1..].to_vec(), model.standard_errors()[1..].to_vec()),
        None => (fit.within.coefficients.clone(), fit.within.standard_errors()),
    };
    let dropped: Vec<(usize, DropReason)> = fit.within.dropped.iter().map(|d| (d.index, d.reason)).collect();
    let terms = coefficient_rows(&whole, &fit.names, &coefficients, &errors, &dropped, fit.within.degrees_of_freedom);
    let of_term = |place: usize| tests.as_ref().and_then(|tests| tests.each.get(place).copied().flatten());
    let terms = terms.into_iter().enumerate().map(|(place, term)| CaseMix {
        n_left_out: fit.missing.get(place).copied().and_then(count).unwrap_or(0),
        interaction_f: of_term(place).map(|test: InteractionTest| test.f),
        interaction_p: of_term(place).map(|test: InteractionTest| test.p),
        ..term
    });
    std::iter::once(whole).chain(terms).collect()
}

/// Responses of the period that the indicator has no value for: outside its population, or too little answered.
fn without_value(task: &Task<'_>, fit: &Fit) -> u64 {
    (task.responses().len() as u64).saturating_sub(fit.within.rows + fit.left_out)
}
