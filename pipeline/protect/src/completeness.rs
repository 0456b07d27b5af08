//! Where the table itself says that the listed parts are not all.
//!
//! A row is there only when somebody is behind it. So a cell that has a row, while none of its parts has one although
//! such parts are published, has people outside them:
//!
//! - a unit with a year and none of that year's quarters had its people in quarters that are published nowhere: those were
//!   *not estimated*, which is another thing than empty. A quarter that nobody denies in this way counts as empty (a
//!   year so far is its quarters so far), the assumption that helps an outsider most;
//! - a hospital without wards in a quarter in which other wards have rows has people who belong to no ward.
//!
//! Taking such parts for 0 would contradict the table, and a contradiction «determines» cells however much is withheld.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    periods::{self, Span},
    system::{CellKey, is_part_of},
};

/// Cells of one level and stratum are offered the same periods; one that lacks a period there had nobody in it.
pub(crate) type Place = (String, String);

/// Place → its periods, and its units with theirs.
pub(crate) type Offered<'a> = BTreeMap<Place, BTreeMap<Span, BTreeSet<&'a str>>>;

/// Periods that some unit's longer period must have had people in, without a row at that place.
pub(crate) fn not_estimated(offered: &Offered<'_>) -> BTreeSet<Span> {
    let mut found = BTreeSet::new();
    for spans in offered.values() {
        let assumed = periods::with_empty_ones(&spans.keys().copied().collect());
        for (whole, units) in spans {
            for tiles in periods::tilings(*whole).filter(|tiles| tiles.iter().all(|tile| assumed.contains(tile))) {
                let (present, absent): (Vec<Span>, Vec<Span>) =
                    tiles.into_iter().partition(|tile| spans.contains_key(tile));
                let is_explained = |unit: &&str| present.iter().any(|tile| spans[tile].contains(unit));
                if !units.iter().all(is_explained) {
                    found.extend(absent);
                }
            }
        }
    }
    found
}

/// Cells with people who are in none of the units below, though such units are published in that period.
#[derive(Debug, Default)]
pub(crate) struct Incomplete<'a> {
    by_unit: BTreeMap<&'a str, Vec<&'a CellKey>>,
}

impl<'a> Incomplete<'a> {
    /// `children` gives the levels of the units below a unit, `has_parts` whether a cell has any of them.
    pub(crate) fn of(
        keys: &'a [CellKey],
        offered: &Offered<'_>,
        children: &BTreeMap<&str, BTreeSet<&str>>,
        has_parts: impl Fn(usize) -> bool,
    ) -> Self {
        let mut incomplete = Self::default();
        for (cell, key) in keys.iter().enumerate() {
            let Some(levels) = children.get(key.unit.as_str()) else { continue };
            let is_offered = |level: &&str| {
                let place = ((*level).to_owned(), key.stratum.clone());
                offered.get(&place).is_some_and(|spans| spans.contains_key(&key.span))
            };
            if !has_parts(cell) && levels.iter().any(is_offered) {
                incomplete.by_unit.entry(&key.unit).or_default().push(key);
            }
        }
        incomplete
    }

    /// Whether those people may be in `total` too: the same unit, an overlapping period, the same or a coarser stratum.
    pub(crate) fn reaches(&self, total: &CellKey) -> bool {
        self.by_unit.get(total.unit.as_str()).into_iter().flatten().any(|key| {
            let overlaps = key.span.0 < total.span.1 && total.span.0 < key.span.1;
            overlaps && is_part_of(&key.stratum, &total.stratum)
        })
    }
}
