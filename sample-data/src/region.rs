//! `region.toml`: facts of the region that the declarations do not hold.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;

use crate::SampleError;

const REGION: &str = include_str!("../region.toml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Region {
    pub(crate) surveys: Vec<Survey>,
    /// Sent besides where all questionnaires are asked for.
    pub(crate) further_surveys: Vec<Survey>,
    pub(crate) areas: Vec<Area>,
    pub(crate) places: Vec<Place>,
    pub(crate) own_trust_share: f64,
    pub(crate) ages: Ages,
    pub(crate) sizes: Sizes,
    pub(crate) cases: Vec<Case>,
}

/// A questionnaire that the region sends, and the patients who are asked. An empty list is anybody.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Survey {
    pub(crate) questionnaire: String,
    pub(crate) care_level: String,
    /// Youngest and oldest; from the youngest whom an indicator counts on where they are not given.
    #[serde(default)]
    pub(crate) ages: Option<(usize, usize)>,
    #[serde(default)]
    pub(crate) sexes: Vec<String>,
    #[serde(default)]
    pub(crate) urgencies: Vec<String>,
    /// Main diagnoses; empty for the ordinary cases of the care level.
    #[serde(default)]
    pub(crate) diagnoses: Vec<String>,
}

/// A catchment area and its population.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Area {
    pub(crate) hf: String,
    #[serde(rename = "name")]
    _name: String,
    pub(crate) persons_2020: f64,
    pub(crate) persons_2040: f64,
    pub(crate) over_80_share_2020: f64,
    pub(crate) over_80_share_2040: f64,
}

/// A municipality or city district.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    pub(crate) municipality: String,
    #[serde(default)]
    pub(crate) district: String,
    #[serde(rename = "name")]
    _name: String,
    pub(crate) hf: String,
    #[serde(default)]
    pub(crate) hospital: String,
    pub(crate) weight: f64,
    pub(crate) moves: Option<Move>,
}

/// A later catchment area.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Move {
    pub(crate) hf: String,
    #[serde(default)]
    pub(crate) hospital: String,
    #[serde(deserialize_with = "toml_date")]
    pub(crate) from: Date,
}

/// Five-year bands from 0–4; the last is 100–105.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ages {
    pub(crate) weights: Vec<f64>,
    pub(crate) women: Vec<f64>,
    pub(crate) r#use: Vec<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sizes {
    pub(crate) ward_log_sd: f64,
    pub(crate) factors: BTreeMap<String, f64>,
}

/// What a contact is about.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) diagnosis: String,
    pub(crate) other: String,
    pub(crate) procedures: String,
    pub(crate) drg: String,
    pub(crate) care_levels: Vec<String>,
    pub(crate) weight: f64,
}

const BANDS: usize = 21;

impl Region {
    pub(crate) fn read() -> Result<Self, SampleError> {
        let region: Self = toml::from_str(REGION).map_err(|error| SampleError::Region(error.to_string()))?;
        let wrong = |message: String| Err(SampleError::Region(message));
        for (name, list) in
            [("weights", &region.ages.weights), ("women", &region.ages.women), ("use", &region.ages.r#use)]
        {
            if list.len() != BANDS {
                return wrong(format!("ages.{name} has {} values, not {BANDS}", list.len()));
            }
        }
        let wrong_ages = |survey: &&Survey| survey.ages.is_some_and(|(youngest, oldest)| youngest > oldest);
        if let Some(survey) = region.further_surveys.iter().find(wrong_ages) {
            return wrong(format!("ages of «{}» are none", survey.questionnaire));
        }
        let known = |hf: &str| region.areas.iter().any(|area| area.hf == hf);
        for place in &region.places {
            let later = place.moves.as_ref().map(|to| to.hf.as_str());
            if let Some(hf) = [Some(place.hf.as_str()), later].into_iter().flatten().find(|hf| !known(hf)) {
                return wrong(format!("{}{} belongs to «{hf}», which is no area", place.municipality, place.district));
            }
        }
        match region.areas.iter().find(|area| !region.places.iter().any(|place| place.hf == area.hf)) {
            Some(area) => wrong(format!("no place belongs to «{}»", area.hf)),
            None => Ok(region),
        }
    }

    /// The trust whose catchment area the place is on a day.
    pub(crate) fn area_of(&self, place: usize, day: Date) -> &str {
        let place = &self.places[place];
        match &place.moves {
            Some(later) if later.from <= day => &later.hf,
            _ => &place.hf,
        }
    }
}

fn toml_date<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    let datetime = toml::value::Datetime::deserialize(deserializer)?;
    datetime.to_string().parse().map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_region_reads_and_adds_up() {
        let region = Region::read().expect("region.toml");
        let persons: f64 = region.areas.iter().map(|area| area.persons_2020).sum();
        assert_eq!(persons, 3_032_672.0);
        assert!(region.places.iter().all(|place| place.municipality.len() == 4 && place.weight > 0.0));
        assert!(region.places.iter().all(|place| place.district.is_empty() || place.district.len() == 6));
    }
}
