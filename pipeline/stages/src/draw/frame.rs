//! The sampling frame: one candidate per person who may be drawn, and a reason for every other contact.

use std::collections::{BTreeMap, HashSet};

use jiff::{ToSpan, civil::Date};
use polars::prelude::*;
use prem_spec::{DrawPlan, Plan};

use super::{DrawInputs, DrawReport, DrawRequest};
use crate::{
    StageError, Unplaced,
    frames::{date_of, days, days_of, texts},
    link::verdict::{Verdict, place},
    placement::{LevelMap, Placement, positions},
    population::{code_texts, reasons_of_contacts},
    unplaced,
    view::{Part, SOURCE, current},
};

/// Discharge statuses of the register: dead, and dead by suicide.
const DEAD: [&str; 2] = ["2", "3"];

/// A person who may be drawn, and the contact that stands for the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub person: String,
    pub contact: String,
    /// Unit of discharge and stratum, as positions in the organisation.
    pub unit: u32,
    pub stratum: u32,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Frame {
    /// In the order of person.
    pub candidates: Vec<Candidate>,
    pub report: DrawReport,
}

const CONTACT: [&str; 9] = [
    "person_id",
    "unit_code",
    "admitted_at",
    "discharged_at",
    "age",
    "urgency",
    "care_level",
    "main_diagnosis",
    "discharge_status",
];

/// What `drawn_before`, invitations and reservations say of persons.
struct Persons {
    resting: HashSet<String>,
    reserved: HashSet<String>,
}

pub(super) fn of(plan: &Plan, inputs: &DrawInputs, request: &DrawRequest<'_>) -> Result<Frame, StageError> {
    let missing = || StageError::Missing { dataset: "contacts", needed_by: format!("the draw {}", request.plan.id) };
    let dataset = plan.datasets.get("contacts").ok_or_else(missing)?;
    let all = current(dataset, &inputs.contacts, &CONTACT)?.ok_or_else(missing)?;
    let read = |frame: LazyFrame| {
        frame
            .sort(["person_id", "discharged_at", "contact_id"], SortMultipleOptions::default())
            .collect()
            .map_err(StageError::frame("read contacts for the draw"))
    };
    let (start, end) = (days_of(request.window.start()), days_of(request.window.end()));
    let day = col("discharged_at").cast(DataType::Date).to_physical();
    let inside = read(all.clone().filter(day.clone().gt_eq(lit(start)).and(day.lt(lit(end)))))?;
    if inside.height() == 0 {
        return Err(not_in_window(&all, request)?);
    }
    let dead = dead_persons(&read(all.clone().select([
        col("person_id"),
        col("contact_id"),
        col("discharged_at"),
        col("discharge_status"),
    ]))?)?;
    let persons = Persons {
        resting: resting(plan, inputs, request, all)?,
        reserved: reserved(plan, &inputs.reservations, request.on)?,
    };
    judge(plan, request.plan, &inside, &dead, &persons)
}

/// A window of which no contact is stored has nobody to draw: what is stored helps more than an empty list.
fn not_in_window(contacts: &LazyFrame, request: &DrawRequest<'_>) -> Result<StageError, StageError> {
    let day = || col("discharged_at").cast(DataType::Date);
    let span = contacts
        .clone()
        .select([day().min().alias("first"), day().max().alias("last")])
        .collect()
        .map_err(StageError::frame("see what the contacts cover"))?;
    let shown = |name: &str| -> Result<String, StageError> {
        let found = days(&span, name)?.first().copied().flatten().and_then(date_of);
        Ok(found.map_or_else(|| "none".to_owned(), |day| day.to_string()))
    };
    Ok(StageError::NotInWindow { window: request.window.to_string(), first: shown("first")?, last: shown("last")? })
}

/// Persons whom any contact, in the window or not, says to have died.
fn dead_persons(contacts: &DataFrame) -> Result<HashSet<String>, StageError> {
    let status = code_texts(contacts, "discharge_status")?;
    let persons = texts(contacts, "person_id")?;
    let dead =
        status.iter().zip(persons).filter(|(status, _)| status.as_deref().is_some_and(|status| DEAD.contains(&status)));
    Ok(dead.filter_map(|(_, person)| person.map(str::to_owned)).collect())
}

/// Persons asked in any survey less than the plan's rest away from the day of the draw, before it or after.
fn resting(
    plan: &Plan,
    inputs: &DrawInputs,
    request: &DrawRequest<'_>,
    contacts: LazyFrame,
) -> Result<HashSet<String>, StageError> {
    let rest = request.plan.rest_months.months();
    let edge = |date: Result<Date, jiff::Error>| date.map(days_of).ok();
    let (after, before) = (edge(request.on.checked_sub(rest)), edge(request.on.checked_add(rest)));
    let rests = |day: i32| after.is_none_or(|after| day > after) && before.is_none_or(|before| day < before);
    let drawn = request.drawn_before.iter().filter(|(_, on)| rests(days_of(*on)));
    let mut resting: HashSet<String> = drawn.map(|(person, _)| person.clone()).collect();
    let Some(dataset) = plan.datasets.get("invitations") else { return Ok(resting) };
    let Some(invitations) = current(dataset, &inputs.invitations, &["contact_id", "sent_at"])? else {
        return Ok(resting);
    };
    let asked = invitations
        .select([col("contact_id"), col("sent_at")])
        .join_builder()
        .with(contacts.select([col("contact_id"), col("person_id"), col("discharged_at")]))
        .how(JoinType::Inner)
        .on([col("contact_id")])
        .finish()
        .collect()
        .map_err(StageError::frame("see who was asked before"))?;
    let (sent, discharged) = (days(&asked, "sent_at")?, days(&asked, "discharged_at")?);
    for (row, person) in texts(&asked, "person_id")?.into_iter().enumerate() {
        // Without a date of sending the stay is the nearest thing known.
        if let (Some(person), Some(day)) = (person, sent[row].or(discharged[row]))
            && rests(day)
        {
            resting.insert(person.to_owned());
        }
    }
    Ok(resting)
}

fn reserved(plan: &Plan, parts: &[Part], on: Date) -> Result<HashSet<String>, StageError> {
    let Some(dataset) = plan.datasets.get("reservations") else { return Ok(HashSet::new()) };
    let Some(rows) = current(dataset, parts, &["reserved_from", "reserved_to"])? else { return Ok(HashSet::new()) };
    let rows = rows.collect().map_err(StageError::frame("read reservations"))?;
    let (from, to) = (days(&rows, "reserved_from")?, days(&rows, "reserved_to")?);
    let on = days_of(on);
    let holds = |row: &usize| from[*row].is_none_or(|from| from <= on) && to[*row].is_none_or(|to| on < to);
    let persons = texts(&rows, "person_id")?;
    Ok((0..rows.height()).filter(holds).filter_map(|row| persons[row].map(str::to_owned)).collect())
}

/// Every contact gets the first reason that applies; `contacts` are in the order of person and discharge.
fn judge(
    plan: &Plan,
    draw: &DrawPlan,
    contacts: &DataFrame,
    dead: &HashSet<String>,
    persons: &Persons,
) -> Result<Frame, StageError> {
    let reasons = reasons_of_contacts(contacts, &draw.eligible)?;
    let diagnoses = texts(contacts, "main_diagnosis")?;
    let is_excluded = |code: &str| draw.main_diagnoses_excluded.iter().any(|prefix| code.starts_with(prefix.as_str()));
    let (person_ids, contact_ids) = (texts(contacts, "person_id")?, texts(contacts, "contact_id")?);
    let (codes, sources) = (texts(contacts, "unit_code")?, texts(contacts, SOURCE)?);
    let discharged = days(contacts, "discharged_at")?;
    let placement = Placement::new(&plan.organisation);
    let strata = LevelMap::new(&plan.organisation, draw.stratum);
    let position = positions(&plan.organisation.units);
    let stratum_of = |unit: u32| {
        let place = strata.parent[unit as usize]?;
        strata.units.get(place as usize).and_then(|stratum| position.get(stratum.id.as_str())).copied()
    };
    let mut report = DrawReport { contacts: contacts.height() as u64, ..DrawReport::default() };
    let mut exclude = |reason: &str| *report.excluded.entry(reason.to_owned()).or_default() += 1;
    let mut latest: BTreeMap<&str, Candidate> = BTreeMap::new();
    let mut unplaced = Unplaced::new();
    for row in 0..contacts.height() {
        let (Some(person), Some(contact), Some(day)) = (person_ids[row], contact_ids[row], discharged[row]) else {
            exclude("incomplete");
            continue;
        };
        if let Some(reason) = reasons[row] {
            exclude(reason);
            continue;
        }
        if diagnoses[row].is_some_and(is_excluded) {
            exclude("excluded-diagnosis");
            continue;
        }
        if dead.contains(person) {
            exclude("dead");
            continue;
        }
        let unit = match place(&placement, sources[row], codes[row], day) {
            Verdict::Kept { unit } => unit,
            Verdict::Excluded(reason) => {
                exclude(reason);
                continue;
            }
            Verdict::Unplaced { reason, code } => {
                unplaced::add(&mut unplaced, reason, &code, 1);
                exclude(reason);
                continue;
            }
        };
        let Some(stratum) = stratum_of(unit) else {
            exclude("no-unit-at-level");
            continue;
        };
        if persons.reserved.contains(person) {
            exclude("reserved");
        } else if persons.resting.contains(person) {
            exclude("asked-within-rest");
        } else {
            let candidate = Candidate { person: person.to_owned(), contact: contact.to_owned(), unit, stratum };
            if latest.insert(person, candidate).is_some() {
                exclude("later-contact");
            }
        }
    }
    report.unplaced = unplaced;
    Ok(Frame { candidates: latest.into_values().collect(), report })
}
