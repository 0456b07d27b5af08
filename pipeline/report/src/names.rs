//! What indicators and units are called where several share a name.

use std::collections::BTreeMap;

use prem_spec::{Indicator, Organisation, Plan, Unit};

use crate::{Language, RunFacts, folder::Reader, texts::Texts};

/// The title of the questionnaire that an indicator reads; for rates the word for register data.
pub(crate) fn survey<'a>(plan: &'a Plan, indicator: &Indicator, language: Language, texts: &'a Texts) -> &'a str {
    let questionnaire = plan.questionnaire_of(indicator);
    questionnaire.map_or_else(|| texts.get("register_data"), |found| found.title.get(language.code()))
}

/// `Informasjon (Dagkirurgi)`: several surveys have an indicator «Informasjon».
pub(crate) fn indicator(plan: &Plan, indicator: &Indicator, language: Language, texts: &Texts) -> String {
    format!("{} ({})", indicator.title.get(language.code()), survey(plan, indicator, language, texts))
}

/// Titles of the indicators that the run held back, as far as the reader would have had them.
pub(crate) fn held_back(plan: &Plan, reader: Reader<'_>, facts: &RunFacts, texts: &Texts) -> Vec<String> {
    let concerns = |found: &&Indicator| match reader {
        Reader::Region => true,
        Reader::Trust(unit) => plan.local_trusts(found).is_none_or(|trusts| trusts.contains(unit.id.as_str())),
    };
    let held_back = plan.indicators.values().filter(|found| facts.held_back.contains(&found.id)).filter(concerns);
    held_back.map(|found| indicator(plan, found, facts.language, texts)).collect()
}

/// A unit's name, and the unit above that tells it from others of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnitName {
    name: String,
    above: Option<String>,
}

impl UnitName {
    /// `Ortopedisk sengepost 1 (Moss)`.
    pub(crate) fn full(&self) -> String {
        self.with(&self.name)
    }

    /// At most about `length` characters: the name is cut, not what tells it apart.
    pub(crate) fn shortened(&self, length: usize) -> String {
        let full = self.full();
        let excess = full.chars().count().saturating_sub(length);
        if excess == 0 {
            return full;
        }
        let kept = self.name.chars().count().saturating_sub(excess + 1).max(length / 3);
        let start: String = self.name.chars().take(kept).collect();
        self.with(&format!("{}…", start.trim_end()))
    }

    fn with(&self, name: &str) -> String {
        self.above.as_ref().map_or_else(|| name.to_owned(), |above| format!("{name} ({above})"))
    }
}

/// The names of units that stand in one table.
pub(crate) struct UnitNames(BTreeMap<String, UnitName>);

impl UnitNames {
    /// Units of one level with one name get the nearest unit above that none of the others is below; where there is none, the
    /// nearest.
    pub(crate) fn among(organisation: &Organisation, units: &[&Unit], language: Language) -> Self {
        let name = |unit: &Unit| unit.name.get(language.code()).to_owned();
        let mut of_name: BTreeMap<_, Vec<&Unit>> = BTreeMap::new();
        for unit in units {
            of_name.entry((unit.level, name(unit))).or_default().push(unit);
        }
        let above =
            |unit: &Unit| -> Vec<String> { organisation.ancestry(&unit.id).into_iter().skip(1).map(name).collect() };
        let mut names = BTreeMap::new();
        for ((_, own), alike) in of_name {
            for unit in &alike {
                let others: Vec<String> =
                    alike.iter().filter(|other| other.id != unit.id).flat_map(|o| above(o)).collect();
                let chain = above(unit);
                let apart = chain.iter().find(|name| !others.contains(name)).or(chain.first());
                let above = apart.filter(|_| alike.len() > 1).cloned();
                names.insert(unit.id.clone(), UnitName { name: own.clone(), above });
            }
        }
        Self(names)
    }

    /// The name of `unit`; by itself where it is none of the table's.
    pub(crate) fn of(&self, unit: &Unit, language: Language) -> UnitName {
        let alone = || UnitName { name: unit.name.get(language.code()).to_owned(), above: None };
        self.0.get(&unit.id).cloned().unwrap_or_else(alone)
    }
}

#[cfg(test)]
mod tests {
    use prem_spec::{Level, Ownership, Text};

    use super::*;

    #[test]
    fn units_of_one_name_get_the_nearest_unit_that_tells_them_apart() {
        let unit = |id: &str, level: Level, name: &str, parent: &str| Unit {
            id: id.into(),
            level,
            name: Text { nb: name.into(), ..Text::default() },
            orgnr: None,
            resh_id: None,
            parent: (!parent.is_empty()).then(|| parent.into()),
            valid_from: jiff::civil::date(2020, 1, 1),
            valid_to: None,
            ownership: Ownership::Public,
            codes: BTreeMap::new(),
        };
        let units = vec![
            unit("trust", Level::Hf, "Østfold", ""),
            unit("kalnes", Level::Hospital, "Kalnes", "trust"),
            unit("moss", Level::Hospital, "Moss", "trust"),
            unit("own", Level::Hospital, "Østfold", "trust"),
            unit("k-dep", Level::Department, "Ortopedi", "kalnes"),
            unit("m-dep", Level::Department, "Ortopedi", "moss"),
            unit("k-1", Level::Ward, "Sengepost 1", "k-dep"),
            unit("m-1", Level::Ward, "Sengepost 1", "m-dep"),
            unit("m-2", Level::Ward, "Sengepost 2", "m-dep"),
        ];
        let organisation = Organisation { units: units.clone() };
        let told = |units: &[&Unit]| -> Vec<String> {
            let names = UnitNames::among(&organisation, units, Language::Bokmal);
            units.iter().map(|unit| names.of(unit, Language::Bokmal).full()).collect()
        };
        let all: Vec<&Unit> = units.iter().collect();
        let wanted = [
            "Østfold",
            "Kalnes",
            "Moss",
            "Østfold",
            "Ortopedi (Kalnes)",
            "Ortopedi (Moss)",
            "Sengepost 1 (Kalnes)",
            "Sengepost 1 (Moss)",
            "Sengepost 2",
        ];
        assert_eq!(told(&all), wanted, "a hospital of its trust's name has a level of its own");
        assert_eq!(told(&all[7..]), ["Sengepost 1", "Sengepost 2"], "only what stands in the table counts");
    }

    #[test]
    fn what_tells_a_unit_apart_is_never_cut() {
        let name = |name: &str, above: Option<&str>| UnitName { name: name.into(), above: above.map(str::to_owned) };
        assert_eq!(name("Medisin", None).shortened(10), "Medisin");
        assert_eq!(name("Medisinsk sengepost", None).shortened(10), "Medisinsk…");
        let long = name("Ortopedisk sengepost 1", Some("Moss"));
        assert_eq!(long.full(), "Ortopedisk sengepost 1 (Moss)");
        assert_eq!(long.shortened(20), "Ortopedisk s… (Moss)");
    }
}
