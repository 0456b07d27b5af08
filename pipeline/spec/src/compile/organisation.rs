//! `schemas/organisations/*.toml`: one list of units, parents before children.

use std::{collections::BTreeMap, ops::Range};

use super::{
    reader::{At, Node, Sink, is_word},
    scope::Scope,
};
use crate::model::{Level, Ownership, Unit};

/// Modulus-11 weights of an organisation number (Brønnøysund register centre).
const ORGNR_WEIGHTS: [u32; 8] = [3, 2, 7, 6, 5, 4, 3, 2];
/// The registry file's pseudonumber for the nation.
const ORGNR_NATION: &str = "1";

/// A unit and where it is declared.
pub(super) struct Placed<'a> {
    pub unit: Unit,
    sink: &'a Sink<'a>,
    span: Range<usize>,
}

impl Placed<'_> {
    fn error(&self, message: String) {
        self.sink.error(self.span.clone(), message, None);
    }
}

pub(super) fn read<'a>(node: Node<'a>, units: &mut Vec<Placed<'a>>, scope: &mut Scope) {
    node.string("name");
    for unit in node.tables("units") {
        read_unit(unit, units, scope);
    }
    if node.has_strangers() {
        scope.units.set_partial();
    }
    node.finish();
}

fn read_unit<'a>(node: Node<'a>, units: &mut Vec<Placed<'a>>, scope: &mut Scope) {
    let id = node.string("id");
    let level = node.choice("level", Level::WORDS);
    let name = node.text("name");
    let orgnr = node.opt_string("orgnr");
    let resh_id = node.opt_string("resh_id").map(|at| at.value);
    let parent = node.opt_string("parent");
    let valid_from = node.date("valid_from");
    let valid_to = node.opt_date("valid_to").map(|at| at.value);
    let ownership = node
        .opt_choice("ownership", &[("public", Ownership::Public), ("private-non-profit", Ownership::PrivateNonProfit)]);
    let codes = node.strings_map("codes");
    if let Some(orgnr) = orgnr.as_ref().filter(|orgnr| !is_orgnr(&orgnr.value)) {
        node.error(orgnr.span.clone(), "not an organisation number: nine digits with a valid check digit", None);
    }
    if let Some(parent) = &parent {
        check_parent(&node, parent, level, units, scope);
    }
    check_id(&node, id.as_ref(), scope);
    if let (Some(from), Some(to)) = (&valid_from, valid_to)
        && to <= from.value
    {
        node.error(from.span.clone(), "`valid_to` is not after `valid_from`", None);
    }
    let (sink, span) = (node.sink, id.as_ref().map_or(node.span.clone(), |id| id.span.clone()));
    node.finish();
    let (Some(id), Some(level), Some(name), Some(valid_from)) = (id, level, name, valid_from) else { return };
    let unit = Unit {
        id: id.value,
        level,
        name,
        orgnr: orgnr.map(|at| at.value),
        resh_id,
        parent: parent.map(|at| at.value),
        valid_from: valid_from.value,
        valid_to,
        ownership: ownership.unwrap_or(Ownership::Public),
        codes,
    };
    units.push(Placed { unit, sink, span });
}

fn check_id(node: &Node<'_>, id: Option<&At<String>>, scope: &mut Scope) {
    scope.units.declare_once(node, "unit", id);
    let Some(id) = id else { return };
    // The id of a trust is a folder's name in a release, so it must be harmless as a path.
    if !is_word(&id.value) || id.value.starts_with('-') {
        node.error(id.span.clone(), "a unit's id is lower-case letters, digits and -", None);
    }
}

fn check_parent(node: &Node<'_>, parent: &At<String>, level: Option<Level>, units: &[Placed<'_>], scope: &Scope) {
    node.refer("unit above this line", parent, &scope.units);
    let above = units.iter().map(|placed| &placed.unit).find(|unit| unit.id == parent.value);
    if let (Some(above), Some(level)) = (above, level)
        && above.level >= level
    {
        node.error(
            parent.span.clone(),
            format!("a unit at level {} cannot be above one at level {}", above.level.as_str(), level.as_str()),
            None,
        );
    }
}

fn is_orgnr(text: &str) -> bool {
    if text == ORGNR_NATION {
        return true;
    }
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(10)).collect();
    let Some(digits) = digits.filter(|digits| digits.len() == 9) else { return false };
    // National pseudonumbers (900000000, 99999999x) carry no check digit.
    if text == "900000000" || text.starts_with("99999999") {
        return true;
    }
    let sum: u32 = ORGNR_WEIGHTS.iter().zip(&digits).map(|(weight, digit)| weight * digit).sum();
    let check = (11 - sum % 11) % 11;
    check == digits[8]
}

/// Mistakes that only the whole list shows: no top unit or several, and codes that two units share at the same time.
pub(super) fn check_all(units: &[Placed<'_>], scope: &Scope) {
    // A unit that could not be read may have been the top.
    let is_whole = !scope.units.is_partial() && units.len() == scope.units.known().len();
    let tops: Vec<&Placed<'_>> = units.iter().filter(|placed| placed.unit.parent.is_none()).collect();
    match (tops.as_slice(), units.first()) {
        ([], Some(first)) if is_whole => {
            first.error("one unit has no parent, the region; here every unit has one".to_owned());
        }
        ([top, others @ ..], _) => {
            for other in others {
                other.error(format!("only one unit has no parent, and «{}» is above already", top.unit.id));
            }
        }
        _ => {}
    }
    let mut by_code: BTreeMap<(&str, &str), Vec<&Placed<'_>>> = BTreeMap::new();
    for placed in units {
        for (source, codes) in &placed.unit.codes {
            for code in codes {
                by_code.entry((source, code)).or_default().push(placed);
            }
        }
    }
    for ((source, code), owners) in by_code {
        for (index, a) in owners.iter().enumerate() {
            for b in owners[index + 1..].iter().filter(|b| overlap(&a.unit, &b.unit)) {
                b.error(format!("code «{code}» of source «{source}» means «{}» already", a.unit.id));
            }
        }
    }
}

fn overlap(a: &Unit, b: &Unit) -> bool {
    let before = |x: &Unit, y: &Unit| x.valid_to.is_some_and(|end| end <= y.valid_from);
    !before(a, b) && !before(b, a)
}

/// Parents before children, siblings in declared order.
pub(super) fn in_tree_order(units: Vec<Unit>) -> Vec<Unit> {
    let mut children: BTreeMap<Option<String>, Vec<Unit>> = BTreeMap::new();
    for unit in units {
        children.entry(unit.parent.clone()).or_default().push(unit);
    }
    let mut ordered = Vec::new();
    let mut stack: Vec<Unit> = children.remove(&None).unwrap_or_default().into_iter().rev().collect();
    while let Some(unit) = stack.pop() {
        stack.extend(children.remove(&Some(unit.id.clone())).unwrap_or_default().into_iter().rev());
        ordered.push(unit);
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organisation_numbers_have_a_check_digit() {
        for orgnr in ["991324968", "993467049", "983971636", "883971752", "965985166", "1", "900000000", "999999991"] {
            assert!(is_orgnr(orgnr), "{orgnr}");
        }
        for orgnr in ["991324969", "99132496", "9913249680", "99132496a", "", "2"] {
            assert!(!is_orgnr(orgnr), "{orgnr}");
        }
    }

    #[test]
    fn units_come_in_tree_order() {
        let unit = |id: &str, parent: Option<&str>| Unit {
            id: id.to_owned(),
            level: Level::Ward,
            name: crate::model::Text::default(),
            orgnr: None,
            resh_id: None,
            parent: parent.map(str::to_owned),
            valid_from: jiff::civil::date(2000, 1, 1),
            valid_to: None,
            ownership: Ownership::Public,
            codes: BTreeMap::new(),
        };
        let units = vec![unit("a", None), unit("b", Some("a")), unit("c", Some("a")), unit("b1", Some("b"))];
        let order: Vec<String> = in_tree_order(units).into_iter().map(|unit| unit.id).collect();
        assert_eq!(order, ["a", "b", "b1", "c"]);
    }
}
