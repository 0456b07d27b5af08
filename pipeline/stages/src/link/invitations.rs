//! Invitations by the contact's unit and month of discharge, for response rates.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use jiff::civil::Date;
use polars::prelude::*;
use prem_spec::{Organisation, Plan, Questionnaire};

use super::{
    InvitationCounts, LinkInputs, PERIOD_DATE, UNIT,
    join::{CONTACT_FOUND, left_join, to_questionnaire},
    verdict::{Verdict, place},
};
use crate::{
    StageError,
    frames::{self, days, month_of, texts},
    placement::Placement,
    unplaced,
    view::{DELIVERY, SOURCE, current},
};

const FILE: &str = "invited.parquet";

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

/// Writes `invited.parquet` of the invitations to `questionnaire`, and counts those that no contact places.
pub(super) fn write(
    plan: &Plan,
    questionnaire: &Questionnaire,
    inputs: &LinkInputs,
    out: &Path,
) -> Result<InvitationCounts, StageError> {
    let mut told = InvitationCounts::default();
    let (Some(invitations_of), Some(contacts_of)) = (plan.datasets.get("invitations"), plan.datasets.get("contacts"))
    else {
        return Ok(told);
    };
    let invitations = current(invitations_of, &inputs.invitations, &["contact_id", "outcome", "questionnaire_id"])?;
    let contacts = current(contacts_of, &inputs.contacts, &["unit_code", "discharged_at"])?;
    let (Some(invitations), Some(contacts)) = (invitations, contacts) else { return Ok(told) };
    let contacts = contacts
        .with_columns([col("discharged_at").cast(DataType::Date).alias(PERIOD_DATE), lit(true).alias(CONTACT_FOUND)]);
    let joined = left_join(to_questionnaire(invitations, questionnaire).drop(cols([SOURCE, DELIVERY])), contacts, "contact_id")
        .collect()
        .map_err(StageError::frame("join invitations to contacts"))?;
    let placement = Placement::new(&plan.organisation);
    let (codes, sources) = (texts(&joined, "unit_code")?, texts(&joined, SOURCE)?);
    let (outcomes, dates) = (texts(&joined, "outcome")?, days(&joined, PERIOD_DATE)?);
    let found = frames::series(&joined, CONTACT_FOUND)?;
    let found = found.bool().map_err(StageError::frame("read flags"))?;
    let mut counts: BTreeMap<(u32, Date), [i64; 3]> = BTreeMap::new();
    for row in 0..joined.height() {
        let verdict = match (found.get(row), dates[row]) {
            (None, _) => Verdict::Excluded("no-contact"),
            (Some(_), None) => Verdict::Excluded("not-discharged"),
            (Some(_), Some(day)) => place(&placement, sources[row], codes[row], day),
        };
        let reason = match verdict {
            Verdict::Kept { unit } => {
                let Some(month) = dates[row].and_then(month_of) else { continue };
                let count = counts.entry((unit, month)).or_default();
                count[0] += 1;
                count[1] += i64::from(outcomes[row] == Some("undeliverable"));
                count[2] += i64::from(outcomes[row] == Some("ineligible"));
                told.placed += 1;
                continue;
            }
            Verdict::Excluded(reason) => reason,
            Verdict::Unplaced { reason, code } => {
                unplaced::add(&mut told.unplaced, reason, &code, 1);
                reason
            }
        };
        *told.left_out.entry(reason.to_owned()).or_default() += 1;
    }
    write_counts(placement.organisation, &counts, &out.join(FILE))?;
    Ok(told)
}

fn write_counts(
    organisation: &Organisation,
    counts: &BTreeMap<(u32, Date), [i64; 3]>,
    path: &Path,
) -> Result<(), StageError> {
    let unit_ids = counts.keys().map(|(unit, _)| organisation.units[*unit as usize].id.as_str());
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

/// Reads what linking wrote of the invitations; empty where there are none.
///
/// # Errors
/// When the table cannot be read.
pub fn read_invited(organisation: &Organisation, linked: &Path) -> Result<Vec<Invited>, StageError> {
    let path = linked.join(FILE);
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
    let position: HashMap<&str, u32> = organisation.units.iter().map(|unit| unit.id.as_str()).zip(0u32..).collect();
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
