//! `prem draw`: an invitation list by a sampling plan, with inclusion probabilities and a report.

mod list;

use std::{fmt, path::PathBuf};

use jiff::{Timestamp, civil::Date};
use prem_spec::{DrawPlan, Period, printable};
use prem_stages::{DrawInputs, DrawReport, DrawRequest, METHOD_VERSION};
use prem_store::{DrawRecord, Store, delivered_by};
use serde::Serialize;

use crate::{
    calendar,
    cli::{DrawArgs, RunArgs},
    config::Config,
    error::JobError,
    inputs::{Inputs, Seen, hash_of},
    session::Session,
};

/// What was drawn, and why not the others.
#[derive(Debug, Clone, Serialize)]
pub struct DrawSummary {
    pub plan: String,
    pub window: String,
    pub on: Date,
    pub seed: u64,
    /// The same draw was made before: this is what it gave.
    pub already_drawn: bool,
    /// The invitation list; `None` for a dry run.
    pub list: Option<PathBuf>,
    pub report: DrawReport,
}

/// Draws by the plan, or says what was drawn before from the same data.
///
/// # Errors
/// When the plan is unknown, the day of the draw lies before the window's end, no contacts of the window are stored, the
/// window was drawn before on another day or from other data, or the file for the list holds something else.
pub fn draw(args: &DrawArgs, now: Timestamp) -> Result<DrawSummary, JobError> {
    let session = Session::open(Config::load(&args.place)?, now)?;
    let plan = plan_of(&session, &args.plan)?;
    let store = session.store.lock()?;
    let window = args.window.to_string();
    let before = store.draw(&plan.id, &window)?;
    let on = args.on.or(before.as_ref().map(|before| before.on)).map_or_else(|| today(now), Ok)?;
    let seed = args.seed.unwrap_or(session.config.seed);
    let inputs = Inputs::of(&session, delivered_by(&store.deliveries()?, None), &[], &RunArgs::default());
    let drawn_before = drawn_before(&store, &plan.id, &window)?;
    let key = inputs_key(&session, plan, &inputs, (&window, on, seed), &drawn_before);
    if let Some(record) = before.as_ref().filter(|record| record.inputs == key) {
        let report = serde_json::from_value(record.report.clone()).unwrap_or_default();
        let list = args.out.clone().filter(|_| !args.dry_run);
        if let Some(path) = &list {
            let written = list::bytes(&session.plan, &store.drawn(record)?, path)?;
            list::check_free(path, &written, args.replace)?;
            list::write(path, &written)?;
        }
        return Ok(summary(record, report, true, list));
    }
    if !args.dry_run {
        check_over(args.window, on)?;
    }
    if let Some(record) = before.filter(|_| !args.replace && !args.dry_run) {
        let differs = differs(&record, on, seed);
        return Err(JobError::DrawnBefore { plan: record.plan, window: record.window, on: record.on, differs });
    }
    let parts = |dataset| inputs.parts(&session.plan, &store, dataset, |_| true);
    let inputs = DrawInputs {
        contacts: parts("contacts"),
        invitations: parts("invitations"),
        reservations: parts("reservations"),
    };
    let request = DrawRequest { plan, window: args.window, on, seed, drawn_before: &drawn_before };
    let (rows, report) = prem_stages::draw(&session.plan, &inputs, &request)?;
    if !report.reconciles() {
        let detail = format!("{} contacts in the window are not those eligible and those left out", report.contacts);
        return Err(JobError::Irreconcilable { dataset: "contacts".to_owned(), detail });
    }
    let record = DrawRecord {
        plan: plan.id.clone(),
        window,
        on,
        seed,
        inputs: key,
        drawn: report.drawn,
        report: serde_json::to_value(&report).unwrap_or_default(),
    };
    let Some(list) = args.out.clone().filter(|_| !args.dry_run) else {
        return Ok(summary(&record, report, false, None));
    };
    let written = list::bytes(&session.plan, &rows, &list)?;
    list::check_free(&list, &written, args.replace)?;
    store.keep_draw(store.begin()?, &record, &rows)?;
    list::write(&list, &written)?;
    Ok(summary(&record, report, false, Some(list)))
}

fn summary(record: &DrawRecord, report: DrawReport, already_drawn: bool, list: Option<PathBuf>) -> DrawSummary {
    DrawSummary {
        plan: record.plan.clone(),
        window: record.window.clone(),
        on: record.on,
        seed: record.seed,
        already_drawn,
        list,
        report,
    }
}

fn plan_of<'a>(session: &'a Session, id: &str) -> Result<&'a DrawPlan, JobError> {
    let known = &session.plan.draws;
    known.get(id).ok_or_else(|| JobError::unknown("sampling plan", id, known.keys()))
}

/// In what a draw on day `on` with `seed` would be another than the one recorded; whether the data differ too, their hash
/// does not tell.
fn differs(record: &DrawRecord, on: Date, seed: u64) -> &'static str {
    match (record.on == on, record.seed == seed) {
        (true, true) => "from other data",
        (false, true) => "on another day or from other data",
        (_, false) => "with another seed",
    }
}

/// Whoever is discharged between the day of the draw and the end of the window could never be drawn, and the probabilities on
/// the list would be those of a shorter window.
fn check_over(window: Period, on: Date) -> Result<(), JobError> {
    let end = window.end();
    if on >= end {
        return Ok(());
    }
    Err(JobError::Usage(format!(
        "the window {window} is not over on {on}, the day of the draw: nobody discharged after that could be drawn; draw it on \
         {end} or later, or see the counts so far with --dry-run"
    )))
}

fn today(now: Timestamp) -> Result<Date, JobError> {
    Ok(now.to_zoned(calendar::zone()?).date())
}

/// Everybody drawn in any other window or by any other plan, sorted.
fn drawn_before(store: &Store, plan: &str, window: &str) -> Result<Vec<(String, Date)>, JobError> {
    let mut all = Vec::new();
    for record in store.draws()?.iter().filter(|record| record.plan != plan || record.window != window) {
        all.extend(store.drawn(record)?.into_iter().map(|row| (row.person_id, row.drawn_on)));
    }
    all.sort();
    Ok(all)
}

fn inputs_key(
    session: &Session,
    plan: &DrawPlan,
    inputs: &Inputs,
    request: (&str, Date, u64),
    drawn_before: &[(String, Date)],
) -> String {
    let datasets = ["contacts", "invitations", "reservations"];
    let read = datasets.map(|name| inputs.of_dataset(name).map(Seen::of).collect::<Vec<_>>());
    let contracts = datasets.map(|name| session.plan.datasets.get(name));
    hash_of(&(
        (env!("CARGO_PKG_VERSION"), METHOD_VERSION),
        (plan, &session.plan.organisation, contracts, &session.plan.exports),
        (request, read, drawn_before),
    ))
}

impl fmt::Display for DrawSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = &self.report;
        let again = if self.already_drawn { ", as drawn before" } else { "" };
        writeln!(f, "{} for {}, drawn on {} with seed {}{again}", self.plan, self.window, self.on, self.seed)?;
        writeln!(f, "  contacts discharged  {:>8}", report.contacts)?;
        for (reason, count) in &report.excluded {
            writeln!(f, "  - {reason:<18} {count:>8}")?;
        }
        for (reason, codes) in &report.unplaced {
            for (code, count) in codes {
                writeln!(f, "    {reason}, code {}: {count}", printable(code))?;
            }
        }
        writeln!(f, "  eligible persons     {:>8}", report.eligible)?;
        let whole = report.strata.iter().filter(|stratum| stratum.drawn == stratum.eligible).count();
        writeln!(
            f,
            "  drawn                {:>8}  in {} strata, {whole} of them whole",
            report.drawn,
            report.strata.len()
        )?;
        match &self.list {
            Some(list) => {
                writeln!(f, "The list is {}. It holds pseudonyms: for the survey office only.", list.display())
            }
            None => writeln!(f, "Nothing was kept."),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use prem_store::DrawRecord;

    use super::differs;

    #[test]
    fn another_draw_is_told_by_what_makes_it_another() {
        let record = DrawRecord {
            plan: "monthly".to_owned(),
            window: "2025-03".to_owned(),
            on: date(2025, 4, 10),
            seed: 1,
            inputs: String::new(),
            drawn: 0,
            report: serde_json::Value::Null,
        };
        assert_eq!(differs(&record, date(2025, 4, 10), 1), "from other data");
        assert_eq!(differs(&record, date(2025, 4, 11), 1), "on another day or from other data");
        assert_eq!(differs(&record, date(2025, 4, 10), 2), "with another seed");
    }
}
