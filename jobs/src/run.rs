//! `prem run`, and its stages one by one: a stage's command runs everything up to and including it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp, civil::Date};
use prem_protect::protect;
use prem_report::{Language, RunFacts, write_release};
use prem_spec::Period;
use prem_stages::METHOD_VERSION;
use prem_store::{Refusal, delivered_by};

use crate::{
    calendar,
    cli::{Global, RunArgs},
    config::Config,
    derive,
    error::{JobError, exit},
    figures,
    inputs::{Inputs, trusts_of},
    intake::{self, Intake, Registration},
    ledger,
    manifest::{Found, Manifest},
    population, releases, sample,
    session::{Clock, Session},
    summary::{Summary, counted},
};

/// Refused files that an error names.
const REFUSED_SHOWN_MAX: usize = 5;

/// How far a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Ingest,
    Link,
    Score,
    Estimate,
    Vary,
    Protect,
    Publish,
}

/// Runs all stages up to `last` and says what happened.
///
/// # Errors
/// Whatever stops a run; nothing is half-published.
pub fn run(args: &RunArgs, last: Stage, global: &Global, now: Timestamp) -> Result<Summary, JobError> {
    let args = &args.sorted();
    let config = Config::load(&args.place)?;
    let session = Session::open(config, now)?;
    let mut clock = Clock::new(global.quiet);
    check_names(&session, args)?;
    if last >= Stage::Protect {
        check_periods(&session, args)?;
    }
    if args.dry_run {
        return dry_run(&session, args);
    }
    let store = session.store.lock()?;
    session.publisher.recover()?;
    if session.config.is_sample && !sample::is_whole(&session.config) {
        clock.stage("sample", || sample::embedded(&session))?;
    }
    sample::remember(&session.config)?;
    let registration = Registration {
        delivered_at: delivered_at(args.delivered_at, now)?,
        accept_again: args.accept_again,
        accept_fewer: args.accept_fewer,
    };
    let outcome = stages(&session, &store, args, last, registration, &mut clock);
    clock.finish();
    outcome
}

fn stages(
    session: &Session,
    store: &prem_store::LockedStore,
    args: &RunArgs,
    last: Stage,
    registration: Registration,
    clock: &mut Clock,
) -> Result<Summary, JobError> {
    let mut intake = clock.stage("ingest", || intake::take_in(session, store, registration))?;
    intake.refused.extend(contradiction(session, store, args)?);
    let inputs = inputs_of(session, store, &intake, args)?;
    let mut summary = Summary::new(session, &inputs, &intake);
    summary.past_due = calendar::past_due(&session.plan, &store.deliveries()?, session.now)?;
    if last == Stage::Ingest {
        return Ok(summary);
    }
    if let (Some(day), true) = (args.as_of, inputs.deliveries.is_empty()) {
        delivered_later(store, day)?;
    }
    summary.rolled_back = !args.is_narrowed() && releases::is_rolled_back(session, &inputs.run_id);
    if last == Stage::Publish && !args.force && (summary.rolled_back || is_published(session, &inputs, args)?) {
        summary.idle = true;
        summary.is_current = !args.is_narrowed();
        if !summary.rolled_back {
            summary.release = Some(session.publisher.release_folder(&inputs.run_id)?);
        }
        return Ok(summary);
    }
    if inputs.indicators.is_empty() {
        // Everything is held back: the release that stands is better than an empty one.
        return match inputs.without_data.values().next().filter(|_| inputs.held_back.is_empty()) {
            Some(dataset) => {
                let told =
                    format!("no {dataset} have been delivered, and every indicator needs them: nothing was published");
                Err(match refused(&summary) {
                    Some(refused) => JobError::HeldBack(format!("{told}; {refused}; see `prem status`")),
                    None => JobError::InputMissing(told),
                })
            }
            None => Ok(summary),
        };
    }
    let mut found =
        Found { linked: clock.stage("link", || derive::link(session, store, &inputs))?, ..Found::default() };
    found.ledger = ledger::row_counts(session, store, &inputs, &found.linked)?;
    if last >= Stage::Score {
        let scored = clock.stage("score", || derive::score(session, store, &found.linked))?;
        found.population = population::by_period(&session.plan, &inputs.indicators, &scored.counts);
        if last >= Stage::Estimate {
            found.rates = clock.stage("rates", || figures::rates(session, store, &inputs))?;
            found.not_estimated = clock.stage("estimate", || {
                figures::estimate_run(session, store, &inputs, args, (&found.linked, &scored.months, &found.rates))
            })?;
            let unmatched = ledger::unmatched_rows(session, store, &inputs, &found.ledger)?;
            figures::write_unmatched(session, store, &inputs, &unmatched)?;
        }
    }
    if last >= Stage::Vary {
        clock.stage("vary", || figures::vary_run(session, store, &inputs))?;
    }
    if last >= Stage::Protect {
        publish(session, store, &inputs, args, last, &mut found, clock, &mut summary)?;
    }
    summary.tell(found, clock.timings());
    Ok(summary)
}

#[expect(clippy::too_many_arguments, reason = "the last stage sees everything that went before")]
fn publish(
    session: &Session,
    store: &prem_store::LockedStore,
    inputs: &Inputs,
    args: &RunArgs,
    last: Stage,
    found: &mut Found,
    clock: &mut Clock,
    summary: &mut Summary,
) -> Result<(), JobError> {
    let run = store.run(&inputs.run_id)?;
    let mut protected =
        clock.stage("protect", || Ok(protect(&session.plan, figures::unprotected(&session.plan, &run)?)?))?;
    if !args.periods.is_empty() {
        let periods: Vec<String> = args.periods.iter().map(ToString::to_string).collect();
        protected = protected.narrowed_to(&periods);
    }
    let distinct = |of: fn(&prem_protect::tables::Estimate) -> &str| {
        protected.estimates().iter().map(of).collect::<BTreeSet<&str>>().len()
    };
    found.withheld = protected.withheld();
    found.estimates = protected.estimates().len();
    found.indicators = distinct(|row| &row.indicator);
    found.units = distinct(|row| &row.unit_id);
    found.periods = distinct(|row| &row.period);
    found.series_breaks = population::series_breaks(&session.plan, protected.estimates());
    if last < Stage::Publish {
        return Ok(());
    }
    if found.estimates == 0 {
        return Err(nothing_estimated(summary));
    }
    let staging = session.publisher.staging(&inputs.run_id)?;
    let facts = RunFacts {
        run_id: inputs.run_id.clone(),
        plan_hash: session.plan_hash.clone(),
        method_version: METHOD_VERSION.to_owned(),
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        language: Language::from_code(session.config.language.as_str()).unwrap_or_default(),
        is_synthetic: sample::is_synthetic(&session.config),
        answers_until: answers_until(&found.linked),
        held_back: inputs.held_back.keys().cloned().collect(),
    };
    let plan = narrowed_to_trusts(session, args);
    let files = clock.stage("publish", || Ok(write_release(&plan, &protected, &facts, &staging)?))?.files;
    let manifest = Manifest::new(session, inputs, found, args.is_narrowed(), (files, clock.timings()));
    manifest.write(&staging)?;
    let finished = session.publisher.finish(&staging, &inputs.run_id)?;
    if !args.is_narrowed() {
        session.publisher.set_current(&inputs.run_id, &finished.manifest_sha256)?;
        releases::forget_rollback(session)?;
    }
    summary.is_current = !args.is_narrowed();
    summary.release = Some(finished.folder);
    Ok(())
}

/// What to say when no number came out: a refused file goes before data that are too few.
fn nothing_estimated(summary: &Summary) -> JobError {
    const NOTHING: &str = "no indicator has any estimate: nothing was published";
    let mut reasons = Vec::new();
    if !summary.held_back.is_empty() {
        let held_back = summary.held_back.len() as u64;
        let (indicators, were) =
            (counted(held_back, "indicator", "indicators"), if held_back == 1 { "was" } else { "were" });
        let since = refused(summary).map(|refused| format!(", since {refused}")).unwrap_or_default();
        reasons.push(format!("{indicators} {were} held back{since}; see `prem status`"));
    } else if let Some(refused) = refused(summary) {
        reasons.push(format!("{refused}; see `prem status`"));
    }
    if let Some(dataset) = summary.without_data.values().next() {
        let waiting = counted(summary.without_data.len() as u64, "indicator", "indicators");
        reasons.push(format!("no {dataset} have been delivered, and {waiting} cannot do without"));
    }
    let told = if reasons.is_empty() { NOTHING.to_owned() } else { format!("{NOTHING}; {}", reasons.join("; ")) };
    let is_refused = !summary.held_back.is_empty() || !summary.refused.is_empty();
    if is_refused { JobError::HeldBack(told) } else { JobError::InputMissing(told) }
}

/// Which files were refused, the first of them by name.
fn refused(summary: &Summary) -> Option<String> {
    let files: Vec<&str> = summary.refused.keys().take(REFUSED_SHOWN_MAX).map(String::as_str).collect();
    let refused = match summary.refused.len() as u64 {
        0 => return None,
        1 => "a file was refused".to_owned(),
        files => format!("{} were refused", counted(files, "file", "files")),
    };
    Some(format!("{refused} ({})", files.join(", ")))
}

/// Nothing had been delivered by `day`: an error that says when something was, if anything ever was.
fn delivered_later(store: &prem_store::Store, day: Date) -> Result<(), JobError> {
    let Some(first) = store.deliveries()?.iter().map(|delivery| delivery.delivered_at).min() else { return Ok(()) };
    let first = first.to_zoned(calendar::zone()?).date();
    Err(JobError::InputMissing(format!("nothing had been delivered by {day}; the first delivery came {first}")))
}

/// Questionnaire → last day of the latest month with linked answers.
fn answers_until(linked: &BTreeMap<String, derive::Linked>) -> BTreeMap<String, Date> {
    let last = |one: &derive::Linked| Some(one.outcome.months.keys().next_back()?.last_of_month());
    linked.iter().filter_map(|(id, one)| Some((id.clone(), last(one)?))).collect()
}

/// The plan with only the trusts that `--unit` asks for among those that get a folder.
fn narrowed_to_trusts(session: &Session, args: &RunArgs) -> prem_spec::Plan {
    let mut plan = session.plan.clone();
    if let Some(trusts) = trusts_of(&plan, &args.units) {
        let organisation = plan.organisation.clone();
        plan.organisation.units.retain(|unit| {
            organisation.ancestor_at(&unit.id, prem_spec::Level::Hf).is_none_or(|trust| trusts.contains(&trust.id))
        });
    }
    plan
}

/// Catchment rows that contradict each other: each was fine as a row, but together they cannot be used. It counts as a refusal
/// of the delivery that came last, so that rates are held back and the rest goes on.
fn contradiction(session: &Session, store: &prem_store::Store, args: &RunArgs) -> Result<Option<Refusal>, JobError> {
    let inputs = inputs_of(session, store, &Intake::default(), args)?;
    let Some(last) = inputs.of_dataset("catchment").last().filter(|_| inputs.has_rates(&session.plan)) else {
        return Ok(None);
    };
    let parts = inputs.parts(&session.plan, store, "catchment", |_| true);
    let Some(reason) = prem_stages::catchment_overlaps(&session.plan, &parts)? else { return Ok(None) };
    Ok(Some(Refusal {
        dataset: last.dataset.clone(),
        export: last.export.clone(),
        file_name: last.file_name.clone(),
        sha256: last.sha256.clone(),
        bytes: last.bytes,
        refused_at: last.delivered_at,
        plan_hash: session.plan_hash.clone(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        reason,
        counts: last.counts.clone(),
        first: Vec::new(),
    }))
}

fn inputs_of(
    session: &Session,
    store: &prem_store::Store,
    intake: &Intake,
    args: &RunArgs,
) -> Result<Inputs, JobError> {
    let deliveries = store.deliveries()?;
    let as_of = as_of(args, session.now)?;
    let is_seen = |refusal: &&Refusal| as_of.is_none_or(|as_of| refusal.refused_at <= as_of);
    let refused: Vec<Refusal> = intake.refused.iter().filter(is_seen).cloned().collect();
    Ok(Inputs::of(session, delivered_by(&deliveries, as_of), &refused, args))
}

/// The last instant of the day that `--as-of` names.
fn as_of(args: &RunArgs, now: Timestamp) -> Result<Option<Timestamp>, JobError> {
    let Some(date) = args.as_of else { return Ok(None) };
    let next = delivered_at(date.tomorrow().ok(), now)?;
    Ok(Some(next - SignedDuration::from_nanos(1)))
}

fn is_published(session: &Session, inputs: &Inputs, args: &RunArgs) -> Result<bool, JobError> {
    if args.is_narrowed() {
        return Ok(session.publisher.releases()?.contains(&inputs.run_id));
    }
    Ok(session.publisher.current()?.is_some_and(|current| current.run_id() == inputs.run_id))
}

/// Midnight of a given day in Norwegian time, or now.
fn delivered_at(date: Option<Date>, now: Timestamp) -> Result<Timestamp, JobError> {
    let Some(date) = date else { return Ok(now) };
    date.to_zoned(calendar::zone()?)
        .map(|zoned| zoned.timestamp())
        .map_err(|error| JobError::Configuration(format!("{date} is no day to reckon with: {error}")))
}

fn check_names(session: &Session, args: &RunArgs) -> Result<(), JobError> {
    let (indicators, organisation) = (&session.plan.indicators, &session.plan.organisation);
    if let Some(id) = args.indicators.iter().find(|id| !indicators.contains_key(*id)) {
        return Err(JobError::unknown("indicator", id, indicators.keys()));
    }
    if let Some(id) = args.units.iter().find(|id| organisation.unit(id).is_none()) {
        return Err(JobError::unknown("unit", id, organisation.units.iter().map(|unit| &unit.id)));
    }
    Ok(())
}

/// A release has declared periods only.
fn check_periods(session: &Session, args: &RunArgs) -> Result<(), JobError> {
    let is_meant = |id: &String| args.indicators.is_empty() || args.indicators.contains(id);
    let meant = session.plan.indicators.iter().filter(|(id, _)| is_meant(id));
    let is_offered = |period: &Period| meant.clone().any(|(_, indicator)| indicator.offers(*period));
    match args.periods.iter().find(|period| !is_offered(period)) {
        Some(period) => Err(JobError::Usage(format!(
            "{period} is a period of no indicator of this run. A release has declared `periods` only, since others would tell what is \
             withheld in these; `prem estimate --period {period}` estimates it without publishing"
        ))),
        None => Ok(()),
    }
}

/// Looks, and says what a run would take in and whether there is anything to do. Writes nothing.
fn dry_run(session: &Session, args: &RunArgs) -> Result<Summary, JobError> {
    let deliveries = session.store.deliveries()?;
    let refusals = session.store.refusals()?;
    let withdrawals = session.store.withdrawals()?;
    let mut intake = Intake::default();
    let mut waiting = Vec::new();
    if session.config.inbox.is_dir() {
        let inbox = prem_ingest::discover(&session.plan, &session.config.inbox, intake::settled(session))?;
        for skipped in inbox.skipped {
            intake.skip(skipped.name, skipped.reason);
        }
        let is_withdrawn = |found: &prem_ingest::Found, sha256: &str| {
            let export = session.plan.exports.get(&found.export);
            export.is_some_and(|export| withdrawals.iter().any(|of| of.is_of(&export.dataset, sha256)))
        };
        for found in inbox.found {
            let Ok(sha256) = prem_store::sha256_file(&found.path) else {
                intake.skip(found.name, intake::why_unread(&found.path));
                continue;
            };
            if deliveries.iter().any(|delivery| delivery.sha256 == sha256) {
                intake.known += 1;
            } else if !args.accept_again && is_withdrawn(&found, &sha256) {
                intake.withdrawn.push(found.name);
            } else if let Some(refusal) =
                refusals.iter().find(|refusal| !args.accept_fewer && intake::is_same(refusal, session, &found, &sha256))
            {
                intake.refused.push(refusal.clone());
            } else {
                waiting.push(found.name);
            }
        }
    }
    let inputs = inputs_of(session, &session.store, &intake, args)?;
    let mut summary = Summary::new(session, &inputs, &intake);
    summary.idle = waiting.is_empty() && is_published(session, &inputs, args)?;
    summary.waiting = Some(waiting);
    Ok(summary)
}

/// The exit code of a run that came to its end.
pub fn exit_code(summary: &Summary, args: &RunArgs) -> u8 {
    if !summary.refused.is_empty() {
        exit::DATA_REFUSED
    } else if summary.unreadable > 0 {
        exit::INPUT_MISSING
    } else if summary.idle {
        args.exit_code_when_idle
    } else {
        exit::DONE
    }
}
