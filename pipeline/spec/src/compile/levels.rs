//! Levels of adjusters and stratifiers are answers and codes that somebody can have.

use std::cell::RefCell;

use super::{
    reader::{At, Node},
    scope::Scope,
};
use crate::model::{Item, LocalItems, ResponseScale};

/// What the questionnaire's adjusters and stratifiers say of their columns, which are items of the form or columns of the
/// `linked` datasets. Their types have been judged before.
pub(super) fn check(node: &Node<'_>, form: (&[Item], &[LocalItems]), linked: &[&str], scope: &Scope) {
    let judged = RefCell::default();
    let sink = node.sink.apart(&judged);
    let questionnaire = node.again(&sink);
    for adjuster in questionnaire.tables("adjuster") {
        let Some(column) = adjuster.string("column") else { continue };
        check_codes(node, &column.value, &adjuster.strings("levels"), form, (linked, scope));
        check_bands(node, &column.value, &adjuster.integers("bands"), form);
    }
    for stratifier in questionnaire.tables("stratifier") {
        let Some(column) = stratifier.string("column") else { continue };
        let mut codes = stratifier.strings("levels");
        codes.extend(stratifier.tables("groups").iter().flat_map(|group| group.strings("codes")));
        check_codes(node, &column.value, &codes, form, (linked, scope));
        check_bands(node, &column.value, &stratifier.integers("bands"), form);
    }
}

fn check_codes(
    node: &Node<'_>,
    column: &str,
    codes: &[At<String>],
    form: (&[Item], &[LocalItems]),
    (linked, scope): (&[&str], &Scope),
) {
    let scale = scale_of(column, form);
    let known: Vec<String> = match scale {
        Some(scale) => scale.codes.iter().map(|code| code.code.to_string()).collect(),
        None => {
            let codes = linked.iter().find_map(|dataset| scope.codes.get(&((*dataset).to_owned(), column.to_owned())));
            codes.cloned().unwrap_or_default()
        }
    };
    if known.is_empty() {
        return;
    }
    let (what, range) = match scale {
        Some(scale) => ("answer", format!("{}–{}", scale.low, scale.high)),
        None => ("code", known.join(", ")),
    };
    for code in codes.iter().filter(|code| !known.contains(&code.value)) {
        node.error(code.span.clone(), format!("«{}» is no {what} of «{column}» ({range})", code.value), None);
    }
}

fn check_bands(node: &Node<'_>, column: &str, bounds: &[At<i64>], form: (&[Item], &[LocalItems])) {
    let Some(scale) = scale_of(column, form) else { return };
    for bound in bounds.iter().filter(|bound| bound.value > i64::from(scale.high)) {
        let message =
            format!("no answer of «{column}» ({}–{}) is in the band from {}", scale.low, scale.high, bound.value);
        node.error(bound.span.clone(), message, None);
    }
}

fn scale_of<'a>(column: &str, (items, local): (&'a [Item], &'a [LocalItems])) -> Option<&'a ResponseScale> {
    let mut asked = items.iter().chain(local.iter().flat_map(|local| &local.items));
    asked.find(|item| item.id == column).map(|item| &item.scale)
}
