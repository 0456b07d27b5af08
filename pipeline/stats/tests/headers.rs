//! Every kernel's file opens with the same six headings, in the same order, and names tests and files that exist; where its
//! reference values are is said by the name of a test, or of a file that a test reads.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a failure is a failed test")]

use std::path::{Path, PathBuf};

const HEADINGS: [&str; 6] = ["Estimand", "Formula", "Source", "Assumptions", "Edge cases", "Reference values"];

/// Files that hold no method: the crate's own tools, and the inner loop of `sufficient.rs`.
const TOOLS: [&str; 7] = ["lib.rs", "error.rs", "numeric.rs", "random.rs", "block.rs", "matrix.rs", "vector.rs"];

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("mod.rs") {
            out.push(path);
        }
    }
}

#[test]
fn kernels_have_the_six_headings() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    files(&root.join("src"), &mut all);
    all.retain(|p| !TOOLS.iter().any(|t| p.ends_with(t)));
    all.sort();
    assert!(all.len() > 60, "the sources were not read");
    let mut tests = Vec::new();
    files(&root.join("tests"), &mut tests);
    let tests: String = tests.iter().map(|p| std::fs::read_to_string(p).unwrap()).collect();
    let mut wrong = Vec::new();
    for path in &all {
        let text = std::fs::read_to_string(path).unwrap();
        let header: Vec<&str> = text.lines().map_while(|l| l.strip_prefix("//!")).map(str::trim).collect();
        let found: Vec<&str> = header.iter().filter_map(|l| l.strip_prefix("# ")).collect();
        if found != HEADINGS {
            wrong.push(format!("{}: headings {found:?}", path.display()));
        }
        let empty = header.windows(2).any(|w| w[0].starts_with("# ") && (w[1].is_empty() || w[1].starts_with("# ")));
        if empty || header.last().is_some_and(|l| l.starts_with("# ")) {
            wrong.push(format!("{}: an empty section", path.display()));
        }
        let words = |lines: &[&str]| -> Vec<String> {
            let all = lines.iter().flat_map(|l| l.split([' ', '`', ',', ':', ';', '(', ')']));
            all.map(|w| w.trim_end_matches('.').to_string()).collect()
        };
        for name in words(&header).iter().filter(|w| w.starts_with("tests/")) {
            if !root.join(name).exists() {
                wrong.push(format!("{}: {name} does not exist", path.display()));
            }
        }
        let from = header.iter().position(|l| *l == "# Reference values").map_or(header.len(), |at| at + 1);
        let has_place = words(&header[from..]).iter().any(|word| {
            let file = word.rsplit('/').next().unwrap();
            word.starts_with("tests/") || file.ends_with(".csv") && tests.contains(file)
        });
        if !has_place && !text.contains("#[cfg(test)]") {
            wrong.push(format!("{}: no test is named where reference values are compared", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
