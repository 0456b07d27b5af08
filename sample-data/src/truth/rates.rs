//! True rates of catchment areas.

use std::collections::BTreeMap;

use prem_spec::{Indicator, Measure, Plan, StandardPopulation, Standardisation};

use super::TrueRate;
use crate::{
    population::{AGES, Year},
    rates::is_planted,
    world::World,
};

/// European standard population 2013 (Eurostat, Revision of the European Standard Population, 2013, table 6): persons per
/// 100,000 by five-year band, 0–4 to 95 and over. Under one year and 1–4 are 1,000 and 4,000.
const ESP2013: [f64; 20] = [
    5_000.0, 5_500.0, 5_500.0, 5_500.0, 6_000.0, 6_000.0, 6_500.0, 7_000.0, 7_000.0, 7_000.0, 7_000.0, 6_500.0,
    6_000.0, 5_500.0, 5_000.0, 4_000.0, 2_500.0, 1_500.0, 800.0, 200.0,
];

pub(super) fn rates(plan: &Plan, world: &World) -> Vec<TrueRate> {
    let mut years: BTreeMap<i16, u32> = BTreeMap::new();
    for month in 0..world.settings.months {
        *years.entry(world.year_of(month)).or_default() += 1;
    }
    let top = plan.organisation.top().map_or("", |unit| unit.id.as_str());
    let mut all = Vec::new();
    for indicator in plan.indicators.values().filter(|indicator| is_planted(indicator)) {
        for (&year, &months) in &years {
            all.extend(of_year(world, indicator, world.population.year(year), months, top));
        }
    }
    all
}

fn of_year(world: &World, indicator: &Indicator, year: &Year, months: u32, top: &str) -> Vec<TrueRate> {
    let Measure::Rate { contacts, per, standardisation } = &indicator.measure else { return Vec::new() };
    let shares: Vec<f64> = world.rates.iter().map(|source| source.share_counted(contacts)).collect();
    let rate = |area: usize, sex: usize, age: usize| -> f64 {
        world.rates.iter().zip(&shares).map(|(source, share)| share * source.rate(area, sex, age)).sum()
    };
    let areas: Vec<Cells> = (0..year.areas.len())
        .map(|area| Cells::new(standardisation, &year.areas[area].cells, |s, a| rate(area, s, a)))
        .collect();
    let region = areas.iter().fold(Cells::empty(standardisation), Cells::plus);
    let weights = match standardisation.standard {
        StandardPopulation::Region => region.persons.clone(),
        StandardPopulation::Esp2013 => esp2013(standardisation),
    };
    let standardised = |cells: &Cells| per * cells.standardised(&weights);
    let regional = standardised(&region);
    let named = world.region.areas.iter().map(|area| area.hf.as_str()).zip(&areas).chain([(top, &region)]);
    named
        .map(|(area, cells)| {
            let (persons, events): (f64, f64) = (cells.persons.iter().sum(), cells.events.iter().sum());
            TrueRate {
                period: year.year.to_string(),
                months,
                indicator: indicator.id.clone(),
                area: area.to_owned(),
                persons: persons as u64,
                expected_events: events * f64::from(months) / 12.0,
                crude_rate: per * events / persons.max(1.0),
                standardised_rate: standardised(cells),
                relative_rate: if regional > 0.0 { standardised(cells) / regional } else { 1.0 },
            }
        })
        .collect()
}

/// Persons and expected events a year by age band and sex.
struct Cells {
    persons: Vec<f64>,
    events: Vec<f64>,
}

impl Cells {
    fn empty(standardisation: &Standardisation) -> Self {
        let cells = 2 * standardisation.age_bands.len();
        Self { persons: vec![0.0; cells], events: vec![0.0; cells] }
    }

    fn new(standardisation: &Standardisation, persons: &[[u64; AGES]; 2], rate: impl Fn(usize, usize) -> f64) -> Self {
        let mut cells = Self::empty(standardisation);
        for (sex, ages) in persons.iter().enumerate() {
            for (age, &persons) in ages.iter().enumerate() {
                if let Some(band) = band(standardisation, age) {
                    cells.persons[2 * band + sex] += persons as f64;
                    cells.events[2 * band + sex] += persons as f64 * rate(sex, age);
                }
            }
        }
        cells
    }

    fn plus(mut self, other: &Self) -> Self {
        self.persons.iter_mut().zip(&other.persons).for_each(|(sum, part)| *sum += part);
        self.events.iter_mut().zip(&other.events).for_each(|(sum, part)| *sum += part);
        self
    }

    fn standardised(&self, weights: &[f64]) -> f64 {
        let sum: f64 = weights.iter().sum();
        let cells = self.persons.iter().zip(&self.events).zip(weights);
        cells.filter(|((persons, _), _)| **persons > 0.0).map(|((n, x), weight)| weight * x / n).sum::<f64>() / sum
    }
}

fn band(standardisation: &Standardisation, age: usize) -> Option<usize> {
    let age = age as i64;
    let bands = &standardisation.age_bands;
    if age < standardisation.age_min { None } else { bands.partition_point(|&from| from <= age).checked_sub(1) }
}

/// Half of each band's persons are women; within five years all ages are as common.
fn esp2013(standardisation: &Standardisation) -> Vec<f64> {
    let mut weights = Cells::empty(standardisation).persons;
    for age in 0..100 {
        if let Some(band) = band(standardisation, age) {
            for sex in 0..2 {
                weights[2 * band + sex] += ESP2013[(age / 5).min(19)] / 5.0 / 2.0;
            }
        }
    }
    weights
}
