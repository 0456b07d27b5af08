//! Rates: contacts → episodes → counts per month, catchment area, age band and sex.

use std::collections::BTreeMap;

use jiff::civil::Date;
use polars::prelude::*;
use prem_spec::{ContactFilter, Indicator, Measure, Plan, Standardisation};

use crate::{
    StageError, Unplaced,
    area::{Areas, place_code},
    episode::{SECONDS_PER_HOUR, episodes},
    frames::{date_of, days, numbers, seconds, texts},
    unplaced,
    view::{Part, current},
};

/// Codes of sex in the register.
const MAN: f64 = 1.0;
const WOMAN: f64 = 2.0;

/// An episode that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event {
    /// First day of the month of the last discharge.
    pub month: Date,
    /// Unit responsible for the area.
    pub unit: u32,
    /// A band and a sex: see [`stratum`].
    pub stratum: usize,
    /// The same number for the same person; says nothing else.
    pub person: u32,
}

/// Events of one rate indicator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RateCells {
    /// In the order of persons.
    pub(crate) events: Vec<Event>,
    /// First and last month of discharge of all contacts stored, whatever they count for.
    pub(crate) covered: Option<(Date, Date)>,
    /// Contacts that match the filter.
    pub contacts: u64,
    /// Matching contacts that were part of an episode already counted.
    pub same_episode: u64,
    /// Events left out, by reason.
    pub excluded: BTreeMap<String, u64>,
    /// Places without a catchment area on the day, by reason.
    pub unplaced: Unplaced,
}

impl RateCells {
    /// Whether contacts are stored for every month of `period`, as far as its ends tell.
    pub(crate) fn covers(&self, period: prem_spec::Period) -> bool {
        let last = period.months().last();
        self.covered.is_some_and(|(from, to)| from <= period.start() && last.is_some_and(|last| last <= to))
    }

    pub(crate) fn months(&self) -> impl Iterator<Item = Date> {
        self.events.iter().map(|event| event.month)
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
pub fn count_events(plan: &Plan, contacts: &[Part], areas: &Areas) -> Result<BTreeMap<String, RateCells>, StageError> {
    let rates = plan.indicators.values().filter(|indicator| indicator.measure.is_rate());
    let mut all = BTreeMap::new();
    for indicator in rates {
        all.insert(indicator.id.clone(), count_one(plan, indicator, contacts, areas)?);
    }
    Ok(all)
}

const COLUMNS: [&str; 10] = [
    "person_id",
    "admitted_at",
    "discharged_at",
    "age",
    "sex",
    "municipality",
    "district",
    "urgency",
    "care_level",
    "procedures",
];

fn count_one(plan: &Plan, indicator: &Indicator, parts: &[Part], areas: &Areas) -> Result<RateCells, StageError> {
    let Measure::Rate { contacts: filter, standardisation, .. } = &indicator.measure else {
        return Ok(RateCells::default());
    };
    let missing = || StageError::Missing { dataset: "contacts", needed_by: format!("indicator {}", indicator.id) };
    let dataset = plan.datasets.get("contacts").ok_or_else(missing)?;
    let columns: Vec<&str> = COLUMNS.into_iter().chain(["main_diagnosis"]).collect();
    let all = current(dataset, parts, &columns)?.ok_or_else(missing)?;
    let all = all.with_column(matches(filter).fill_null(lit(false)).alias("counts"));
    // An episode may hang together through a contact that does not match, so all contacts of the persons are needed.
    let persons =
        all.clone().filter(col("counts")).select([col("person_id")]).unique_generic(None, UniqueKeepStrategy::Any);
    let span = all
        .clone()
        .select([
            col("discharged_at").cast(DataType::Date).min().alias("first"),
            col("discharged_at").cast(DataType::Date).max().alias("last"),
        ])
        .collect()
        .map_err(StageError::frame("see what the contacts cover"))?;
    let month = |name| -> Result<Option<Date>, StageError> {
        Ok(days(&span, name)?.first().copied().flatten().and_then(date_of).map(Date::first_of_month))
    };
    let covered = month("first")?.zip(month("last")?);
    let frame = all
        .semi_join(persons, col("person_id"), col("person_id"))
        .sort(["person_id", "admitted_at", "contact_id"], SortMultipleOptions::default())
        .collect()
        .map_err(StageError::frame("select contacts"))?;
    Ok(RateCells { covered, ..count_frame(&frame, filter, standardisation, areas)? })
}

fn any_prefix(column: &str, prefixes: &[String]) -> Expr {
    let padded = lit(" ") + col(column);
    prefixes
        .iter()
        .map(|prefix| padded.clone().str().contains_literal(lit(format!(" {prefix}"))))
        .reduce(Expr::or)
        .unwrap_or(lit(true))
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
    let (admitted, discharged) = (seconds(frame, "admitted_at")?, seconds(frame, "discharged_at")?);
    let discharge_days = days(frame, "discharged_at")?;
    let counts = crate::frames::series(frame, "counts")?;
    let counts = counts.bool().map_err(StageError::frame("read flags"))?;
    let (ages, sexes) = (numbers(frame, "age")?, numbers(frame, "sex")?);
    let (municipalities, districts) = (texts(frame, "municipality")?, texts(frame, "district")?);
    let mut cells = RateCells::default();
    let gap_max = filter.episode_gap_hours_max.saturating_mul(SECONDS_PER_HOUR);
    let mut person = 0;
    for rows in episodes(&persons, &admitted, &discharged, gap_max) {
        let first = rows.start;
        if first > 0 && persons[first] != persons[first - 1] {
            person += 1;
        }
        let last_day = discharge_days[rows.clone()].iter().copied().max().flatten();
        let matching: Vec<usize> = rows.filter(|row| counts.get(*row) == Some(true)).collect();
        let Some(&event) = matching.first() else { continue };
        cells.contacts += matching.len() as u64;
        cells.same_episode += matching.len() as u64 - 1;
        let residence = (municipalities[event].unwrap_or_default(), districts[event].unwrap_or_default());
        count_event(&mut cells, standardisation, areas, (person, last_day), (ages[event], sexes[event]), residence);
    }
    Ok(cells)
}

/// Counts one episode in the month of its last discharge, or under the reason why not.
fn count_event(
    cells: &mut RateCells,
    standardisation: &Standardisation,
    areas: &Areas,
    (person, discharged): (u32, Option<i32>),
    (age, sex): (f64, f64),
    (municipality, district): (&str, &str),
) {
    let mut exclude = |reason: &str| *cells.excluded.entry(reason.to_owned()).or_default() += 1;
    let Some(day) = discharged else { return exclude("not-discharged") };
    let is_woman = match sex {
        MAN => false,
        WOMAN => true,
        _ => return exclude("sex-unknown"),
    };
    if age.is_nan() {
        return exclude("age-unknown");
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole years")]
    let Some(stratum) = stratum(standardisation, age as i64, is_woman) else { return exclude("below-age") };
    match areas.unit(municipality, district, day) {
        Ok(unit) => {
            if let Some(month) = date_of(day).map(Date::first_of_month) {
                cells.events.push(Event { month, unit, stratum, person });
            }
        }
        Err(reason) => {
            exclude(reason.as_str());
            unplaced::add(&mut cells.unplaced, reason.as_str(), place_code(municipality, district), 1);
        }
    }
}
