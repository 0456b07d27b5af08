//! Messages that lead to the right place: the other declaration, the wording that was asked, the slip of the pen itself.

use crate::common::{render, source};
use prem_spec::{SourceFile, compile};

const BANK: &str = r#"kind = "bank"
scale = [{ id = "extent", low = 1, high = 5 }]
item = [
  { id = "exam_explained", scale = "extent", text = "Ble undersøkelsen forklart?" },
  { id = "listened", scale = "extent", text = "Lyttet de?" },
]
"#;
const DATASET: &str = r#"name = "responses"
version = "1"
title = "Svar"
row = "et svar"
key = ["response_id"]
column = [{ name = "response_id", type = "text", required = true, description = "Id" }]
"#;

fn form(items: &str) -> String {
    format!(
        "kind = \"questionnaire\"\nid = \"form\"\nversion = \"1\"\ntitle = \"Skjema\"\nvalid_from = 2025-01-01\n\
         items = {items}\nlink = {{ via = \"response\" }}\n"
    )
}

fn indicator(item: &str) -> String {
    format!(
        "id = \"i\"\nversion = \"1\"\ntitle = \"I\"\ndescription = \"D\"\ntheme = \"T\"\ndirection = \"higher\"\n\
         levels = [\"rhf\"]\nperiods = [\"year\"]\npopulation = {{ questionnaire = \"form\" }}\n\
         measure = {{ type = \"item\", item = \"{item}\" }}\n"
    )
}

fn told(files: &[(&str, &str)]) -> String {
    let mut sources: Vec<SourceFile> = files.iter().map(|(name, text)| source(name, text)).collect();
    sources.push(source("datasets/responses.toml", DATASET));
    render(&sources, &compile(&sources).diagnostics)
}

#[test]
fn a_slip_in_a_form_is_told_there_and_nowhere_else() {
    let told = told(&[
        ("questionnaires/bank.toml", BANK),
        ("questionnaires/form.toml", &form(r#"["exam_explaned", "listened"]"#)),
        ("indicators/i.toml", &indicator("exam_explained")),
    ]);
    assert_eq!(
        told,
        "questionnaires/form.toml:6:10 no item is called «exam_explaned» (did you mean «exam_explained»?)\n"
    );
}

#[test]
fn an_item_of_the_bank_that_a_form_does_not_ask_is_no_slip_of_the_pen() {
    let told = told(&[
        ("questionnaires/bank.toml", BANK),
        ("questionnaires/form.toml", &form(r#"["listened"]"#)),
        ("indicators/i.toml", &indicator("exam_explained")),
    ]);
    assert_eq!(
        told,
        "indicators/i.toml:10:35 the questionnaire does not ask item «exam_explained» \
         (the bank has it: add it to the questionnaire's `items`, or take another)\n"
    );
}

#[test]
fn a_form_in_use_keeps_the_wording_it_was_asked_with() {
    let reworded = BANK.replacen(
        "  { id = \"listened\"",
        "  { id = \"exam_explained\", version = 2, scale = \"extent\", text = \"Fikk du forklart undersøkelsen?\" },\n  { id = \"listened\"",
        1,
    );
    let told = told(&[
        ("questionnaires/bank.toml", &reworded),
        ("questionnaires/form.toml", &form(r#"["exam_explained"]"#)),
        ("indicators/i.toml", &indicator("exam_explained")),
    ]);
    assert!(
        told.contains(
            "(this form was asked with version 1? write «exam_explained@1»; «exam_explained@2» is the newest)"
        ),
        "{told}"
    );
    assert_eq!(told.lines().count(), 1, "{told}");
}

#[test]
fn what_is_declared_twice_is_told_with_the_other_place() {
    let twin = BANK.replacen("kind", "\n\nkind", 1);
    let found = told(&[("questionnaires/bank.toml", BANK), ("questionnaires/more.toml", &twin)]);
    for words in [
        "more.toml:4:17 scale «extent» is declared twice (it is declared first in questionnaires/bank.toml:2)",
        "more.toml:6:10 item «exam_explained» is declared twice (it is declared first in questionnaires/bank.toml:4; another",
    ] {
        assert!(found.contains(words), "{words}:\n{found}");
    }
    let bank = ("questionnaires/bank.toml", BANK);
    let (one, other) = (form(r#"["listened"]"#), form(r#"["listened", "exam_explained"]"#));
    let found = told(&[bank, ("questionnaires/a.toml", &one), ("questionnaires/b.toml", &other)]);
    assert!(found.contains("version «1» of «form» is declared already, in questionnaires/a.toml"), "{found}");
    let (one, other) = (indicator("listened"), format!("\n{}", indicator("listened")));
    let form = form(r#"["listened"]"#);
    let form = ("questionnaires/form.toml", form.as_str());
    let found = told(&[bank, form, ("indicators/a.toml", &one), ("indicators/b.toml", &other)]);
    assert_eq!(found, "indicators/b.toml:2:6 «i» is declared already, in indicators/a.toml:1\n");
}
