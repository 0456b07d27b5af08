//! Link: response → invitation → contact → unit at the day of discharge.
//!
//! Every response that stands either ends in a month's linked table or is counted under one reason. Linked tables hold
//! what scoring needs and no person's key.

use std::{collections::BTreeMap, path::Path};

use jiff::civil::Date;
use polars::prelude::*;
use prem_spec::{Link, Organisation, Plan, Questionnaire};
use serde::{Deserialize, Serialize};

use crate::{
    StageError,
    frames::{self, days, days_of, month_of, texts},
    placement::Placement,
    view::{DELIVERY, Part, SOURCE, current},
};

/// Deliveries of the datasets that linking reads, each in sequence order.
#[derive(Debug, Clone, Default)]
pub struct LinkInputs {
    pub responses: Vec<Part>,
    pub invitations: Vec<Part>,
    pub contacts: Vec<Part>,
}

/// What linking kept and left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkOutcome {
    /// Month (its first day) and rows of each partition written.
    pub months: BTreeMap<Date, u64>,
    /// Responses left out, by reason.
    pub excluded: BTreeMap<String, u64>,
    /// Unit codes that no unit had on the day, with the number of responses.
    pub unplaced: BTreeMap<String, u64>,
    pub kept: u64,
    /// What became of each delivery's responses that stand, by the delivery's place among those of the questionnaire.
    pub deliveries: BTreeMap<u32, LinkedDelivery>,
}

/// Responses of one delivery.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedDelivery {
    pub kept: u64,
    pub excluded: BTreeMap<String, u64>,
}

/// Invitations of one unit and month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invited {
    /// Position of the unit in the organisation.
    pub unit: u32,
    pub month: Date,
    pub invited: u64,
    pub undeliverable: u64,
    pub ineligible: u64,
}

/// Columns of the linked table besides the questionnaire's items.
pub(crate) const UNIT: &str = "unit_id";
pub(crate) const PERIOD_DATE: &str = "period_date";
pub(crate) const WEIGHT: &str = "design_weight";
const RESPONSE: [&str; 9] = [
    "response_id",
    "invitation_id",
    "contact_id",
    "questionnaire_id",
    "questionnaire_version",
    "unit_code",
    "answered_at",
    "mode",
    "language",
];
const CONTACT: [&str; 11] = [
    "contact_id",
    "unit_code",
    "admitted_at",
    "discharged_at",
    "age",
    "sex",
    "municipality",
    "district",
    "urgency",
    "care_level",
    "main_diagnosis",
];
const INVITED_FILE: &str = "invited.parquet";

/// Links the responses of `questionnaire` and writes `<out>/month=YYYY-MM/part.parquet`, rows in the order of unit and
/// response id, and `<out>/invited.parquet`.
///
/// # Errors
/// When a table cannot be read or written.
pub fn link_responses(
    plan: &Plan,
    questionnaire: &Questionnaire,
    inputs: &LinkInputs,
    out: &Path,
) -> Result<LinkOutcome, StageError> {
    let joined = match questionnaire.link {
        Link::Response => read_responses(plan, questionnaire, &inputs.responses)?,
        Link::Contact { .. } => join_contacts(plan, questionnaire, inputs)?,
    };
    let mut outcome = LinkOutcome::default();
    let Some(joined) = joined else { return Ok(outcome) };
    let verdicts = judge(plan, questionnaire, &joined)?;
    let deliveries = frames::series(&joined, DELIVERY)?;
    let deliveries = deliveries.u32().map_err(StageError::frame("read deliveries"))?;
    for (verdict, delivery) in verdicts.iter().zip(deliveries.iter()) {
        let of_delivery = outcome.deliveries.entry(delivery.unwrap_or(u32::MAX)).or_default();
        match verdict.reason() {
            None => of_delivery.kept += 1,
            Some(reason) => *of_delivery.excluded.entry(reason.to_owned()).or_default() += 1,
        }
        match verdict {
            Verdict::Kept { .. } => outcome.kept += 1,
            Verdict::Excluded(reason) => *outcome.excluded.entry((*reason).to_owned()).or_default() += 1,
            Verdict::Unplaced(code) => {
                *outcome.excluded.entry("unit-unknown".to_owned()).or_default() += 1;
                *outcome.unplaced.entry(code.clone()).or_default() += 1;
            }
        }
    }
    let linked = keep(&plan.organisation, joined, &verdicts)?;
    write_months(&linked, out, &mut outcome)?;
    if matches!(questionnaire.link, Link::Contact { .. }) {
        write_invited(plan, inputs, &out.join(INVITED_FILE))?;
    }
    Ok(outcome)
}

fn read_responses(plan: &Plan, questionnaire: &Questionnaire, parts: &[Part]) -> Result<Option<DataFrame>, StageError> {
    let Some(responses) = responses(plan, questionnaire, parts)? else { return Ok(None) };
    let frame = responses.with_columns([
        col("answered_at").alias(PERIOD_DATE),
        lit(1.0).alias(WEIGHT),
        col(SOURCE).alias("unit_source"),
    ]);
    frame.collect().map(Some).map_err(StageError::frame("read responses"))
}

fn responses(plan: &Plan, questionnaire: &Questionnaire, parts: &[Part]) -> Result<Option<LazyFrame>, StageError> {
    let Some(dataset) = plan.datasets.get("responses") else { return Ok(None) };
    let items = questionnaire.items.iter().map(|item| item.id.as_str());
    let columns: Vec<&str> = RESPONSE.into_iter().chain(items).collect();
    current(dataset, parts, &columns)
}

/// Left joins that keep the responses' order: a response without a partner stays, with nulls, to be counted.
fn join_contacts(
    plan: &Plan,
    questionnaire: &Questionnaire,
    inputs: &LinkInputs,
) -> Result<Option<DataFrame>, StageError> {
    let Some(responses) = responses(plan, questionnaire, &inputs.responses)? else { return Ok(None) };
    let missing = |dataset| StageError::Missing { dataset, needed_by: format!("questionnaire {}", questionnaire.id) };
    let contacts_of = plan.datasets.get("contacts").ok_or_else(|| missing("contacts"))?;
    let invitations_of = plan.datasets.get("invitations").ok_or_else(|| missing("invitations"))?;
    let responses = responses.drop(cols([SOURCE, "unit_code"]));
    let invited = match current(invitations_of, &inputs.invitations, &["contact_id", "inclusion_probability"])? {
        Some(invitations) => left_join(
            responses,
            invitations.select([
                col("invitation_id"),
                col("contact_id").alias("invited_contact"),
                col("inclusion_probability"),
            ]),
            "invitation_id",
        ),
        None => responses.with_columns([
            lit(NULL).cast(DataType::String).alias("invited_contact"),
            lit(NULL).cast(DataType::Float64).alias("inclusion_probability"),
        ]),
    };
    // A response's own contact id is the better witness; its invitation's contact is the usual one.
    let with_contact = invited.with_columns([
        when(col("contact_id").is_not_null())
            .then(col("contact_id"))
            .otherwise(col("invited_contact"))
            .alias("contact_id"),
        (lit(1.0) / col("inclusion_probability")).fill_null(lit(1.0)).alias(WEIGHT),
    ]);
    let contacts = current(contacts_of, &inputs.contacts, &CONTACT)?.ok_or_else(|| missing("contacts"))?;
    let contacts = contacts.with_columns([
        col("discharged_at").cast(DataType::Date).alias(PERIOD_DATE),
        col(SOURCE).alias("unit_source"),
        lit(true).alias("contact_found"),
    ]);
    let joined = left_join(with_contact, contacts.drop(cols([SOURCE, DELIVERY])), "contact_id");
    joined.collect().map(Some).map_err(StageError::frame("join responses to contacts"))
}

fn left_join(left: LazyFrame, right: LazyFrame, on: &str) -> LazyFrame {
    left.join_builder().with(right).how(JoinType::Left).on([col(on)]).maintain_order(MaintainOrderJoin::Left).finish()
}

/// Codes longer than this, or with other characters, are not shown: they may be something else than a code.
const CODE_SHOWN_MAX: usize = 16;

fn shown_code(code: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let digits = code.chars().filter(char::is_ascii_digit).count();
    // Eleven digits may be a person.
    let is_code = code.len() <= CODE_SHOWN_MAX && code.chars().all(is_plain) && digits < 11;
    if is_code { code.to_owned() } else { "(of another shape)".to_owned() }
}

enum Verdict {
    Kept { unit: u32 },
    Excluded(&'static str),
    Unplaced(String),
}

impl Verdict {
    /// Why the response is left out.
    fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Kept { .. } => None,
            Self::Excluded(reason) => Some(reason),
            Self::Unplaced(_) => Some("unit-unknown"),
        }
    }
}

/// One verdict per row: the first reason that applies.
fn judge(plan: &Plan, questionnaire: &Questionnaire, joined: &DataFrame) -> Result<Vec<Verdict>, StageError> {
    let placement = Placement::new(&plan.organisation);
    let ids = texts(joined, "questionnaire_id")?;
    let codes = texts(joined, "unit_code")?;
    let sources = texts(joined, "unit_source")?;
    let period_days = days(joined, PERIOD_DATE)?;
    let answered = days(joined, "answered_at")?;
    let place = |row: usize, day: i32| match (codes[row], sources[row]) {
        (Some(code), Some(source)) => match placement.unit(source, code, day) {
            Some(unit) => Verdict::Kept { unit },
            None => Verdict::Unplaced(shown_code(code)),
        },
        _ => Verdict::Excluded("no-unit-code"),
    };
    let versions = texts(joined, "questionnaire_version")?;
    let (valid_from, valid_to) = (days_of(questionnaire.valid_from), questionnaire.valid_to.map(days_of));
    let out_of_place = |row: usize| {
        let day = period_days[row];
        if ids[row] != Some(questionnaire.id.as_str()) {
            Some("other-questionnaire")
        } else if versions[row] != Some(questionnaire.version.as_str()) {
            Some("other-version")
        } else if day.is_some_and(|day| day < valid_from || valid_to.is_some_and(|to| day >= to)) {
            Some("outside-validity")
        } else {
            None
        }
    };
    let Link::Contact { answer_days_max } = questionnaire.link else {
        let verdict = |row| match (out_of_place(row), period_days[row]) {
            (Some(reason), _) => Verdict::Excluded(reason),
            (None, None) => Verdict::Excluded("no-answer-date"),
            (None, Some(day)) => place(row, day),
        };
        return Ok((0..joined.height()).map(verdict).collect());
    };
    let contacts = texts(joined, "contact_id")?;
    let invitations = texts(joined, "invitation_id")?;
    let found = frames::series(joined, "contact_found")?;
    let found = found.bool().map_err(StageError::frame("read flags"))?;
    let verdict = |row: usize| {
        if let Some(reason) = out_of_place(row) {
            return Verdict::Excluded(reason);
        }
        if contacts[row].is_none() {
            return Verdict::Excluded(if invitations[row].is_some() { "no-invitation" } else { "no-contact-id" });
        }
        if found.get(row) != Some(true) {
            return Verdict::Excluded("no-contact");
        }
        let (Some(discharged), Some(answered)) = (period_days[row], answered[row]) else {
            return Verdict::Excluded("not-discharged");
        };
        if answered < discharged {
            return Verdict::Excluded("answered-before-discharge");
        }
        if i64::from(answered - discharged) > answer_days_max {
            return Verdict::Excluded("answered-too-late");
        }
        place(row, discharged)
    };
    let mut verdicts: Vec<Verdict> = (0..joined.height()).map(verdict).collect();
    // Only answers that would count can stand in each other's way.
    let counts: Vec<Option<&str>> = verdicts
        .iter()
        .zip(&contacts)
        .map(|(verdict, contact)| contact.filter(|_| matches!(verdict, Verdict::Kept { .. })))
        .collect();
    let latest = latest_answer_of_contact(&counts, &answered);
    for (row, verdict) in verdicts.iter_mut().enumerate() {
        if counts[row].is_some_and(|contact| latest.get(contact) != Some(&row)) {
            *verdict = Verdict::Excluded("second-answer-for-contact");
        }
    }
    Ok(verdicts)
}

/// Of several responses for one contact the one answered last counts (of equal days the one delivered last).
fn latest_answer_of_contact<'a>(
    contacts: &[Option<&'a str>],
    answered: &[Option<i32>],
) -> std::collections::HashMap<&'a str, usize> {
    let mut latest = std::collections::HashMap::new();
    for (row, contact) in contacts.iter().enumerate() {
        let Some(contact) = contact else { continue };
        let kept = latest.entry(*contact).or_insert(row);
        if answered[row] >= answered[*kept] {
            *kept = row;
        }
    }
    latest
}

/// The kept rows with their unit, in the order of month, unit and response id, without keys of persons or contacts.
fn keep(organisation: &Organisation, joined: DataFrame, verdicts: &[Verdict]) -> Result<DataFrame, StageError> {
    let unit = |verdict: &Verdict| match verdict {
        Verdict::Kept { unit } => Some(*unit),
        _ => None,
    };
    let position: UInt32Chunked = verdicts.iter().map(unit).collect();
    let name = |position: u32| organisation.units.get(position as usize).map(|unit| unit.id.as_str());
    let ids: StringChunked = verdicts.iter().map(|verdict| unit(verdict).and_then(name)).collect();
    let keys = [
        "invitation_id",
        "contact_id",
        "invited_contact",
        "contact_found",
        "unit_code",
        "unit_source",
        SOURCE,
        DELIVERY,
    ];
    let present: Vec<&str> = keys.into_iter().filter(|name| joined.column(name).is_ok()).collect();
    joined
        .lazy()
        .drop(cols(present))
        .with_columns([
            lit(position.into_series()).alias("_position"),
            lit(ids.into_series()).alias(UNIT),
            col(PERIOD_DATE).dt().year().alias("_year"),
            col(PERIOD_DATE).dt().month().alias("_month"),
        ])
        .filter(col("_position").is_not_null())
        .sort(["_year", "_month", "_position", "response_id"], SortMultipleOptions::default())
        .drop(cols(["_year", "_month", "_position"]))
        .collect()
        .map_err(StageError::frame("order linked responses"))
}

fn write_months(linked: &DataFrame, out: &Path, outcome: &mut LinkOutcome) -> Result<(), StageError> {
    let dates = days(linked, PERIOD_DATE)?;
    let months: Vec<Option<Date>> = dates.iter().map(|day| day.and_then(month_of)).collect();
    let mut start = 0;
    while start < months.len() {
        let length = months[start..].iter().take_while(|month| **month == months[start]).count();
        if let Some(month) = months[start] {
            let folder = out.join(month_folder(month));
            std::fs::create_dir_all(&folder).map_err(StageError::io("create", &folder))?;
            let first = i64::try_from(start).unwrap_or(i64::MAX);
            frames::write(&mut linked.slice(first, length), &folder.join("part.parquet"))?;
            outcome.months.insert(month, length as u64);
        }
        start += length;
    }
    Ok(())
}

pub(crate) fn month_folder(month: Date) -> String {
    format!("month={:04}-{:02}", month.year(), month.month())
}

/// Invitations by the contact's unit and discharge month, for response rates.
fn write_invited(plan: &Plan, inputs: &LinkInputs, path: &Path) -> Result<(), StageError> {
    let (Some(invitations_of), Some(contacts_of)) = (plan.datasets.get("invitations"), plan.datasets.get("contacts"))
    else {
        return Ok(());
    };
    let invitations = current(invitations_of, &inputs.invitations, &["contact_id", "outcome"])?;
    let contacts = current(contacts_of, &inputs.contacts, &["unit_code", "discharged_at"])?;
    let (Some(invitations), Some(contacts)) = (invitations, contacts) else { return Ok(()) };
    let contacts = contacts.with_columns([col("discharged_at").cast(DataType::Date).alias(PERIOD_DATE)]);
    let joined = left_join(invitations.drop(cols([SOURCE, DELIVERY])), contacts, "contact_id")
        .collect()
        .map_err(StageError::frame("join invitations to contacts"))?;
    let placement = Placement::new(&plan.organisation);
    let (codes, sources) = (texts(&joined, "unit_code")?, texts(&joined, SOURCE)?);
    let (outcomes, dates) = (texts(&joined, "outcome")?, days(&joined, PERIOD_DATE)?);
    let mut counts: BTreeMap<(u32, Date), [i64; 3]> = BTreeMap::new();
    for row in 0..joined.height() {
        let (Some(code), Some(source), Some(day)) = (codes[row], sources[row], dates[row]) else { continue };
        let (Some(unit), Some(month)) = (placement.unit(source, code, day), month_of(day)) else { continue };
        let count = counts.entry((unit, month)).or_default();
        count[0] += 1;
        count[1] += i64::from(outcomes[row] == Some("undeliverable"));
        count[2] += i64::from(outcomes[row] == Some("ineligible"));
    }
    let unit_ids = counts.keys().map(|(unit, _)| placement.organisation.units[*unit as usize].id.as_str());
    let months: Int32Chunked = counts.keys().map(|(_, month)| Some(frames::days_of(*month))).collect();
    let count = |place: usize| counts.values().map(|count| count[place]).collect::<Vec<i64>>();
    let mut frame = df!(
        UNIT => unit_ids.collect::<Vec<_>>(),
        "invited" => count(0),
        "undeliverable" => count(1),
        "ineligible" => count(2),
    )
    .and_then(|mut frame| {
        frame.with_column(months.into_series().cast(&DataType::Date)?.with_name("month".into()).into())?;
        Ok(frame)
    })
    .map_err(StageError::frame("count invitations"))?;
    frames::write(&mut frame, path)
}

/// Reads what [`link_responses`] wrote of the invitations; empty where there are none.
///
/// # Errors
/// When the table cannot be read.
pub fn read_invited(organisation: &Organisation, linked: &Path) -> Result<Vec<Invited>, StageError> {
    let path = linked.join(INVITED_FILE);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let frame = frames::scan(&path)?.collect().map_err(StageError::frame("read invitations"))?;
    let ids = texts(&frame, UNIT)?;
    let months = days(&frame, "month")?;
    let count = |name| -> Result<Vec<u64>, StageError> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts written as Int64")]
        Ok(frames::numbers(&frame, name)?.into_iter().map(|count| count as u64).collect())
    };
    let (invited, undeliverable, ineligible) = (count("invited")?, count("undeliverable")?, count("ineligible")?);
    let position: std::collections::HashMap<&str, u32> =
        organisation.units.iter().map(|unit| unit.id.as_str()).zip(0u32..).collect();
    let row = |row: usize| {
        Some(Invited {
            unit: *position.get(ids[row]?)?,
            month: month_of(months[row]?)?,
            invited: invited[row],
            undeliverable: undeliverable[row],
            ineligible: ineligible[row],
        })
    };
    Ok((0..frame.height()).filter_map(row).collect())
}
