//! Rates: contacts → episodes → counts per month, catchment area, age band and sex.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use polars::prelude::*;
use prem_spec::{ContactFilter, Indicator, Measure, Plan, Standardisation};

use crate::{
    StageError,
    area::Areas,
    frames::{date_of, days, minutes, numbers, texts},
    view::{Part, current},
};

const MINUTES_PER_HOUR: i64 = 60;

/// Events of one rate indicator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RateCells {
    /// (month, unit responsible for the area, stratum) → events. A stratum is a band and a sex: see [`stratum`].
    pub(crate) events: BTreeMap<(Date, u32, usize), u64>,
    /// Contacts that match the filter.
    pub contacts: u64,
    /// Matching contacts that were part of an episode already counted.
    pub same_episode: u64,
    /// Events left out, by reason.
    pub excluded: BTreeMap<String, u64>,
    /// Municipalities that no catchment area had on the day, with the number of events.
    pub unplaced: BTreeMap<String, u64>,
}

impl RateCells {
    pub(crate) fn months(&self) -> impl Iterator<Item = Date> {
        self.events.keys().map(|(month, ..)| *month)
    }
}

/// The stratum of an age and sex; `None` below the lowest band.
pub(crate) fn stratum(standardisation: &Standardisation, age: i64, is_woman: bool) -> Option<usize> {
    let band = standardisation.age_bands.iter().rposition(|from| *from <= age)?;
    Some(2 * band + usize::from(is_woman))
}

pub(crate) fn strata(standardisation: &Standardisation) -> usize {
    2 * standardisation.age_bands.len()
}

/// Counts the events of every rate indicator, in the order of their ids.
///
/// # Errors
/// When the contacts cannot be read.
pub fn count_events(
    plan: &Plan,
    contacts: &[Part],
    areas: &Areas,
) -> Result<BTreeMap<String, RateCells>, StageError> {
    let rates = plan.indicators.values().filter(|indicator| indicator.measure.is_rate());
    let mut all = BTreeMap::new();
    for indicator in rates {
        all.insert(indicator.id.clone(), count_one(plan, indicator, contacts, areas)?);
    }
    Ok(all)
}

const COLUMNS: [&str; 10] = [
    "person_id", "admitted_at", "discharged_at", "age", "sex", "municipality", "district", "urgency", "care_level",
    "procedures",
];

fn count_one(
    plan: &Plan,
    indicator: &Indicator,
    parts: &[Part],
    areas: &Areas,
) -> Result<RateCells, StageError> {
    let Measure::Rate { contacts: filter, standardisation, .. } = &indicator.measure else {
        return Ok(RateCells::default());
    };
    let missing = || StageError::Missing { dataset: "contacts", needed_by: format!("indicator {}", indicator.id) };
    let dataset = plan.datasets.get("contacts").ok_or_else(missing)?;
    let columns: Vec<&str> = COLUMNS.into_iter().chain(["main_diagnosis"]).collect();
    let all = current(dataset, parts, &columns)?.ok_or_else(missing)?;
    let all = all.with_column(matches(filter).fill_null(lit(false)).alias("counts"));
    // An episode may hang together through a contact that does not match, so all contacts of the persons are needed.
    let persons = all.clone().filter(col("counts")).select([col("person_id")]).unique_generic(None, UniqueKeepStrategy::Any);
    let frame = all
        .semi_join(persons, col("person_id"), col("person_id"))
        .sort(["person_id", "admitted_at", "contact_id"], SortMultipleOptions::default())
        .collect()
        .map_err(StageError::frame("select contacts"))?;
    count_frame(&frame, filter, standardisation, areas)
}

fn any_prefix(column: &str, prefixes: &[String]) -> Expr {
    let padded = lit(" ") + col(column);
    prefixes.iter().map(|prefix| padded.clone().str().contains_literal(lit(format!(" {prefix}")))).reduce(Expr::or).unwrap_or(lit(true))
}

fn one_of(column: &str, codes: &[String]) -> Expr {
    // Stored codes are integers where all of them are; compare in the column's own terms.
    let code = col(column).cast(DataType::String);
    codes.iter().map(|wanted| code.clone().eq(lit(wanted.as_str()))).reduce(Expr::or).unwrap_or(lit(true))
}

fn matches(filter: &ContactFilter) -> Expr {
    any_prefix("procedures", &filter.procedures)
        .and(any_prefix("main_diagnosis", &filter.main_diagnoses))
        .and(one_of("care_level", &filter.care_levels))
        .and(one_of("urgency", &filter.urgencies))
}

fn count_frame(
    frame: &DataFrame,
    filter: &ContactFilter,
    standardisation: &Standardisation,
    areas: &Areas,
) -> Result<RateCells, StageError> {
    let persons = texts(frame, "person_id")?;
    let (admitted, discharged) = (minutes(frame, "admitted_at")?, minutes(frame, "discharged_at")?);
    let discharge_days = days(frame, "discharged_at")?;
    let counts = crate::frames::series(frame, "counts")?;
    let counts = counts.bool().map_err(StageError::frame("read flags"))?;
    let (ages, sexes) = (numbers(frame, "age")?, numbers(frame, "sex")?);
    let (municipalities, districts) = (texts(frame, "municipality")?, texts(frame, "district")?);
    let mut cells = RateCells::default();
    let gap_max = filter.episode_gap_hours_max.saturating_mul(MINUTES_PER_HOUR);
    let (mut person, mut episode_end, mut episode_counted) = (None, i64::MIN, false);
    for row in 0..frame.height() {
        let start = admitted[row].unwrap_or(i64::MIN);
        if persons[row] != person || start.saturating_sub(episode_end) > gap_max {
            (person, episode_end, episode_counted) = (persons[row], i64::MIN, false);
        }
        episode_end = episode_end.max(discharged[row].unwrap_or(start));
        if counts.get(row) != Some(true) {
            continue;
        }
        cells.contacts += 1;
        if episode_counted {
            cells.same_episode += 1;
            continue;
        }
        episode_counted = true;
        let mut exclude = |reason: &str| *cells.excluded.entry(reason.to_owned()).or_default() += 1;
        let Some(day) = discharge_days[row] else {
            exclude("not-discharged");
            continue;
        };
        let is_woman = match sexes[row] {
            1.0 => false,
            2.0 => true,
            _ => {
                exclude("sex-unknown");
                continue;
            }
        };
        if ages[row].is_nan() {
            exclude("age-unknown");
            continue;
        }
        #[expect(clippy::cast_possible_truncation, reason = "whole years")]
        let Some(stratum) = stratum(standardisation, ages[row] as i64, is_woman) else {
            exclude("below-age");
            continue;
        };
        let municipality = municipalities[row].unwrap_or_default();
        let Some(unit) = areas.unit(municipality, districts[row].unwrap_or_default(), day) else {
            exclude("area-unknown");
            *cells.unplaced.entry(municipality.to_owned()).or_default() += 1;
            continue;
        };
        if let Some(month) = date_of(day).map(Date::first_of_month) {
            *cells.events.entry((month, unit, stratum)).or_default() += 1;
        }
    }
    Ok(cells)
}

/// Events of a period as a table: per unit, one count per stratum.
pub(crate) fn events_in(cells: &RateCells, period: prem_spec::Period, strata: usize) -> HashMap<u32, Vec<f64>> {
    let mut table: HashMap<u32, Vec<f64>> = HashMap::new();
    for ((month, unit, stratum), events) in &cells.events {
        if period.contains(*month) {
            #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
            let count = *events as f64;
            table.entry(*unit).or_insert_with(|| vec![0.0; strata])[*stratum] += count;
        }
    }
    table
}
