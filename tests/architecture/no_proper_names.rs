//! No indicator, questionnaire or trust is named in Rust: they are data.

use std::collections::BTreeMap;

use prem_spec::{Level, Plan, compile, load_folder};

use crate::{
    finding::{Finding, assert_none},
    source::Source,
    workspace,
};

/// Every proper name of the shipped declarations, with what it names.
fn names(plan: &Plan) -> BTreeMap<String, &'static str> {
    let mut names = BTreeMap::new();
    names.extend(plan.indicators.keys().map(|id| (id.clone(), "an indicator")));
    names.extend(plan.questionnaires.keys().map(|id| (id.clone(), "a questionnaire")));
    for unit in plan.organisation.units.iter().filter(|unit| unit.level <= Level::Hf) {
        let own = [Some(unit.id.clone()), Some(unit.name.nb.clone()), unit.orgnr.clone()];
        names.extend(own.into_iter().flatten().map(|name| (name, "a trust or the region")));
    }
    names
}

fn check(source: &Source, names: &BTreeMap<String, &'static str>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in source.numbered() {
        for literal in &line.strings {
            let Some(what) = names.get(literal.as_str()) else { continue };
            findings.push(Finding {
                file: source.file.clone(),
                line: number,
                what: format!("\"{literal}\" names {what}"),
                advice: "declare it under schemas/ or in a settings file and read it from there",
            });
        }
    }
    findings
}

#[test]
fn nobody_is_named_in_rust() {
    let sources = load_folder(&workspace::root().join("schemas")).expect("schemas are readable");
    let compiled = compile(&sources);
    let plan =
        compiled.plan.unwrap_or_else(|| panic!("the shipped schemas have mistakes: {:#?}", compiled.diagnostics));
    let names = names(&plan);
    assert!(names.len() > 30, "only {} names are declared", names.len());
    let findings = workspace::shipped().iter().flat_map(|source| check(source, &names)).collect();
    assert_none("An indicator, questionnaire or trust is named in Rust.", findings);
}

#[test]
fn a_named_trust_is_found() {
    let names = BTreeMap::from([("north".to_owned(), "a trust")]);
    let found = |text: &str| check(&Source::new("a.rs", text), &names).len();
    assert_eq!(found("if unit.id == \"north\" { 1 } else { 2 }"), 1);
    assert_eq!(found("// \"north\"\nlet north = \"northern\";"), 0);
}
