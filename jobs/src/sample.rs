//! The synthetic region: embedded for runs without configuration, of any size with `prem sample`.

use std::{fs, path::PathBuf};

use jiff::Timestamp;
use prem_sample::{Settings, Truth, generate};

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
    let default = Settings::with_responses(args.responses);
    let settings = Settings {
        contacts: args.contacts.unwrap_or(default.contacts),
        seed: args.seed.unwrap_or(default.seed),
        broken_share: args.broken_share.unwrap_or(default.broken_share),
        confounding: args.confounding.unwrap_or(default.confounding),
        ..default
    };
    Ok(generate(&session.plan, &settings, &args.out)?)
}
