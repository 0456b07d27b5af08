//! Which trust's catchment area a place of residence belongs to on a day, and how many live there.

use std::collections::{BTreeMap, HashMap};

use prem_spec::{Organisation, Plan};

use crate::{
    StageError,
    frames::{days, numbers, texts},
    placement::{Valid, on_day},
    view::{Part, current},
};
use polars::prelude::LazyFrame;

/// Catchment areas with their validity, and the population of 1 January of each year by place, age and sex.
#[derive(Debug, Clone, Default)]
pub struct Areas {
    /// (municipality, district or empty) → spans of days and the unit responsible (position in the organisation).
    catchment: HashMap<(String, String), Vec<Valid>>,
    /// (year, unit) → (age, is_woman) → persons.
    population: BTreeMap<(i16, u32), BTreeMap<(i64, bool), u64>>,
    /// Catchment rows whose unit the organisation does not have, by unit id.
    pub unknown_units: BTreeMap<String, u64>,
    /// Persons of places in no catchment area, by municipality.
    pub unplaced_persons: BTreeMap<String, u64>,
}

impl Areas {
    /// The unit responsible for the inhabitants of a place on `day`; a district's own entry before its municipality's.
    pub(crate) fn unit(&self, municipality: &str, district: &str, day: i32) -> Option<u32> {
        let at = |district: &str| on_day(self.catchment.get(&(municipality.to_owned(), district.to_owned()))?, day);
        if district.is_empty() { at("") } else { at(district).or_else(|| at("")) }
    }

    /// Persons of `unit` on 1 January of `year`, by age in years and sex (true for women).
    pub(crate) fn population(&self, year: i16, unit: u32) -> impl Iterator<Item = (i64, bool, u64)> {
        let cells = self.population.get(&(year, unit)).into_iter().flatten();
        cells.map(|((age, is_woman), persons)| (*age, *is_woman, *persons))
    }

    /// Units with a population in `year`, in the organisation's order.
    pub(crate) fn units(&self, year: i16) -> Vec<u32> {
        self.population.range((year, 0)..=(year, u32::MAX)).map(|((_, unit), _)| *unit).collect()
    }
}

fn position_of(organisation: &Organisation) -> HashMap<&str, u32> {
    organisation.units.iter().map(|unit| unit.id.as_str()).zip(0u32..).collect()
}

fn collect(plan: &Plan, name: &'static str, parts: &[Part], columns: &[&str]) -> Result<Option<LazyFrame>, StageError> {
    let Some(dataset) = plan.datasets.get(name) else { return Ok(None) };
    current(dataset, parts, columns)
}

/// Reads catchment areas and population as they stand.
///
/// # Errors
/// When a table cannot be read.
pub fn load_areas(plan: &Plan, catchment: &[Part], population: &[Part]) -> Result<Areas, StageError> {
    let mut areas = Areas::default();
    let position = position_of(&plan.organisation);
    if let Some(frame) = collect(plan, "catchment", catchment, &["hf", "valid_to"])? {
        let frame = frame.collect().map_err(StageError::frame("read catchment areas"))?;
        let (municipalities, districts) = (texts(&frame, "municipality")?, texts(&frame, "district")?);
        let (units, from, to) = (texts(&frame, "hf")?, days(&frame, "valid_from")?, days(&frame, "valid_to")?);
        for row in 0..frame.height() {
            let (Some(municipality), Some(unit), Some(from)) = (municipalities[row], units[row], from[row]) else {
                continue;
            };
            let Some(unit_position) = position.get(unit) else {
                *areas.unknown_units.entry(unit.to_owned()).or_default() += 1;
                continue;
            };
            let place = (municipality.to_owned(), districts[row].unwrap_or_default().to_owned());
            areas.catchment.entry(place).or_default().push(Valid { from, to: to[row], unit: *unit_position });
        }
    }
    if let Some(frame) = collect(plan, "population", population, &["persons"])? {
        let frame = frame.collect().map_err(StageError::frame("read the population"))?;
        add_population(&mut areas, &frame)?;
    }
    Ok(areas)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked whole numbers from the store")]
fn add_population(areas: &mut Areas, frame: &polars::prelude::DataFrame) -> Result<(), StageError> {
    let (municipalities, districts) = (texts(frame, "municipality")?, texts(frame, "district")?);
    let (years, ages) = (numbers(frame, "year")?, numbers(frame, "age")?);
    let (sexes, persons) = (numbers(frame, "sex")?, numbers(frame, "persons")?);
    for row in 0..frame.height() {
        let municipality = municipalities[row].unwrap_or_default();
        let (year, persons) = (years[row] as i16, persons[row] as u64);
        let Ok(new_year) = jiff::civil::Date::new(year, 1, 1) else { continue };
        match areas.unit(municipality, districts[row].unwrap_or_default(), crate::frames::days_of(new_year)) {
            Some(unit) => {
                let cell = areas.population.entry((year, unit)).or_default();
                *cell.entry((ages[row] as i64, sexes[row] == 2.0)).or_default() += persons;
            }
            None => *areas.unplaced_persons.entry(municipality.to_owned()).or_default() += persons,
        }
    }
    Ok(())
}
