//! Rules across columns of one row.
//!
//! A rule that lacks a value it would compare breaks nothing: what is missing is the business of `required`, `required-if` and
//! `one-of-present` alone.

use serde::Serialize;

use super::Text;

/// A rule across columns of one row, and what becomes of a row that breaks it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rule {
    pub id: String,
    pub description: Text,
    #[serde(flatten)]
    pub kind: RuleKind,
    pub on_break: OnBreak,
}

/// What a rule demands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum RuleKind {
    /// `later` is not before `earlier`. Where one of them is a day, both are compared as days.
    LaterOrEqual { earlier: String, later: String },
    /// `smaller` is not above `larger`.
    LessOrEqual { smaller: String, larger: String },
    /// `column` has a value wherever every condition holds.
    RequiredIf { column: String, when: Vec<Condition> },
    /// `column` has a value only where no condition fails, such as an item that is asked of some.
    OnlyIf { column: String, when: Vec<Condition> },
    /// At least one of `columns` has a value.
    OneOfPresent { columns: Vec<String> },
}

/// A column has one of `codes`, or any value where there are none.
///
/// It fails where the column has another code, or an answer that was set aside by a rule before; a missing value decides nothing
/// where codes are named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Condition {
    pub column: String,
    pub codes: Vec<String>,
}

/// What becomes of a row that breaks a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnBreak {
    /// The row goes to quarantine.
    Row,
    /// The row is kept and the rule's own cell is set to missing, counted by column and reason.
    Cell,
}

impl Rule {
    /// Under which reason a row or cell that breaks the rule is counted.
    pub fn reason(&self) -> String {
        format!("rule:{}", self.id)
    }

    /// The column that is wrong where the rule is broken; `None` where no single one is.
    pub fn subject(&self) -> Option<&str> {
        match &self.kind {
            RuleKind::LaterOrEqual { later: column, .. }
            | RuleKind::LessOrEqual { smaller: column, .. }
            | RuleKind::RequiredIf { column, .. }
            | RuleKind::OnlyIf { column, .. } => Some(column),
            RuleKind::OneOfPresent { .. } => None,
        }
    }

    /// The column whose cell the rule sets to missing; `None` where it costs the row.
    pub fn clears(&self) -> Option<&str> {
        if self.on_break == OnBreak::Cell { self.subject() } else { None }
    }

    /// Every column that the rule reads.
    pub fn columns(&self) -> Vec<&str> {
        match &self.kind {
            RuleKind::LaterOrEqual { earlier, later } => vec![earlier, later],
            RuleKind::LessOrEqual { smaller, larger } => vec![smaller, larger],
            RuleKind::RequiredIf { column, when } | RuleKind::OnlyIf { column, when } => std::iter::once(column)
                .chain(when.iter().map(|condition| &condition.column))
                .map(String::as_str)
                .collect(),
            RuleKind::OneOfPresent { columns } => columns.iter().map(String::as_str).collect(),
        }
    }
}
