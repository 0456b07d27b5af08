//! `schemas/questionnaires/*.toml`, `kind = "questionnaire"`: one version of a questionnaire a file.

use std::ops::Range;

use super::{
    adjuster::read_adjuster,
    bank::{Bank, Picked},
    levels,
    reader::{At, Node, Sink},
    scope::{Names, Scope},
    stratifier::{self, StratifierNames},
    suggestion::near,
};
use crate::model::{Adjuster, Item, Level, Link, LocalItems, Organisation, QuestionnaireVersion, Stratifier};

/// One file: a version, and what all versions have in common.
pub(super) struct Draft<'a> {
    pub sink: &'a Sink<'a>,
    pub id: String,
    pub version: QuestionnaireVersion,
    pub link: Link,
    pub adjusters: Vec<At<Adjuster>>,
    pub stratifiers: Vec<At<Stratifier>>,
    /// Where mistakes between versions are shown.
    pub version_at: Range<usize>,
    pub valid_from_at: Range<usize>,
    pub link_at: Range<usize>,
}

pub(super) fn read<'a>(
    node: Node<'a>,
    bank: &Bank<'_>,
    organisation: &Organisation,
    scope: &mut Scope,
) -> Option<Draft<'a>> {
    let id = node.string("id");
    let draft = read_version(node, id.as_ref(), bank, organisation, scope);
    if draft.is_none() {
        scope.incomplete.declare(id.as_ref());
    }
    draft
}

fn read_version<'a>(
    node: Node<'a>,
    id: Option<&At<String>>,
    bank: &Bank<'_>,
    organisation: &Organisation,
    scope: &mut Scope,
) -> Option<Draft<'a>> {
    let version = node.string("version");
    let title = node.text("title");
    let valid_from = node.date("valid_from");
    let valid_to = node.opt_date("valid_to");
    let is_backwards = valid_from.as_ref().zip(valid_to.as_ref()).is_some_and(|(from, to)| to.value <= from.value);
    if is_backwards {
        node.error(node.span_of("valid_to"), "`valid_to` is not after `valid_from`", None);
    }
    let mut names = Names::default();
    let items = pick_items(&node, bank, &mut names, scope);
    if node.lacks("items") {
        node.error(node.span_of("items"), "a questionnaire needs `items` of the bank", None);
    }
    if names.known().is_empty() {
        names.set_partial();
    }
    let local_items_max = local_items_max(&node);
    let local = read_local(&node, bank, organisation, local_items_max, &items, &mut names, scope);
    let link_at = node.span_of("link");
    let link = node.table("link").and_then(read_link);
    // Without a contact there are no contact columns to adjust for.
    let linked: &[&str] = if matches!(link, Some(Link::Response)) { &LINKED[..1] } else { &LINKED };
    let stored = columns_for_adjusters(&names, linked, scope);
    let mut ids = Names::default();
    let read = |table| read_adjuster(table, &stored, &scope.items, &mut ids);
    let adjusters = node.tables("adjuster").into_iter().filter_map(read).collect();
    let mut strata = StratifierNames::default();
    let stratifiers = stratifier::read_all(&node, &stored, (linked, scope), &mut strata);
    levels::check(&node, (&items, &local), linked, scope);
    if node.has_strangers() {
        ids.set_partial();
        strata.set_partial();
    }
    let sink = node.sink;
    node.finish();
    scope.questionnaires.declare(id);
    if let Some(id) = id {
        // Versions add up: an indicator reads what any of them asks.
        scope.questionnaire_items.entry(id.value.clone()).or_default().extend(&names);
        scope.adjusters.entry(id.value.clone()).or_default().extend(&ids);
        scope.stratifiers.entry(id.value.clone()).or_default().extend(&strata.all);
        scope.register_stratifiers.entry(id.value.clone()).or_default().extend(&strata.from_register);
    }
    let (version, valid_from) = (version?, valid_from.filter(|_| !is_backwards)?);
    Some(Draft {
        sink,
        id: id?.value.clone(),
        version: QuestionnaireVersion {
            version: version.value,
            title: title?,
            valid_from: valid_from.value,
            valid_to: valid_to.map(|at| at.value),
            items,
            local,
            local_items_max,
        },
        link: link?,
        adjusters,
        stratifiers,
        version_at: version.span,
        valid_from_at: valid_from.span,
        link_at,
    })
}

/// The node's `items`, each `id` or `id@version`; `names`, what the form asks before them, gets their ids.
fn pick_items(node: &Node<'_>, bank: &Bank<'_>, names: &mut Names, scope: &Scope) -> Vec<Item> {
    let mut items = Vec::new();
    for at in node.strings("items") {
        let (id, version) = match at.value.split_once('@') {
            Some((id, version)) => (id.to_owned(), Some(version.to_owned())),
            None => (at.value.clone(), None),
        };
        let name = At { value: id, span: at.span };
        if !names.declare(Some(&name)) {
            node.error(name.span, format!("item «{}» stands twice in the questionnaire", name.value), None);
            continue;
        }
        node.refer("item", &name, &scope.items);
        if !scope.items.may_hold(&name.value)
            && let Some(meant) = near(&name.value, &scope.items.known())
        {
            // A slip of the pen: what the form means is asked, and references to it are right.
            names.remove(&name.value);
            names.insert(meant);
        }
        match bank.pick(&name.value, version.as_deref()) {
            Picked::Item(item) => {
                check_filter(node, &name, item, names);
                items.push(item.clone());
            }
            Picked::Ambiguous(known) => node.error(
                name.span,
                format!("the bank words item «{}» in versions {}: say which", name.value, known.join(" and ")),
                which_wording(&name.value, &known),
            ),
            Picked::NoVersion(known) => node.error(
                name.span,
                format!("item «{}» has no such version", name.value),
                Some(format!("versions in the bank: {}", known.join(", "))),
            ),
            Picked::Unreadable => {}
        }
    }
    items
}

/// A form that is in use keeps the wording that it was sent with; only a new one should take the newest.
fn which_wording(item: &str, versions: &[String]) -> Option<String> {
    let (newest, earlier) = versions.split_last()?;
    let written: Vec<String> = earlier.iter().map(|version| format!("«{item}@{version}»")).collect();
    let (earlier, written) = (earlier.join(" or "), written.join(" or "));
    Some(format!("this form was asked with version {earlier}? write {written}; «{item}@{newest}» is the newest"))
}

/// What decides whether an item is asked must have been asked before it; `asked` are the names so far.
fn check_filter(node: &Node<'_>, name: &At<String>, item: &Item, asked: &Names) {
    let Some(filter) = &item.asked_if else { return };
    if !asked.may_hold(&filter.item) || filter.item == item.id {
        node.error(
            name.span.clone(),
            format!("item «{}» depends on the answer to «{}», which is not asked before it", item.id, filter.item),
            Some(format!("put «{}» above it in `items`", filter.item)),
        );
    }
}

fn local_items_max(node: &Node<'_>) -> u32 {
    let Some(at) = node.opt_integer("local_items_max") else { return 0 };
    u32::try_from(at.value).unwrap_or_else(|_| {
        node.error(at.span, "`local_items_max` is a number of items, 0 or more", None);
        0
    })
}

/// Additions of trusts. `names` gets their items too: they are stored, and indicators may read them.
fn read_local(
    node: &Node<'_>,
    bank: &Bank<'_>,
    organisation: &Organisation,
    items_max: u32,
    core: &[Item],
    names: &mut Names,
    scope: &Scope,
) -> Vec<LocalItems> {
    let mut all: Vec<LocalItems> = Vec::new();
    for table in node.tables("local") {
        let trust = table.string("trust");
        if let Some(trust) = &trust {
            table.refer("unit", trust, &scope.units);
            if organisation.unit(&trust.value).is_some_and(|unit| unit.level != Level::Hf) {
                table.error(trust.span.clone(), format!("«{}» is no trust (level hf)", trust.value), None);
            }
            if all.iter().any(|other| other.trust == trust.value) {
                table.error(trust.span.clone(), format!("«{}» has its additions in two places", trust.value), None);
            }
        }
        // A trust's form is the core and then its own items.
        let mut own = Names::default();
        core.iter().for_each(|item| own.insert(&item.id));
        let items = pick_items(&table, bank, &mut own, scope);
        if table.lacks("items") {
            table.error(table.span.clone(), "an addition needs `items` of the bank", None);
        }
        if items.len() > items_max as usize {
            table.error(
                table.span_of("items"),
                format!(
                    "{} item{}, but `local_items_max` is {items_max}",
                    items.len(),
                    if items.len() == 1 { "" } else { "s" }
                ),
                Some("what everybody should be asked belongs to the common `items`".to_owned()),
            );
        }
        names.extend(&own);
        table.finish();
        if let Some(trust) = trust {
            all.push(LocalItems { trust: trust.value, items });
        }
    }
    all
}

/// What an item is stored beside.
pub(super) const LINKED: [&str; 2] = ["responses", "contacts"];

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
    if via.is_none() {
        node.tolerate(&["answer_days_max"]);
    }
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
