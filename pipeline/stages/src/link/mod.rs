//! Link: response → invitation → contact → unit at the day of discharge.
//!
//! Every response that stands either ends in a month's linked table or is counted under one reason and kept apart. Linked
//! tables hold what scoring needs and no person's key.
//!
//! **Which unit an answer belongs to.** The contact that was asked about decides, also where it is one of several in an
//! episode (a transfer between wards or hospitals): the letter named that unit, its response rate counts that invitation,
//! and the sample was drawn from its contacts. Episodes decide who answered twice: two answers about one stay are one
//! patient's, and the one given last counts.

mod invitations;
mod join;
mod months;
mod stays;
mod unlinked;
pub(crate) mod verdict;

use std::{collections::BTreeMap, path::Path};

use jiff::civil::Date;
use prem_spec::{Link, Plan, Questionnaire};
use serde::{Deserialize, Serialize};

pub use self::invitations::{Invitations, Invited, read_invited};
use self::{stays::Stays, verdict::Verdict};
use crate::{
    StageError, Unplaced,
    asked::drop_unasked,
    frames, unplaced,
    view::{DELIVERY, Part},
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
    /// Unit codes that no unit had on the day, by reason, with the number of responses.
    pub unplaced: Unplaced,
    pub kept: u64,
    /// What became of each delivery's responses that stand, by the delivery's place among those of the questionnaire.
    pub deliveries: BTreeMap<u32, LinkedDelivery>,
    /// Item → answers taken away, since the respondent's form did not ask it.
    #[serde(default)]
    pub unasked: BTreeMap<String, u64>,
    /// Item → months in which it was asked and nobody answered it.
    #[serde(default)]
    pub unanswered: BTreeMap<String, Vec<Date>>,
    /// Invitations of contacts; empty where the questionnaire has no register.
    pub invitations: InvitationCounts,
}

/// Responses of one delivery.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedDelivery {
    pub kept: u64,
    pub excluded: BTreeMap<String, u64>,
}

/// Invitations that enter a response rate, and those that no contact places.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationCounts {
    pub placed: u64,
    /// Invitations that enter no response rate, by reason.
    pub left_out: BTreeMap<String, u64>,
    /// Unit codes of their contacts that no unit had on the day, by reason.
    pub unplaced: Unplaced,
}

/// Columns of the linked table besides the questionnaire's items.
pub(crate) const UNIT: &str = "unit_id";
pub(crate) const PERIOD_DATE: &str = "period_date";
pub(crate) const WEIGHT: &str = "design_weight";
pub(crate) const SAMPLING_STRATUM: &str = "sampling_stratum";

/// Links the responses of `questionnaire` and writes `<out>/month=YYYY-MM/part.parquet`, rows in the order of unit and
/// response id; `<out>/invited.parquet`; and `<out>/unlinked.parquet` with every response left out.
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
        Link::Response => join::read_responses(plan, questionnaire, &inputs.responses)?,
        Link::Contact { .. } => join::join_contacts(plan, questionnaire, inputs)?,
    };
    let mut outcome = LinkOutcome::default();
    let Some(joined) = joined else { return Ok(outcome) };
    let stays = match questionnaire.link {
        Link::Response => Stays::default(),
        Link::Contact { .. } => Stays::of(plan, &joined, &inputs.contacts)?,
    };
    let verdicts = verdict::judge(plan, questionnaire, &joined, &stays)?;
    let deliveries = frames::series(&joined, DELIVERY)?;
    let deliveries = deliveries.u32().map_err(StageError::frame("read deliveries"))?;
    for (verdict, delivery) in verdicts.iter().zip(deliveries.iter()) {
        let of_delivery = outcome.deliveries.entry(delivery.unwrap_or(u32::MAX)).or_default();
        let Some(reason) = verdict.reason() else {
            outcome.kept += 1;
            of_delivery.kept += 1;
            continue;
        };
        for excluded in [&mut outcome.excluded, &mut of_delivery.excluded] {
            *excluded.entry(reason.to_owned()).or_default() += 1;
        }
        if let Verdict::Unplaced { code, .. } = verdict {
            unplaced::add(&mut outcome.unplaced, reason, code, 1);
        }
    }
    unlinked::write(&joined, &verdicts, &out.join(unlinked::FILE))?;
    let linked = months::keep(&plan.organisation, joined, &verdicts)?;
    let months = months::of(&linked)?;
    let (linked, unasked) = drop_unasked(plan, questionnaire, linked, &months)?;
    (outcome.unasked, outcome.unanswered) = (unasked.dropped, unasked.unanswered);
    outcome.months = months::write(&linked, &months, out)?;
    if matches!(questionnaire.link, Link::Contact { .. }) {
        outcome.invitations = invitations::write(plan, questionnaire, inputs, out)?;
    }
    Ok(outcome)
}
