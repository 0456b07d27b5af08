//! `fixed-effects`: unit effects as fixed effects by a named convention, single items and composites.

mod explain;

use prem_spec::Convention;
use prem_stats::{
    Result, StatsError,
    case_mix::{FixedEffectsConvention, FixedEffectsFit, fixed_effects},
    interval::Level as ConfidenceLevel,
    linear_algebra::DropReason,
};
use prem_store::tables::{CaseMix, Estimate};

pub(super) use self::explain::explain;
use super::{
    Estimated, Task,
    coding::{coefficient_rows, design_of},
    compare,
    rows::{blank, count, is_top, levels, model_row, movement, publishable},
};
use crate::placement::LevelMap;

pub(super) fn estimate(task: &Task<'_>, convention: Convention) -> Result<Estimated> {
    let (convention, method) = named(convention);
    let mut out = Estimated::default();
    let maps = levels(task);
    let Some(map) = maps.iter().find(|map| !is_top(map.level)) else { return Ok(out) };
    let (fit, names, left_out) = fit(task, map, convention)?;
    out.estimates = unit_rows(task, map, &fit, method)?;
    if let Some(top) = maps.iter().find(|map| is_top(map.level)).and_then(|map| map.units.first()) {
        out.estimates.insert(0, overall_row(task, blank(task, top, method), &fit)?);
    }
    out.case_mix = case_mix_rows(task, &fit, (&names, left_out), method, &out.estimates);
    Ok(out)
}

/// The convention as kernels know it, and the id of the method.
fn named(convention: Convention) -> (FixedEffectsConvention, &'static str) {
    match convention {
        Convention::Cahps41c => (FixedEffectsConvention::Cahps41c, "fixed-effects/cahps-4.1c"),
        Convention::CahpsManual => (FixedEffectsConvention::CahpsManual, "fixed-effects/cahps-manual"),
    }
}

fn fit(
    task: &Task<'_>,
    map: &LevelMap<'_>,
    convention: FixedEffectsConvention,
) -> Result<(FixedEffectsFit, Vec<String>, u64)> {
    let response = task.responses();
    let rest = u32::try_from(map.units.len()).unwrap_or(u32::MAX);
    let groups: Vec<u32> = response.units.iter().map(|unit| map.parent[*unit as usize].unwrap_or(rest)).collect();
    let placed: Vec<usize> = (0..response.len()).filter(|row| groups[*row] != rest).collect();
    // Means of adjusters are those of the analysed units, over all of their rows, answered or not, as the convention says.
    let design = design_of(task, &response, &placed, (&groups, map.units.len() + 1))?;
    let units: Vec<u32> = design.rows.iter().map(|row| groups[*row]).collect();
    let id = &task.indicator.id;
    let measured = task.indicator.measure.items().len();
    let is_composite = matches!(task.indicator.measure, prem_spec::Measure::Composite { .. });
    let all: Vec<Vec<f64>> = if is_composite {
        (0..measured).map(|place| response.item(id, place)).collect()
    } else {
        vec![response.values(id)]
    };
    let items: Vec<Vec<f64>> = all.iter().map(|item| design.rows.iter().map(|row| item[*row]).collect()).collect();
    let answered: Vec<usize> = (0..units.len()).filter(|row| items.iter().any(|item| !item[*row].is_nan())).collect();
    if answered.is_empty() {
        return Err(StatsError::Empty { what: "responses in the period" });
    }
    let pick = |column: &Vec<f64>| answered.iter().map(|row| column[*row]).collect::<Vec<f64>>();
    let items: Vec<Vec<f64>> = items.iter().map(pick).collect();
    let columns: Vec<Vec<f64>> = design.columns.iter().map(pick).collect();
    let units: Vec<u32> = answered.iter().map(|row| units[*row]).collect();
    let item_slices: Vec<&[f64]> = items.iter().map(Vec::as_slice).collect();
    let column_slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let fit = fixed_effects(&units, map.units.len(), &item_slices, &column_slices, convention)?;
    Ok((fit, design.names, design.left_out))
}

fn unit_rows(task: &Task<'_>, map: &LevelMap<'_>, fit: &FixedEffectsFit, method: &str) -> Result<Vec<Estimate>> {
    let z = ConfidenceLevel::new(task.indicator.ci_level)?.z()?;
    let mut rows = Vec::new();
    for (unit, result) in map.units.iter().zip(&fit.units) {
        let Some(result) = result else { continue };
        let se = result.variance.sqrt();
        rows.push(Estimate {
            n: count(result.n),
            raw: Some(result.unadjusted),
            value: Some(result.adjusted),
            se: Some(se),
            ci_low: Some(result.adjusted - z * se),
            ci_high: Some(result.adjusted + z * se),
            reliability: Some(result.reliability),
            reference: Some(fit.overall),
            difference: Some(result.delta),
            difference_se: Some(result.delta_standard_error),
            p: Some(result.p),
            goal_level: compare::goal_level(task.indicator, result.adjusted, None)?,
            ..blank(task, unit, method)
        });
    }
    assess(task, &mut rows)?;
    Ok(rows)
}

/// The convention's own p (t, not normal), corrected within the family of publishable units.
fn assess(task: &Task<'_>, rows: &mut [Estimate]) -> Result<()> {
    let family: Vec<f64> = rows.iter().filter(|row| publishable(task, row)).filter_map(|row| row.p).collect();
    let mut corrected = compare::multiplicity(task.indicator).adjust(&family)?.into_iter();
    for row in rows.iter_mut() {
        row.q = if publishable(task, row) && row.p.is_some() { corrected.next() } else { None };
        let word = compare::word(task.indicator, row.difference.unwrap_or(0.0), row.q);
        row.comparison = Some(word.to_owned());
    }
    Ok(())
}

/// The mean of the units, each counting once: what the convention compares with.
fn overall_row(task: &Task<'_>, blank: Estimate, fit: &FixedEffectsFit) -> Result<Estimate> {
    let z = ConfidenceLevel::new(task.indicator.ci_level)?.z()?;
    let variance: f64 = fit.units.iter().flatten().map(|unit| unit.variance).sum();
    #[expect(clippy::cast_precision_loss, reason = "numbers of units")]
    let se = variance.sqrt() / fit.unit_count as f64;
    let raw: f64 = fit.units.iter().flatten().map(|unit| unit.unadjusted).sum();
    #[expect(clippy::cast_precision_loss, reason = "numbers of units")]
    let raw = raw / fit.unit_count as f64;
    Ok(Estimate {
        n: count(fit.rows),
        raw: Some(raw),
        value: Some(fit.overall),
        se: Some(se),
        ci_low: Some(fit.overall - z * se),
        ci_high: Some(fit.overall + z * se),
        comparison: Some("not-assessed".to_owned()),
        goal_level: compare::goal_level(task.indicator, fit.overall, None)?,
        ..blank
    })
}

fn case_mix_rows(
    task: &Task<'_>,
    fit: &FixedEffectsFit,
    (names, left_out): (&[String], u64),
    method: &str,
    estimates: &[Estimate],
) -> Vec<CaseMix> {
    let (adjustment_max, adjustment_mean) = movement(estimates);
    let items = task.indicator.measure.items();
    let mut rows = Vec::new();
    for (item, id) in fit.items.iter().zip(items) {
        let prefix = if fit.items.len() > 1 { format!("{id}: ") } else { String::new() };
        let whole = CaseMix {
            n_used: count(item.fit.rows).unwrap_or(0),
            n_left_out: count(left_out).unwrap_or(0),
            n_units: i64::try_from(item.fit.units).unwrap_or(i64::MAX),
            r_squared: Some(item.fit.r_squared_within),
            sigma: Some(item.fit.residual_variance.sqrt()),
            adjustment_max,
            adjustment_mean,
            convergence: "closed form".to_owned(),
            ..model_row(task, &format!("{prefix}(fit)"), method)
        };
        let names: Vec<String> = names.iter().map(|name| format!("{prefix}{name}")).collect();
        let dropped: Vec<(usize, DropReason)> = item.fit.dropped.iter().map(|d| (d.index, d.reason)).collect();
        let errors = item.fit.standard_errors();
        let terms =
            coefficient_rows(&whole, &names, &item.fit.coefficients, &errors, &dropped, item.fit.degrees_of_freedom);
        rows.push(whole);
        rows.extend(terms);
    }
    rows
}
