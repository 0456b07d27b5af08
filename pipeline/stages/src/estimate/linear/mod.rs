//! Means: raw, adjusted by one β̂ for all levels, shrunken per level: by a random intercept, weighted values as areas.

mod case_mix;
mod fit;
mod means;
mod nested;
mod shrink;

use prem_spec::{Adjustment, BetaSource, Weighting};
use prem_stats::{
    Result,
    case_mix::{Criterion, WithinFit, fit_random_intercept},
};

use self::{
    case_mix::case_mix_rows,
    fit::{Fit, fit},
    means::level,
    nested::Nested,
};
use super::{
    Estimated, Task,
    rows::{levels, response_rates},
};

pub(super) fn estimate(task: &Task<'_>) -> Result<Estimated> {
    let current = fit(task)?;
    let lowest = match fit_random_intercept(&current.moments, Criterion::Reml, fixed(task, &current)) {
        Err(error) if is_gls(task) => return Err(error),
        fitted => fitted.ok(),
    };
    let earlier = task.previous().and_then(|task| Some((task.period, fit(&task).ok()?)));
    let nested = Nested::of(task, &current);
    let response = task.responses();
    let mut out = Estimated::default();
    for map in levels(task) {
        let level = level(task, &current, (lowest.as_ref(), nested.as_ref()), earlier.as_ref(), &map)?;
        let rates = response_rates(task, &response, &map);
        out.components.extend(level.components);
        for (place, mut row) in (0u32..).zip(level.rows) {
            row.response_rate = rates.get(&place).copied();
            if row.n.is_some_and(|n| n > 0) {
                out.estimates.push(row);
            }
        }
    }
    out.case_mix = case_mix_rows(task, &current, lowest.as_ref(), &out.estimates);
    out.case_mix.extend(nested.iter().flat_map(|nested| nested.case_mix_rows(task, &current)));
    Ok(out)
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
    let id = match (task.indicator.case_mix.adjustment, task.indicator.weighting) {
        (Adjustment::None, Weighting::None) => "mean",
        (Adjustment::None, Weighting::Design) => "mean/design-weighted",
        (_, _) if is_gls(task) => "random-intercept/gls",
        (_, Weighting::None) => "random-intercept/within",
        (_, Weighting::Design) => "random-intercept/within/design-weighted",
    };
    match task.indicator.case_mix.baseline {
        Some(baseline) => format!("{id}/baseline {baseline}"),
        None => id.to_owned(),
    }
}
