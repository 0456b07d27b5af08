//! What is shipped is finished: no placeholders, no notes to oneself.

use crate::{
    finding::{Finding, assert_none},
    source::{Source, has_word},
    workspace,
};

const MACROS: [&str; 2] = ["todo!", "unimplemented!"];
const MARKS: [&str; 2] = ["FIXME", "XXX"];

fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in source.numbered() {
        let called =
            MACROS.iter().filter(|name| line.code.contains(**name) && has_word(&line.code, name.trim_end_matches('!')));
        let noted = MARKS.iter().filter(|mark| has_word(&line.comment, mark));
        findings.extend(called.chain(noted).map(|word| Finding {
            file: source.file.clone(),
            line: number,
            what: format!("unfinished: {word}"),
            advice: "finish it, return an error that says so, or leave it out and say so in the documentation",
        }));
    }
    findings
}

#[test]
fn everything_is_finished() {
    let findings = workspace::rust(|_| true).iter().flat_map(check).collect();
    assert_none("What is shipped is finished.", findings);
}

#[test]
fn a_placeholder_is_found() {
    let found = |text: &str| check(&Source::new("a.rs", text)).len();
    assert_eq!(found("fn a() { todo!() }"), 1);
    assert_eq!(found("unimplemented!(\"later\")"), 1);
    assert_eq!(found("let a = 1; // FIXME: two"), 1);
    assert_eq!(found("/* XXX */"), 1);
    assert_eq!(found("let a = \"todo!\"; // todos, XXXL"), 0);
}
