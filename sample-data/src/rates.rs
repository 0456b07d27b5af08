//! Events for the rate indicators: how often whom, and how much more in one area than in another.

use std::collections::BTreeMap;

use prem_spec::{ContactFilter, Indicator, Measure, Plan};

use crate::{
    Settings,
    draw::{Choice, Purpose, Stream, between, bounded_normal, stream},
    population::{AGES, Population, Year},
    region::{Case, Region},
};

/// The main diagnosis of an event whose indicator asks for none (R68.8: other general symptoms).
const ANY_DIAGNOSIS: &str = "R688";
const ANY_CARE_LEVEL: &str = "1";
const ANY_URGENCY: &str = "4";

/// What one event looks like.
#[derive(Debug, Clone)]
pub(crate) struct Variant {
    pub(crate) procedure: String,
    pub(crate) diagnosis: String,
    pub(crate) care_level: String,
    pub(crate) urgency: String,
}

/// The events that one rate indicator asks for. Other indicators may count some of them too.
pub(crate) struct RateSource {
    pub(crate) variants: Vec<Variant>,
    /// Events per person and year at relative rate 1, `[sex][age]`.
    rates: [[f64; AGES]; 2],
    /// True relative rate of each area.
    pub(crate) relative: Vec<f64>,
}

impl RateSource {
    /// Events a year of one person.
    pub(crate) fn rate(&self, area: usize, sex: usize, age: usize) -> f64 {
        self.relative[area] * self.rates[sex][age]
    }

    /// Events a year in an area, and who has them (`sex · AGES + age`).
    pub(crate) fn events(&self, year: &Year, area: usize) -> (f64, Choice) {
        let cells = &year.areas[area].cells;
        let means: Vec<f64> = (0..2 * AGES)
            .map(|cell| cells[cell / AGES][cell % AGES] as f64 * self.rate(area, cell / AGES, cell % AGES))
            .collect();
        (means.iter().sum(), Choice::new(means))
    }

    /// Share of the events that `filter` counts.
    pub(crate) fn share_counted(&self, filter: &ContactFilter) -> f64 {
        let counted = self.variants.iter().filter(|variant| {
            counts(filter, &variant.procedure, &variant.diagnosis, Some(&variant.care_level), Some(&variant.urgency))
        });
        counted.count() as f64 / self.variants.len() as f64
    }
}

/// One source per rate indicator that asks for procedures or diagnoses; together they have `rate_share` of the contacts.
pub(crate) fn sources(plan: &Plan, region: &Region, settings: &Settings, population: &Population) -> Vec<RateSource> {
    let indicators: Vec<&Indicator> = plan.indicators.values().filter(|indicator| is_planted(indicator)).collect();
    let persons = population.years()[0].persons() as f64;
    let years = f64::from(settings.months) / 12.0;
    let each = settings.contacts as f64 * settings.rate_share / indicators.len().max(1) as f64 / years / persons;
    let source = |(index, indicator): (usize, &&Indicator)| {
        let Measure::Rate { contacts, standardisation, .. } = &indicator.measure else { return None };
        let mut stream = stream(settings.seed, Purpose::World, 0, 2, index as u64);
        let age_min = usize::try_from(standardisation.age_min).unwrap_or(0);
        let mut rates = shape(&mut stream, age_min);
        let scale = each / mean_rate(&rates, &population.years()[0]);
        rates.iter_mut().flatten().for_each(|rate| *rate = (*rate * scale).min(1.0));
        let sd = settings.area_log_sd;
        let relative = region.areas.iter().map(|_| (sd * bounded_normal(&mut stream)).exp()).collect();
        Some(RateSource { variants: variants(contacts), rates, relative })
    };
    indicators.iter().enumerate().filter_map(source).collect()
}

/// Whether events are made for the indicator: «all contacts» cannot be told from the others.
pub(crate) fn is_planted(indicator: &Indicator) -> bool {
    matches!(&indicator.measure, Measure::Rate { contacts, .. }
        if !contacts.procedures.is_empty() || !contacts.main_diagnoses.is_empty())
}

/// A hump over age, somewhat higher for one of the sexes.
fn shape(stream: &mut Stream, age_min: usize) -> [[f64; AGES]; 2] {
    let (peak, spread, women) = (between(stream, 50.0, 78.0), between(stream, 12.0, 22.0), between(stream, 0.7, 1.5));
    let mut rates = [[0.0; AGES]; 2];
    for (sex, ages) in rates.iter_mut().enumerate() {
        for (age, rate) in ages.iter_mut().enumerate().skip(age_min) {
            let distance = (age as f64 - peak) / spread;
            *rate = (0.05 + (-0.5 * distance * distance).exp()) * if sex == 1 { women } else { 1.0 };
        }
    }
    rates
}

fn mean_rate(rates: &[[f64; AGES]; 2], year: &Year) -> f64 {
    let cells = year.areas.iter().map(|area| &area.cells);
    let events: f64 = cells
        .flat_map(|cells| cells.iter().flatten().zip(rates.iter().flatten()))
        .map(|(&persons, rate)| persons as f64 * rate)
        .sum();
    (events / year.persons() as f64).max(1e-12)
}

fn variants(filter: &ContactFilter) -> Vec<Variant> {
    let or_any = |list: &[String], any: &str, full: fn(&str) -> String| -> Vec<String> {
        if list.is_empty() { vec![any.to_owned()] } else { list.iter().map(|code| full(code)).collect() }
    };
    let mut variants = Vec::new();
    for procedure in or_any(&filter.procedures, "", full_procedure) {
        for diagnosis in or_any(&filter.main_diagnoses, ANY_DIAGNOSIS, full_diagnosis) {
            for care_level in or_any(&filter.care_levels, ANY_CARE_LEVEL, str::to_owned) {
                for urgency in or_any(&filter.urgencies, ANY_URGENCY, str::to_owned) {
                    let (procedure, diagnosis) = (procedure.clone(), diagnosis.clone());
                    variants.push(Variant { procedure, diagnosis, care_level: care_level.clone(), urgency });
                }
            }
        }
    }
    variants
}

/// NCSP codes are three letters and two digits: a prefix is completed.
fn full_procedure(prefix: &str) -> String {
    let mut code = prefix.to_ascii_uppercase();
    while code.len() < 5 {
        code.push(match code.len() {
            0..=2 => 'B',
            3 => '2',
            _ => '0',
        });
    }
    code
}

/// ICD-10 codes are a letter and at least two digits, mostly three.
fn full_diagnosis(prefix: &str) -> String {
    let mut code = prefix.to_ascii_uppercase();
    while code.len() < 4 {
        code.push(if code.is_empty() { 'Z' } else { '9' });
    }
    code
}

/// Whether a contact with these codes is counted. An unknown care level or urgency (`None`) is taken to fit.
fn counts(
    filter: &ContactFilter,
    procedures: &str,
    diagnosis: &str,
    care: Option<&str>,
    urgency: Option<&str>,
) -> bool {
    let begins = |codes: &[String], text: &str| codes.iter().any(|code| text.starts_with(&code.to_ascii_uppercase()));
    let holds = |codes: &[String], value: Option<&str>| {
        codes.is_empty() || value.is_none_or(|value| codes.iter().any(|code| code == value))
    };
    (filter.procedures.is_empty() || procedures.split(' ').any(|code| begins(&filter.procedures, code)))
        && (filter.main_diagnoses.is_empty() || begins(&filter.main_diagnoses, diagnosis))
        && holds(&filter.care_levels, care)
        && holds(&filter.urgencies, urgency)
}

/// The region's ordinary cases by care level, without those that a rate indicator counts.
pub(crate) fn ordinary_cases(plan: &Plan, region: &Region) -> BTreeMap<String, (Vec<Case>, Choice)> {
    let filters: Vec<&ContactFilter> = plan
        .indicators
        .values()
        .filter(|indicator| is_planted(indicator))
        .filter_map(|indicator| match &indicator.measure {
            Measure::Rate { contacts, .. } => Some(contacts),
            _ => None,
        })
        .collect();
    let mut by_level: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    for case in &region.cases {
        for level in &case.care_levels {
            if !filters.iter().any(|filter| counts(filter, &case.procedures, &case.diagnosis, Some(level), None)) {
                by_level.entry(level.clone()).or_default().push(case.clone());
            }
        }
    }
    let with_choice = |(level, cases): (String, Vec<Case>)| {
        let choice = Choice::new(cases.iter().map(|case| case.weight));
        (level, (cases, choice))
    };
    by_level.into_iter().map(with_choice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_becomes_a_code_that_its_filter_counts() {
        let filter = ContactFilter {
            procedures: vec!["NGB".to_owned(), "NFB30".to_owned(), "J".to_owned()],
            main_diagnoses: vec!["M1".to_owned()],
            care_levels: vec!["1".to_owned()],
            urgencies: Vec::new(),
            episode_gap_hours_max: 8,
        };
        let variants = variants(&filter);
        assert_eq!(variants.len(), 3);
        assert_eq!(variants[0].procedure, "NGB20");
        for variant in variants {
            assert!(counts(&filter, &variant.procedure, &variant.diagnosis, Some("1"), Some("4")));
            assert!(!counts(&filter, &variant.procedure, &variant.diagnosis, Some("3"), Some("4")));
        }
    }
}
