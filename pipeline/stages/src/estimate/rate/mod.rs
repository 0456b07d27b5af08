//! Rates of use by catchment area: directly standardised for age and sex, compared with the region.

mod explain;

use std::collections::HashMap;

use prem_spec::{Level, Measure, Period, StandardPopulation, Standardisation, Unit};
use prem_stats::{
    Result, StatsError,
    interval::Level as ConfidenceLevel,
    rates::{
        DirectRate, RegionDifference, difference_from_region_repeat_events, directly_standardised_repeat_events,
        esp2013_weights,
    },
};
use prem_store::tables::{Estimate, Expected, PersonsByEvents};

pub(super) use self::explain::explain;
use super::{
    Estimated, Task,
    compare::{self, Test},
    rows::{blank, count},
};
use crate::{
    events::{strata, stratum},
    tally::{Tally, tally},
};

const MONTHS_PER_YEAR: f64 = 12.0;

/// Events and person-years of an area or of the region, one value per stratum.
#[derive(Clone)]
struct Cells {
    tally: Tally,
    events: Vec<f64>,
    /// Variance of each number of events; of the region: the sum of its areas'.
    variances: Vec<f64>,
    person_years: Vec<f64>,
}

impl Cells {
    fn new(tally: Tally, person_years: Vec<f64>) -> Self {
        let strata = person_years.len();
        Self { events: tally.events(strata), variances: tally.variances(strata), tally, person_years }
    }
}

struct Table<'a> {
    /// In the organisation's order.
    areas: Vec<(&'a Unit, Cells)>,
    region: Cells,
}

pub(super) fn estimate(task: &Task<'_>) -> Result<Estimated> {
    let Measure::Rate { per, standardisation, .. } = &task.indicator.measure else { return Ok(Estimated::default()) };
    let table = table(task, task.period, standardisation)?;
    let weights = weights(standardisation, &table.region);
    let earlier =
        task.period.previous().and_then(|period| Some((period, self::table(task, period, standardisation).ok()?)));
    let standardised = |cells: &Cells| self::standardised(task, cells, &weights, *per);
    let row = |unit: &Unit, cells: &Cells, before: Option<&Cells>| -> Result<Estimate> {
        let mut row = blank(task, unit, "direct/dobson-byar");
        let rate = standardised(cells)?;
        fill(task, &mut row, &rate, cells)?;
        if let (Some((period, _)), Some(before)) = (&earlier, before) {
            let before = standardised(before)?;
            let variance = |rate: &DirectRate| rate.variance * per * per;
            compare::with_previous(
                &mut row,
                (before.value, variance(&before)),
                (rate.value, variance(&rate)),
                *period,
            )?;
        }
        Ok(row)
    };
    let mut out = Estimated::default();
    let organisation = &task.inputs.plan.organisation;
    if task.indicator.levels.contains(&Level::Rhf)
        && let Some(top) = organisation.top()
    {
        let before = earlier.as_ref().map(|(_, table)| &table.region);
        let mut region = row(top, &table.region, before)?;
        region.comparison = Some("not-assessed".to_owned());
        out.estimates.push(region);
    }
    if !task.indicator.levels.contains(&Level::Hf) {
        return Ok(out);
    }
    let (mut rows, mut tests) = (Vec::new(), Vec::new());
    for (unit, cells) in &table.areas {
        let before = earlier
            .as_ref()
            .and_then(|(_, table)| table.areas.iter().find(|(other, _)| other.id == unit.id).map(|(_, cells)| cells));
        let mut row = row(unit, cells, before)?;
        let difference = difference(cells, &table.region, &weights, *per)?;
        row.reference = Some(difference.reference);
        row.difference = Some(difference.difference);
        row.difference_se = (difference.se > 0.0).then_some(difference.se);
        tests.push(test(&difference));
        rows.push(row);
        out.expected.push(expected(task, unit, cells, &table.region));
        out.persons.extend(persons(task, unit, &cells.tally));
    }
    let is_publishable: Vec<bool> = rows.iter().map(|row| publishable(task, row)).collect();
    compare::assess(&mut rows, task.indicator, &tests, &is_publishable)?;
    out.estimates.append(&mut rows);
    Ok(out)
}

fn difference(cells: &Cells, region: &Cells, weights: &[f64], per: f64) -> Result<RegionDifference> {
    difference_from_region_repeat_events(
        (&cells.events, &cells.variances),
        &cells.person_years,
        (&region.events, &region.variances),
        &region.person_years,
        weights,
        per,
    )
}

/// The exposure over which the region's rate would have the variance that the difference has if the area is as the region.
fn test(difference: &RegionDifference) -> Test {
    Test::Poisson { exposure: difference.reference / difference.se_at_no_difference.powi(2) }
}

fn standardised(task: &Task<'_>, cells: &Cells, weights: &[f64], per: f64) -> Result<DirectRate> {
    let level = ConfidenceLevel::new(task.indicator.ci_level)?;
    directly_standardised_repeat_events(&cells.tally.repeats, &cells.person_years, weights, per, level)
}

fn table<'a>(task: &Task<'a>, period: Period, standardisation: &Standardisation) -> Result<Table<'a>> {
    const WHAT: &str = "standardised rate";
    let inputs = task.inputs;
    let cells = inputs.events.get(&task.indicator.id).ok_or(StatsError::Empty { what: "events of the indicator" })?;
    let strata = strata(standardisation);
    let (mut events, together): (HashMap<u32, Tally>, Tally) = tally(cells, period);
    if !cells.covers(period) {
        return Err(StatsError::Undefined { what: WHAT, reason: "the contacts do not cover the whole period" });
    }
    let mut positions: Vec<u32> = Vec::new();
    for month in period.months() {
        let of_year = inputs.areas.units(month.year());
        if of_year.is_empty() {
            return Err(StatsError::Undefined { what: WHAT, reason: "no population of 1 January of a year is stored" });
        }
        positions.extend(of_year);
    }
    positions.sort_unstable();
    positions.dedup();
    if events.keys().any(|unit| positions.binary_search(unit).is_err()) {
        return Err(StatsError::Undefined { what: WHAT, reason: "an area with events has no population" });
    }
    let mut areas = Vec::new();
    let mut region = Cells::new(together, vec![0.0; strata]);
    region.variances.fill(0.0);
    for position in positions {
        let Some(unit) = inputs.plan.organisation.units.get(position as usize) else { continue };
        let mut person_years = vec![0.0; strata];
        for month in period.months() {
            for (age, is_woman, persons) in inputs.areas.population(month.year(), position) {
                if let Some(place) = stratum(standardisation, age, is_woman) {
                    #[expect(clippy::cast_precision_loss, reason = "populations far below 2^53")]
                    let months = persons as f64;
                    person_years[place] += months;
                }
            }
        }
        person_years.iter_mut().for_each(|months| *months /= MONTHS_PER_YEAR);
        let cells = Cells::new(events.remove(&position).unwrap_or_default(), person_years);
        for place in 0..strata {
            region.variances[place] += cells.variances[place];
            region.person_years[place] += cells.person_years[place];
        }
        areas.push((unit, cells));
    }
    if region.events.iter().all(|events| *events == 0.0) {
        return Err(StatsError::Empty { what: "events in the period" });
    }
    Ok(Table { areas, region })
}

fn weights(standardisation: &Standardisation, region: &Cells) -> Vec<f64> {
    match standardisation.standard {
        StandardPopulation::Region => region.person_years.clone(),
        StandardPopulation::Esp2013 => {
            // Both sexes have the same standard weights.
            let bands = esp2013_weights(&standardisation.age_bands);
            bands.into_iter().flat_map(|weight| [weight, weight]).collect()
        }
    }
}

fn fill(task: &Task<'_>, row: &mut Estimate, rate: &DirectRate, cells: &Cells) -> Result<()> {
    let Measure::Rate { per, .. } = &task.indicator.measure else { return Ok(()) };
    let person_years: f64 = cells.person_years.iter().sum();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded person-years")]
    let persons = person_years.round() as u64;
    row.n = count(persons);
    row.numerator = Some(rate.events);
    row.denominator = Some(person_years);
    row.raw = (person_years > 0.0).then(|| rate.events / person_years * per);
    row.value = Some(rate.value);
    row.se = Some(rate.se);
    row.ci_low = rate.interval.map(|interval| interval.low);
    row.ci_high = rate.interval.map(|interval| interval.high);
    if rate.interval.is_none() {
        row.method = format!("{}/no interval: fewer than 10 events", row.method);
    }
    row.goal_level = compare::goal_level(task.indicator, rate.value, row.coverage)?;
    Ok(())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts that were whole numbers")]
fn publishable(task: &Task<'_>, row: &Estimate) -> bool {
    let events = row.numerator.map(|events| events as u64);
    task.indicator.protection.primary_reason(None, events, None).is_none()
}

/// Events expected in the area at the region's rates by age and sex.
fn expected(task: &Task<'_>, unit: &Unit, cells: &Cells, region: &Cells) -> Expected {
    let strata = (0..cells.events.len()).filter(|place| region.person_years[*place] > 0.0);
    let expected =
        strata.map(|place| cells.person_years[place] * region.events[place] / region.person_years[place]).sum();
    Expected {
        period: task.period.to_string(),
        indicator: task.indicator.id.clone(),
        level: unit.level.as_str().to_owned(),
        unit_id: unit.id.clone(),
        observed: cells.events.iter().sum(),
        expected,
    }
}

/// Persons of the area by their number of events.
fn persons<'a>(task: &'a Task<'_>, unit: &'a Unit, tally: &'a Tally) -> impl Iterator<Item = PersonsByEvents> + 'a {
    tally.persons.iter().map(|(events, persons)| PersonsByEvents {
        period: task.period.to_string(),
        indicator: task.indicator.id.clone(),
        level: unit.level.as_str().to_owned(),
        unit_id: unit.id.clone(),
        events: i64::from(*events),
        persons: i64::try_from(*persons).unwrap_or(i64::MAX),
    })
}
