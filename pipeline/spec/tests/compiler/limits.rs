//! Numbers and words that can be read and cannot be right.

use crate::common::{read, render, schemas, source};
use prem_spec::{SourceFile, compile};

const BANK: &str = r#"
kind = "bank"
scale = [
  { id = "extent", low = 1, high = 5, missing = { "8" = "not-applicable" } },
  { id = "tenths", low = 0, high = 10 },
]
item = [
  { id = "listened", scale = "extent", text = { nb = "Lyttet de?", en = "Did they listen?" } },
  { id = "own_health", scale = "extent", text = "Hvordan er helsen din?" },
  { id = "overall", scale = "tenths", text = "Alt i alt?" },
]
"#;
const DATASET: &str = r#"
name = "responses"
version = "1"
title = "Svar"
row = "et svar"
key = ["response_id"]
column = [
  { name = "response_id", type = "text", required = true, description = "Id" },
  { name = "mode", type = "code", codes = { paper = "Papir", digital = "Digitalt" }, description = "Måte" },
]
"#;
const FORM: &str = r#"
kind = "questionnaire"
id = "form"
version = "1"
title = "Skjema"
valid_from = 2025-01-01
items = ["listened", "own_health", "overall"]
link = { via = "response" }
adjuster = [{ id = "own-health", title = "Helse", column = "own_health", levels = ["1", "2", "3", "4", "5", "8"] }]
stratifier = [{ id = "mode", title = "Måte", column = "mode", levels = ["paper", "digital"] }]
"#;
const SHARE: &str = r#"type = "top-box", item = "listened", codes = [4, 5]"#;
const SCORE: &str = r#"type = "scale", items = ["listened", "overall"]"#;
const NATIVE: &str = r#"type = "scale", items = ["listened", "overall"], scale = "native""#;
const RATE: &str =
    r#"type = "rate", per = 1000, contacts = { procedures = ["N"] }, standardise = { age_bands = [0, 50] }"#;

fn indicator(measure: &str, more: &str) -> String {
    let (levels, population) = match measure {
        RATE => (r#"["rhf"]"#, ""),
        _ => (r#"["rhf", "ward"]"#, "population = { questionnaire = \"form\" }"),
    };
    let direction = if more.contains("direction") { "" } else { "direction = \"higher\"\n" };
    format!(
        "id = \"i\"\nversion = \"1\"\ntitle = \"I\"\ndescription = \"D\"\ntheme = \"T\"\n{direction}\
         levels = {levels}\nperiods = [\"year\"]\n{population}\nmeasure = {{ {measure} }}\n{more}\n"
    )
}

/// What is wrong with these declarations; nothing where they are a plan.
fn told(bank: &str, form: &str, indicator: &str) -> String {
    let sources: Vec<SourceFile> = vec![
        source("datasets/responses.toml", DATASET),
        source("indicators/i.toml", indicator),
        source("questionnaires/bank.toml", bank),
        source("questionnaires/form.toml", form),
    ];
    let compiled = compile(&sources);
    assert_eq!(compiled.plan.is_none(), !compiled.diagnostics.is_empty());
    render(&sources, &compiled.diagnostics)
}

fn of_indicator(measure: &str, more: &str) -> String {
    told(BANK, FORM, &indicator(measure, more))
}

/// Exactly one mistake, and in these words.
fn expect_one(told: &str, words: &str) {
    assert!(told.contains(words), "{words}:\n{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
}

#[test]
fn a_goal_is_a_value_that_a_unit_can_have() {
    for (measure, goal, words) in [
        (SHARE, "high = 60", "60 can never be reached: a proportion lies between 0 and 1 (for 60 % write 0.6)"),
        (SHARE, "high = 0.9, moderate = -1", "-1 is always reached: a proportion lies between 0 and 1"),
        (SCORE, "high = 101", "101 can never be reached: a score lies between 0 and 100"),
        (NATIVE, "high = 80", "80 can never be reached: a mean of the answers' codes lies between 0 and 10"),
        (RATE, "high = -5", "-5 is always reached: a rate is 0 or more"),
    ] {
        expect_one(&of_indicator(measure, &format!("goal = {{ {goal} }}")), words);
    }
    for (measure, goal) in [
        (SHARE, "high = 1"),
        (SHARE, "high = 0.6"),
        (SCORE, "high = 100"),
        (NATIVE, "high = 9.5"),
        (RATE, "high = 5000"),
    ] {
        assert_eq!(of_indicator(measure, &format!("goal = {{ {goal} }}")), "");
    }
    let lower = |goal: &str| of_indicator(SHARE, &format!("direction = \"lower\"\ngoal = {{ {goal} }}"));
    expect_one(&lower("high = 5"), "5 is always reached: a proportion lies between 0 and 1 (for 5 % write 0.05)");
    expect_one(&lower("high = -0.5, moderate = 0.2"), "-0.5 can never be reached");
}

#[test]
fn the_smallest_difference_that_counts_can_occur() {
    for (measure, difference, words) in [
        (
            SHARE,
            "2",
            "no difference is larger than 2: a proportion lies between 0 and 1 (for 2 percentage points write 0.02)",
        ),
        (SCORE, "100", "no difference is larger than 100: a score lies between 0 and 100"),
        (NATIVE, "12.5", "no difference is larger than 12.5: a mean of the answers' codes lies between 0 and 10"),
        (SCORE, "-1", "`minimal_difference` is 0 or more"),
    ] {
        expect_one(&of_indicator(measure, &format!("comparison = {{ minimal_difference = {difference} }}")), words);
    }
    for (measure, difference) in [(SHARE, "0.02"), (SCORE, "2"), (RATE, "50")] {
        assert_eq!(of_indicator(measure, &format!("comparison = {{ minimal_difference = {difference} }}")), "");
    }
}

#[test]
fn intervals_and_alarms_say_something() {
    for (level, words) in [
        ("0.05", "`ci_level` lies between 0.8 and 0.999 (for 95 % write 0.95)"),
        ("95", "`ci_level` lies between 0.8 and 0.999 (for 95 % write 0.95)"),
        ("0.5", "`ci_level` lies between 0.8 and 0.999\n"),
        ("0.9999", "`ci_level` lies between 0.8 and 0.999\n"),
    ] {
        expect_one(&of_indicator(SCORE, &format!("ci_level = {level}")), words);
    }
    for (alpha, words) in [
        ("5", "`alpha` is above 0 and at most 0.2 (for 5 % write 0.05)"),
        ("0.95", "`alpha` is above 0 and at most 0.2\n"),
        ("0", "`alpha` is above 0 and at most 0.2\n"),
    ] {
        expect_one(&of_indicator(SCORE, &format!("comparison = {{ alpha = {alpha} }}")), words);
    }
    for more in ["ci_level = 0.8", "ci_level = 0.999", "comparison = { alpha = 0.2 }", "comparison = { alpha = 0.001 }"]
    {
        assert_eq!(of_indicator(SCORE, more), "");
    }
}

#[test]
fn levels_are_answers_and_codes_that_somebody_can_have() {
    let form = |from: &str, to: &str| {
        let changed = FORM.replacen(from, to, 1);
        assert_ne!(changed, FORM);
        told(BANK, &changed, &indicator(SCORE, ""))
    };
    expect_one(&form("\"8\"]", "\"77\"]"), "«77» is no answer of «own_health» (1–5)");
    expect_one(&form("\"5\", \"8\"]", "\"05\"]"), "«05» is no answer of «own_health» (1–5)");
    expect_one(&form("\"digital\"]", "\"digtal\"]"), "«digtal» is no code of «mode» (digital, paper)");
    let grouped = "groups = [{ label = \"a\", codes = [\"paper\"] }, { label = \"b\", codes = [\"web\"] }]";
    expect_one(&form("levels = [\"paper\", \"digital\"]", grouped), "«web» is no code of «mode»");
    let banded = "column = \"own_health\", bands = [1, 3, 18]";
    expect_one(
        &form("column = \"own_health\", levels = [\"1\", \"2\", \"3\", \"4\", \"5\", \"8\"]", banded),
        "no answer of «own_health» (1–5) is in the band from 18",
    );
    assert_eq!(told(BANK, FORM, &indicator(SCORE, "")), "");
}

#[test]
fn nothing_is_published_of_nobody() {
    for below in ["minimum_n = 0", "minimum_n = -5"] {
        expect_one(&of_indicator(SCORE, &format!("protection = {{ {below} }}")), "`minimum_n` is 1 or more");
    }
    let counts =
        |count: i64| of_indicator(SHARE, &format!("protection = {{ minimum_n = 1, minimum_count = {count} }}"));
    assert_eq!(counts(0), "");
    expect_one(&counts(-1), "`minimum_count` is 0 or more");
}

#[test]
fn who_answers_without_a_contact_is_not_excluded_by_one() {
    let exclude = |column: &str| {
        let measure = indicator(SCORE, "");
        let population = format!(
            "population = {{ questionnaire = \"form\", exclude = [{{ reason = \"gone\", column = \"{column}\", codes = [\"7\"] }}] }}"
        );
        told(BANK, FORM, &measure.replacen("population = { questionnaire = \"form\" }", &population, 1))
    };
    let help = "(an item of the questionnaire, mode or language)";
    let told = exclude("discharge_status");
    expect_one(&told, "«discharge_status» needs a contact, and this questionnaire links via the response");
    assert!(told.contains(help), "{told}");
    let told = exclude("shoe_size");
    expect_one(&told, "«shoe_size» has no codes that could exclude somebody");
    assert!(told.contains(help), "{told}");
}

#[test]
fn margins_that_name_nothing_are_no_missing_stratifiers() {
    let mut sources = read(&schemas());
    let file = sources.iter_mut().find(|source| source.name == "indicators/inpatient-staff.toml").expect("shipped");
    let rake = "weighting = \"rake\"\nweights = { margins = [] }\n";
    file.text = file.text.replacen("weighting = \"design\"\n", rake, 1);
    expect_one(&render(&sources, &compile(&sources).diagnostics), "without `margins` there is nothing to adjust to");
}

#[test]
fn a_translation_that_says_nothing_is_none() {
    let bank = |from: &str, to: &str| told(&BANK.replacen(from, to, 1), FORM, &indicator(SCORE, ""));
    expect_one(
        &bank("nb = \"Lyttet de?\"", "nb = \"\""),
        "`nb` of `text` says nothing (bokmål is needed: it stands in for the others)",
    );
    expect_one(
        &bank("en = \"Did they listen?\"", "en = \" \""),
        "`en` of `text` says nothing (leave `en` out where nobody has translated it: bokmål stands in)",
    );
    expect_one(&bank("text = \"Alt i alt?\"", "text = \"\""), "`text` says nothing");
}

/// What is wrong with the shipped declarations when trusts add so many items of the bank to a form that allows each of them
/// `items_max`; its own number where that is not said.
fn told_of_local(additions: &[(&str, usize)], items_max: Option<&str>) -> String {
    const ITEMS: [&str; 6] = ["staff_respect", "staff_responsible", "staff_private", "organised", "clean", "quiet"];
    let mut sources = read(&schemas());
    let form = sources.iter_mut().find(|source| source.name == "questionnaires/day-surgery.toml");
    let text = &mut form.expect("a shipped file").text;
    if let Some(line) = items_max {
        assert!(text.contains("local_items_max = 5\n"), "the shipped form lets a trust add five");
        *text = text.replacen("local_items_max = 5\n", line, 1);
    }
    for (trust, count) in additions {
        text.push_str(&format!("\n[[local]]\ntrust = \"{trust}\"\nitems = {:?}\n", &ITEMS[..*count]));
    }
    let compiled = compile(&sources);
    assert_eq!(compiled.plan.is_some(), compiled.diagnostics.is_empty());
    if let Some(plan) = &compiled.plan {
        let local = &plan.questionnaires["day-surgery"].versions[0].local;
        let added: Vec<(&str, usize)> = local.iter().map(|one| (one.trust.as_str(), one.items.len())).collect();
        assert_eq!(added, additions);
    }
    render(&sources, &compiled.diagnostics)
}

#[test]
fn a_trust_adds_no_more_items_than_the_form_allows() {
    // Each trust by itself: five and three are not eight.
    assert_eq!(told_of_local(&[("ous", 5), ("ahus", 3)], None), "");
    let one = told_of_local(&[("ous", 3), ("ahus", 6)], None);
    assert_eq!(one.lines().count(), 1, "{one}");
    assert!(one.contains("6 items, but `local_items_max` is 5"), "{one}");
    assert!(one.contains("what everybody should be asked belongs to the common `items`"), "{one}");
    let both = told_of_local(&[("ous", 6), ("ahus", 6)], None);
    assert_eq!(both.matches("6 items, but `local_items_max` is 5").count(), 2, "{both}");
    // Without the key no trust may add anything.
    let none = told_of_local(&[("ous", 1)], Some(""));
    assert!(none.contains("1 item, but `local_items_max` is 0"), "{none}");
    assert_eq!(told_of_local(&[("ous", 2)], Some("local_items_max = 2\n")), "");
}

#[test]
fn ways_to_shrink_are_for_what_is_shrunken() {
    let with = |method: &str, kind: &str| format!("case_mix = {{ {method}, shrinkage = \"{kind}\" }}");
    for kind in ["level", "nested", "lme4", "lme4-nested"] {
        for (measure, weighting) in [(SCORE, "none"), (SCORE, "design"), (SHARE, "none"), (SHARE, "design")] {
            let more = format!("weighting = \"{weighting}\"\n{}", with("method = \"none\"", kind));
            assert_eq!(of_indicator(measure, &more), "", "{measure} {weighting} {kind}");
        }
        let (rate, fixed) = (
            of_indicator(RATE, &with("method = \"none\"", kind)),
            of_indicator(SCORE, &with("method = \"fixed-effects\", convention = \"cahps-4.1c\"", kind)),
        );
        for told in [rate, fixed] {
            if kind == "level" {
                assert_eq!(told, "");
            } else {
                expect_one(&told, "`shrinkage` is for means by «none» or «random-intercept», and for proportions");
            }
        }
    }
}
