//! Who was asked: invitations counted by unit, month, sampling stratum and what the register knows of the person.
//!
//! The counts are what weights and response rates need: N_h of a sampling stratum is the sum of 1 / inclusion probability
//! over its eligible invitations to patients whom an indicator counts. Whom it counts is asked of the register in the same
//! way as of respondents ([`population::members`]); what only an answer tells is left to estimation. Invitations that
//! no contact places cannot be counted anywhere; they are told by reason.

use std::{collections::BTreeMap, path::Path};

use jiff::civil::Date;
use polars::prelude::*;
use prem_spec::{Level, Plan, Questionnaire, Stratifier};

use super::{
    InvitationCounts, LinkInputs, PERIOD_DATE, UNIT,
    join::{CONTACT, CONTACT_FOUND, PROBABILITY, STRATUM, left_join, to_questionnaire},
    verdict::{Verdict, place},
};
use crate::{
    StageError,
    frames::{self, codes, days, days_of, month_of, numbered, numbers, texts},
    placement::{Placement, positions},
    population,
    score::indicators_of,
    strata::{level_column, levels_of, register_stratifiers},
    unplaced,
    view::{DELIVERY, SOURCE, current},
};

const FILE: &str = "invited.parquet";
const COUNTS: [&str; 4] = ["invited", "undeliverable", "ineligible", "reserved"];
const POPULATION: &str = "population";

/// Invitations of one unit, month, sampling stratum and group, whom the same indicators count.
#[derive(Debug, Clone, PartialEq)]
pub struct Invited {
    /// Position of the unit in the organisation.
    pub unit: u32,
    pub month: Date,
    /// Position in [`Invitations::strata`]; `None` where none was stated.
    pub stratum: Option<u32>,
    /// Levels of the questionnaire's stratifiers that the register knows, in their order.
    pub groups: Vec<Option<i16>>,
    /// Whether each of [`Invitations::indicators`] counts these patients, as far as the register knows.
    pub members: Vec<bool>,
    pub invited: u64,
    pub undeliverable: u64,
    pub ineligible: u64,
    pub reserved: u64,
    /// Σ 1 / inclusion probability over those who were eligible: the patients that they stand for.
    pub population: f64,
}

/// The invitations of a questionnaire.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Invitations {
    /// Names of sampling strata, sorted.
    pub strata: Vec<String>,
    /// The indicators that read the questionnaire, sorted.
    pub indicators: Vec<String>,
    /// In the order of unit, month, stratum, groups and members.
    pub rows: Vec<Invited>,
}

impl Invitations {
    /// The invitations to patients whom `indicator` counts, as far as the register knows.
    pub(crate) fn to_members<'a>(&'a self, indicator: &str) -> impl Iterator<Item = &'a Invited> + use<'a> {
        let place = self.indicators.iter().position(|id| id == indicator);
        self.rows.iter().filter(move |row| place.and_then(|place| row.members.get(place)).copied().unwrap_or(false))
    }
}

/// Unit, month, stratum, groups and members.
type Key = (u32, Date, Option<String>, Vec<Option<i16>>, Vec<bool>);

#[derive(Default)]
struct Count {
    counts: [i64; 4],
    population: f64,
}

/// Writes `invited.parquet` of the invitations to `questionnaire`, and counts those that no contact places.
pub(super) fn write(
    plan: &Plan,
    questionnaire: &Questionnaire,
    inputs: &LinkInputs,
    out: &Path,
) -> Result<InvitationCounts, StageError> {
    let mut told = InvitationCounts::default();
    let Some(joined) = joined(plan, questionnaire, inputs)? else { return Ok(told) };
    let placement = Placement::new(&plan.organisation);
    let (unit_codes, sources) = (texts(&joined, "unit_code")?, texts(&joined, SOURCE)?);
    let (outcomes, dates) = (texts(&joined, "outcome")?, days(&joined, PERIOD_DATE)?);
    let (strata, probabilities) = (texts(&joined, STRATUM)?, numbers(&joined, PROBABILITY)?);
    let found = frames::series(&joined, CONTACT_FOUND)?;
    let found = found.bool().map_err(StageError::frame("read flags"))?;
    let register: Vec<_> = register_stratifiers(&questionnaire.stratifiers).collect();
    let groups: Vec<Vec<Option<i16>>> =
        register.iter().map(|stratifier| levels_of(&joined, stratifier)).collect::<Result<_, _>>()?;
    let asked = Asked::of(plan, questionnaire);
    let members: Vec<Vec<bool>> = asked
        .iter()
        .map(|asked| population::members(&joined, plan, questionnaire, asked.population))
        .collect::<Result<_, _>>()?;
    let mut counts: BTreeMap<Key, Count> = BTreeMap::new();
    for row in 0..joined.height() {
        let verdict = match (found.get(row), dates[row]) {
            (None, _) => Verdict::Excluded("no-contact"),
            (Some(_), None) => Verdict::Excluded("not-discharged"),
            (Some(_), Some(day)) => place(&placement, sources[row], unit_codes[row], day),
        };
        let reason = match verdict {
            Verdict::Kept { unit } => {
                let Some((day, month)) = dates[row].and_then(|day| Some((day, month_of(day)?))) else { continue };
                let own = groups.iter().map(|levels| levels[row]).collect();
                let counting =
                    asked.iter().zip(&members).map(|(asked, members)| members[row] && asked.holds(unit, day)).collect();
                let key = (unit, month, strata[row].map(str::to_owned), own, counting);
                counts.entry(key).or_default().add(outcomes[row], probabilities[row]);
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
    let mut frame = table(plan, questionnaire, &register, &counts)?;
    frames::write(&mut frame, &out.join(FILE))?;
    Ok(told)
}

impl Count {
    fn add(&mut self, outcome: Option<&str>, probability: f64) {
        self.counts[0] += 1;
        match outcome {
            Some("undeliverable") => self.counts[1] += 1,
            Some("ineligible") => self.counts[2] += 1,
            Some("reserved") => self.counts[3] += 1,
            _ => {}
        }
        if outcome != Some("ineligible") {
            self.population += if probability.is_nan() { 1.0 } else { 1.0 / probability };
        }
    }
}

fn joined(plan: &Plan, questionnaire: &Questionnaire, inputs: &LinkInputs) -> Result<Option<DataFrame>, StageError> {
    let (Some(invitations_of), Some(contacts_of)) = (plan.datasets.get("invitations"), plan.datasets.get("contacts"))
    else {
        return Ok(None);
    };
    let asked = ["contact_id", "outcome", STRATUM, PROBABILITY, "questionnaire_id"];
    let mut known: Vec<&str> = CONTACT.into_iter().filter(|column| *column != "contact_id").collect();
    known.extend(register_stratifiers(&questionnaire.stratifiers).map(|stratifier| stratifier.column.as_str()));
    known.sort_unstable();
    known.dedup();
    let invitations = current(invitations_of, &inputs.invitations, &asked)?;
    let contacts = current(contacts_of, &inputs.contacts, &known)?;
    let (Some(invitations), Some(contacts)) = (invitations, contacts) else { return Ok(None) };
    let invitations = to_questionnaire(invitations, questionnaire).drop(cols([SOURCE, DELIVERY]));
    let contacts = contacts
        .with_columns([col("discharged_at").cast(DataType::Date).alias(PERIOD_DATE), lit(true).alias(CONTACT_FOUND)]);
    left_join(invitations, contacts, "contact_id")
        .collect()
        .map(Some)
        .map_err(StageError::frame("join invitations to contacts"))
}

/// Whom the form that was sent can give a value of one indicator.
struct Asked<'a> {
    questionnaire: &'a Questionnaire,
    population: &'a prem_spec::Population,
    items: Vec<&'a str>,
    /// The trust of every unit of the organisation; empty where all forms have the items.
    trusts: Vec<Option<&'a str>>,
}

impl<'a> Asked<'a> {
    /// One per indicator that reads the questionnaire.
    fn of(plan: &'a Plan, questionnaire: &'a Questionnaire) -> Vec<Self> {
        let trust =
            |unit: &prem_spec::Unit| plan.organisation.ancestor_at(&unit.id, Level::Hf).map(|trust| trust.id.as_str());
        let trusts: Vec<Option<&str>> = plan.organisation.units.iter().map(trust).collect();
        let of = |indicator: &'a prem_spec::Indicator| {
            let items = indicator.measure.items();
            let is_for_all = items.iter().all(|id| questionnaire.asks_always(id));
            let trusts = if is_for_all { Vec::new() } else { trusts.clone() };
            Self { questionnaire, population: &indicator.population, items, trusts }
        };
        indicators_of(plan, &questionnaire.id).into_iter().map(of).collect()
    }

    /// Whether the version that is valid on `day` has the questions at this unit.
    fn holds(&self, unit: u32, day: i32) -> bool {
        if self.trusts.is_empty() {
            return true;
        }
        let trust = self.trusts.get(unit as usize).copied().flatten();
        let is_valid = |version: &&prem_spec::QuestionnaireVersion| {
            days_of(version.valid_from) <= day && version.valid_to.is_none_or(|end| day < days_of(end))
        };
        let version = self.questionnaire.versions.iter().find(is_valid);
        version.is_some_and(|version| version.may_answer(&self.items, trust))
    }
}

fn member_column(indicator: &str) -> String {
    format!("counts:{indicator}")
}

fn table(
    plan: &Plan,
    questionnaire: &Questionnaire,
    register: &[&Stratifier],
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
    ];
    for (place, stratifier) in register.iter().enumerate() {
        let levels: Vec<Option<i16>> = counts.keys().map(|key| key.3.get(place).copied().flatten()).collect();
        columns.push(Column::new(level_column(stratifier).as_str().into(), levels));
    }
    for (place, indicator) in indicators_of(plan, &questionnaire.id).into_iter().enumerate() {
        let members: Vec<bool> = counts.keys().map(|key| key.4.get(place).copied().unwrap_or(false)).collect();
        columns.push(Column::new(member_column(&indicator.id).as_str().into(), members));
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
pub fn read_invited(plan: &Plan, questionnaire: &Questionnaire, linked: &Path) -> Result<Invitations, StageError> {
    let path = linked.join(FILE);
    if !path.exists() {
        return Ok(Invitations::default());
    }
    let frame = frames::scan(&path)?.collect().map_err(StageError::frame("read invitations"))?;
    let (ids, months, named) = (texts(&frame, UNIT)?, days(&frame, "month")?, texts(&frame, STRATUM)?);
    let groups: Vec<Vec<Option<i16>>> = register_stratifiers(&questionnaire.stratifiers)
        .map(|stratifier| codes(&frame, &level_column(stratifier)))
        .collect::<Result<_, _>>()?;
    let indicators: Vec<String> =
        indicators_of(plan, &questionnaire.id).into_iter().map(|indicator| indicator.id.clone()).collect();
    let members: Vec<Vec<bool>> =
        indicators.iter().map(|id| frames::flags(&frame, &member_column(id))).collect::<Result<_, _>>()?;
    let count = |name| -> Result<Vec<u64>, StageError> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts written as Int64")]
        Ok(numbers(&frame, name)?.into_iter().map(|count| count as u64).collect())
    };
    let (invited, undeliverable) = (count(COUNTS[0])?, count(COUNTS[1])?);
    let (ineligible, reserved) = (count(COUNTS[2])?, count(COUNTS[3])?);
    let population = numbers(&frame, POPULATION)?;
    let (strata, stratum_of) = numbered(&named);
    let position = positions(&plan.organisation.units);
    let row = |row: usize| {
        Some(Invited {
            unit: *position.get(ids[row]?)?,
            month: month_of(months[row]?)?,
            stratum: stratum_of[row],
            groups: groups.iter().map(|levels| levels[row]).collect(),
            members: members.iter().map(|members| members[row]).collect(),
            invited: invited[row],
            undeliverable: undeliverable[row],
            ineligible: ineligible[row],
            reserved: reserved[row],
            population: population[row],
        })
    };
    let rows = (0..frame.height()).filter_map(row).collect();
    Ok(Invitations { strata, indicators, rows })
}
