//! Means: raw, adjusted by one β̂ for all levels, shrunken: by a random intercept per level or by all levels at once, weighted values
//! as areas.

mod adjusted;
mod case_mix;
mod explain;
mod fit;
mod level;
mod nested;
mod shrink;

use prem_spec::{Adjustment, BetaSource, Period, Weighting};
use prem_stats::case_mix::{Criterion, WithinFit, fit_random_intercept};
use rayon::prelude::*;

pub(super) use self::explain::explain;
use self::{
    adjusted::Parts,
    case_mix::case_mix_rows,
    fit::{Blocks, Fit, fit},
    level::{Side, level, stratum_rows},
    nested::Nested,
};
use super::{
    Attempt, Estimated, Failure, Task,
    areas::effects_rows,
    response::response_rates,
    rows::{chosen_strata, levels},
    survey::Survey,
    weighting::suffix,
};

/// The estimates of one indicator, a period a task: its responses are read once for all of them.
pub(super) fn estimate(tasks: &[Task<'_>]) -> Vec<Attempt<Estimated>> {
    let Some((first, survey)) = tasks.first().and_then(|task| Some((task, task.survey?))) else { return Vec::new() };
    let fits = fits(tasks, first, survey);
    let one = |at: usize| {
        let current = fits[at].as_ref().map_err(Clone::clone)?;
        estimate_period(&tasks[at], survey, current, earlier(tasks, &fits, at)).map_err(Failure::Kernel)
    };
    (0..tasks.len()).into_par_iter().map(one).collect()
}

/// A fit per task, all at the same reference mix where a baseline is declared.
fn fits(tasks: &[Task<'_>], first: &Task<'_>, survey: &Survey<'_>) -> Vec<Attempt<Fit>> {
    let blocks = Blocks::read(first, survey);
    let mut fits: Vec<Attempt<Fit>> = tasks.par_iter().map(|task| fit(task, survey, &blocks)).collect();
    at_baseline(tasks, survey, &blocks, &mut fits);
    fits
}

/// The period before that of the task at `at`, and its fit, where both are among the tasks.
fn earlier<'a>(tasks: &[Task<'_>], fits: &'a [Attempt<Fit>], at: usize) -> Option<(Period, &'a Fit)> {
    let before = tasks[at].previous();
    let (task, fit) = tasks.iter().zip(fits).find(|(task, _)| Some(task.period) == before)?;
    Some((task.period, fit.as_ref().ok()?))
}

/// Puts all fits at the reference mix of the declared baseline period, where there is one.
fn at_baseline(tasks: &[Task<'_>], survey: &Survey<'_>, blocks: &Blocks, fits: &mut [Attempt<Fit>]) {
    let Some(baseline) = tasks.first().and_then(|task| task.indicator.case_mix.baseline) else { return };
    let own = tasks.iter().position(|task| task.period == baseline);
    let reference = match own {
        Some(place) => fits[place].as_ref().map(|fit| fit.reference.clone()).map_err(Clone::clone),
        None => fit(&tasks[0].at(baseline), survey, blocks).map(|fit| fit.reference),
    }
    .map_err(|failure| failure.at_baseline(baseline));
    for fit in fits {
        match (fit, &reference) {
            (Ok(fit), Ok(reference)) => fit.reference.clone_from(reference),
            (fit @ Ok(_), Err(failure)) => *fit = Err(failure.clone()),
            (Err(_), _) => {}
        }
    }
}

fn estimate_period(
    task: &Task<'_>,
    survey: &Survey<'_>,
    current: &Fit,
    earlier: Option<(Period, &Fit)>,
) -> prem_stats::Result<Estimated> {
    let sides = sides(task, survey, current, earlier, &chosen_strata(task, survey))?;
    let nested = Nested::of(task, current);
    let mut out = Estimated::default();
    // Those of the lowest level that has any.
    let mut effects = Vec::new();
    for map in levels(task) {
        let level = level(task, survey, &sides, nested.as_ref(), &map)?;
        if !level.effects.is_empty() {
            effects = level.effects;
        }
        let rates = response_rates(survey, task.period, &map, None);
        out.components.extend(level.components);
        for (place, mut row) in (0u32..).zip(level.values.rows) {
            row.response_rate = rates.get(&(place, 0)).copied();
            if row.n.is_some_and(|n| n > 0) {
                out.estimates.push(row);
            }
        }
        out.estimates.extend(stratum_rows(task, survey, &sides, &map)?);
    }
    out.case_mix = case_mix_rows(task, current, sides[0].lowest.as_ref(), &out.estimates);
    out.case_mix.extend(nested.iter().flat_map(|nested| nested.case_mix_rows(task, current)));
    if let Some(whole) = out.case_mix.first() {
        let rows = effects_rows(task, &effects, whole);
        out.case_mix.extend(rows);
    }
    out.weighting.extend(current.weights.row(task, &current.shares()));
    Ok(out)
}

/// The period's own fit and that of the period before, with what hangs on them; `strata` are positions of stratifiers.
fn sides<'a>(
    task: &Task<'_>,
    survey: &Survey<'_>,
    current: &'a Fit,
    earlier: Option<(Period, &'a Fit)>,
    strata: &[usize],
) -> prem_stats::Result<Vec<Side<'a>>> {
    let lowest = match fit_random_intercept(&current.moments, Criterion::Reml, fixed(task, current)) {
        Err(error) if is_gls(task) => return Err(error),
        fitted => fitted.ok(),
    };
    // An adjuster that only one of the fits could use leaves no common point to compare at.
    let earlier = earlier.filter(|(_, earlier)| earlier.within.dropped == current.within.dropped);
    let mut sides = vec![Side { fit: current, lowest, period: task.period, parts: Vec::new() }];
    if let Some((period, fit)) = earlier {
        let lowest = fit_random_intercept(&fit.moments, Criterion::Reml, fixed(task, fit)).ok();
        // Without the model's own coefficients the earlier values would be by another method.
        if lowest.is_some() || !is_gls(task) {
            sides.push(Side { fit, lowest, period, parts: Vec::new() });
        }
    }
    for place in strata {
        for side in &mut sides {
            let of = Task { period: side.period, ..*task };
            let parts = Parts::read(&of, survey, side.fit, side.lowest.as_ref(), *place)?;
            side.parts.extend(parts);
        }
    }
    Ok(sides)
}

/// The β that the mixed model takes as given; `None` for its own (`gls`).
fn fixed<'a>(task: &Task<'_>, fit: &'a Fit) -> Option<&'a WithinFit> {
    (!is_gls(task)).then_some(&fit.within)
}

fn is_gls(task: &Task<'_>) -> bool {
    task.indicator.case_mix.adjustment == Adjustment::RandomIntercept { beta: BetaSource::Gls }
}

/// Id of the method behind `value`.
fn method(task: &Task<'_>) -> String {
    let name = match task.indicator.case_mix.adjustment {
        Adjustment::None => "mean",
        _ if is_gls(task) => "random-intercept/gls",
        _ => "random-intercept/within",
    };
    let weighting = suffix(task.indicator.weighting);
    match task.indicator.case_mix.baseline {
        Some(baseline) => format!("{name}{weighting}/baseline {baseline}"),
        None => format!("{name}{weighting}"),
    }
}

/// Whether respondents count equally.
fn is_unweighted(task: &Task<'_>) -> bool {
    task.indicator.weighting == Weighting::None
}
