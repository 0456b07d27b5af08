//! A place of its own for each test: configuration, inbox, store and releases in a temporary folder.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{self, Output, Stdio},
    thread,
    time::Duration,
};

use assert_cmd::Command;
use prem_store::tables::{Table, read_table};
use serde_json::Value;
use tempfile::TempDir;

/// In smaller regions a single broken row is more than the accepted share of its monthly file.
const BROKEN_FROM: u32 = 1_500;

pub struct Place {
    folder: TempDir,
}

/// The project's own declarations.
pub fn shipped_schemas() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas")
}

pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a readable folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            fs::copy(&path, &target).expect("a copy");
        }
    }
}

pub fn prem(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(assert_cmd::cargo::cargo_bin!("prem"))
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .args(arguments)
        .output()
        .expect("the command starts")
}

pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Fails with what the command said.
pub fn expect_code(output: &Output, wanted: i32) {
    assert_eq!(code(output), wanted, "stdout:\n{}\nstderr:\n{}", text(&output.stdout), text(&output.stderr));
}

impl Place {
    /// A synthetic region of about `responses` responses under the shipped declarations.
    pub fn region(responses: u32) -> Self {
        let place = Self::empty(&shipped_schemas());
        let (size, contacts) = (responses.to_string(), (responses * 4).to_string());
        let mut sample = vec!["sample", "--out", ".", "--responses", &size, "--contacts", &contacts];
        if responses < BROKEN_FROM {
            sample.extend(["--broken-share", "0"]);
        }
        expect_code(&prem(place.path(), &sample), 0);
        place
    }

    /// An empty inbox and a configuration that reads `schemas`.
    pub fn empty(schemas: &Path) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let config = format!(
            "schemas = {:?}\ninbox = \"inbox\"\nstore = \"store\"\npublish = \"published\"\nsettle_minutes = 0\n",
            schemas.canonicalize().expect("schemas exist")
        );
        fs::write(folder.path().join("prem.toml"), config).expect("a configuration");
        fs::create_dir_all(folder.path().join("inbox")).expect("an inbox");
        Self { folder }
    }

    /// Reads declarations from a folder of the place itself.
    pub fn use_schemas(&self, folder: &str) {
        let path = self.path().join("prem.toml");
        let config = fs::read_to_string(&path).expect("a configuration");
        let others: Vec<&str> = config.lines().filter(|line| !line.starts_with("schemas")).collect();
        fs::write(&path, format!("schemas = {folder:?}\n{}\n", others.join("\n"))).expect("a configuration");
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn inbox(&self, name: &str) -> PathBuf {
        self.path().join("inbox").join(name)
    }

    /// A command with this place's configuration and JSON results.
    pub fn prem(&self, arguments: &[&str]) -> Output {
        let mut all = arguments.to_vec();
        all.extend(["--config", "prem.toml", "--output", "json"]);
        prem(self.path(), &all)
    }

    /// A run that must end well; gives its summary.
    pub fn run(&self, arguments: &[&str]) -> Value {
        let mut all = vec!["run"];
        all.extend(arguments);
        let output = self.prem(&all);
        expect_code(&output, 0);
        serde_json::from_slice(&output.stdout).expect("a summary in JSON")
    }

    /// Starts a command and kills it some milliseconds later, if it has not come to its end by then.
    pub fn kill_after(&self, milliseconds: u64, arguments: &[&str]) {
        let mut child = process::Command::new(assert_cmd::cargo::cargo_bin!("prem"))
            .current_dir(self.path())
            .args(arguments)
            .args(["--config", "prem.toml"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command starts");
        thread::sleep(Duration::from_millis(milliseconds));
        child.kill().expect("a kill");
        child.wait().expect("an end");
    }

    /// The first file of the inbox whose name begins so.
    pub fn delivered(&self, start: &str) -> PathBuf {
        let files = fs::read_dir(self.path().join("inbox")).expect("an inbox");
        let is_it = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(start));
        files.map(|entry| entry.expect("an entry").path()).filter(is_it).min().expect("a delivered file")
    }

    /// A table of the current release: of `region`, or of `hf/<trust>`.
    pub fn table<T: Table>(&self, folder: &str) -> Vec<T> {
        let folder = self.current().expect("a current release").join(folder);
        read_table(&folder.join(format!("{}.parquet", T::NAME))).expect("a published table").0
    }

    /// The rows of a run's working table: unprotected, so also what a release withholds.
    pub fn working_table<T: Table>(&self, summary: &Value) -> Vec<T> {
        let run = summary["run_id"].as_str().expect("a run id");
        let path = self.path().join("store/runs").join(run).join(format!("{}.parquet", T::NAME));
        read_table(&path).expect("a working table").0
    }

    pub fn current(&self) -> Option<PathBuf> {
        let text = fs::read_to_string(self.path().join("published/current.json")).ok()?;
        let current: Value = serde_json::from_str(&text).expect("current.json is JSON");
        Some(self.path().join("published").join(current["release"].as_str().expect("a release")))
    }

    pub fn manifest(&self) -> Value {
        let path = self.current().expect("a current release").join("manifest.json");
        serde_json::from_slice(&fs::read(path).expect("a manifest")).expect("a manifest in JSON")
    }
}

/// Every file below `folder` with its bytes; of the manifest all but its timings.
pub fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("a readable folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).expect("below the folder").to_string_lossy().into_owned();
            let mut bytes = fs::read(&path).expect("a readable file");
            if name == "manifest.json" {
                let mut manifest: Value = serde_json::from_slice(&bytes).expect("a manifest in JSON");
                manifest.as_object_mut().expect("an object").remove("timings");
                bytes = serde_json::to_vec(&manifest).expect("JSON");
            }
            files.insert(name, bytes);
        }
    }
    files
}

/// Asserts that two releases hold the same bytes and names the files that differ.
pub fn assert_same(a: &Path, b: &Path) {
    let (a, b) = (contents(a), contents(b));
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    let differing: Vec<&String> =
        a.iter().filter(|(name, bytes)| b.get(*name) != Some(bytes)).map(|(name, _)| name).collect();
    assert!(differing.is_empty(), "differ: {differing:?}");
}
