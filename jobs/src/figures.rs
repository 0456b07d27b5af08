//! The estimate and vary jobs: the working tables of a run, unprotected, in the run's own folder of the store.

use std::collections::BTreeMap;

use prem_protect::Unprotected;
use prem_spec::{Period, Plan};
use prem_stages::{
    Areas, RateCells, ScoredMonth, VaryInputs, count_events,
    estimate::{EstimateInputs, NotEstimated, estimate, sensitivity},
    load_areas, read_invited, survey_quality, vary,
};
use prem_store::{
    LockedStore, RunFolder, Store,
    tables::{
        CaseMix, Components, Estimate, Expected, PersonsByEvents, Response, Sensitivity, SurveyQuality, Table,
        TableMeta, Unmatched, UnplacedCode, Variation, Weighting, read_table, write_table,
    },
};

use crate::{cli::RunArgs, derive::Linked, error::JobError, inputs::Inputs, session::Session, unplaced};

/// Events of the rate indicators, and the areas they were counted in.
#[derive(Debug, Clone, Default)]
pub struct Rates {
    pub areas: Areas,
    pub events: BTreeMap<String, RateCells>,
}

/// Counts the events of every rate indicator of the run.
///
/// # Errors
/// When a table cannot be read.
pub fn rates(session: &Session, store: &Store, inputs: &Inputs) -> Result<Rates, JobError> {
    let plan = &session.plan;
    if !inputs.has_rates(plan) {
        return Ok(Rates::default());
    }
    let all = |dataset| inputs.parts(plan, store, dataset, |_| true);
    let areas = load_areas(plan, &all("catchment"), &all("population"))?;
    for (unit, rows) in areas.unknown_units.values().flatten() {
        tracing::warn!(unit, rows, "catchment area of a unit that the organisation does not have");
    }
    for (reason, places) in &areas.unplaced_persons {
        for (place, persons) in places {
            tracing::warn!(place, persons, reason, "inhabitants in no catchment area; they count in no rate");
        }
    }
    let mut wanted = plan.clone();
    wanted.indicators.retain(|id, _| inputs.indicators.contains(id));
    let events = count_events(&wanted, &all("contacts"), &areas)?;
    Ok(Rates { areas, events })
}

/// Estimates and writes the working tables.
///
/// # Errors
/// When a kernel fails, or a table cannot be written.
pub fn estimate_run(
    session: &Session,
    store: &LockedStore,
    inputs: &Inputs,
    args: &RunArgs,
    (linked, scored, rates): (&BTreeMap<String, Linked>, &BTreeMap<String, Vec<ScoredMonth>>, &Rates),
) -> Result<Vec<NotEstimated>, JobError> {
    let plan = &session.plan;
    let mut invited = BTreeMap::new();
    for (id, linked) in linked {
        let Some(questionnaire) = plan.questionnaires.get(id) else { continue };
        invited.insert(id.clone(), read_invited(plan, questionnaire, &linked.folder)?);
    }
    let material = EstimateInputs {
        plan,
        scored,
        invited: &invited,
        events: &rates.events,
        areas: &rates.areas,
        periods: &args.periods,
        run_id: &inputs.run_id,
    };
    let mut estimated = estimate(&material, &inputs.indicators)?;
    // The other periods are estimated for what may be shown of those asked for, and are not in the release.
    let is_asked = |missing: &NotEstimated| args.periods.iter().any(|period| period.to_string() == missing.period);
    estimated.not_estimated.retain(|missing| args.periods.is_empty() || is_asked(missing));
    let other_models = sensitivity(&material, &inputs.indicators, &estimated.estimates)?;
    for missing in &estimated.not_estimated {
        tracing::warn!(
            indicator = missing.indicator,
            period = missing.period,
            reason = missing.reason,
            "not estimated"
        );
    }
    let mut quality = Vec::new();
    for (id, linked) in linked {
        let Some((questionnaire, scored)) = plan.questionnaires.get(id).zip(scored.get(id)) else { continue };
        quality.extend(survey_quality(plan, questionnaire, &linked.months(), scored, &inputs.run_id)?);
    }
    let run = store.begin_run(&inputs.run_id)?;
    let meta = meta(session, inputs);
    write_table(&run.table::<Estimate>(), &estimated.estimates, &meta)?;
    write_table(&run.table::<CaseMix>(), &estimated.case_mix, &meta)?;
    write_table(&run.table::<Sensitivity>(), &other_models, &meta)?;
    write_table(&run.table::<SurveyQuality>(), &quality, &meta)?;
    write_table(&run.table::<Response>(), &estimated.response, &meta)?;
    write_table(&run.table::<Weighting>(), &estimated.weighting, &meta)?;
    write_table(&run.table::<Components>(), &estimated.components, &meta)?;
    write_table(&run.table::<Expected>(), &estimated.expected, &meta)?;
    write_table(&run.table::<PersonsByEvents>(), &estimated.persons, &meta)?;
    write_table(&run.table::<UnplacedCode>(), &unplaced::of_run(linked, rates), &meta)?;
    Ok(estimated.not_estimated)
}

/// Writes the rows that refer to nothing beside the other working tables.
///
/// # Errors
/// When the table cannot be written.
pub fn write_unmatched(session: &Session, store: &Store, inputs: &Inputs, rows: &[Unmatched]) -> Result<(), JobError> {
    let run = store.run(&inputs.run_id)?;
    Ok(write_table(&run.table::<Unmatched>(), rows, &meta(session, inputs))?)
}

fn meta(session: &Session, inputs: &Inputs) -> TableMeta {
    TableMeta { run_id: inputs.run_id.clone(), plan_hash: session.plan_hash.clone() }
}

/// Computes variation from the working tables and writes it beside them.
///
/// # Errors
/// When a working table cannot be read.
pub fn vary_run(session: &Session, store: &Store, inputs: &Inputs) -> Result<(), JobError> {
    let run = store.run(&inputs.run_id)?;
    let variation = vary(&VaryInputs {
        plan: &session.plan,
        estimates: &read_table(&run.table::<Estimate>())?.0,
        components: &read_table::<Components>(&run.table::<Components>())?.0,
        expected: &read_table::<Expected>(&run.table::<Expected>())?.0,
        persons: &read_table::<PersonsByEvents>(&run.table::<PersonsByEvents>())?.0,
        seed: session.config.seed,
        run_id: &inputs.run_id,
    })?;
    write_table(&run.table::<Variation>(), &variation, &meta(session, inputs))?;
    Ok(())
}

/// The working tables as protection takes them: of each indicator's declared periods. A window that was only asked for would, with
/// these, tell what is withheld in them.
///
/// # Errors
/// When a working table cannot be read.
pub fn unprotected(plan: &Plan, run: &RunFolder) -> Result<Unprotected, JobError> {
    let (estimates, meta) = declared::<Estimate>(plan, run, |row| (&row.indicator, &row.period))?;
    Ok(Unprotected {
        estimates,
        variation: declared::<Variation>(plan, run, |row| (&row.indicator, &row.period))?.0,
        case_mix: declared::<CaseMix>(plan, run, |row| (&row.indicator, &row.period))?.0,
        sensitivity: declared::<Sensitivity>(plan, run, |row| (&row.indicator, &row.period))?.0,
        weighting: declared::<Weighting>(plan, run, |row| (&row.indicator, &row.period))?.0,
        // These are of calendar years, whatever was asked for.
        survey_quality: read_table(&run.table::<SurveyQuality>())?.0,
        response: read_table(&run.table::<Response>())?.0,
        meta,
    })
}

/// The rows of a working table that are of their indicator's declared periods.
fn declared<T: Table>(
    plan: &Plan,
    run: &RunFolder,
    of: fn(&T) -> (&str, &str),
) -> Result<(Vec<T>, TableMeta), JobError> {
    let (mut rows, meta) = read_table::<T>(&run.table::<T>())?;
    rows.retain(|row| {
        let (indicator, period) = of(row);
        let period = period.parse::<Period>().ok();
        plan.indicators.get(indicator).zip(period).is_some_and(|(indicator, period)| indicator.offers(period))
    });
    Ok((rows, meta))
}
