//! Which unit a source's code meant on a day.

use std::collections::HashMap;

use prem_spec::{Level, Organisation, Unit};

use crate::frames::days_of;

/// A unit (its position in the organisation) and the days it is meant on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Valid {
    pub from: i32,
    /// Exclusive; open when absent.
    pub to: Option<i32>,
    pub unit: u32,
}

/// The unit that is meant on `day`.
pub(crate) fn on_day(spans: &[Valid], day: i32) -> Option<u32> {
    spans.iter().find(|span| span.from <= day && span.to.is_none_or(|to| day < to)).map(|span| span.unit)
}

/// Units as numbers: the position in the organisation's order.
pub(crate) struct Placement<'a> {
    by_code: HashMap<(&'a str, &'a str), Vec<Valid>>,
}

impl<'a> Placement<'a> {
    pub fn new(organisation: &'a Organisation) -> Self {
        let mut by_code: HashMap<_, Vec<_>> = HashMap::new();
        for (index, unit) in (0u32..).zip(&organisation.units) {
            for (source, codes) in &unit.codes {
                for code in codes {
                    let valid = Valid { from: days_of(unit.valid_from), to: unit.valid_to.map(days_of), unit: index };
                    by_code.entry((source.as_str(), code.as_str())).or_default().push(valid);
                }
            }
        }
        Self { by_code }
    }

    /// The unit that `source` called `code` on `day`.
    pub fn unit(&self, source: &str, code: &str, day: i32) -> Option<u32> {
        on_day(self.by_code.get(&(source, code))?, day)
    }
}

/// The units of one level, and for every unit of the organisation which of them it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LevelMap<'a> {
    pub level: Level,
    pub units: Vec<&'a Unit>,
    /// Per unit of the organisation: position in `units`; `units.len()` where it has no ancestor at this level.
    pub parent: Vec<Option<u32>>,
}

impl<'a> LevelMap<'a> {
    pub fn new(organisation: &'a Organisation, level: Level) -> Self {
        let units: Vec<&Unit> = organisation.units.iter().filter(|unit| unit.level == level).collect();
        let position: HashMap<&str, u32> = units.iter().map(|unit| unit.id.as_str()).zip(0u32..).collect();
        let rest = u32::try_from(units.len()).unwrap_or(u32::MAX);
        let parent = organisation
            .units
            .iter()
            .map(|unit| {
                let above = organisation.ancestor_at(&unit.id, level);
                Some(above.and_then(|above| position.get(above.id.as_str()).copied()).unwrap_or(rest))
            })
            .collect();
        Self { level, units, parent }
    }

    /// Groups with the remainder: units of the level and one more for everybody who has none.
    pub fn groups(&self) -> usize {
        self.units.len() + 1
    }
}
