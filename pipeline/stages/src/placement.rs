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

impl Valid {
    fn holds(&self, day: i32) -> bool {
        self.from <= day && self.to.is_none_or(|to| day < to)
    }
}

/// The unit that is meant on `day`.
pub(crate) fn on_day(spans: &[Valid], day: i32) -> Option<u32> {
    spans.iter().find(|span| span.holds(day)).map(|span| span.unit)
}

/// What a source's code meant on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meant {
    /// Position in the organisation.
    Unit(u32),
    /// A unit has the code, but not on that day.
    OtherTime,
    /// On that day several units have codes that differ from it in nothing that carries meaning.
    Several,
    /// No unit has the code.
    Nobody,
}

/// Units as numbers: the position in the organisation's order.
pub(crate) struct Placement<'a> {
    by_code: HashMap<(&'a str, &'a str), Vec<Valid>>,
    /// Codes as [`folded`], for sources that write one code in several ways.
    by_folded: HashMap<(&'a str, String), Vec<Valid>>,
}

impl<'a> Placement<'a> {
    pub fn new(organisation: &'a Organisation) -> Self {
        let mut by_code: HashMap<_, Vec<_>> = HashMap::new();
        let mut by_folded: HashMap<_, Vec<_>> = HashMap::new();
        for (index, unit) in (0u32..).zip(&organisation.units) {
            for (source, codes) in &unit.codes {
                for code in codes {
                    let valid = Valid { from: days_of(unit.valid_from), to: unit.valid_to.map(days_of), unit: index };
                    by_code.entry((source.as_str(), code.as_str())).or_default().push(valid);
                    by_folded.entry((source.as_str(), folded(code))).or_default().push(valid);
                }
            }
        }
        Self { by_code, by_folded }
    }

    /// What `source` meant by `code` on `day`: the code as it is declared, else one that differs in nothing but case, blanks
    /// and leading zeros, where only one unit has such a code on that day.
    pub fn meant(&self, source: &str, code: &str, day: i32) -> Meant {
        let exact = self.by_code.get(&(source, code));
        if let Some(unit) = exact.and_then(|spans| on_day(spans, day)) {
            return Meant::Unit(unit);
        }
        let alike = self.by_folded.get(&(source, folded(code)));
        let mut units: Vec<u32> =
            alike.into_iter().flatten().filter(|span| span.holds(day)).map(|span| span.unit).collect();
        units.dedup();
        match (units.as_slice(), exact.or(alike)) {
            ([unit], _) => Meant::Unit(*unit),
            ([_, _, ..], _) => Meant::Several,
            ([], Some(_)) => Meant::OtherTime,
            ([], None) => Meant::Nobody,
        }
    }
}

/// A code without the differences that carry no meaning: `" ous-0111"` is `OUS-0111`, `0042` is `42`.
fn folded(code: &str) -> String {
    let code = code.trim().to_uppercase();
    if !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_digit()) {
        let digits = code.trim_start_matches('0');
        return if digits.is_empty() { "0".to_owned() } else { digits.to_owned() };
    }
    code
}

/// Unit id → place among `units`.
pub(crate) fn positions<'a>(units: impl IntoIterator<Item = &'a Unit>) -> HashMap<&'a str, u32> {
    units.into_iter().map(|unit| unit.id.as_str()).zip(0u32..).collect()
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
        let position = positions(units.iter().copied());
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

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};
    use prem_spec::{Ownership, Text};

    use super::*;

    fn unit(id: &str, codes: &[&str], from: Date, to: Option<Date>) -> Unit {
        Unit {
            id: id.to_owned(),
            level: Level::Ward,
            name: Text::default(),
            orgnr: None,
            resh_id: None,
            parent: None,
            valid_from: from,
            valid_to: to,
            ownership: Ownership::Public,
            codes: [("pas".to_owned(), codes.iter().map(|code| (*code).to_owned()).collect())].into(),
        }
    }

    #[test]
    fn a_code_means_what_it_meant_on_the_day() {
        let (start, change) = (date(2015, 1, 1), date(2024, 7, 1));
        let organisation = Organisation {
            units: vec![
                unit("old", &["A-1"], start, Some(change)),
                unit("new", &["A-1", "A-2"], change, None),
                unit("closed", &["C-9"], start, Some(change)),
            ],
        };
        let placement = Placement::new(&organisation);
        let meant = |code: &str, day: Date| placement.meant("pas", code, days_of(day));
        assert_eq!(meant("A-1", date(2024, 6, 30)), Meant::Unit(0));
        assert_eq!(meant("A-1", change), Meant::Unit(1), "the code was taken over");
        assert_eq!(meant("A-2", date(2024, 6, 30)), Meant::OtherTime);
        assert_eq!(meant("C-9", change), Meant::OtherTime);
        assert_eq!(meant("B-1", change), Meant::Nobody);
        assert_eq!(placement.meant("survey", "A-1", days_of(change)), Meant::Nobody, "codes are a source's own");
    }

    #[test]
    fn case_blanks_and_zeros_do_not_hide_a_unit_but_never_choose_between_two() {
        let start = date(2015, 1, 1);
        let organisation = Organisation {
            units: vec![
                unit("a", &["OUS-0111", "ous-0111"], start, None),
                unit("b", &["0042"], start, None),
                unit("c", &["007"], start, None),
                unit("d", &["07"], start, None),
            ],
        };
        let placement = Placement::new(&organisation);
        let meant = |code: &str| placement.meant("pas", code, days_of(date(2025, 1, 1)));
        for code in ["OUS-0111", "ous-0111", "Ous-0111", " OUS-0111 "] {
            assert_eq!(meant(code), Meant::Unit(0), "{code}");
        }
        for code in ["0042", "42", "00042"] {
            assert_eq!(meant(code), Meant::Unit(1), "{code}");
        }
        assert_eq!(meant("007"), Meant::Unit(2));
        assert_eq!(meant("07"), Meant::Unit(3));
        assert_eq!(meant("7"), Meant::Several, "two units could be meant");
        let before = |code: &str| placement.meant("pas", code, days_of(date(2014, 12, 31)));
        assert_eq!(before("7"), Meant::OtherTime, "no unit could be meant on that day");
        assert_eq!(meant("OUS-111"), Meant::Nobody, "zeros inside a code are part of it");
    }
}
