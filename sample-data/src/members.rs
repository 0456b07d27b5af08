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
