//! The declarations that the project ships compile without a mistake.

use std::path::Path;

#[test]
fn the_shipped_schemas_compile() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    let sources = prem_spec::load_folder(&root).expect("schemas are readable");
    let compiled = prem_spec::compile(&sources);
    assert!(compiled.diagnostics.is_empty(), "{:#?}", compiled.diagnostics);
    let plan = compiled.plan.expect("a plan");
    assert!(plan.indicators.len() >= 10, "at least ten indicators are shipped");
    assert_eq!(plan.hash(), prem_spec::compile(&sources).plan.expect("a plan").hash());
}
