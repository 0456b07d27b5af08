//! Question bank and questionnaires: items, response scales, adjusters.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Serialize;

use super::{Code, Column, ColumnKind, Text};

/// A questionnaire with all its versions (`schemas/questionnaires/*.toml`, `kind = "questionnaire"`, one file a version),
/// its items taken from the bank.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Questionnaire {
    pub id: String,
    /// Of the newest version.
    pub title: Text,
    pub link: Link,
    /// Oldest first; no day belongs to two of them.
    pub versions: Vec<QuestionnaireVersion>,
    /// Every item that some version asks, everywhere or locally, worded as in the newest version that asks it. Each is a
    /// stored column.
    pub items: Vec<Item>,
    /// What case-mix adjustment may use, in declared order.
    pub adjusters: Vec<Adjuster>,
    /// Groups that values are shown by, that response is told by and that weights may be adjusted to, in declared order.
    pub stratifiers: Vec<Stratifier>,
}

impl Questionnaire {
    pub fn item(&self, id: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.id == id)
    }

    pub fn adjuster(&self, id: &str) -> Option<&Adjuster> {
        self.adjusters.iter().find(|adjuster| adjuster.id == id)
    }

    pub fn stratifier(&self, id: &str) -> Option<&Stratifier> {
        self.stratifiers.iter().find(|stratifier| stratifier.id == id)
    }

    pub fn version(&self, version: &str) -> Option<&QuestionnaireVersion> {
        self.versions.iter().find(|one| one.version == version)
    }

    /// The version that is sent today and tomorrow.
    pub fn newest(&self) -> Option<&QuestionnaireVersion> {
        self.versions.last()
    }

    /// Whether every form of every version asks the item, so that a file without it has lost it.
    pub fn asks_always(&self, item: &str) -> bool {
        self.versions.iter().all(|version| version.core_item(item).is_some())
    }

    /// The trusts that are asked all of `items`, where one of them is a local addition of some version; `None` where
    /// everybody is asked.
    pub fn local_trusts(&self, items: &[&str]) -> Option<BTreeSet<&str>> {
        let is_local = |item: &str| self.versions.iter().any(|version| version.is_local(item));
        let local_items: Vec<&str> = items.iter().copied().filter(|item| is_local(item)).collect();
        if local_items.is_empty() {
            return None;
        }
        let trusts = self.versions.iter().flat_map(|version| version.local.iter().map(move |local| (version, local)));
        let asks_all = |(version, local): &(&QuestionnaireVersion, &LocalItems)| {
            local_items.iter().all(|item| version.item_at(item, Some(&local.trust)).is_some())
        };
        Some(trusts.filter(asks_all).map(|(_, local)| local.trust.as_str()).collect())
    }

    /// The days from which a series over `items` is another: between two versions an item was reworded, added or dropped. An
    /// item that had no series before is no exception: the period of its first day has values of a part of its months only.
    pub fn series_breaks(&self, items: &[&str]) -> SeriesBreaks {
        let wording = |version: &QuestionnaireVersion, item: &str| version.wording(item).map(|item| item.version);
        let asks = |version: &QuestionnaireVersion| items.iter().any(|item| wording(version, item).is_some());
        let between = |pair: &[QuestionnaireVersion]| {
            let mut found = SeriesBreak {
                since: pair[1].valid_from,
                one_sided: asks(&pair[0]) != asks(&pair[1]),
                ..SeriesBreak::default()
            };
            for item in items {
                match (wording(&pair[0], item), wording(&pair[1], item)) {
                    (Some(before), Some(after)) if before != after => found.reworded.push((*item).to_owned()),
                    (None, Some(_)) => found.added.push((*item).to_owned()),
                    (Some(_), None) => found.dropped.push((*item).to_owned()),
                    _ => {}
                }
            }
            found.is_break().then_some(found)
        };
        SeriesBreaks(self.versions.windows(2).filter_map(between).collect())
    }
}

/// One version of a questionnaire: what was asked from a day until another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QuestionnaireVersion {
    pub version: String,
    pub title: Text,
    pub valid_from: Date,
    /// Exclusive; open when absent.
    pub valid_to: Option<Date>,
    /// The common core in the order of the form, each item as this version words it.
    pub items: Vec<Item>,
    /// What trusts ask besides, at most `local_items_max` items each.
    pub local: Vec<LocalItems>,
    pub local_items_max: u32,
}

impl QuestionnaireVersion {
    pub fn core_item(&self, id: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.id == id)
    }

    /// Whether some trust asks the item as an addition of its own.
    pub fn is_local(&self, id: &str) -> bool {
        self.local.iter().any(|local| local.items.iter().any(|item| item.id == id))
    }

    /// The item as patients of `trust` are asked it.
    pub fn item_at(&self, id: &str, trust: Option<&str>) -> Option<&Item> {
        let local = self.local.iter().filter(|local| Some(local.trust.as_str()) == trust);
        self.core_item(id).or_else(|| local.flat_map(|local| &local.items).find(|item| item.id == id))
    }

    /// Whether patients of `trust` can have a value of a measure over `items`: their form has at least one of them, and all
    /// that are additions of trusts.
    pub fn may_answer(&self, items: &[&str], trust: Option<&str>) -> bool {
        let has = |id: &str| self.item_at(id, trust).is_some();
        items.iter().any(|id| has(id)) && items.iter().filter(|id| self.is_local(id)).all(|id| has(id))
    }

    /// The item as this version words it, for everybody or for some trust.
    pub fn wording(&self, id: &str) -> Option<&Item> {
        let local = || self.local.iter().flat_map(|local| &local.items).find(|item| item.id == id);
        self.core_item(id).or_else(local)
    }

    pub fn holds(&self, day: Date) -> bool {
        self.valid_from <= day && self.valid_to.is_none_or(|end| day < end)
    }
}

/// Items of the bank that one trust asks besides the common core.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LocalItems {
    /// Unit id of the trust.
    pub trust: String,
    pub items: Vec<Item>,
}

/// Why values before and after a day are not one series: item ids by what happened to them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SeriesBreak {
    /// First day of the version that differs from the one before.
    pub since: Date,
    /// On one side of the day none of the series' items is asked.
    pub one_sided: bool,
    pub reworded: Vec<String>,
    pub added: Vec<String>,
    pub dropped: Vec<String>,
}

/// The breaks of a series, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeriesBreaks(Vec<SeriesBreak>);

impl SeriesBreaks {
    /// The latest break between the days `from` and `to` (exclusive): values of both sides of it are no series.
    pub fn latest(&self, from: Date, to: Date) -> Option<&SeriesBreak> {
        self.0.iter().rev().find(|found| from < found.since && found.since < to)
    }

    pub fn holds(&self, from: Date, to: Date) -> bool {
        self.latest(from, to).is_some()
    }
}

impl SeriesBreak {
    fn is_break(&self) -> bool {
        !(self.reworded.is_empty() && self.added.is_empty() && self.dropped.is_empty())
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
    /// Of the wording: another wording of the same question has another version, and breaks its series.
    pub version: u32,
    pub text: Text,
    pub theme: Option<String>,
    pub scale: ResponseScale,
    /// The question is worded negatively: the score runs the other way.
    pub reversed: bool,
    /// Asked only of those who gave one of these answers earlier in the form.
    pub asked_if: Option<AskedIf>,
}

/// A filter: the question is for those who answered `item` with one of `codes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AskedIf {
    pub item: String,
    pub codes: Vec<i16>,
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

impl ScaleCode {
    /// The question did not concern the respondent. With [`Self::DONT_KNOW`] one of two reasons that are told apart by name.
    pub const NOT_APPLICABLE: &'static str = "not-applicable";
    /// The respondent had no answer to it.
    pub const DONT_KNOW: &'static str = "dont-know";
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

/// A division of the respondents into groups: sex, age band, acute or planned, education, language.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stratifier {
    pub id: String,
    pub title: Text,
    /// A column of the contact or the response, or an item.
    pub column: String,
    pub levels: StratifierLevels,
    /// The column is the register's: known of everybody who was asked, not only of those who answered.
    pub from_register: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum StratifierLevels {
    /// A value in no band is of unknown level.
    Bands { bands: Vec<Band> },
    /// Codes with the same meaning form one group; other codes are of unknown level.
    Groups { groups: Vec<CodeGroup> },
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CodeGroup {
    pub label: String,
    pub codes: Vec<String>,
}

impl Stratifier {
    /// The column `stratum` of rows about everybody.
    pub const TOTAL: &'static str = "total";
    /// The label of what is in no declared level. It is never published and never counted.
    pub const UNKNOWN: &'static str = "unknown";

    /// Labels of the declared levels, in their order.
    pub fn labels(&self) -> Vec<&str> {
        match &self.levels {
            StratifierLevels::Bands { bands } => bands.iter().map(|band| band.label.as_str()).collect(),
            StratifierLevels::Groups { groups } => groups.iter().map(|group| group.label.as_str()).collect(),
        }
    }

    /// The text of the column `stratum` for a level; for what is in none where `level` is `None`.
    pub fn stratum(&self, level: Option<usize>) -> String {
        let label = level.and_then(|level| self.labels().get(level).copied()).unwrap_or(Self::UNKNOWN);
        format!("{}={label}", self.id)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// A form that asks `items`, each an id and the version of its wording.
    fn form(valid_from: Date, items: &[(&str, u32)]) -> QuestionnaireVersion {
        let scale = ResponseScale { id: "extent".into(), low: 1, high: 5, codes: Vec::new() };
        let item = |(id, version): &(&str, u32)| Item {
            id: (*id).to_owned(),
            version: *version,
            text: Text::default(),
            theme: None,
            scale: scale.clone(),
            reversed: false,
            asked_if: None,
        };
        QuestionnaireVersion {
            version: valid_from.to_string(),
            title: Text::default(),
            valid_from,
            valid_to: None,
            items: items.iter().map(item).collect(),
            local: Vec::new(),
            local_items_max: 0,
        }
    }

    #[test]
    fn a_series_breaks_where_an_item_is_reworded_and_where_one_comes_or_goes() {
        let days = [date(2024, 1, 1), date(2025, 3, 1), date(2025, 7, 1), date(2026, 1, 1)];
        let questionnaire = Questionnaire {
            id: "form".into(),
            title: Text::default(),
            link: Link::Response,
            versions: vec![
                form(days[0], &[("plan", 1)]),
                form(days[1], &[("plan", 2), ("time", 1)]),
                form(days[2], &[("plan", 2)]),
                form(days[3], &[("plan", 2), ("time", 1)]),
            ],
            items: Vec::new(),
            adjusters: Vec::new(),
            stratifiers: Vec::new(),
        };
        let found = |items: &[&str]| -> Vec<(Date, bool)> {
            let SeriesBreaks(breaks) = questionnaire.series_breaks(items);
            breaks.iter().map(|found| (found.since, found.one_sided)).collect()
        };
        assert_eq!(found(&["plan"]), [(days[1], false)], "worded anew once");
        assert_eq!(
            found(&["time"]),
            [(days[1], true), (days[2], true), (days[3], true)],
            "comes, goes, and comes again"
        );
        assert_eq!(found(&["plan", "time"]), [(days[1], false), (days[2], false), (days[3], false)]);
        assert_eq!(found(&["overall"]), [], "nobody was ever asked");
        let of_time = questionnaire.series_breaks(&["time"]);
        let first = of_time.latest(date(2025, 1, 1), date(2025, 7, 1)).expect("March is a part of the first quarter");
        assert_eq!(first.added, ["time"]);
        assert!(of_time.latest(days[0], days[1]).is_none(), "a break is not in the period that ends with it");
    }
}
