//! Who answered, summed over blocks in their order: what the truth of higher levels is weighted with.

use std::collections::BTreeMap;

use crate::{output::Output, world::World};

/// Respondents of one ward within a population of the indicators.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Respondents {
    pub(crate) n: u64,
    /// Sum of design weights (1 / inclusion probability).
    pub(crate) weight: f64,
    /// The same over everybody who was asked and eligible.
    pub(crate) population: f64,
    /// Sum of x'β.
    pub(crate) x: f64,
}

impl Respondents {
    pub(crate) fn add(&mut self, other: Self) {
        self.n += other.n;
        self.weight += other.weight;
        self.population += other.population;
        self.x += other.x;
    }
}

pub(crate) struct Tally {
    /// By year, then population, then ward.
    pub(crate) years: BTreeMap<i16, Vec<Vec<Respondents>>>,
    /// Weighted number of respondents by characteristic and value.
    pub(crate) values: Vec<Vec<f64>>,
    pub(crate) cut: u64,
}

impl Tally {
    pub(crate) fn new(world: &World) -> Self {
        let values = world.characteristics.iter().map(|one| vec![0.0; one.values.len()]).collect();
        Self { years: BTreeMap::new(), values, cut: 0 }
    }

    pub(crate) fn add(&mut self, world: &World, output: &Output) {
        let Some(block) = &output.respondents else { return };
        let weight = 1.0 / world.wards[block.ward].inclusion;
        let year = self
            .years
            .entry(block.year)
            .or_insert_with(|| vec![vec![Respondents::default(); world.wards.len()]; world.populations.len()]);
        for ((wards, &(n, x)), eligible) in year.iter_mut().zip(&block.by_population).zip(&block.eligible) {
            let population = weight * *eligible as f64;
            wards[block.ward].add(Respondents { n, weight: weight * n as f64, population, x });
        }
        for (sums, counts) in self.values.iter_mut().zip(&block.values) {
            for (sum, &count) in sums.iter_mut().zip(counts) {
                *sum += weight * count as f64;
            }
        }
        self.cut += block.cut;
    }

    /// By population and ward, in one year or in all.
    pub(crate) fn respondents(&self, year: Option<i16>, population: usize) -> Vec<Respondents> {
        let mut sums: Vec<Respondents> = Vec::new();
        for (_, all) in self.years.iter().filter(|(key, _)| year.is_none_or(|year| **key == year)) {
            sums.resize(all[population].len(), Respondents::default());
            sums.iter_mut().zip(&all[population]).for_each(|(sum, part)| sum.add(*part));
        }
        sums
    }
}
