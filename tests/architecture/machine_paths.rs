//! No file knows the machine it was written on.

use crate::{
    finding::{Finding, assert_none},
    workspace,
};

/// Folders of one machine, put together so that this file does not break its own rule.
const FOLDERS: [&str; 4] = [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/tm", "p/"), concat!("/wo", "rk/")];
/// Characters that can stand before a path's first `/` without being part of the path.
const BEFORE: &str = " \t\"'`(=:<>[,;";

fn check(file: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let names = |folder: &&&str| {
            line.match_indices(**folder)
                .any(|(at, _)| line[..at].chars().next_back().is_none_or(|c| BEFORE.contains(c)))
        };
        findings.extend(FOLDERS.iter().filter(names).map(|folder| Finding {
            file: file.to_owned(),
            line: number,
            what: format!("a path of one machine: {folder}"),
            advice: "write it relative to the workspace, or as a placeholder such as DIR",
        }));
    }
    findings
}

#[test]
fn no_file_knows_its_machine() {
    let files = workspace::files();
    let findings = files.iter().filter_map(|file| Some(check(file, &workspace::text(file)?))).flatten().collect();
    assert_none("No file knows the machine it was written on.", findings);
}

#[test]
fn a_machine_path_is_found() {
    for folder in FOLDERS {
        assert_eq!(check("a.md", &format!("first\nrun `{folder}x`\n")).iter().map(|f| f.line).collect::<Vec<_>>(), [2]);
        assert_eq!(check("a.md", &format!("https://example.org{folder}x, relative{folder}y")), []);
    }
}
