//! Every public kernel against hostile input: NaN, infinities, n = 0, 1, 2, constant columns, one unit, empty units, counts of
//! 10^9. An error or `None` is an answer; a panic or a number that is none is not.
//!
//! `every_kernel_is_here` reads the sources, so a new kernel, or a new method, without a case below fails it.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a failure is a failed test")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "small counts"
)]

mod closed;
mod linear;
mod logistic;
mod methods;
mod register;
mod small;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::Path;

/// Numbers that break formulas.
pub const NUMBERS: [f64; 16] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    0.0,
    -0.0,
    -1.0,
    0.5,
    1.0,
    2.0,
    7.0,
    1e9,
    1e-9,
    1e-300,
    1e300,
    f64::MAX,
    f64::MIN_POSITIVE,
];

/// Fewer of them, for kernels of three numbers.
pub const FEW: [f64; 8] = [f64::NAN, f64::INFINITY, -1.0, 0.0, 0.5, 7.0, 1e9, 1e300];

/// Vectors that break formulas.
pub fn vectors() -> Vec<Vec<f64>> {
    let mut all: Vec<Vec<f64>> = vec![vec![], vec![1.0, 2.0, 3.0, 4.0], vec![1e9, 3.0, 0.0, 2e9], vec![0.2, 0.5, 0.3]];
    for v in NUMBERS {
        all.extend([vec![v], vec![v; 2], vec![v; 7], vec![1.0, v], vec![5.0, v, 2.0, 8.0]]);
    }
    all
}

/// Unsound answers: all are shown at once.
#[derive(Default)]
pub struct Unsound(Vec<String>);

impl Unsound {
    /// What is given must be a number.
    pub fn check<T: Debug>(&mut self, what: &str, result: prem_stats::Result<T>) {
        let Ok(value) = result else { return };
        let text = format!("{value:?}");
        if text.split(|c: char| !c.is_alphanumeric()).any(|word| word == "NaN" || word == "inf") {
            self.0.push(format!("{what}: {}", text.chars().take(400).collect::<String>()));
        }
    }

    pub fn finish(self) {
        assert!(self.0.is_empty(), "{} unsound answers:\n{}", self.0.len(), self.0.join("\n"));
    }
}

/// The text of every source file, but for the error type.
fn sources(folder: &Path, out: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("error.rs") {
            out.push(std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// The word that a text begins with.
fn word(text: &str) -> &str {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap()
}

/// `pub fn` at the left margin: `name`. In an `impl` block of a public type: `Type::name`.
fn kernels(sources: &[String]) -> BTreeSet<String> {
    let lines = || sources.iter().flat_map(|text| text.lines());
    let is_type =
        |line: &str| ["pub struct ", "pub enum "].iter().find_map(|p| line.strip_prefix(p)).map(word).map(String::from);
    let public: BTreeSet<String> = lines().filter_map(is_type).collect();
    let mut owner = "";
    let mut names = BTreeSet::new();
    for line in lines() {
        if let Some(of) = line.strip_prefix("impl").and_then(|l| l.strip_suffix(" {")) {
            owner = word(of.split(' ').next_back().unwrap());
        } else if let Some(name) = line.strip_prefix("pub fn ") {
            names.insert(word(name).to_string());
        } else if let Some(name) = line.strip_prefix("    pub fn ").filter(|_| public.contains(owner)) {
            names.insert(format!("{owner}::{}", word(name)));
        }
    }
    names
}

#[test]
fn every_kernel_is_here() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = Vec::new();
    sources(&root.join("src"), &mut texts);
    let names = kernels(&texts);
    let methods = names.iter().filter(|name| name.contains("::")).count();
    assert!(methods > 100 && names.len() - methods > 100, "the sources were not read");
    let mut tests = String::new();
    for file in ["closed", "linear", "logistic", "methods", "register", "small"] {
        tests += &std::fs::read_to_string(root.join(format!("tests/hostile/{file}.rs"))).unwrap();
    }
    let called: BTreeSet<&str> = tests.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).collect();
    let last = |name: &str| name.rsplit("::").next().unwrap().to_string();
    let functions: BTreeSet<String> = called.iter().map(|name| last(name)).collect();
    let is_here =
        |name: &&String| if name.contains("::") { called.contains(name.as_str()) } else { functions.contains(*name) };
    let missing: Vec<&String> = names.iter().filter(|name| !is_here(name)).collect();
    assert!(missing.is_empty(), "kernels without a hostile case: {missing:?}");
    let gone: Vec<&&str> = methods::STORED.iter().filter(|name| !names.contains(**name)).collect();
    assert!(gone.is_empty(), "listed, but no longer there: {gone:?}");
}
