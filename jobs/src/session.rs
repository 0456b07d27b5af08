//! What one command works with: configuration, plan, store, and how it speaks.

use std::{collections::BTreeMap, time::Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use prem_spec::Plan;
use prem_store::{Publisher, Store};

use crate::{config::Config, declarations, error::JobError};

pub struct Session {
    pub config: Config,
    pub plan: Plan,
    pub plan_hash: String,
    pub store: Store,
    pub publisher: Publisher,
    /// Read once: when this command began.
    pub now: Timestamp,
}

impl Session {
    /// # Errors
    /// When the declarations have mistakes.
    pub fn open(config: Config, now: Timestamp) -> Result<Self, JobError> {
        let plan = declarations::compile(&config)?;
        Ok(Self {
            plan_hash: plan.hash(),
            plan,
            store: Store::open(&config.store),
            publisher: Publisher::new(&config.publish),
            config,
            now,
        })
    }
}

/// Shows and times the stages. Times end up in `manifest.json#timings` and nowhere else.
pub struct Clock {
    bar: ProgressBar,
    started: Instant,
    stages: Vec<(&'static str, f64)>,
}

impl Clock {
    pub fn new(is_quiet: bool) -> Self {
        // indicatif draws on a terminal only; logs and pipes stay clean.
        let target = if is_quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        Self { bar, started: Instant::now(), stages: Vec::new() }
    }

    /// Runs a stage under its name.
    pub fn stage<T>(&mut self, name: &'static str, work: impl FnOnce() -> Result<T, JobError>) -> Result<T, JobError> {
        self.bar.set_message(name);
        let start = Instant::now();
        let result = work();
        let seconds = start.elapsed().as_secs_f64();
        self.stages.push((name, seconds));
        tracing::info!(stage = name, seconds, ok = result.is_ok(), "stage ended");
        result
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Seconds per stage and in all.
    pub fn timings(&self) -> BTreeMap<String, f64> {
        let mut seconds: BTreeMap<String, f64> =
            self.stages.iter().map(|(name, seconds)| ((*name).to_owned(), *seconds)).collect();
        seconds.insert("total".to_owned(), self.started.elapsed().as_secs_f64());
        seconds
    }
}
