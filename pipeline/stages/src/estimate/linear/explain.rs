//! One mean once more, with its fit, its parts and its model.

use prem_stats::case_mix::{AdjustedMean, ROBUST_FROM, SamplingVariance, critical_value};

use super::{
    earlier,
    fit::{Fit, covariance},
    fits, is_gls,
    level::{Side, Values, level, part},
    nested::Nested,
    sides,
};
use crate::{
    estimate::{
        Attempt, Found, Task, Wanted,
        explain::{Adjusters, asked, family, weights},
        response::{Count, response_of},
        rows::is_top,
        survey::Survey,
        weighting::Weights,
    },
    explain::{Calculation, Interval, Mean, Shrinkage},
    placement::LevelMap,
};

/// The wanted mean, of the first task's period; `None` where there is none.
pub(in crate::estimate) fn explain(tasks: &[Task<'_>], wanted: &Wanted<'_>) -> Attempt<Option<Found>> {
    let Some((task, survey)) = tasks.first().and_then(|task| Some((task, task.survey?))) else { return Ok(None) };
    let (Some((map, place)), Some(group)) = (wanted.place(task), wanted.group(task)) else { return Ok(None) };
    let fits = fits(tasks, task, survey);
    let Some(current) = fits.first() else { return Ok(None) };
    let current = current.as_ref().map_err(Clone::clone)?;
    let strata: Vec<usize> = group.iter().map(|(stratifier, ..)| *stratifier).collect();
    let sides = sides(task, survey, current, earlier(tasks, &fits, 0), &strata)?;
    let (values, model) = match group {
        None => {
            let nested = Nested::of(task, current);
            let level = level(task, survey, &sides, nested.as_ref(), &map)?;
            (level.values, level.model)
        }
        // The sides have the parts of the one stratifier only.
        Some((_, _, of)) => match part(task, survey, &sides, &map, (0, of))? {
            Some(values) => (values, None),
            None => return Ok(None),
        },
    };
    let group = group.map(|(stratifier, _, level)| (stratifier, level));
    found(task, survey, &sides[0], (&map, place), group, (values, model)).map(Some)
}

fn found(
    task: &Task<'_>,
    survey: &Survey<'_>,
    own: &Side<'_>,
    (map, place): (&LevelMap<'_>, usize),
    group: Option<(usize, usize)>,
    (values, model): (Values, Option<Shrinkage>),
) -> Attempt<Found> {
    const NOBODY: prem_stats::StatsError = prem_stats::StatsError::Empty { what: "respondents of the unit" };
    let mean = values.means.get(place).and_then(Option::as_ref).ok_or(NOBODY)?;
    let mut row = values.rows.get(place).cloned().ok_or(NOBODY)?;
    row.response_rate = response_of(survey, task.period, (map, place), group).and_then(Count::rate);
    if let Some((stratifier, level)) = group {
        let stratifier = survey.questionnaire.stratifiers.get(stratifier);
        row.stratum = stratifier.map(|stratifier| stratifier.stratum(Some(level))).unwrap_or_default();
    }
    let before = values.before.as_ref().and_then(|(period, means)| Some((*period, means.get(place)?.as_ref()?)));
    Ok(Found {
        family: family(&values.rows),
        test: values.tests.get(place).copied().filter(|_| !is_top(map.level)),
        is_tested_at_zero: false,
        calculation: Calculation::Mean(told(task, own, mean)),
        interval: interval(task, own, mean)?,
        shrinkage: model,
        weights: weights(task, mean.n, row.n_effective, values.weights.get(place).copied().unwrap_or(0.0)),
        earlier: before.map(|(period, mean)| (period, mean.value, mean.variance)),
        response: asked(task, (map, place), group),
        row,
    })
}

fn told(task: &Task<'_>, own: &Side<'_>, mean: &AdjustedMean) -> Mean {
    let fit = own.fit;
    let covariance = covariance(task, fit, own.lowest.as_ref());
    let errors: Vec<f64> = (0..covariance.rows()).map(|k| covariance[(k, k)].max(0.0).sqrt()).collect();
    let adjusters = Adjusters {
        names: &fit.names,
        unit_means: &mean.mean_adjusters,
        reference: &fit.reference,
        coefficients: &fit.coefficients(task, own.lowest.as_ref()),
        errors: &errors,
        dropped: fit.within.dropped.iter().map(|dropped| dropped.index).collect(),
        weight: 1.0,
    };
    Mean {
        raw: mean.crude,
        reference_period: task.indicator.case_mix.baseline.unwrap_or(task.period).to_string(),
        terms: adjusters.terms(),
        value: mean.value,
    }
}

fn interval(task: &Task<'_>, own: &Side<'_>, mean: &AdjustedMean) -> Attempt<Interval> {
    let covariance = covariance(task, own.fit, own.lowest.as_ref());
    let difference: Vec<f64> = mean.mean_adjusters.iter().zip(&own.fit.reference).map(|(unit, x)| unit - x).collect();
    let coefficient_variance = covariance.quadratic(&difference);
    let is_finite = mean.degrees_of_freedom.is_finite();
    Ok(Interval {
        method: if is_finite { "t" } else { "normal" }.to_owned(),
        level: task.indicator.ci_level,
        sampling_variance: mean.sampling_variance,
        sampling_source: source(own.fit, mean).to_owned(),
        coefficient_variance,
        covariance: if is_gls(task) { mean.variance - mean.sampling_variance - coefficient_variance } else { 0.0 },
        se: mean.standard_error,
        degrees_of_freedom: is_finite.then_some(mean.degrees_of_freedom),
        quantile: Some(critical_value(task.indicator.ci_level, mean.degrees_of_freedom)?),
        low: Some(mean.lower),
        high: Some(mean.upper),
    })
}

fn source(fit: &Fit, mean: &AdjustedMean) -> &'static str {
    match (&fit.weights, mean.source) {
        (Weights::Margins(..), _) if mean.n >= ROBUST_FROM => "margins",
        (_, SamplingVariance::Robust) => "own-residuals",
        (_, SamplingVariance::Pooled) => "pooled-residuals",
    }
}
