//! `prem draw`: an invitation list by a sampling plan, with inclusion probabilities and a report.

use std::{
    fmt,
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
};

use jiff::{Timestamp, civil::Date};
use prem_spec::{DrawPlan, printable};
use prem_stages::{DrawInputs, DrawReport, DrawRequest, METHOD_VERSION};
use prem_store::{DrawRecord, Store, delivered_by, tables::Drawn};
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
/// When the plan is unknown, contacts are missing, or the window was drawn before from other data.
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
        list.as_deref().map_or(Ok(()), |path| write_list(&store, record, path))?;
        return Ok(summary(record, report, true, list));
    }
    if let Some(record) = before.filter(|_| !args.replace && !args.dry_run) {
        return Err(JobError::DrawnBefore { plan: record.plan, window: record.window, on: record.on });
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
    store.keep_draw(store.begin()?, &record, &rows)?;
    write_list(&store, &record, &list)?;
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

/// Writes the list as the survey office needs it: UTF-8, `;`, decimal point, the column names of the dataset `invitations`
/// and the person's pseudonym.
fn write_list(store: &Store, record: &DrawRecord, path: &Path) -> Result<(), JobError> {
    let rows = store.drawn(record)?;
    // A reader of the folder sees the whole list or none. What an interrupted run left may be readable by others: it goes.
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".part");
    let unfinished = PathBuf::from(unfinished);
    match std::fs::remove_file(&unfinished) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(JobError::write("remove", &unfinished)(error));
        }
        _ => {}
    }
    write_rows(&unfinished, &rows).map_err(JobError::write("write", &unfinished))?;
    std::fs::rename(&unfinished, path).map_err(JobError::write("rename to", path))
}

fn write_rows(path: &Path, rows: &[Drawn]) -> std::io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(options.open(path)?);
    writer.write_record([
        "invitation_id",
        "contact_id",
        "person_id",
        "questionnaire_id",
        "unit_id",
        "stratum",
        "inclusion_probability",
        "drawn_on",
    ])?;
    for row in rows {
        writer.write_record([
            row.invitation_id.as_str(),
            &row.contact_id,
            &row.person_id,
            &row.questionnaire_id,
            &row.unit_id,
            &row.stratum,
            &row.inclusion_probability.to_string(),
            &row.drawn_on.to_string(),
        ])?;
    }
    let mut file = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
    file.flush()?;
    file.sync_all()
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
