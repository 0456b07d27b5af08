//! Files hold one thing: source short enough to read at a sitting, and no large data in the repository.

use std::fs;

use crate::{
    finding::{Finding, assert_none},
    workspace,
};

const LINES_MAX: usize = 500;
const BYTES_MAX: u64 = 1 << 20;

fn too_long(file: &str, lines: usize) -> Option<Finding> {
    (lines > LINES_MAX).then(|| Finding {
        file: file.to_owned(),
        line: LINES_MAX + 1,
        what: format!("{lines} lines in one file"),
        advice: "at most 500: split it by what its parts are about",
    })
}

fn too_large(file: &str, bytes: u64) -> Option<Finding> {
    (bytes > BYTES_MAX).then(|| Finding {
        file: file.to_owned(),
        line: 1,
        what: format!("{bytes} bytes in one file"),
        advice: "at most 1 MiB: generate it, shrink it or keep it elsewhere",
    })
}

#[test]
fn source_files_are_short() {
    let files = workspace::files().into_iter().filter(|file| file.contains("/src/") && file.ends_with(".rs"));
    let findings = files.filter_map(|file| too_long(&file, workspace::text(&file)?.lines().count())).collect();
    assert_none("Files hold one thing.", findings);
}

#[test]
fn no_file_is_large() {
    let size = |file: &String| fs::metadata(workspace::root().join(file)).ok().map(|metadata| metadata.len());
    let files = workspace::files();
    assert!(!files.is_empty());
    assert_none(
        "No large data in the repository.",
        files.iter().filter_map(|file| too_large(file, size(file)?)).collect(),
    );
}

#[test]
fn a_long_or_large_file_is_found() {
    assert!(too_long("a.rs", LINES_MAX + 1).is_some() && too_long("a.rs", LINES_MAX).is_none());
    assert!(too_large("a.csv", BYTES_MAX + 1).is_some() && too_large("a.csv", BYTES_MAX).is_none());
}
