//! Withholding a row: everything that is a figure becomes null, n included.
//!
//! n is withheld with the rest, always: a shown n beside shown totals would turn one pattern into two, and the n of
//! a row with few respondents is itself a small count.

use prem_store::tables::Estimate;

/// Text of `comparison` where there is none.
pub(crate) const NOT_ASSESSED: &str = "not-assessed";

pub(crate) fn hide(row: &mut Estimate, reason: &str) {
    row.suppressed = true;
    row.suppression_reason = Some(reason.to_owned());
    for figure in figures(row) {
        *figure = None;
    }
    row.n = None;
    row.goal_level = None;
    row.comparison = row.comparison.take().map(|_| NOT_ASSESSED.to_owned());
}

/// Whether a withheld row still holds a figure.
pub(crate) fn holds_figures(row: &Estimate) -> bool {
    let mut copy = row.clone();
    let comparison = row.comparison.as_deref().is_none_or(|text| text == NOT_ASSESSED);
    let blank = figures(&mut copy).iter().all(|figure| figure.is_none());
    !(blank && comparison && row.n.is_none() && row.goal_level.is_none())
}

/// Takes away what compares the row with the region.
pub(crate) fn hide_reference(row: &mut Estimate) {
    for figure in [&mut row.reference, &mut row.difference, &mut row.difference_se, &mut row.p, &mut row.q] {
        *figure = None;
    }
    row.comparison = row.comparison.take().map(|_| NOT_ASSESSED.to_owned());
}

/// Takes away what compares the row with an earlier period.
pub(crate) fn hide_change(row: &mut Estimate) {
    for figure in [&mut row.change, &mut row.change_low, &mut row.change_high, &mut row.change_p] {
        *figure = None;
    }
}

/// Every number of a row but n.
fn figures(row: &mut Estimate) -> [&mut Option<f64>; 24] {
    [
        &mut row.n_effective,
        &mut row.numerator,
        &mut row.denominator,
        &mut row.response_rate,
        &mut row.coverage,
        &mut row.raw,
        &mut row.value,
        &mut row.se,
        &mut row.ci_low,
        &mut row.ci_high,
        &mut row.shrunken,
        &mut row.shrunken_low,
        &mut row.shrunken_high,
        &mut row.reliability,
        &mut row.reference,
        &mut row.difference,
        &mut row.difference_se,
        &mut row.p,
        &mut row.q,
        &mut row.change,
        &mut row.change_low,
        &mut row.change_high,
        &mut row.change_p,
        &mut row.ci_level,
    ]
}
