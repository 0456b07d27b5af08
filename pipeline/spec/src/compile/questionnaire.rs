//! `schemas/questionnaires/*.toml`: question banks (`kind = "bank"`) and questionnaires (`kind = "questionnaire"`).

use std::collections::{BTreeMap, BTreeSet};

use super::reader::{At, Node};
use crate::model::{Adjuster, AdjusterKind, Band, Item, Link, Plan, Questionnaire, ResponseScale, ScaleCode, Text};

/// All banks together: what a questionnaire may pick from.
#[derive(Default)]
pub(super) struct Bank {
    scales: BTreeMap<String, ResponseScale>,
    items: BTreeMap<String, Item>,
    /// Declared ids, also of items that could not be read, so that one mistake is not reported twice.
    declared: BTreeSet<String>,
}

pub(super) fn read_scales(node: &Node<'_>, bank: &mut Bank) {
    for scale in node.tables("scale") {
        let span = scale.span.clone();
        if let Some(scale) = read_scale(scale)
            && let Some(twice) = bank.scales.insert(scale.id.clone(), scale)
        {
            node.error(span, format!("scale «{}» is declared twice", twice.id), None);
        }
    }
}

pub(super) fn read_items(node: &Node<'_>, bank: &mut Bank) {
    for item in node.tables("item") {
        let span = item.span.clone();
        if let Some(id) = item.opt_string("id")
            && !bank.declared.insert(id.value.clone())
        {
            node.error(span, format!("item «{}» is declared twice", id.value), None);
        }
        if let Some(item) = read_item(item, bank) {
            bank.items.insert(item.id.clone(), item);
        }
    }
}

fn read_scale(node: Node<'_>) -> Option<ResponseScale> {
    let id = node.string("id");
    let low = node.integer("low").and_then(|at| code_of(&node, at));
    let high = node.integer("high").and_then(|at| code_of(&node, at));
    let labels = node.opt_table("codes");
    let missing = node.string_map("missing");
    let (id, low, high) = (id?, low?, high?);
    if low >= high {
        node.error(id.span.clone(), format!("scale «{}» runs from {low} to {high}: nothing to score", id.value), None);
    }
    let label = |code: i16| labels.as_ref().filter(|t| t.has(&code.to_string())).and_then(|t| t.text_of(&code.to_string()));
    let plain = |text: String| Text { nb: text, ..Text::default() };
    let mut codes: Vec<ScaleCode> = (low..=high)
        .map(|code| ScaleCode {
            code,
            label: label(code).unwrap_or_else(|| plain(code.to_string())),
            missing_reason: None,
        })
        .collect();
    for (text, reason) in missing {
        let Ok(code) = text.parse::<i16>() else {
            node.error(node.span.clone(), format!("«{text}» under `missing` is not a whole-number code"), None);
            continue;
        };
        if (low..=high).contains(&code) {
            node.error(node.span.clone(), format!("code {code} is both scored and missing"), None);
        }
        let label = label(code).unwrap_or_else(|| plain(reason.clone()));
        codes.push(ScaleCode { code, label, missing_reason: Some(reason) });
    }
    for key in labels.iter().flat_map(Node::keys) {
        if !codes.iter().any(|code| code.code.to_string() == key) {
            node.error(node.span.clone(), format!("label for «{key}», which is no code of the scale"), None);
        }
    }
    node.finish();
    Some(ResponseScale { id: id.value, low, high, codes })
}

fn code_of(node: &Node<'_>, at: At<i64>) -> Option<i16> {
    let code = i16::try_from(at.value).ok();
    if code.is_none() {
        node.error(at.span, "a code is a whole number from −32768 to 32767", None);
    }
    code
}

fn read_item(node: Node<'_>, bank: &Bank) -> Option<Item> {
    let id = node.string("id");
    let version = node.opt_integer("version").map_or(1, |at| u32::try_from(at.value).unwrap_or(1));
    let text = node.text("text");
    let theme = node.opt_string("theme").map(|at| at.value);
    let scale = node.string("scale");
    let reversed = node.opt_bool("reversed").unwrap_or(false);
    if let Some(id) = id.as_ref().filter(|id| !super::dataset::is_identifier(&id.value)) {
        node.error(id.span.clone(), "an item's id is lower-case letters, digits and _: it names a stored column", None);
    }
    let found = scale.as_ref().and_then(|scale| bank.scales.get(&scale.value));
    if let Some(scale) = scale.as_ref().filter(|_| found.is_none()) {
        node.unknown("scale", scale, &bank.scales.keys().map(String::as_str).collect::<Vec<_>>());
    }
    node.finish();
    Some(Item { id: id?.value, version, text: text?, theme, scale: found?.clone(), reversed })
}

pub(super) fn read(node: Node<'_>, bank: &Bank, plan: &Plan) -> Option<Questionnaire> {
    let id = node.string("id");
    let version = node.string("version");
    let title = node.text("title");
    let valid_from = node.date("valid_from");
    let valid_to = node.opt_date("valid_to");
    let known: Vec<&str> = bank.declared.iter().map(String::as_str).collect();
    let mut items: Vec<Item> = Vec::new();
    for name in node.strings("items") {
        if items.iter().any(|item| item.id == name.value) {
            node.error(name.span, format!("item «{}» stands twice in the questionnaire", name.value), None);
        } else if let Some(item) = bank.items.get(&name.value) {
            items.push(item.clone());
        } else if !bank.declared.contains(&name.value) {
            node.unknown("item", &name, &known);
        }
    }
    let link = node.table("link").and_then(read_link);
    let stored = columns_for_adjusters(&items, plan);
    let adjusters = node.tables("adjuster").into_iter().filter_map(|adjuster| read_adjuster(adjuster, &stored)).collect();
    for name in items.iter().map(|item| item.id.as_str()).filter(|id| plan_has_column(plan, id)) {
        node.error(node.span.clone(), format!("item «{name}» has the name of a column of responses or contacts"), None);
    }
    node.finish();
    Some(Questionnaire {
        id: id?.value,
        version: version?.value,
        title: title?,
        valid_from: valid_from?.value,
        valid_to: valid_to.map(|at| at.value),
        link: link?,
        items,
        adjusters,
    })
}

const LINKED: [&str; 2] = ["responses", "contacts"];

fn plan_has_column(plan: &Plan, name: &str) -> bool {
    LINKED.iter().any(|dataset| plan.datasets.get(*dataset).is_some_and(|dataset| dataset.column(name).is_some()))
}

fn columns_for_adjusters(items: &[Item], plan: &Plan) -> BTreeSet<String> {
    let linked = LINKED.iter().filter_map(|name| plan.datasets.get(*name)).flat_map(|dataset| &dataset.columns);
    linked.map(|column| column.name.clone()).chain(items.iter().map(|item| item.id.clone())).collect()
}

fn read_link(node: Node<'_>) -> Option<Link> {
    #[derive(Clone, Copy)]
    enum Via {
        Contact,
        Response,
    }
    let via = node.choice("via", &[("contact", Via::Contact), ("response", Via::Response)]);
    let days = matches!(via, Some(Via::Contact)).then(|| node.integer("answer_days_max")).flatten();
    node.finish();
    Some(match via? {
        Via::Contact => Link::Contact { answer_days_max: days?.value },
        Via::Response => Link::Response,
    })
}

fn read_adjuster(node: Node<'_>, stored: &BTreeSet<String>) -> Option<Adjuster> {
    let id = node.string("id");
    let title = node.text("title");
    let column = node.string("column");
    if let Some(column) = column.as_ref().filter(|column| !stored.contains(&column.value)) {
        node.unknown("column or item", column, &stored.iter().map(String::as_str).collect::<Vec<_>>());
    }
    let ways = ["bands", "levels", "min"].iter().filter(|key| node.has(key)).count();
    if ways != 1 {
        node.error(
            node.span.clone(),
            "an adjuster has either `bands`, or `levels`, or `min` and `max`",
            Some("bands = [18, 50, 67] makes 18–49, 50–66 and 67+; levels = [\"1\", \"2\"] are codes".to_owned()),
        );
    }
    let kind = if node.has("bands") {
        let bounds = node.integers("bands");
        if bounds.len() < 2 || bounds.windows(2).any(|pair| pair[0].value >= pair[1].value) {
            node.error(node.span.clone(), "`bands` are at least two lower ends in rising order", None);
        }
        Some(AdjusterKind::Bands { bands: bands(&bounds) })
    } else if node.has("levels") {
        let levels = node.strings("levels");
        if levels.len() < 2 {
            node.error(node.span.clone(), "`levels` needs at least two codes, the reference first", None);
        }
        Some(AdjusterKind::Levels { levels: levels.into_iter().map(|at| at.value).collect() })
    } else {
        let (min, max) = (node.number("min"), node.number("max"));
        min.zip(max).map(|(min, max)| AdjusterKind::Continuous { min: min.value, max: max.value })
    };
    node.finish();
    Some(Adjuster { id: id?.value, title: title?, column: column?.value, kind: kind? })
}

#[expect(clippy::cast_precision_loss, reason = "bounds are ages and the like, far below 2^53")]
fn bands(bounds: &[At<i64>]) -> Vec<Band> {
    let upper = |index: usize| bounds.get(index + 1).map(|at| at.value);
    let label = |from: i64, to: Option<i64>| to.map_or_else(|| format!("{from}+"), |to| format!("{from}-{}", to - 1));
    bounds
        .iter()
        .enumerate()
        .map(|(index, at)| Band {
            label: label(at.value, upper(index)),
            from: at.value as f64,
            to: upper(index).map(|to| to as f64),
        })
        .collect()
}
