//! `prem status`: what is stored, what became of it, what was refused, what is released.

mod text;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use jiff::Timestamp;
use prem_stages::{LinkOutcome, PopulationCount};
use prem_store::{
    Delivery, Refusal, RowCounts, Withdrawal,
    tables::{UnplacedCode, read_table},
};
use serde::Serialize;

use crate::{
    calendar::{self, Awaited},
    cli::{Place, RunArgs},
    config::Config,
    derive::{self, Stored},
    error::JobError,
    inputs::Inputs,
    intake,
    manifest::{self, Input, Manifest},
    population,
    session::Session,
};

#[derive(Debug, Clone, Serialize)]
pub struct Status {
    pub store: String,
    pub deliveries: BTreeMap<String, Dataset>,
    pub refusals: Vec<Refusal>,
    /// Deliveries that were taken back.
    pub withdrawn: Vec<Withdrawal>,
    /// What the inbox holds now that no waiting makes readable, by reason.
    pub unreadable: BTreeMap<String, Vec<String>>,
    /// Exports that say when they are expected.
    pub expected: Vec<Awaited>,
    /// Keys that were withdrawn.
    pub erasures: usize,
    pub derived: Vec<Stored>,
    /// Questionnaire → what linking kept and left out.
    pub linked: BTreeMap<String, LinkOutcome>,
    /// Codes of the current release's run that could not be placed.
    pub unplaced: Vec<UnplacedCode>,
    /// Of the current release: indicator → who counts, over all months.
    pub population: BTreeMap<String, PopulationCount>,
    /// In the order in which their runs began.
    pub releases: Vec<String>,
    /// The releases of narrowed runs, `--as-of` among them, which never become current.
    pub narrowed: BTreeSet<String>,
    pub current: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct Dataset {
    pub files: u64,
    /// The sum of its deliveries.
    pub rows: RowCounts,
    /// What was detected in files → how many of them.
    pub detected: BTreeMap<String, u64>,
    pub last_delivered_at: Option<Timestamp>,
    /// In the order of registration.
    pub deliveries: Vec<Delivered>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Delivered {
    pub number: u64,
    pub export: String,
    pub file: String,
    pub delivered_at: Timestamp,
    pub sequence: String,
    /// Where its rows went: in the current release, or where that has not seen it, when it was taken in.
    pub rows: RowCounts,
    pub in_current_release: bool,
}

/// # Errors
/// When the store or the releases cannot be read.
pub fn status(place: &Place, now: Timestamp) -> Result<Status, JobError> {
    let session = Session::open(Config::load(place)?, now)?;
    let current = session.publisher.current()?.map(|current| current.run_id().to_owned());
    let released = match &current {
        Some(run_id) => manifest_of(&session.publisher.release_folder(run_id)?),
        None => None,
    };
    let mut deliveries: BTreeMap<String, Dataset> = BTreeMap::new();
    let registered = session.store.deliveries()?;
    let expected = calendar::awaited(&session.plan, &registered, now)?;
    let of_release = released.as_ref().map(|manifest| manifest.counted(&registered)).unwrap_or_default();
    for delivery in &registered {
        let dataset = deliveries.entry(delivery.dataset.clone()).or_default();
        let delivered = Delivered::of(delivery, of_release.get(&delivery.number).copied());
        dataset.files += 1;
        dataset.rows.merge(&delivered.rows);
        for (what, value) in &delivery.detected {
            *dataset.detected.entry(format!("{what} {value}")).or_default() += 1;
        }
        dataset.last_delivered_at = dataset.last_delivered_at.max(Some(delivery.delivered_at));
        dataset.deliveries.push(delivered);
    }
    for (name, rows) in released.iter().flat_map(|manifest| &manifest.rows) {
        if let Some(dataset) = deliveries.get_mut(name) {
            dataset.rows.unmatched.clone_from(&rows.unmatched);
        }
    }
    let unplaced = match &current {
        Some(run_id) => unplaced_in(&session, run_id)?,
        None => Vec::new(),
    };
    let mut releases = session.publisher.releases()?;
    releases.sort_by_cached_key(|run_id| {
        let folder = session.publisher.release_folder(run_id).ok();
        (folder.and_then(|folder| manifest::started_at(&folder)), run_id.clone())
    });
    let is_narrowed = |run_id: &&String| {
        let folder = session.publisher.release_folder(run_id);
        folder.is_ok_and(|folder| manifest::is_narrowed(&folder))
    };
    let narrowed = releases.iter().filter(is_narrowed).cloned().collect();
    let inputs = Inputs::of(&session, registered, &[], &RunArgs::default());
    Ok(Status {
        store: session.store.root().display().to_string(),
        deliveries,
        refusals: standing_refusals(&session)?,
        withdrawn: session.store.withdrawals()?,
        unreadable: unreadable(&session),
        expected,
        erasures: session.store.erasures()?.len(),
        derived: derive::stored(&session, &inputs)?,
        linked: derive::outcomes(&session.store)?,
        unplaced,
        population: released.into_iter().flat_map(population).collect(),
        releases,
        narrowed,
        current,
    })
}

/// An inbox that cannot be looked through hides nothing of what is stored.
fn unreadable(session: &Session) -> BTreeMap<String, Vec<String>> {
    let found =
        intake::findings(session).inspect_err(|error| tracing::warn!("the inbox is not looked through: {error}"));
    let found = found.unwrap_or_default().into_iter();
    found.map(|(reason, files)| (reason.to_string(), files)).collect()
}

/// The manifest of a release. One of another version of the program, or a damaged one, hides nothing of what is stored.
fn manifest_of(release: &Path) -> Option<Manifest> {
    let read = Manifest::read(&release.join(manifest::FILE));
    read.inspect_err(|error| tracing::warn!("rows are shown as they were taken in: {error}")).ok()
}

impl Delivered {
    /// `counted` is what the current release counted of it.
    fn of(delivery: &Delivery, counted: Option<&Input>) -> Self {
        Self {
            number: delivery.number,
            export: delivery.export.clone(),
            file: delivery.file_name.clone(),
            delivered_at: delivery.delivered_at,
            sequence: delivery.sequence.clone(),
            rows: counted.map_or_else(|| RowCounts::from(&delivery.counts), |input| input.rows.clone()),
            in_current_release: counted.is_some(),
        }
    }
}

/// Who counts in each indicator of a release.
fn population(released: Manifest) -> impl Iterator<Item = (String, PopulationCount)> {
    let all =
        |(id, mut periods): (String, BTreeMap<String, PopulationCount>)| Some((id, periods.remove(population::ALL)?));
    released.population.into_iter().filter_map(all)
}

/// The codes that a run could not place; none where its folder is gone.
fn unplaced_in(session: &Session, run_id: &str) -> Result<Vec<UnplacedCode>, JobError> {
    let path = session.store.run(run_id)?.table::<UnplacedCode>();
    if !path.exists() {
        return Ok(Vec::new());
    }
    Ok(read_table::<UnplacedCode>(&path)?.0)
}

/// Refusals of files that still lie in the inbox and have not been delivered rightly since.
///
/// # Errors
/// When the store cannot be read.
pub fn standing_refusals(session: &Session) -> Result<Vec<Refusal>, JobError> {
    let deliveries = session.store.deliveries()?;
    let withdrawals = session.store.withdrawals()?;
    let stands = |refusal: &Refusal| {
        let is_later = |export: &String, file_name: &String, delivered_at: Timestamp| {
            *export == refusal.export && *file_name == refusal.file_name && delivered_at >= refusal.refused_at
        };
        let is_replaced = deliveries.iter().any(|of| is_later(&of.export, &of.file_name, of.delivered_at))
            || withdrawals.iter().any(|of| is_later(&of.export, &of.file_name, of.delivered_at));
        !is_replaced && session.config.inbox.join(&refusal.file_name).exists()
    };
    Ok(session.store.refusals()?.into_iter().filter(stands).collect())
}
