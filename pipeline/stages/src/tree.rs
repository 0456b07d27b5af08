//! The organisation as a tree over the units that respondents belong to, for models that know several levels at once.
//!
//! Organisations are uneven: a ward may stand directly under a hospital, a hospital may have no wards. Where a unit has
//! nothing above it at a level, it stands there for itself: a ward without a department is a department of its own.

use std::collections::HashMap;

use prem_spec::{Level, Organisation};
use prem_stats::case_mix::UnitMoments;

use crate::placement::positions;

/// Nodes of the levels, lowest first. The nodes below them all are the units of the organisation, in its order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LevelTree {
    pub levels: Vec<Level>,
    /// `parents[0]` leads from units to nodes of the first level, the next one level up, and so on.
    pub parents: Vec<Vec<u32>>,
    /// Nodes of the last level.
    pub tops: usize,
    /// Per level: unit (its place in the organisation) → node.
    nodes: Vec<HashMap<u32, u32>>,
}

impl LevelTree {
    pub fn of(organisation: &Organisation, levels: &[Level]) -> Self {
        let mut levels = levels.to_vec();
        levels.sort();
        levels.dedup();
        levels.reverse();
        let places = positions(&organisation.units);
        let mut tree =
            Self { levels: levels.clone(), parents: Vec::new(), tops: organisation.units.len(), nodes: Vec::new() };
        let parents: Vec<Option<u32>> =
            organisation.units.iter().map(|unit| places.get(unit.parent.as_deref()?).copied()).collect();
        let ancestor_at = |place: u32, level: Level| {
            let mut above = std::iter::successors(Some(place), |place| parents[*place as usize]).take(Level::ALL.len());
            above.find(|place| organisation.units[*place as usize].level == level)
        };
        // What a node is: a unit's place.
        let mut below: Vec<u32> = (0u32..).take(organisation.units.len()).collect();
        for level in levels {
            let mut nodes: HashMap<u32, u32> = HashMap::new();
            let mut here = Vec::new();
            let parent = below
                .iter()
                .map(|place| {
                    let own = ancestor_at(*place, level).unwrap_or(*place);
                    *nodes.entry(own).or_insert_with(|| {
                        here.push(own);
                        u32::try_from(here.len() - 1).unwrap_or(u32::MAX)
                    })
                })
                .collect();
            tree.parents.push(parent);
            tree.nodes.push(nodes);
            tree.tops = here.len();
            below = here;
        }
        tree
    }

    /// The node of the unit at `place`, among the nodes of `level`.
    pub fn node(&self, level: Level, place: u32) -> Option<usize> {
        let index = self.place_of(level)?;
        self.nodes[index].get(&place).map(|node| *node as usize)
    }

    /// Which of the levels `level` is, lowest first.
    pub fn place_of(&self, level: Level) -> Option<usize> {
        self.levels.iter().position(|own| *own == level)
    }

    /// What the units with respondents are called: their level where they share one.
    pub fn name_of_lowest(&self, organisation: &Organisation, moments: &UnitMoments) -> &'static str {
        let mut levels = (0..moments.units())
            .filter(|place| moments.count(*place) > 0)
            .filter_map(|place| organisation.units.get(place))
            .map(|unit| unit.level);
        match levels.next() {
            Some(first) if levels.all(|level| level == first) => first.as_str(),
            _ => "unit",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::civil::date;
    use prem_spec::{Ownership, Text, Unit};

    use super::*;

    fn organisation() -> Organisation {
        let units = [
            ("region", Level::Rhf, ""),
            ("north", Level::Hf, "region"),
            ("south", Level::Hf, "region"),
            ("n-hospital", Level::Hospital, "north"),
            ("s-hospital", Level::Hospital, "south"),
            ("n-medicine", Level::Department, "n-hospital"),
            ("n-ward-1", Level::Ward, "n-medicine"),
            ("n-ward-2", Level::Ward, "n-medicine"),
            ("n-ward-3", Level::Ward, "n-hospital"),
        ];
        let unit = |(id, level, parent): (&str, Level, &str)| Unit {
            id: id.to_owned(),
            level,
            name: Text { nb: id.to_owned(), nn: None, en: None },
            orgnr: None,
            resh_id: None,
            parent: (!parent.is_empty()).then(|| parent.to_owned()),
            valid_from: date(2010, 1, 1),
            valid_to: None,
            ownership: Ownership::Public,
            codes: BTreeMap::new(),
        };
        Organisation { units: units.map(unit).to_vec() }
    }

    /// Every unit's way up, by the units that its nodes stand for.
    fn way(tree: &LevelTree, place: u32) -> Vec<u32> {
        let mut node = place;
        let mut way = Vec::new();
        for (parent, nodes) in tree.parents.iter().zip(&tree.nodes) {
            node = parent[node as usize];
            way.extend(nodes.iter().find(|(_, own)| **own == node).map(|(unit, _)| *unit));
        }
        way
    }

    #[test]
    fn skipped_levels_stand_for_themselves() {
        let organisation = organisation();
        let tree = LevelTree::of(&organisation, &[Level::Hf, Level::Hospital, Level::Department, Level::Ward]);
        assert_eq!(tree.levels, [Level::Ward, Level::Department, Level::Hospital, Level::Hf]);
        assert_eq!(way(&tree, 6), [6, 5, 3, 1]);
        assert_eq!(way(&tree, 8), [8, 8, 3, 1], "a ward without a department");
        assert_eq!(way(&tree, 4), [4, 4, 4, 2], "a hospital without wards");
        assert_eq!(way(&tree, 0), [0, 0, 0, 0], "the region itself");
        assert_eq!(tree.node(Level::Hospital, 3), tree.nodes[2].get(&3).map(|node| *node as usize));
        assert_eq!((tree.node(Level::Rhf, 0), tree.node(Level::Ward, 99)), (None, None));
        assert_eq!(tree.tops, 3);
    }
}
