//! Shrunken proportions by a logistic random intercept of the level's own units, as lme4 makes them: the between-unit SD taken as
//! known.

use prem_spec::Level;
use prem_stats::{
    Result,
    binary::{SeparationPolicy, fit_logistic_random_intercept},
};
use prem_store::tables::{CaseMix, Estimate, RANDOM_INTERCEPT_TERM};

use super::fit::Fit;
use crate::{
    estimate::{
        Task,
        rows::{converged_between, model_row},
    },
    explain::Shrinkage,
    placement::LevelMap,
};

/// Nodes of the adaptive quadrature; one would be Laplace's approximation, which wards of few answers are too small for.
const NODES: usize = 9;

/// Fills the shrunken columns of the level's units. `None` where there is no model: fewer than two units, answers all alike, or a
/// likelihood without a maximum.
pub(super) fn shrink(
    task: &Task<'_>,
    fit: &Fit,
    map: &LevelMap<'_>,
    rows: &mut [Estimate],
) -> Result<Option<Shrinkage>> {
    // Respondents without a unit at the level are in no group of the model.
    let rest = u32::try_from(map.units.len()).unwrap_or(u32::MAX);
    let groups = fit.total.parents(&map.parent, 0).into_iter().map(|group| group.filter(|group| *group != rest));
    let units = fit.total.table.aggregate(&groups.collect::<Vec<_>>(), map.units.len())?;
    let Ok(model) = fit_logistic_random_intercept(&units, NODES, SeparationPolicy::Drop) else { return Ok(None) };
    let at_modes = model.conditional_probabilities(&units, &fit.reference, task.indicator.ci_level)?;
    for (row, unit) in rows.iter_mut().zip(at_modes) {
        row.shrunken = unit.map(|unit| unit.value);
        row.shrunken_low = unit.map(|unit| unit.lower);
        row.shrunken_high = unit.map(|unit| unit.upper);
        row.reliability = unit.map(|unit| unit.reliability);
    }
    Ok(Some(Shrinkage {
        model: "logistic-random-intercept".to_owned(),
        mean: model.probability_without_effect(&fit.reference)?,
        between_sd: Some(model.between_unit_sd),
        ..Shrinkage::default()
    }))
}

/// The model's row: the between-unit SD and the share of the variance that lies between units, both on the log-odds. `of_all` has the
/// respondents: those of the level alone would be a total that no row of the estimates has.
pub(super) fn case_mix_row(
    task: &Task<'_>,
    level: Level,
    rows: &[Estimate],
    told: &Shrinkage,
    of_all: &CaseMix,
) -> Option<CaseMix> {
    let sd = told.between_sd?;
    let units = rows.iter().filter(|row| row.n.is_some_and(|n| n > 0)).count();
    // π²/3: the variance of the logistic distribution, which an answer's own chance has.
    let within = std::f64::consts::PI.powi(2) / 3.0;
    Some(CaseMix {
        n_used: of_all.n_used,
        n_left_out: of_all.n_left_out,
        n_units: i64::try_from(units).ok()?,
        between_sd: Some(sd),
        icc: Some(sd * sd / (sd * sd + within)),
        convergence: converged_between(sd),
        ..model_row(task, &format!("{RANDOM_INTERCEPT_TERM}{})", level.as_str()), &of_all.method)
    })
}
