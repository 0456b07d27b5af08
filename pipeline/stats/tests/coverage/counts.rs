//! Regions of areas with counts: intervals of counts and rates, and whether chance alone is recognised as chance.

use crate::sampling::{generator, log_normal, log_uniform, poisson};
use crate::summary::Hits;
use prem_stats::interval::{Interval, Level, byar, count, poisson_exact};
use prem_stats::rates::{RepeatEvents, directly_standardised, directly_standardised_repeat_events};
use prem_stats::variation::{ChanceOptions, Events, PersonsWithEvents, chance, scv_diehr};
use rand::Rng;

/// Fewest events for which Byar's and Dobson's limits are used.
const FEWEST_EVENTS: f64 = 10.0;
/// Rate per person and year by age group, and the share of persons in it.
const AGE_RATES: [f64; 6] = [0.0004, 0.0008, 0.0020, 0.0050, 0.0110, 0.0190];
const AGE_SHARES: [f64; 6] = [0.22, 0.25, 0.22, 0.16, 0.10, 0.05];

/// What one region's areas say.
#[derive(Clone, Copy, Debug, Default)]
pub struct CountRegion {
    /// Exact limits whatever the count.
    pub exact: Hits,
    /// Byar's limits in areas that expect at least 10 events.
    pub byar: Hits,
    /// The rule that is used: exact below 10 events, Byar from 10.
    pub rule: Hits,
    /// Directly standardised rates that have an interval.
    pub dobson: Hits,
    /// The same where persons have several events.
    pub dobson_repeats: Hits,
}

fn contains(interval: Interval, truth: f64) -> bool {
    interval.low <= truth && truth <= interval.high
}

pub fn region(seed: u64, index: usize) -> CountRegion {
    let mut rng = generator(seed, 5, index);
    let mut out = CountRegion::default();
    for _ in 0..25 {
        let mean = log_uniform(&mut rng, 0.5, 300.0);
        let events = poisson(&mut rng, mean);
        out.exact.count(contains(poisson_exact(events, Level::P95).expect("exact").interval, mean));
        out.rule.count(contains(count(events, Level::P95).expect("rule").interval, mean));
        if mean >= FEWEST_EVENTS {
            out.byar.count(contains(byar(events, Level::P95).expect("Byar").interval, mean));
        }
        dobson(&mut rng, &mut out.dobson, Repeats::None);
    }
    let mut rng = generator(seed, 8, index);
    for _ in 0..25 {
        dobson(&mut rng, &mut out.dobson_repeats, Repeats::Some);
    }
    out
}

/// An area with its own age structure and level, standardised to the region's ages.
fn dobson(rng: &mut impl Rng, hits: &mut Hits, repeats: Repeats) {
    let persons = log_normal(rng, 12_000.0, 0.9);
    let level = log_normal(rng, 1.0, 0.2);
    let mut population: Vec<f64> =
        AGE_SHARES.iter().map(|share| (persons * share * log_normal(rng, 1.0, 0.3)).ceil()).collect();
    // An area with many old people and few young ones, or the other way round.
    let tilt = rng.random_range(-0.25..0.25_f64);
    for (g, n) in population.iter_mut().enumerate() {
        *n = (*n * (tilt * (g as f64 - 2.5)).exp()).ceil();
    }
    let rates: Vec<f64> = AGE_RATES.iter().map(|r| r * level).collect();
    let truth: f64 = rates.iter().zip(AGE_SHARES).map(|(r, w)| r * w).sum();
    let mut groups = Vec::new();
    for (stratum, (n, rate)) in population.iter().zip(&rates).enumerate() {
        for (frequency, share) in repeats.shares() {
            let frequency = f64::from(*frequency);
            groups.push(RepeatEvents { stratum, frequency, persons: poisson(rng, n * rate * share / frequency) });
        }
    }
    let rate = match repeats {
        Repeats::None => {
            let events: Vec<f64> = groups.iter().map(|group| group.persons).collect();
            directly_standardised(&events, &population, &AGE_SHARES, 1.0, Level::P95)
        }
        Repeats::Some => directly_standardised_repeat_events(&groups, &population, &AGE_SHARES, 1.0, Level::P95),
    }
    .expect("rate");
    if let Some(interval) = rate.interval {
        hits.count(contains(interval, truth));
    }
}

/// How often a person with an event has one, two, three events.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Repeats {
    None,
    Some,
}

impl Repeats {
    /// Events per person, and the share of the events that belong to such persons.
    fn shares(self) -> &'static [(u32, f64)] {
        match self {
            Self::None => &[(1, 1.0)],
            Self::Some => &[(1, 0.60), (2, 0.25), (4, 0.15)],
        }
    }
}

/// p of the systematic component of variation in a region where all areas have the same relative rate and expect at least 20
/// events.
pub fn null_p(seed: u64, index: usize, replicates: usize, repeats: Repeats) -> f64 {
    let mut rng = generator(seed, 6 + u64::from(repeats == Repeats::Some), index);
    let areas = rng.random_range(10..=30_usize);
    let expected: Vec<f64> = (0..areas).map(|_| log_uniform(&mut rng, 20.0, 400.0)).collect();
    // Persons by number of events; with E the expected events of an area, E·share of them belong to such persons.
    let mut observed = vec![0.0; areas];
    let mut groups = Vec::new();
    for (frequency, share) in repeats.shares() {
        let f = f64::from(*frequency);
        let persons: Vec<f64> = expected.iter().map(|e| poisson(&mut rng, e * share / f)).collect();
        for (o, v) in observed.iter_mut().zip(&persons) {
            *o += f * v;
        }
        groups.push(PersonsWithEvents { frequency: *frequency, persons: persons.iter().sum::<f64>() as u64 });
    }
    let events = match repeats {
        Repeats::None => Events::Independent,
        Repeats::Some => Events::Repeat(&groups),
    };
    let options = ChanceOptions { replicates, seed: seed.wrapping_add(index as u64) };
    let statistic = |o: &[f64], e: &[f64]| scv_diehr(o, e, 1.0).ok().map(|s| s.raw);
    chance(&observed, &expected, events, options, statistic).expect("chance").p
}
