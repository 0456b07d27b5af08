//! Whom an indicator counts, as far as patients of the sample differ in it.

use prem_spec::Population;

/// A population: ages, and codes of columns that are asked for or left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Members {
    ages: (i64, i64),
    only: Vec<(String, Vec<String>)>,
    without: Vec<(String, Vec<String>)>,
}

impl Members {
    pub(crate) fn of(population: &Population) -> Self {
        let only = (!population.urgencies.is_empty()).then(|| ("urgency".to_owned(), population.urgencies.clone()));
        let without = population.exclude.iter().map(|exclusion| (exclusion.column.clone(), exclusion.codes.clone()));
        Self {
            ages: (population.age_min.unwrap_or(0), population.age_max.unwrap_or(i64::MAX)),
            only: only.into_iter().collect(),
            without: without.collect(),
        }
    }

    /// Youngest age that counts.
    pub(crate) fn youngest(&self) -> i64 {
        self.ages.0
    }

    /// Whether a patient counts; `value` gives the patient's value of a column, `None` where the sample does not vary it.
    pub(crate) fn holds<'a>(&self, age: i64, value: impl Fn(&str) -> Option<&'a str>) -> bool {
        let (youngest, oldest) = self.ages;
        let has =
            |(column, codes): &(String, Vec<String>)| value(column).map(|value| codes.iter().any(|code| code == value));
        (youngest..=oldest).contains(&age)
            && self.only.iter().all(|one| has(one).unwrap_or(true))
            && !self.without.iter().any(|one| has(one).unwrap_or(false))
    }
}

impl Default for Members {
    fn default() -> Self {
        Self::of(&Population::default())
    }
}

/// The discharge status of everybody who is asked.
const ALIVE: (&str, &str) = ("discharge_status", "1");

/// What in a population keeps the sample from knowing who belongs to it; `None` where it knows. Everybody who is asked has
/// `care_level`; `is_varied` says of which columns the sample knows a patient's value.
pub(crate) fn obstacle(population: &Population, care_level: &str, is_varied: impl Fn(&str) -> bool) -> Option<String> {
    let is_known = |column: &str, codes: &[String]| {
        is_varied(column) || (column == ALIVE.0 && !codes.iter().any(|code| code == ALIVE.1))
    };
    if !population.care_levels.is_empty() && !population.care_levels.iter().any(|level| level == care_level) {
        return Some(format!("care_levels: patients of care level {care_level} are asked"));
    }
    if population.stay_hours_min.is_some() || population.stay_hours_max.is_some() {
        return Some("stay_hours: lengths of stay have no part in the truth".to_owned());
    }
    if !population.main_diagnoses.is_empty() {
        return Some("main_diagnoses: diagnoses have no part in the truth".to_owned());
    }
    let unknown = population.exclude.iter().find(|exclusion| !is_known(&exclusion.column, &exclusion.codes))?;
    Some(format!("exclude: {} has no part in the truth", unknown.column))
}

#[cfg(test)]
mod tests {
    use prem_spec::Exclusion;

    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn without(column: &str, code: &str) -> Population {
        let exclusion = Exclusion { reason: "other".to_owned(), column: column.to_owned(), codes: texts(&[code]) };
        Population { exclude: vec![exclusion], ..Population::default() }
    }

    #[test]
    fn a_population_that_the_sample_does_not_know_is_told_by_its_key() {
        let found = |population: Population| obstacle(&population, "1", |column| column == "mode");
        let any = Population::default;
        let known = [
            any(),
            Population { age_min: Some(18), care_levels: texts(&["2", "1"]), urgencies: texts(&["4"]), ..any() },
            without("mode", "paper"),
            without("discharge_status", "2"),
        ];
        assert!(known.into_iter().all(|population| found(population).is_none()));
        let unknown = [
            ("care_levels", Population { care_levels: texts(&["3"]), ..any() }),
            ("stay_hours", Population { stay_hours_min: Some(24), ..any() }),
            ("stay_hours", Population { stay_hours_max: Some(24), ..any() }),
            ("main_diagnoses", Population { main_diagnoses: texts(&["F1"]), ..any() }),
            ("exclude", without("overall", "1")),
            ("exclude", without("discharge_status", "1")),
        ];
        for (key, population) in unknown {
            let told = found(population).expect("an obstacle");
            assert!(told.starts_with(&format!("{key}:")), "{told}");
        }
    }
}
