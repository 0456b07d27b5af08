//! The workspace's files, as the rules see them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::source::Source;

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Files under version control and new ones that are not ignored, relative to the workspace, sorted.
pub fn files() -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root())
        .output()
        .ok()
        .filter(|output| output.status.success());
    let mut files: Vec<String> = match listed {
        Some(output) => String::from_utf8_lossy(&output.stdout).split('\0').map(str::to_owned).collect(),
        // A source archive has no repository: then everything but build products counts.
        None => walk(&root(), ""),
    };
    files.retain(|file| root().join(file).is_file());
    files.sort();
    files.dedup();
    files
}

fn walk(folder: &Path, prefix: &str) -> Vec<String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_file() {
            files.push(format!("{prefix}{name}"));
        } else if !name.starts_with('.') && !["target", "prem-out"].contains(&name.as_str()) {
            files.extend(walk(&entry.path(), &format!("{prefix}{name}/")));
        }
    }
    files
}

/// `None` for files that are not UTF-8 text.
pub fn text(file: &str) -> Option<String> {
    fs::read_to_string(root().join(file)).ok()
}

/// Whether `file` is Rust of a library or program, not of its tests, examples or benchmarks.
pub fn is_shipped(file: &str) -> bool {
    file.ends_with(".rs") && file.contains("/src/") && !file.starts_with("tests/") && !file.starts_with("benches/")
}

/// Shipped Rust without its test modules.
pub fn shipped() -> Vec<Source> {
    rust(is_shipped).into_iter().map(Source::without_tests).collect()
}

pub fn rust(wanted: impl Fn(&str) -> bool) -> Vec<Source> {
    let files = files().into_iter().filter(|file| file.ends_with(".rs") && wanted(file));
    files.filter_map(|file| Some(Source::new(&file, &text(&file)?))).collect()
}
