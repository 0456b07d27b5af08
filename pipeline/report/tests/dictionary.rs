//! The data dictionary of the shipped declarations, in every language, and the committed one.

#![allow(clippy::expect_used, reason = "a failure is a failed test")]

use std::{fs, path::Path};

use prem_report::{Language, dictionary_html, dictionary_markdown};
use prem_spec::{Column, Constraint, Plan, compile, load_folder};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn shipped() -> Plan {
    compile(&load_folder(&root().join("schemas")).expect("schemas")).plan.expect("a plan")
}

#[test]
fn the_committed_dictionary_is_that_of_the_shipped_declarations() {
    let committed = fs::read_to_string(root().join("docs/data-dictionary.md")).expect("docs/data-dictionary.md");
    let now = dictionary_markdown(&shipped(), Language::Bokmal).expect("a dictionary");
    assert!(committed == now, "write it anew: prem dictionary --language nb docs/data-dictionary.md");
}

#[test]
fn every_column_demand_rule_and_reason_is_in_it() {
    let plan = shipped();
    for language in Language::ALL {
        let (text, page) = (
            dictionary_markdown(&plan, language).expect("Markdown"),
            dictionary_html(&plan, language).expect("a page"),
        );
        assert!(page.contains(&format!("<html lang=\"{}\">", language.code())));
        for dataset in plan.datasets.values() {
            assert!(
                text.contains(&format!("(`{}`", dataset.name)) && page.contains(&format!("id=\"{}\"", dataset.name))
            );
            for column in &dataset.columns {
                assert!(text.contains(&format!("| `{}` |", column.name)), "{}", column.name);
                assert!(page.contains(&format!("<code>{}</code>", column.name)), "{}", column.name);
                demands(column, &text);
            }
            for rule in &dataset.rules {
                assert!(text.contains(&format!("- `{}`: ", rule.id)) && text.contains(&rule.reason()), "{}", rule.id);
            }
        }
        // No text is missing: a key would stand in its place.
        for leak in ["reason_", "type_", "rule_later", "condition_", "on_break", "{", "}"] {
            let prose = text.lines().filter(|line| !line.contains("[0-9]") && !line.contains("]{"));
            assert!(prose.clone().all(|line| !line.contains(leak)), "{language:?} {leak}");
        }
        assert_eq!(page.matches("<table>").count(), page.matches("<caption").count());
        assert_eq!(page.matches("scope=\"col\"").count(), 4 * plan.datasets.len());
    }
}

/// A demand's own numbers and words stand in the text.
fn demands(column: &Column, text: &str) {
    for constraint in column.constraints() {
        let told = match constraint {
            Constraint::References(to) => format!("{}.{}", to.dataset, to.column),
            Constraint::MaxLength(length) => length.to_string(),
            Constraint::Pattern(pattern) => pattern.replace('|', "\\|"),
            Constraint::Codes(codes) => format!("{} = ", codes[0].code),
            Constraint::IntegerRange { min, .. } => min.to_string(),
            Constraint::DateRange { min, .. } => min.to_string(),
            Constraint::Required | Constraint::Unique | Constraint::NumberRange { .. } => continue,
        };
        assert!(text.contains(&told), "{}: {told}", column.name);
    }
}
