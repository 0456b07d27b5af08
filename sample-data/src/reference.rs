//! The population and the catchment areas: files that do not grow with the sample.

use jiff::civil::{Date, date};
use prem_spec::{DeliveryMode, Export, Plan};

use crate::{
    SampleError,
    files::Files,
    output::Deliveries,
    table::{Row, Table},
    tables,
    world::World,
};

const POPULATION_FIELDS: [&str; 6] = ["year", "municipality", "district", "age", "sex", "persons"];
const CATCHMENT_FIELDS: [&str; 6] = ["municipality", "district", "hf", "hospital", "valid_from", "valid_to"];

/// Municipality numbers of 2024 hold from this day.
const PLACES_FROM: Date = date(2024, 1, 1);

/// Writes the two datasets where the plan has exports for them.
pub(crate) fn write(
    plan: &Plan,
    world: &World,
    files: &mut Files,
    deliveries: &mut Deliveries,
) -> Result<(), SampleError> {
    if let Some(export) = tables::export(plan, "population").filter(|_| world.settings.population) {
        let rows = population(plan, world, export, files)?;
        deliveries.insert(("population", "rows", "written".to_owned()), rows);
    }
    if let Some(export) = tables::export(plan, "catchment") {
        let rows = catchment(plan, world, export, files)?;
        deliveries.insert(("catchment", "rows", "written".to_owned()), rows);
    }
    Ok(())
}

/// One file a year; a snapshot holds all years, since it replaces what came before.
fn population(plan: &Plan, world: &World, export: &Export, files: &mut Files) -> Result<u64, SampleError> {
    let fields = POPULATION_FIELDS.map(str::to_owned);
    let table = Table::new(plan, export, &fields, world.settings.first_month, 0)?;
    let years = world.population.years();
    let last = years.last().map_or(0, |year| year.year);
    let mut rows = 0;
    let mut row = Row::default();
    for year in years {
        let mut out = Vec::new();
        for (place, cells) in world.region.places.iter().zip(&year.places) {
            for (sex, ages) in cells.iter().enumerate() {
                for (age, persons) in ages.iter().enumerate() {
                    row.clear();
                    let (sex, persons) = (if sex == 1 { "2" } else { "1" }, persons.to_string());
                    for text in
                        [&year.year.to_string(), &place.municipality, &place.district, &world.ages[age], sex, &persons]
                    {
                        row.text(text.as_bytes());
                    }
                    table.write(&row, &mut out);
                    rows += 1;
                }
            }
        }
        let stamp = if export.mode == DeliveryMode::Snapshot { last } else { year.year };
        files.append(&table.file_name(&stamp.to_string()), || table.header(), &out)?;
    }
    Ok(rows)
}

fn catchment(plan: &Plan, world: &World, export: &Export, files: &mut Files) -> Result<u64, SampleError> {
    let fields = CATCHMENT_FIELDS.map(str::to_owned);
    let first = world.settings.first_month.min(PLACES_FROM);
    let table = Table::new(plan, export, &fields, first, 0)?;
    let format = export.date_formats.first().map_or("%Y-%m-%d", String::as_str);
    let text = |day: Date| {
        let wrong =
            |error: jiff::Error| SampleError::Export { export: export.name.clone(), message: error.to_string() };
        jiff::fmt::strtime::format(format, day).map_err(wrong)
    };
    let mut rows = 0;
    let (mut row, mut out) = (Row::default(), Vec::new());
    for place in &world.region.places {
        let until = place.moves.as_ref().map(|later| text(later.from)).transpose()?.unwrap_or_default();
        let mut times = vec![(&place.hf, &place.hospital, text(first)?, until.clone())];
        times.extend(place.moves.as_ref().map(|later| (&later.hf, &later.hospital, until, String::new())));
        for (hf, hospital, from, to) in times {
            row.clear();
            for cell in [&place.municipality, &place.district, hf, hospital, &from, &to] {
                row.text(cell.as_bytes());
            }
            table.write(&row, &mut out);
            rows += 1;
        }
    }
    files.append(&table.file_name(&first.year().to_string()), || table.header(), &out)?;
    Ok(rows)
}
