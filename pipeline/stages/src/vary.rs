//! Vary: how much the units of one level differ, and how much of it is more than chance.
//!
//! Reads the hub and the working tables only. Units that may not be published take no part, and strata none beside their units.

use std::collections::BTreeMap;

use prem_spec::{Indicator, Level, Plan, Stratifier};
use prem_stats::{
    Result, StatsError,
    distributions::chi_squared,
    variation::{
        ChanceOptions, Events, PersonsWithEvents, actionable, chance, chi_squared_test, cv, cv_weighted, eb_poisson,
        eq_5_95, eq_80_20_smoothed, extremal_quotient, median_odds_ratio, repeat_event_factor, scv_diehr,
        share_explained,
    },
};
use prem_store::tables::{Components, Estimate, Expected, PersonsByEvents, Variation};
use rayon::prelude::*;

use crate::{METHOD_VERSION, StageError};

/// What variation is computed from.
pub struct VaryInputs<'a> {
    pub plan: &'a Plan,
    pub estimates: &'a [Estimate],
    pub components: &'a [Components],
    pub expected: &'a [Expected],
    pub persons: &'a [PersonsByEvents],
    pub seed: u64,
    pub run_id: &'a str,
}

/// One row per indicator, period and level below the region, in the order of the hub.
///
/// # Errors
/// When a kernel fails for another reason than too little data.
pub fn vary(inputs: &VaryInputs<'_>) -> std::result::Result<Vec<Variation>, StageError> {
    let mut groups: Vec<(&str, &str, &str)> = Vec::new();
    for row in inputs.estimates {
        let group = (row.indicator.as_str(), row.period.as_str(), row.level.as_str());
        if row.level != Level::Rhf.as_str() && row.stratum == Stratifier::TOTAL && groups.last() != Some(&group) {
            groups.push(group);
        }
    }
    groups.par_iter().map(|(indicator, period, level)| one(inputs, indicator, period, level)).collect()
}

fn one(
    inputs: &VaryInputs<'_>,
    indicator: &str,
    period: &str,
    level: &str,
) -> std::result::Result<Variation, StageError> {
    let is_here = |i: &str, p: &str, l: &str| i == indicator && p == period && l == level;
    let Some(declared) = inputs.plan.indicators.get(indicator) else {
        return Ok(empty(inputs, indicator, period, level));
    };
    let rows: Vec<&Estimate> = inputs
        .estimates
        .iter()
        .filter(|row| row.stratum == Stratifier::TOTAL && is_here(&row.indicator, &row.period, &row.level))
        .filter(|row| is_publishable(declared, row))
        .collect();
    let mut out = empty(inputs, indicator, period, level);
    out.n_units = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let failed = |source| StageError::Kernel {
        what: "variation",
        indicator: indicator.to_owned(),
        period: period.to_owned(),
        source,
    };
    spread(&mut out, &rows).map_err(failed)?;
    if let Some(known) = inputs.components.iter().find(|c| is_here(&c.indicator, &c.period, &c.level)) {
        components(&mut out, known).map_err(failed)?;
    }
    let publishable: Vec<&str> = rows.iter().map(|row| row.unit_id.as_str()).collect();
    let pairs: Vec<(f64, f64)> = inputs
        .expected
        .iter()
        .filter(|e| is_here(&e.indicator, &e.period, &e.level) && publishable.contains(&e.unit_id.as_str()))
        .map(|e| (e.observed, e.expected))
        .collect();
    let persons = inputs
        .persons
        .iter()
        .filter(|p| is_here(&p.indicator, &p.period, &p.level) && publishable.contains(&p.unit_id.as_str()));
    observed_expected(&mut out, &pairs, &by_frequency(persons), inputs.seed).map_err(failed)?;
    Ok(out)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts that were whole numbers")]
fn is_publishable(indicator: &Indicator, row: &Estimate) -> bool {
    let whole = |value: Option<f64>| value.map(|value| value as u64);
    let is_rate = indicator.measure.is_rate();
    let n = row.n.and_then(|n| u64::try_from(n).ok()).filter(|_| !is_rate);
    let denominator = whole(row.denominator).filter(|_| !is_rate);
    row.value.is_some() && indicator.protection.primary_reason(n, whole(row.numerator), denominator).is_none()
}

/// `None` where the data do not define the figure; other failures are faults.
fn defined<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(
            StatsError::TooFew { .. }
            | StatsError::Empty { .. }
            | StatsError::Constant { .. }
            | StatsError::Undefined { .. },
        ) => Ok(None),
        Err(other) => Err(other),
    }
}

fn spread(out: &mut Variation, rows: &[&Estimate]) -> Result<()> {
    let values: Vec<f64> = rows.iter().filter_map(|row| row.value).collect();
    out.lowest = values.iter().copied().reduce(f64::min);
    out.highest = values.iter().copied().reduce(f64::max);
    out.ft1 = defined(extremal_quotient(&values, 1))?;
    out.ft2 = defined(extremal_quotient(&values, 2))?;
    out.ft3 = defined(extremal_quotient(&values, 3))?;
    out.eq_5_95 = defined(eq_5_95(&values))?;
    out.cv = defined(cv(&values))?;
    Ok(())
}

fn components(out: &mut Variation, known: &Components) -> Result<()> {
    out.between_sd = known.between_sd;
    out.between_sd_unadjusted = known.between_sd_unadjusted;
    out.icc = known.icc;
    if let (Some(adjusted), Some(raw)) = (known.between_sd, known.between_sd_unadjusted) {
        out.explained_by_case_mix = defined(share_explained(raw * raw, adjusted * adjusted))?;
    }
    if let Some(variance) = known.log_odds_variance {
        out.median_odds_ratio = defined(median_odds_ratio(variance))?;
    }
    Ok(())
}

/// Persons of all units by their number of events.
fn by_frequency<'a>(persons: impl Iterator<Item = &'a PersonsByEvents>) -> Vec<PersonsWithEvents> {
    let mut groups: BTreeMap<u32, u64> = BTreeMap::new();
    for row in persons {
        if let (Ok(frequency), Ok(persons)) = (u32::try_from(row.events), u64::try_from(row.persons)) {
            *groups.entry(frequency).or_default() += persons;
        }
    }
    groups.into_iter().map(|(frequency, persons)| PersonsWithEvents { frequency, persons }).collect()
}

/// κ: how much the variance of the number of events exceeds that number, since the events of a person go together.
#[expect(clippy::cast_precision_loss, reason = "persons far below 2^53")]
fn repeat_factor(groups: &[PersonsWithEvents]) -> Result<f64> {
    let frequency: Vec<f64> = groups.iter().map(|group| f64::from(group.frequency)).collect();
    let persons: Vec<f64> = groups.iter().map(|group| group.persons as f64).collect();
    repeat_event_factor(&frequency, &persons)
}

/// What needs observed and expected events: rates.
fn observed_expected(out: &mut Variation, pairs: &[(f64, f64)], groups: &[PersonsWithEvents], seed: u64) -> Result<()> {
    let (observed, expected): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    if observed.len() < 2 {
        return Ok(());
    }
    // Units left out take their events with them: expected counts are scaled to the events that remain.
    let ratio = observed.iter().sum::<f64>() / expected.iter().sum::<f64>();
    let expected: Vec<f64> = expected.iter().map(|expected| expected * ratio).collect();
    out.cv_weighted = defined(cv_weighted(&observed, &expected))?;
    let Some(kappa) = defined(repeat_factor(groups))? else { return Ok(()) };
    if let Some(scv) = defined(scv_diehr(&observed, &expected, kappa))? {
        out.scv = Some(scv.reported);
        out.scv_raw = Some(scv.raw);
    }
    let raw_scv = |o: &[f64], e: &[f64]| scv_diehr(o, e, kappa).ok().map(|scv| scv.raw);
    let by_chance = chance(&observed, &expected, Events::Repeat(groups), ChanceOptions::new(seed), raw_scv);
    if let Some(null) = defined(by_chance)? {
        out.scv_p = Some(null.p);
        out.scv_null_p95 = Some(null.null_p95);
    }
    if let Some(test) = defined(chi_squared_test(&observed, &expected))? {
        // Counts of persons with several events vary κ times as much as those of independent events.
        let statistic = test.statistic / kappa;
        out.chi2 = Some(statistic);
        #[expect(clippy::cast_possible_truncation, reason = "a number of units less one")]
        let df = test.df as i64;
        out.df = Some(df);
        out.chi2_p = Some(chi_squared::sf(statistic, test.df)?);
    }
    if let Some(bayes) = defined(eb_poisson(&observed, &expected))? {
        out.eb_variance = Some(bayes.variance);
        out.eq_80_20_smoothed = defined(eq_80_20_smoothed(&bayes.smoothed))?;
        if let Some(act) = defined(actionable(&observed, &expected, &bayes.smoothed, kappa))? {
            out.excess = Some(act.excess);
            out.deficit = Some(act.deficit);
        }
    }
    Ok(())
}

fn empty(inputs: &VaryInputs<'_>, indicator: &str, period: &str, level: &str) -> Variation {
    Variation {
        period: period.to_owned(),
        indicator: indicator.to_owned(),
        level: level.to_owned(),
        method_version: METHOD_VERSION.to_owned(),
        run_id: inputs.run_id.to_owned(),
        ..Variation::default()
    }
}
