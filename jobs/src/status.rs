//! `prem status`: what is stored, what became of it, what was refused, what is released.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    path::Path,
};

use jiff::Timestamp;
use prem_stages::{LinkOutcome, PopulationCount};
use prem_store::{
    Delivery, Refusal, RowCounts,
    tables::{UnplacedCode, read_table},
};
use serde::Serialize;

use crate::{
    calendar::{self, Awaited},
    cli::Place,
    config::Config,
    derive,
    error::JobError,
    manifest::{self, Input, Manifest},
    population,
    session::Session,
    summary::reasons,
    unplaced,
};

/// Deliveries of a dataset that a person is shown, the latest; the program's output has all.
const DELIVERIES_SHOWN_MAX: usize = 12;
/// Bad rows of a refused file that a person is shown.
const BAD_ROWS_SHOWN_MAX: usize = 5;

#[derive(Debug, Clone, Serialize)]
pub struct Status {
    pub store: String,
    pub deliveries: BTreeMap<String, Dataset>,
    pub refusals: Vec<Refusal>,
    /// Exports that say when they are expected.
    pub expected: Vec<Awaited>,
    /// Keys that were withdrawn.
    pub erasures: usize,
    pub derived: Vec<String>,
    /// Questionnaire → what linking kept and left out.
    pub linked: BTreeMap<String, LinkOutcome>,
    /// Codes of the current release's run that could not be placed.
    pub unplaced: Vec<UnplacedCode>,
    /// Of the current release: indicator → who counts, over all months.
    pub population: BTreeMap<String, PopulationCount>,
    pub releases: Vec<String>,
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
    let counted = released.as_ref().map(|manifest| manifest.counted(&registered)).unwrap_or_default();
    for delivery in &registered {
        let dataset = deliveries.entry(delivery.dataset.clone()).or_default();
        let delivered = Delivered::of(delivery, counted.get(&delivery.number).copied());
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
    Ok(Status {
        store: session.store.root().display().to_string(),
        deliveries,
        refusals: standing_refusals(&session)?,
        expected,
        erasures: session.store.erasures()?.len(),
        derived: derive::stored(&session.store)?,
        linked: derive::outcomes(&session.store)?,
        unplaced,
        population: released.into_iter().flat_map(population).collect(),
        releases: session.publisher.releases()?,
        current,
    })
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
fn standing_refusals(session: &Session) -> Result<Vec<Refusal>, JobError> {
    let deliveries = session.store.deliveries()?;
    let stands = |refusal: &Refusal| {
        let is_replaced = deliveries.iter().any(|delivery| {
            delivery.export == refusal.export
                && delivery.file_name == refusal.file_name
                && delivery.delivered_at >= refusal.refused_at
        });
        !is_replaced && session.config.inbox.join(&refusal.file_name).exists()
    };
    Ok(session.store.refusals()?.into_iter().filter(stands).collect())
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for refusal in &self.refusals {
            write_refusal(&mut text, refusal)?;
        }
        writeln!(text, "Store {}", self.store)?;
        writeln!(
            text,
            "{:<34}{:>10}{:>10}{:>12}{:>10}{:>11}{:>9}",
            "dataset, delivery", "rows in", "kept", "quarantined", "duplicate", "superseded", "excluded"
        )?;
        for (name, dataset) in &self.deliveries {
            write_dataset(&mut text, name, dataset)?;
        }
        for awaited in &self.expected {
            write!(text, "Expected: {awaited}")?;
        }
        if self.erasures > 0 {
            writeln!(text, "Erased: {} keys", self.erasures)?;
        }
        writeln!(text, "Derived tables: {}", self.derived.join(", "))?;
        for (questionnaire, linked) in &self.linked {
            let left_out: u64 = linked.excluded.values().sum();
            writeln!(text, "{questionnaire}: {} responses linked, {left_out} left out", linked.kept)?;
            for (reason, rows) in &linked.excluded {
                writeln!(text, "    {reason}: {rows}")?;
            }
            for (reason, rows) in &linked.invitations.left_out {
                writeln!(text, "    invitations in no response rate, {reason}: {rows}")?;
            }
        }
        if !self.unplaced.is_empty() {
            writeln!(text, "Codes that could not be placed, with rows:")?;
            unplaced::write(&mut text, &self.unplaced)?;
        }
        for (indicator, count) in &self.population {
            let left_out = if count.left_out.is_empty() { "nobody".to_owned() } else { reasons(&count.left_out) };
            writeln!(text, "{indicator}: {} of {} linked count; left out: {left_out}", count.counted, count.linked)?;
        }
        writeln!(text, "Releases: {}", self.releases.join(", "))?;
        writeln!(text, "Current: {}", self.current.as_deref().unwrap_or("none"))?;
        f.write_str(&text)
    }
}

/// What is wrong, where, and since when: the first thing to read when a run ended with 65.
fn write_refusal(text: &mut String, refusal: &Refusal) -> fmt::Result {
    writeln!(text, "REFUSED {} ({}), {}", refusal.file_name, refusal.export, refusal.refused_at)?;
    writeln!(text, "  {}", refusal.reason)?;
    if !refusal.counts.quarantined.is_empty() {
        writeln!(text, "  bad rows: {}", reasons(&refusal.counts.quarantined))?;
    }
    for row in refusal.first.iter().take(BAD_ROWS_SHOWN_MAX) {
        writeln!(text, "    {row}")?;
    }
    writeln!(
        text,
        "  Nothing of the file is stored, and what depends on it is held back until it is replaced or taken out of the inbox."
    )
}

fn write_dataset(text: &mut String, name: &str, dataset: &Dataset) -> fmt::Result {
    write_rows(text, &format!("{name} ({} files)", dataset.files), &dataset.rows)?;
    for (what, counts) in [("quarantined", &dataset.rows.quarantined), ("excluded", &dataset.rows.excluded)] {
        if !counts.is_empty() {
            writeln!(text, "    {what}: {}", reasons(counts))?;
        }
    }
    for (column, cells) in &dataset.rows.cleared {
        writeln!(text, "    cells of {column} set to missing: {}", reasons(cells))?;
    }
    for (column, rows) in &dataset.rows.unmatched {
        writeln!(text, "    rows whose {column} is not delivered (yet): {rows}")?;
    }
    for (found, files) in &dataset.detected {
        writeln!(text, "    detected {found}: {files} files")?;
    }
    let earlier = dataset.deliveries.len().saturating_sub(DELIVERIES_SHOWN_MAX);
    if earlier > 0 {
        writeln!(text, "  … {earlier} earlier deliveries; --output json has all")?;
    }
    for delivered in dataset.deliveries.iter().skip(earlier) {
        let mark = if delivered.in_current_release { "" } else { "*" };
        write_rows(text, &format!("  {}{mark}", delivered.file), &delivered.rows)?;
    }
    if dataset.deliveries.iter().any(|delivered| !delivered.in_current_release) {
        writeln!(
            text,
            "    * not in the current release: counted when it was taken in, before later files were compared with it"
        )?;
    }
    Ok(())
}

fn write_rows(text: &mut String, what: &str, rows: &RowCounts) -> fmt::Result {
    let quarantined: u64 = rows.quarantined.values().sum();
    let excluded: u64 = rows.excluded.values().sum();
    writeln!(
        text,
        "{what:<34}{:>10}{:>10}{quarantined:>12}{:>10}{:>11}{excluded:>9}",
        rows.rows_in, rows.kept, rows.duplicate, rows.superseded
    )
}
