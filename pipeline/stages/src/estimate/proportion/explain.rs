//! One proportion once more, with its model and the patients that it refers to.

use prem_spec::IntervalMethod;
use prem_stats::binary::{LogisticFit, expit};

use super::{
    Share, comparable, earlier,
    fit::{Fit, Source},
    fits, rows, shares, source_of,
};
use crate::{
    estimate::{
        Attempt, Found, Task, Wanted,
        explain::{asked, family, weights},
        response::{Count, response_of},
        rows::is_top,
    },
    explain::{Calculation, Interval, LogisticModel, LogisticTerm, Proportion, ReferenceGroup},
};

/// Groups that the reference patients are told in, of equal width of the predictor.
const GROUPS: usize = 10;

/// The wanted proportion, of the first task's period; `None` where there is none.
pub(in crate::estimate) fn explain(tasks: &[Task<'_>], wanted: &Wanted<'_>) -> Attempt<Option<Found>> {
    let Some((task, survey)) = tasks.first().and_then(|task| Some((task, task.survey?))) else { return Ok(None) };
    let (Some((map, place)), Some(group)) = (wanted.place(task), wanted.group(task)) else { return Ok(None) };
    let fits = fits(tasks, task, survey);
    let Some(fit) = fits.first() else { return Ok(None) };
    let fit = fit.as_ref().map_err(Clone::clone)?;
    let part = (group.map(|(_, at, _)| at), group.map_or(0, |(_, _, level)| level));
    let before = comparable(fit, earlier(tasks, &fits, 0));
    let (mut all, tests, shrunk) = rows(task, fit, before, &map, part)?;
    let family = family(&all);
    let mut of_level = shares(task, fit, fit, &map, part)?;
    let (Some(source), Some(share)) = (source_of(fit, part.0), of_level[place].take()) else { return Ok(None) };
    let mut row = all.swap_remove(place);
    let group = group.map(|(stratifier, _, level)| (stratifier, level));
    row.response_rate = response_of(survey, task.period, (&map, place), group).and_then(Count::rate);
    row.stratum = wanted.stratum.to_owned();
    let before = before.and_then(|(period, before)| {
        let share = shares(task, before, fit, &map, part).ok()?[place].take()?;
        Some((period, share.value, share.variance))
    });
    let parents = source.parents(&map.parent, part.1);
    let members: Vec<usize> = (0..parents.len()).filter(|cell| parents[*cell] == u32::try_from(place).ok()).collect();
    Ok(Some(Found {
        family,
        test: tests.get(place).copied().filter(|_| !is_top(map.level)),
        is_tested_at_zero: false,
        calculation: Calculation::Proportion(told(fit, source, &members, &share)),
        interval: interval(task, fit, &share),
        shrinkage: shrunk.map(|shrunk| shrunk.model),
        weights: weights(task, share.n, share.n_effective, share.weight),
        earlier: before,
        response: asked(task, (&map, place), group),
        row,
    }))
}

/// (pattern, weighted respondents, weighted events) of some cells.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn patterns<'a>(source: &'a Source, members: &'a [usize]) -> impl Iterator<Item = (usize, f64, f64)> + 'a {
    members.iter().flat_map(|member| {
        let weight = source.weights[*member];
        let cells = source.table.cells(*member).iter();
        cells.map(move |cell| (cell.pattern as usize, weight * cell.trials as f64, weight * cell.events as f64))
    })
}

fn told(fit: &Fit, source: &Source, members: &[usize], share: &Share) -> Proportion {
    let (mut respondents, mut events) = (0.0, 0.0);
    for (_, trials, of) in patterns(source, members) {
        respondents += trials;
        events += of;
    }
    let model = fit.model.as_ref().zip(share.offset).map(|(model, offset)| {
        let expected = |(pattern, trials, _): (usize, f64, f64)| {
            trials * expit(model.linear_predictor(source.table.pattern(pattern)) + offset)
        };
        LogisticModel {
            coefficients: coefficients(fit, model),
            offset: Some(offset).filter(|offset| offset.is_finite()),
            expected_events: patterns(source, members).map(expected).sum(),
            reference: reference(fit, model, offset),
        }
    });
    Proportion { events, respondents, raw: share.crude, model, value: share.value }
}

fn coefficients(fit: &Fit, model: &LogisticFit) -> Vec<LogisticTerm> {
    let errors = model.standard_errors();
    let dropped: Vec<usize> = model.dropped.iter().map(|dropped| dropped.index).collect();
    let term = |(place, name): (usize, &String)| {
        Some(LogisticTerm {
            column: name.clone(),
            center: *model.center.get(place)?,
            coefficient: *model.coefficients.get(place)?,
            coefficient_se: *errors.get(place)?,
            dropped: dropped.contains(&place),
        })
    };
    fit.names.iter().enumerate().filter_map(term).collect()
}

/// The reference patients by their predictor, with the mean of what the model expects of them at the unit.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place among few groups"
)]
fn reference(fit: &Fit, model: &LogisticFit, offset: f64) -> Vec<ReferenceGroup> {
    let patients = &fit.reference;
    let total: f64 = patients.weights().iter().sum();
    let predictors: Vec<f64> =
        (0..patients.weights().len()).map(|patient| model.linear_predictor(patients.row(patient))).collect();
    let low = predictors.iter().copied().fold(f64::INFINITY, f64::min);
    let high = predictors.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let width = (high - low) / GROUPS as f64;
    let end = |place: usize| low + width * place as f64;
    let mut groups: Vec<ReferenceGroup> = (0..GROUPS)
        .map(|place| ReferenceGroup { from: end(place), to: end(place + 1), ..ReferenceGroup::default() })
        .collect();
    for (predictor, weight) in predictors.iter().zip(patients.weights()) {
        let place = if width > 0.0 { ((predictor - low) / width) as usize } else { 0 };
        let group = &mut groups[place.min(GROUPS - 1)];
        group.share += weight / total;
        group.product += weight / total * expit(predictor + offset);
    }
    groups.retain(|group| group.share > 0.0);
    for group in &mut groups {
        group.probability = group.product / group.share;
    }
    groups
}

fn interval(task: &Task<'_>, fit: &Fit, share: &Share) -> Interval {
    let method = match (&fit.model, task.indicator.interval) {
        (Some(_), _) => "score",
        (None, IntervalMethod::ClopperPearson) => "clopper-pearson",
        (None, IntervalMethod::Jeffreys) => "jeffreys",
        (None, _) => "wilson",
    };
    let from_fit = fit.model.as_ref().map(|model| model.covariance.quadratic(&share.gradient).max(0.0));
    Interval {
        method: method.to_owned(),
        level: task.indicator.ci_level,
        sampling_variance: share.sampling_variance,
        sampling_source: "model".to_owned(),
        coefficient_variance: from_fit.unwrap_or(0.0),
        covariance: 0.0,
        se: share.variance.max(0.0).sqrt(),
        degrees_of_freedom: None,
        quantile: None,
        low: Some(share.low),
        high: Some(share.high),
    }
}
