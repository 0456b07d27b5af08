//! `schemas/questionnaires/*.toml`: question banks (`kind = "bank"`) and questionnaires (`kind = "questionnaire"`).

use std::collections::BTreeMap;

use super::{
    reader::{At, Node},
    scope::{Names, Scope},
    stratifier::{self, StratifierNames},
};
use crate::model::{Adjuster, AdjusterKind, Band, Item, Link, Questionnaire, ResponseScale, ScaleCode, Text};

/// All banks together: what a questionnaire may pick from.
#[derive(Default)]
pub(super) struct Bank {
    scales: BTreeMap<String, ResponseScale>,
    items: BTreeMap<String, Item>,
}

pub(super) fn read_scales(node: &Node<'_>, bank: &mut Bank, scope: &mut Scope) {
    for scale in node.tables("scale") {
        if let Some(scale) = read_scale(scale, &mut scope.scales) {
            bank.scales.insert(scale.id.clone(), scale);
        }
    }
}

pub(super) fn read_items(node: &Node<'_>, bank: &mut Bank, scope: &mut Scope) {
    for item in node.tables("item") {
        if let Some(item) = read_item(item, bank, scope) {
            bank.items.insert(item.id.clone(), item);
        }
    }
}

/// Notes a declared id and reports one that is taken.
pub(super) fn declare(node: &Node<'_>, what: &str, id: Option<&At<String>>, names: &mut Names) {
    if !names.declare(id)
        && let Some(id) = id
    {
        node.error(id.span.clone(), format!("{what} «{}» is declared twice", id.value), None);
    }
}

fn read_scale(node: Node<'_>, scales: &mut Names) -> Option<ResponseScale> {
    let id = node.string("id");
    declare(&node, "scale", id.as_ref(), scales);
    let low = node.integer("low").and_then(|at| code_of(&node, at));
    let high = node.integer("high").and_then(|at| code_of(&node, at));
    let labels = node.opt_table("codes");
    let missing = node.string_map("missing");
    let (Some(id), Some(low), Some(high)) = (id, low, high) else {
        node.finish();
        return None;
    };
    if low >= high {
        node.error(id.span.clone(), format!("scale «{}» runs from {low} to {high}: nothing to score", id.value), None);
    }
    let label =
        |code: i16| labels.as_ref().filter(|t| t.has(&code.to_string())).and_then(|t| t.text_of(&code.to_string()));
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
            node.error(node.span_of("missing"), format!("«{text}» under `missing` is not a whole-number code"), None);
            continue;
        };
        if (low..=high).contains(&code) {
            node.error(node.span_of("missing"), format!("code {code} is both scored and missing"), None);
        }
        let label = label(code).unwrap_or_else(|| plain(reason.clone()));
        codes.push(ScaleCode { code, label, missing_reason: Some(reason) });
    }
    for key in labels.iter().flat_map(Node::keys) {
        if !codes.iter().any(|code| code.code.to_string() == key) {
            node.error(node.span_of("codes"), format!("label for «{key}», which is no code of the scale"), None);
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

fn read_item(node: Node<'_>, bank: &Bank, scope: &mut Scope) -> Option<Item> {
    let id = node.string("id");
    declare(&node, "item", id.as_ref(), &mut scope.items);
    let version = version(&node);
    let text = node.text("text");
    let theme = node.opt_string("theme").map(|at| at.value);
    let scale = node.string("scale");
    let reversed = node.opt_bool("reversed").unwrap_or(false);
    if let Some(id) = id.as_ref().filter(|id| !super::dataset::is_identifier(&id.value)) {
        node.error(id.span.clone(), "an item's id is lower-case letters, digits and _: it names a stored column", None);
    }
    let found = scale.as_ref().and_then(|scale| bank.scales.get(&scale.value));
    if let Some(scale) = &scale {
        node.refer("scale", scale, &scope.scales);
    }
    node.finish();
    Some(Item { id: id?.value, version: version?, text: text?, theme, scale: found?.clone(), reversed })
}

fn version(node: &Node<'_>) -> Option<u32> {
    let Some(at) = node.opt_integer("version") else { return Some(1) };
    let version = u32::try_from(at.value).ok().filter(|version| *version > 0);
    if version.is_none() {
        node.error(at.span, "an item's version is a whole number from 1", None);
    }
    version
}

pub(super) fn read(node: Node<'_>, bank: &Bank, scope: &mut Scope) -> Option<Questionnaire> {
    let id = node.string("id");
    let version = node.string("version");
    let title = node.text("title");
    let valid_from = node.date("valid_from");
    let valid_to = node.opt_date("valid_to");
    if let (Some(from), Some(to)) = (&valid_from, &valid_to)
        && to.value <= from.value
    {
        node.error(to.span.clone(), "`valid_to` is not after `valid_from`", None);
    }
    let mut names = Names::default();
    let mut items: Vec<Item> = Vec::new();
    for name in node.strings("items") {
        if !names.declare(Some(&name)) {
            node.error(name.span, format!("item «{}» stands twice in the questionnaire", name.value), None);
            continue;
        }
        if LINKED.iter().any(|dataset| scope.columns.get(*dataset).is_some_and(|columns| columns.holds(&name.value))) {
            let message = format!("item «{}» has the name of a column of responses or contacts", name.value);
            node.error(name.span.clone(), message, None);
        }
        node.refer("item", &name, &scope.items);
        items.extend(bank.items.get(&name.value).cloned());
    }
    if names.known().is_empty() {
        node.error(node.span_of("items"), "a questionnaire needs `items` of the bank", None);
        names.set_partial();
    }
    let link = node.table("link").and_then(read_link);
    // Without a contact there are no contact columns to adjust for.
    let linked: &[&str] = if matches!(link, Some(Link::Response)) { &LINKED[..1] } else { &LINKED };
    let stored = columns_for_adjusters(&names, linked, scope);
    let mut ids = Names::default();
    let read = |table| read_adjuster(table, &stored, &mut ids);
    let adjusters = node.tables("adjuster").into_iter().filter_map(read).collect();
    let mut strata = StratifierNames::default();
    let stratifiers = stratifier::read_all(&node, &names, &stored, (linked, scope), &mut strata);
    if node.has_strangers() {
        ids.set_partial();
        strata.set_partial();
    }
    node.finish();
    scope.questionnaires.declare(id.as_ref());
    if let Some(id) = &id {
        scope.questionnaire_items.insert(id.value.clone(), names);
        scope.adjusters.insert(id.value.clone(), ids);
        scope.stratifiers.insert(id.value.clone(), strata.all);
        scope.register_stratifiers.insert(id.value.clone(), strata.from_register);
    }
    Some(Questionnaire {
        id: id?.value,
        version: version?.value,
        title: title?,
        valid_from: valid_from?.value,
        valid_to: valid_to.map(|at| at.value),
        link: link?,
        items,
        adjusters,
        stratifiers,
    })
}

const LINKED: [&str; 2] = ["responses", "contacts"];

fn columns_for_adjusters(items: &Names, linked: &[&str], scope: &Scope) -> Names {
    let mut stored = items.clone();
    linked.iter().filter_map(|dataset| scope.columns.get(*dataset)).for_each(|columns| stored.extend(columns));
    if scope.datasets.is_partial() {
        stored.set_partial();
    }
    stored
}

fn read_link(node: Node<'_>) -> Option<Link> {
    #[derive(Clone, Copy)]
    enum Via {
        Contact,
        Response,
    }
    let via = node.choice("via", &[("contact", Via::Contact), ("response", Via::Response)]);
    let days = matches!(via, Some(Via::Contact)).then(|| node.integer("answer_days_max")).flatten();
    if let Some(days) = days.as_ref().filter(|days| days.value < 0) {
        node.error(days.span.clone(), "`answer_days_max` is a number of days, 0 or more", None);
    }
    node.finish();
    Some(match via? {
        Via::Contact => Link::Contact { answer_days_max: days?.value },
        Via::Response => Link::Response,
    })
}

fn read_adjuster(node: Node<'_>, stored: &Names, ids: &mut Names) -> Option<Adjuster> {
    let id = node.string("id");
    declare(&node, "adjuster", id.as_ref(), ids);
    let title = node.text("title");
    let column = node.string("column");
    if let Some(column) = &column {
        node.refer("column or item", column, stored);
    }
    let ways = [node.has("bands"), node.has("levels"), node.has("min") || node.has("max")];
    let has_one_way = ways.iter().filter(|is_used| **is_used).count() == 1;
    if !has_one_way {
        node.error(
            node.span.clone(),
            "an adjuster has either `bands`, or `levels`, or `min` and `max`",
            Some("bands = [18, 50, 67] makes 18–49, 50–66 and 67+; levels = [\"1\", \"2\"] are codes".to_owned()),
        );
    }
    let kind = if node.has("bands") {
        let bounds = node.integers("bands");
        if bounds.len() < 2 || bounds.windows(2).any(|pair| pair[0].value >= pair[1].value) {
            node.error(node.span_of("bands"), "`bands` are at least two lower ends in rising order", None);
        }
        Some(AdjusterKind::Bands { bands: bands(&bounds) })
    } else if node.has("levels") {
        let levels = node.strings("levels");
        if levels.len() < 2 {
            node.error(node.span_of("levels"), "`levels` needs at least two codes, the reference first", None);
        }
        Some(AdjusterKind::Levels { levels: levels.into_iter().map(|at| at.value).collect() })
    } else if !has_one_way {
        None
    } else {
        let (min, max) = (node.number("min"), node.number("max"));
        if let (Some(min), Some(max)) = (&min, &max)
            && min.value >= max.value
        {
            node.error(max.span.clone(), "`max` is not above `min`", None);
        }
        min.zip(max).map(|(min, max)| AdjusterKind::Continuous { min: min.value, max: max.value })
    };
    node.finish();
    Some(Adjuster { id: id?.value, title: title?, column: column?.value, kind: kind? })
}

#[expect(clippy::cast_precision_loss, reason = "bounds are ages and the like, far below 2^53")]
pub(super) fn bands(bounds: &[At<i64>]) -> Vec<Band> {
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
