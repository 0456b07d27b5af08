//! Who was asked: invitations counted by unit, month, sampling stratum and what the register knows of the person.
//!
//! The counts are what weights and response rates need: N_h of a sampling stratum is the sum of 1 / inclusion probability
//! over its eligible invitations. Invitations whose contact is not known, not discharged or in no unit cannot be counted
//! anywhere; they are told by reason.

use std::{collections::BTreeMap, path::Path};

use jiff::civil::Date;
use polars::prelude::*;
use prem_spec::{Organisation, Plan, Questionnaire};

use crate::{
    StageError,
    frames::{self, codes, days, days_of, month_of, numbers, texts},
    link::{LinkInputs, PERIOD_DATE, UNIT, left_join},
    placement::Placement,
    strata::{level_column, levels_of, register_stratifiers},
    view::{SOURCE, current},
};

/// Invitations of one unit, month, sampling stratum, age and group.
#[derive(Debug, Clone, PartialEq)]
pub struct Invited {
    /// Position of the unit in the organisation.
    pub unit: u32,
    pub month: Date,
    /// Position in [`Invitations::strata`]; `None` where none was stated.
    pub stratum: Option<u32>,
    /// Whole years.
    pub age: Option<i16>,
    /// Levels of the questionnaire's stratifiers that the register knows, in their order.
    pub groups: Vec<Option<i16>>,
    pub invited: u64,
    pub undeliverable: u64,
    pub ineligible: u64,
    pub reserved: u64,
    /// Σ 1 / inclusion probability over those who were eligible: the patients that they stand for.
    pub population: f64,
}

impl Invited {
    /// The denominator of the response rate.
    pub fn asked(&self) -> u64 {
        self.invited - self.undeliverable - self.ineligible
    }
}

/// The invitations of a questionnaire.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Invitations {
    /// Names of sampling strata, sorted.
    pub strata: Vec<String>,
    /// In the order of unit, month, stratum, age and groups.
    pub rows: Vec<Invited>,
}

pub(crate) const INVITED_FILE: &str = "invited.parquet";
const STRATUM: &str = "stratum";
const AGE: &str = "age";
const COUNTS: [&str; 4] = ["invited", "undeliverable", "ineligible", "reserved"];
const POPULATION: &str = "population";

/// Unit, month, stratum, age and groups.
type Key = (u32, Date, Option<String>, Option<i16>, Vec<Option<i16>>);

#[derive(Default)]
struct Count {
    counts: [i64; 4],
    population: f64,
}

/// Counts the invitations by the contact's unit and discharge month and writes `path`. Gives what could not be counted, by
/// reason.
pub(crate) fn write_invited(
    plan: &Plan,
    questionnaire: &Questionnaire,
    inputs: &LinkInputs,
    path: &Path,
) -> Result<BTreeMap<String, u64>, StageError> {
    let mut left_out = BTreeMap::new();
    let Some(joined) = joined(plan, questionnaire, inputs)? else { return Ok(left_out) };
    let placement = Placement::new(&plan.organisation);
    let (unit_codes, sources) = (texts(&joined, "unit_code")?, texts(&joined, SOURCE)?);
    let (outcomes, dates) = (texts(&joined, "outcome")?, days(&joined, PERIOD_DATE)?);
    let (strata, ages) = (texts(&joined, STRATUM)?, codes(&joined, AGE)?);
    let probabilities = numbers(&joined, "inclusion_probability")?;
    let register: Vec<_> = register_stratifiers(&questionnaire.stratifiers).collect();
    let groups: Vec<Vec<Option<i16>>> =
        register.iter().map(|stratifier| levels_of(&joined, stratifier)).collect::<Result<_, _>>()?;
    let mut counts: BTreeMap<Key, Count> = BTreeMap::new();
    for row in 0..joined.height() {
        let mut leave = |reason: &str| *left_out.entry(reason.to_owned()).or_default() += 1;
        let (Some(code), Some(source)) = (unit_codes[row], sources[row]) else {
            leave("no-contact");
            continue;
        };
        let Some(day) = dates[row] else {
            leave("not-discharged");
            continue;
        };
        let (Some(unit), Some(month)) = (placement.unit(source, code, day), month_of(day)) else {
            leave("unit-unknown");
            continue;
        };
        let own = groups.iter().map(|levels| levels[row]).collect();
        let key = (unit, month, strata[row].map(str::to_owned), ages[row], own);
        let count = counts.entry(key).or_default();
        count.counts[0] += 1;
        match outcomes[row] {
            Some("undeliverable") => count.counts[1] += 1,
            Some("ineligible") => count.counts[2] += 1,
            Some("reserved") => count.counts[3] += 1,
            _ => {}
        }
        if outcomes[row] != Some("ineligible") {
            let probability = probabilities[row];
            count.population += if probability.is_nan() { 1.0 } else { 1.0 / probability };
        }
    }
    let mut frame = table(plan, &register, &counts)?;
    frames::write(&mut frame, path)?;
    Ok(left_out)
}

fn joined(plan: &Plan, questionnaire: &Questionnaire, inputs: &LinkInputs) -> Result<Option<DataFrame>, StageError> {
    let (Some(invitations_of), Some(contacts_of)) = (plan.datasets.get("invitations"), plan.datasets.get("contacts"))
    else {
        return Ok(None);
    };
    let asked = ["contact_id", "outcome", STRATUM, "inclusion_probability"];
    let mut known = vec!["unit_code", "discharged_at", AGE];
    known.extend(register_stratifiers(&questionnaire.stratifiers).map(|stratifier| stratifier.column.as_str()));
    known.sort_unstable();
    known.dedup();
    let invitations = current(invitations_of, &inputs.invitations, &asked)?;
    let contacts = current(contacts_of, &inputs.contacts, &known)?;
    let (Some(invitations), Some(contacts)) = (invitations, contacts) else { return Ok(None) };
    let contacts = contacts.with_columns([col("discharged_at").cast(DataType::Date).alias(PERIOD_DATE)]);
    left_join(invitations.drop(cols([SOURCE, "_delivery"])), contacts, "contact_id")
        .collect()
        .map(Some)
        .map_err(StageError::frame("join invitations to contacts"))
}

fn table(
    plan: &Plan,
    register: &[&prem_spec::Stratifier],
    counts: &BTreeMap<Key, Count>,
) -> Result<DataFrame, StageError> {
    let ids: StringChunked =
        counts.keys().map(|key| plan.organisation.units.get(key.0 as usize).map(|unit| unit.id.as_str())).collect();
    let months: Int32Chunked = counts.keys().map(|key| Some(days_of(key.1))).collect();
    let months = months.into_series().cast(&DataType::Date).map_err(StageError::frame("count invitations"))?;
    let strata: StringChunked = counts.keys().map(|key| key.2.as_deref()).collect();
    let mut columns: Vec<Column> = vec![
        ids.into_series().with_name(UNIT.into()).into(),
        months.with_name("month".into()).into(),
        strata.into_series().with_name(STRATUM.into()).into(),
        Column::new(AGE.into(), counts.keys().map(|key| key.3).collect::<Vec<Option<i16>>>()),
    ];
    for (place, stratifier) in register.iter().enumerate() {
        let levels: Vec<Option<i16>> = counts.keys().map(|key| key.4.get(place).copied().flatten()).collect();
        columns.push(Column::new(level_column(stratifier).as_str().into(), levels));
    }
    for (place, name) in COUNTS.into_iter().enumerate() {
        columns.push(Column::new(name.into(), counts.values().map(|count| count.counts[place]).collect::<Vec<i64>>()));
    }
    columns.push(Column::new(POPULATION.into(), counts.values().map(|count| count.population).collect::<Vec<f64>>()));
    DataFrame::new(counts.len(), columns).map_err(StageError::frame("count invitations"))
}

/// Reads what linking wrote of the invitations into the folder `linked`; nothing where there are none.
///
/// # Errors
/// When the table cannot be read.
pub fn read_invited(
    organisation: &Organisation,
    questionnaire: &Questionnaire,
    linked: &Path,
) -> Result<Invitations, StageError> {
    let path = linked.join(INVITED_FILE);
    if !path.exists() {
        return Ok(Invitations::default());
    }
    let frame = frames::scan(&path)?.collect().map_err(StageError::frame("read invitations"))?;
    let (ids, months, named, ages) =
        (texts(&frame, UNIT)?, days(&frame, "month")?, texts(&frame, STRATUM)?, codes(&frame, AGE)?);
    let groups: Vec<Vec<Option<i16>>> = register_stratifiers(&questionnaire.stratifiers)
        .map(|stratifier| codes(&frame, &level_column(stratifier)))
        .collect::<Result<_, _>>()?;
    let count = |name| -> Result<Vec<u64>, StageError> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts written as Int64")]
        Ok(numbers(&frame, name)?.into_iter().map(|count| count as u64).collect())
    };
    let (invited, undeliverable) = (count(COUNTS[0])?, count(COUNTS[1])?);
    let (ineligible, reserved) = (count(COUNTS[2])?, count(COUNTS[3])?);
    let population = numbers(&frame, POPULATION)?;
    let mut strata: Vec<String> = named.iter().flatten().map(|name| (*name).to_owned()).collect();
    strata.sort();
    strata.dedup();
    let position: std::collections::HashMap<&str, u32> =
        organisation.units.iter().map(|unit| unit.id.as_str()).zip(0u32..).collect();
    let place = |name: &str| {
        strata.binary_search_by(|other| other.as_str().cmp(name)).ok().and_then(|place| u32::try_from(place).ok())
    };
    let row = |row: usize| {
        Some(Invited {
            unit: *position.get(ids[row]?)?,
            month: month_of(months[row]?)?,
            stratum: named[row].and_then(place),
            age: ages[row],
            groups: groups.iter().map(|levels| levels[row]).collect(),
            invited: invited[row],
            undeliverable: undeliverable[row],
            ineligible: ineligible[row],
            reserved: reserved[row],
            population: population[row],
        })
    };
    let rows = (0..frame.height()).filter_map(row).collect();
    Ok(Invitations { strata, rows })
}
