//! A place where a rule is broken.

use std::fmt;

/// File relative to the workspace, line from 1, what is wrong there and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub file: String,
    pub line: usize,
    pub what: String,
    pub advice: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.file, self.line, self.what, self.advice)
    }
}

/// Fails with every finding, each on its own line.
pub fn assert_none(rule: &str, mut findings: Vec<Finding>) {
    findings.sort();
    let told: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert!(told.is_empty(), "{rule}\n{}\n", told.join("\n"));
}
