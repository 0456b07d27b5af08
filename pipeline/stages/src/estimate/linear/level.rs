//! Values of the units of one level: adjusted means, their comparisons, what is shrunken of them, and their strata.

use prem_spec::Period;
use prem_stats::{
    Result,
    case_mix::{AdjustedMean, RandomIntercept},
};
use prem_store::tables::{Components, Estimate};

use super::{
    adjusted::{Parts, means},
    fit::{Fit, covariance},
    is_unweighted, method,
    nested::Nested,
    shrink::{Shrunk, shrink},
};
use crate::{
    estimate::{
        Task,
        areas::Effects,
        compare::{self, Compared, Test},
        response::response_rates,
        rows::{blank, count, is_top, publishable},
        survey::Survey,
    },
    explain::Shrinkage,
    placement::LevelMap,
};

/// A fit and what hangs on it: of the period itself, or of the one before.
pub(super) struct Side<'a> {
    pub fit: &'a Fit,
    pub lowest: Option<RandomIntercept>,
    pub period: Period,
    /// One per stratifier of the indicator.
    pub parts: Vec<Parts>,
}

/// Means of groups, and Σw of each.
type MeansAndWeights = (Vec<Option<AdjustedMean>>, Vec<f64>);

/// Values of the units of one level, or of their parts in a stratum.
pub(super) struct Values {
    /// One per group of the level, the remainder last.
    pub means: Vec<Option<AdjustedMean>>,
    /// What each group counts for in the region.
    pub weights: Vec<f64>,
    /// The same in the period before.
    pub before: Option<(Period, Vec<Option<AdjustedMean>>)>,
    /// One per unit of the level, those without respondents included.
    pub rows: Vec<Estimate>,
    /// Of each row's difference from the region.
    pub tests: Vec<Test>,
}

pub(super) struct LevelEstimates {
    pub values: Values,
    pub components: Option<Components>,
    /// What shrunken values come from.
    pub model: Option<Shrinkage>,
    /// Of a nested model of the level's own areas.
    pub effects: Vec<Effects>,
}

/// `sides` are the period's own and, where there is one, that of the period before.
pub(super) fn level(
    task: &Task<'_>,
    survey: &Survey<'_>,
    sides: &[Side<'_>],
    nested: Option<&Nested>,
    map: &LevelMap<'_>,
) -> Result<LevelEstimates> {
    let own = &sides[0];
    let groups = own.fit.moments.aggregate(&map.parent, map.groups())?;
    let weights: Vec<f64> = (0..map.groups()).map(|group| groups.weight_sum(group)).collect();
    let of = |side: &Side<'_>| means(task, survey, side.fit, side.lowest.as_ref(), map, &own.fit.reference);
    let adjusted = of(own)?;
    let before = sides.get(1).and_then(|side| Some((side.period, of(side).ok()?)));
    let mut values = filled(task, sides, map, (adjusted, weights), before)?;
    let shrunk = if is_top(map.level) { None } else { shrink(task, own.fit, nested, map, &mut values.rows)? };
    Ok(match shrunk {
        Some(Shrunk { components, model, effects }) => {
            LevelEstimates { values, components: Some(components), model, effects }
        }
        None => LevelEstimates { values, components: None, model: None, effects: Vec::new() },
    })
}

/// Values of the level's units in level `level` of the stratifier at `at` among those of the sides.
pub(super) fn part(
    task: &Task<'_>,
    survey: &Survey<'_>,
    sides: &[Side<'_>],
    map: &LevelMap<'_>,
    (at, level): (usize, usize),
) -> Result<Option<Values>> {
    let own = &sides[0];
    let of = |side: &Side<'_>| -> Result<Option<MeansAndWeights>> {
        let Some(parts) = side.parts.get(at) else { return Ok(None) };
        parts.means(task, survey, side.fit, (map, level), &own.fit.reference).map(Some)
    };
    let Some(adjusted) = of(own)? else { return Ok(None) };
    let before = sides.get(1).and_then(|side| Some((side.period, of(side).ok()??.0)));
    filled(task, sides, map, adjusted, before).map(Some)
}

/// The rows of the level's units in every level of every stratifier, those without respondents left out.
pub(super) fn stratum_rows(
    task: &Task<'_>,
    survey: &Survey<'_>,
    sides: &[Side<'_>],
    map: &LevelMap<'_>,
) -> Result<Vec<Estimate>> {
    let own = &sides[0];
    let mut all = Vec::new();
    for (at, parts) in own.parts.iter().enumerate() {
        let Some(stratifier) = survey.questionnaire.stratifiers.get(parts.stratifier) else { continue };
        let rates = response_rates(survey, task.period, map, Some(parts.stratifier));
        for level in 0..=parts.levels {
            let Some(values) = part(task, survey, sides, map, (at, level))? else { continue };
            for (place, mut row) in (0u32..).zip(values.rows) {
                if row.n.is_some_and(|n| n > 0) {
                    row.stratum = stratifier.stratum(Some(level));
                    row.response_rate = rates.get(&(place, level)).copied();
                    all.push(row);
                }
            }
        }
    }
    Ok(all)
}

/// Rows with values, changes and comparisons; the families of the comparison are the rows themselves.
fn filled(
    task: &Task<'_>,
    sides: &[Side<'_>],
    map: &LevelMap<'_>,
    (means, weights): (Vec<Option<AdjustedMean>>, Vec<f64>),
    before: Option<(Period, Vec<Option<AdjustedMean>>)>,
) -> Result<Values> {
    let own = &sides[0];
    let mut rows: Vec<Estimate> = map.units.iter().map(|unit| blank(task, unit, &method(task))).collect();
    for (place, row) in rows.iter_mut().enumerate() {
        let Some(mean) = &means[place] else { continue };
        fill(task, row, mean)?;
        if let Some((period, Some(earlier))) = before.as_ref().map(|(period, means)| (*period, &means[place])) {
            compare::with_previous(row, (earlier.value, earlier.variance), (mean.value, mean.variance), period)?;
        }
    }
    let compared = |(place, mean): (usize, &Option<AdjustedMean>)| {
        mean.as_ref().map(|mean| Compared {
            value: mean.value,
            sampling_variance: mean.sampling_variance,
            degrees_of_freedom: mean.degrees_of_freedom,
            weight: weights[place],
            gradient: mean.mean_adjusters.clone(),
        })
    };
    let parts: Vec<Option<Compared>> = means.iter().enumerate().map(compared).collect();
    let (parts, rest) = parts.split_at(map.units.len());
    let is_publishable: Vec<bool> = rows.iter().map(|row| publishable(task, row)).collect();
    let mut tests = compare::untested(rows.len());
    if !is_top(map.level) {
        let covariance = covariance(task, own.fit, own.lowest.as_ref());
        tests = compare::with_region(&mut rows, parts, rest.first().and_then(Option::as_ref), &covariance)?;
    }
    compare::assess(&mut rows, task.indicator, &tests, &is_publishable)?;
    Ok(Values { means, weights, before, rows, tests })
}

fn fill(task: &Task<'_>, row: &mut Estimate, mean: &AdjustedMean) -> Result<()> {
    row.n = count(mean.n);
    row.n_effective = (!is_unweighted(task)).then_some(mean.n_effective);
    row.raw = Some(mean.crude);
    row.value = Some(mean.value);
    row.se = Some(mean.standard_error);
    row.ci_low = Some(mean.lower);
    row.ci_high = Some(mean.upper);
    row.goal_level = compare::goal_level(task.indicator, mean.value, row.coverage)?;
    Ok(())
}
