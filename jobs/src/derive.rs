//! The link and score jobs: derived tables by questionnaire and month, made again only when what they depend on changed.

use std::{collections::BTreeMap, path::PathBuf};

use jiff::civil::Date;
use prem_spec::{Plan, Questionnaire};
use prem_stages::{
    LinkOutcome, METHOD_VERSION, PopulationCount, ScoredMonth, link_responses, read_scored, score_partition,
};
use prem_store::{LockedStore, Partition, Store};
use serde::Serialize;

use crate::{
    error::JobError,
    inputs::{Inputs, Seen, hash_of},
    session::Session,
};

const LINKED: &str = "linked";
const SCORED: &str = "scored";
const PART: &str = "part.parquet";

/// Where the linked months of a questionnaire are, and what linking left out.
#[derive(Debug, Clone, Default)]
pub struct Linked {
    pub outcome: LinkOutcome,
    pub folder: PathBuf,
    key: String,
}

impl Linked {
    pub fn months(&self) -> Vec<(Date, PathBuf)> {
        let path = |month: &Date| self.folder.join(month_folder(*month)).join(PART);
        self.outcome.months.keys().map(|month| (*month, path(month))).collect()
    }
}

fn month_folder(month: Date) -> String {
    format!("month={:04}-{:02}", month.year(), month.month())
}

fn link_key(session: &Session, inputs: &Inputs, questionnaire: &Questionnaire) -> String {
    let plan = &session.plan;
    let seen = |dataset| -> Vec<Seen<'_>> { inputs.of_dataset(dataset).map(Seen::of).collect() };
    let contracts: Vec<_> =
        ["responses", "invitations", "contacts"].iter().map(|name| plan.datasets.get(*name)).collect();
    // Invitations are counted by the indicators' populations.
    let populations: Vec<_> = plan
        .indicators
        .values()
        .filter(|indicator| indicator.population.questionnaire.as_ref() == Some(&questionnaire.id))
        .map(|indicator| (&indicator.id, &indicator.population, indicator.measure.items()))
        .collect();
    hash_of(&(
        (env!("CARGO_PKG_VERSION"), METHOD_VERSION),
        (questionnaire, &plan.organisation, contracts, &plan.exports, populations),
        (seen("responses"), seen("invitations"), seen("contacts")),
    ))
}

/// Links every questionnaire of the run.
///
/// # Errors
/// When a table cannot be read or written.
pub fn link(session: &Session, store: &LockedStore, inputs: &Inputs) -> Result<BTreeMap<String, Linked>, JobError> {
    let mut all = BTreeMap::new();
    for id in inputs.questionnaires(&session.plan) {
        let Some(questionnaire) = session.plan.questionnaires.get(id) else { continue };
        let key = link_key(session, inputs, questionnaire);
        let partition = Partition::new(LINKED, id)?;
        if !store.is_current(&partition, &key) {
            let pending = store.begin()?;
            let parts = inputs.link_inputs(&session.plan, store, id);
            let outcome = link_responses(&session.plan, questionnaire, &parts, pending.path())?;
            for (reason, codes) in &outcome.unplaced {
                for (code, responses) in codes {
                    tracing::warn!(
                        questionnaire = id,
                        reason,
                        code,
                        responses,
                        "unit code that no unit had on the day"
                    );
                }
            }
            for (reason, invitations) in &outcome.invitations.left_out {
                tracing::warn!(questionnaire = id, reason, invitations, "invitations that enter no response rate");
            }
            for (item, answers) in &outcome.unasked {
                tracing::warn!(questionnaire = id, item, answers, "answers to an item that the form did not ask");
            }
            for (item, months) in &outcome.unanswered {
                let months: Vec<String> = months.iter().map(|month| month.strftime("%Y-%m").to_string()).collect();
                tracing::warn!(questionnaire = id, item, months = months.join(" "), "asked, and answered by nobody");
            }
            let info = serde_json::to_value(&outcome).unwrap_or_default();
            store.commit_partition(pending, &partition, &key, info)?;
        }
        let step = store.step(&partition)?;
        let outcome = step.and_then(|step| serde_json::from_value(step.info).ok()).unwrap_or_default();
        all.insert(id.to_owned(), Linked { outcome, folder: store.partition_folder(&partition), key });
    }
    Ok(all)
}

/// Month → indicator → who counts and who does not.
pub type Counts = BTreeMap<Date, BTreeMap<String, PopulationCount>>;

/// The scored rows of every questionnaire, and who counts among the linked.
#[derive(Debug, Default)]
pub struct Scored {
    pub months: BTreeMap<String, Vec<ScoredMonth>>,
    /// By questionnaire.
    pub counts: BTreeMap<String, Counts>,
}

/// Scores every linked month and reads the scored rows.
///
/// # Errors
/// When a table cannot be read or written, or [`JobError::Irreconcilable`] when a respondent neither counts nor has a
/// reason.
pub fn score(session: &Session, store: &LockedStore, linked: &BTreeMap<String, Linked>) -> Result<Scored, JobError> {
    let plan = &session.plan;
    let mut all = Scored::default();
    for (id, linked) in linked {
        let Some(questionnaire) = plan.questionnaires.get(id) else { continue };
        let key = score_key(plan, id, &linked.key);
        let partition = Partition::new(SCORED, id)?;
        if !store.is_current(&partition, &key) {
            score_months(plan, questionnaire, store, linked, &partition, &key)?;
        }
        let step = store.step(&partition)?;
        let counts: Counts = step.and_then(|step| serde_json::from_value(step.info).ok()).unwrap_or_default();
        reconcile(linked, &counts)?;
        all.counts.insert(id.clone(), counts);
        let folder = store.partition_folder(&partition);
        let months = linked
            .outcome
            .months
            .keys()
            .map(|month| read_scored(plan, questionnaire, *month, &folder.join(month_folder(*month)).join(PART)));
        all.months.insert(id.clone(), months.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(all)
}

fn score_key(plan: &Plan, questionnaire: &str, link_key: &str) -> String {
    let reads: Vec<_> = plan
        .indicators
        .values()
        .filter(|indicator| indicator.population.questionnaire.as_deref() == Some(questionnaire))
        .map(|indicator| (&indicator.id, &indicator.measure, &indicator.population))
        .collect();
    hash_of(&(link_key, reads))
}

/// What a run left of one questionnaire.
#[derive(Debug)]
pub struct Left {
    pub linked: Linked,
    /// The files of the scored months, and their rows.
    pub files: Vec<(Date, PathBuf)>,
    pub months: Vec<ScoredMonth>,
}

/// The derived tables of a questionnaire as the run of `inputs` left them; `None` where they were made again since or are
/// gone. Writes nothing.
///
/// # Errors
/// When a table cannot be read.
pub fn left_by(session: &Session, inputs: &Inputs, questionnaire: &Questionnaire) -> Result<Option<Left>, JobError> {
    let (store, plan, id) = (&session.store, &session.plan, questionnaire.id.as_str());
    let key = link_key(session, inputs, questionnaire);
    let (linked, scored) = (Partition::new(LINKED, id)?, Partition::new(SCORED, id)?);
    if !store.is_current(&linked, &key) || !store.is_current(&scored, &score_key(plan, id, &key)) {
        return Ok(None);
    }
    let Some(outcome) = store.step(&linked)?.and_then(|step| serde_json::from_value(step.info).ok()) else {
        return Ok(None);
    };
    let linked = Linked { outcome, folder: store.partition_folder(&linked), key };
    let folder = store.partition_folder(&scored);
    let file = |month: &Date| (*month, folder.join(month_folder(*month)).join(PART));
    let files: Vec<(Date, PathBuf)> = linked.outcome.months.keys().map(file).collect();
    let read = |(month, path): &(Date, PathBuf)| read_scored(plan, questionnaire, *month, path);
    let months = files.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(Left { linked, files, months }))
}

/// Linked responses of a month = those who count in an indicator + those left out, by reason.
fn reconcile(linked: &Linked, counts: &Counts) -> Result<(), JobError> {
    for (month, rows) in &linked.outcome.months {
        let of_month = counts.get(month).ok_or_else(|| JobError::Irreconcilable {
            dataset: "responses".to_owned(),
            detail: format!("nothing is counted of the {rows} linked in {month}"),
        })?;
        for (indicator, count) in of_month {
            if count.linked != *rows || !count.reconciles() {
                return Err(JobError::Irreconcilable {
                    dataset: "responses".to_owned(),
                    detail: format!(
                        "{rows} linked in {month}, but for {indicator} {} count and {} are left out",
                        count.counted,
                        count.left_out.values().sum::<u64>()
                    ),
                });
            }
        }
    }
    Ok(())
}

fn score_months(
    plan: &Plan,
    questionnaire: &Questionnaire,
    store: &LockedStore,
    linked: &Linked,
    partition: &Partition,
    key: &str,
) -> Result<(), JobError> {
    let pending = store.begin()?;
    let mut counts = Counts::new();
    for (month, path) in linked.months() {
        let folder = pending.path().join(month_folder(month));
        std::fs::create_dir_all(&folder).map_err(JobError::write("create", &folder))?;
        counts.insert(month, score_partition(plan, questionnaire, &path, &folder.join(PART))?);
    }
    let info = serde_json::to_value(&counts).unwrap_or_default();
    store.commit_partition(pending, partition, key, info)?;
    Ok(())
}

/// What linking kept and left out, as stored.
///
/// # Errors
/// When the store cannot be listed.
pub fn outcomes(store: &Store) -> Result<BTreeMap<String, LinkOutcome>, JobError> {
    let mut all = BTreeMap::new();
    for partition in store.partitions(LINKED)? {
        let step = store.step(&partition)?;
        if let Some(outcome) = step.and_then(|step| serde_json::from_value(step.info).ok()) {
            all.insert(partition.path().to_owned(), outcome);
        }
    }
    Ok(all)
}

/// A derived table that is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stored {
    pub table: String,
    /// Made of what is delivered and declared now; otherwise the next run makes it again.
    pub is_current: bool,
}

/// Says which derived tables are stored, and whether a run of `inputs` would leave them as they are.
///
/// # Errors
/// When the store cannot be listed.
pub fn stored(session: &Session, inputs: &Inputs) -> Result<Vec<Stored>, JobError> {
    let (store, plan) = (&session.store, &session.plan);
    let mut all = Vec::new();
    for table in [LINKED, SCORED] {
        for partition in store.partitions(table)? {
            let id = partition.path();
            let key = plan.questionnaires.get(id).map(|questionnaire| {
                let linked = link_key(session, inputs, questionnaire);
                if table == SCORED { score_key(plan, id, &linked) } else { linked }
            });
            let is_current = key.is_some_and(|key| store.is_current(&partition, &key));
            all.push(Stored { table: format!("{table}/{id}"), is_current });
        }
    }
    Ok(all)
}
