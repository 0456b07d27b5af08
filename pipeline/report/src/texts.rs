//! The words of pages and workbooks, by key and language.

use std::collections::BTreeMap;

use crate::{Language, ReportError};

const BOKMAL: &str = include_str!("../texts/nb.json");
const NYNORSK: &str = include_str!("../texts/nn.json");
const ENGLISH: &str = include_str!("../texts/en.json");
/// Of the data dictionary, in the order of the three above.
const DICTIONARY: [&str; 3] = [
    include_str!("../texts/dictionary.nb.json"),
    include_str!("../texts/dictionary.nn.json"),
    include_str!("../texts/dictionary.en.json"),
];

/// One language's words.
#[derive(Debug, Clone, serde::Serialize)]
#[serde(transparent)]
pub(crate) struct Texts(BTreeMap<String, String>);

impl Texts {
    pub(crate) fn load(language: Language) -> Result<Self, ReportError> {
        let file = match language {
            Language::Bokmal => BOKMAL,
            Language::Nynorsk => NYNORSK,
            Language::English => ENGLISH,
        };
        Self::parse(file, language)
    }

    /// The words of the data dictionary.
    pub(crate) fn dictionary(language: Language) -> Result<Self, ReportError> {
        let file = match language {
            Language::Bokmal => DICTIONARY[0],
            Language::Nynorsk => DICTIONARY[1],
            Language::English => DICTIONARY[2],
        };
        Self::parse(file, language)
    }

    fn parse(file: &str, language: Language) -> Result<Self, ReportError> {
        serde_json::from_str(file)
            .map(Self)
            .map_err(|error| ReportError::Texts { language: language.code(), reason: error.to_string() })
    }

    /// The text of `key`; the key itself where a text is missing, so that a gap is seen and not silent.
    pub(crate) fn get<'a>(&'a self, key: &'a str) -> &'a str {
        self.0.get(key).map_or(key, String::as_str)
    }

    /// The text of `key` with `{name}` replaced.
    pub(crate) fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        values.iter().fold(self.get(key).to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_every_text_with_the_same_places() {
        for load in [Texts::load, Texts::dictionary] {
            same_in_all(load);
        }
    }

    fn same_in_all(load: fn(Language) -> Result<Texts, ReportError>) {
        let bokmal = load(Language::Bokmal).expect("readable").0;
        for language in Language::ALL {
            let texts = load(language).expect("readable").0;
            assert_eq!(texts.keys().collect::<Vec<_>>(), bokmal.keys().collect::<Vec<_>>());
            for (key, text) in &texts {
                assert_eq!(text.matches('{').count(), bokmal[key].matches('{').count(), "{key}");
                assert!(!text.trim().is_empty(), "{key}");
            }
        }
    }
}
