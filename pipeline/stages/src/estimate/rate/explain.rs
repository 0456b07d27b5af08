//! One rate once more, with its strata.

use prem_spec::{Measure, Standardisation};
use prem_stats::Result;

use super::{Cells, Table, difference, estimate, standardised, table, test, weights};
use crate::{
    estimate::{Found, Task, Wanted, explain::family},
    explain::{Calculation, Interval, Rate, RateStratum},
};

const SEXES: [&str; 2] = ["man", "woman"];

/// The wanted rate; `None` where there is none.
pub(in crate::estimate) fn explain(task: &Task<'_>, wanted: &Wanted<'_>) -> Result<Option<Found>> {
    let Measure::Rate { per, standardisation, .. } = &task.indicator.measure else { return Ok(None) };
    let is_wanted = |row: &&prem_store::tables::Estimate| row.unit_id == wanted.unit.id;
    let rows = estimate(task)?.estimates;
    let Some(row) = rows.iter().find(is_wanted).cloned() else { return Ok(None) };
    let table = table(task, task.period, standardisation)?;
    let standard = weights(standardisation, &table.region);
    let cells = cells_of(&table, wanted);
    let before = task.period.previous().filter(|_| row.change.is_some()).and_then(|before| {
        // The change is between rates of the same standard population.
        let earlier = self::table(task, before, standardisation).ok()?;
        let rate = standardised(task, cells_of(&earlier, wanted), &standard, *per).ok()?;
        Some((before, rate.value, rate.variance * per * per))
    });
    let tested = row.difference.map(|_| difference(cells, &table.region, &standard, *per).map(|found| test(&found)));
    Ok(Some(Found {
        family: family(&rows),
        test: tested.transpose()?,
        is_tested_at_zero: false,
        calculation: Calculation::Rate(told(&row, cells, (*per, standardisation), &standard)),
        interval: interval(task, &row),
        shrinkage: None,
        weights: None,
        earlier: before,
        response: None,
        row,
    }))
}

/// The wanted area, or the region.
fn cells_of<'a>(table: &'a Table<'_>, wanted: &Wanted<'_>) -> &'a Cells {
    let area = table.areas.iter().find(|(unit, _)| unit.id == wanted.unit.id).map(|(_, cells)| cells);
    area.unwrap_or(&table.region)
}

fn told(
    row: &prem_store::tables::Estimate,
    cells: &Cells,
    (per, standardisation): (f64, &Standardisation),
    standard: &[f64],
) -> Rate {
    let total: f64 = standard.iter().sum();
    let bands = &standardisation.age_bands;
    let stratum = |place: usize| {
        let (band, weight) = (place / SEXES.len(), standard[place] / total);
        let rate = cells.events[place] / cells.person_years[place] * per;
        RateStratum {
            age_from: bands[band],
            age_to: bands.get(band + 1).map(|next| next - 1),
            sex: SEXES[place % SEXES.len()].to_owned(),
            weight,
            events: cells.events[place],
            person_years: cells.person_years[place],
            rate,
            product: weight * rate,
        }
    };
    let events: f64 = cells.events.iter().sum();
    let variance: f64 = cells.tally.variances(cells.events.len()).iter().sum();
    Rate {
        per,
        standard: standardisation.standard.as_str().to_owned(),
        events,
        person_years: cells.person_years.iter().sum(),
        raw: row.raw.unwrap_or(0.0),
        // A stratum without weight is left out of the rate.
        strata: (0..standard.len()).filter(|place| standard[*place] > 0.0).map(stratum).collect(),
        repeat_factor: (events > 0.0).then(|| variance / events),
        value: row.value.unwrap_or(0.0),
    }
}

fn interval(task: &Task<'_>, row: &prem_store::tables::Estimate) -> Interval {
    let se = row.se.unwrap_or(0.0);
    Interval {
        method: "dobson-byar".to_owned(),
        level: task.indicator.ci_level,
        sampling_variance: se * se,
        sampling_source: "counts".to_owned(),
        coefficient_variance: 0.0,
        covariance: 0.0,
        se,
        degrees_of_freedom: None,
        quantile: None,
        low: row.ci_low,
        high: row.ci_high,
    }
}
