//! The declarations that the project ships compile without a mistake.

use std::path::Path;

use prem_spec::compile;

use crate::common::{read, render, schemas};

#[test]
fn the_shipped_schemas_compile() {
    let sources = read(&schemas());
    let compiled = compile(&sources);
    assert!(compiled.diagnostics.is_empty(), "{}", render(&sources, &compiled.diagnostics));
    let plan = compiled.plan.expect("a plan");
    assert!(plan.indicators.len() >= 10, "at least ten indicators are shipped");
    assert_eq!(plan.hash(), compile(&sources).plan.expect("a plan").hash());
}

#[test]
fn the_declarations_of_the_end_to_end_tests_compile() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    // A place of its own brings everything but the datasets, which are the program's.
    for place in ["cahps", "mixed"] {
        let datasets = read(&root.join("schemas")).into_iter().filter(|source| source.name.starts_with("datasets/"));
        let own = read(&root.join("tests/e2e").join(place).join("schemas"));
        let sources: Vec<_> = datasets.chain(own).collect();
        let compiled = compile(&sources);
        assert!(compiled.plan.is_some(), "{place}: {}", render(&sources, &compiled.diagnostics));
    }
}
