//! The proof: from what would be published alone, which withheld cells can be worked out?
//!
//! Nothing is taken over from the protection itself. The system is built from the published rows, and the claim «this
//! cell is not determined» is only believed with a witness that is checked here: a change of withheld cells which keeps
//! every equation true, in exact arithmetic, and is not 0 in that cell. Where cells hang together with nothing that is
//! shown, no published figure tells of them, witness or not.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use prem_spec::{Indicator, Plan, Stratifier};
use prem_store::tables::{Estimate, Response};

use crate::{
    ProtectError,
    answered::Answered,
    beside::Beside,
    bounds,
    eliminate::{self, Equation},
    hide,
    linkage::Linkage,
    parts,
    pattern::Pattern,
    periods::Span,
    ratio::{Overflow, Ratio},
    response::minimum_count,
    secondary,
    system::{CellKey, System, TOTAL},
};

/// A withheld cell that a reader could work out.
#[derive(Debug, Clone, PartialEq)]
pub struct Recoverable {
    pub indicator: String,
    pub period: String,
    pub unit_id: String,
    pub stratum: String,
    pub how: How,
}

/// How it could be worked out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum How {
    /// It is a linear combination of published cells.
    Determined,
    /// Its count can only be one of the whole numbers from `low` to `high`.
    Bounded { low: f64, high: f64 },
    /// Its own row still holds a figure.
    NotBlank,
    /// A unit's `reference` or `difference` tells the withheld value of the region.
    Reference,
    /// `change` tells a value of a period that is not shown.
    Change,
}

impl fmt::Display for Recoverable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { indicator, period, unit_id, stratum, how } = self;
        let how = match how {
            How::Determined => "a combination of published cells",
            How::Bounded { .. } => "bounded to a few possible counts",
            How::NotBlank => "its row still holds a figure",
            How::Reference => "another unit's reference tells it",
            How::Change => "a later change tells it",
        };
        write!(f, "{indicator} {period} {unit_id} {stratum} ({how})")
    }
}

/// Every withheld cell of `rows` that can be worked out, in the order of indicator, unit, period and stratum.
///
/// # Errors
/// When a row's indicator is not in the plan, or exact arithmetic overflows.
pub fn audit(plan: &Plan, rows: &[Estimate]) -> Result<Vec<Recoverable>, ProtectError> {
    audit_beside(plan, rows, &[])
}

/// As [`audit()`], for a reader who also has the published rows `response`: an indicator has no more respondents than answered.
///
/// # Errors
/// As [`audit()`].
pub fn audit_beside(plan: &Plan, rows: &[Estimate], response: &[Response]) -> Result<Vec<Recoverable>, ProtectError> {
    let beside = Beside::Answered(Answered::of(response, |id| minimum_count(plan, id)));
    let mut by_indicator: BTreeMap<&str, Vec<&Estimate>> = BTreeMap::new();
    for row in rows {
        by_indicator.entry(&row.indicator).or_default().push(row);
    }
    let mut found = Vec::new();
    for (id, rows) in by_indicator {
        let Some(indicator) = plan.indicators.get(id) else {
            return Err(ProtectError::UnknownIndicator { table: "estimates", indicator: id.to_owned() });
        };
        let exposed = of_indicator(plan, indicator, &rows, &beside)
            .map_err(|Overflow| ProtectError::Arithmetic { indicator: id.to_owned() });
        found.extend(exposed?);
    }
    Ok(found)
}

/// The audit of one indicator's rows.
pub(crate) fn of_indicator(
    plan: &Plan,
    indicator: &Indicator,
    rows: &[&Estimate],
    beside: &Beside<'_>,
) -> Result<Vec<Recoverable>, Overflow> {
    let mut found = carried(rows);
    found.extend(left_over(indicator, rows));
    found.extend(derived(plan, indicator, rows, beside)?);
    Ok(found)
}

/// What single rows tell about withheld ones.
fn carried(rows: &[&Estimate]) -> Vec<Recoverable> {
    let linkage = Linkage::of(rows.iter().copied());
    let mut found = Vec::new();
    for row in rows {
        let tells = [
            (row.suppressed && hide::holds_figures(row), How::NotBlank),
            (linkage.tells_of_region(row), How::Reference),
            (linkage.tells_of_previous(row), How::Change),
        ];
        for (_, how) in tells.into_iter().filter(|(tells, _)| *tells) {
            found.push(Recoverable {
                indicator: row.indicator.clone(),
                period: row.period.clone(),
                unit_id: row.unit_id.clone(),
                stratum: row.stratum.clone(),
                how,
            });
        }
    }
    found
}

/// Those whose stratum is not known are what a total has beyond its strata: too few of them must not be left over.
fn left_over(indicator: &Indicator, rows: &[&Estimate]) -> Vec<Recoverable> {
    let mut shown: BTreeMap<CellKey, i64> = BTreeMap::new();
    let mut strata: BTreeMap<(CellKey, &str), Option<i64>> = BTreeMap::new();
    let mut labels: BTreeMap<CellKey, &str> = BTreeMap::new();
    for row in rows {
        let key = CellKey::of(row);
        labels.insert(key.clone(), row.period.as_str());
        let n = row.n.filter(|_| !row.suppressed);
        if let Some(n) = n {
            shown.insert(key.clone(), n);
        }
        if let Some((dimension, _)) = row.stratum.split_once('=').filter(|(_, level)| !level.contains(',')) {
            let whole = CellKey { stratum: TOTAL.to_owned(), ..key };
            let sum = strata.entry((whole, dimension)).or_insert(Some(0));
            *sum = sum.zip(n).map(|(sum, n)| sum + n);
        }
    }
    let small = |n: i64| {
        let n = u64::try_from(n).unwrap_or(0);
        n > 0 && indicator.protection.primary_reason(Some(n), None, None).is_some()
    };
    let is_left = |((whole, dimension), sum): ((CellKey, &str), Option<i64>)| {
        let left = shown.get(&whole)? - sum?;
        small(left).then(|| Recoverable {
            indicator: indicator.id.clone(),
            period: labels.get(&whole).copied().unwrap_or_default().to_owned(),
            unit_id: whole.unit,
            stratum: format!("{dimension}={}", Stratifier::UNKNOWN),
            how: How::Determined,
        })
    };
    strata.into_iter().filter_map(is_left).collect()
}

fn derived(
    plan: &Plan,
    indicator: &Indicator,
    rows: &[&Estimate],
    beside: &Beside<'_>,
) -> Result<Vec<Recoverable>, Overflow> {
    let system = System::of_published(&plan.organisation, rows, &beside.spans(indicator))?;
    let pattern = Pattern::of(&system, indicator, rows, beside);
    let labels: BTreeMap<CellKey, &str> = rows.iter().map(|row| (CellKey::of(row), row.period.as_str())).collect();
    let recoverable = |cell: usize, how: How| {
        let key = &system.keys[cell];
        Recoverable {
            indicator: indicator.id.clone(),
            period: labels.get(key).copied().unwrap_or_default().to_owned(),
            unit_id: key.unit.clone(),
            stratum: key.stratum.clone(),
            how,
        }
    };
    Ok(exposed(&system, &pattern)?.into_iter().map(|(cell, how)| recoverable(cell, how)).collect())
}

/// What is shown nearest to the cells `found`. Withheld again and again, this ends at the latest where nothing that bears on
/// them is shown, and nothing is found.
pub(crate) fn around(
    plan: &Plan,
    indicator: &Indicator,
    rows: &[&Estimate],
    found: &[Recoverable],
    beside: &Beside<'_>,
) -> Result<BTreeSet<CellKey>, Overflow> {
    if found.is_empty() {
        return Ok(BTreeSet::new());
    }
    let system = System::of_published(&plan.organisation, rows, &beside.spans(indicator))?;
    // Nearness is a matter of what is shown; no bound bears on it.
    let pattern = Pattern::of(&system, indicator, rows, &Beside::Nothing);
    let spans: BTreeMap<&str, Span> =
        rows.iter().map(|row| (row.period.as_str(), (row.period_start, row.period_end))).collect();
    let cell = |one: &Recoverable| {
        let span = *spans.get(one.period.as_str())?;
        system.index_of(&CellKey { unit: one.unit_id.clone(), span, stratum: one.stratum.clone() })
    };
    let found: Vec<usize> = found.iter().filter_map(cell).collect();
    let nearest = secondary::around(&system.systems().concat(), &pattern, &found);
    Ok(nearest.into_iter().map(|cell| system.keys[cell].clone()).collect())
}

/// Cells of `system` that are withheld and can be worked out: those to be protected by any of its readings, the others by
/// all of them. (A cell that is withheld for the sake of people of unknown stratum is told by «as if there were none».)
fn exposed(system: &System, pattern: &Pattern) -> Result<Vec<(usize, How)>, Overflow> {
    let mut by_how_many: BTreeMap<usize, usize> = BTreeMap::new();
    let systems = system.systems();
    for equations in &systems {
        for cell in unproven(equations, pattern)? {
            *by_how_many.entry(cell).or_default() += 1;
        }
    }
    let is_exposed = |(cell, count): (usize, usize)| {
        let withheld = pattern.listed[cell] && pattern.hidden[cell];
        (withheld && (pattern.primary[cell] || count == systems.len())).then_some((cell, How::Determined))
    };
    let mut found: Vec<(usize, How)> = by_how_many.into_iter().filter_map(is_exposed).collect();
    for counts in &pattern.counts {
        for (cell, range) in bounds::too_narrow(&system.equations, &pattern.hidden, pattern, counts) {
            found.push((cell, How::Bounded { low: range.low, high: range.high }));
        }
    }
    Ok(found)
}

/// Hidden cells for which there is no valid witness.
fn unproven(equations: &[Equation], pattern: &Pattern) -> Result<Vec<usize>, Overflow> {
    let solution = eliminate::solve(equations, &pattern.hidden)?;
    let mut doubtful: Vec<bool> = vec![false; pattern.hidden.len()];
    for equation in equations {
        let hidden = || equation.iter().filter(|(cell, _)| pattern.hidden[*cell]);
        let mut sum = Ratio::ZERO;
        for (cell, coefficient) in hidden() {
            let moved = solution.witness.get(cell).copied().unwrap_or(Ratio::ZERO);
            doubtful[*cell] |= moved.is_zero();
            sum = sum.plus(moved.times(Ratio::whole(i128::from(*coefficient)))?)?;
        }
        if !sum.is_zero() {
            hidden().for_each(|(cell, _)| doubtful[*cell] = true);
        }
    }
    if doubtful.contains(&true) {
        for part in parts::connected(equations, &pattern.hidden) {
            if !part.touches_shown(equations, &pattern.hidden) {
                part.cells.into_iter().for_each(|cell| doubtful[cell] = false);
            }
        }
    }
    Ok((0..doubtful.len()).filter(|cell| doubtful[*cell]).collect())
}
