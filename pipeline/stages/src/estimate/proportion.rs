//! Proportions: crude, or adjusted by a logistic fit with a unit offset; score limits.

use prem_spec::{Adjustment, IntervalMethod};
use prem_stats::{
    Result, StatsError,
    binary::{BinaryCounts, BinaryTable, LogisticFit, SeparationPolicy, adjusted_proportions, fit_logistic},
    interval::{Level as ConfidenceLevel, clopper_pearson, jeffreys_bcd, wilson},
    linear_algebra::{DropReason, Matrix},
    variation::dersimonian_laird,
};
use prem_store::tables::{CaseMix, Components, Estimate};

use super::{
    Estimated, Task,
    coding::{coded_design, coefficient_rows},
    compare::{self, Compared},
    rows::{blank, count, is_top, levels, model_row, movement, response_rates},
};
use crate::placement::LevelMap;

struct Fit {
    names: Vec<String>,
    left_out: u64,
    /// Answers per lowest unit and pattern of adjusters.
    table: BinaryTable,
    /// `None` without adjustment.
    model: Option<LogisticFit>,
}

/// One group's proportion, adjusted or crude.
struct Share {
    n: u64,
    events: u64,
    value: f64,
    low: f64,
    high: f64,
    sampling_variance: f64,
    variance: f64,
    gradient: Vec<f64>,
}

pub(super) fn estimate(task: &Task<'_>) -> Result<Estimated> {
    let fit = fit(task)?;
    let earlier = task.previous().and_then(|task| Some((task.period, self::fit(&task).ok()?)));
    let response = task.responses();
    let mut out = Estimated::default();
    for map in levels(task) {
        let shares = shares(task, &fit, &fit.table, &map)?;
        let before = earlier.as_ref().and_then(|(period, earlier)| {
            (earlier.names == fit.names).then_some(())?;
            Some((*period, self::shares(task, earlier, &fit.table, &map).ok()?))
        });
        let mut rows: Vec<Estimate> = map.units.iter().map(|unit| blank(task, unit, method(task))).collect();
        for (place, row) in rows.iter_mut().enumerate() {
            let Some(share) = &shares[place] else { continue };
            fill(task, row, share)?;
            if let Some((period, Some(earlier))) = before.as_ref().map(|(period, shares)| (*period, &shares[place])) {
                compare::with_previous(row, (earlier.value, earlier.variance), (share.value, share.variance), period)?;
            }
        }
        compare_level(task, &fit, &map, &shares, &mut rows)?;
        let rates = response_rates(task, &response, &map);
        out.components.extend(components(task, &map, &rows));
        for (place, mut row) in (0u32..).zip(rows) {
            row.response_rate = rates.get(&place).copied();
            if row.n.is_some_and(|n| n > 0) {
                out.estimates.push(row);
            }
        }
    }
    out.case_mix = case_mix_rows(task, &fit, &out.estimates);
    Ok(out)
}

fn is_adjusted(task: &Task<'_>) -> bool {
    task.indicator.case_mix.adjustment == Adjustment::Logistic
}

fn method(task: &Task<'_>) -> &'static str {
    match (is_adjusted(task), task.indicator.interval) {
        (true, _) => "logistic/unit-offset/score",
        (false, IntervalMethod::ClopperPearson) => "proportion/clopper-pearson",
        (false, IntervalMethod::Jeffreys) => "proportion/jeffreys",
        (false, _) => "proportion/wilson",
    }
}

fn fit(task: &Task<'_>) -> Result<Fit> {
    let response = task.responses();
    let values = response.values(&task.indicator.id);
    let rows: Vec<usize> = (0..response.len()).filter(|row| !values[*row].is_nan()).collect();
    if rows.is_empty() {
        return Err(StatsError::Empty { what: "responses in the period" });
    }
    let design = coded_design(task, &rows)?;
    let units: Vec<u32> = design.rows.iter().map(|row| response.units[*row]).collect();
    let y: Vec<f64> = design.rows.iter().map(|row| values[*row]).collect();
    let mut counts = BinaryCounts::new(task.inputs.plan.organisation.units.len(), design.columns.len());
    counts.add(&units, &y, &design.slices())?;
    let table = counts.finish();
    // An adjuster that separates the answers has no finite coefficient; the others still adjust, and it is named.
    let model = is_adjusted(task).then(|| fit_logistic(&table, SeparationPolicy::Drop)).transpose()?;
    Ok(Fit { names: design.names, left_out: design.left_out, table, model })
}

/// The shares of the groups of `map`, the remainder last, adjusted to the respondents of `reference`.
fn shares(task: &Task<'_>, fit: &Fit, reference: &BinaryTable, map: &LevelMap<'_>) -> Result<Vec<Option<Share>>> {
    let groups = fit.table.aggregate(&map.parent, map.groups())?;
    let Some(model) = &fit.model else {
        return (0..map.groups()).map(|group| crude(task, groups.events(group), groups.trials(group))).collect();
    };
    let adjusted = adjusted_proportions(model, &groups, &reference.reference(), task.indicator.ci_level)?;
    let share = |share: prem_stats::binary::AdjustedProportion| Share {
        n: share.n,
        events: share.events,
        value: share.value,
        low: share.lower,
        high: share.upper,
        sampling_variance: share.sampling_variance,
        variance: share.variance,
        gradient: share.gradient,
    };
    Ok(adjusted.into_iter().map(|unit| unit.map(share)).collect())
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn crude(task: &Task<'_>, events: u64, n: u64) -> Result<Option<Share>> {
    if n == 0 {
        return Ok(None);
    }
    let (x, of) = (events as f64, n as f64);
    let level = ConfidenceLevel::new(task.indicator.ci_level)?;
    let interval = match task.indicator.interval {
        IntervalMethod::ClopperPearson => clopper_pearson(x, of, level)?,
        IntervalMethod::Jeffreys => jeffreys_bcd(x, of, level)?,
        _ => wilson(x, of, level)?,
    }
    .interval;
    let value = x / of;
    let (low, high) = (interval.low, interval.high);
    let variance = if value > 0.0 && value < 1.0 {
        value * (1.0 - value) / of
    } else {
        // Everybody or nobody: the binomial variance is 0, which nobody believes; the interval's width says more.
        ((high - low) / (2.0 * level.z()?)).powi(2)
    };
    Ok(Some(Share { n, events, value, low, high, sampling_variance: variance, variance, gradient: Vec::new() }))
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn fill(task: &Task<'_>, row: &mut Estimate, share: &Share) -> Result<()> {
    row.n = count(share.n);
    row.numerator = Some(share.events as f64);
    row.denominator = Some(share.n as f64);
    row.raw = Some(share.events as f64 / share.n as f64);
    row.value = Some(share.value);
    row.se = Some(share.variance.max(0.0).sqrt());
    row.ci_low = Some(share.low);
    row.ci_high = Some(share.high);
    row.goal_level = compare::goal_level(task.indicator, share.value, row.coverage)?;
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn compare_level(
    task: &Task<'_>,
    fit: &Fit,
    map: &LevelMap<'_>,
    shares: &[Option<Share>],
    rows: &mut [Estimate],
) -> Result<()> {
    let parts: Vec<Option<Compared>> = shares
        .iter()
        .map(|share| {
            share.as_ref().map(|share| Compared {
                value: share.value,
                sampling_variance: share.sampling_variance,
                degrees_of_freedom: f64::INFINITY,
                weight: share.n as f64,
                gradient: share.gradient.clone(),
            })
        })
        .collect();
    let (parts, rest) = parts.split_at(map.units.len());
    let mut freedom = vec![f64::INFINITY; rows.len()];
    if !is_top(map.level) {
        let none = Matrix::zeros(0, 0);
        let covariance = fit.model.as_ref().map_or(&none, |model| &model.covariance);
        freedom = compare::with_region(rows, parts, rest.first().and_then(Option::as_ref), covariance)?;
        let region = region_value(task, fit)?;
        for row in rows.iter_mut().filter(|row| row.difference.is_some()) {
            // The logistic mean of the units is not the mean of all; the reference is the value that is published.
            row.reference = Some(region);
            row.difference = row.value.map(|value| value - region);
        }
    }
    let is_publishable: Vec<bool> = rows.iter().map(|row| publishable(task, row)).collect();
    compare::assess(rows, task.indicator, &freedom, &is_publishable)
}

/// The region's own value: all respondents together.
fn region_value(task: &Task<'_>, fit: &Fit) -> Result<f64> {
    let all = LevelMap::new(&task.inputs.plan.organisation, prem_spec::Level::Rhf);
    let shares = shares(task, fit, &fit.table, &all)?;
    shares
        .into_iter()
        .flatten()
        .next()
        .map(|share| share.value)
        .ok_or(StatsError::Empty { what: "respondents of the region" })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts that were whole numbers")]
fn publishable(task: &Task<'_>, row: &Estimate) -> bool {
    let count = |value: Option<f64>| value.map(|value| value as u64);
    let n = row.n.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    task.indicator.protection.primary_reason(Some(n), count(row.numerator), count(row.denominator)).is_none()
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
        Some((raw, raw * (1.0 - raw) / row.denominator?))
    };
    let known = |pair: &dyn Fn(&Estimate) -> Option<(f64, f64)>| -> Option<f64> {
        let pairs: Vec<(f64, f64)> = rows.iter().filter_map(pair).filter(|(_, variance)| *variance > 0.0).collect();
        let (values, variances): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        dersimonian_laird(&values, &variances).ok().map(|fit| fit.between_unit_sd())
    };
    let logits: Vec<(f64, f64)> = rows
        .iter()
        .filter_map(|row| {
            let (value, se) = (row.value?, row.se?);
            let spread = value * (1.0 - value);
            (spread > 0.0 && se > 0.0).then(|| ((value / (1.0 - value)).ln(), (se / spread).powi(2)))
        })
        .collect();
    let (values, variances): (Vec<f64>, Vec<f64>) = logits.into_iter().unzip();
    Some(Components {
        period: task.period.to_string(),
        indicator: task.indicator.id.clone(),
        level: map.level.as_str().to_owned(),
        between_sd: known(&adjusted),
        between_sd_unadjusted: known(&crude),
        icc: None,
        log_odds_variance: dersimonian_laird(&values, &variances).ok().map(|fit| fit.tau2),
    })
}

fn case_mix_rows(task: &Task<'_>, fit: &Fit, estimates: &[Estimate]) -> Vec<CaseMix> {
    let Some(model) = &fit.model else { return Vec::new() };
    let (adjustment_max, adjustment_mean) = movement(estimates);
    let whole = CaseMix {
        n_used: count(model.rows).unwrap_or(0),
        n_left_out: count(fit.left_out).unwrap_or(0),
        n_units: i64::try_from(model.unit_effects.iter().flatten().count()).unwrap_or(i64::MAX),
        adjustment_max,
        adjustment_mean,
        convergence: if model.convergence.converged { "converged" } else { "not converged" }.to_owned(),
        ..model_row(task, "(fit)", method(task))
    };
    let dropped: Vec<(usize, DropReason)> = model.dropped.iter().map(|d| (d.index, d.reason)).collect();
    let errors = model.standard_errors();
    let terms = coefficient_rows(&whole, &fit.names, &model.coefficients, &errors, &dropped, f64::INFINITY);
    std::iter::once(whole).chain(terms).collect()
}
