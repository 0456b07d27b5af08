//! `schemas/questionnaires/*.toml`, `kind = "bank"`: response scales and items, the items in all their wordings.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    dataset::is_identifier,
    questionnaire::LINKED,
    reader::{At, Node, Sink},
    scope::{Names, Scope},
};
use crate::model::{AskedIf, Item, ResponseScale, ScaleCode, Text};

/// All banks together: what a questionnaire may pick from.
#[derive(Default)]
pub(super) struct Bank<'a> {
    /// `None` where two declarations differ: nothing is judged by them.
    scales: BTreeMap<String, Option<ResponseScale>>,
    /// By id, then by version of the wording.
    items: BTreeMap<String, BTreeMap<u32, Item>>,
    /// Items of which nobody can say what they are: two declarations differ. Nothing is judged by them either.
    disputed: BTreeSet<String>,
    /// Where a wording was declared first, `file:line`, by its id and version.
    places: BTreeMap<(String, u32), String>,
    filters: Vec<Filter<'a>>,
}

/// An `asked_if` as written: the item it names may stand further down, or in another bank.
struct Filter<'a> {
    sink: &'a Sink<'a>,
    item: At<String>,
    codes: Vec<At<i64>>,
}

impl Bank<'_> {
    fn wordings(&self, id: &str) -> Option<&BTreeMap<u32, Item>> {
        self.items.get(id).filter(|_| !self.disputed.contains(id))
    }

    /// The item that a questionnaire names as `id` or `id@version`, or what is wrong with the name.
    pub fn pick(&self, id: &str, version: Option<&str>) -> Picked<'_> {
        let Some(wordings) = self.wordings(id) else { return Picked::Unreadable };
        let known = || wordings.keys().map(u32::to_string).collect::<Vec<_>>();
        match version {
            None if wordings.len() > 1 => Picked::Ambiguous(known()),
            None => wordings.values().next().map_or(Picked::Unreadable, Picked::Item),
            Some(version) => {
                let found = version.parse().ok().and_then(|version: u32| wordings.get(&version));
                found.map_or_else(|| Picked::NoVersion(known()), Picked::Item)
            }
        }
    }
}

/// What a name in a questionnaire's `items` finds.
pub(super) enum Picked<'a> {
    Item(&'a Item),
    /// Several wordings, and the name does not say which.
    Ambiguous(Vec<String>),
    NoVersion(Vec<String>),
    /// Undeclared or declared with a mistake: reported elsewhere.
    Unreadable,
}

pub(super) fn read_scales(node: &Node<'_>, bank: &mut Bank<'_>, scope: &mut Scope) {
    for scale in node.tables("scale") {
        if let Some(scale) = read_scale(scale, &mut scope.scales) {
            let known = bank.scales.entry(scale.id.clone()).or_insert_with(|| Some(scale.clone()));
            if known.as_ref() != Some(&scale) {
                *known = None;
            }
        }
    }
}

pub(super) fn read_items<'a>(node: &Node<'a>, bank: &mut Bank<'a>, scope: &mut Scope) {
    for item in node.tables("item") {
        read_item(item, bank, scope);
    }
}

/// Filters name items of the bank and answers that these may have.
pub(super) fn check_filters(bank: &Bank<'_>, scope: &Scope) {
    for filter in &bank.filters {
        filter.sink.refer("item", &filter.item, &scope.items);
        let Some(item) = bank.wordings(&filter.item.value).and_then(|wordings| wordings.values().next()) else {
            continue;
        };
        for code in &filter.codes {
            if !item.scale.codes.iter().any(|known| i64::from(known.code) == code.value) {
                let known: Vec<String> = item.scale.codes.iter().map(|known| known.code.to_string()).collect();
                let message = format!("{} is no answer of «{}»", code.value, item.id);
                filter.sink.error(code.span.clone(), message, Some(format!("known: {}", known.join(", "))));
            }
        }
    }
}

fn read_scale(node: Node<'_>, scales: &mut Names) -> Option<ResponseScale> {
    let id = node.string("id");
    scales.declare_once(&node, "scale", id.as_ref());
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
        node.finish();
        return None;
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

fn read_item<'a>(node: Node<'a>, bank: &mut Bank<'a>, scope: &mut Scope) {
    let id = item_id(&node, scope);
    let version = version(&node);
    let text = node.text("text");
    let theme = node.opt_string("theme").map(|at| at.value);
    let scale = node.string("scale");
    let reversed = node.opt_bool("reversed").unwrap_or(false);
    let asked_if = node.opt_table("asked_if").map(|table| read_filter(table, bank));
    let found = scale.as_ref().and_then(|scale| bank.scales.get(&scale.value)).cloned().flatten();
    if let Some(scale) = &scale {
        node.refer("scale", scale, &scope.scales);
    }
    let item = || -> Option<(At<String>, Item)> {
        let id = id?;
        let item = Item {
            id: id.value.clone(),
            version: version?,
            text: text?,
            theme,
            scale: found?,
            reversed,
            asked_if: asked_if.flatten(),
        };
        Some((id, item))
    };
    if let Some((id, item)) = item() {
        add(&node, bank, id, item);
    }
    node.finish();
}

/// The id, where it can name a stored column. The name that was meant is declared in any case, so that a reference to it is
/// no second mistake.
fn item_id(node: &Node<'_>, scope: &mut Scope) -> Option<At<String>> {
    let Some(id) = node.string("id") else {
        scope.items.declare(None);
        return None;
    };
    if !is_identifier(&id.value) {
        let meant: String = id.value.to_lowercase().replace(|c: char| !(c.is_ascii_alphanumeric() || c == '_'), "_");
        let meant = Some(meant).filter(|meant| is_identifier(meant));
        let help = meant.as_ref().map(|meant| format!("write «{meant}»"));
        let message = "an item's id is lower-case letters, digits and _: it names a stored column";
        node.error(id.span.clone(), message, help);
        scope.items.declare(meant.map(|value| At { value, span: id.span }).as_ref());
        return None;
    }
    scope.items.declare(Some(&id));
    let is_column = |dataset: &str| scope.columns.get(dataset).is_some_and(|columns| columns.holds(&id.value));
    if let Some(dataset) = LINKED.into_iter().find(|dataset| is_column(dataset)) {
        let message = format!("item «{}» has the name of a column of {dataset}", id.value);
        node.error(id.span, message, Some("give it another id: its answers are stored beside that column".to_owned()));
        return None;
    }
    Some(id)
}

/// Adds a wording. All wordings of an item have the same answers: answers on two scales are not one item.
fn add(node: &Node<'_>, bank: &mut Bank<'_>, id: At<String>, item: Item) {
    let wordings = bank.items.entry(id.value.clone()).or_default();
    let place = (id.value.clone(), item.version);
    let is_twin = wordings.get(&item.version).is_some_and(|twin| *twin != item);
    if let Some(first) = bank.places.get(&place) {
        let help = "another wording of the same question has a `version` of its own";
        node.error(
            id.span.clone(),
            format!("item «{}» is declared twice", id.value),
            Some(format!("it is declared first in {first}; {help}")),
        );
        if is_twin {
            bank.disputed.insert(id.value);
        }
        return;
    }
    bank.places.insert(place, node.sink.place(&id.span));
    let differs = |other: &Item| other.scale.id != item.scale.id || other.reversed != item.reversed;
    if wordings.values().any(differs) {
        node.error(
            id.span,
            format!("wordings of item «{}» differ in `scale` or `reversed`", id.value),
            Some("answers to another scale are another item: give it an id of its own".to_owned()),
        );
        bank.disputed.insert(id.value);
    }
    wordings.insert(item.version, item);
}

fn read_filter<'a>(node: Node<'a>, bank: &mut Bank<'a>) -> Option<AskedIf> {
    let item = node.string("item");
    let codes = node.integers("codes");
    if node.lacks("codes") {
        node.error(node.span_of("codes"), "`codes` needs at least one answer", Some("codes = [1]".to_owned()));
    }
    let read = codes.iter().filter_map(|at| i16::try_from(at.value).ok()).collect();
    let sink = node.sink;
    node.finish();
    let item = item?;
    bank.filters.push(Filter { sink, item: item.clone(), codes });
    Some(AskedIf { item: item.value, codes: read })
}

fn version(node: &Node<'_>) -> Option<u32> {
    let Some(at) = node.opt_integer("version") else { return Some(1) };
    let version = u32::try_from(at.value).ok().filter(|version| *version > 0);
    if version.is_none() {
        node.error(at.span, "an item's version is a whole number from 1", None);
    }
    version
}
