//! The typed plan: what every other crate reads instead of TOML.

/// The words of an enum in declarations and tables, each written once.
macro_rules! words {
    ($name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $name {
            /// Every value, in its order, with its word.
            pub const WORDS: &'static [(&'static str, Self)] = &[$(($word, Self::$variant)),+];

            /// The word of declarations and tables.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            /// The value of a word; `None` where it is no such word.
            pub fn of_word(word: &str) -> Option<Self> {
                Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
            }
        }
    };
}

mod constraint;
mod dataset;
mod draw;
mod expected;
mod export;
mod indicator;
mod municipality;
mod organisation;
mod period_length;
mod questionnaire;
mod rule;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::Period;

pub use constraint::Constraint;
pub use dataset::{Code, Column, ColumnKind, Dataset, IDENTITY_COLUMNS, Reference};
pub use draw::{DrawPlan, Quota};
pub use expected::{Arrival, Every, Expected, Missing, NamePattern, Outlook, Span};
pub use export::{
    Covers, DeliveryMode, Encoding, Export, ExtraColumns, FileFormat, PeriodOfFile, ResourceElement, Sequence,
    SourceColumn, SourceValue,
};
pub use indicator::{
    Adjustment, Alternative, BetaSource, CaseMix, Comparison, ContactFilter, Convention, Direction, Exclusion,
    FamilyCorrection, GoalLevels, Indicator, IntervalMethod, Measure, MissingAdjuster, Population, PrimaryReason,
    Protection, Shrinkage, StandardPopulation, Standardisation, ValueScale, Weighting, Weights,
};
pub use municipality::{
    District, Lineage, Municipalities, Municipality, Renumbering, Step, district_of, municipality_number,
};
pub use organisation::{Level, Organisation, Ownership, Unit};
pub use period_length::PeriodLength;
pub use questionnaire::{
    Adjuster, AdjusterKind, AskedIf, Band, CodeGroup, Item, Link, LocalItems, Questionnaire, QuestionnaireVersion,
    ResponseScale, ScaleCode, SeriesBreak, SeriesBreaks, Stratifier, StratifierLevels,
};
pub use rule::{Condition, OnBreak, Rule, RuleKind};

/// A text in the languages of the region: bokmål always, nynorsk and English where somebody wrote them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Text {
    pub nb: String,
    pub nn: Option<String>,
    pub en: Option<String>,
}

impl Text {
    /// The text in `language` (`nb`, `nn` or `en`), or the bokmål text where there is none.
    pub fn get(&self, language: &str) -> &str {
        match language {
            "nn" => self.nn.as_deref().unwrap_or(&self.nb),
            "en" => self.en.as_deref().unwrap_or(&self.nb),
            _ => &self.nb,
        }
    }
}

/// Everything the declarations say, checked and cross-referenced. Maps are ordered, so iteration order is fixed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    pub datasets: BTreeMap<String, Dataset>,
    pub exports: BTreeMap<String, Export>,
    pub questionnaires: BTreeMap<String, Questionnaire>,
    pub indicators: BTreeMap<String, Indicator>,
    pub organisation: Organisation,
    pub municipalities: Municipalities,
    /// Sampling plans. They decide who is asked, and so what later answers stand for.
    pub draws: BTreeMap<String, DrawPlan>,
}

impl Plan {
    /// SHA-256 of the plan in lower-case hexadecimal: the same declarations, the same hash, whatever the files' layout.
    pub fn hash(&self) -> String {
        // Serialising plain structs, maps with string keys and finite numbers cannot fail.
        let text = serde_json::to_vec(self).unwrap_or_default();
        Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The columns that the stored table of `export` has: the dataset's own, and for responses one per item.
    pub fn stored_columns(&self, export: &Export) -> Vec<Column> {
        let Some(dataset) = self.datasets.get(&export.dataset) else { return Vec::new() };
        let mut columns = dataset.columns.clone();
        if let Some(questionnaire) = export.questionnaire.as_ref().and_then(|id| self.questionnaires.get(id)) {
            columns.extend(questionnaire.items.iter().map(Item::column));
        }
        columns
    }

    /// The questionnaire that an indicator reads.
    pub fn questionnaire_of(&self, indicator: &Indicator) -> Option<&Questionnaire> {
        self.questionnaires.get(indicator.population.questionnaire.as_deref()?)
    }

    /// What keeps the indicator's series from running on from the period before `period` to its end: there is no change from
    /// the one to the other.
    pub fn series_break(&self, indicator: &Indicator, period: Period) -> Option<SeriesBreak> {
        let from = period.previous().unwrap_or(period).start();
        self.series_breaks(indicator)?.latest(from, period.end()).cloned()
    }

    /// Every break of the indicator's series; `None` for rates, which ask nobody.
    pub fn series_breaks(&self, indicator: &Indicator) -> Option<SeriesBreaks> {
        Some(self.questionnaire_of(indicator)?.series_breaks(&indicator.measure.items()))
    }

    /// The trusts that an indicator is about, where it reads local additions; `None` where it is about the whole region.
    pub fn local_trusts(&self, indicator: &Indicator) -> Option<BTreeSet<&str>> {
        self.questionnaire_of(indicator)?.local_trusts(&indicator.measure.items())
    }
}
