//! Proportions: crude, or adjusted by a logistic fit with a unit offset; score limits.

mod case_mix;
mod explain;
mod fit;
mod mixed;

use prem_spec::{Adjustment, IntervalMethod, Level, Period, Weighting};
use prem_stats::{
    Result, StatsError,
    binary::{AdjustedProportion, WeightedProportion, adjusted_proportions, weighted_proportions},
    interval::{Level as ConfidenceLevel, clopper_pearson, jeffreys_bcd, wilson},
    linear_algebra::Matrix,
    variation::dersimonian_laird,
};
use prem_store::tables::{Components, Estimate};
use rayon::prelude::*;

pub(super) use self::explain::explain;
use self::{
    case_mix::{case_mix_rows, used},
    fit::{Blocks, Fit, Source, fit},
};
use super::{
    Attempt, Estimated, Failure, Task,
    areas::{ShrunkAreas, effects_rows, shrink_areas},
    compare::{self, Compared, Test},
    response::response_rates,
    rows::{blank, count, is_top, levels, publishable},
    survey::Survey,
    weighting::{Weights, suffix},
};
use crate::placement::LevelMap;

/// One group's proportion, adjusted or crude.
struct Share {
    n: u64,
    events: u64,
    /// Kish's; none where respondents count equally.
    n_effective: Option<f64>,
    /// What the group counts for in the region.
    weight: f64,
    crude: f64,
    value: f64,
    /// The unit's effect on the scale of the fit's centred predictor; none without adjustment.
    offset: Option<f64>,
    low: f64,
    high: f64,
    sampling_variance: f64,
    variance: f64,
    /// The answers of a simple sample in which the value would have the same sampling variance.
    value_n: f64,
    gradient: Vec<f64>,
}

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

/// A fit per task.
fn fits(tasks: &[Task<'_>], first: &Task<'_>, survey: &Survey<'_>) -> Vec<Attempt<Fit>> {
    let blocks = Blocks::read(first, survey);
    tasks.par_iter().map(|task| fit(task, survey, &blocks)).collect()
}

/// The period before that of the task at `at`, and its fit, where both are among the tasks.
fn earlier<'a>(tasks: &[Task<'_>], fits: &'a [Attempt<Fit>], at: usize) -> Option<(Period, &'a Fit)> {
    let before = tasks[at].previous();
    let (task, fit) = tasks.iter().zip(fits).find(|(task, _)| Some(task.period) == before)?;
    Some((task.period, fit.as_ref().ok()?))
}

/// The period before, where its values stand on the same adjusters.
fn comparable<'a>(fit: &'a Fit, earlier: Option<(Period, &'a Fit)>) -> Option<(Period, &'a Fit)> {
    let dropped = |fit: &'a Fit| fit.model.as_ref().map(|model| &model.dropped);
    earlier.filter(|(_, earlier)| earlier.names == fit.names && dropped(earlier) == dropped(fit))
}

fn estimate_period(
    task: &Task<'_>,
    survey: &Survey<'_>,
    fit: &Fit,
    earlier: Option<(Period, &Fit)>,
) -> Result<Estimated> {
    let earlier = comparable(fit, earlier);
    let mut out = Estimated::default();
    let (mut lowest, mut models) = (None, Vec::new());
    // Those of the lowest level that has any.
    let mut effects = Vec::new();
    for map in levels(task) {
        let (rows, _, shrunk) = rows(task, fit, earlier, &map, (None, 0))?;
        let told = shrunk.as_ref().filter(|_| is_mixed(task));
        models.extend(told.and_then(|told| mixed::case_mix_row(task, map.level, &rows, &told.model, &used(task, fit))));
        effects = shrunk.map(|shrunk| shrunk.effects).filter(|of_level| !of_level.is_empty()).unwrap_or(effects);
        let rates = response_rates(survey, task.period, &map, None);
        let components = components(task, &map, &rows);
        lowest = components.clone().or(lowest);
        out.components.extend(components);
        for (place, mut row) in (0u32..).zip(rows) {
            row.response_rate = rates.get(&(place, 0)).copied();
            if row.n.is_some_and(|n| n > 0) {
                out.estimates.push(row);
            }
        }
        out.estimates.extend(stratum_rows(task, survey, fit, earlier, &map)?);
    }
    out.case_mix = case_mix_rows(task, fit, lowest.as_ref(), &out.estimates);
    out.case_mix.extend(models);
    out.case_mix.extend(effects_rows(task, &effects, &used(task, fit)));
    let shares = (0..fit.total.table.units()).map(|cell| (fit.total.table.trials(cell), fit.total.weights[cell]));
    out.weighting.extend(fit.weights.row(task, &shares.collect::<Vec<_>>()));
    Ok(out)
}

/// The rows of the level's units in every level of every stratifier, those without respondents left out.
fn stratum_rows(
    task: &Task<'_>,
    survey: &Survey<'_>,
    fit: &Fit,
    earlier: Option<(Period, &Fit)>,
    map: &LevelMap<'_>,
) -> Result<Vec<Estimate>> {
    let mut all = Vec::new();
    for (part, source) in fit.parts.iter().enumerate() {
        let Some((place, _)) = source.stratifier else { continue };
        let Some(stratifier) = survey.questionnaire.stratifiers.get(place) else { continue };
        let rates = response_rates(survey, task.period, map, Some(place));
        for level in 0..source.width() {
            let (rows, ..) = rows(task, fit, earlier, map, (Some(part), level))?;
            for (unit, mut row) in (0u32..).zip(rows) {
                if row.n.is_some_and(|n| n > 0) {
                    row.stratum = stratifier.stratum(Some(level));
                    row.response_rate = rates.get(&(unit, level)).copied();
                    all.push(row);
                }
            }
        }
    }
    Ok(all)
}

/// What the rows of everybody (`None`), or of a level of the indicator's stratifier number `part`, are made of.
fn source_of(fit: &Fit, part: Option<usize>) -> Option<&Source> {
    match part {
        None => Some(&fit.total),
        Some(part) => fit.parts.get(part),
    }
}

fn rows(
    task: &Task<'_>,
    fit: &Fit,
    earlier: Option<(Period, &Fit)>,
    map: &LevelMap<'_>,
    (part, level): (Option<usize>, usize),
) -> Result<(Vec<Estimate>, Vec<Test>, Option<ShrunkAreas>)> {
    let shares_of = |of: &Fit| shares(task, of, fit, map, (part, level));
    let shares = shares_of(fit)?;
    let before = earlier.and_then(|(period, earlier)| Some((period, shares_of(earlier).ok()?)));
    let mut rows: Vec<Estimate> = map.units.iter().map(|unit| blank(task, unit, &method(task))).collect();
    for (place, row) in rows.iter_mut().enumerate() {
        let Some(share) = &shares[place] else { continue };
        fill(task, row, share)?;
        if let Some((period, Some(earlier))) = before.as_ref().map(|(period, shares)| (*period, &shares[place])) {
            compare::with_previous(row, (earlier.value, earlier.variance), (share.value, share.variance), period)?;
        }
    }
    let tests = compare_level(task, fit, map, &shares, &mut rows, (part, level))?;
    let shrunk = match part.is_none() && !is_top(map.level) {
        true if is_mixed(task) => mixed::shrink(task, fit, map, &mut rows)?.map(ShrunkAreas::without_tree),
        true => shrink(task, fit, map, &shares, &mut rows)?,
        false => None,
    };
    Ok((rows, tests, shrunk))
}

/// Shrinks units with enough answers as areas, unless one of them is withheld for its count: without it the mean would lean towards one
/// half, with it the others would tell it. Sampling variances are taken at the region's share: at the unit's own they would be the
/// smaller, the further the share happens to lie from one half.
fn shrink(
    task: &Task<'_>,
    fit: &Fit,
    map: &LevelMap<'_>,
    shares: &[Option<Share>],
    rows: &mut [Estimate],
) -> Result<Option<ShrunkAreas>> {
    let region = region_value(task, fit, (None, 0))?;
    let spread = region * (1.0 - region);
    let is_enough = |n: u64| task.indicator.protection.primary_reason(Some(n), None, None).is_none();
    let places = || (0..rows.len()).filter_map(|place| Some((place, shares[place].as_ref()?)));
    let large: Vec<(usize, &Share)> = places().filter(|(_, share)| is_enough(share.n)).collect();
    if !(spread > 0.0 && large.iter().all(|(place, _)| publishable(task, &rows[*place]))) {
        return Ok(None);
    }
    let areas: Vec<(usize, f64, f64)> =
        large.into_iter().map(|(place, share)| (place, share.value, spread / share.value_n)).collect();
    Ok(shrink_areas(task, map, rows, &areas, (0.0, 1.0)))
}

/// Shrunken by a mixed model of the answers themselves, which knows no weights.
fn is_mixed(task: &Task<'_>) -> bool {
    task.indicator.case_mix.shrinkage == prem_spec::Shrinkage::Lme4 && task.indicator.weighting == Weighting::None
}

fn is_adjusted(task: &Task<'_>) -> bool {
    task.indicator.case_mix.adjustment == Adjustment::Logistic
}

fn method(task: &Task<'_>) -> String {
    let name = match (is_adjusted(task), task.indicator.interval) {
        (true, _) => "logistic/unit-offset/score",
        (false, IntervalMethod::ClopperPearson) => "proportion/clopper-pearson",
        (false, IntervalMethod::Jeffreys) => "proportion/jeffreys",
        (false, _) => "proportion/wilson",
    };
    format!("{name}{}", suffix(task.indicator.weighting))
}

/// The shares of the groups of `map`, the remainder last, in the period of `fit`, adjusted to the patients of `reference`.
fn shares(
    task: &Task<'_>,
    fit: &Fit,
    reference: &Fit,
    map: &LevelMap<'_>,
    (part, level): (Option<usize>, usize),
) -> Result<Vec<Option<Share>>> {
    let Some(source) = source_of(fit, part) else { return Ok((0..map.groups()).map(|_| None).collect()) };
    let parent = source.parents(&map.parent, level);
    if !matches!(fit.weights, Weights::Equal) {
        let cells = source.cells(fit.weights.correction(task));
        let groups = (parent.as_slice(), map.groups());
        let found =
            weighted_proportions(fit.model.as_ref(), &cells, groups, &reference.reference, task.indicator.ci_level)?;
        return found.into_iter().map(|share| share.map(|share| weighted(task, share)).transpose()).collect();
    }
    let groups = source.table.aggregate(&parent, map.groups())?;
    let Some(model) = &fit.model else {
        return (0..map.groups()).map(|group| crude(task, groups.events(group), groups.trials(group))).collect();
    };
    let adjusted = adjusted_proportions(model, &groups, &reference.reference, task.indicator.ci_level)?;
    Ok(adjusted.into_iter().map(|unit| unit.map(unweighted)).collect())
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn unweighted(share: AdjustedProportion) -> Share {
    Share {
        n: share.n,
        events: share.events,
        n_effective: None,
        weight: share.n as f64,
        crude: share.crude,
        value: share.value,
        offset: Some(share.offset),
        low: share.lower,
        high: share.upper,
        sampling_variance: share.sampling_variance,
        variance: share.variance,
        value_n: share.value_n,
        gradient: share.gradient,
    }
}

fn weighted(task: &Task<'_>, share: WeightedProportion) -> Result<Share> {
    let (low, high) = match share.limits {
        Some(limits) => limits,
        None => interval(task, share.crude * share.binomial_n, share.binomial_n)?,
    };
    let is_mixed = share.events > 0 && share.events < share.n;
    let sampling_variance = match share.limits {
        None if !is_mixed => width_as_variance(task, low, high)?,
        _ => share.sampling_variance,
    };
    Ok(Share {
        n: share.n,
        events: share.events,
        n_effective: Some(share.n_effective),
        weight: share.weight,
        crude: share.crude,
        value: share.value,
        offset: share.offset,
        low,
        high,
        sampling_variance,
        variance: share.variance - share.sampling_variance + sampling_variance,
        value_n: share.value_n,
        gradient: share.gradient,
    })
}

fn interval(task: &Task<'_>, events: f64, n: f64) -> Result<(f64, f64)> {
    let level = ConfidenceLevel::new(task.indicator.ci_level)?;
    let interval = match task.indicator.interval {
        IntervalMethod::ClopperPearson => clopper_pearson(events, n, level)?,
        IntervalMethod::Jeffreys => jeffreys_bcd(events, n, level)?,
        _ => wilson(events, n, level)?,
    }
    .interval;
    Ok((interval.low, interval.high))
}

/// Everybody or nobody: the binomial variance is 0, which nobody believes; the interval's width says more.
fn width_as_variance(task: &Task<'_>, low: f64, high: f64) -> Result<f64> {
    let z = ConfidenceLevel::new(task.indicator.ci_level)?.z()?;
    Ok(((high - low) / (2.0 * z)).powi(2))
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn crude(task: &Task<'_>, events: u64, n: u64) -> Result<Option<Share>> {
    if n == 0 {
        return Ok(None);
    }
    let (x, of) = (events as f64, n as f64);
    let (low, high) = interval(task, x, of)?;
    let value = x / of;
    let variance =
        if value > 0.0 && value < 1.0 { value * (1.0 - value) / of } else { width_as_variance(task, low, high)? };
    Ok(Some(Share {
        n,
        events,
        n_effective: None,
        weight: of,
        crude: value,
        value,
        offset: None,
        low,
        high,
        sampling_variance: variance,
        variance,
        value_n: of,
        gradient: Vec::new(),
    }))
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn fill(task: &Task<'_>, row: &mut Estimate, share: &Share) -> Result<()> {
    row.n = count(share.n);
    row.n_effective = share.n_effective;
    // Persons, also where values are weighted: what protection looks at.
    row.numerator = Some(share.events as f64);
    row.denominator = Some(share.n as f64);
    row.raw = Some(share.crude);
    row.value = Some(share.value);
    row.se = Some(share.variance.max(0.0).sqrt());
    row.ci_low = Some(share.low);
    row.ci_high = Some(share.high);
    row.goal_level = compare::goal_level(task.indicator, share.value, row.coverage)?;
    Ok(())
}

fn compare_level(
    task: &Task<'_>,
    fit: &Fit,
    map: &LevelMap<'_>,
    shares: &[Option<Share>],
    rows: &mut [Estimate],
    of: (Option<usize>, usize),
) -> Result<Vec<Test>> {
    let parts: Vec<Option<Compared>> = shares
        .iter()
        .map(|share| {
            share.as_ref().map(|share| Compared {
                value: share.value,
                sampling_variance: share.sampling_variance,
                degrees_of_freedom: f64::INFINITY,
                weight: share.weight,
                gradient: share.gradient.clone(),
            })
        })
        .collect();
    let (parts, rest) = parts.split_at(map.units.len());
    let mut tests = compare::untested(rows.len());
    if !is_top(map.level) {
        let none = Matrix::zeros(0, 0);
        let covariance = fit.model.as_ref().map_or(&none, |model| &model.covariance);
        compare::with_region(rows, parts, rest.first().and_then(Option::as_ref), covariance)?;
        // A level in which nobody is has no region either.
        if rows.iter().any(|row| row.difference.is_some()) {
            let region = region_value(task, fit, of)?;
            let total: f64 = shares.iter().flatten().map(|share| share.weight).sum();
            for ((row, share), test) in rows.iter_mut().zip(shares).zip(&mut tests) {
                let (Some(share), Some(se)) = (share, row.difference_se) else { continue };
                // The logistic mean of the units is not the mean of all; the reference is the value that is published.
                row.reference = Some(region);
                row.difference = row.value.map(|value| value - region);
                *test = Test::Binomial { answers: answers(share, region, se, share.weight / total) };
            }
        }
    }
    let is_publishable: Vec<bool> = rows.iter().map(|row| publishable(task, row)).collect();
    compare::assess(rows, task.indicator, &tests, &is_publishable)?;
    Ok(tests)
}

/// The answers of a simple sample whose share has the variance of the difference if the unit is as the region: the own part of
/// the variance, (1 − w)²S, is taken at the region's share instead of the unit's.
fn answers(share: &Share, region: f64, se: f64, weight: f64) -> f64 {
    let spread = region * (1.0 - region);
    let own = spread / share.value_n - share.sampling_variance;
    spread / (se * se + (1.0 - weight).powi(2) * own)
}

/// The region's own value: all respondents together.
fn region_value(task: &Task<'_>, fit: &Fit, of: (Option<usize>, usize)) -> Result<f64> {
    let all = LevelMap::new(&task.inputs.plan.organisation, Level::Rhf);
    let shares = shares(task, fit, fit, &all, of)?;
    let region = shares.into_iter().flatten().next().map(|share| share.value);
    region.ok_or(StatsError::Empty { what: "respondents of the region" })
}

/// Between-unit variance of the level's values, sampling error removed (`DerSimonian`–Laird).
fn components(task: &Task<'_>, map: &LevelMap<'_>, rows: &[Estimate]) -> Option<Components> {
    if is_top(map.level) {
        return None;
    }
    // The crude share has its own sampling variance, not that of the adjusted one.
    let adjusted = |row: &Estimate| Some((row.value?, row.se?.powi(2)));
    let crude = |row: &Estimate| {
        let raw = row.raw?;
        Some((raw, raw * (1.0 - raw) / row.n_effective.or(row.denominator)?))
    };
    // Of nobody and everybody neither variance says anything.
    let mixed: Vec<&Estimate> = rows
        .iter()
        .filter(|row| row.numerator.is_some_and(|events| events > 0.0) && row.numerator < row.denominator)
        .collect();
    let known = |pair: &dyn Fn(&Estimate) -> Option<(f64, f64)>| -> Option<f64> {
        let pairs: Vec<(f64, f64)> =
            mixed.iter().filter_map(|row| pair(row)).filter(|(_, variance)| *variance > 0.0).collect();
        let (values, variances): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        dersimonian_laird(&values, &variances).ok().map(|fit| fit.between_unit_sd())
    };
    let logits: Vec<(f64, f64)> = mixed
        .iter()
        .filter_map(|row| {
            let (value, se) = (row.value?, row.se?);
            let spread = value * (1.0 - value);
            (spread > 0.0 && se > 0.0).then(|| ((value / (1.0 - value)).ln(), (se / spread).powi(2)))
        })
        .collect();
    let (values, variances): (Vec<f64>, Vec<f64>) = logits.into_iter().unzip();
    let between_sd = known(&adjusted);
    Some(Components {
        period: task.period.to_string(),
        indicator: task.indicator.id.clone(),
        level: map.level.as_str().to_owned(),
        between_sd,
        between_sd_unadjusted: if is_adjusted(task) { known(&crude) } else { between_sd },
        icc: None,
        log_odds_variance: dersimonian_laird(&values, &variances).ok().map(|fit| fit.tau2),
    })
}
