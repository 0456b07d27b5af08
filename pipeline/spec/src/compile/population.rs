//! `[population]`: who counts in an indicator.

use super::{
    indicator::count,
    reader::{At, Node, is_word},
    scope::{Names, Scope},
};
use crate::model::{ColumnKind, Exclusion, Level, Link, Measure, Plan, Population, Questionnaire};

/// What a contact says, and a response without a contact does not.
const OF_CONTACTS: [&str; 7] =
    ["age_min", "age_max", "care_levels", "urgencies", "stay_hours_min", "stay_hours_max", "main_diagnoses"];
/// Reasons that every indicator may have, so that an exclusion of the same name would be mistaken for them.
const OWN_REASONS: [&str; 10] = [
    "not-asked",
    "not-answered",
    "filtered",
    "age",
    "age-unknown",
    "care-level",
    "urgency",
    "stay-unknown",
    "stay-length",
    "main-diagnosis",
];

pub(super) fn read(node: Node<'_>, scope: &Scope, plan: &Plan) -> Option<Population> {
    let questionnaire = node.opt_string("questionnaire");
    if let Some(id) = &questionnaire {
        node.refer("questionnaire", id, &scope.questionnaires);
    }
    let source = questionnaire.as_ref().and_then(|id| plan.questionnaires.get(&id.value));
    let contacts = contacts(&node, plan);
    let items = Scope::members(&scope.questionnaire_items, questionnaire.as_ref().map_or("", |id| &id.value));
    let read = |table| exclusion(table, source, &items, plan);
    let exclude = node.tables("exclude").into_iter().filter_map(read).collect();
    if source.is_some_and(|source| source.link == Link::Response)
        && let Some(key) = OF_CONTACTS.iter().find(|key| node.has(key))
    {
        node.error(
            node.span_of(key),
            format!("`{key}` needs a contact, and this questionnaire links via the response"),
            Some("leave it out, or link via \"contact\"".into()),
        );
    }
    // A misspelt or unreadable questionnaire is no missing one.
    let is_readable = questionnaire.is_some() || !(node.has("questionnaire") || node.has_strangers());
    node.finish();
    is_readable.then(|| Population { questionnaire: questionnaire.map(|at| at.value), exclude, ..contacts })
}

/// `[eligible]` of a sampling plan: what the register says of contacts that may be drawn, and the main diagnoses that may not.
pub(super) fn read_contacts(node: Node<'_>, plan: &Plan) -> (Population, Vec<String>) {
    let contacts = contacts(&node, plan);
    let excluded = texts(&node, "main_diagnoses_excluded");
    node.finish();
    (contacts, excluded)
}

/// The conditions on contacts.
fn contacts(node: &Node<'_>, plan: &Plan) -> Population {
    let (age_min, age_max) = limits(node, "age_min", "age_max");
    let (stay_hours_min, stay_hours_max) = limits(node, "stay_hours_min", "stay_hours_max");
    Population {
        questionnaire: None,
        age_min,
        age_max,
        care_levels: codes(node, "care_levels", "care_level", plan),
        urgencies: codes(node, "urgencies", "urgency", plan),
        stay_hours_min,
        stay_hours_max,
        main_diagnoses: texts(node, "main_diagnoses"),
        exclude: Vec::new(),
    }
}

fn texts(node: &Node<'_>, key: &'static str) -> Vec<String> {
    node.strings(key).into_iter().map(|at| at.value).collect()
}

fn limits(node: &Node<'_>, low: &'static str, high: &'static str) -> (Option<i64>, Option<i64>) {
    let (min, max) = (count(node, low, 0..=i64::MAX), count(node, high, 0..=i64::MAX));
    if min.zip(max).is_some_and(|(min, max)| min > max) {
        node.error(node.span_of(high), format!("`{high}` is below `{low}`: nobody counts"), None);
    }
    (min, max)
}

/// Codes of a column of contacts.
fn codes(node: &Node<'_>, key: &'static str, column: &str, plan: &Plan) -> Vec<String> {
    let given = node.strings(key);
    let kind = plan.datasets.get("contacts").and_then(|contacts| contacts.column(column)).map(|column| &column.kind);
    check_codes(node, &given, kind);
    given.into_iter().map(|at| at.value).collect()
}

fn check_codes(node: &Node<'_>, given: &[At<String>], kind: Option<&ColumnKind>) {
    let Some(ColumnKind::Code { codes: known }) = kind else { return };
    for at in given {
        if !known.iter().any(|code| code.code == at.value) {
            let known: Vec<&str> = known.iter().map(|code| code.code.as_str()).collect();
            node.error(
                at.span.clone(),
                format!("«{}» is no code of the column", at.value),
                Some(format!("known: {}", known.join(", "))),
            );
        }
    }
}

/// Columns with codes that a linked response has besides its items.
const OF_RESPONSE: [&str; 2] = ["mode", "language"];
const OF_CONTACT: [&str; 4] = ["sex", "urgency", "care_level", "discharge_status"];

fn exclusion(node: Node<'_>, source: Option<&Questionnaire>, items: &Names, plan: &Plan) -> Option<Exclusion> {
    let reason = node.string("reason");
    if let Some(at) = &reason {
        if !is_word(&at.value) {
            node.error(at.span.clone(), "a reason is one word: lower-case letters, digits and -", None);
        } else if OWN_REASONS.contains(&at.value.as_str()) {
            node.error(at.span.clone(), format!("«{}» is a reason of the program's own", at.value), None);
        }
    }
    let column = node.string("column");
    let codes = node.strings("codes");
    if node.lacks("codes") {
        node.error(node.span_of("codes"), "`codes` needs at least one code", Some("codes = [\"2\"]".to_owned()));
    }
    if let (Some(column), Some(source)) = (&column, source) {
        check_column(&node, column, &codes, source, items, plan);
    }
    node.finish();
    Some(Exclusion {
        reason: reason?.value,
        column: column?.value,
        codes: codes.into_iter().map(|at| at.value).collect(),
    })
}

fn check_column(
    node: &Node<'_>,
    column: &At<String>,
    codes: &[At<String>],
    source: &Questionnaire,
    items: &Names,
    plan: &Plan,
) {
    let name = column.value.as_str();
    let has_contact = source.link != Link::Response;
    let is_contact = has_contact && OF_CONTACT.contains(&name);
    if items.may_hold(name) {
        // An item that is declared and could not be read is a mistake of its own.
        check_codes(node, codes, source.item(name).map(|item| item.column().kind).as_ref());
    } else if OF_RESPONSE.contains(&name) || is_contact {
        let dataset = plan.datasets.get(if is_contact { "contacts" } else { "responses" });
        check_codes(node, codes, dataset.and_then(|dataset| dataset.column(name)).map(|column| &column.kind));
    } else {
        let message = if OF_CONTACT.contains(&name) {
            format!("«{name}» needs a contact, and this questionnaire links via the response")
        } else {
            format!("«{name}» has no codes that could exclude somebody")
        };
        let of_response = "an item of the questionnaire, mode or language";
        let known = if has_contact {
            format!("{of_response}; of a contact: {}", OF_CONTACT.join(", "))
        } else {
            of_response.to_owned()
        };
        node.error(column.span.clone(), message, Some(known));
    }
}

/// What only some trusts ask cannot be compared with the region, which was not asked.
pub(super) fn check_local(node: &Node<'_>, questionnaire: &Questionnaire, measure: &Measure, levels: &[Level]) {
    let Some(trusts) = questionnaire.local_trusts(&measure.items()) else { return };
    if trusts.is_empty() {
        node.error(node.span_of("measure"), "no trust is asked all of these items", None);
    }
    if levels.contains(&Level::Rhf) {
        let trusts: Vec<&str> = trusts.into_iter().collect();
        node.error(
            node.span_of("levels"),
            format!("its items are asked in {} only: there is no value of the region", trusts.join(", ")),
            Some("leave \"rhf\" out".to_owned()),
        );
    }
}
