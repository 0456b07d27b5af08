//! Which trust's catchment area a place of residence belongs to on a day, and how many live there.

mod catchment;
mod overlap;
mod placing;

use std::collections::{BTreeMap, HashMap};

use prem_spec::{Organisation, Plan};

pub(crate) use self::catchment::Catchment;
pub use self::overlap::catchment_overlaps;
pub(crate) use self::placing::NoArea;
use crate::{
    StageError, Unplaced,
    frames::{days, days_of, numbers, texts},
    placement::{Valid, positions},
    unplaced,
    view::{Part, current},
};
use polars::prelude::{DataFrame, LazyFrame};

/// Why a catchment row places nobody.
const UNIT_UNKNOWN: &str = "unit-unknown";

/// Catchment areas with their validity, and the population of 1 January of each year by place, age and sex.
#[derive(Debug, Clone, Default)]
pub struct Areas {
    catchment: Catchment,
    /// (year, unit) → (age, is_woman) → persons.
    population: BTreeMap<(i16, u32), BTreeMap<(i64, bool), u64>>,
    /// Catchment rows whose unit the organisation does not have, by reason and unit id.
    pub unknown_units: Unplaced,
    /// Persons of places in no catchment area, by reason and place.
    pub unplaced_persons: Unplaced,
}

impl Areas {
    /// The unit responsible for the inhabitants of a place on `day`, or why none can be named.
    pub(crate) fn unit(&self, municipality: &str, district: &str, day: i32) -> Result<u32, NoArea> {
        self.catchment.unit(municipality, district, day)
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

/// The place as it is listed among those without an area: the district where one is given, else the municipality.
pub(crate) fn place_code<'a>(municipality: &'a str, district: &'a str) -> &'a str {
    if district.is_empty() { municipality } else { district }
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
    let mut areas = Areas { catchment: Catchment::new(&plan.municipalities), ..Areas::default() };
    if let Some(frame) = collect(plan, "catchment", catchment, &["hf", "valid_to"])? {
        let frame = frame.collect().map_err(StageError::frame("read catchment areas"))?;
        add_catchment(&mut areas, &plan.organisation, &frame)?;
    }
    if let Some(frame) = collect(plan, "population", population, &["persons"])? {
        let frame = frame.collect().map_err(StageError::frame("read the population"))?;
        add_population(&mut areas, &frame)?;
    }
    Ok(areas)
}

fn add_catchment(areas: &mut Areas, organisation: &Organisation, frame: &DataFrame) -> Result<(), StageError> {
    let position = positions(&organisation.units);
    let (municipalities, districts) = (texts(frame, "municipality")?, texts(frame, "district")?);
    let (units, from, to) = (texts(frame, "hf")?, days(frame, "valid_from")?, days(frame, "valid_to")?);
    for row in 0..frame.height() {
        let (Some(municipality), Some(unit), Some(from)) = (municipalities[row], units[row], from[row]) else {
            continue;
        };
        match position.get(unit) {
            Some(unit) => {
                let valid = Valid { from, to: to[row], unit: *unit };
                areas.catchment.add(municipality, districts[row].unwrap_or_default(), valid);
            }
            None => {
                let units = areas.unknown_units.entry(UNIT_UNKNOWN.to_owned()).or_default();
                *units.entry(unplaced::shown_id(unit).to_owned()).or_default() += 1;
            }
        }
    }
    Ok(())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked whole numbers from the store")]
fn add_population(areas: &mut Areas, frame: &DataFrame) -> Result<(), StageError> {
    let (municipalities, districts) = (texts(frame, "municipality")?, texts(frame, "district")?);
    let (years, ages) = (numbers(frame, "year")?, numbers(frame, "age")?);
    let (sexes, persons) = (numbers(frame, "sex")?, numbers(frame, "persons")?);
    // A place has a row for each age and sex: it is looked up once a year.
    let mut known: HashMap<(i16, &str, &str), Result<u32, NoArea>> = HashMap::new();
    for row in 0..frame.height() {
        let (municipality, district) = (municipalities[row].unwrap_or_default(), districts[row].unwrap_or_default());
        let (year, persons) = (years[row] as i16, persons[row] as u64);
        let Ok(new_year) = jiff::civil::Date::new(year, 1, 1) else { continue };
        let unit = *known
            .entry((year, municipality, district))
            .or_insert_with(|| areas.catchment.unit(municipality, district, days_of(new_year)));
        match unit {
            Ok(unit) => {
                let cell = areas.population.entry((year, unit)).or_default();
                *cell.entry((ages[row] as i64, sexes[row] == 2.0)).or_default() += persons;
            }
            Err(reason) => {
                let place = place_code(municipality, district);
                unplaced::add(&mut areas.unplaced_persons, reason.as_str(), place, persons);
            }
        }
    }
    Ok(())
}
