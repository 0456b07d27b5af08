//! The one way from unprotected numbers to numbers that may leave the house.

use std::collections::{BTreeMap, BTreeSet};

use prem_spec::{FamilyCorrection, Indicator, Level, Period, Plan};
use prem_store::tables::{Estimate, Response};
use rayon::prelude::*;

use crate::{
    ProtectError, Protected, Recoverable, Unprotected,
    answered::Answered,
    audit,
    before::Unchanged,
    beside::Beside,
    hide,
    linkage::Linkage,
    pattern::Pattern,
    primary,
    ratio::Overflow,
    reason::{self, SECONDARY},
    region_tables,
    respondents::Respondents,
    response, secondary, sensitivity, shrunken,
    system::{CellKey, System, is_unknown},
    trends, variation,
};

/// Applies all rules and proves the result: primary, secondary, what rows tell about each other, then the tables
/// derived from them. Where the pattern does not pass the proof, more is withheld, and what is told all the same shown again,
/// until it does. Row order is kept.
///
/// # Errors
/// When a row is not understood, when exact arithmetic overflows, or when the proof finds a withheld cell that can be
/// worked out and withholding more does not help.
pub fn protect(plan: &Plan, unprotected: Unprotected) -> Result<Protected, ProtectError> {
    let Unprotected { mut estimates, mut variation, case_mix, sensitivity, survey_quality, response, weighting, meta } =
        unprotected;
    check(plan, &estimates)?;
    let response = beside_each_other(plan, &mut estimates, &response)?;
    estimates.retain(|row| !is_unknown(&row.stratum));
    variation::protect(&mut variation, &estimates);
    shrunken::protect(plan, &mut estimates);
    let case_mix = region_tables::case_mix(plan, case_mix, &estimates);
    let survey_quality = region_tables::survey_quality(plan, survey_quality, &estimates);
    let sensitivity = sensitivity::protect(plan, sensitivity, &estimates);
    let breaks = trends::Breaks::of(plan);
    let trends = trends::of(&estimates, &breaks);
    let weighting = region_tables::weighting(plan, weighting, &estimates);
    Ok(Protected {
        unchanged: Unchanged::of(&estimates),
        estimates,
        variation,
        case_mix,
        sensitivity,
        survey_quality,
        response,
        weighting,
        trends,
        breaks,
        spread: Vec::new(),
        meta,
    })
}

/// Protects the estimates and `response`, each beside the other: what `response` shows bounds the respondents of withheld
/// estimates, and what these show bounds who answered. In turns, each with more withheld than before, until neither tells of
/// the other.
fn beside_each_other(
    plan: &Plan,
    estimates: &mut Vec<Estimate>,
    response: &[Response],
) -> Result<Vec<Response>, ProtectError> {
    let proven = |cells: Vec<Recoverable>| match cells.is_empty() {
        true => Ok(()),
        false => Err(ProtectError::Recoverable { cells }),
    };
    let originals = estimates.clone();
    let mut cells = Vec::new();
    let mut shown = response::protect(plan, response, &mut cells)?;
    proven(cells)?;
    // Questionnaires of which `response` has come to show less.
    let mut changed: BTreeSet<String> = BTreeSet::new();
    for turn in 0.. {
        let is_touched = |indicator: &Indicator| {
            indicator.population.questionnaire.as_ref().is_some_and(|questionnaire| changed.contains(questionnaire))
        };
        let answered = Beside::Answered(Answered::of(&shown, |id| response::minimum_count(plan, id)));
        proven(each_indicator(plan, estimates, |indicator, places, rows| match turn {
            0 => protect_rows(plan, indicator, rows, &answered),
            _ if !is_touched(indicator) => Ok(Vec::new()),
            _ => {
                let originals: Vec<Estimate> = places.iter().map(|place| originals[*place].clone()).collect();
                protect_further(plan, indicator, &originals, rows, &answered)
            }
        })?)?;
        let respondents = Beside::Respondents(Respondents::of(plan, estimates));
        let mut cells = Vec::new();
        let next = response::protect_beside(plan, response, &shown, &respondents, &mut cells)?;
        let less = next.iter().zip(&shown).filter(|(next, shown)| next != shown);
        changed = less.map(|(next, _)| next.questionnaire.clone()).collect();
        shown = next;
        if changed.is_empty() {
            cells.extend(response::audit(plan, &shown, &respondents)?);
            proven(cells)?;
            break;
        }
        proven(cells)?;
    }
    Ok(shown)
}

/// `each` for the rows of every indicator by itself, with their places, side by side; what the proof still finds, in the order of
/// indicators.
fn each_indicator(
    plan: &Plan,
    estimates: &mut Vec<Estimate>,
    each: impl Fn(&Indicator, &[usize], &mut [Estimate]) -> Result<Vec<Recoverable>, ProtectError> + Sync,
) -> Result<Vec<Recoverable>, ProtectError> {
    let mut by_indicator: BTreeMap<String, (Vec<usize>, Vec<Estimate>)> = BTreeMap::new();
    for (position, row) in estimates.drain(..).enumerate() {
        let (positions, rows) = by_indicator.entry(row.indicator.clone()).or_default();
        positions.push(position);
        rows.push(row);
    }
    let of_indicator = |(id, (places, rows)): (&String, &mut (Vec<usize>, Vec<Estimate>))| {
        let Some(indicator) = plan.indicators.get(id) else { return Ok(Vec::new()) };
        each(indicator, places, rows)
    };
    let found: Vec<Result<Vec<Recoverable>, ProtectError>> = by_indicator.par_iter_mut().map(of_indicator).collect();
    let pairs = by_indicator.into_values().flat_map(|(positions, rows)| positions.into_iter().zip(rows));
    let mut rows: Vec<(usize, Estimate)> = pairs.collect();
    rows.sort_by_key(|(position, _)| *position);
    estimates.extend(rows.into_iter().map(|(_, row)| row));
    Ok(found.into_iter().collect::<Result<Vec<_>, _>>()?.concat())
}

/// All rules for one indicator's rows; what the proof still finds.
pub(crate) fn protect_rows(
    plan: &Plan,
    indicator: &Indicator,
    rows: &mut [Estimate],
    beside: &Beside<'_>,
) -> Result<Vec<Recoverable>, ProtectError> {
    let failed = |Overflow| ProtectError::Arithmetic { indicator: indicator.id.clone() };
    // Before anything is hidden: the relations are those of the numbers as they are.
    let system = System::of(&plan.organisation, rows.iter(), &beside.spans(indicator)).map_err(failed)?;
    let originals = rows.to_vec();
    hide_primary(indicator, rows);
    let found = hide_secondary(&system, indicator, rows, beside)
        .and_then(|()| prove(plan, &system, indicator, &originals, rows, beside))
        .map_err(failed)?;
    hide_borrowed_q(indicator, &originals, rows);
    Ok(found)
}

/// Withholds more of rows that were protected beside a table that told more: what it told by itself, nothing here needed to hide.
fn protect_further(
    plan: &Plan,
    indicator: &Indicator,
    originals: &[Estimate],
    rows: &mut [Estimate],
    beside: &Beside<'_>,
) -> Result<Vec<Recoverable>, ProtectError> {
    let failed = |Overflow| ProtectError::Arithmetic { indicator: indicator.id.clone() };
    let system = System::of(&plan.organisation, originals.iter(), &beside.spans(indicator)).map_err(failed)?;
    let found = prove(plan, &system, indicator, originals, rows, beside).map_err(failed)?;
    hide_borrowed_q(indicator, originals, rows);
    Ok(found)
}

/// Period, level, stratum and method, and the bits of a q: units that have it together.
type Tie<'a> = (&'a str, &'a str, &'a str, &'a str, u64);

fn tie(row: &Estimate, q: f64) -> Tie<'_> {
    (&row.period, &row.level, &row.stratum, &row.method, q.to_bits())
}

/// Withholds each q that is the p of a withheld unit: corrections by steps give a unit the q of another where that is the
/// stricter. Its class stays.
fn hide_borrowed_q(indicator: &Indicator, originals: &[Estimate], rows: &mut [Estimate]) {
    let lends: fn(f64, f64) -> bool = match indicator.comparison.correction {
        FamilyCorrection::BenjaminiHochberg => |p, other| p > other,
        FamilyCorrection::Holm => |p, other| p < other,
        FamilyCorrection::Bonferroni | FamilyCorrection::None => return,
    };
    // By family and q, the p of the unit that it comes from and whether that is withheld.
    let mut lenders: BTreeMap<Tie<'_>, (f64, bool)> = BTreeMap::new();
    for (original, row) in originals.iter().zip(rows.iter()) {
        let (Some(p), Some(q)) = (original.p, original.q) else { continue };
        let lender = lenders.entry(tie(original, q)).or_insert((p, row.suppressed));
        if lends(p, lender.0) || (p == lender.0 && !row.suppressed) {
            *lender = (p, row.suppressed);
        }
    }
    for (original, row) in originals.iter().zip(rows.iter_mut()) {
        let Some(q) = original.q else { continue };
        if lenders.get(&tie(original, q)).is_some_and(|(_, is_withheld)| *is_withheld) {
            row.q = None;
        }
    }
}

fn check(plan: &Plan, rows: &[Estimate]) -> Result<(), ProtectError> {
    for row in rows {
        let wrong = |what, text: &str| ProtectError::NotUnderstood {
            indicator: row.indicator.clone(),
            what,
            text: text.to_owned(),
        };
        if !plan.indicators.contains_key(&row.indicator) {
            let indicator = row.indicator.clone();
            return Err(ProtectError::UnknownIndicator { table: "estimates", indicator });
        }
        if !Level::ALL.iter().any(|level| level.as_str() == row.level) {
            return Err(wrong("level", &row.level));
        }
        let period = row.period.parse::<Period>().map_err(|_| wrong("period", &row.period))?;
        if (period.start(), period.end()) != (row.period_start, row.period_end) {
            return Err(wrong("period with these dates", &row.period));
        }
    }
    Ok(())
}

/// Rows of the same cell (by different methods) share their fate, so the reason is the cell's.
fn hide_primary(indicator: &Indicator, rows: &mut [Estimate]) {
    let mut reasons: BTreeMap<CellKey, String> = BTreeMap::new();
    for row in rows.iter() {
        let declared = row.suppression_reason.clone().filter(|text| row.suppressed && reason::is_primary(text));
        let own = primary::reason(indicator, row).map(|reason| reason.as_str().to_owned());
        let unexplained = || row.suppressed.then(|| reason::REASONS[0].to_owned());
        if let Some(reason) = own.or(declared).or_else(unexplained) {
            reasons.entry(CellKey::of(row)).or_insert(reason);
        }
    }
    for row in rows {
        if let Some(reason) = reasons.get(&CellKey::of(row)) {
            hide::hide(row, reason);
        } else if is_unknown(&row.stratum) {
            // Not small, but never published.
            hide::hide(row, SECONDARY);
        }
    }
}

fn hide_secondary(
    system: &System,
    indicator: &Indicator,
    rows: &mut [Estimate],
    beside: &Beside<'_>,
) -> Result<(), Overflow> {
    let mut pattern = Pattern::of(system, indicator, &rows.iter().collect::<Vec<_>>(), beside);
    secondary::complete(&system.systems(), &mut pattern)?;
    for row in rows.iter_mut().filter(|row| !row.suppressed) {
        if system.index_of(&CellKey::of(row)).is_none_or(|cell| pattern.hidden[cell]) {
            hide::hide(row, SECONDARY);
        }
    }
    Ok(())
}

/// Cuts what rows tell of each other and audits. While the audit finds cells, withholds what is nearest to them; what is
/// withheld for others' sake and told all the same is shown again, once. What the audit still finds when there is nothing
/// more to withhold is a fault.
fn prove(
    plan: &Plan,
    system: &System,
    indicator: &Indicator,
    originals: &[Estimate],
    rows: &mut [Estimate],
    beside: &Beside<'_>,
) -> Result<Vec<Recoverable>, Overflow> {
    let mut shown_again: BTreeSet<CellKey> = BTreeSet::new();
    for round in 0.. {
        let linkage = Linkage::of(rows.iter());
        rows.iter_mut().for_each(|row| linkage.cut(row));
        // Those of unknown stratum are not published: an outsider starts without them.
        let published: Vec<&Estimate> = rows.iter().filter(|row| !is_unknown(&row.stratum)).collect();
        let found = audit::of_indicator(plan, indicator, &published, beside)?;
        if found.is_empty() && round == 0 {
            break;
        }
        let mut more = audit::around(plan, indicator, &published, &found, beside)?;
        let pattern = Pattern::of(system, indicator, &rows.iter().collect::<Vec<_>>(), beside);
        let keys = |cells: BTreeSet<usize>| cells.into_iter().map(|cell| system.keys[cell].clone());
        more.extend(keys(secondary::leaking(&system.systems(), &pattern)?));
        let mut again: BTreeSet<CellKey> = keys(secondary::told(&system.systems(), &pattern)?).collect();
        again.retain(|key| !shown_again.contains(key));
        tracing::debug!(indicator = indicator.id, found = found.len(), more = more.len(), again = again.len(), "proof");
        if more.is_empty() && again.is_empty() {
            return Ok(found);
        }
        for (row, original) in rows.iter_mut().zip(originals) {
            let key = CellKey::of(row);
            if again.contains(&key) {
                *row = original.clone();
            } else if !row.suppressed && more.contains(&key) {
                hide::hide(row, SECONDARY);
            }
        }
        shown_again.extend(again);
    }
    Ok(Vec::new())
}
