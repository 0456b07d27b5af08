//! Whom an invitation stands for: the same patients as the indicator's respondents, as far as the register knows.

use polars::prelude::*;
use prem_stages::{LinkInputs, link_responses, read_invited};
use tempfile::TempDir;

use crate::world::{dates, frame, part, plan_with, text, times};

const ALL: &str = r#"
id = "all"
version = "1"
title = "Alle"
description = "Lyttet, 0–100"
theme = "Personale"
direction = "higher"
levels = ["rhf", "hf", "ward"]
periods = ["year"]
population = { questionnaire = "stay" }
measure = { type = "item", item = "listened" }
"#;
const ADULTS: &str = r#"
id = "adults"
version = "1"
title = "Voksne"
description = "Lyttet, 0–100"
theme = "Personale"
direction = "higher"
levels = ["rhf", "hf", "ward"]
periods = ["year"]
measure = { type = "item", item = "listened" }
[population]
questionnaire = "stay"
age_min = 18
care_levels = ["1"]
stay_hours_min = 24
exclude = [{ reason = "dead", column = "discharge_status", codes = ["2"] }]
"#;

/// contact, admitted, age, care level, discharge status, questionnaire of the invitation, its outcome
type Asked = (&'static str, &'static str, i16, &'static str, &'static str, Option<&'static str>, &'static str);
const ASKED: [Asked; 8] = [
    ("c1", "2025-03-06T12:00", 40, "1", "1", Some("stay"), "sent"),
    ("c2", "2025-03-07T12:00", 18, "1", "1", None, "sent"),
    ("c3", "2025-03-06T12:00", 17, "1", "1", Some("stay"), "sent"),
    ("c4", "2025-03-06T12:00", 40, "2", "1", Some("stay"), "sent"),
    ("c5", "2025-03-07T13:00", 40, "1", "1", Some("stay"), "sent"),
    ("c6", "2025-03-06T12:00", 40, "1", "2", Some("stay"), "sent"),
    ("c7", "2025-03-06T12:00", 40, "1", "1", Some("visit"), "sent"),
    ("c8", "2025-03-06T12:00", 40, "1", "1", Some("stay"), "ineligible"),
];

#[test]
fn strata_are_as_large_as_the_patients_whom_the_indicator_counts() {
    let plan = plan_with(&[("indicators/all.toml", ALL), ("indicators/adults.toml", ADULTS)]);
    let folder = TempDir::new().expect("a folder");
    let path = folder.path();
    let contacts = frame(vec![
        text("contact_id", &ASKED.map(|asked| Some(asked.0))),
        text("person_id", &ASKED.map(|asked| Some(asked.0))),
        text("unit_code", &[Some("W-1"); 8]),
        times("admitted_at", &ASKED.map(|asked| asked.1)),
        times("discharged_at", &["2025-03-08T12:00"; 8]),
        Column::new("age".into(), ASKED.map(|asked| asked.2).to_vec()),
        text("care_level", &ASKED.map(|asked| Some(asked.3))),
        text("discharge_status", &ASKED.map(|asked| Some(asked.4))),
    ]);
    let invitations = frame(vec![
        text("invitation_id", &ASKED.map(|asked| Some(asked.0))),
        text("contact_id", &ASKED.map(|asked| Some(asked.0))),
        text("questionnaire_id", &ASKED.map(|asked| asked.5)),
        text("outcome", &ASKED.map(|asked| Some(asked.6))),
        text("stratum", &[Some("h"); 8]),
        Column::new("inclusion_probability".into(), vec![0.25; 8]),
    ]);
    let responses = frame(vec![
        text("response_id", &[Some("r1"), Some("r7")]),
        text("invitation_id", &[Some("c1"), Some("c7")]),
        text("contact_id", &[None, None]),
        text("questionnaire_id", &[Some("stay"); 2]),
        text("questionnaire_version", &[Some("1"); 2]),
        dates("answered_at", &["2025-04-01"; 2]),
        Column::new("listened".into(), vec![4_i16; 2]),
    ]);
    let inputs = LinkInputs {
        responses: vec![part(path, "responses", responses)],
        invitations: vec![part(path, "invitations", invitations)],
        contacts: vec![part(path, "contacts", contacts)],
    };
    let out = path.join("linked");
    std::fs::create_dir(&out).expect("a folder");
    let questionnaire = &plan.questionnaires["stay"];
    let outcome = link_responses(&plan, questionnaire, &inputs, &out).expect("linked");
    // An invitation to another questionnaire is none to this one.
    assert_eq!(outcome.excluded, [("no-invitation".to_owned(), 1)].into());
    assert_eq!((outcome.kept, outcome.invitations.placed), (1, 7));
    let asked = read_invited(&plan, questionnaire, &out).expect("a table");
    assert_eq!(asked.strata, ["h"]);
    assert_eq!(asked.indicators, ["adults", "all"]);
    let size = |place: usize| {
        let rows = asked.rows.iter().filter(|row| row.members[place]);
        rows.fold((0, 0.0), |sum, row| (sum.0 + row.invited, sum.1 + row.population))
    };
    // c1 and c2 and, without a patient to stand for, c8; of everybody the six who were eligible. Each stands for four.
    assert_eq!(size(0), (3, 8.0));
    assert_eq!(size(1), (7, 24.0));
}
