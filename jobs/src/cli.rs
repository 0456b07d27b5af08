//! What a person may type.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::civil::Date;
use prem_spec::{Period, Stratifier};
use prem_store::KeyColumn;

/// Case-mix adjusted patient experience, variation and indicator tables for a health region.
#[derive(Debug, Parser)]
#[command(name = "prem", version, propagate_version = true, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Threads to use [default: all cores]
    #[arg(long, global = true, value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// How logs are written to stderr
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub log: LogFormat,
    /// How results are written to stdout
    #[arg(long, global = true, value_enum, default_value_t = OutputFormat::Text)]
    pub output: OutputFormat,
    /// Nothing but errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run all jobs that are due: ingest, link, score, estimate, vary, protect, publish
    Run(RunArgs),
    /// Take in new files and stop
    Ingest(RunArgs),
    /// Run up to and including linking
    Link(RunArgs),
    /// Run up to and including scoring
    Score(RunArgs),
    /// Run up to and including estimation
    Estimate(RunArgs),
    /// Run up to and including variation
    Vary(RunArgs),
    /// Run up to and including protection
    Protect(RunArgs),
    /// Run all jobs and publish (the same as `run`)
    Publish(RunArgs),
    /// Say all that is wrong with configuration and schemas
    Check(Place),
    /// Write the data dictionary: what every dataset holds and demands
    Dictionary(DictionaryArgs),
    /// Say what is stored, refused and released
    Status(Place),
    /// Tell the way of one number: rows, exclusions, coefficients, sum, interval and class
    Explain(ExplainArgs),
    /// Show which published numbers differ between two releases
    Diff(DiffArgs),
    /// Make an earlier release the current one again
    Rollback(RollbackArgs),
    /// Erase persons who withdrew: their rows go, and stay out of later deliveries
    Erase(EraseArgs),
    /// Take back a delivery that should never have come
    Withdraw(WithdrawArgs),
    /// Draw whom to ask, by a sampling plan, from the stored contacts
    Draw(DrawArgs),
    /// Make a synthetic region whose truth is known
    Sample(SampleArgs),
    /// Compare the estimates of a run on a synthetic region with its truth
    Recovery(RecoveryArgs),
    /// Write shell completions to stdout
    Completions { shell: clap_complete::Shell },
    /// Write the manual page to stdout
    #[command(hide = true)]
    Man,
}

/// Where configuration, store and releases are.
#[derive(Debug, Clone, Default, Args)]
pub struct Place {
    /// Configuration file [default: the embedded sample region, under ./prem-out]
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// Store, instead of the configuration's
    #[arg(long)]
    pub store: Option<PathBuf>,
    /// Folder of releases, instead of the configuration's
    #[arg(long)]
    pub publish: Option<PathBuf>,
}

#[derive(Debug, Clone, Default, Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub place: Place,
    /// Only this period: 2025, 2025-T2, 2025-Q3, 2025-10 or 2025-10..2026-03 (repeatable)
    #[arg(long = "period")]
    pub periods: Vec<Period>,
    /// Only this indicator (repeatable)
    #[arg(long = "indicator")]
    pub indicators: Vec<String>,
    /// Only the folders of the trusts of this unit (repeatable)
    #[arg(long = "unit")]
    pub units: Vec<String>,
    /// See the deliveries as they were at the end of this day (2025-12-31)
    #[arg(long, value_parser = day)]
    pub as_of: Option<Date>,
    /// Day the deliveries taken in by this run were received (2025-12-31), for back-loading
    #[arg(long, value_parser = day)]
    pub delivered_at: Option<Date>,
    /// Take in files again whose bytes a later delivery has superseded, or that were withdrawn
    #[arg(long)]
    pub accept_again: bool,
    /// Take in files that keep fewer rows than `min_rows_share` of what they replace
    #[arg(long)]
    pub accept_fewer: bool,
    /// Run even if nothing changed
    #[arg(long)]
    pub force: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Exit code when there is nothing to do
    #[arg(long, default_value_t = 0)]
    pub exit_code_when_idle: u8,
}

impl RunArgs {
    /// The same request however it was typed: lists sorted, without repeats.
    pub fn sorted(&self) -> Self {
        let mut sorted = self.clone();
        sorted.periods.sort();
        sorted.periods.dedup();
        for list in [&mut sorted.indicators, &mut sorted.units] {
            list.sort();
            list.dedup();
        }
        sorted
    }

    /// The run looks at a part of the data or of the indicators: it makes a release, but not the current one.
    pub fn is_narrowed(&self) -> bool {
        !self.periods.is_empty() || !self.indicators.is_empty() || !self.units.is_empty() || self.as_of.is_some()
    }
}

/// A day as it is typed; one written the Norwegian way is answered with the way that is read.
fn day(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| match Date::strptime("%d.%m.%Y", text) {
        Ok(meant) => format!("write {meant}"),
        Err(_) => "a day is written 2025-12-31".to_owned(),
    })
}

/// A text that says something and stays on its line.
fn line(text: &str) -> Result<String, String> {
    let line = text.trim();
    if line.is_empty() || line.chars().any(char::is_control) {
        return Err("one line of text is wanted".to_owned());
    }
    Ok(line.to_owned())
}

#[derive(Debug, Args)]
pub struct DictionaryArgs {
    /// Configuration whose schemas are described [default: the embedded ones]
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// File to write, a page where its name ends in .html, else Markdown [default: Markdown on stdout]
    pub file: Option<PathBuf>,
    /// Language: nb, nn or en [default: the configuration's]
    #[arg(long, value_parser = ["nb", "nn", "en"])]
    pub language: Option<String>,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    #[command(flatten)]
    pub place: Place,
    /// Indicator id
    pub indicator: String,
    /// Unit id, of any level that the indicator has
    #[arg(long)]
    pub unit: String,
    /// Period: 2025, 2025-T2, 2025-Q3, 2025-10 or 2025-10..2026-03 [default: the latest, of several the longest]
    #[arg(long)]
    pub period: Option<Period>,
    /// `total`, or a group of patients such as `sex=2`
    #[arg(long, default_value = Stratifier::TOTAL)]
    pub stratum: String,
    /// Run id of a release [default: the current one]
    #[arg(long)]
    pub run: Option<String>,
}

#[derive(Debug, Args)]
pub struct DiffArgs {
    #[command(flatten)]
    pub place: Place,
    /// Run id of the earlier release
    pub earlier: String,
    /// Run id of the later release
    pub later: String,
}

#[derive(Debug, Args)]
pub struct RollbackArgs {
    #[command(flatten)]
    pub place: Place,
    /// Run id of the release
    pub release: String,
}

#[derive(Debug, Args)]
pub struct EraseArgs {
    #[command(flatten)]
    pub place: Place,
    /// File with one key a line
    #[arg(long)]
    pub keys: PathBuf,
    /// What the keys are; everything that hangs below them goes too
    #[arg(long, value_enum)]
    pub column: KeyName,
    /// Say what would go, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct WithdrawArgs {
    #[command(flatten)]
    pub place: Place,
    /// Dataset of the delivery
    #[arg(long)]
    pub dataset: String,
    /// Number of the delivery, as `prem status` shows it
    #[arg(long)]
    pub delivery: u64,
    /// Do it; without it, say what would go, and do nothing
    #[arg(long, requires = "why")]
    pub yes: bool,
    /// Why, on one line: it is kept, and `prem status` shows it
    #[arg(long, value_parser = line)]
    pub why: Option<String>,
}

/// From the person down: contacts hang below persons, invitations below contacts, responses below both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
#[expect(clippy::enum_variant_names, reason = "they are the names of columns")]
pub enum KeyName {
    PersonId,
    ContactId,
    InvitationId,
    ResponseId,
}

impl From<KeyName> for KeyColumn {
    fn from(name: KeyName) -> Self {
        match name {
            KeyName::PersonId => Self::PersonId,
            KeyName::ContactId => Self::ContactId,
            KeyName::InvitationId => Self::InvitationId,
            KeyName::ResponseId => Self::ResponseId,
        }
    }
}

impl KeyName {
    pub fn name(self) -> &'static str {
        KeyColumn::from(self).name()
    }
}

#[derive(Debug, Args)]
pub struct SampleArgs {
    /// Configuration whose schemas the region follows [default: the embedded ones]
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// Folder to write to; `inbox` and `truth` appear in it
    #[arg(long, default_value = "prem-sample")]
    pub out: PathBuf,
    /// File of settings (TOML) that says what kind of region is made; the options below go before it
    #[arg(long)]
    pub settings: Option<PathBuf>,
    /// Returned questionnaires [default: 20000]
    #[arg(long)]
    pub responses: Option<u64>,
    /// Contacts in the register [default: five per response]
    #[arg(long)]
    pub contacts: Option<u64>,
    /// Seed of all draws
    #[arg(long)]
    pub seed: Option<u64>,
    /// Share of broken rows
    #[arg(long)]
    pub broken_share: Option<f64>,
    /// Correlation from −1 to 1 between a ward's quality and how favourable its patients are
    #[arg(long)]
    pub confounding: Option<f64>,
}

#[derive(Debug, Args)]
pub struct RecoveryArgs {
    #[command(flatten)]
    pub place: Place,
    /// Folder with the truth of the synthetic region [default: `truth` beside the inbox]
    #[arg(long)]
    pub truth: Option<PathBuf>,
    /// Run whose estimates are compared, published or not [default: that of the current release]
    #[arg(long)]
    pub run: Option<String>,
    /// Also draw the ranks of one indicator at one level, true, raw and adjusted, into this SVG file
    #[arg(long, requires_all = ["indicator", "level"])]
    pub picture: Option<PathBuf>,
    /// Indicator of the picture
    #[arg(long, requires = "picture")]
    pub indicator: Option<String>,
    /// Level of the picture: hf, hospital, department or ward
    #[arg(long, requires = "picture", value_parser = ["hf", "hospital", "department", "ward"])]
    pub level: Option<String>,
    /// Period of the picture [default: the last that both run and truth know]
    #[arg(long, requires = "picture")]
    pub period: Option<String>,
    /// Language of the picture: nb, nn or en [default: the configuration's]
    #[arg(long, requires = "picture", value_parser = ["nb", "nn", "en"])]
    pub language: Option<String>,
}

#[derive(Debug, Args)]
#[command(override_usage = "prem draw [OPTIONS] --window <WINDOW> --out <OUT> <PLAN>\n       \
                            prem draw [OPTIONS] --window <WINDOW> --dry-run <PLAN>")]
pub struct DrawArgs {
    #[command(flatten)]
    pub place: Place,
    /// Sampling plan
    pub plan: String,
    /// Period of discharge to draw from: 2025-10, 2025-Q3 or 2025-10..2026-03
    #[arg(long)]
    pub window: Period,
    /// Day of the draw, from which rest and reservations are reckoned [default: today]
    #[arg(long, value_parser = day)]
    pub on: Option<Date>,
    /// Seed of the draw [default: the configuration's]
    #[arg(long)]
    pub seed: Option<u64>,
    /// File for the list, readable by its owner alone [required without --dry-run]
    #[arg(long, required_unless_present = "dry_run")]
    pub out: Option<PathBuf>,
    /// Draw again where the window has been drawn on another day or from other data (the earlier list counts no longer), and
    /// write over what --out holds
    #[arg(long)]
    pub replace: bool,
    /// Show the counts and keep nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{day, line};

    #[test]
    fn a_day_in_norwegian_is_answered_with_the_one_to_write() {
        assert_eq!(day("2026-11-30"), Ok(date(2026, 11, 30)));
        assert_eq!(day("30.11.2026"), Err("write 2026-11-30".to_owned()));
        for text in ["31.11.2026", "yesterday", "2026-13-01", ""] {
            assert_eq!(day(text), Err("a day is written 2025-12-31".to_owned()), "{text}");
        }
    }

    #[test]
    fn a_reason_is_one_line() {
        assert_eq!(line(" of another hospital "), Ok("of another hospital".to_owned()));
        for text in ["", " ", "a\nb", "a\u{1b}[2J"] {
            assert!(line(text).is_err(), "{text:?}");
        }
    }
}
