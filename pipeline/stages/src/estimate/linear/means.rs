//! Values of the units of one level: adjusted means, their comparisons, and what is shrunken of them.

use prem_spec::Weighting;
use prem_stats::{
    Result,
    case_mix::{AdjustedMean, AdjustedMeanOptions, Criterion, RandomIntercept, fit_random_intercept},
};
use prem_store::tables::{Components, Estimate};

use super::{
    fit::{Fit, covariance},
    fixed, is_gls, method,
    nested::Nested,
    shrink::shrink,
};
use crate::{
    estimate::{
        Task,
        compare::{self, Compared},
        rows::{blank, count, is_top},
    },
    placement::LevelMap,
};

pub(super) struct LevelEstimates {
    /// One per unit of the level, those without respondents included.
    pub rows: Vec<Estimate>,
    pub components: Option<Components>,
}

/// Adjusted means of the groups of `map` (the remainder last) with the fit's β, at the adjusters `reference`.
fn means(
    task: &Task<'_>,
    fit: &Fit,
    lowest: Option<&RandomIntercept>,
    map: &LevelMap<'_>,
    reference: &[f64],
) -> Result<Vec<Option<AdjustedMean>>> {
    let options = AdjustedMeanOptions { level: task.indicator.ci_level, ..AdjustedMeanOptions::default() };
    match lowest.filter(|_| is_gls(task)) {
        Some(model) => {
            model.adjusted_means(&fit.moments, Some((map.parent.as_slice(), map.groups())), reference, &options)
        }
        None => fit.within.adjusted_means(&fit.moments.aggregate(&map.parent, map.groups())?, reference, &options),
    }
}

pub(super) fn level(
    task: &Task<'_>,
    fit: &Fit,
    (lowest, nested): (Option<&RandomIntercept>, Option<&Nested>),
    earlier: Option<&(prem_spec::Period, Fit)>,
    map: &LevelMap<'_>,
) -> Result<LevelEstimates> {
    let groups = fit.moments.aggregate(&map.parent, map.groups())?;
    let adjusted = means(task, fit, lowest, map, &fit.reference)?;
    let before = earlier.and_then(|(period, earlier)| {
        // An adjuster that only one of the fits could use leaves no common point to compare at.
        (earlier.within.dropped == fit.within.dropped).then_some(())?;
        let model = fit_random_intercept(&earlier.moments, Criterion::Reml, fixed(task, earlier)).ok();
        Some((*period, means(task, earlier, model.as_ref(), map, &fit.reference).ok()?))
    });
    let method = method(task);
    let mut rows: Vec<Estimate> = map.units.iter().map(|unit| blank(task, unit, &method)).collect();
    for (place, row) in rows.iter_mut().enumerate() {
        let Some(mean) = &adjusted[place] else { continue };
        fill(task, row, mean)?;
        if let Some((period, Some(earlier))) = before.as_ref().map(|(period, means)| (*period, &means[place])) {
            compare::with_previous(row, (earlier.value, earlier.variance), (mean.value, mean.variance), period)?;
        }
    }
    let parts: Vec<Option<Compared>> = adjusted
        .iter()
        .enumerate()
        .map(|(place, mean)| {
            mean.as_ref().map(|mean| Compared {
                value: mean.value,
                sampling_variance: mean.sampling_variance,
                degrees_of_freedom: mean.degrees_of_freedom,
                weight: groups.weight_sum(place),
                gradient: mean.mean_adjusters.clone(),
            })
        })
        .collect();
    let (parts, rest) = parts.split_at(map.units.len());
    let is_publishable: Vec<bool> = rows.iter().map(|row| publishable(task, row)).collect();
    let mut freedom = vec![f64::INFINITY; rows.len()];
    if !is_top(map.level) {
        freedom = compare::with_region(
            &mut rows,
            parts,
            rest.first().and_then(Option::as_ref),
            &covariance(task, fit, lowest),
        )?;
    }
    compare::assess(&mut rows, task.indicator, &freedom, &is_publishable)?;
    let components = if is_top(map.level) { None } else { shrink(task, fit, nested, map, &mut rows)? };
    Ok(LevelEstimates { rows, components })
}

fn publishable(task: &Task<'_>, row: &Estimate) -> bool {
    let n = row.n.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    task.indicator.protection.primary_reason(Some(n), None, None).is_none()
}

fn fill(task: &Task<'_>, row: &mut Estimate, mean: &AdjustedMean) -> Result<()> {
    row.n = count(mean.n);
    row.n_effective = (task.indicator.weighting == Weighting::Design).then_some(mean.n_effective);
    row.raw = Some(mean.crude);
    row.value = Some(mean.value);
    row.se = Some(mean.standard_error);
    row.ci_low = Some(mean.lower);
    row.ci_high = Some(mean.upper);
    row.goal_level = compare::goal_level(task.indicator, mean.value, row.coverage)?;
    Ok(())
}
