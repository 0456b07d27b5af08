//! Which rows are too small to show by themselves.
//!
//! Scores are judged by their respondents, proportions by respondents, count and complement, rates by their count
//! alone: their denominator is a population.

use prem_spec::{Indicator, PrimaryReason};
use prem_store::tables::Estimate;

/// The reason to withhold `row` by itself, if there is one. A value whose counts are not known is withheld too.
pub(crate) fn reason(indicator: &Indicator, row: &Estimate) -> Option<PrimaryReason> {
    let rule = &indicator.protection;
    if indicator.measure.is_rate() {
        let Some(events) = row.numerator else { return Some(PrimaryReason::SmallCount) };
        return rule.primary_reason(None, Some(whole(events)), None);
    }
    let Some(n) = row.n.and_then(|n| u64::try_from(n).ok()) else { return Some(PrimaryReason::FewRespondents) };
    if !indicator.measure.is_proportion() {
        return rule.primary_reason(Some(n), None, None);
    }
    let Some((count, complement)) = counts(row) else {
        return rule.primary_reason(Some(n), None, None).or(Some(PrimaryReason::SmallCount));
    };
    rule.primary_reason(Some(n), Some(whole(count)), Some(whole(count) + whole(complement)))
}

/// Count and complement of a proportion; its denominator is the respondents where none is given.
pub(crate) fn counts(row: &Estimate) -> Option<(f64, f64)> {
    let count = row.numerator?;
    // Counts of respondents are far below 2⁵³.
    let all = row.denominator.or_else(|| row.n.map(|n| n as f64))?;
    Some((count, all - count))
}

/// A weighted count is judged by the whole persons in it: 4.6 is a 4.
fn whole(count: f64) -> u64 {
    count.max(0.0).floor() as u64
}
