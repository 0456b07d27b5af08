//! What is shown of the period before a row that has no change from it.
//!
//! It is noted while the rows of all periods are at hand: a release narrowed to some periods still tells a value that is
//! withheld from one that was never there.

use std::collections::{BTreeMap, BTreeSet};

use prem_store::tables::Estimate;

use crate::{linkage::previous, system::CellKey};

/// A unit's row in the period before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// There is none: the unit is new, nobody answered, or nothing could be estimated.
    Absent,
    Withheld,
    Shown,
}

/// Indicator → shown cells without a change whose unit has a row in the period before → whether that is withheld.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Unchanged(BTreeMap<String, BTreeMap<CellKey, bool>>);

impl Unchanged {
    pub(crate) fn of(rows: &[Estimate]) -> Self {
        let mut withheld: BTreeMap<&str, BTreeSet<CellKey>> = BTreeMap::new();
        let mut shown: BTreeMap<&str, BTreeSet<CellKey>> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.suppressed || row.value.is_some()) {
            let cells = if row.suppressed { &mut withheld } else { &mut shown };
            cells.entry(&row.indicator).or_default().insert(CellKey::of(row));
        }
        let holds = |cells: &BTreeMap<&str, BTreeSet<CellKey>>, row: &Estimate, earlier: &CellKey| {
            cells.get(row.indicator.as_str()).is_some_and(|cells| cells.contains(earlier))
        };
        let mut unchanged: BTreeMap<String, BTreeMap<CellKey, bool>> = BTreeMap::new();
        for row in rows.iter().filter(|row| !row.suppressed && row.change.is_none()) {
            let Some(span) = previous(row) else { continue };
            let own = CellKey::of(row);
            let earlier = CellKey { span, ..own.clone() };
            let is_withheld = holds(&withheld, row, &earlier);
            if is_withheld || holds(&shown, row, &earlier) {
                unchanged.entry(row.indicator.clone()).or_default().insert(own, is_withheld);
            }
        }
        Self(unchanged)
    }

    pub(crate) fn before(&self, row: &Estimate) -> Before {
        match self.0.get(&row.indicator).and_then(|cells| cells.get(&CellKey::of(row))) {
            None => Before::Absent,
            Some(true) => Before::Withheld,
            Some(false) => Before::Shown,
        }
    }
}
