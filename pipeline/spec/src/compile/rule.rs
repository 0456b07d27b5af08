//! `[[rule]]` of a dataset.

use super::{
    reader::{At, Node},
    scope::Names,
};
use crate::model::{Column, ColumnKind, Condition, IDENTITY_COLUMNS, OnBreak, Rule, RuleKind};

/// The columns that a rule may name: those that were read, and the names of those that were not.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub columns: &'a [Column],
    pub names: &'a Names,
    /// Names of the key's columns.
    pub key: &'a [At<String>],
}

impl Known<'_> {
    fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The names of columns that `fits`, and of those that could not be read.
    fn that(&self, fits: impl Fn(&ColumnKind) -> bool) -> Names {
        let mut names = self.names.clone();
        self.columns.iter().filter(|column| !fits(&column.kind)).for_each(|column| names.remove(&column.name));
        names
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    LaterOrEqual,
    LessOrEqual,
    RequiredIf,
    OnlyIf,
    OneOfPresent,
}

const KINDS: [(&str, Kind); 5] = [
    ("later-or-equal", Kind::LaterOrEqual),
    ("less-or-equal", Kind::LessOrEqual),
    ("required-if", Kind::RequiredIf),
    ("only-if", Kind::OnlyIf),
    ("one-of-present", Kind::OneOfPresent),
];

/// All rules of a dataset. Their ids name the reasons of bad rows, so none may stand twice.
pub(super) fn read_all(node: &Node<'_>, known: Known<'_>) -> Vec<Rule> {
    let mut ids = Names::default();
    let rules = node.tables("rule").into_iter().filter_map(|rule| read(rule, known, &mut ids));
    rules.collect()
}

fn read(node: Node<'_>, known: Known<'_>, ids: &mut Names) -> Option<Rule> {
    let id = node.string("id");
    let description = node.opt_text("description").unwrap_or_default();
    let on_break = node.opt_choice("on_break", &[("row", OnBreak::Row), ("cell", OnBreak::Cell)]);
    let kind = if node.has("type") { node.choice("type", &KINDS) } else { Some(Kind::LaterOrEqual) };
    ids.declare_once(&node, "rule", id.as_ref());
    let Some(kind) = kind else {
        node.tolerate(&["earlier", "later", "smaller", "larger", "column", "columns", "when"]);
        node.finish();
        return None;
    };
    let read = read_kind(&node, kind, known);
    let on_break = on_break.unwrap_or(OnBreak::Row);
    if on_break == OnBreak::Cell {
        check_cell(&node, kind, read.as_ref(), known);
    }
    node.finish();
    Some(Rule { id: id?.value, description, kind: read?, on_break })
}

/// A cell can only be set to missing where it, and not the row, is what is wrong, and where it may be missing.
fn check_cell(node: &Node<'_>, kind: Kind, read: Option<&RuleKind>, known: Known<'_>) {
    let at = node.span_of("on_break");
    if kind != Kind::OnlyIf {
        node.error(at, "only an «only-if» may set its cell to missing", Some("on_break = \"row\"".to_owned()));
        return;
    }
    let Some(RuleKind::OnlyIf { column, .. }) = read else { return };
    let why = if known.column(column).is_some_and(|column| column.required) {
        "is required"
    } else if known.key.iter().any(|key| key.value == *column) {
        "is of the key"
    } else if IDENTITY_COLUMNS.contains(&column.as_str()) {
        "says whose the row is"
    } else {
        return;
    };
    node.error(at, format!("column «{column}» {why} and cannot be set to missing"), None);
}

fn read_kind(node: &Node<'_>, kind: Kind, known: Known<'_>) -> Option<RuleKind> {
    let one = |key: &'static str, what: &str, names: &Names| -> Option<String> {
        let name = node.string(key)?;
        node.refer(what, &name, names);
        Some(name.value)
    };
    Some(match kind {
        Kind::LaterOrEqual => {
            let dates = known.that(|kind| matches!(kind, ColumnKind::Date { .. } | ColumnKind::DateTime { .. }));
            let (earlier, later) = (one("earlier", "date column", &dates), one("later", "date column", &dates));
            RuleKind::LaterOrEqual { earlier: earlier?, later: later? }
        }
        Kind::LessOrEqual => {
            let numbers = known.that(|kind| matches!(kind, ColumnKind::Integer { .. } | ColumnKind::Number { .. }));
            let (smaller, larger) =
                (one("smaller", "number column", &numbers), one("larger", "number column", &numbers));
            RuleKind::LessOrEqual { smaller: smaller?, larger: larger? }
        }
        Kind::RequiredIf | Kind::OnlyIf => {
            let column = one("column", "column", known.names);
            let when = conditions(node, known);
            let (column, when) = (column?, when?);
            if kind == Kind::RequiredIf {
                RuleKind::RequiredIf { column, when }
            } else {
                RuleKind::OnlyIf { column, when }
            }
        }
        Kind::OneOfPresent => {
            let columns = node.strings("columns");
            columns.iter().for_each(|name| node.refer("column", name, known.names));
            if columns.len() < 2 {
                node.error(node.span_of("columns"), "«one-of-present» needs at least two `columns`", None);
            }
            RuleKind::OneOfPresent { columns: columns.into_iter().map(|name| name.value).collect() }
        }
    })
}

/// `when = { column = "urgency", codes = ["1", "2"] }`, or a list of such tables that must all hold.
fn conditions(node: &Node<'_>, known: Known<'_>) -> Option<Vec<Condition>> {
    let tables = node.one_or_more("when");
    if tables.is_empty() {
        let help = "when = { column = \"…\", codes = [\"…\"] }";
        node.error(node.span_of("when"), "the rule does not say `when`", Some(help.to_owned()));
        return None;
    }
    tables.into_iter().map(|table| condition(table, known)).collect()
}

fn condition(node: Node<'_>, known: Known<'_>) -> Option<Condition> {
    let column = node.string("column");
    let codes = node.strings("codes");
    if let Some(name) = &column {
        node.refer("column", name, known.names);
        if let Some(column) = known.column(&name.value) {
            check_codes(&node, column, &codes);
        }
    }
    node.finish();
    Some(Condition { column: column?.value, codes: codes.into_iter().map(|code| code.value).collect() })
}

fn check_codes(node: &Node<'_>, column: &Column, codes: &[At<String>]) {
    match &column.kind {
        ColumnKind::Code { codes: declared } => {
            for code in codes.iter().filter(|code| !declared.iter().any(|known| known.code == code.value)) {
                let message = format!("column «{}» has no code «{}»", column.name, code.value);
                node.error(code.span.clone(), message, None);
            }
        }
        _ if !codes.is_empty() => {
            let message = format!("column «{}» is not of type «code»", column.name);
            let help = "leave out `codes`: the condition is then that the column has a value";
            node.error(node.span_of("codes"), message, Some(help.to_owned()));
        }
        _ => {}
    }
}
