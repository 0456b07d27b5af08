//! The synthetic region: embedded for runs without configuration, of any size with `prem sample`.

use std::path::PathBuf;

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

/// Makes the embedded region beside the store.
///
/// # Errors
/// When it cannot be written.
pub fn embedded(session: &Session) -> Result<(), JobError> {
    generate(&session.plan, &Settings::default(), &root_of(&session.config))?;
    Ok(())
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
