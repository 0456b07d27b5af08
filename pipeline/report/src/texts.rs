//! The words of pages and workbooks, by key and language.

use std::collections::BTreeMap;

use crate::{Language, ReportError};

const BOKMAL: &str = include_str!("../texts/nb.json");
const NYNORSK: &str = include_str!("../texts/nn.json");
const ENGLISH: &str = include_str!("../texts/en.json");

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
        let bokmal = Texts::load(Language::Bokmal).expect("readable").0;
        for language in Language::ALL {
            let texts = Texts::load(language).expect("readable").0;
            assert_eq!(texts.keys().collect::<Vec<_>>(), bokmal.keys().collect::<Vec<_>>());
            for (key, text) in &texts {
                assert_eq!(text.matches('{').count(), bokmal[key].matches('{').count(), "{key}");
                assert!(!text.trim().is_empty(), "{key}");
            }
        }
    }
}
