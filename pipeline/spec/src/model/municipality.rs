//! Municipality numbers over time: which number took the place of which, and when.
//!
//! A register writes the number of its day, or of the day the extract was made; catchment areas and populations come in
//! the numbers of their own year. [`Lineage`] follows a number forwards and backwards, so that all of them meet.
//!
//! A number may be given up and given out again, with another meaning. So what is followed is a [`Municipality`]: a number
//! and which of its lives is meant. A number that is used before its first life (an extract in later numbers) or after
//! its last (a register that lags) is taken to mean the nearest.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;
use serde::Serialize;

/// What `schemas/municipalities/*.toml` declare, in the order of their days.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Municipalities {
    pub changes: Vec<Renumbering>,
}

/// The numbers that ended before a day, each with what took its place from that day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Renumbering {
    pub on: Date,
    /// Municipalities (four digits) and city districts (six). Several successors: it was divided.
    pub successors: BTreeMap<String, Vec<String>>,
}

/// A municipality number in one of its lives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Municipality {
    pub number: String,
    life: usize,
}

/// One step from a municipality to its successor, or to its predecessor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// First day of the successor.
    pub on: Date,
    pub to: Municipality,
}

/// The declared changes, ready to be followed.
#[derive(Debug, Clone, Default)]
pub struct Lineage {
    /// First day of each life but the first, which has none.
    births: HashMap<String, Vec<Date>>,
    later: HashMap<Municipality, Vec<Step>>,
    earlier: HashMap<Municipality, Vec<Step>>,
    /// (district, day) → what took its place; the other way round in the second map.
    districts_later: HashMap<(String, Date), Vec<String>>,
    districts_earlier: HashMap<(String, Date), Vec<String>>,
}

const MUNICIPALITY_DIGITS: usize = 4;
const DISTRICT_DIGITS: usize = 6;

impl Lineage {
    pub fn new(declared: &Municipalities) -> Self {
        let mut lineage = Self { births: births(declared), ..Self::default() };
        for change in &declared.changes {
            for (old, successors) in &change.successors {
                if old.len() == DISTRICT_DIGITS {
                    lineage.districts_later.insert((old.clone(), change.on), successors.clone());
                    for new in successors {
                        lineage.districts_earlier.entry((new.clone(), change.on)).or_default().push(old.clone());
                    }
                    continue;
                }
                let before = lineage.municipality(old, change.on.yesterday().unwrap_or(change.on));
                for new in successors {
                    let after = lineage.municipality(new, change.on);
                    lineage.later.entry(before.clone()).or_default().push(Step { on: change.on, to: after.clone() });
                    lineage.earlier.entry(after).or_default().push(Step { on: change.on, to: before.clone() });
                }
            }
        }
        lineage
    }

    /// What `number` means when it is written on `day`.
    pub fn municipality(&self, number: &str, day: Date) -> Municipality {
        let begun = self.births.get(number).map_or(0, |births| births.iter().filter(|birth| **birth <= day).count());
        Municipality { number: number.to_owned(), life: begun }
    }

    /// What took the municipality's place: nothing, one, or several where it was divided.
    pub fn later(&self, municipality: &Municipality) -> &[Step] {
        self.later.get(municipality).map_or(&[], Vec::as_slice)
    }

    /// What the municipality was made of, in whole or in part.
    pub fn earlier(&self, municipality: &Municipality) -> &[Step] {
        self.earlier.get(municipality).map_or(&[], Vec::as_slice)
    }

    /// What a district became on the day that its municipality was renumbered: as declared, else the municipality's new
    /// number and the same two digits.
    pub fn district_later(&self, district: &str, step: &Step) -> String {
        match self.districts_later.get(&(district.to_owned(), step.on)).map(Vec::as_slice) {
            Some([only]) => only.clone(),
            _ => within(&step.to.number, district),
        }
    }

    /// The way back of [`Lineage::district_later`].
    pub fn district_earlier(&self, district: &str, step: &Step) -> String {
        match self.districts_earlier.get(&(district.to_owned(), step.on)).map(Vec::as_slice) {
            Some([only]) => only.clone(),
            _ => within(&step.to.number, district),
        }
    }

    /// Of the parts that a municipality was divided into, the one a district tells: by declaration, or because the district
    /// has the part's number already.
    pub fn part_of<'a>(&self, district: &str, steps: &'a [Step]) -> Option<&'a Step> {
        steps.iter().find(|step| {
            let declared = self.districts_later.get(&(district.to_owned(), step.on)).map(Vec::as_slice);
            let number = match declared {
                Some([only]) => only.as_str(),
                _ => district,
            };
            number.starts_with(&step.to.number)
        })
    }
}

/// The district with the last two digits of `district` in another municipality.
fn within(municipality: &str, district: &str) -> String {
    let digits = district.get(MUNICIPALITY_DIGITS..).unwrap_or_default();
    format!("{municipality}{digits}")
}

/// When numbers that had ended were given out again.
fn births(declared: &Municipalities) -> HashMap<String, Vec<Date>> {
    let mut ended: BTreeSet<&str> = BTreeSet::new();
    let mut births: HashMap<String, Vec<Date>> = HashMap::new();
    for change in &declared.changes {
        ended.extend(change.successors.keys().map(String::as_str));
        for new in change.successors.values().flatten() {
            if ended.remove(new.as_str()) {
                births.entry(new.clone()).or_default().push(change.on);
            }
        }
    }
    births
}

/// A municipality number with the zeros that spreadsheets take away: `301` is `0301`. `None` where it is no such number.
pub fn municipality_number(text: &str) -> Option<String> {
    padded(text, MUNICIPALITY_DIGITS, MUNICIPALITY_DIGITS - 1)
}

/// What a register says of the district.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum District {
    /// Six digits.
    Known(String),
    /// None given, or number 99 (or 00): the municipality is known, the district is not.
    Unknown,
}

/// Two digits for «not known which».
const UNKNOWN_DISTRICTS: [&str; 2] = ["99", "00"];

/// A district written in full (030112, or 30112 without its zero) or as its two digits alone (12, also 000012).
pub fn district_of(municipality: &str, text: &str) -> District {
    let full = match text.len() {
        1 | 2 => padded(text, 2, 1).map(|digits| format!("{municipality}{digits}")),
        _ => padded(text, DISTRICT_DIGITS, DISTRICT_DIGITS - 1),
    };
    let Some(full) = full else { return District::Unknown };
    let full = match full.strip_prefix("0000") {
        Some(digits) => format!("{municipality}{digits}"),
        None => full,
    };
    if UNKNOWN_DISTRICTS.iter().any(|digits| full.ends_with(digits)) {
        District::Unknown
    } else {
        District::Known(full)
    }
}

/// Digits only, at least `shortest` of them, with zeros in front up to `width`.
fn padded(text: &str, width: usize, shortest: usize) -> Option<String> {
    let is_number = (shortest..=width).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| format!("{text:0>width$}"))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn changes(all: &[(i16, &str, &[&str])]) -> Municipalities {
        let mut changes: Vec<Renumbering> = Vec::new();
        for (year, old, new) in all {
            let on = date(*year, 1, 1);
            let new = new.iter().map(|number| (*number).to_owned()).collect();
            match changes.last_mut().filter(|last| last.on == on) {
                Some(last) => _ = last.successors.insert((*old).to_owned(), new),
                None => changes.push(Renumbering { on, successors: [((*old).to_owned(), new)].into() }),
            }
        }
        Municipalities { changes }
    }

    fn numbers(steps: &[Step]) -> Vec<&str> {
        steps.iter().map(|step| step.to.number.as_str()).collect()
    }

    #[test]
    fn a_chain_is_followed_both_ways() {
        let lineage =
            Lineage::new(&changes(&[(2020, "0220", &["3025"]), (2020, "0627", &["3025"]), (2024, "3025", &["3203"])]));
        let old = lineage.municipality("0220", date(2018, 5, 1));
        let viken = lineage.later(&old);
        assert_eq!(numbers(viken), ["3025"]);
        let now = lineage.later(&viken[0].to);
        assert_eq!(numbers(now), ["3203"]);
        assert!(lineage.later(&now[0].to).is_empty());
        assert_eq!(numbers(lineage.earlier(&now[0].to)), ["3025"]);
        assert_eq!(numbers(lineage.earlier(&viken[0].to)), ["0220", "0627"]);
    }

    #[test]
    fn a_number_used_before_or_after_its_time_means_the_same() {
        let lineage = Lineage::new(&changes(&[(2020, "0220", &["3025"]), (2024, "3025", &["3203"])]));
        let days = [date(2015, 1, 1), date(2021, 1, 1), date(2025, 1, 1)];
        for number in ["0220", "3025", "3203"] {
            let meant: BTreeSet<Municipality> = days.iter().map(|day| lineage.municipality(number, *day)).collect();
            assert_eq!(meant.len(), 1, "{number}");
        }
    }

    #[test]
    fn a_number_given_out_again_is_another_municipality() {
        // 0709 ends in 2018 and is the number of a new municipality from 2022.
        let lineage = Lineage::new(&changes(&[(2018, "0709", &["0712"]), (2022, "0800", &["0709"])]));
        let (first, second) =
            (lineage.municipality("0709", date(2019, 1, 1)), lineage.municipality("0709", date(2022, 1, 1)));
        assert_ne!(first, second);
        assert_eq!(numbers(lineage.later(&first)), ["0712"]);
        assert!(lineage.later(&second).is_empty());
        assert_eq!(numbers(lineage.earlier(&second)), ["0800"]);
    }

    #[test]
    fn a_municipality_that_keeps_its_number_but_loses_a_part_begins_anew() {
        let lineage = Lineage::new(&changes(&[(2024, "1507", &["1507", "1580"])]));
        let before = lineage.municipality("1507", date(2023, 12, 31));
        let after = lineage.municipality("1507", date(2024, 1, 1));
        assert_ne!(before, after);
        assert_eq!(numbers(lineage.later(&before)), ["1507", "1580"]);
        assert!(lineage.later(&after).is_empty());
    }

    #[test]
    fn merging_into_a_standing_municipality_does_not_end_it() {
        let lineage = Lineage::new(&changes(&[(2020, "5030", &["5001"])]));
        assert_eq!(lineage.municipality("5001", date(2019, 1, 1)), lineage.municipality("5001", date(2021, 1, 1)));
    }

    #[test]
    fn districts_move_with_their_municipality_unless_declared() {
        let lineage = Lineage::new(&changes(&[
            (2020, "1201", &["4601"]),
            (2020, "120108", &["460101"]),
            (2024, "1507", &["1508", "1580"]),
            (2024, "150704", &["1580"]),
        ]));
        let bergen = lineage.municipality("1201", date(2019, 1, 1));
        let step = &lineage.later(&bergen)[0];
        assert_eq!(lineage.district_later("120102", step), "460102");
        assert_eq!(lineage.district_later("120108", step), "460101");
        let back = &lineage.earlier(&step.to)[0];
        assert_eq!(lineage.district_earlier("460101", back), "120108");
        assert_eq!(lineage.district_earlier("460107", back), "120107");
        let parts = lineage.later(&lineage.municipality("1507", date(2023, 1, 1))).to_vec();
        let part = |district: &str| lineage.part_of(district, &parts).map(|step| step.to.number.clone());
        assert_eq!(part("150704").as_deref(), Some("1580"), "declared");
        assert_eq!(part("150801").as_deref(), Some("1508"), "it has the new number");
        assert_eq!(part("150701"), None);
    }

    #[test]
    fn zeros_and_districts_are_read_as_they_are_written() {
        assert_eq!(municipality_number("301").as_deref(), Some("0301"));
        assert_eq!(municipality_number("3203").as_deref(), Some("3203"));
        for wrong in ["", "30", "03010", "O301", "3 01"] {
            assert_eq!(municipality_number(wrong), None, "{wrong}");
        }
        let known = |text: &str| District::Known(text.to_owned());
        let cases = [
            ("030112", known("030112")),
            ("30112", known("030112")),
            ("12", known("030112")),
            ("1", known("030101")),
            ("000001", known("030101")),
            ("030199", District::Unknown),
            ("99", District::Unknown),
            ("", District::Unknown),
            ("abc", District::Unknown),
        ];
        for (text, district) in cases {
            assert_eq!(district_of("0301", text), district, "{text}");
        }
    }
}
