//! What README tells a newcomer to do, done as it stands there: files from its blocks, commands from its commands.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use prem_store::tables::{Estimate, read_table};
use tempfile::TempDir;

use crate::place::{expect_code, prem};

const HEADING: &str = "## A region of your own, step by step";
const FOLDER: &str = "my-region";
const AT_ITS_END: &str = ", at its end";

/// A fenced block: what its fence says, and its text.
struct Block {
    language: String,
    text: String,
}

fn blocks() -> Vec<Block> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = fs::read_to_string(path).expect("README");
    let (_, after) = readme.split_once(HEADING).expect("the walkthrough");
    let section = after.split("\n## ").next().expect("its text");
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_inside = false;
    for line in section.lines() {
        match line.strip_prefix("```") {
            Some(_) if is_inside => is_inside = false,
            Some(language) => {
                is_inside = true;
                blocks.push(Block { language: language.to_owned(), text: String::new() });
            }
            None if is_inside => {
                let block = blocks.last_mut().expect("an open block");
                block.text.push_str(line);
                block.text.push('\n');
            }
            None => {}
        }
    }
    assert!(!is_inside, "a block is not closed");
    blocks
}

/// Writes a file whose first line names it, or adds to it.
fn write(folder: &Path, text: &str) -> PathBuf {
    let first =
        text.lines().next().and_then(|line| line.strip_prefix("# ")).expect("a first line with the file's name");
    let name = first.strip_suffix(AT_ITS_END).unwrap_or(first);
    let path = folder.join(FOLDER).join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    let before =
        if first.ends_with(AT_ITS_END) { fs::read_to_string(&path).expect("an earlier block") } else { String::new() };
    fs::write(&path, before + text).expect("a file");
    path
}

/// A line of a shell block: a command of the program, or what the shell does.
fn execute(folder: &Path, text: &str) -> usize {
    if !text.starts_with("prem ") {
        let status = Command::new("sh").current_dir(folder).args(["-c", text]).status().expect("a shell");
        assert!(status.success(), "{text}");
        return 0;
    }
    for line in text.lines() {
        let command = line.split('#').next().unwrap_or_default();
        let arguments: Vec<&str> = command.split_whitespace().skip(1).collect();
        expect_code(&prem(folder, &arguments), 0);
    }
    text.lines().count()
}

#[test]
fn a_newcomer_adds_an_indicator_a_questionnaire_and_a_trust() {
    let folder = TempDir::new().expect("a temporary folder");
    fs::create_dir_all(folder.path().join(FOLDER).join("inbox")).expect("an inbox");
    let (mut files, mut commands) = (BTreeSet::new(), 0);
    let release = folder.path().join(FOLDER).join("published/current");
    let mut releases: Vec<(PathBuf, bool)> = Vec::new();
    for block in blocks() {
        match block.language.as_str() {
            "toml" => _ = files.insert(write(folder.path(), &block.text)),
            "sh" => commands += execute(folder.path(), &block.text),
            "text" => {}
            other => panic!("what is a block of «{other}»?"),
        }
        if let Ok(made) = release.canonicalize()
            && releases.iter().all(|(before, _)| *before != made)
        {
            releases.push((made, release.join("hf/trust-b").exists()));
        }
    }
    // The trust is in the second release, and not in the first.
    assert_eq!(releases.iter().map(|(_, has_trust)| *has_trust).collect::<Vec<_>>(), [false, true]);
    assert!(files.len() >= 10 && commands >= 4, "{} files, {commands} commands", files.len());
    for part in ["region/index.html", "hf/trust-a/index.html", "hf/trust-b/index.html"] {
        assert!(release.join(part).is_file(), "{part}");
    }
    let (rows, _) = read_table::<Estimate>(&release.join("region/estimates.parquet")).expect("estimates");
    let value = |indicator: &str, unit: &str| {
        rows.iter()
            .find(|row| row.indicator == indicator && row.unit_id == unit && row.period == "2025")
            .and_then(|row| row.value)
    };
    for (indicator, unit) in [
        ("listened", "a-ward-1"),
        ("listened", "region"),
        ("listened-well", "a-ward-2"),
        ("visit-waiting", "trust-a"),
        ("visit-waiting", "b-ward-1"),
    ] {
        assert!(value(indicator, unit).is_some(), "{indicator} {unit}");
    }
    // Of the answers that the two commands make up: codes 1, 2, 5, 3, 3, 5, 2 in turn, the second once more; and to the new form 1, 2, 5,
    // 5 and 2 equally often in both trusts, of a question where 1 is best. The region's own mix is the one that is adjusted to.
    let near = |indicator: &str, unit: &str, wanted: f64| {
        let got = value(indicator, unit).unwrap_or(f64::NAN);
        assert!((got - wanted).abs() < 1e-9, "{indicator} {unit}: {got} instead of {wanted}");
    };
    near("listened", "region", (57.0 * 350.0 + 25.0) / 400.0);
    near("listened-well", "region", 114.0 / 400.0);
    for unit in ["region", "trust-a", "trust-b", "b-ward-1"] {
        near("visit-waiting", unit, 50.0);
    }
    // Its page has the form that it was asked, and nobody else's wards.
    let page = fs::read_to_string(release.join("hf/trust-b/index.html")).expect("a page");
    assert!(page.contains("Helseforetak B") && page.contains("Ventetid") && page.contains("Sengepost 1"));
    assert!(!page.contains("Sengepost 2") && !page.contains("Personalet lyttet"));
}
