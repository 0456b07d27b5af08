//! Response tables: counts of persons by unit and group, protected by the same machinery as the hub.
//!
//! Answered of asked is a proportion, so each row is carried through the rules as one. Persons invited, not reached, not
//! eligible and reserved are counts beside it: one of them that is small, or that the others would tell, takes all four with
//! it, since asked + not reached + not eligible is the number invited.

use std::collections::BTreeMap;

use prem_spec::{
    ContactFilter, Indicator, Measure, Plan, Protection, StandardPopulation, Standardisation, Weighting, Weights,
};
use prem_store::tables::{Estimate, Response};

use crate::{
    ProtectError, Recoverable, audit::of_indicator, beside::Beside, protect::protect_rows, ratio::Overflow,
    reason::SECONDARY, system::is_unknown,
};

/// A count beside answered and asked.
type Detail = fn(&Response) -> Option<i64>;

const DETAILS: [Detail; 3] = [|row| row.undeliverable, |row| row.ineligible, |row| row.reserved];

/// Hides what is small or tells of what is small, and leaves out those of unknown group. What the proof finds goes to `cells`.
pub(crate) fn protect(
    plan: &Plan,
    rows: &[Response],
    cells: &mut Vec<Recoverable>,
) -> Result<Vec<Response>, ProtectError> {
    let mut all = Vec::new();
    for (questionnaire, mut rows) in by_questionnaire(rows.to_vec()) {
        let Some(count) = as_indicator(plan, &questionnaire, false) else { continue };
        // Each count by itself, from what the rows hold in full; what one of them hides is hidden for all.
        let mut details_hidden = vec![false; rows.len()];
        for detail in DETAILS {
            let mut carried: Vec<Estimate> = rows.iter().map(|row| carrier(&count, row, Some(detail))).collect();
            cells.extend(protect_rows(plan, &count, &mut carried, &Beside::Nothing)?);
            for (hidden, carrier) in details_hidden.iter_mut().zip(&carried) {
                *hidden |= carrier.suppressed;
            }
        }
        cells.extend(hide_answered(plan, &questionnaire, &mut rows, &Beside::Nothing)?);
        for (row, _) in rows.iter_mut().zip(details_hidden).filter(|(_, is_hidden)| *is_hidden) {
            hide_details(row);
        }
        rows.retain(|row| !is_unknown(&row.stratum));
        all.extend(rows);
    }
    Ok(all)
}

/// As [`protect`] for a reader who has the table `beside`, too: hides that besides what is hidden in `shown`, which came of `rows`.
pub(crate) fn protect_beside(
    plan: &Plan,
    rows: &[Response],
    shown: &[Response],
    beside: &Beside<'_>,
    cells: &mut Vec<Recoverable>,
) -> Result<Vec<Response>, ProtectError> {
    let mut all = Vec::new();
    for (questionnaire, mut rows) in by_questionnaire(rows.to_vec()) {
        cells.extend(hide_answered(plan, &questionnaire, &mut rows, beside)?);
        rows.retain(|row| !is_unknown(&row.stratum));
        all.extend(rows);
    }
    hide_also(&mut all, shown);
    Ok(all)
}

/// Hides rows by what they tell of who answered; nothing is left of a questionnaire of which no indicator says what may be shown.
fn hide_answered(
    plan: &Plan,
    questionnaire: &str,
    rows: &mut Vec<Response>,
    beside: &Beside<'_>,
) -> Result<Vec<Recoverable>, ProtectError> {
    let Some(rate) = as_indicator(plan, questionnaire, true) else {
        rows.clear();
        return Ok(Vec::new());
    };
    let mut carried: Vec<Estimate> = rows.iter().map(|row| carrier(&rate, row, None)).collect();
    let found = protect_rows(plan, &rate, &mut carried, beside)?;
    for (row, carrier) in rows.iter_mut().zip(&carried).filter(|(_, carrier)| carrier.suppressed) {
        hide(row, carrier.suppression_reason.as_deref().unwrap_or(SECONDARY));
    }
    Ok(found)
}

/// Every withheld figure of published rows that can be worked out, from them and the table beside.
pub(crate) fn audit(plan: &Plan, rows: &[Response], beside: &Beside<'_>) -> Result<Vec<Recoverable>, ProtectError> {
    let mut found = Vec::new();
    for (questionnaire, rows) in by_questionnaire(rows.to_vec()) {
        let failed = |Overflow| ProtectError::Arithmetic { indicator: questionnaire.clone() };
        if let Some(rate) = as_indicator(plan, &questionnaire, true) {
            let carried: Vec<Estimate> = rows.iter().map(|row| carrier(&rate, row, None)).collect();
            let carried: Vec<&Estimate> = carried.iter().collect();
            found.extend(of_indicator(plan, &rate, &carried, beside).map_err(failed)?);
        }
    }
    Ok(found)
}

/// Hides what is withheld in `others`, the same rows protected by another reckoning.
fn hide_also(rows: &mut [Response], others: &[Response]) {
    for (row, other) in rows.iter_mut().zip(others) {
        if other.suppressed && !row.suppressed {
            hide(row, other.suppression_reason.as_deref().unwrap_or(SECONDARY));
        } else if other.invited.is_none() {
            hide_details(row);
        }
    }
}

/// The strictest of the questionnaire's indicators decides how few who answered are a small count.
pub(crate) fn minimum_count(plan: &Plan, questionnaire: &str) -> u64 {
    let reads = |indicator: &&Indicator| indicator.population.questionnaire.as_deref() == Some(questionnaire);
    plan.indicators.values().filter(reads).map(|indicator| indicator.protection.minimum_count).max().unwrap_or(0)
}

fn by_questionnaire(rows: Vec<Response>) -> BTreeMap<String, Vec<Response>> {
    let mut by: BTreeMap<String, Vec<Response>> = BTreeMap::new();
    for row in rows {
        by.entry(row.questionnaire.clone()).or_default().push(row);
    }
    by
}

fn hide(row: &mut Response, reason: &str) {
    row.suppressed = true;
    row.suppression_reason = Some(reason.to_owned());
    row.asked = None;
    row.answered = None;
    row.response_rate = None;
    hide_details(row);
}

fn hide_details(row: &mut Response) {
    for figure in [&mut row.invited, &mut row.undeliverable, &mut row.ineligible, &mut row.reserved] {
        *figure = None;
    }
}

/// A proportion (or a count) under the strictest rules of the questionnaire's indicators. Response has no minimum of
/// respondents: a rate of few is no answer of theirs. `None` where no indicator says what may be shown.
fn as_indicator(plan: &Plan, questionnaire: &str, is_proportion: bool) -> Option<Indicator> {
    let reads = |indicator: &&Indicator| indicator.population.questionnaire.as_deref() == Some(questionnaire);
    let first = plan.indicators.values().find(reads)?.clone();
    let protection = Protection {
        minimum_n: 0,
        minimum_count: minimum_count(plan, questionnaire),
        // Zeros here tell of nobody's answers.
        protect_zero: false,
    };
    let nothing = ContactFilter {
        procedures: Vec::new(),
        main_diagnoses: Vec::new(),
        care_levels: Vec::new(),
        urgencies: Vec::new(),
        episode_gap_hours_max: 0,
    };
    let nobody = Standardisation { age_bands: Vec::new(), age_min: 0, standard: StandardPopulation::Region };
    let measure = if is_proportion {
        Measure::TopBox { item: String::new(), codes: Vec::new() }
    } else {
        Measure::Rate { contacts: nothing, per: 1.0, standardisation: nobody }
    };
    let id = format!("response to {questionnaire}");
    let (weighting, weights) = (Weighting::None, Weights::default());
    Some(Indicator { id, measure, protection, weighting, weights, strata: Vec::new(), ..first })
}

/// A row as the hub would have it: answered of asked, or one of the counts.
fn carrier(indicator: &Indicator, row: &Response, detail: Option<Detail>) -> Estimate {
    #[expect(clippy::cast_precision_loss, reason = "counts of persons")]
    let number = |count: Option<i64>| count.map(|count| count as f64);
    let (numerator, denominator, n) = match detail {
        None => (number(row.answered), number(row.asked), row.asked),
        Some(detail) => (number(detail(row)), None, None),
    };
    Estimate {
        period: row.period.clone(),
        period_start: row.period_start,
        period_end: row.period_end,
        indicator: indicator.id.clone(),
        level: row.level.clone(),
        unit_id: row.unit_id.clone(),
        parent_id: row.parent_id.clone(),
        stratum: row.stratum.clone(),
        n,
        numerator,
        denominator,
        suppressed: row.suppressed,
        suppression_reason: row.suppression_reason.clone(),
        ..Estimate::default()
    }
}
