//! One value of a fixed-effects convention once more, item by item.

use prem_spec::Convention;
use prem_stats::{
    Result, StatsError,
    case_mix::{FixedEffectsConvention, FixedEffectsFit, FixedEffectsUnit},
    interval::Level as ConfidenceLevel,
};

use super::{estimate, fit, named};
use crate::{
    estimate::{
        Found, Task, Wanted,
        compare::Test,
        explain::{Adjusters, family},
        rows::{is_top, levels},
    },
    explain::{Calculation, FixedEffects, FixedEffectsItem, Interval},
};

/// The wanted value; `None` where there is none.
pub(in crate::estimate) fn explain(
    task: &Task<'_>,
    convention: Convention,
    wanted: &Wanted<'_>,
) -> Result<Option<Found>> {
    let rows = estimate(task, convention)?.estimates;
    let Some(row) = rows.iter().find(|row| row.unit_id == wanted.unit.id).cloned() else { return Ok(None) };
    let maps = levels(task);
    let Some(map) = maps.iter().find(|map| !is_top(map.level)) else { return Ok(None) };
    let (kernel, method) = named(convention);
    let (fit, names, _) = fit(task, map, kernel)?;
    let place = map.units.iter().position(|unit| unit.id == wanted.unit.id);
    let unit = place.and_then(|place| fit.units.get(place).copied().flatten());
    let degrees_of_freedom = |unit: &FixedEffectsUnit| match kernel {
        FixedEffectsConvention::Cahps41c => fit.df2,
        #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
        FixedEffectsConvention::CahpsManual => unit.n as f64 - 1.0,
    };
    let value = row.value.ok_or(StatsError::Empty { what: "value of the unit" })?;
    let calculation = FixedEffects {
        convention: method.to_owned(),
        raw: row.raw.unwrap_or(value),
        items: place.map(|place| items(task, &fit, &names, place)).unwrap_or_default(),
        // The mean of the units' values is that of their raw ones.
        recentre: if place.is_some() { fit.recentre } else { 0.0 },
        units: fit.unit_count as u64,
        value,
    };
    Ok(Some(Found {
        family: family(&rows),
        test: unit.as_ref().map(|unit| Test::T { degrees_of_freedom: degrees_of_freedom(unit) }),
        is_tested_at_zero: true,
        calculation: Calculation::FixedEffects(calculation),
        interval: interval(task, &row)?,
        shrinkage: None,
        weights: None,
        earlier: None,
        response: None,
        row,
    }))
}

#[expect(clippy::cast_precision_loss, reason = "numbers of items")]
fn items(task: &Task<'_>, fit: &FixedEffectsFit, names: &[String], unit: usize) -> Vec<FixedEffectsItem> {
    let weight = 1.0 / fit.items.len() as f64;
    let ids = task.indicator.measure.items();
    let one = |(item, id): (&prem_stats::case_mix::FixedEffectsItem, &str)| {
        let adjusters = Adjusters {
            names,
            unit_means: item.moments.mean_x(unit),
            reference: &item.center,
            coefficients: &item.fit.coefficients,
            errors: &item.fit.standard_errors(),
            dropped: item.fit.dropped.iter().map(|dropped| dropped.index).collect(),
            weight,
        };
        FixedEffectsItem {
            item: id.to_owned(),
            weight,
            n: item.moments.count(unit),
            mean: item.moments.mean_y(unit),
            terms: adjusters.terms(),
        }
    };
    fit.items.iter().zip(ids).map(one).collect()
}

fn interval(task: &Task<'_>, row: &prem_store::tables::Estimate) -> Result<Interval> {
    let se = row.se.unwrap_or(0.0);
    Ok(Interval {
        method: "normal".to_owned(),
        level: task.indicator.ci_level,
        sampling_variance: se * se,
        sampling_source: "convention".to_owned(),
        coefficient_variance: 0.0,
        covariance: 0.0,
        se,
        degrees_of_freedom: None,
        quantile: Some(ConfidenceLevel::new(task.indicator.ci_level)?.z()?),
        low: row.ci_low,
        high: row.ci_high,
    })
}
