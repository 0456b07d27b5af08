//! What the published estimates tell of those who answered: at least as many as have a value.
//!
//! The respondents of periods that do not overlap are different answers, and so are those of the levels of a stratum.

use std::collections::BTreeMap;

use prem_spec::{Plan, PrimaryReason};
use prem_store::tables::Estimate;

use crate::{
    periods::Span,
    system::{CellKey, TOTAL, is_unknown},
};

/// Questionnaire, unit and stratum.
type Place<'a> = (&'a str, &'a str, &'a str);

/// Shown respondents by place, indicator and period.
#[derive(Debug, Default)]
pub(crate) struct Respondents<'a> {
    by_place: BTreeMap<Place<'a>, BTreeMap<&'a str, BTreeMap<Span, i64>>>,
}

impl<'a> Respondents<'a> {
    /// Of published rows. One that is withheld, but not for few respondents, has enough of them.
    pub(crate) fn of(plan: &'a Plan, rows: &'a [Estimate]) -> Self {
        let mut by_place = BTreeMap::<Place<'_>, BTreeMap<&str, BTreeMap<Span, i64>>>::new();
        let mut by_dimension = BTreeMap::new();
        for row in rows.iter().filter(|row| !is_unknown(&row.stratum)) {
            let Some(declared) = plan.indicators.get(&row.indicator) else { continue };
            let is_few = row.suppression_reason.as_deref() == Some(PrimaryReason::FewRespondents.as_str());
            let enough = || i64::try_from(declared.protection.minimum_n).ok().filter(|_| row.suppressed && !is_few);
            let n = row.n.filter(|_| !row.suppressed).or_else(enough);
            let (Some(questionnaire), Some(n)) = (declared.population.questionnaire.as_deref(), n) else { continue };
            let (unit, indicator, span) =
                (row.unit_id.as_str(), row.indicator.as_str(), (row.period_start, row.period_end));
            let own = by_place.entry((questionnaire, unit, &row.stratum)).or_default();
            own.entry(indicator).or_default().insert(span, n);
            if let Some((dimension, _)) = row.stratum.split_once('=').filter(|(_, level)| !level.contains(',')) {
                // Rows by another method are of the same persons.
                let levels: &mut BTreeMap<&str, i64> =
                    by_dimension.entry((questionnaire, unit, indicator, span, dimension)).or_default();
                levels.insert(&row.stratum, n);
            }
        }
        for ((questionnaire, unit, indicator, span, _), levels) in by_dimension {
            let all = by_place.entry((questionnaire, unit, TOTAL)).or_default().entry(indicator).or_default();
            let total = all.entry(span).or_default();
            *total = (*total).max(levels.values().sum());
        }
        Self { by_place }
    }

    /// The fewest who can have answered the questionnaire in a cell.
    pub(crate) fn fewest(&self, questionnaire: &str, cell: &CellKey) -> f64 {
        let indicators = self.by_place.get(&(questionnaire, cell.unit.as_str(), cell.stratum.as_str()));
        let fewest = indicators.into_iter().flatten().map(|(_, periods)| without_overlap(periods, cell.span)).max();
        fewest.unwrap_or(0) as f64
    }
}

/// The most respondents of periods inside `whole` of which no two overlap.
fn without_overlap(periods: &BTreeMap<Span, i64>, whole: Span) -> i64 {
    let mut inside: Vec<(Span, i64)> = periods.iter().map(|(span, n)| (*span, *n)).collect();
    inside.retain(|((start, end), _)| whole.0 <= *start && *end <= whole.1);
    inside.sort_by_key(|((_, end), _)| *end);
    // The most of the periods before each place.
    let mut most = vec![0];
    for ((start, _), n) in &inside {
        let before = inside.partition_point(|((_, end), _)| end <= start);
        most.push((most[before] + n).max(most[most.len() - 1]));
    }
    most[inside.len()]
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn quarter(first_month: i8) -> Span {
        let end = if first_month == 10 { date(2026, 1, 1) } else { date(2025, first_month + 3, 1) };
        (date(2025, first_month, 1), end)
    }

    #[test]
    fn periods_that_overlap_are_counted_once() {
        let year = (date(2025, 1, 1), date(2026, 1, 1));
        let half = (date(2025, 1, 1), date(2025, 7, 1));
        let most = |periods: &[(Span, i64)], whole| without_overlap(&periods.iter().copied().collect(), whole);
        assert_eq!(most(&[], year), 0);
        let quarters = [(quarter(1), 30), (quarter(4), 40), (quarter(10), 50)];
        assert_eq!(most(&quarters, year), 120);
        assert_eq!(most(&[quarters[0], quarters[1], quarters[2], (half, 60)], year), 120);
        assert_eq!(most(&[quarters[0], quarters[1], quarters[2], (half, 80)], year), 130);
        assert_eq!(most(&[quarters[0], quarters[2], (year, 100)], year), 100);
        // What reaches beyond the cell is not in it.
        assert_eq!(most(&[quarters[0], (year, 100)], half), 30);
    }
}
