//! Draw: stored contacts → who is asked, with which probability.
//!
//! Every contact of the window is eligible or left out under one reason, and of a person's eligible contacts the latest
//! stands for the person. Persons of a stratum are drawn without replacement by a random number that is a hash of seed,
//! plan, window and pseudonym: so neither the order of rows nor the number of threads decides who is drawn.

mod frame;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use prem_spec::{DrawPlan, Period, Plan};
use prem_stats::weights::{SampleSize, stratified_sample};
use prem_store::{sha256_hex, tables::Drawn};
use serde::{Deserialize, Serialize};

use self::frame::{Candidate, Frame};
use crate::{StageError, Unplaced, view::Part};

/// Deliveries that a draw reads, each list in sequence order.
#[derive(Debug, Clone, Default)]
pub struct DrawInputs {
    pub contacts: Vec<Part>,
    pub invitations: Vec<Part>,
    pub reservations: Vec<Part>,
}

/// What one draw is of.
#[derive(Debug, Clone, Copy)]
pub struct DrawRequest<'a> {
    pub plan: &'a DrawPlan,
    /// Discharges of these months.
    pub window: Period,
    /// The day of the draw: rest and reservations are reckoned from it.
    pub on: Date,
    pub seed: u64,
    /// Persons drawn before by this program, with the day: an invitation may not have been delivered yet.
    pub drawn_before: &'a [(String, Date)],
}

/// One stratum of a draw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DrawnStratum {
    pub unit_id: String,
    /// Eligible persons.
    pub eligible: u64,
    pub drawn: u64,
    pub inclusion_probability: f64,
}

/// How the contacts of the window became a list of persons.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DrawReport {
    /// Contacts discharged in the window.
    pub contacts: u64,
    /// Contacts left out, by the first reason that applies.
    pub excluded: BTreeMap<String, u64>,
    /// Unit codes that no unit had on the day of discharge, by reason, with the number of contacts.
    pub unplaced: Unplaced,
    /// Persons who could be drawn: one contact each.
    pub eligible: u64,
    pub drawn: u64,
    /// In the order of the organisation.
    pub strata: Vec<DrawnStratum>,
}

impl DrawReport {
    /// Every contact of the window is accounted for.
    pub fn reconciles(&self) -> bool {
        let excluded: u64 = self.excluded.values().sum();
        let (eligible, drawn) =
            self.strata.iter().fold((0, 0), |(e, d), stratum| (e + stratum.eligible, d + stratum.drawn));
        self.contacts == excluded + self.eligible && eligible == self.eligible && drawn == self.drawn
    }
}

/// Draws, in the order of stratum and invitation id.
///
/// # Errors
/// When the contacts cannot be read, or the plan's quota draws nobody.
pub fn draw(
    plan: &Plan,
    inputs: &DrawInputs,
    request: &DrawRequest<'_>,
) -> Result<(Vec<Drawn>, DrawReport), StageError> {
    let Frame { candidates, mut report } = frame::of(plan, inputs, request)?;
    let units = &plan.organisation.units;
    let in_use: BTreeSet<u32> = candidates.iter().map(|candidate| candidate.stratum).collect();
    let place: BTreeMap<u32, u32> = in_use.iter().copied().zip(0u32..).collect();
    let strata: Vec<u32> = candidates.iter().map(|candidate| place[&candidate.stratum]).collect();
    let numbers: Vec<u128> = candidates.iter().map(|candidate| number(request, "person", &candidate.person)).collect();
    let quota = request.plan.quota;
    let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let size = SampleSize { fixed: count(quota.per_unit), share: quota.share, census_up_to: count(quota.census_up_to) };
    let sample = stratified_sample(&strata, &numbers, in_use.len(), &size).map_err(|source| StageError::Kernel {
        what: "the draw",
        indicator: request.plan.id.clone(),
        period: request.window.to_string(),
        source,
    })?;
    for (stratum, unit) in in_use.iter().enumerate() {
        let (eligible, drawn) = sample.sizes[stratum];
        report.strata.push(DrawnStratum {
            unit_id: units[*unit as usize].id.clone(),
            eligible: eligible as u64,
            drawn: drawn as u64,
            inclusion_probability: sample.probability(stratum).unwrap_or(0.0),
        });
    }
    report.eligible = candidates.len() as u64;
    report.drawn = sample.drawn.len() as u64;
    let mut rows: Vec<(u32, Drawn)> = sample
        .drawn
        .into_iter()
        .map(|row| {
            let stratum = &report.strata[strata[row] as usize];
            (strata[row], invitation(plan, request, &candidates[row], stratum))
        })
        .collect();
    rows.sort_by(|(a, x), (b, y)| (a, &x.invitation_id).cmp(&(b, &y.invitation_id)));
    Ok((rows.into_iter().map(|(_, row)| row).collect(), report))
}

fn invitation(plan: &Plan, request: &DrawRequest<'_>, candidate: &Candidate, stratum: &DrawnStratum) -> Drawn {
    let unit = &plan.organisation.units[candidate.unit as usize];
    Drawn {
        invitation_id: format!("{:032x}", number(request, "invitation", &candidate.contact)),
        person_id: candidate.person.clone(),
        contact_id: candidate.contact.clone(),
        questionnaire_id: request.plan.questionnaire.clone(),
        unit_id: unit.id.clone(),
        stratum: stratum.unit_id.clone(),
        inclusion_probability: stratum.inclusion_probability,
        drawn_on: request.on,
    }
}

/// A number of 128 bits that seed, plan, window and key decide, and nothing else.
fn number(request: &DrawRequest<'_>, what: &str, key: &str) -> u128 {
    let text = format!("{}\n{}\n{}\n{what}\n{key}", request.seed, request.plan.id, request.window);
    let hash = sha256_hex(text.as_bytes());
    hash.get(..32).and_then(|digits| u128::from_str_radix(digits, 16).ok()).unwrap_or_default()
}
