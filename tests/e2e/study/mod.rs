//! The simulation study through the whole way from files to estimates: regions that the sample generator makes anew, each
//! read, linked, scored and estimated by the command, and set against its truth.

#[path = "../../../pipeline/stats/tests/coverage/summary.rs"]
#[allow(dead_code, reason = "the study of the kernels uses the rest")]
mod summary;
mod table;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use serde_json::Value;

pub use table::{HEADING, lines};

/// Settings of all regions but what a scenario changes: one year, no population, no row that breaks its contract (a refused
/// file would hold its indicators back), and otherwise the generator's own, late, corrected, repeated and stray rows included.
const SETTINGS: &str = "contacts = 0\nmonths = 12\nother_share = 0.0\nbroken_share = 0.0\npopulation = false\n";

/// A kind of region.
pub struct Scenario {
    /// As the table says it.
    pub name: &'static str,
    settings: &'static str,
    /// Whether the units' effects are drawn from the model that shrinkage assumes.
    pub is_model: bool,
}

/// Effects of units drawn at every level, and patients who go with quality.
pub const MODEL: Scenario = Scenario { name: "drawn from the model", settings: "", is_model: true };

/// A fifth of the wards differ, their effects summing to 0; the others, and all units above, have none of their own.
pub const TWO_GROUPS: Scenario =
    Scenario { name: "two groups", settings: "effect_share = 0.2\nunit_sd = [0.0, 0.0, 0.0, 6.0]\n", is_model: false };

/// No unit differs.
#[allow(dead_code, reason = "the study in small has two kinds of regions")]
pub const NOTHING: Scenario =
    Scenario { name: "no differences", settings: "unit_sd = [0.0, 0.0, 0.0, 0.0]\n", is_model: false };

/// How much is simulated, and with what.
pub struct Study {
    pub prem: PathBuf,
    pub schemas: PathBuf,
    /// Where regions lie while they are needed.
    pub folder: PathBuf,
    pub regions: u32,
    pub responses: u32,
    /// Seed of the first region; the others follow.
    pub seed: u32,
    pub workers: u32,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Study {
    /// What `prem recovery` says of each region of a scenario.
    pub fn run(&self, scenario: &Scenario) -> Result<Vec<Value>, Failure> {
        let schemas = self.folder.join("schemas");
        self.declare(&schemas)?;
        let next = AtomicU32::new(0);
        let results = Mutex::new(Vec::new());
        let work = || {
            loop {
                let region = next.fetch_add(1, Ordering::Relaxed);
                if region >= self.regions {
                    return;
                }
                let result = self.region(scenario, self.seed + region);
                if let Ok(mut results) = results.lock() {
                    results.push((region, result));
                }
            }
        };
        std::thread::scope(|scope| (0..self.workers.max(1)).for_each(|_| drop(scope.spawn(work))));
        let mut results = results.into_inner().map_err(|_| "a worker stopped")?;
        results.sort_by_key(|(region, _)| *region);
        results.into_iter().map(|(_, result)| result).collect()
    }

    /// One region from its making to its comparison.
    fn region(&self, scenario: &Scenario, seed: u32) -> Result<Value, Failure> {
        let folder = self.folder.join(format!("region-{seed}"));
        fs::create_dir_all(&folder)?;
        let settings = format!("seed = {seed}\nresponses = {}\n{SETTINGS}{}", self.responses, scenario.settings);
        fs::write(folder.join("settings.toml"), settings)?;
        fs::write(
            folder.join("prem.toml"),
            "schemas = \"../schemas\"\ninbox = \"inbox\"\nstore = \"store\"\npublish = \"published\"\nsettle_minutes = 0\n",
        )?;
        self.prem(&folder, &["sample", "--out", ".", "--settings", "settings.toml"])?;
        let summary = self.prem(&folder, &["estimate"])?;
        let run = summary["run_id"].as_str().ok_or("a summary without a run")?.to_owned();
        let recovery = self.prem(&folder, &["recovery", "--run", &run])?;
        fs::remove_dir_all(&folder)?;
        Ok(recovery)
    }

    fn prem(&self, folder: &Path, arguments: &[&str]) -> Result<Value, Failure> {
        let output = Command::new(&self.prem)
            .current_dir(folder)
            .args(arguments)
            .args(["--config", "prem.toml", "--output", "json", "--threads", "1"])
            .output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(format!("prem {}: {}\n{said}", arguments.join(" "), output.status).into());
        }
        Ok(serde_json::from_slice(&output.stdout).unwrap_or_default())
    }

    /// The shipped declarations with four indicators: the score of the staff under design weights, without weights, and without
    /// weights by all levels at once, and one proportion. Their smallest difference that matters is 0, so that false
    /// discoveries are those of the test and not of its margin.
    fn declare(&self, to: &Path) -> Result<(), Failure> {
        if to.exists() {
            fs::remove_dir_all(to)?;
        }
        copy(&self.schemas, to)?;
        let indicators = to.join("indicators");
        let read = |name: &str| fs::read_to_string(indicators.join(format!("{name}.toml")));
        let (score, proportion) = (read("inpatient-staff")?, read("inpatient-overall-high")?);
        fs::remove_dir_all(&indicators)?;
        fs::create_dir_all(&indicators)?;
        for (id, base, weighting, more) in [
            ("score", &score, "design", ""),
            ("score-unweighted", &score, "none", ""),
            ("score-nested", &score, "none", "shrinkage = \"nested\"\n"),
            ("proportion", &proportion, "design", ""),
        ] {
            fs::write(indicators.join(format!("{id}.toml")), variant(base, id, weighting, more))?;
        }
        Ok(())
    }
}

/// A shipped indicator under another name, for whole years, without strata, goal and other models, with no smallest difference.
fn variant(base: &str, id: &str, weighting: &str, case_mix: &str) -> String {
    let mut text = String::new();
    let mut is_left_out = false;
    for line in base.lines() {
        if line.starts_with('[') {
            is_left_out = ["[sensitivity]", "[goal]"].contains(&line);
        }
        let key = line.split('=').next().unwrap_or_default().trim();
        let line = match key {
            _ if is_left_out => continue,
            "strata" => continue,
            "id" => format!("id = \"{id}\""),
            "weighting" => format!("weighting = \"{weighting}\""),
            "periods" => "periods = [\"year\"]".to_owned(),
            "minimal_difference" => "minimal_difference = 0.0".to_owned(),
            _ => line.to_owned(),
        };
        text.push_str(&line);
        text.push('\n');
        if key == "[case_mix]" {
            text.push_str(case_mix);
        }
    }
    text
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
