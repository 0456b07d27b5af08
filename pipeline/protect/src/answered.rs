//! What the published table `response` tells of an indicator's respondents: at most as many as answered.
//!
//! `response` has calendar years, so a cell of several years is bounded by their sum, and a quarter by its year.

use std::collections::{BTreeMap, BTreeSet};

use prem_spec::PrimaryReason;
use prem_store::tables::Response;

use crate::{
    periods::Span,
    system::{CellKey, is_unknown},
};

/// How many answered, by questionnaire, unit and stratum, where that is shown.
#[derive(Debug, Default)]
pub(crate) struct Answered<'a> {
    by_place: BTreeMap<(&'a str, &'a str, &'a str), BTreeMap<Span, i64>>,
}

impl<'a> Answered<'a> {
    /// Of published rows. One that is withheld for its small count says that it is below the questionnaire's `minimum_count`.
    pub(crate) fn of(rows: &'a [Response], minimum_count: impl Fn(&str) -> u64) -> Self {
        let mut answered = Self::default();
        for row in rows.iter().filter(|row| !is_unknown(&row.stratum)) {
            let is_small = row.suppression_reason.as_deref() == Some(PrimaryReason::SmallCount.as_str());
            let most = || i64::try_from(minimum_count(&row.questionnaire)).ok().map(|minimum| (minimum - 1).max(1));
            let shown = row.answered.filter(|_| !row.suppressed);
            let Some(count) = shown.or_else(|| most().filter(|_| is_small)) else { continue };
            let place = (row.questionnaire.as_str(), row.unit_id.as_str(), row.stratum.as_str());
            answered.by_place.entry(place).or_default().insert((row.period_start, row.period_end), count);
        }
        answered
    }

    /// The periods of a questionnaire, of whatever unit.
    pub(crate) fn spans(&self, questionnaire: &str) -> BTreeSet<Span> {
        let of_questionnaire = self.by_place.iter().filter(|((id, ..), _)| *id == questionnaire);
        of_questionnaire.flat_map(|(_, years)| years.keys().copied()).collect()
    }

    /// The most respondents that an indicator of the questionnaire can have in a cell; infinity where `response` does not
    /// tell.
    pub(crate) fn most(&self, questionnaire: &str, cell: &CellKey) -> f64 {
        let place = (questionnaire, cell.unit.as_str(), cell.stratum.as_str());
        let Some(years) = self.by_place.get(&place) else { return f64::INFINITY };
        let (from, to) = cell.span;
        let (mut covered, mut most) = (from, 0_i64);
        for ((start, end), count) in years.iter().filter(|((start, end), _)| *start < to && from < *end) {
            if *start > covered {
                break;
            }
            covered = covered.max(*end);
            most += count;
        }
        if covered >= to { most as f64 } else { f64::INFINITY }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn year(year: i16, answered: Option<i64>) -> Response {
        Response {
            period_start: date(year, 1, 1),
            period_end: date(year + 1, 1, 1),
            questionnaire: "q".to_owned(),
            unit_id: "n1".to_owned(),
            stratum: "total".to_owned(),
            answered,
            suppressed: answered.is_none(),
            ..Response::default()
        }
    }

    #[test]
    fn years_add_up_and_cover_what_lies_in_them() {
        let rows = [year(2023, Some(20)), year(2024, Some(12)), year(2025, None)];
        let answered = Answered::of(&rows, |_| 5);
        let most = |unit: &str, from, to| {
            let cell = CellKey { unit: unit.to_owned(), span: (from, to), stratum: "total".to_owned() };
            assert_eq!(answered.most("other", &cell), f64::INFINITY);
            answered.most("q", &cell)
        };
        assert_eq!(most("n1", date(2024, 1, 1), date(2025, 1, 1)), 12.0);
        assert_eq!(most("n1", date(2024, 4, 1), date(2024, 7, 1)), 12.0);
        assert_eq!(most("n1", date(2023, 7, 1), date(2024, 7, 1)), 32.0);
        // Withheld, or before the table begins: nothing is known.
        assert_eq!(most("n1", date(2024, 7, 1), date(2025, 7, 1)), f64::INFINITY);
        assert_eq!(most("n1", date(2022, 7, 1), date(2023, 7, 1)), f64::INFINITY);
        assert_eq!(most("n2", date(2024, 1, 1), date(2025, 1, 1)), f64::INFINITY);
    }
}
