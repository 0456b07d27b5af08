//! `prem explain`: the way of one number of a release, for analysts who may read the store.
//!
//! The release is explained, not what was delivered since: the deliveries that its manifest names, the derived tables that
//! its run left, and the run's own working tables. Where these are gone or were made again, or the declarations changed, there
//! is nothing to explain the number with until the next run. Nothing is ingested and nothing written.

mod names;
mod text;
mod told;

use std::collections::BTreeMap;

use jiff::Timestamp;
use prem_spec::{Indicator, Period, Unit};
use prem_stages::{
    METHOD_VERSION,
    estimate::EstimateInputs,
    explain::{Explanation, Question, Rows},
    read_invited,
};
use prem_store::{
    RowCounts,
    tables::{Estimate, read_table},
};

pub use self::told::Told;
use self::{names::Names, told::publication};
use crate::{
    cli::ExplainArgs,
    config::Config,
    derive::{self, Left},
    error::JobError,
    figures,
    inputs::Inputs,
    manifest::{self, Manifest},
    releases::checked_id,
    session::Session,
};

/// Tells the way of one number of a release.
///
/// # Errors
/// [`JobError::Usage`] for names that are not known, [`JobError::InputMissing`] where the store does not hold what the number
/// was made of any more, and a bug's exit code where the number comes out differently.
pub fn explain(args: &ExplainArgs, now: Timestamp) -> Result<Told, JobError> {
    let session = Session::open(Config::load(&args.place)?, now)?;
    let names = Names { plan: &session.plan, args };
    let (indicator, unit) = (names.indicator()?, names.unit()?);
    names.has_level(indicator, unit)?;
    let current = session.publisher.current()?.map(|current| current.run_id().to_owned());
    let run_id = args
        .run
        .clone()
        .or_else(|| current.clone())
        .ok_or_else(|| JobError::InputMissing("nothing is released yet: `prem run` first".to_owned()))?;
    let folder = session.publisher.release_folder(checked_id(&run_id)?)?;
    let released = Manifest::read(&folder.join(manifest::FILE))?;
    is_of_today(&session, &released)?;
    let rows = written(&session, &run_id)?;
    let row = names.row(indicator, unit, &rows, &released)?;
    let (published, _) = read_table::<Estimate>(&folder.join("region").join("estimates.parquet"))?;
    let periods = periods_of(&rows, indicator);
    let (explanation, rows_in) = made(&session, &released, (indicator, unit, row), &periods)?;
    let publication = publication(row, &published);
    let facts = (run_id.clone(), current.as_deref() == Some(run_id.as_str()));
    Ok(Told::new(&session.plan, (indicator, unit, row), facts, (publication, rows_in, explanation)))
}

/// The declarations and the methods are those of the release.
fn is_of_today(session: &Session, released: &Manifest) -> Result<(), JobError> {
    let what = if released.plan_hash != session.plan_hash {
        "the declarations"
    } else if released.method_version != METHOD_VERSION {
        "the methods of this program"
    } else {
        return Ok(());
    };
    Err(JobError::InputMissing(format!(
        "{what} have changed since the release {}, so its numbers cannot be made again: `prem run` makes a new one",
        released.run_id
    )))
}

fn moved_on(run_id: &str) -> JobError {
    JobError::InputMissing(format!(
        "the store has moved on since the release {run_id}: what its numbers were made of is not there any more. `prem run` \
         makes a release of what is stored now"
    ))
}

/// The estimates as the run wrote them, before protection.
fn written(session: &Session, run_id: &str) -> Result<Vec<Estimate>, JobError> {
    let path = session.store.run(run_id)?.table::<Estimate>();
    if !path.exists() {
        return Err(moved_on(run_id));
    }
    Ok(read_table::<Estimate>(&path)?.0)
}

/// The periods that the run estimated, also those that were only asked for.
fn periods_of(rows: &[Estimate], indicator: &Indicator) -> Vec<Period> {
    let own = rows.iter().filter(|row| row.indicator == indicator.id);
    let mut periods: Vec<Period> = own.filter_map(|row| row.period.parse().ok()).collect();
    periods.sort();
    periods.dedup();
    periods
}

/// The explanation by the stage, and where the rows of the dataset behind it went.
fn made(
    session: &Session,
    released: &Manifest,
    (indicator, unit, row): (&Indicator, &Unit, &Estimate),
    periods: &[Period],
) -> Result<(Explanation, RowCounts), JobError> {
    let plan = &session.plan;
    let gone = || moved_on(&released.run_id);
    let inputs = Inputs::of_release(released, session.store.deliveries()?, &indicator.id).ok_or_else(gone)?;
    let rates = figures::rates(session, &session.store, &inputs)?;
    let (mut scored, mut invited, mut files) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    if let Some(questionnaire) = plan.questionnaire_of(indicator) {
        let left: Left = derive::left_by(session, &inputs, questionnaire)?.ok_or_else(gone)?;
        let id = &questionnaire.id;
        invited.insert(id.clone(), read_invited(plan, questionnaire, &left.linked.folder)?);
        scored.insert(id.clone(), left.months);
        files = left.files;
    }
    let material = EstimateInputs {
        plan,
        scored: &scored,
        invited: &invited,
        events: &rates.events,
        areas: &rates.areas,
        periods,
        run_id: &released.run_id,
    };
    let unreadable = |error: prem_spec::PeriodError| JobError::Configuration(format!("{}: {error}", row.period));
    let period = row.period.parse::<Period>().map_err(unreadable)?;
    let question = Question { indicator, unit, period, row, scored: &files };
    let explanation = prem_stages::explain::explain(&material, &question)?;
    let rows_in = rows_in(session, released, indicator);
    reconcile(&rows_in, &explanation.rows)?;
    Ok((explanation, rows_in))
}

/// Where the responses of the indicator's questionnaire went, or the contacts of a rate, by the release's ledger.
fn rows_in(session: &Session, released: &Manifest, indicator: &Indicator) -> RowCounts {
    let questionnaire = indicator.population.questionnaire.as_ref();
    let dataset = if questionnaire.is_some() { "responses" } else { "contacts" };
    let mut all = RowCounts::default();
    for input in released.inputs.iter().filter(|input| input.dataset == dataset) {
        let of = session.plan.exports.get(&input.export).and_then(|export| export.questionnaire.as_ref());
        if questionnaire.is_none() || of == questionnaire {
            all.merge(&input.rows);
        }
    }
    all
}

/// What the ledger keeps is what the explanation begins with.
fn reconcile(rows_in: &RowCounts, rows: &Rows) -> Result<(), JobError> {
    let (dataset, begins_with, agrees) = match rows {
        Rows::Responses(rows) => ("responses", rows.linked, rows.linked == rows_in.kept),
        Rows::Contacts(rows) => ("contacts", rows.matching, rows.matching <= rows_in.kept),
    };
    if rows_in.reconciles() && agrees {
        return Ok(());
    }
    Err(JobError::Irreconcilable {
        dataset: dataset.to_owned(),
        detail: format!("the ledger keeps {}, the explanation begins with {begins_with}", rows_in.kept),
    })
}
