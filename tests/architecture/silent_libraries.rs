//! Libraries write nothing to the terminal: `jobs` meets the person at the door.

use crate::{
    finding::{Finding, assert_none},
    source::{Source, has_word},
    workspace,
};

const MACROS: [&str; 5] = ["println!", "print!", "eprintln!", "eprint!", "dbg!"];

fn is_library(file: &str) -> bool {
    file.starts_with("pipeline/") || file.starts_with("sample-data/")
}

fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in source.numbered() {
        // The `!` keeps longer names apart, so only what stands before it must be looked at.
        let used = |name: &&&str| has_word(&line.code, name.trim_end_matches('!')) && line.code.contains(**name);
        findings.extend(MACROS.iter().filter(used).map(|name| Finding {
            file: source.file.clone(),
            line: number,
            what: format!("`{name}` in a library"),
            advice: "return it, or use `tracing`; only `jobs` writes to a terminal",
        }));
    }
    findings
}

#[test]
fn libraries_are_silent() {
    let sources = workspace::shipped();
    let libraries = sources.iter().filter(|source| is_library(&source.file));
    assert_none("Libraries write nothing to the terminal.", libraries.flat_map(check).collect());
}

#[test]
fn a_library_that_prints_is_found() {
    let found = |text: &str| check(&Source::new("a.rs", text)).len();
    assert_eq!(found("fn a() {\n    println!(\"{b}\");\n}"), 1);
    assert_eq!(found("dbg!(a);"), 1);
    assert_eq!(found("eprint!(\"a\"); // why"), 1);
    assert_eq!(found("writeln!(out, \"println!\")?; // print!(a)"), 0);
}
