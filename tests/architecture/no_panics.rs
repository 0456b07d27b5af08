//! A bad file is an error with a place, never a panic.

use crate::{
    finding::{Finding, assert_none},
    source::Source,
    workspace,
};

const CALLS: [&str; 4] = [".unwrap()", ".expect(", ".unwrap_err()", ".expect_err("];
/// A comment with this mark, on the line or the one above, says why the value is always there.
const MARK: &str = "infallible:";

fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut above = "";
    for (number, line) in source.numbered() {
        let is_argued = line.comment.contains(MARK) || above.contains(MARK);
        for call in CALLS.iter().filter(|call| line.code.contains(**call) && !is_argued) {
            findings.push(Finding {
                file: source.file.clone(),
                line: number,
                what: format!("`{call}` outside tests"),
                advice: "return an error, give a default, or write `// infallible: …` and say why",
            });
        }
        above = &line.comment;
    }
    findings
}

fn is_checked(file: &str) -> bool {
    ["pipeline/", "jobs/", "sample-data/"].iter().any(|folder| file.starts_with(folder))
}

#[test]
fn nothing_is_unwrapped() {
    let sources = workspace::shipped();
    let checked = sources.iter().filter(|source| is_checked(&source.file));
    assert_none("A bad file is an error, never a panic.", checked.flat_map(check).collect());
}

#[test]
fn an_unwrap_is_found() {
    const NONE: [usize; 0] = [];
    let lines = |text: &str| {
        let source = Source::new("a.rs", text).without_tests();
        check(&source).iter().map(|finding| finding.line).collect::<Vec<_>>()
    };
    assert_eq!(lines("let a = b.unwrap();\nlet c = d\n    .expect(\"d\");"), [1, 3]);
    assert_eq!(
        lines("// infallible: a constant\nlet a = b.unwrap();\nlet c = d.unwrap(); // infallible: checked above"),
        NONE
    );
    assert_eq!(lines("let a = b.unwrap_or(1); // never .unwrap()\n#[expect(dead_code)]\nlet c = \".unwrap()\";"), NONE);
    assert_eq!(lines("#[cfg(test)]\nmod tests {\n    fn a() { b.unwrap() }\n}\n"), NONE);
}
