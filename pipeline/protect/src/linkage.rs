//! Figures in one row that tell about another: the region's value in `reference`, last period's in `change`.

use std::collections::{BTreeMap, BTreeSet};

use prem_spec::Level;
use prem_store::tables::Estimate;

use crate::{hide, periods::Span, system::CellKey};

/// Rows of one indicator, what they may say about others, and the cells that are shown.
pub(crate) struct Linkage {
    shown: BTreeSet<CellKey>,
    /// Period and stratum in which the region's own row is withheld.
    region_hidden: BTreeSet<(Span, String)>,
    /// Period label → dates, for every period in the table.
    previous: BTreeMap<Span, Span>,
}

impl Linkage {
    pub(crate) fn of<'a>(rows: impl Iterator<Item = &'a Estimate>) -> Self {
        let mut linkage = Self { shown: BTreeSet::new(), region_hidden: BTreeSet::new(), previous: BTreeMap::new() };
        for row in rows {
            let key = CellKey::of(row);
            if let Some(previous) = previous(row) {
                linkage.previous.insert(key.span, previous);
            }
            if !row.suppressed {
                linkage.shown.insert(key);
            } else if row.level == Level::Rhf.as_str() {
                linkage.region_hidden.insert((key.span, key.stratum));
            }
        }
        linkage
    }

    /// Whether `row` says what the withheld region row would have said.
    pub(crate) fn tells_of_region(&self, row: &Estimate) -> bool {
        (row.reference.is_some() || row.difference.is_some())
            && self.region_hidden.contains(&((row.period_start, row.period_end), row.stratum.clone()))
    }

    /// Whether `row` holds a change since a period in which the unit's own row is not shown.
    pub(crate) fn tells_of_previous(&self, row: &Estimate) -> bool {
        let own = CellKey::of(row);
        row.change.is_some()
            && !self
                .previous
                .get(&own.span)
                .is_some_and(|span| self.shown.contains(&CellKey { span: *span, ..own.clone() }))
    }

    pub(crate) fn cut(&self, row: &mut Estimate) {
        if self.tells_of_region(row) {
            hide::hide_reference(row);
        }
        if self.tells_of_previous(row) {
            hide::hide_change(row);
        }
    }
}

/// The dates of the period before that of `row`.
pub(crate) fn previous(row: &Estimate) -> Option<Span> {
    let period: prem_spec::Period = row.period.parse().ok()?;
    period.previous().map(|previous| (previous.start(), previous.end()))
}
