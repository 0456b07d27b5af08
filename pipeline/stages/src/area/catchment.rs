//! Catchment rows by place and day, found across renumberings of municipalities.
//!
//! A place is looked up under its own number first, then under the numbers that it became, then under those that it came
//! from. So it does not matter in the numbers of which year a register, a population or a list of areas is written. The
//! days of a row are taken as they stand: a new number found in a row that ended long ago is a gap, not a match.

use std::collections::{BTreeMap, HashMap};

use prem_spec::{District, Lineage, Municipalities, Municipality, Step, district_of, municipality_number};

use super::placing::{NoArea, agreed, either};
use crate::{
    frames::date_of,
    placement::{Valid, on_day},
};

/// The rows of one municipality.
#[derive(Debug, Clone, Default)]
struct Rows {
    whole: Vec<Valid>,
    districts: BTreeMap<String, Vec<Valid>>,
    /// Rows of district 99: where those go of whom the district is not known.
    unknown_district: Vec<Valid>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Catchment {
    lineage: Lineage,
    rows: HashMap<Municipality, Rows>,
}

impl Catchment {
    pub fn new(municipalities: &Municipalities) -> Self {
        Self { lineage: Lineage::new(municipalities), rows: HashMap::new() }
    }

    /// Adds a row; its number is the one of its first day.
    pub fn add(&mut self, municipality: &str, district: &str, valid: Valid) {
        let (Some(number), Some(from)) = (municipality_number(municipality), date_of(valid.from)) else { return };
        let rows = self.rows.entry(self.lineage.municipality(&number, from)).or_default();
        let spans = match district_of(&number, district) {
            District::Known(district) => rows.districts.entry(district).or_default(),
            District::Unknown if district.is_empty() => &mut rows.whole,
            District::Unknown => &mut rows.unknown_district,
        };
        spans.push(valid);
    }

    /// The unit responsible for a place on `day`.
    pub fn unit(&self, municipality: &str, district: &str, day: i32) -> Result<u32, NoArea> {
        let number =
            if municipality.is_empty() { municipality_of(district) } else { municipality_number(municipality) };
        let (Some(number), Some(date)) = (number, date_of(day)) else {
            return Err(if municipality.is_empty() { NoArea::NoMunicipality } else { NoArea::Unknown });
        };
        let place = self.lineage.municipality(&number, date);
        let district = district_of(&number, district);
        either(self.at(&place, &district, day), || {
            either(self.later(&place, &district, day), || self.earlier(&place, &district, day))
        })
    }

    /// Under this very number.
    fn at(&self, place: &Municipality, district: &District, day: i32) -> Result<u32, NoArea> {
        let rows = self.rows.get(place).ok_or(NoArea::Unknown)?;
        let whole = on_day(&rows.whole, day);
        let apart: Vec<u32> = rows.districts.values().filter_map(|spans| on_day(spans, day)).collect();
        let own = match district {
            District::Known(district) => match rows.districts.get(district).and_then(|spans| on_day(spans, day)) {
                Some(unit) => Some(unit),
                None => whole,
            },
            District::Unknown => on_day(&rows.unknown_district, day)
                .or_else(|| whole.filter(|unit| apart.iter().all(|other| other == unit))),
        };
        match (own, apart.first()) {
            (Some(unit), _) => Ok(unit),
            // Nobody shares it: any district will do.
            (None, Some(first)) if whole.is_none() && apart.iter().all(|unit| unit == first) => Ok(*first),
            (None, Some(_)) => Err(NoArea::DistrictUnknown),
            (None, None) => Err(NoArea::Gap),
        }
    }

    /// Under the numbers that took its place.
    fn later(&self, place: &Municipality, district: &District, day: i32) -> Result<u32, NoArea> {
        let steps = self.lineage.later(place);
        let told = match district {
            District::Known(district) => self.lineage.part_of(district, steps),
            District::Unknown => None,
        };
        let follow = |step: &Step| {
            let district = moved(district, |district| self.lineage.district_later(district, step));
            either(self.at(&step.to, &district, day), || self.later(&step.to, &district, day))
        };
        match (told, steps) {
            (Some(step), _) => follow(step),
            _ => agreed(steps.iter().map(follow), NoArea::Divided),
        }
    }

    /// Under the numbers that it was made of.
    fn earlier(&self, place: &Municipality, district: &District, day: i32) -> Result<u32, NoArea> {
        let follow = |step: &Step| {
            let district = moved(district, |district| self.lineage.district_earlier(district, step));
            either(self.at(&step.to, &district, day), || self.earlier(&step.to, &district, day))
        };
        agreed(self.lineage.earlier(place).iter().map(follow), NoArea::Merged)
    }
}

fn moved(district: &District, change: impl Fn(&str) -> String) -> District {
    match district {
        District::Known(district) => District::Known(change(district)),
        District::Unknown => District::Unknown,
    }
}

/// The municipality that a district written in full lies in.
fn municipality_of(district: &str) -> Option<String> {
    match district_of("", district) {
        District::Known(district) if district.len() == 6 => district.get(..4).map(str::to_owned),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};
    use prem_spec::Renumbering;

    use super::*;
    use crate::frames::days_of;

    /// Units in these tests.
    const EAST: u32 = 1;
    const WEST: u32 = 2;

    fn renumbered(changes: &[(i16, &str, &[&str])]) -> Municipalities {
        let mut days: BTreeMap<Date, BTreeMap<String, Vec<String>>> = BTreeMap::new();
        for (year, old, new) in changes {
            let new = new.iter().map(|number| (*number).to_owned()).collect();
            days.entry(date(*year, 1, 1)).or_default().insert((*old).to_owned(), new);
        }
        Municipalities { changes: days.into_iter().map(|(on, successors)| Renumbering { on, successors }).collect() }
    }

    /// Rows of (municipality, district, first year, year after the last, unit).
    fn catchment(changes: &[(i16, &str, &[&str])], rows: &[(&str, &str, i16, Option<i16>, u32)]) -> Catchment {
        let mut catchment = Catchment::new(&renumbered(changes));
        for (municipality, district, from, to, unit) in rows {
            let day = |year: i16| days_of(date(year, 1, 1));
            catchment.add(municipality, district, Valid { from: day(*from), to: to.map(day), unit: *unit });
        }
        catchment
    }

    fn in_year(catchment: &Catchment, municipality: &str, district: &str, year: i16) -> Result<u32, NoArea> {
        catchment.unit(municipality, district, days_of(date(year, 6, 1)))
    }

    /// Asker, with Røyken and Hurum: 0220 → 3025 → 3203.
    const ASKER: [(i16, &str, &[&str]); 4] =
        [(2020, "0220", &["3025"]), (2020, "0627", &["3025"]), (2020, "0628", &["3025"]), (2024, "3025", &["3203"])];

    #[test]
    fn any_number_of_a_chain_finds_a_row_written_in_any_other() {
        for written in ["0220", "3025", "3203"] {
            let areas = catchment(&ASKER, &[(written, "", 2015, None, WEST)]);
            for year in [2016, 2021, 2026] {
                assert_eq!(in_year(&areas, "0220", "", year), Ok(WEST), "0220 in {year}, row {written}");
            }
        }
        let newest = catchment(&ASKER, &[("3203", "", 2015, None, WEST)]);
        for (number, year) in [("0627", 2016), ("627", 2016), ("3025", 2022), ("3203", 2017)] {
            assert_eq!(in_year(&newest, number, "", year), Ok(WEST), "{number}");
        }
    }

    #[test]
    fn rows_of_different_years_are_read_by_their_days() {
        let rows = [
            ("0220", "", 2015, Some(2020), WEST),
            ("3025", "", 2020, Some(2024), WEST),
            ("3203", "", 2024, None, EAST),
        ];
        let areas = catchment(&ASKER, &rows);
        assert_eq!(in_year(&areas, "0220", "", 2019), Ok(WEST));
        assert_eq!(in_year(&areas, "3203", "", 2023), Ok(WEST), "an extract in today's numbers");
        assert_eq!(in_year(&areas, "3025", "", 2025), Ok(EAST), "a register that lags");
        assert_eq!(in_year(&areas, "3203", "", 2014), Err(NoArea::Gap));
    }

    #[test]
    fn a_merger_across_areas_is_not_guessed() {
        let changes: [(i16, &str, &[&str]); 2] = [(2020, "0121", &["3026"]), (2020, "0221", &["3026"])];
        let areas = catchment(&changes, &[("0121", "", 2015, None, EAST), ("0221", "", 2015, None, WEST)]);
        assert_eq!(in_year(&areas, "0121", "", 2018), Ok(EAST));
        assert_eq!(in_year(&areas, "0221", "", 2021), Ok(WEST), "the old number still tells");
        assert_eq!(in_year(&areas, "3026", "", 2021), Err(NoArea::Merged));
        let half = catchment(&changes, &[("0121", "", 2015, None, EAST)]);
        assert_eq!(in_year(&half, "3026", "", 2021), Err(NoArea::Merged), "the other half may lie anywhere");
        let same = catchment(&changes, &[("0121", "", 2015, None, EAST), ("0221", "", 2015, None, EAST)]);
        assert_eq!(in_year(&same, "3026", "", 2021), Ok(EAST));
    }

    #[test]
    fn a_division_is_settled_by_the_district_or_not_at_all() {
        let changes: [(i16, &str, &[&str]); 2] = [(2024, "1507", &["1508", "1580"]), (2024, "150704", &["1580"])];
        let areas = catchment(&changes, &[("1508", "", 2020, None, EAST), ("1580", "", 2020, None, WEST)]);
        assert_eq!(in_year(&areas, "1507", "", 2022), Err(NoArea::Divided));
        assert_eq!(in_year(&areas, "1507", "150799", 2022), Err(NoArea::Divided));
        assert_eq!(in_year(&areas, "1507", "150704", 2022), Ok(WEST), "declared");
        assert_eq!(in_year(&areas, "1507", "158001", 2022), Ok(WEST), "a district with the new number");
        assert_eq!(in_year(&areas, "1580", "", 2022), Ok(WEST));
        let same = catchment(&changes, &[("1508", "", 2020, None, EAST), ("1580", "", 2020, None, EAST)]);
        assert_eq!(in_year(&same, "1507", "", 2022), Ok(EAST), "both parts lie in one area");
    }

    #[test]
    fn a_shared_municipality_needs_its_district() {
        let rows = [
            ("0301", "030110", 2015, None, EAST),
            ("0301", "030111", 2015, None, EAST),
            ("0301", "030101", 2015, None, WEST),
        ];
        let areas = catchment(&[], &rows);
        for (district, unit) in [("030110", EAST), ("30111", EAST), ("1", WEST), ("01", WEST), ("000001", WEST)] {
            assert_eq!(in_year(&areas, "301", district, 2020), Ok(unit), "{district}");
        }
        for district in ["", "030199", "99", "030117"] {
            assert_eq!(in_year(&areas, "0301", district, 2020), Err(NoArea::DistrictUnknown), "{district}");
        }
        assert_eq!(in_year(&areas, "", "030110", 2020), Ok(EAST), "the district names its municipality");
        let declared = catchment(&[], &[&rows[..], &[("0301", "030199", 2015, None, WEST)]].concat());
        assert_eq!(in_year(&declared, "0301", "", 2020), Ok(WEST), "a row of district 99 says where they go");
        assert_eq!(in_year(&declared, "0301", "030117", 2020), Err(NoArea::DistrictUnknown));
    }

    #[test]
    fn districts_that_are_exceptions_to_a_whole_leave_the_unknown_open() {
        let areas = catchment(&[], &[("4601", "", 2015, None, EAST), ("4601", "460107", 2015, None, WEST)]);
        assert_eq!(in_year(&areas, "4601", "460101", 2020), Ok(EAST));
        assert_eq!(in_year(&areas, "4601", "460107", 2020), Ok(WEST));
        assert_eq!(in_year(&areas, "4601", "", 2020), Err(NoArea::DistrictUnknown));
        let one_area = catchment(&[], &[("4601", "460101", 2015, None, EAST), ("4601", "460107", 2015, None, EAST)]);
        assert_eq!(in_year(&one_area, "4601", "", 2020), Ok(EAST), "nobody shares it");
    }

    #[test]
    fn districts_keep_their_digits_when_the_municipality_is_renumbered() {
        let rows = [("4601", "460101", 2015, None, EAST), ("4601", "460107", 2015, None, WEST)];
        let areas = catchment(&[(2020, "1201", &["4601"])], &rows);
        assert_eq!(in_year(&areas, "1201", "120107", 2018), Ok(WEST));
        assert_eq!(in_year(&areas, "1201", "7", 2018), Ok(WEST));
        assert_eq!(in_year(&areas, "1201", "", 2018), Err(NoArea::DistrictUnknown));
    }

    #[test]
    fn what_nobody_knows_has_a_reason_too() {
        let areas = catchment(&ASKER, &[("3203", "", 2024, Some(2025), WEST)]);
        assert_eq!(in_year(&areas, "9999", "", 2024), Err(NoArea::Unknown));
        assert_eq!(in_year(&areas, "x", "", 2024), Err(NoArea::Unknown));
        assert_eq!(in_year(&areas, "", "", 2024), Err(NoArea::NoMunicipality));
        assert_eq!(in_year(&areas, "", "99", 2024), Err(NoArea::NoMunicipality));
        assert_eq!(in_year(&areas, "3203", "", 2026), Err(NoArea::Gap), "after its last day");
        assert_eq!(in_year(&areas, "0628", "", 2018), Err(NoArea::Gap), "before its first");
    }
}
