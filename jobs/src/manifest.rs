//! `manifest.json`: what a release was made of, and the only place where a clock shows.

use std::{collections::BTreeMap, fs, path::Path};

use jiff::Timestamp;
use prem_stages::{METHOD_VERSION, PopulationCount, estimate::NotEstimated};
use prem_store::{Delivery, RowCounts};
use serde::{Deserialize, Serialize};

use crate::{
    derive::Linked,
    error::JobError,
    figures::Rates,
    inputs::Inputs,
    ledger::Ledger,
    population::SeriesBroken,
    sample,
    session::Session,
    unplaced::{self, ShownCodes},
};

pub const FILE: &str = "manifest.json";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub run_id: String,
    pub program: String,
    pub method_version: String,
    pub plan_hash: String,
    pub seed: u64,
    /// A narrowed run looked at a part only and never became the current release.
    pub narrowed: bool,
    /// The data are made up.
    #[serde(default)]
    pub synthetic: bool,
    pub inputs: Vec<Input>,
    /// Persons, contacts, invitations or responses that were erased after their rows were delivered: the run can be repeated
    /// except for them.
    #[serde(default)]
    pub later_erasures: u64,
    /// Dataset → rows in = kept + quarantined + duplicate + superseded + excluded.
    pub rows: BTreeMap<String, RowCounts>,
    /// Rate indicator → what became of the contacts that match it.
    pub rates: BTreeMap<String, RateCounts>,
    /// Questionnaire → invitations that enter its response rates, and those left out by reason.
    pub invitations: BTreeMap<String, InvitationFlow>,
    /// Codes that could not be placed, without small counts.
    pub unplaced: Vec<ShownCodes>,
    /// Indicator → period → linked responses = counted + left out by reason; `all` is all months.
    #[serde(default)]
    pub population: BTreeMap<String, BTreeMap<String, PopulationCount>>,
    /// Questionnaire → item → answers taken away, since the respondent's form did not ask it.
    #[serde(default)]
    pub unasked_answers: BTreeMap<String, BTreeMap<String, u64>>,
    /// Where what was asked changed, so that values before and after are not one series.
    #[serde(default)]
    pub series_breaks: Vec<SeriesBroken>,
    /// Indicator → export whose refused file holds it back.
    pub held_back: BTreeMap<String, String>,
    /// Indicator → dataset that it needs and of which nothing was delivered.
    #[serde(default)]
    pub without_data: BTreeMap<String, String>,
    pub not_estimated: Vec<serde_json::Value>,
    /// Rows of `estimates`, and of them withheld, by reason.
    pub estimates: u64,
    pub withheld: BTreeMap<String, u64>,
    pub files: BTreeMap<String, FileEntry>,
    pub timings: BTreeMap<String, serde_json::Value>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Input {
    pub dataset: String,
    pub export: String,
    pub file: String,
    pub sha256: String,
    pub bytes: u64,
    pub rows_in: u64,
    /// Rows in = kept + quarantined + duplicate + superseded + excluded, in this run.
    pub rows: RowCounts,
    /// What the export leaves to each file and was found in this one, such as encoding → windows-1252.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub detected: BTreeMap<String, String>,
    /// Rows of persons who withdrew.
    #[serde(default)]
    pub erased: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateCounts {
    pub contacts: u64,
    pub same_episode: u64,
    pub excluded: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationFlow {
    pub placed: u64,
    pub left_out: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    pub bytes: u64,
    pub sha256: String,
}

impl Input {
    fn of(delivery: &Delivery, ledger: &Ledger) -> Self {
        Self {
            dataset: delivery.dataset.clone(),
            export: delivery.export.clone(),
            file: delivery.file_name.clone(),
            sha256: delivery.sha256.clone(),
            bytes: delivery.bytes,
            rows_in: delivery.counts.rows_in,
            rows: ledger.deliveries.get(&delivery.number).cloned().unwrap_or_default(),
            detected: delivery.detected.clone(),
            erased: delivery.counts.erased,
        }
    }

    /// Whether it is the delivery that the run saw, or one of the same bytes: see [`Manifest::counted`].
    pub fn is_of(&self, delivery: &Delivery) -> bool {
        self.dataset == delivery.dataset
            && self.export == delivery.export
            && self.file == delivery.file_name
            && self.sha256 == delivery.sha256
    }
}

/// When the run of a release began; `None` where its manifest does not say so.
pub fn started_at(release: &Path) -> Option<Timestamp> {
    value_of(release)?.get("timings")?.get("started_at")?.as_str()?.parse().ok()
}

/// The release is of a narrowed run, `--as-of` among them. One whose manifest does not say so is not.
pub fn is_narrowed(release: &Path) -> bool {
    value_of(release).is_some_and(|manifest| manifest["narrowed"] == true)
}

/// A manifest of whatever version of the program.
fn value_of(release: &Path) -> Option<serde_json::Value> {
    let text = fs::read_to_string(release.join(FILE)).ok()?;
    serde_json::from_str(&text).ok()
}

/// What a run found, for the manifest and the summary.
#[derive(Debug, Clone, Default)]
pub struct Found {
    pub ledger: Ledger,
    pub linked: BTreeMap<String, Linked>,
    pub rates: Rates,
    pub population: BTreeMap<String, BTreeMap<String, PopulationCount>>,
    pub series_breaks: Vec<SeriesBroken>,
    pub not_estimated: Vec<NotEstimated>,
    pub withheld: BTreeMap<String, usize>,
    pub estimates: usize,
    pub indicators: usize,
    pub units: usize,
    pub periods: usize,
}

impl Manifest {
    pub fn new(
        session: &Session,
        inputs: &Inputs,
        found: &Found,
        narrowed: bool,
        (files, timings): (BTreeMap<String, (u64, String)>, BTreeMap<String, f64>),
    ) -> Self {
        let mut timings: BTreeMap<String, serde_json::Value> =
            timings.into_iter().map(|(stage, seconds)| (format!("{stage}_s"), seconds.into())).collect();
        timings.insert("started_at".to_owned(), session.now.to_string().into());
        let rates = found.rates.events.iter().map(|(id, cells)| {
            let counts = RateCounts {
                contacts: cells.contacts,
                same_episode: cells.same_episode,
                excluded: cells.excluded.clone(),
            };
            (id.clone(), counts)
        });
        let invitations = found.linked.iter().map(|(id, linked)| {
            let counts = &linked.outcome.invitations;
            (id.clone(), InvitationFlow { placed: counts.placed, left_out: counts.left_out.clone() })
        });
        Self {
            run_id: inputs.run_id.clone(),
            program: format!("prem {}", env!("CARGO_PKG_VERSION")),
            method_version: METHOD_VERSION.to_owned(),
            plan_hash: session.plan_hash.clone(),
            seed: session.config.seed,
            narrowed,
            synthetic: sample::is_synthetic(&session.config),
            inputs: inputs.deliveries.iter().map(|delivery| Input::of(delivery, &found.ledger)).collect(),
            later_erasures: inputs.later_erasures(),
            rows: found.ledger.datasets.clone(),
            rates: rates.collect(),
            invitations: invitations.collect(),
            unplaced: unplaced::shown(&unplaced::of_run(&found.linked, &found.rates)),
            population: found.population.clone(),
            unasked_answers: found
                .linked
                .iter()
                .filter(|(_, linked)| !linked.outcome.unasked.is_empty())
                .map(|(id, linked)| (id.clone(), linked.outcome.unasked.clone()))
                .collect(),
            series_breaks: found.series_breaks.clone(),
            held_back: inputs.held_back.clone(),
            without_data: inputs.without_data.clone(),
            not_estimated: found
                .not_estimated
                .iter()
                .filter_map(|missing| serde_json::to_value(missing).ok())
                .collect(),
            estimates: found.estimates as u64,
            withheld: found.withheld.iter().map(|(reason, rows)| (reason.clone(), *rows as u64)).collect(),
            files: files.into_iter().map(|(path, (bytes, sha256))| (path, FileEntry { bytes, sha256 })).collect(),
            timings,
        }
    }

    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), JobError> {
        let path = folder.join(FILE);
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        fs::write(&path, text).map_err(JobError::write("write", &path))?;
        Self::read(&path)?.check()
    }

    /// # Errors
    /// When there is no manifest, or it is none.
    pub fn read(path: &Path) -> Result<Self, JobError> {
        let unreadable = |error: String| {
            JobError::InputMissing(format!("{} is no manifest: {error}; restore it or publish again", path.display()))
        };
        let text = fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
        serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))
    }

    /// What the run counted of each of `deliveries`, by their numbers. Bytes that were accepted again are several deliveries of
    /// one content; inputs are in the order of sequence, which tells them apart.
    pub fn counted(&self, deliveries: &[Delivery]) -> BTreeMap<u64, &Input> {
        let mut sorted: Vec<&Delivery> = deliveries.iter().collect();
        sorted.sort_by(|a, b| a.cmp_sequence(b));
        let mut left: Vec<&Input> = self.inputs.iter().collect();
        let mut found = BTreeMap::new();
        for delivery in sorted {
            if let Some(place) = left.iter().position(|input| input.is_of(delivery)) {
                found.insert(delivery.number, left.remove(place));
            }
        }
        found
    }

    /// The rows that the file says it was made of add up, as whoever reads it later can see.
    ///
    /// # Errors
    /// [`JobError::Irreconcilable`] where they do not.
    pub fn check(&self) -> Result<(), JobError> {
        let inputs = || (1..).zip(&self.inputs);
        let deliveries = inputs().map(|(place, input)| (place, input.rows.clone())).collect();
        let files = inputs().map(|(place, input)| (place, (input.dataset.as_str(), input.rows_in))).collect();
        Ledger { datasets: self.rows.clone(), deliveries }.check_against(&files)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Of two files of responses.
    fn manifest() -> Manifest {
        let rows = |rows_in, kept| RowCounts { rows_in, kept, duplicate: rows_in - kept, ..RowCounts::default() };
        let input = |file: &str, rows_in, kept| Input {
            dataset: "responses".to_owned(),
            export: "answers".to_owned(),
            file: file.to_owned(),
            sha256: String::new(),
            bytes: 1,
            rows_in,
            rows: rows(rows_in, kept),
            detected: BTreeMap::new(),
            erased: 0,
        };
        let manifest = json!({
            "run_id": "a", "program": "prem", "method_version": "1", "plan_hash": "b", "seed": 1, "narrowed": false,
            "inputs": [input("a.csv", 10, 8), input("b.csv", 5, 5)], "rows": { "responses": rows(15, 13) },
            "rates": {}, "invitations": {}, "unplaced": [], "held_back": {}, "not_estimated": [], "estimates": 0,
            "withheld": {}, "files": {}, "timings": {},
        });
        serde_json::from_value(manifest).expect("a manifest")
    }

    #[test]
    fn rows_that_do_not_add_up_are_found_in_the_written_manifest() {
        assert!(manifest().check().is_ok());
        let wrong = |change: fn(&mut Manifest)| {
            let mut manifest = manifest();
            change(&mut manifest);
            matches!(manifest.check(), Err(JobError::Irreconcilable { dataset, .. }) if dataset == "responses")
        };
        assert!(wrong(|of| of.inputs[1].rows.kept -= 1), "a row of a file is nowhere");
        assert!(wrong(|of| of.rows.values_mut().for_each(|rows| rows.kept += 1)), "a row of the dataset is of no file");
        assert!(wrong(|of| of.inputs[0].rows_in += 1), "a row of the file was not counted");
        let kept_is_duplicate = |of: &mut Manifest| {
            let rows = &mut of.inputs[0].rows;
            (rows.kept, rows.duplicate) = (rows.kept - 1, rows.duplicate + 1);
        };
        assert!(wrong(kept_is_duplicate), "file and dataset add up, to different things");
        assert!(wrong(|of| of.rows.clear()), "the dataset is not counted");
    }
}
