//! `[[stratifier]]` of a questionnaire: the groups that values are shown by.

use super::{
    adjuster::read_bands,
    reader::{At, Node, is_word},
    scope::{Names, Scope},
};
use crate::model::{CodeGroup, Stratifier, StratifierLevels};

/// Names of a questionnaire's stratifiers.
#[derive(Default)]
pub(super) struct StratifierNames {
    pub all: Names,
    pub from_register: Names,
}

impl StratifierNames {
    pub fn set_partial(&mut self) {
        self.all.set_partial();
        self.from_register.set_partial();
    }
}

/// `stored` are the columns that a stratifier may read; of them the register's are those that contacts alone have.
pub(super) fn read_all(
    node: &Node<'_>,
    stored: &Names,
    (linked, scope): (&[&str], &Scope),
    names: &mut StratifierNames,
) -> Vec<At<Stratifier>> {
    let is_in = |dataset: &str, column: &str| scope.columns.get(dataset).is_some_and(|columns| columns.holds(column));
    let from_register =
        |column: &str| linked.contains(&"contacts") && is_in("contacts", column) && !is_in("responses", column);
    let read = |table| read(table, (stored, &scope.items), &from_register, names);
    node.tables("stratifier").into_iter().filter_map(read).collect()
}

fn read(
    node: Node<'_>,
    (stored, bank): (&Names, &Names),
    from_register: &dyn Fn(&str) -> bool,
    names: &mut StratifierNames,
) -> Option<At<Stratifier>> {
    let id = node.string("id");
    names.all.declare_once(&node, "stratifier", id.as_ref());
    if let Some(id) = id.as_ref().filter(|id| !is_word(&id.value)) {
        node.error(
            id.span.clone(),
            "a stratifier's id is lower-case letters, digits and `-`: it stands in `stratum`",
            None,
        );
    }
    let title = node.text("title");
    let column = node.string("column");
    if let Some(column) = &column {
        node.refer_asked("column or item", column, stored, bank);
    }
    let is_registers = column.as_ref().is_some_and(|column| from_register(&column.value));
    if id.is_none() || column.is_none() {
        names.from_register.set_partial();
    } else if is_registers {
        names.from_register.declare(id.as_ref());
    }
    let levels = read_levels(&node);
    let span = id.as_ref().map_or_else(|| node.span.clone(), |id| id.span.clone());
    node.finish();
    let stratifier = Stratifier {
        id: id?.value,
        title: title?,
        column: column?.value,
        levels: levels?,
        from_register: is_registers,
    };
    Some(At { value: stratifier, span })
}

fn read_levels(node: &Node<'_>) -> Option<StratifierLevels> {
    let ways = ["bands", "levels", "groups"];
    if ways.iter().filter(|way| node.has(way)).count() != 1 {
        node.tolerate(&ways);
        node.error(
            node.span.clone(),
            "a stratifier has either `bands`, or `levels`, or `groups`",
            Some(
                "levels = [\"1\", \"2\"] are codes; groups = [{ label = \"acute\", codes = [\"1\", \"2\", \"3\"] }, …]"
                    .into(),
            ),
        );
        return None;
    }
    if node.has("bands") {
        return read_bands(node).map(|bands| StratifierLevels::Bands { bands });
    }
    let groups: Vec<CodeGroup> = if node.has("levels") {
        let levels = node.strings("levels").into_iter();
        levels.map(|at| CodeGroup { codes: vec![at.value.clone()], label: at.value }).collect()
    } else {
        node.tables("groups").into_iter().filter_map(read_group).collect()
    };
    let key = if node.has("levels") { "levels" } else { "groups" };
    let at = || node.span_of(key);
    if node.entries_written(key) < 2 {
        node.error(at(), "a stratifier needs at least two levels", None);
    }
    for (index, group) in groups.iter().enumerate() {
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '+' | '_' | '.');
        if group.label.is_empty() || !group.label.chars().all(is_name) || group.label == Stratifier::UNKNOWN {
            let message =
                format!("«{}» cannot name a level: letters, digits and - + _ . but not «unknown»", group.label);
            node.error(at(), message, None);
        }
        let earlier = &groups[..index];
        if earlier.iter().any(|other| other.label == group.label) {
            node.error(at(), format!("level «{}» stands twice", group.label), None);
        }
        for code in group.codes.iter().filter(|code| earlier.iter().any(|other| other.codes.contains(code))) {
            node.error(at(), format!("code «{code}» is in two levels"), None);
        }
    }
    (groups.len() == node.entries_written(key)).then_some(StratifierLevels::Groups { groups })
}

fn read_group(node: Node<'_>) -> Option<CodeGroup> {
    let label = node.string("label");
    let codes: Vec<String> = node.strings("codes").into_iter().map(|at| at.value).collect();
    if node.lacks("codes") {
        node.error(node.span_of("codes"), "`codes` needs at least one code", None);
    }
    node.finish();
    Some(CodeGroup { label: label?.value, codes })
}
