//! The case-mix table of a proportion.

use prem_stats::linear_algebra::DropReason;
use prem_store::tables::{CaseMix, Components, Estimate};

use super::{fit::Fit, method};
use crate::estimate::{
    Task,
    coding::coefficient_rows,
    rows::{count, explained, model_row, movement},
};

/// A row of the case-mix table with the respondents that values are of.
pub(super) fn used(task: &Task<'_>, fit: &Fit) -> CaseMix {
    let answers: u64 = (0..fit.total.table.units()).map(|cell| fit.total.table.trials(cell)).sum();
    CaseMix {
        n_used: count(answers).unwrap_or(0),
        n_left_out: count(fit.left_out).unwrap_or(0),
        ..model_row(task, "(fit)", &method(task))
    }
}

/// `lowest`: the spread between the units of the last declared level.
pub(super) fn case_mix_rows(
    task: &Task<'_>,
    fit: &Fit,
    lowest: Option<&Components>,
    estimates: &[Estimate],
) -> Vec<CaseMix> {
    let Some(model) = &fit.model else { return Vec::new() };
    let (adjustment_max, adjustment_mean) = movement(estimates);
    let whole = CaseMix {
        n_used: count(model.rows).unwrap_or(0),
        n_left_out: count(fit.left_out).unwrap_or(0),
        n_units: i64::try_from(model.unit_effects.iter().flatten().count()).unwrap_or(i64::MAX),
        between_sd: lowest.and_then(|of| of.between_sd),
        between_sd_unadjusted: lowest.and_then(|of| of.between_sd_unadjusted),
        explained: lowest.and_then(|of| explained(of.between_sd_unadjusted, of.between_sd)),
        adjustment_max,
        adjustment_mean,
        convergence: if model.convergence.converged { "converged" } else { "not converged" }.to_owned(),
        ..model_row(task, "(fit)", &method(task))
    };
    let dropped: Vec<(usize, DropReason)> = model.dropped.iter().map(|d| (d.index, d.reason)).collect();
    let errors = model.standard_errors();
    let terms = coefficient_rows(&whole, &fit.names, &model.coefficients, &errors, &dropped, f64::INFINITY);
    std::iter::once(whole).chain(terms).collect()
}
