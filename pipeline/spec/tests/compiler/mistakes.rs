//! All mistakes of all files at once, each with its place and what to do about it.

use std::path::Path;

use crate::common::{read, render, schemas, source, with_change};
use prem_spec::{Diagnostic, SourceFile, compile, suggestion};

fn mistaken() -> Vec<SourceFile> {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes"))
}

#[test]
fn every_mistake_of_every_file_is_told_at_once() {
    let sources = mistaken();
    let compiled = compile(&sources);
    assert!(compiled.plan.is_none());
    insta::assert_snapshot!(render(&sources, &compiled.diagnostics));
}

#[test]
fn every_mistake_lies_inside_its_file() {
    let sources = mistaken();
    for Diagnostic { file, span, message, .. } in compile(&sources).diagnostics {
        let text = &sources.iter().find(|source| source.name == file).expect("a file that was given").text;
        let span = span.unwrap_or_else(|| panic!("{file}: no place for: {message}"));
        assert!(text.get(span.clone()).is_some(), "{file}: {span:?} is no range of its text: {message}");
    }
}

#[test]
fn a_file_that_cannot_be_parsed_is_one_mistake() {
    // References into the lost file say nothing: what it declares is not known.
    for name in [
        "datasets/responses.toml",
        "datasets/contacts.toml",
        "questionnaires/bank/scales.toml",
        "questionnaires/bank/staff.toml",
        "questionnaires/adult-inpatient.toml",
        "organisations/helse-sor-ost.toml",
        "exports/survey-responses.toml",
        "indicators/inpatient-staff.toml",
    ] {
        let told = with_change(name, |text| format!("{text}\nbroken = \"\n"));
        assert_eq!(told.lines().count(), 1, "{name}:\n{told}");
        assert!(told.starts_with(name), "{told}");
    }
}

#[test]
fn a_declaration_that_cannot_be_read_is_one_mistake() {
    let once = |name: &str, from: &str, to: &str| {
        let told = with_change(name, |text| text.replacen(from, to, 1));
        assert_eq!(told.lines().count(), 1, "{from} → {to}:\n{told}");
        told
    };
    once("datasets/contacts.toml", "name = \"age\"\ntype = \"integer\"", "name = \"age\"\ntype = \"integral\"");
    once("datasets/contacts.toml", "name = \"contact_id\"\ntype = \"text\"", "name = \"contact_id\"\ntype = \"txt\"");
    once("datasets/responses.toml", "version = \"1.0.0\"\n", "");
    once("questionnaires/bank/scales.toml", "id = \"extent\"\nlow = 1", "id = \"extent\"\nlow = \"1\"");
    once(
        "questionnaires/bank/staff.toml",
        "id = \"staff_listened\"\ntheme",
        "id = \"staff_listened\"\nversion = 0\ntheme",
    );
    once("questionnaires/bank/staff.toml", "kind = \"bank\"", "kind = \"bnk\"");
    once("questionnaires/adult-inpatient.toml", "valid_from = 2024-01-01", "valid_from = \"2024-01-01\"");
    once("questionnaires/adult-inpatient.toml", "bands = [18, 35", "bands = [\"18\", 35");
    once("organisations/helse-sor-ost.toml", "level = \"rhf\"", "level = \"RHF\"");
    once("organisations/helse-sor-ost.toml", "level = \"hf\"", "level = \"trust\"");
}

#[test]
fn a_key_that_every_row_may_lack_is_none() {
    let key = "name = \"contact_id\"\ntype = \"text\"\n";
    let told = with_change("datasets/contacts.toml", |text| {
        let (before, column) = text.split_once(key).expect("the key's column");
        format!("{before}{key}{}", column.replacen("required = true\n", "", 1))
    });
    assert!(told.contains("no column of the key is `required`"), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
}

#[test]
fn dates_and_texts_are_not_mixed_up() {
    let told = |name: &str, from: &str, to: &str| with_change(name, |text| text.replacen(from, to, 1));
    let questionnaire = "questionnaires/adult-inpatient.toml";
    let quoted = told(questionnaire, "2024-01-01", "\"2024-01-01\"");
    assert!(
        quoted.contains("`valid_from` must be a date such as 2025-01-31, but is a text (leave out the quotes)"),
        "{quoted}"
    );
    let timed = told(questionnaire, "2024-01-01", "2024-01-01T00:00:00");
    assert!(timed.contains("`valid_from` must be a date such as 2025-01-31, but is a date with a time"), "{timed}");
    let number = told("organisations/helse-sor-ost.toml", "\"991324968\"", "991324968");
    assert!(number.contains("`orgnr` must be text, but is a whole number (put it in quotes)"), "{number}");
    let dated = told(questionnaire, "\"2024.1\"", "2024-01-01");
    assert!(dated.contains("`version` must be text, but is a date (put it in quotes)"), "{dated}");
    let impossible = told(questionnaire, "2024-01-01", "2024-02-30");
    assert!(impossible.starts_with("questionnaires/adult-inpatient.toml:5:"), "{impossible}");
}

#[test]
fn two_files_cannot_declare_the_same() {
    let mut sources = read(&schemas());
    let twin = sources.iter().find(|source| source.name == "indicators/inpatient-staff.toml").expect("shipped").clone();
    sources.push(source("indicators/twin.toml", &twin.text));
    let told = render(&sources, &compile(&sources).diagnostics);
    assert_eq!(
        told,
        "indicators/twin.toml:1:6 «inpatient-staff» is declared already, in indicators/inpatient-staff.toml:1\n"
    );
}

#[test]
fn nothing_declared_is_a_plan_of_nothing() {
    let compiled = compile(&[]);
    assert!(compiled.diagnostics.is_empty());
    assert!(compiled.plan.expect("an empty plan").indicators.is_empty());
}

#[test]
fn a_calendar_of_deliveries_that_says_nothing_is_told() {
    let told = with_change("exports/survey-responses.toml", |text| {
        format!("{text}\n[expected]\nevery = \"month\"\nsince = 2025-01-01\nby_day = 0\nperiod_in_name = \"_%Y\"\n")
    });
    assert!(told.contains("`by_day` is a number of days from 1") && told.contains("it needs %Y and %m"), "{told}");
    let told =
        with_change("exports/survey-responses.toml", |text| format!("{text}\n[expected]\nevery = \"monthly\"\n"));
    assert!(told.contains("did you mean «month»") && told.contains("`since` is missing"), "{told}");
}

#[test]
fn stratifiers_and_weights_have_their_mistakes() {
    let questionnaire = "questionnaires/adult-inpatient.toml";
    let staff = "indicators/inpatient-staff.toml";
    for (name, from, to, told) in [
        (questionnaire, "id = \"admission\"", "id = \"Admission\"", "it stands in `stratum`"),
        (questionnaire, "label = \"planned\"", "label = \"unknown\"", "cannot name a level"),
        (questionnaire, "codes = [\"4\", \"5\"]", "codes = [\"3\", \"4\"]", "code «3» is in two levels"),
        (
            questionnaire,
            "column = \"schooling\"\nlevels = [\"1\", \"2\", \"3\"]\n\n[[stratifier]]",
            "column = \"schooling\"\n\n[[stratifier]]",
            "either `bands`, or `levels`, or `groups`",
        ),
        (questionnaire, "bands = [18, 50, 67, 80]", "bands = [50, 18]", "rising order"),
        (staff, "strata = [\"admission\"]", "strata = [\"admision\"]", "did you mean «admission»?"),
        (staff, "strata = [\"admission\"]", "strata = [\"admission\", \"admission\"]", "stands twice"),
        (
            staff,
            "weighting = \"design\"\n",
            "weighting = \"rake\"\nweights = { margins = [\"education\"] }\n",
            "no stratifier over a column of contacts is called «education»",
        ),
        (
            staff,
            "weighting = \"design\"\n",
            "weighting = \"design\"\nweights = { cap = 3.0 }\n",
            "is for weighting = \"rake\"",
        ),
        (
            staff,
            "weighting = \"design\"\n",
            "weighting = \"none\"\nweights = { finite_population = true }\n",
            "only with weights",
        ),
        (
            "indicators/surgery-gallbladder.toml",
            "weighting = \"none\"",
            "weighting = \"design\"",
            "not for composites, rates",
        ),
        (
            "indicators/surgery-gallbladder.toml",
            "periods = [\"year\"]",
            "periods = [\"rolling-year\"]",
            "population of a calendar year",
        ),
    ] {
        let found = with_change(name, |text| text.replacen(from, to, 1));
        assert!(found.contains(told), "{from} → {to}:\n{found}");
    }
}

#[test]
fn raking_takes_all_that_the_register_knows_unless_told_otherwise() {
    let margins = |extra: &str| {
        let mut sources = read(&schemas());
        let file = sources.iter_mut().find(|source| source.name == "indicators/inpatient-staff.toml").expect("shipped");
        file.text = file.text.replacen("weighting = \"design\"\n", &format!("weighting = \"rake\"\n{extra}"), 1);
        compile(&sources).plan.expect("a plan").indicators["inpatient-staff"].weights.clone()
    };
    let all = margins("");
    assert_eq!((all.margins.len(), all.minimum_cell, all.finite_population), (3, 20, false));
    assert!((all.cap - 5.0).abs() < f64::EPSILON);
    let few =
        margins("weights = { margins = [\"sex\"], minimum_cell = 10, finite_population = true, within = \"hf\" }\n");
    assert_eq!((few.margins.as_slice(), few.minimum_cell, few.finite_population), (&["sex".to_owned()][..], 10, true));
    assert_eq!(few.within.as_str(), "hf");
}

#[test]
fn advice_is_the_nearest_word_or_the_known_ones_but_not_a_page_of_them() {
    assert_eq!(suggestion("respones", &["contacts", "responses"]), "did you mean «responses»?");
    assert_eq!(suggestion("weekly", &["monthly", "yearly"]), "known: monthly, yearly");
    assert_eq!(suggestion("weekly", &[]), "nothing of the kind is declared");
    let names: Vec<String> = (0..42).map(|number| format!("indicator-{number}")).collect();
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    assert!(suggestion("weekly", &known[..40]).ends_with("indicator-39"));
    assert!(suggestion("weekly", &known).ends_with("indicator-39 … and 2 more"));
}
