//! The declarations that the project ships compile without a mistake.

use std::path::Path;

use prem_spec::{SourceFile, Text, compile};

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
fn zeros_are_protected_where_a_declaration_says_nothing() {
    let mut sources = read(&schemas());
    let protects = |sources: &[SourceFile]| {
        let plan = compile(sources).plan.expect("a plan");
        plan.indicators["inpatient-overall-high"].protection.protect_zero
    };
    assert!(protects(&sources));
    let file = sources.iter_mut().find(|source| source.name == "indicators/inpatient-overall-high.toml");
    let text = &mut file.expect("a shipped file").text;
    assert!(!text.contains("protect_zero") && text.ends_with("[protection]\nminimum_n = 30\n"), "{text}");
    text.push_str("protect_zero = false\n");
    assert!(!protects(&sources));
}

/// Patients read the forms, leaders the titles: in all three languages.
#[test]
fn what_people_read_is_in_three_languages() {
    let plan = compile(&read(&schemas())).plan.expect("a plan");
    let mut texts: Vec<(String, &Text)> = Vec::new();
    for (id, questionnaire) in &plan.questionnaires {
        texts.push((id.clone(), &questionnaire.title));
        texts.extend(questionnaire.adjusters.iter().map(|one| (format!("{id} {}", one.id), &one.title)));
        texts.extend(questionnaire.stratifiers.iter().map(|one| (format!("{id} {}", one.id), &one.title)));
        for item in &questionnaire.items {
            texts.push((format!("{id} {}", item.id), &item.text));
            let labels = item.scale.codes.iter().map(|code| (format!("{} {}", item.scale.id, code.code), &code.label));
            texts.extend(labels);
        }
    }
    for (id, indicator) in &plan.indicators {
        texts.extend([&indicator.title, &indicator.description, &indicator.theme].map(|text| (id.clone(), text)));
    }
    texts.extend(plan.draws.iter().map(|(id, draw)| (id.clone(), &draw.title)));
    let is_written = |text: Option<&String>| text.is_some_and(|text| !text.trim().is_empty());
    let lacking: Vec<&String> = texts
        .iter()
        .filter(|(_, text)| !is_written(text.nn.as_ref()) || !is_written(text.en.as_ref()))
        .map(|(id, _)| id)
        .collect();
    assert!(lacking.is_empty(), "{lacking:?}");
}

/// Every questionnaire has an export to arrive by, and indicators that read it.
#[test]
fn every_questionnaire_is_delivered_and_read() {
    let plan = compile(&read(&schemas())).plan.expect("a plan");
    assert_eq!(plan.questionnaires.len(), 7);
    for id in plan.questionnaires.keys() {
        let reads = plan.indicators.values().filter(|one| one.population.questionnaire.as_ref() == Some(id)).count();
        assert!(reads >= 5, "{id} has {reads} indicators");
        assert_eq!(plan.exports.values().filter(|export| export.questionnaire.as_ref() == Some(id)).count(), 1, "{id}");
    }
}

#[test]
fn the_declarations_of_the_end_to_end_tests_compile() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    // A place of its own brings everything but the datasets, which are the program's.
    let datasets = read(&root.join("schemas")).into_iter().filter(|source| source.name.starts_with("datasets/"));
    let datasets: Vec<_> = datasets.collect();
    for place in ["cahps", "mixed", "versions"] {
        let own = read(&root.join("tests/e2e").join(place).join("schemas"));
        let sources: Vec<_> = datasets.iter().cloned().chain(own).collect();
        let compiled = compile(&sources);
        assert!(compiled.plan.is_some(), "{place}: {}", render(&sources, &compiled.diagnostics));
    }
}
