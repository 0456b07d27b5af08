//! Shrunken values of one level: by a random intercept of its own units or the model of all levels, weighted values as areas.

use prem_spec::Weighting;
use prem_stats::{
    Result,
    case_mix::{Criterion, RandomIntercept, ShrinkageInterval, fit_random_intercept, shrunken_means},
};
use prem_store::tables::{Components, Estimate};

use super::{fit::Fit, fixed, nested::Nested};
use crate::{
    estimate::{
        Task,
        areas::{Effects, ShrunkAreas, interval, shrink_areas},
        rows::publishable,
    },
    explain::Shrinkage,
    placement::LevelMap,
};

/// What shrinking a level gives besides the rows' columns.
pub(super) struct Shrunk {
    pub components: Components,
    /// `None` where nothing was shrunk.
    pub model: Option<Shrinkage>,
    /// Of a nested model of the level's own areas.
    pub effects: Vec<Effects>,
}

/// Random intercept of the level's own units: shrunken values, reliabilities and variance components.
pub(super) fn shrink(
    task: &Task<'_>,
    fit: &Fit,
    nested: Option<&Nested>,
    map: &LevelMap<'_>,
    rows: &mut [Estimate],
) -> Result<Option<Shrunk>> {
    let rest = u32::try_from(map.units.len()).unwrap_or(u32::MAX);
    let parent: Vec<Option<u32>> = map.parent.iter().map(|group| group.filter(|group| *group != rest)).collect();
    let units = fit.moments.aggregate(&parent, map.units.len())?;
    let unadjusted = fit.unadjusted.aggregate(&parent, map.units.len())?;
    let Ok(model) = fit_random_intercept(&units, Criterion::Reml, fixed(task, fit)) else { return Ok(None) };
    let before = fit_random_intercept(&unadjusted, Criterion::Reml, None).ok();
    let (told, effects) = match task.indicator.weighting {
        Weighting::None if task.indicator.case_mix.shrinkage.is_nested() => {
            let told = nested.map(|nested| {
                nested.fill(map.level, rows);
                nested.told(task, fit)
            });
            (told, None)
        }
        Weighting::None => {
            let level = task.indicator.ci_level;
            let shrunken = shrunken_means(&model, &units, &fit.reference, interval(task), level);
            // Fewer than five units have nothing to borrow from.
            for (row, shrunken) in rows.iter_mut().zip(shrunken.into_iter().flatten()) {
                row.shrunken = Some(shrunken.value);
                row.shrunken_low = Some(shrunken.lower);
                row.shrunken_high = Some(shrunken.upper);
                row.reliability = Some(shrunken.reliability);
            }
            (Some(told(task, fit, &model)), None)
        }
        Weighting::Design | Weighting::PostStratify | Weighting::Rake => {
            shrink_weighted(task, map, rows).map(|shrunk| (shrunk.model, shrunk.effects)).unzip()
        }
    };
    let components = Components {
        period: task.period.to_string(),
        indicator: task.indicator.id.clone(),
        level: map.level.as_str().to_owned(),
        between_sd: Some(model.components.between_unit_sd),
        between_sd_unadjusted: before.map(|model| model.components.between_unit_sd),
        icc: Some(model.components.intraclass_correlation()),
        log_odds_variance: None,
    };
    Ok(Some(Shrunk { components, model: told, effects: effects.unwrap_or_default() }))
}

/// The model of one level as a person is told of it.
fn told(task: &Task<'_>, fit: &Fit, model: &RandomIntercept) -> Shrinkage {
    Shrinkage {
        model: "random-intercept".to_owned(),
        mean: at_reference(&model.coefficients, &fit.reference),
        between_sd: Some(model.components.between_unit_sd),
        residual_sd: Some(model.components.residual_sd),
        is_averaged: interval(task) == ShrinkageInterval::Averaged,
        ..Shrinkage::default()
    }
}

/// The model's mean at the reference mix; the intercept comes first.
pub(super) fn at_reference(coefficients: &[f64], reference: &[f64]) -> f64 {
    let Some((intercept, slopes)) = coefficients.split_first() else { return 0.0 };
    intercept + slopes.iter().zip(reference).map(|(slope, x)| slope * x).sum::<f64>()
}

/// Weighted values are shrunken as areas: a sampling weight is no precision weight.
fn shrink_weighted(task: &Task<'_>, map: &LevelMap<'_>, rows: &mut [Estimate]) -> Option<ShrunkAreas> {
    let area = |(place, row): (usize, &Estimate)| {
        let (value, se) = (row.value?, row.se?);
        (se > 0.0 && publishable(task, row)).then_some((place, value, se * se))
    };
    let areas: Vec<(usize, f64, f64)> = rows.iter().enumerate().filter_map(area).collect();
    shrink_areas(task, map, rows, &areas, (f64::NEG_INFINITY, f64::INFINITY))
}
