//! Question bank and questionnaires: items, response scales, adjusters.

use jiff::civil::Date;
use serde::Serialize;

use super::{Code, Column, ColumnKind, Text};

/// A questionnaire (`schemas/questionnaires/*.toml`, `kind = "questionnaire"`), its items taken from the bank.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Questionnaire {
    pub id: String,
    pub version: String,
    pub title: Text,
    pub valid_from: Date,
    /// Exclusive; open when absent.
    pub valid_to: Option<Date>,
    pub link: Link,
    /// In the order of the questionnaire.
    pub items: Vec<Item>,
    /// What case-mix adjustment may use, in declared order.
    pub adjusters: Vec<Adjuster>,
}

impl Questionnaire {
    pub fn item(&self, id: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.id == id)
    }

    pub fn adjuster(&self, id: &str) -> Option<&Adjuster> {
        self.adjusters.iter().find(|adjuster| adjuster.id == id)
    }
}

/// How a response finds its contact, and with it its unit and its period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "via", rename_all = "kebab-case")]
pub enum Link {
    /// Through its invitation or contact id. Answers later than `answer_days_max` days after discharge are out of window.
    Contact { answer_days_max: i64 },
    /// The response carries its own unit code, and its period is that of `answered_at`: surveys without a register.
    Response,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Item {
    pub id: String,
    pub version: u32,
    pub text: Text,
    pub theme: Option<String>,
    pub scale: ResponseScale,
    /// The question is worded negatively: the score runs the other way.
    pub reversed: bool,
}

impl Item {
    /// The stored column of the item: its raw code, also where that means «not applicable».
    pub fn column(&self) -> Column {
        let mut codes: Vec<Code> = self
            .scale
            .codes
            .iter()
            .map(|code| Code { code: code.code.to_string(), label: code.label.clone() })
            .collect();
        codes.sort_by_key(|code| code.code.parse::<i16>().unwrap_or(i16::MAX));
        Column {
            name: self.id.clone(),
            kind: ColumnKind::Code { codes },
            required: false,
            unique: false,
            references: None,
            identifying: false,
            eleven_digits_are_pseudonyms: false,
            leading_zeros: false,
            description: self.text.clone(),
        }
    }
}

/// The answers an item may have: `low..=high` are scored, the others are counted under their reason.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResponseScale {
    pub id: String,
    pub low: i16,
    pub high: i16,
    pub codes: Vec<ScaleCode>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScaleCode {
    pub code: i16,
    pub label: Text,
    /// `None`: a scored answer. `Some("not-applicable")`, `Some("dont-know")` …: missing, counted under this reason.
    pub missing_reason: Option<String>,
}

/// A patient characteristic that case-mix adjustment may use.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Adjuster {
    pub id: String,
    pub title: Text,
    /// A column of the contact or the response, or an item.
    pub column: String,
    pub kind: AdjusterKind,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum AdjusterKind {
    /// Enters as it is, in the column's own unit; values outside `min..=max` are missing.
    Continuous { min: f64, max: f64 },
    /// One indicator per band but the first; a value in no band is missing.
    Bands { bands: Vec<Band> },
    /// One indicator per level but the first; other codes are missing.
    Levels { levels: Vec<String> },
}

/// Numbers from `from` up to but not including `to`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Band {
    pub label: String,
    pub from: f64,
    pub to: Option<f64>,
}
