//! Adjusters of a fit: their columns, and the rows of their coefficients.

use prem_stats::{Result, linear_algebra::DropReason};
use prem_store::tables::CaseMix;

use super::{Task, rows::Response};
use crate::design::{Coded, Design, design};

/// Adjusters of the task's indicator over some rows of `response`, coded; unit means are those of `units` (of `unit_count`), one per
/// row of the response.
pub(super) fn design_of(
    task: &Task<'_>,
    response: &Response<'_>,
    rows: &[usize],
    (units, unit_count): (&[u32], usize),
) -> Result<Design> {
    let declared = task.questionnaire().map(|q| q.adjusters.as_slice()).unwrap_or_default();
    let chosen: Vec<(usize, &prem_spec::Adjuster)> = declared
        .iter()
        .enumerate()
        .filter(|(_, adjuster)| task.indicator.case_mix.adjusters.contains(&adjuster.id))
        .collect();
    let coded: Vec<Coded> = chosen.iter().map(|(place, _)| response.adjuster(*place)).collect();
    let pairs: Vec<_> = chosen.iter().map(|(_, adjuster)| *adjuster).zip(&coded).collect();
    design(&pairs, task.indicator.case_mix.missing, rows, units, unit_count)
}

/// One row per coefficient, with t intervals on `df` degrees of freedom (normal when infinite).
pub(super) fn coefficient_rows(
    whole: &CaseMix,
    names: &[String],
    coefficients: &[f64],
    errors: &[f64],
    dropped: &[(usize, DropReason)],
    df: f64,
) -> Vec<CaseMix> {
    let quantile = prem_stats::case_mix::critical_value(prem_stats::interval::Level::P95.value(), df);
    let empty = CaseMix {
        r_squared: None,
        c_statistic: None,
        deviance_explained: None,
        sigma: None,
        between_sd: None,
        between_sd_unadjusted: None,
        n_no_value: None,
        explained: None,
        icc: None,
        icc_unadjusted: None,
        interaction_f: None,
        interaction_p: None,
        adjustment_max: None,
        adjustment_mean: None,
        ..whole.clone()
    };
    let row = |place: usize| {
        let reason = dropped.iter().find(|(index, _)| *index == place).map(|(_, reason)| match reason {
            DropReason::Constant => "constant",
            DropReason::Collinear => "collinear",
            DropReason::Separated => "separates the answers",
        });
        let value = reason.is_none().then_some((coefficients[place], errors[place]));
        let half = |se: f64| quantile.as_ref().ok().map(|quantile| quantile * se);
        CaseMix {
            term: names[place].clone(),
            estimate: value.map(|(estimate, _)| estimate),
            se: value.map(|(_, se)| se),
            ci_low: value.and_then(|(estimate, se)| Some(estimate - half(se)?)),
            ci_high: value.and_then(|(estimate, se)| Some(estimate + half(se)?)),
            dropped: reason.map(str::to_owned),
            ..empty.clone()
        }
    };
    (0..names.len()).map(row).collect()
}
