//! Where things are: the configuration file, or the embedded sample region.

use std::{
    fs,
    path::{Path, PathBuf},
};

use include_dir::{Dir, include_dir};
use prem_spec::SourceFile;
use serde::Deserialize;

use crate::{cli::Place, error::JobError};

static SCHEMAS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../schemas");

/// Folder that runs without `--config` write to.
const SAMPLE_ROOT: &str = "prem-out";
/// Seed of the simulations of a run.
const SEED_DEFAULT: u64 = 20_250_101;
const SETTLE_MINUTES_DEFAULT: u32 = 5;
const SECONDS_PER_MINUTE: i64 = 60;

/// `prem.toml`. Paths are relative to its folder.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Folder with `exports`, `questionnaires`, `indicators`, `organisations` and, where they differ, `datasets`.
    schemas: PathBuf,
    inbox: PathBuf,
    store: PathBuf,
    publish: PathBuf,
    #[serde(default = "bokmål")]
    language: Language,
    #[serde(default = "seed_default")]
    seed: u64,
    /// A file without a marker `<name>.ok` is taken when it has not changed for this long.
    #[serde(default = "settle_default")]
    settle_minutes: u32,
    /// The data are made up: every page says so.
    #[serde(default)]
    synthetic: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    Nb,
    Nn,
    En,
}

impl Language {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nb => "nb",
            Self::Nn => "nn",
            Self::En => "en",
        }
    }
}

fn bokmål() -> Language {
    Language::Nb
}

fn seed_default() -> u64 {
    SEED_DEFAULT
}

fn settle_default() -> u32 {
    SETTLE_MINUTES_DEFAULT
}

#[derive(Debug, Clone)]
pub struct Config {
    pub sources: Vec<SourceFile>,
    /// Where the declaration files lie, for messages.
    pub schemas_shown_as: String,
    pub inbox: PathBuf,
    pub store: PathBuf,
    pub publish: PathBuf,
    pub language: Language,
    pub seed: u64,
    /// Seconds a file must have rested; `None` for the embedded sample, which nobody else writes.
    pub settle_seconds: Option<i64>,
    pub is_sample: bool,
    /// The configuration says that the data are made up. [`crate::sample::is_synthetic`] asks the data too.
    pub synthetic: bool,
}

impl Config {
    /// # Errors
    /// When the file or a folder it names cannot be read.
    pub fn load(place: &Place) -> Result<Self, JobError> {
        let mut config = match &place.config {
            Some(path) => Self::from_file(path)?,
            None => {
                if Path::new("prem.toml").exists() {
                    tracing::warn!("there is a prem.toml here, but it is not used; give --config prem.toml");
                }
                Self::embedded(Path::new(SAMPLE_ROOT))
            }
        };
        if let Some(store) = &place.store {
            config.store.clone_from(store);
        }
        if let Some(publish) = &place.publish {
            config.publish.clone_from(publish);
        }
        Ok(config)
    }

    fn embedded(root: &Path) -> Self {
        Self {
            sources: embedded_schemas(),
            schemas_shown_as: "schemas".to_owned(),
            inbox: root.join("inbox"),
            store: root.join("store"),
            publish: root.join("published"),
            language: Language::Nb,
            seed: SEED_DEFAULT,
            settle_seconds: None,
            is_sample: true,
            synthetic: true,
        }
    }

    fn from_file(path: &Path) -> Result<Self, JobError> {
        let text = fs::read_to_string(path)
            .map_err(|error| JobError::InputMissing(format!("cannot read {}: {error}", path.display())))?;
        let file: File =
            toml::from_str(&text).map_err(|error| JobError::Configuration(format!("{}: {error}", path.display())))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let schemas = folder.join(&file.schemas);
        let own = prem_spec::load_folder(&schemas)
            .map_err(|error| JobError::InputMissing(format!("cannot read {}: {error}", schemas.display())))?;
        Ok(Self {
            sources: with_standard_declarations(own),
            schemas_shown_as: schemas.display().to_string(),
            inbox: folder.join(file.inbox),
            store: folder.join(file.store),
            publish: folder.join(file.publish),
            language: file.language,
            seed: file.seed,
            settle_seconds: Some(i64::from(file.settle_minutes) * SECONDS_PER_MINUTE),
            is_sample: false,
            synthetic: file.synthetic,
        })
    }
}

/// The declarations that the program ships.
pub fn embedded_schemas() -> Vec<SourceFile> {
    let mut sources = Vec::new();
    let mut folders = vec![&SCHEMAS];
    while let Some(folder) = folders.pop() {
        folders.extend(folder.dirs());
        for file in folder.files().filter(|file| file.path().extension().is_some_and(|e| e == "toml")) {
            if let Some(text) = file.contents_utf8() {
                let name = file.path().to_string_lossy().replace('\\', "/");
                sources.push(SourceFile::new(name, text));
            }
        }
    }
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    sources
}

/// The standard datasets and municipality numbers come with the program; a file of the same name in the configuration's own
/// folder replaces one.
fn with_standard_declarations(mut own: Vec<SourceFile>) -> Vec<SourceFile> {
    let is_standard = |name: &str| name.starts_with("datasets/") || name.starts_with("municipalities/");
    let standard = embedded_schemas().into_iter().filter(|source| is_standard(&source.name));
    for source in standard {
        if own.iter().all(|mine| mine.name != source.name) {
            own.push(source);
        }
    }
    own.sort_by(|a, b| a.name.cmp(&b.name));
    own
}
