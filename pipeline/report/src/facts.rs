//! What a release says of the run that made it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

/// Language of the pages and of the workbooks' headings. Tables have the contract's names in every language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    #[default]
    Bokmal,
    Nynorsk,
    English,
}

impl Language {
    pub const ALL: [Self; 3] = [Self::Bokmal, Self::Nynorsk, Self::English];

    /// `nb`, `nn` or `en`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Bokmal => "nb",
            Self::Nynorsk => "nn",
            Self::English => "en",
        }
    }

    /// The language with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }
}

/// The run behind a release. No time of day: the same run writes the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunFacts {
    pub run_id: String,
    pub plan_hash: String,
    pub method_version: String,
    pub program_version: String,
    pub language: Language,
    /// The sample generator made the data: every page, workbook and package says so.
    pub is_synthetic: bool,
    /// Questionnaire id → last day of the latest month that answers are about: of contacts, or of the answers where there is no
    /// register. A questionnaire that is not here says nothing of how far its answers reach.
    pub answers_until: BTreeMap<String, Date>,
    /// Indicators without a number because a file that they rest on was refused.
    pub held_back: BTreeSet<String>,
}
