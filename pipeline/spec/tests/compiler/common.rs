//! Reading and showing declarations in tests.

use std::path::{Path, PathBuf};

use prem_spec::{Diagnostic, SourceFile, compile};

pub fn schemas() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas")
}

pub fn read(root: &Path) -> Vec<SourceFile> {
    prem_spec::load_folder(root).expect("declarations are readable")
}

pub fn source(name: &str, text: &str) -> SourceFile {
    SourceFile::new(name, text)
}

/// `file:line:column message (help)`, one line each; columns count characters from 1.
pub fn render(sources: &[SourceFile], diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(|diagnostic| format!("{}\n", one_line(sources, diagnostic))).collect()
}

fn one_line(sources: &[SourceFile], diagnostic: &Diagnostic) -> String {
    let text = sources.iter().find(|source| source.name == diagnostic.file).map_or("", |source| &source.text);
    let before = &text[..diagnostic.span.as_ref().map_or(0, |span| span.start)];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let message = diagnostic.message.replace('\n', " ⏎ ");
    let help = diagnostic.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
    format!("{}:{line}:{column} {message}{help}", diagnostic.file)
}

/// The shipped declarations with one file's text changed, and what is then wrong.
pub fn with_change(name: &str, change: impl Fn(&str) -> String) -> String {
    let mut sources = read(&schemas());
    let file = sources.iter_mut().find(|source| source.name == name).expect("a shipped file");
    let changed = change(&file.text);
    assert_ne!(file.text, changed, "the change must change something");
    file.text = changed;
    let compiled = compile(&sources);
    assert!(compiled.plan.is_none());
    render(&sources, &compiled.diagnostics)
}

/// What is wrong with a form of two versions, one with a trust's own items, when these files are changed: file below
/// `schemas`, from, to.
pub fn two_versions_with(changes: &[(&str, &str, &str)]) -> String {
    let mut sources: Vec<SourceFile> =
        read(&schemas()).into_iter().filter(|source| source.name.starts_with("datasets/")).collect();
    sources.extend(read(&schemas().join("../tests/e2e/versions/schemas")));
    for (name, from, to) in changes {
        let file = sources.iter_mut().find(|source| source.name == *name).expect("a file of the form");
        assert!(file.text.contains(from), "{name}: {from}");
        file.text = file.text.replacen(from, to, 1);
    }
    render(&sources, &compile(&sources).diagnostics)
}
