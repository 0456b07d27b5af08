//! Where the reference folder is not at hand, every test that needs it says so, all in one way.

use crate::{
    finding::{Finding, assert_none},
    reference_folder,
    source::Source,
    workspace,
};

/// The file that knows where the folder is, and this one.
const KNOWING: [&str; 2] = ["tests/common/reference_folder.rs", "tests/architecture/skipped_aloud.rs"];
const NAMES: [&str; 2] = ["shared/reference", "PREM_REFERENCE"];

fn check(source: &Source) -> Vec<Finding> {
    let names = |text: &String| NAMES.iter().any(|name| text.contains(name));
    let found = source.numbered().filter(|(_, line)| line.strings.iter().any(names));
    found
        .map(|(number, _)| Finding {
            file: source.file.clone(),
            line: number,
            what: "looks for the reference folder by itself".to_owned(),
            advice: "`tests/common/reference_folder.rs` finds it, and says what is skipped",
        })
        .collect()
}

#[test]
fn one_place_knows_the_reference_folder() {
    let others = workspace::rust(|file| !KNOWING.contains(&file));
    assert!(others.len() > 100, "the sources were not read");
    assert_none("What is not compared is said aloud.", others.iter().flat_map(check).collect());
}

#[test]
fn a_test_of_its_own_mind_is_found() {
    let lines = |text: &str| check(&Source::new("a.rs", text)).iter().map(|found| found.line).collect::<Vec<_>>();
    assert_eq!(lines("// shared/reference\nlet a = root.join(\"../shared/reference/x\");\n"), [2]);
    assert_eq!(lines("std::env::var(\"PREM_REFERENCE\")"), [1]);
}

#[test]
fn what_is_not_there_is_named() {
    assert_eq!(reference_folder::find("no-such-folder/no-such-file.csv"), None);
    let line = |is_folder_there| reference_folder::skipped("a_test", "mixed/prem.csv", is_folder_there);
    assert_eq!(
        line(true),
        "SKIPPED: what a_test compares with mixed/prem.csv, not at hand; PREM_REFERENCE says where it is\n"
    );
    assert!(line(false).contains("SKIPPED: what a_test compares with the folder of reference files"));
}
