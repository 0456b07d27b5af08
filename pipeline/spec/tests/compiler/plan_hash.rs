//! The plan's hash: the same declarations, the same hash, and no value that it does not see.

use crate::common::{read, schemas, source};
use prem_spec::{SourceFile, compile};

fn hash(sources: &[SourceFile]) -> String {
    let compiled = compile(sources);
    assert!(compiled.diagnostics.is_empty(), "{}", crate::common::render(sources, &compiled.diagnostics));
    compiled.plan.expect("a plan").hash()
}

#[test]
fn comments_and_blanks_do_not_count() {
    let sources = read(&schemas());
    let airy = |source: &SourceFile| {
        let lines = source
            .text
            .lines()
            .map(|line| if line.starts_with('[') { format!("\n  {line}  # a table") } else { line.to_owned() });
        let text: Vec<String> = lines.collect();
        SourceFile::new(&source.name, format!("# {}\n\n{}\n\n", source.name, text.join("\n")))
    };
    let airier: Vec<SourceFile> = sources.iter().map(airy).collect();
    assert_eq!(hash(&sources), hash(&airier));
}

#[test]
fn the_order_of_files_does_not_count() {
    let sources = read(&schemas());
    let mut turned = sources.clone();
    turned.reverse();
    assert_eq!(hash(&sources), hash(&turned));
    turned.rotate_left(7);
    assert_eq!(hash(&sources), hash(&turned));
}

#[test]
fn the_order_of_keys_and_tables_does_not_count() {
    let sources = read(&schemas());
    let turned = sources.iter().map(|source| {
        // Indicators are tables of single values: their blocks, and the lines of each, may stand in any order.
        if !source.name.starts_with("indicators/") {
            return source.clone();
        }
        let (top, tables) = source.text.split_once("\n\n").expect("a blank line before the first table");
        let tables: Vec<&str> = tables.trim_end().split("\n\n").collect();
        let top: Vec<&str> = top.lines().rev().collect();
        let tables: Vec<&str> = tables.into_iter().rev().collect();
        SourceFile::new(&source.name, format!("{}\n\n{}\n", top.join("\n"), tables.join("\n\n")))
    });
    assert_eq!(hash(&sources), hash(&turned.collect::<Vec<_>>()));
}

#[test]
fn the_way_a_bank_and_an_organisation_are_cut_into_files_does_not_count() {
    let sources = read(&schemas());
    let mut cut: Vec<SourceFile> = Vec::new();
    for file in &sources {
        match file.name.as_str() {
            "questionnaires/bank/staff.toml" => {
                let at = file.text.rfind("[[item]]").expect("an item");
                let (first, last) = file.text.split_at(at);
                cut.push(source("questionnaires/z-staff.toml", first));
                cut.push(source("questionnaires/a-staff.toml", &format!("kind = \"bank\"\n{last}")));
            }
            "questionnaires/bank/scales.toml" => cut.push(source("questionnaires/zz-scales.toml", &file.text)),
            "organisations/helse-sor-ost.toml" => {
                let lines: Vec<&str> = file.text.lines().collect();
                let middle = lines.iter().position(|line| line.contains("{ id = \"ahus\"")).expect("a shipped unit");
                let (first, second) = lines.split_at(middle);
                cut.push(source("organisations/1.toml", &format!("{}\n]\n", first.join("\n"))));
                cut.push(source(
                    "organisations/2.toml",
                    &format!("name = \"rest\"\nunits = [\n{}\n", second.join("\n")),
                ));
            }
            _ => cut.push(file.clone()),
        }
    }
    assert_eq!(cut.len(), sources.len() + 2);
    assert_eq!(hash(&sources), hash(&cut));
}

/// Places in `text` where a value ends that can be made another of the same kind: the last digit of a number or date, or
/// the last letter of a text.
fn values(text: &str) -> Vec<(usize, char)> {
    let mut places = Vec::new();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let code = if line.starts_with('#') { "" } else { line };
        let bytes = code.as_bytes();
        let mut in_text = false;
        for (at, character) in code.char_indices() {
            let next = code[at + character.len_utf8()..].chars().next().unwrap_or(' ');
            if character == '"' {
                in_text = !in_text;
            } else if in_text && next == '"' && character.is_alphanumeric() {
                places.push((offset + at, if character == 'q' { 'x' } else { 'q' }));
            } else if !in_text && character.is_ascii_digit() && !(next.is_alphanumeric() || next == '-' || next == '.')
            {
                places.push((offset + at, if bytes[at] == b'9' { '8' } else { char::from(bytes[at] + 1) }));
            }
        }
        offset += line.len();
    }
    places
}

/// Values passed over before one is changed; a prime, so that no key is always passed over.
const STEP: usize = 31;

/// A bank is to choose from: an item that no questionnaire asks is no part of the plan.
fn is_in_an_unasked_item(text: &str, at: usize, asked: &[&str]) -> bool {
    let item = text[..at].rfind("[[item]]").map(|start| &text[start..]);
    let id = item.and_then(|item| item.split_once("id = \"")?.1.split_once('"')).map(|(id, _)| id);
    id.is_some_and(|id| !asked.contains(&id))
}

#[test]
fn every_value_counts() {
    let plan = compile(&read(&schemas())).plan.expect("a plan");
    let asked: Vec<&str> =
        plan.questionnaires.values().flat_map(|one| &one.items).map(|item| item.id.as_str()).collect();
    let sources = read(&schemas());
    let before = hash(&sources);
    let (mut tried, mut counted) = (0, 0);
    for place in 0..sources.len() {
        // The label of an organisation file stands for the file alone.
        let skipped =
            sources[place].text.find("name = \"helse-sor-ost\"").map(|at| at + "name = \"helse-sor-ost".len() - 1);
        // Some of the values: each file and each key is met, and the test stays short.
        for (at, new) in values(&sources[place].text).into_iter().filter(|(at, _)| Some(*at) != skipped).step_by(STEP) {
            if sources[place].name.contains("/bank/") && is_in_an_unasked_item(&sources[place].text, at, &asked) {
                continue;
            }
            let mut changed = sources.clone();
            let old = changed[place].text[at..].chars().next().map_or(0, char::len_utf8);
            changed[place].text.replace_range(at..at + old, &new.to_string());
            tried += 1;
            if let Some(plan) = compile(&changed).plan {
                let line = sources[place].text[..at].matches('\n').count() + 1;
                assert_ne!(plan.hash(), before, "{}:{line}: a value that the plan does not see", sources[place].name);
                counted += 1;
            }
        }
    }
    assert!(counted > 100, "only {counted} of {tried} changes still compiled");
}

#[test]
fn a_hash_is_sixty_four_hexadecimal_digits() {
    let hash = hash(&read(&schemas()));
    assert!(
        hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase()),
        "{hash}"
    );
}

#[test]
fn sampling_plans_count() {
    let sources = read(&schemas());
    let before = hash(&sources);
    let place = sources.iter().position(|source| source.name == "questionnaires/draw-adult-inpatient.toml");
    let place = place.expect("a shipped file");
    for (from, to) in [
        ("rest_months = 12", "rest_months = 13"),
        ("stratum = \"ward\"", "stratum = \"department\""),
        ("en = \"Monthly sample, adult inpatient stays\"", "en = \"Monthly sample\""),
    ] {
        let mut changed = sources.clone();
        changed[place].text = changed[place].text.replacen(from, to, 1);
        assert_ne!(changed[place].text, sources[place].text, "{from}");
        assert_ne!(hash(&changed), before, "{from}");
    }
    let mut without = sources;
    without.remove(place);
    assert_ne!(hash(&without), before);
}

#[test]
fn the_calendar_of_deliveries_changes_no_number_and_no_hash() {
    let mut sources = read(&schemas());
    let before = hash(&sources);
    let export = sources.iter_mut().find(|source| source.name == "exports/survey-responses.toml").expect("an export");
    export.text.push_str("\n[expected]\nevery = \"month\"\nsince = 2025-01-01\nperiod_in_name = \"_%Y-%m\"\n");
    assert_eq!(hash(&sources), before);
}
