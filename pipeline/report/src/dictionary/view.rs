//! Every word of the dictionary as it will be read.

use prem_spec::{Column, Condition, Constraint, Dataset, OnBreak, Plan, Rule, RuleKind, Text};
use serde::Serialize;

use crate::{Language, texts::Texts};

/// Reasons that no column of its own demands.
const COMMON_REASONS: [&str; 7] = [
    "not-utf8",
    "malformed-quote",
    "wrong-field-count",
    "control-character",
    "identity-number",
    "contact-details",
    "outside-period",
];

#[derive(Debug, Serialize)]
pub(super) struct Dictionary {
    pub(super) datasets: Vec<Entry>,
    /// Reason → what it means, in the order of the words.
    pub(super) reasons: Vec<(String, String)>,
}

#[derive(Debug, Serialize)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) title: String,
    /// What a row is, and its key.
    pub(super) lead: String,
    pub(super) columns: Vec<ColumnRow>,
    pub(super) rules: Vec<RuleRow>,
    /// Only of responses.
    pub(super) note: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct ColumnRow {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) description: String,
    pub(super) demands: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct RuleRow {
    pub(super) id: String,
    pub(super) demand: String,
    pub(super) description: String,
    pub(super) consequence: String,
}

impl Dictionary {
    pub(super) fn of(plan: &Plan, language: Language, texts: &Texts) -> Self {
        let words = Words { language, texts };
        let mut reasons: Vec<&str> = COMMON_REASONS.to_vec();
        for column in plan.datasets.values().flat_map(|dataset| &dataset.columns) {
            reasons.extend(column.kind.reason());
            reasons.extend(column.constraints().iter().filter_map(Constraint::reason));
        }
        reasons.sort_unstable();
        reasons.dedup();
        Self {
            datasets: plan.datasets.values().map(|dataset| words.entry(dataset)).collect(),
            reasons: reasons
                .into_iter()
                .map(|reason| (reason.to_owned(), texts.get(&format!("reason_{}", snake(reason))).to_owned()))
                .collect(),
        }
    }
}

/// `date-time` as part of a text's key.
fn snake(word: &str) -> String {
    word.replace('-', "_")
}

struct Words<'a> {
    language: Language,
    texts: &'a Texts,
}

impl Words<'_> {
    fn read<'t>(&self, text: &'t Text) -> &'t str {
        text.get(self.language.code())
    }

    fn entry(&self, dataset: &Dataset) -> Entry {
        let key = dataset.key.join(", ");
        Entry {
            name: dataset.name.clone(),
            version: dataset.version.clone(),
            title: self.read(&dataset.title).to_owned(),
            lead: self.texts.fill("dataset_lead", &[("row", self.read(&dataset.row)), ("key", &key)]),
            columns: dataset.columns.iter().map(|column| self.column(column)).collect(),
            rules: dataset.rules.iter().map(|rule| self.rule(rule)).collect(),
            note: (dataset.name == "responses").then(|| self.texts.get("responses_note").to_owned()),
        }
    }

    fn column(&self, column: &Column) -> ColumnRow {
        let mut demands: Vec<String> = column.constraints().iter().map(|constraint| self.demand(constraint)).collect();
        demands.extend(column.identifying.then(|| self.texts.get("identifying").to_owned()));
        demands.extend(column.eleven_digits_are_pseudonyms.then(|| self.texts.get("pseudonyms").to_owned()));
        ColumnRow {
            name: column.name.clone(),
            kind: self.texts.get(&format!("type_{}", snake(column.kind.word()))).to_owned(),
            description: self.read(&column.description).to_owned(),
            demands,
        }
    }

    fn demand(&self, constraint: &Constraint<'_>) -> String {
        let fill = |key: &str, values: &[(&str, &str)]| self.texts.fill(key, values);
        match constraint {
            Constraint::Required => fill("required", &[]),
            Constraint::Unique => fill("unique", &[]),
            Constraint::References(to) => fill("references", &[("dataset", &to.dataset), ("column", &to.column)]),
            Constraint::MaxLength(length) => fill("max_length", &[("length", &length.to_string())]),
            Constraint::Pattern(pattern) => fill("pattern", &[("pattern", pattern)]),
            Constraint::Codes(codes) => {
                let each: Vec<String> =
                    codes.iter().map(|code| format!("{} = {}", code.code, self.read(&code.label))).collect();
                fill("codes", &[("codes", &each.join("; "))])
            }
            Constraint::IntegerRange { min, max } => {
                self.range((*min > i64::MIN).then(|| min.to_string()), (*max < i64::MAX).then(|| max.to_string()))
            }
            Constraint::NumberRange { min, max } => {
                self.range((*min > f64::MIN).then(|| self.number(*min)), (*max < f64::MAX).then(|| self.number(*max)))
            }
            Constraint::DateRange { min, max } => self.range(Some(min.to_string()), Some(max.to_string())),
        }
    }

    fn range(&self, min: Option<String>, max: Option<String>) -> String {
        match (min, max) {
            (Some(min), Some(max)) => self.texts.fill("range", &[("min", &min), ("max", &max)]),
            (Some(min), None) => self.texts.fill("range_min", &[("min", &min)]),
            (None, Some(max)) => self.texts.fill("range_max", &[("max", &max)]),
            (None, None) => String::new(),
        }
    }

    /// With the language's decimal sign.
    fn number(&self, number: f64) -> String {
        let text = number.to_string();
        if self.language == Language::English { text } else { text.replace('.', ",") }
    }

    fn rule(&self, rule: &Rule) -> RuleRow {
        let reason = rule.reason();
        let consequence = match rule.on_break {
            OnBreak::Row => self.texts.fill("on_break_row", &[("reason", &reason)]),
            OnBreak::Cell => {
                let column = rule.subject().unwrap_or_default();
                self.texts.fill("on_break_cell", &[("reason", &reason), ("column", column)])
            }
        };
        RuleRow {
            id: rule.id.clone(),
            demand: self.rule_demand(rule),
            description: self.read(&rule.description).to_owned(),
            consequence,
        }
    }

    fn rule_demand(&self, rule: &Rule) -> String {
        let fill = |key: &str, values: &[(&str, &str)]| self.texts.fill(key, values);
        match &rule.kind {
            RuleKind::LaterOrEqual { earlier, later } => {
                fill("rule_later_or_equal", &[("earlier", earlier), ("later", later)])
            }
            RuleKind::LessOrEqual { smaller, larger } => {
                fill("rule_less_or_equal", &[("smaller", smaller), ("larger", larger)])
            }
            RuleKind::RequiredIf { column, when } => {
                fill("rule_required_if", &[("column", column), ("when", &self.conditions(when))])
            }
            RuleKind::OnlyIf { column, when } => {
                fill("rule_only_if", &[("column", column), ("when", &self.conditions(when))])
            }
            RuleKind::OneOfPresent { columns } => fill("rule_one_of_present", &[("columns", &columns.join(", "))]),
        }
    }

    fn conditions(&self, when: &[Condition]) -> String {
        let each: Vec<String> = when
            .iter()
            .map(|condition| match &condition.codes[..] {
                [] => self.texts.fill("condition_present", &[("column", &condition.column)]),
                codes => {
                    let codes = codes.join(&format!(" {} ", self.texts.get("or")));
                    self.texts.fill("condition_codes", &[("column", &condition.column), ("codes", &codes)])
                }
            })
            .collect();
        each.join(&format!(" {} ", self.texts.get("and")))
    }
}
