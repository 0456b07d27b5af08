//! The command `prem`.

#![allow(clippy::print_stderr, reason = "here a person is told what went wrong")]

mod calendar;
mod cli;
mod config;
mod declarations;
mod derive;
mod dictionary;
mod draw;
mod erase;
mod error;
mod explain;
mod figures;
mod inputs;
mod intake;
mod ledger;
mod manifest;
mod population;
mod recovery;
mod releases;
mod run;
mod sample;
mod session;
mod status;
mod summary;
mod unplaced;
mod withdraw;

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use clap::{CommandFactory, Parser};
use jiff::Timestamp;
use serde::Serialize;
use tracing_subscriber::EnvFilter;

use crate::{
    cli::{Cli, Command, Global, LogFormat, OutputFormat, RunArgs},
    error::{JobError, exit},
    run::Stage,
    summary::counted,
};

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_logs(&cli.global);
    set_threads(&cli);
    // The only clock of the program, read once.
    let now = Timestamp::now();
    match dispatch(&cli, now) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            tracing::debug!(?error, "failed");
            let lines: Vec<String> = error.to_string().lines().map(prem_spec::printable).collect();
            _ = writeln!(io::stderr(), "error: {}", lines.join("\n"));
            ExitCode::from(error.exit_code())
        }
    }
}

fn start_logs(global: &Global) {
    let level = if global.quiet { "error" } else { "warn" };
    let filter = EnvFilter::try_from_env("PREM_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    // A closed stderr is the reader's choice: losing a log line there must not end a run.
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).log_internal_errors(false);
    match global.log {
        LogFormat::Json => logs.json().init(),
        LogFormat::Text => {
            let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            logs.with_ansi(colour).with_target(false).init();
        }
    }
}

/// polars reads its number of threads, its spill folder and its memory budget from the environment only, and would spill
/// patient data to the system's folder for temporary files.
#[expect(unsafe_code, reason = "the environment is written before any other thread exists, and only here")]
fn set_threads(cli: &Cli) {
    let inherited: Vec<_> = std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| name.to_string_lossy().starts_with("POLARS_"))
        .collect();
    let store = place_of(&cli.command).and_then(|place| config::Config::load(place).ok()).map(|config| config.store);
    // SAFETY: `main` has started no thread yet, so nothing reads the environment at the same time.
    unsafe {
        for name in inherited {
            std::env::remove_var(name);
        }
        if let Some(threads) = cli.global.threads {
            std::env::set_var("POLARS_MAX_THREADS", threads.to_string());
        }
        if let Some(store) = store {
            let spill = store.join("pending").join("spill");
            std::env::set_var("POLARS_TEMP_DIR", &spill);
            std::env::set_var("POLARS_OOC_SPILL_DIR", &spill);
        }
    }
    if let Some(threads) = cli.global.threads {
        // Fails only when a pool exists already, which cannot be this early.
        _ = rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads)).build_global();
    }
}

fn place_of(command: &Command) -> Option<&cli::Place> {
    match command {
        Command::Run(args)
        | Command::Ingest(args)
        | Command::Link(args)
        | Command::Score(args)
        | Command::Estimate(args)
        | Command::Vary(args)
        | Command::Protect(args)
        | Command::Publish(args) => Some(&args.place),
        Command::Draw(args) => Some(&args.place),
        Command::Explain(args) => Some(&args.place),
        _ => None,
    }
}

fn dispatch(cli: &Cli, now: Timestamp) -> Result<u8, JobError> {
    let global = &cli.global;
    let staged = |args: &RunArgs, last: Stage| -> Result<u8, JobError> {
        let summary = run::run(args, last, global, now)?;
        print(global, &summary);
        let code = run::exit_code(&summary, args);
        if let Some(why) = summary.finding() {
            say_last(global, code, &why);
        }
        Ok(code)
    };
    match &cli.command {
        Command::Run(args) | Command::Publish(args) => staged(args, Stage::Publish),
        Command::Ingest(args) => staged(args, Stage::Ingest),
        Command::Link(args) => staged(args, Stage::Link),
        Command::Score(args) => staged(args, Stage::Score),
        Command::Estimate(args) => staged(args, Stage::Estimate),
        Command::Vary(args) => staged(args, Stage::Vary),
        Command::Protect(args) => staged(args, Stage::Protect),
        Command::Check(place) => {
            let config = config::Config::load(place)?;
            let plan = declarations::compile(&config)?;
            print(global, &Checked::of(&plan, &config));
            Ok(exit::DONE)
        }
        Command::Dictionary(args) => dictionary::dictionary(args).map(|text| done(global, &text)),
        Command::Status(place) => status::status(place, now).map(|status| done(global, &status)),
        Command::Explain(args) => explain::explain(args, now).map(|told| done(global, &told)),
        Command::Diff(args) => releases::diff(args, now).map(|difference| done(global, &difference)),
        Command::Rollback(args) => releases::rollback(args, now).map(|text| done(global, &text)),
        Command::Erase(args) => erase::erase(args, now).map(|report| done(global, &report)),
        Command::Withdraw(args) => withdraw::withdraw(args, now).map(|report| done(global, &report)),
        Command::Draw(args) => draw::draw(args, now).map(|drawn| done(global, &drawn)),
        Command::Sample(args) => {
            let truth = sample::sample(args, now)?;
            let text =
                format!("{} true values of units beside the files in {}\n", truth.units.len(), args.out.display());
            Ok(done(global, &text))
        }
        Command::Recovery(args) => recovery::recovery(args, now).map(|recovery| done(global, &recovery)),
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "prem", &mut io::stdout());
            Ok(exit::DONE)
        }
        Command::Man => {
            let mut page = Vec::new();
            let rendered = clap_mangen::Man::new(Cli::command()).render(&mut page);
            rendered
                .and_then(|()| io::stdout().write_all(&page))
                .map_err(JobError::write("write", "stdout".as_ref()))?;
            Ok(exit::DONE)
        }
    }
}

fn done<T: Display + Serialize>(global: &Global, result: &T) -> u8 {
    print(global, result);
    exit::DONE
}

/// The last line of a run that came to its end and not to code 0: whoever reads nothing but that line knows why.
fn say_last(global: &Global, code: u8, why: &str) {
    match global.log {
        LogFormat::Json => tracing::error!(exit = code, "{why}"),
        LogFormat::Text => _ = writeln!(io::stderr(), "exit {code}: {why}"),
    }
}

/// Writes a result to stdout. A closed pipe is the reader's choice, not a fault.
fn print<T: Display + Serialize>(global: &Global, result: &T) {
    let text = match global.output {
        OutputFormat::Json => serde_json::to_string_pretty(result).map(|json| json + "\n").unwrap_or_default(),
        OutputFormat::Text if global.quiet => return,
        OutputFormat::Text => result.to_string(),
    };
    _ = io::stdout().write_all(text.as_bytes());
}

/// What `prem check` says when nothing is wrong.
#[derive(Serialize)]
struct Checked {
    schemas: String,
    plan_hash: String,
    datasets: usize,
    exports: usize,
    questionnaires: usize,
    indicators: usize,
    units: usize,
}

impl Checked {
    fn of(plan: &prem_spec::Plan, config: &config::Config) -> Self {
        Self {
            schemas: config.schemas_shown_as.clone(),
            plan_hash: plan.hash(),
            datasets: plan.datasets.len(),
            exports: plan.exports.len(),
            questionnaires: plan.questionnaires.len(),
            indicators: plan.indicators.len(),
            units: plan.organisation.units.len(),
        }
    }
}

impl Display for Checked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{}: no mistakes. {}, {}, {}, {}, {}. Plan {}",
            self.schemas,
            counted(self.datasets as u64, "dataset", "datasets"),
            counted(self.exports as u64, "export", "exports"),
            counted(self.questionnaires as u64, "questionnaire", "questionnaires"),
            counted(self.indicators as u64, "indicator", "indicators"),
            counted(self.units as u64, "unit", "units"),
            &self.plan_hash[..12]
        )
    }
}
