//! How a register writes a residence: mostly in the numbers of the day, sometimes as registers do.

use prem_spec::{Lineage, Plan};

use crate::region::{Place, Region};

/// One contact in this many has its residence written in the municipality's number before the last renumbering (a register
/// that lags) or, where there was none, without its leading zeros (a spreadsheet on the way). A prime, since contacts are numbered
/// in blocks whose length is a power of two.
const ONE_IN: u64 = 17;

/// Municipality and district of each place as most contacts write them, and as the others do.
pub(crate) struct Residences {
    other: Vec<(String, String)>,
}

impl Residences {
    pub(crate) fn new(plan: &Plan, region: &Region) -> Self {
        let lineage = Lineage::new(&plan.municipalities);
        Self { other: region.places.iter().map(|place| other(&lineage, place)).collect() }
    }

    /// Residence of contact `number`, who lives in `place`.
    pub(crate) fn written<'a>(&'a self, region: &'a Region, place: usize, number: u64) -> (&'a str, &'a str) {
        let (usual, other) = (&region.places[place], &self.other[place]);
        if number % ONE_IN == ONE_IN - 1 { (&other.0, &other.1) } else { (&usual.municipality, &usual.district) }
    }
}

fn other(lineage: &Lineage, place: &Place) -> (String, String) {
    let today = lineage.municipality(&place.municipality, jiff::civil::Date::MAX);
    match lineage.earlier(&today) {
        // One number that became nothing else tells the same place.
        [step] if lineage.later(&step.to).len() == 1 => {
            let district = match place.district.as_str() {
                "" => String::new(),
                district => lineage.district_earlier(district, step),
            };
            (step.to.number.clone(), district)
        }
        _ => {
            let short = |text: &str| text.trim_start_matches('0').to_owned();
            (short(&place.municipality), short(&place.district))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_other_way_of_writing_is_an_earlier_number_or_lacks_a_zero() {
        let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas");
        let sources = prem_spec::load_folder(&schemas).expect("shipped declarations");
        let plan = prem_spec::compile(&sources).plan.expect("a plan");
        let region = Region::read().expect("region.toml");
        let residences = Residences::new(&plan, &region);
        let of = |municipality: &str, district: &str| {
            let is_it = |place: &Place| place.municipality == municipality && place.district == district;
            residences.other[region.places.iter().position(is_it).expect("a place")].clone()
        };
        assert_eq!(of("3203", ""), ("3025".to_owned(), String::new()));
        assert_eq!(of("0301", "030110"), ("301".to_owned(), "30110".to_owned()));
        let renumbered =
            residences.other.iter().zip(&region.places).filter(|(other, place)| other.0 != place.municipality);
        assert!(renumbered.count() > 100, "most of the region was renumbered in 2024");
    }
}
