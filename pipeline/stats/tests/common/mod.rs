//! Shared by all test binaries: a reader for reference files and a record of what was compared.
//!
//! A reference test makes one [`Case`] per method, gives it pairs of expected and actual values, and calls [`Case::finish`].
//! [`print_table`] shows all of them. See `tests/reference/main.rs` for how to add a file of cases.
#![allow(dead_code, reason = "every test binary uses a part of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;

#[path = "../../../../tests/common/reference_folder.rs"]
mod reference_folder;

/// Rows of a CSV file, by column name.
pub struct Table {
    columns: BTreeMap<String, usize>,
    rows: Vec<Vec<String>>,
}

/// One row of a [`Table`].
#[derive(Clone, Copy)]
pub struct Row<'a> {
    table: &'a Table,
    cells: &'a [String],
}

impl Table {
    /// `folder/file` of the shared reference folder; `None` (and a line that says so) where it is not at hand.
    pub fn shared(path: &str) -> Option<Table> {
        let Some(full) = reference_folder::find(path) else {
            skip(path);
            return None;
        };
        READ.lock().unwrap().insert(path.to_string());
        Some(Table::read(&full))
    }

    /// `file` of this package's own `tests/reference` folder.
    pub fn own(file: &str) -> Table {
        Table::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference").join(file))
    }

    fn read(path: &Path) -> Table {
        let mut reader = csv::Reader::from_path(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let columns = reader.headers().unwrap().iter().enumerate().map(|(i, h)| (h.to_string(), i)).collect();
        let rows = reader.records().map(|r| r.unwrap().iter().map(str::to_string).collect()).collect();
        Table { columns, rows }
    }

    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|cells| Row { table: self, cells })
    }

    /// Rows whose `column` reads `value`.
    pub fn with<'a>(&'a self, column: &'a str, value: &'a str) -> impl Iterator<Item = Row<'a>> {
        self.rows().filter(move |r| r.text(column) == value)
    }

    /// Rows for which every (column, value) pair holds, as a table of their own.
    pub fn filter(&self, conditions: &[(&str, &str)]) -> Table {
        let holds = |r: &Row| conditions.iter().all(|(c, v)| r.text(c) == *v);
        let rows = self.rows().filter(holds).map(|r| r.cells.to_vec()).collect();
        Table { columns: self.columns.clone(), rows }
    }

    /// A column as text.
    pub fn texts(&self, column: &str) -> Vec<&str> {
        self.rows().map(|r| r.text(column)).collect()
    }

    /// A column as numbers; empty cells are an error here.
    pub fn numbers(&self, column: &str) -> Vec<f64> {
        self.rows().map(|r| r.number(column)).collect()
    }

    /// `value` of the row whose `key` column reads `name`.
    pub fn lookup(&self, key: &str, name: &str, value: &str) -> f64 {
        self.rows().find(|r| r.text(key) == name).unwrap_or_else(|| panic!("no row {key} = {name}")).number(value)
    }

    /// Different values of a column in order of appearance.
    pub fn distinct(&self, column: &str) -> Vec<String> {
        let mut seen: Vec<String> = Vec::new();
        for r in self.rows() {
            let v = r.text(column);
            if !seen.iter().any(|s| s == v) {
                seen.push(v.to_string());
            }
        }
        seen
    }
}

impl<'a> Row<'a> {
    pub fn text(&self, column: &str) -> &'a str {
        let i = *self.table.columns.get(column).unwrap_or_else(|| panic!("no column {column}"));
        &self.cells[i]
    }

    pub fn number(&self, column: &str) -> f64 {
        let t = self.text(column);
        t.parse().unwrap_or_else(|_| panic!("column {column}: {t:?} is not a number"))
    }

    /// `None` where the cell is empty.
    pub fn optional(&self, column: &str) -> Option<f64> {
        if self.text(column).is_empty() { None } else { Some(self.number(column)) }
    }

    pub fn flag(&self, column: &str) -> bool {
        self.text(column) == "true"
    }
}

/// Shared files that were read.
static READ: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Files of the shared folder that no case has read, but for the `excluded` folders.
pub fn unread(excluded: &[&str]) -> Vec<String> {
    let read = READ.lock().unwrap();
    let mut found = Vec::new();
    for folder in
        std::fs::read_dir(reference_folder::root()).into_iter().flatten().flatten().filter(|f| f.path().is_dir())
    {
        let name = folder.file_name().to_string_lossy().into_owned();
        let files = std::fs::read_dir(folder.path()).into_iter().flatten().flatten();
        let paths = files.map(|f| format!("{name}/{}", f.file_name().to_string_lossy()));
        if !excluded.contains(&name.as_str()) {
            found.extend(paths.filter(|p| p.ends_with(".csv") && !read.contains(p)));
        }
    }
    found.sort();
    found
}

/// How far an actual value may be from the expected one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tolerance {
    /// |actual − expected|
    Absolute(f64),
    /// |actual − expected| / |expected|; absolute where the expected value is 0
    Relative(f64),
    /// |actual − expected| / max(1, |expected|): relative for large values, absolute for small ones
    Scaled(f64),
    /// no difference at all
    Exact,
}

/// What became of a case.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Verdict {
    #[default]
    Pass,
    /// Beyond the tolerance, as declared, with the reason.
    Difference(String),
    /// Beyond the tolerance, or another difference than declared.
    Failure(String),
    Skipped,
}

#[derive(Clone, Debug, Default)]
struct Outcome {
    method: String,
    source: String,
    values: usize,
    largest: f64,
    tolerance: String,
    verdict: Verdict,
}

static OUTCOMES: Mutex<Vec<Outcome>> = Mutex::new(Vec::new());
/// Lists a file that is not at hand among the outcomes.
fn skip(path: &str) {
    let mut outcomes = OUTCOMES.lock().unwrap();
    if outcomes.iter().any(|o| o.method == path) {
        return;
    }
    outcomes.push(Outcome {
        method: path.to_string(),
        source: "not at hand".into(),
        verdict: Verdict::Skipped,
        ..Outcome::default()
    });
}

fn record(outcome: Outcome) {
    OUTCOMES.lock().unwrap().push(outcome);
}

/// Comparison of one method with one source.
pub struct Case {
    method: String,
    source: String,
    tolerance: Tolerance,
    values: usize,
    largest: f64,
    worst: String,
    known: Option<Known>,
}

/// A difference that is meant to be.
struct Known {
    reason: String,
    at_most: f64,
}

impl Case {
    /// `method` in the field's words, `source` the software or print the expected values come from.
    pub fn new(method: &str, source: &str, tolerance: Tolerance) -> Case {
        Case {
            method: method.into(),
            source: source.into(),
            tolerance,
            values: 0,
            largest: 0.0,
            worst: String::new(),
            known: None,
        }
    }

    /// Declares that the source differs on purpose: beyond the tolerance, but by no more than `at_most` in its measure, the verdict
    /// is DIFFERENCE with this reason. A larger difference is a failure, and so is one that is no longer there.
    pub fn known_difference(mut self, reason: &str, at_most: f64) -> Case {
        self.known = Some(Known { reason: reason.into(), at_most });
        self
    }

    /// Compares one value; `what` names it in a message.
    pub fn compare(&mut self, what: &str, expected: f64, actual: f64) {
        let gap = match self.tolerance {
            Tolerance::Relative(_) if expected != 0.0 => ((actual - expected) / expected).abs(),
            Tolerance::Scaled(_) => (actual - expected).abs() / expected.abs().max(1.0),
            _ => (actual - expected).abs(),
        };
        let gap = if actual == expected {
            0.0
        } else if gap.is_nan() {
            f64::INFINITY
        } else {
            gap
        };
        self.values += 1;
        if gap > self.largest || self.worst.is_empty() {
            self.largest = self.largest.max(gap);
            self.worst = format!("{what}: expected {expected:?}, got {actual:?}");
        }
    }

    /// Compares an expected value with a result that may be missing on both sides.
    pub fn compare_optional(&mut self, what: &str, expected: Option<f64>, actual: Option<f64>) {
        match (expected, actual) {
            (None, None) => self.values += 1,
            (Some(e), Some(a)) => self.compare(what, e, a),
            (e, a) => {
                self.values += 1;
                self.largest = f64::INFINITY;
                self.worst = format!("{what}: expected {e:?}, got {a:?}");
            }
        }
    }

    /// Compares something that must be the same.
    pub fn compare_same<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, expected: &T, actual: &T) {
        self.values += 1;
        if expected != actual {
            self.largest = f64::INFINITY;
            self.worst = format!("{what}: expected {expected:?}, got {actual:?}");
        }
    }

    /// What the values compared so far amount to.
    pub fn verdict(&self) -> Verdict {
        let limit = match self.tolerance {
            Tolerance::Absolute(t) | Tolerance::Relative(t) | Tolerance::Scaled(t) => t,
            Tolerance::Exact => 0.0,
        };
        if self.values == 0 {
            return Verdict::Failure("no value was compared".into());
        }
        match &self.known {
            None if self.largest <= limit => Verdict::Pass,
            None => Verdict::Failure(self.worst.clone()),
            Some(_) if self.largest <= limit => Verdict::Failure("the declared difference is not there".into()),
            Some(known) if self.largest <= known.at_most => {
                Verdict::Difference(format!("{}, at most {:.0e}", known.reason, known.at_most))
            }
            Some(known) => Verdict::Failure(format!("more than {:.0e}: {}", known.at_most, self.worst)),
        }
    }

    /// Records the case.
    pub fn finish(self) {
        let text = match self.tolerance {
            Tolerance::Absolute(t) => format!("{t:e} abs"),
            Tolerance::Relative(t) => format!("{t:e} rel"),
            Tolerance::Scaled(t) => format!("{t:e} scaled"),
            Tolerance::Exact => "exact".into(),
        };
        let verdict = self.verdict();
        record(Outcome {
            method: self.method,
            source: self.source,
            values: self.values,
            largest: self.largest,
            tolerance: text,
            verdict,
        });
    }
}

/// Prints every recorded case and returns the failures.
pub fn print_table() -> Vec<String> {
    let outcomes = OUTCOMES.lock().unwrap();
    let width = |f: fn(&Outcome) -> &str| outcomes.iter().map(|o| f(o).chars().count()).max().unwrap_or(0);
    let (m, s) = (width(|o| &o.method), width(|o| &o.source));
    println!("{:m$}  {:s$}  {:>7}  {:>9}  {:>12}  verdict", "method", "source", "values", "largest", "tolerance");
    let (mut pass, mut difference, mut skipped, mut failures) = (0, 0, 0, Vec::new());
    for o in outcomes.iter() {
        let verdict = match &o.verdict {
            Verdict::Pass => "PASS".to_string(),
            Verdict::Skipped => "SKIPPED".to_string(),
            Verdict::Difference(reason) => format!("DIFFERENCE {reason}"),
            Verdict::Failure(reason) => format!("FAILURE {reason}"),
        };
        match &o.verdict {
            Verdict::Pass => pass += 1,
            Verdict::Skipped => skipped += 1,
            Verdict::Difference(_) => difference += 1,
            Verdict::Failure(reason) => failures.push(format!("{} ({}): {reason}", o.method, o.source)),
        }
        println!(
            "{:m$}  {:s$}  {:>7}  {:>9.1e}  {:>12}  {verdict}",
            o.method, o.source, o.values, o.largest, o.tolerance
        );
    }
    let values: usize = outcomes.iter().map(|o| o.values).sum();
    println!("{pass} cases PASS, {difference} DIFFERENCE, {skipped} SKIPPED; {values} values compared");
    failures
}
