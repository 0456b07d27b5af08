//! What follows from a mistake only is no mistake of its own.

use crate::common::{two_versions_with, with_change};

const FIRST: &str = "questionnaires/form-1.toml";
const SECOND: &str = "questionnaires/form-2.toml";
const BANK: &str = "questionnaires/bank.toml";

fn expect_one(changes: &[(&str, &str, &str)], begins: &str) {
    let told = two_versions_with(changes);
    assert!(told.starts_with(begins), "{begins}:\n{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
}

/// Only the second version asks the items of a trust, which an indicator reads.
#[test]
fn a_version_that_cannot_be_read_may_ask_anything() {
    let from = "valid_from = 2025-07-01";
    expect_one(&[(SECOND, from, "valid_from = 2025-02-30")], &format!("{SECOND}:5:14 invalid date"));
    expect_one(&[(SECOND, from, "valid_from = 01.07.2025")], &format!("{SECOND}:5:14 «01.07.2025» is not how"));
    expect_one(&[(SECOND, from, "valid_from = \"2025-07-01\"")], &format!("{SECOND}:5:14 `valid_from` must be a date"));
    let misspelt = format!("{SECOND}:1:8 «questionaire» is not one of the words known here");
    expect_one(&[(SECOND, "\"questionnaire\"", "\"questionaire\"")], &misspelt);
    expect_one(&[(SECOND, "kind = \"questionnaire\"\n", "")], &format!("{SECOND}:1:1 `kind` is missing here"));
}

/// The time of a version that cannot be read looks like a gap.
#[test]
fn a_version_that_cannot_be_read_leaves_no_gap() {
    let first = (FIRST, "valid_to = 2025-07-01", "valid_to = 2025-03-01");
    let told = two_versions_with(&[first]);
    assert!(told.contains("no version is valid from 2025-03-01"), "{told}");
    // A bank that cannot be told from a form.
    let broken = (BANK, "kind = \"bank\"", "kind = bank");
    expect_one(&[first, broken], &format!("{BANK}:1:8 string values must be quoted"));
}

#[test]
fn an_item_that_is_declared_twice_is_judged_by_neither() {
    let twin = "kind = \"bank\"\nscale = [{ id = \"yes\", low = 0, high = 1 }]\n\
                item = [{ id = \"staff_listened\", scale = \"yes\", text = \"?\" }]\n";
    for name in ["questionnaires/a.toml", "questionnaires/z.toml"] {
        let mut sources = crate::common::read(&crate::common::schemas());
        sources.push(crate::common::source(name, twin));
        let told = crate::common::render(&sources, &prem_spec::compile(&sources).diagnostics);
        assert!(told.contains("item «staff_listened» is declared twice"), "{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
}

#[test]
fn an_item_with_the_name_of_a_column_is_told_in_the_bank() {
    let form = "questionnaires/adult-inpatient.toml";
    let told = with_change("questionnaires/bank/staff.toml", |text| {
        format!("{text}\n[[item]]\nid = \"age\"\nscale = \"extent\"\ntext = \"Hvor gammel er du?\"\n")
    });
    assert!(told.contains("item «age» has the name of a column of contacts (give it another id"), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    // Bands of the column are not judged by the item's answers, nor is the column less the register's.
    let mut sources = crate::common::read(&crate::common::schemas());
    for file in &mut sources {
        if file.name == "questionnaires/bank/staff.toml" {
            file.text.push_str("\n[[item]]\nid = \"age\"\nscale = \"extent\"\ntext = \"Hvor gammel er du?\"\n");
        } else if file.name == form {
            file.text = file.text.replacen("items = [", "items = [\"age\", ", 1);
        }
    }
    let told_in_use = crate::common::render(&sources, &prem_spec::compile(&sources).diagnostics);
    assert_eq!(told_in_use, told);
}

#[test]
fn an_item_of_an_impossible_id_is_known_by_the_one_that_was_meant() {
    let told = with_change("questionnaires/bank/staff.toml", |text| {
        text.replacen("id = \"staff_listened\"", "id = \"Staff-Listened\"", 1)
    });
    assert!(told.contains("an item's id is lower-case letters, digits and _"), "{told}");
    assert!(told.contains("(write «staff_listened»)"), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
}

#[test]
fn entries_of_a_wrong_type_are_no_empty_list() {
    for (name, from, to) in [
        ("indicators/inpatient-overall-high.toml", "codes = [9, 10]", "codes = [\"9\"]"),
        ("indicators/surgery-gallbladder.toml", "procedures = [", "procedures = [1] # ["),
        ("indicators/surgery-gallbladder.toml", "age_bands = [", "age_bands = [\"x\"] # ["),
        ("exports/survey-responses.toml", "files = [", "files = [1] # ["),
        ("datasets/contacts.toml", "key = [\"contact_id\"]", "key = [1]"),
        ("questionnaires/adult-inpatient.toml", "bands = [18, 35, 50, 67, 80]", "bands = [18, \"50\"]"),
    ] {
        let told = with_change(name, |text| text.replacen(from, to, 1));
        assert!(told.contains("must be a list of"), "{to}:\n{told}");
        assert_eq!(told.lines().count(), 1, "{to}:\n{told}");
    }
    let told = with_change("indicators/inpatient-staff.toml", |text| {
        format!("{text}\n[[population.exclude]]\nreason = \"proxy\"\ncolumn = \"mode\"\ncodes = [3]\n")
    });
    assert!(told.contains("`codes` must be a list of texts, but is a whole number"), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
}

#[test]
fn an_adjuster_that_cannot_be_read_differs_from_no_other() {
    let link = "link = { via = \"response\" }\n";
    let with = |levels: &str| {
        format!("{link}adjuster = [{{ id = \"c\", title = \"C\", column = \"care\", levels = {levels} }}]\n")
    };
    let (sound, broken) = (with("[\"1\", \"2\"]"), with("[\"1\", 2]"));
    expect_one(&[(FIRST, link, &sound), (SECOND, link, &broken)], &format!("{SECOND}:9:"));
    let of_bank = sound.replace("\"care\"", "\"time\"");
    let begins = format!("{FIRST}:9:47 the questionnaire does not ask item «time» (the bank has it");
    expect_one(&[(FIRST, link, &of_bank), (SECOND, link, &of_bank)], &begins);
}

#[test]
fn a_way_to_the_contact_that_cannot_be_read_has_no_days_too_many() {
    expect_one(
        &[(FIRST, "via = \"response\"", "via = \"contct\", answer_days_max = 30")],
        &format!("{FIRST}:8:16 «contct»"),
    );
}
