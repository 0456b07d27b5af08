//! The synthetic region: embedded for runs without configuration, of any size with `prem sample`.

use std::{fs, path::PathBuf};

use jiff::Timestamp;
use prem_sample::{MARK, Settings, Truth, generate};

use crate::{
    cli::{Place, SampleArgs},
    config::Config,
    error::JobError,
    session::Session,
};

/// Where a synthetic region lies: the folder that holds its inbox.
pub fn root_of(config: &Config) -> PathBuf {
    config.inbox.parent().map(PathBuf::from).unwrap_or_default()
}

/// Whether the embedded region was made to its end: its truth is moved into place before its inbox.
pub fn is_whole(config: &Config) -> bool {
    config.inbox.exists()
}

/// Whether the data are made up: the configuration says so, or the generator's mark lies in the inbox or, since an inbox may be
/// emptied, in the store.
pub fn is_synthetic(config: &Config) -> bool {
    config.synthetic || [&config.inbox, &config.store].iter().any(|folder| folder.join(MARK).exists())
}

/// Puts the generator's mark into the store before rows of a marked inbox come into it; from then on the store has it.
///
/// # Errors
/// When it cannot be written.
pub fn remember(config: &Config) -> Result<(), JobError> {
    let (from, to) = (config.inbox.join(MARK), config.store.join(MARK));
    if from.exists() && !to.exists() {
        fs::copy(&from, &to).map_err(JobError::write("write", &to))?;
    }
    Ok(())
}

/// Makes the embedded region beside the store: all of it in a folder of its own first, so that a killed run leaves no part.
///
/// # Errors
/// When it cannot be written.
pub fn embedded(session: &Session) -> Result<(), JobError> {
    let root = root_of(&session.config);
    let unfinished = root.join(".sample-unfinished");
    for leftover in [&unfinished, &root.join("truth")] {
        if leftover.exists() {
            fs::remove_dir_all(leftover).map_err(JobError::write("remove", leftover))?;
        }
    }
    generate(&session.plan, &Settings::default(), &unfinished)?;
    for part in ["truth", "inbox"] {
        let (from, to) = (unfinished.join(part), root.join(part));
        fs::rename(&from, &to).map_err(JobError::write("rename", &from))?;
    }
    fs::remove_dir(&unfinished).map_err(JobError::write("remove", &unfinished))
}

/// `prem sample`.
///
/// # Errors
/// When the settings make no region or it cannot be written.
pub fn sample(args: &SampleArgs, now: Timestamp) -> Result<Truth, JobError> {
    let place = Place { config: args.config.clone(), ..Place::default() };
    let session = Session::open(Config::load(&place)?, now)?;
    let settings = settings(args)?;
    Ok(generate(&session.plan, &settings, &args.out)?)
}

/// What the file says, and before it what was typed. Contacts follow the number of responses where nothing else is said.
fn settings(args: &SampleArgs) -> Result<Settings, JobError> {
    let mut settings = match &args.settings {
        Some(path) => {
            let text = fs::read_to_string(path)
                .map_err(|error| JobError::InputMissing(format!("cannot read {}: {error}", path.display())))?;
            toml::from_str(&text).map_err(|error| JobError::Configuration(format!("{}: {error}", path.display())))?
        }
        None => Settings::default(),
    };
    if let Some(responses) = args.responses {
        let of_responses = Settings::with_responses(responses);
        settings.responses = of_responses.responses;
        settings.contacts = of_responses.contacts;
    }
    settings.contacts = args.contacts.unwrap_or(settings.contacts);
    settings.seed = args.seed.unwrap_or(settings.seed);
    settings.broken_share = args.broken_share.unwrap_or(settings.broken_share);
    settings.confounding = args.confounding.unwrap_or(settings.confounding);
    Ok(settings)
}
