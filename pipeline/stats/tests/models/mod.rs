//! Reading the reference tables for the model tests.
#![allow(dead_code)]

#[path = "../common/mod.rs"]
pub mod common;

use std::collections::BTreeMap;
use std::path::PathBuf;

/// The folder of a reference case, or `None` with a line that says the test was skipped.
pub fn folder(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference").join(name);
    if path.is_dir() {
        Some(path)
    } else {
        println!("SKIPPED: reference numbers not found ({name})");
        None
    }
}

/// A CSV table, by column name.
pub struct Table {
    names: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    pub fn read(folder: &str, file: &str) -> Option<Table> {
        let text = std::fs::read_to_string(self::folder(folder)?.join(file)).expect("reference file");
        let mut lines = text.lines().map(|l| l.split(',').map(str::to_string).collect::<Vec<_>>());
        let names = lines.next().expect("header");
        Some(Table { names, rows: lines.collect() })
    }

    pub fn column(&self, name: &str) -> usize {
        self.names.iter().position(|n| n == name).unwrap_or_else(|| panic!("no column {name}"))
    }

    pub fn text(&self, name: &str) -> Vec<&str> {
        let k = self.column(name);
        self.rows.iter().map(|r| r[k].as_str()).collect()
    }

    /// Empty cells are NaN.
    pub fn numbers(&self, name: &str) -> Vec<f64> {
        self.text(name).iter().map(|v| if v.is_empty() { f64::NAN } else { v.parse().expect("number") }).collect()
    }

    /// Rows for which every (column, value) pair holds.
    pub fn filter(&self, conditions: &[(&str, &str)]) -> Table {
        let keys: Vec<(usize, &str)> = conditions.iter().map(|(c, v)| (self.column(c), *v)).collect();
        let rows = self.rows.iter().filter(|r| keys.iter().all(|(k, v)| r[*k] == *v)).cloned().collect();
        Table { names: self.names.clone(), rows }
    }

    /// name → number, for tables in long form.
    pub fn lookup(&self, key: &str, value: &str) -> BTreeMap<String, f64> {
        self.text(key).iter().map(|k| k.to_string()).zip(self.numbers(value)).collect()
    }
}

/// Distinct labels in sorted order, and the index of each row.
pub fn codes(labels: &[&str]) -> (Vec<String>, Vec<u32>) {
    let mut names: Vec<String> = labels.iter().map(|s| s.to_string()).collect();
    names.sort();
    names.dedup();
    let index = labels.iter().map(|l| names.iter().position(|n| n == l).expect("label") as u32).collect();
    (names, index)
}

/// prem.csv as the models want it.
pub struct Prem {
    pub names: Vec<String>,
    pub units: Vec<u32>,
    pub score: Vec<f64>,
    pub topbox: Vec<f64>,
    pub terms: Vec<String>,
    pub x: Vec<Vec<f64>>,
}

impl Prem {
    /// With age in years, or (age − 60)/10 as `age_c`.
    pub fn read(centred_age: bool) -> Option<Prem> {
        let table = Table::read("mixed", "prem.csv")?;
        let (names, units) = codes(&table.text("unit"));
        let age = table.numbers("age");
        let mut terms = vec![if centred_age { "age_c" } else { "age" }.to_string()];
        let mut x = vec![if centred_age { age.iter().map(|a| (a - 60.0) / 10.0).collect() } else { age }];
        for (variable, reference) in
            [("sex", "female"), ("education", "primary"), ("health", "excellent"), ("acute", ""), ("language", "norwegian")]
        {
            if variable == "acute" {
                terms.push("acute".into());
                x.push(table.numbers("acute"));
                continue;
            }
            let labels = table.text(variable);
            for level in codes(&labels).0.iter().filter(|l| *l != reference) {
                terms.push(format!("{variable}={level}"));
                x.push(labels.iter().map(|l| f64::from(l == level)).collect());
            }
        }
        Some(Prem { names, units, score: table.numbers("score"), topbox: table.numbers("topbox"), terms, x })
    }

    pub fn columns(&self) -> Vec<&[f64]> {
        self.x.iter().map(Vec::as_slice).collect()
    }
}

/// One comparison with other software: a case of the common record, with differences relative to max(1, |expected|).
pub struct Case {
    inner: Option<common::Case>,
    name: String,
    tolerance: f64,
    worst: f64,
    count: usize,
}

impl Case {
    pub fn new(method: &str, source: &str, tolerance: f64) -> Case {
        let inner = Some(common::Case::new(method, source, common::Tolerance::Absolute(tolerance)));
        Case { inner, name: format!("{method} [{source}]"), tolerance, worst: 0.0, count: 0 }
    }

    pub fn compare(&mut self, expected: f64, got: f64) {
        self.scaled(expected, got, expected.abs().max(1.0));
    }

    /// Relative whatever the size; for numbers far below 1.
    pub fn compare_relative(&mut self, expected: f64, got: f64) {
        self.scaled(expected, got, expected.abs().max(f64::MIN_POSITIVE));
    }

    fn scaled(&mut self, expected: f64, got: f64, scale: f64) {
        let difference = (expected - got).abs() / scale;
        assert!(difference <= self.tolerance, "{}: expected {expected}, got {got}", self.name);
        self.worst = self.worst.max(difference);
        self.count += 1;
        if let Some(inner) = &mut self.inner {
            inner.compare("scaled value", expected / scale, got / scale);
        }
    }
}

impl Drop for Case {
    fn drop(&mut self) {
        println!("{}: {} numbers, largest difference {:.1e} (tolerance {:.0e})", self.name, self.count, self.worst, self.tolerance);
        if let Some(inner) = self.inner.take().filter(|_| self.count > 0) {
            inner.finish();
        }
    }
}
