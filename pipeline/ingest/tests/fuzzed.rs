//! The seeds of the fuzz targets, through the targets themselves: what the targets hold for any file, these must reach.

use std::{fs, path::Path};

#[path = "../fuzz/fuzz_targets/common.rs"]
mod common;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// Runs all seeds of a target; at least one row of each must be kept, or it would lead nowhere.
fn run(name: &str, target: impl Fn(&[u8], &Path) -> Option<u64>) {
    let scratch = tempfile::tempdir().unwrap();
    let mut seeds: Vec<_> =
        fs::read_dir(folder().join("seeds").join(name)).unwrap().map(|seed| seed.unwrap().path()).collect();
    seeds.sort();
    assert!(!seeds.is_empty());
    for seed in seeds {
        let kept = target(&fs::read(&seed).unwrap(), scratch.path());
        assert!(kept.is_some_and(|kept| kept > 0), "{}: {kept:?}", seed.display());
    }
}

#[test]
fn seeds_of_texts() {
    run("text", common::text);
}

#[test]
fn seeds_of_saved_files() {
    run("saved", common::saved);
}

#[test]
fn seeds_of_resources() {
    run("resources", common::resources);
}

#[test]
fn the_dictionary_knows_the_header() {
    let plan = common::plan(prem_spec::model::FileFormat::FhirQuestionnaireResponse);
    let names: Vec<&str> = plan.datasets["stays"].columns.iter().map(|column| column.name.as_str()).collect();
    let dictionary = fs::read_to_string(folder().join("text.dict")).unwrap();
    assert!(dictionary.contains(&names.join(";")), "{names:?}");
}
