//! Kernels: numbers in, numbers out. No files, no environment, no clock.

use crate::{
    finding::{Finding, assert_none},
    source::{Source, has_word},
    workspace,
};

const KERNELS: &str = "pipeline/stats/src/";
const OUTSIDE: [&str; 5] = ["fs", "env", "time", "process", "net"];

fn check(source: &Source) -> Vec<Finding> {
    let finding = |line, module: &str| Finding {
        file: source.file.clone(),
        line,
        what: format!("a kernel reaches for std::{module}"),
        advice: "take what it needs as an argument; files, clocks and settings belong to `jobs` and the store",
    };
    let mut findings = Vec::new();
    for (number, line) in source.numbered() {
        let named = |module: &&&str| has_word(&line.code, &format!("std::{module}"));
        findings.extend(OUTSIDE.iter().filter(named).map(|module| finding(number, module)));
    }
    for (number, statement) in source.uses() {
        let Some((_, group)) = statement.split_once("std::{") else { continue };
        // Only the first name of each entry is a module of std: `collections::{…}` hides its own.
        let mut depth = 0i32;
        let mut entries = vec![String::new()];
        for character in group.chars() {
            match character {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => entries.push(String::new()),
                _ if depth == 0 => entries.iter_mut().next_back().into_iter().for_each(|entry| entry.push(character)),
                _ => {}
            }
        }
        let first = |entry: &String| entry.split("::").next().unwrap_or_default().to_owned();
        let found = entries.iter().map(first).filter(|entry| OUTSIDE.contains(&entry.as_str()));
        findings.extend(found.map(|module| finding(number, &module)));
    }
    findings
}

#[test]
fn kernels_touch_nothing_outside() {
    let sources: Vec<Source> =
        workspace::shipped().into_iter().filter(|source| source.file.starts_with(KERNELS)).collect();
    assert!(!sources.is_empty(), "no kernels under {KERNELS}");
    assert_none("Kernels: numbers in, numbers out.", sources.iter().flat_map(check).collect());
}

#[test]
fn a_kernel_that_reads_a_file_is_found() {
    const NONE: [usize; 0] = [];
    let lines = |text: &str| check(&Source::new("a.rs", text)).iter().map(|finding| finding.line).collect::<Vec<_>>();
    assert_eq!(lines("fn a() {\n    std::fs::read(\"a\")\n}"), [2]);
    assert_eq!(lines("use std::time::Instant;"), [1]);
    assert_eq!(lines("use std::{\n    collections::BTreeMap,\n    env,\n};"), [1]);
    assert_eq!(lines("use std::{fs::File, io};"), [1]);
    assert_eq!(
        lines("use std::{collections::BTreeMap, fmt};\n// std::fs\nlet environment = std::f64::consts::PI;"),
        NONE
    );
}
