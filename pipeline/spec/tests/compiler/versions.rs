//! Versions of a questionnaire follow one another without a gap, and mean the same by what they have in common.

use crate::common::two_versions_with;

const FIRST: &str = "questionnaires/form-1.toml";
const SECOND: &str = "questionnaires/form-2.toml";
const END: &str = "valid_to = 2025-07-01";

#[test]
fn days_between_versions_are_told_and_days_of_two_refused() {
    assert_eq!(two_versions_with(&[]), "");
    let gap = two_versions_with(&[(FIRST, END, "valid_to = 2025-06-01")]);
    assert_eq!(
        gap,
        "questionnaires/form-2.toml:5:14 no version is valid from 2025-06-01 to this day: version «1» ends then, in \
         questionnaires/form-1.toml (where the survey paused nothing is amiss; else let it last with valid_to = 2025-07-01, or begin this one with valid_from = 2025-06-01)\n"
    );
    let both = two_versions_with(&[(FIRST, END, "valid_to = 2025-07-02")]);
    assert!(both.starts_with("questionnaires/form-2.toml:5:14 version «1» is still valid on this day"), "{both}");
    assert_eq!(both.lines().count(), 1, "{both}");
}

#[test]
fn a_version_that_ends_before_it_begins_is_one_mistake() {
    let backwards = two_versions_with(&[(FIRST, "valid_from = 2025-01-01", "valid_from = 2026-01-01")]);
    assert_eq!(backwards, "questionnaires/form-1.toml:6:12 `valid_to` is not after `valid_from`\n");
}

#[test]
fn what_differs_between_versions_is_told_at_its_own_place() {
    let with = |bands: &str| {
        format!(
            "link = {{ via = \"response\" }}\n\
             stratifier = [\n  {{ id = \"mode\", title = \"M\", column = \"mode\", levels = [\"paper\", \"digital\"] }},\n  \
             {{ id = \"care\", title = \"C\", column = \"care\", bands = {bands} }},\n]\n\
             adjuster = [{{ id = \"care\", title = \"C\", column = \"care\", bands = {bands} }}]\n"
        )
    };
    let link = "link = { via = \"response\" }\n";
    assert_eq!(two_versions_with(&[(FIRST, link, &with("[1, 3]")), (SECOND, link, &with("[1, 3]"))]), "");
    let told = two_versions_with(&[(FIRST, link, &with("[1, 3]")), (SECOND, link, &with("[1, 4]"))]);
    let help = "(declare it alike in all versions, or give it an id of its own)";
    assert_eq!(
        told,
        format!(
            "{SECOND}:11:10 version «1» has another stratifier «care», in {FIRST} {help}\n\
             {SECOND}:13:20 version «1» has another adjuster «care», in {FIRST} {help}\n"
        )
    );
}
