//! The rows that a person looks at first: per indicator the latest year (or, where there is none, the latest period), the
//! whole population.

use std::collections::{BTreeMap, BTreeSet};

use prem_protect::tables::Estimate;
use prem_spec::{Period, PeriodKind, Stratifier};

pub(crate) struct Latest<'a> {
    periods: BTreeMap<&'a str, Period>,
    rows: BTreeMap<(&'a str, &'a str), &'a Estimate>,
    /// Indicator, unit and period of what is withheld, in any period.
    hidden: BTreeSet<(&'a str, &'a str, &'a str)>,
}

impl<'a> Latest<'a> {
    pub(crate) fn of(rows: &'a [Estimate]) -> Self {
        let mut periods: BTreeMap<&str, Period> = BTreeMap::new();
        let rank =
            |period: Period| (period.kind() == PeriodKind::Year, period.end(), std::cmp::Reverse(period.start()));
        for row in rows {
            let Ok(period) = row.period.parse::<Period>() else { continue };
            let best = periods.entry(&row.indicator).or_insert(period);
            if rank(period) > rank(*best) {
                *best = period;
            }
        }
        let mut latest = Self { periods, rows: BTreeMap::new(), hidden: BTreeSet::new() };
        for row in rows.iter().filter(|row| row.stratum == Stratifier::TOTAL) {
            if row.suppressed {
                latest.hidden.insert((&row.indicator, &row.unit_id, &row.period));
            }
            if latest.is_latest(&row.indicator, &row.period) {
                latest.rows.entry((&row.indicator, &row.unit_id)).or_insert(row);
            }
        }
        latest
    }

    pub(crate) fn period(&self, indicator: &str) -> Option<Period> {
        self.periods.get(indicator).copied()
    }

    pub(crate) fn is_latest(&self, indicator: &str, period: &str) -> bool {
        self.period(indicator).is_some_and(|latest| latest.to_string() == period)
    }

    pub(crate) fn row(&self, indicator: &str, unit: &str) -> Option<&'a Estimate> {
        self.rows.get(&(indicator, unit)).copied()
    }

    /// Whether the figures of `unit` in the period of `row` are withheld.
    pub(crate) fn is_hidden(&self, row: &Estimate, unit: &str) -> bool {
        self.hidden.contains(&(row.indicator.as_str(), unit, row.period.as_str()))
    }

    /// Indicators with rows.
    pub(crate) fn indicators(&self) -> impl Iterator<Item = &str> {
        self.periods.keys().copied()
    }

    /// The latest periods of all indicators, each once.
    pub(crate) fn periods(&self) -> Vec<Period> {
        let mut all: Vec<Period> = self.periods.values().copied().collect();
        all.sort();
        all.dedup();
        all
    }
}
