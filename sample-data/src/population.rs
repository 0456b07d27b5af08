//! Persons by place, sex and age, and the catchment areas that they form in a year.

use jiff::civil::date;

use crate::{
    draw::{Choice, Stream, below, uniform},
    region::{Area, Region},
};

/// Single years 0–105.
pub(crate) const AGES: usize = 106;
const OVER_80: usize = 80;
const BAND_YEARS: usize = 5;
const BASE_YEAR: i16 = 2020;
const PROJECTED_YEAR: i16 = 2040;

/// Persons on 1 January: `[sex][age]`, men first.
pub(crate) type Cells = [[u32; AGES]; 2];

pub(crate) struct Population {
    first_year: i16,
    years: Vec<Year>,
}

pub(crate) struct Year {
    pub(crate) year: i16,
    /// By place, in the region's order.
    pub(crate) places: Vec<Cells>,
    /// By area, in the region's order.
    pub(crate) areas: Vec<AreaYear>,
    /// Areas by their persons.
    pub(crate) area_choice: Choice,
}

/// An area and the places that belong to it on 1 January.
pub(crate) struct AreaYear {
    pub(crate) cells: [[u64; AGES]; 2],
    places: Vec<usize>,
    place_choice: Choice,
}

/// Who somebody is: the same person has the same place, sex, birth year and number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Person {
    pub(crate) place: usize,
    pub(crate) id: u64,
}

impl Population {
    pub(crate) fn new(region: &Region, first_year: i16, last_year: i16) -> Self {
        let years = (first_year..=last_year.max(first_year)).map(|year| Year::new(region, year)).collect();
        Self { first_year, years }
    }

    /// The year, or the nearest that there is.
    pub(crate) fn year(&self, year: i16) -> &Year {
        let index = usize::try_from(year - self.first_year).unwrap_or(0).min(self.years.len() - 1);
        &self.years[index]
    }

    pub(crate) fn years(&self) -> &[Year] {
        &self.years
    }
}

impl Year {
    fn new(region: &Region, year: i16) -> Self {
        let progress = f64::from(year - BASE_YEAR) / f64::from(PROJECTED_YEAR - BASE_YEAR);
        let between = |from: f64, to: f64| from + (to - from) * progress;
        let places: Vec<Cells> = region
            .places
            .iter()
            .map(|place| {
                let siblings: f64 =
                    region.places.iter().filter(|other| other.hf == place.hf).map(|other| other.weight).sum();
                let Some(area) = region.areas.iter().find(|area| area.hf == place.hf) else { return [[0; AGES]; 2] };
                let persons = between(area.persons_2020, area.persons_2040) * place.weight / siblings;
                let over_80 = between(area.over_80_share_2020, area.over_80_share_2040);
                cells(region, persons, over_80)
            })
            .collect();
        let areas: Vec<AreaYear> = region.areas.iter().map(|area| AreaYear::new(region, area, year, &places)).collect();
        let area_choice = Choice::new(areas.iter().map(|area| area.persons() as f64));
        Self { year, places, areas, area_choice }
    }

    pub(crate) fn persons(&self) -> u64 {
        self.areas.iter().map(AreaYear::persons).sum()
    }

    /// A resident of the area. With `skew` above 1 the first persons of each cell come again and again.
    pub(crate) fn resident(&self, stream: &mut Stream, area: usize, sex: usize, age: usize, skew: i32) -> Person {
        let area = &self.areas[area];
        let place = area.places[area.place_choice.draw(stream)];
        self.person(stream, place, sex, age, skew)
    }

    /// A resident of the area drawn so that every person of the cell is equally likely, wherever in the area.
    pub(crate) fn resident_of_cell(&self, stream: &mut Stream, area: usize, sex: usize, age: usize) -> Person {
        let area = &self.areas[area];
        let mut left = below(stream, usize::try_from(area.cells[sex][age]).unwrap_or(usize::MAX));
        let place = area.places.iter().copied().find(|&place| {
            let persons = self.places[place][sex][age] as usize;
            let here = left < persons;
            left = left.saturating_sub(persons);
            here
        });
        self.person(stream, place.unwrap_or(area.places[0]), sex, age, 1)
    }

    fn person(&self, stream: &mut Stream, place: usize, sex: usize, age: usize, skew: i32) -> Person {
        let persons = f64::from(self.places[place][sex][age].max(1));
        let number = (persons * uniform(stream).powi(skew)) as u64;
        let born = u64::try_from(i64::from(self.year) - age as i64 - 1800).unwrap_or(0);
        let id = (place as u64) << 48 | (sex as u64) << 44 | born << 28 | number;
        Person { place, id: mix(id) }
    }
}

impl AreaYear {
    fn new(region: &Region, area: &Area, year: i16, cells_of: &[Cells]) -> Self {
        let places: Vec<usize> =
            (0..region.places.len()).filter(|&place| region.area_of(place, date(year, 1, 1)) == area.hf).collect();
        let mut cells = [[0; AGES]; 2];
        for &place in &places {
            for (sum, part) in cells.iter_mut().flatten().zip(cells_of[place].iter().flatten()) {
                *sum += u64::from(*part);
            }
        }
        let persons = |place: &usize| cells_of[*place].iter().flatten().map(|&n| f64::from(n)).sum();
        let place_choice = Choice::new(places.iter().map(persons));
        Self { cells, places, place_choice }
    }

    pub(crate) fn persons(&self) -> u64 {
        self.cells.iter().flatten().sum()
    }
}

fn cells(region: &Region, persons: f64, over_80_share: f64) -> Cells {
    let mut weights: Vec<f64> = (0..AGES).map(|age| region.ages.weights[band(age)] / years_in(band(age))).collect();
    let old: f64 = weights[OVER_80..].iter().sum();
    let young: f64 = weights[..OVER_80].iter().sum();
    for (age, weight) in weights.iter_mut().enumerate() {
        *weight *= if age >= OVER_80 { over_80_share / old } else { (1.0 - over_80_share) / young };
    }
    let mut cells = [[0; AGES]; 2];
    for (age, weight) in weights.iter().enumerate() {
        let women = region.ages.women[band(age)];
        cells[0][age] = (persons * weight * (1.0 - women)).round() as u32;
        cells[1][age] = (persons * weight * women).round() as u32;
    }
    cells
}

/// The five-year band of an age; the last holds 100–105.
pub(crate) fn band(age: usize) -> usize {
    (age / BAND_YEARS).min(20)
}

fn years_in(band: usize) -> f64 {
    if band == 20 { 6.0 } else { 5.0 }
}

/// A bijection on 64 bits (the finaliser of SplitMix64), so that pseudonyms are distinct and say nothing.
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn populations_meet_the_declared_totals() {
        let region = Region::read().expect("region.toml");
        let population = Population::new(&region, 2020, 2026);
        let year = population.year(2020);
        for (area, declared) in year.areas.iter().zip(&region.areas) {
            let difference = (area.persons() as f64 - declared.persons_2020).abs() / declared.persons_2020;
            assert!(difference < 0.005, "{}: {}", declared.hf, area.persons());
            let old: u64 = area.cells.iter().flat_map(|ages| &ages[OVER_80..]).sum();
            assert!((old as f64 / area.persons() as f64 - declared.over_80_share_2020).abs() < 0.002);
        }
    }

    #[test]
    fn a_place_that_moves_takes_its_persons_along() {
        let region = Region::read().expect("region.toml");
        let population = Population::new(&region, 2025, 2026);
        let persons = |year: i16, hf: &str| {
            let area = region.areas.iter().position(|area| area.hf == hf).expect("an area");
            population.year(year).areas[area].persons()
        };
        assert!(persons(2026, "ahus") + 40_000 < persons(2025, "ahus"));
        assert!(persons(2026, "ous") > persons(2025, "ous") + 40_000);
    }
}
