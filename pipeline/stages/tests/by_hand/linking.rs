//! One response for each thing that can happen to a response.

use std::collections::BTreeMap;

use jiff::civil::date;
use polars::prelude::*;
use prem_spec::Plan;
use prem_stages::{LinkInputs, LinkOutcome, link_responses, read_invited};
use prem_store::tables::{Unlinked, read_table};
use tempfile::TempDir;

use crate::world::{dates, frame, part, plan, text, times};

/// contact, person, unit code, admitted, discharged
const CONTACTS: [(&str, &str, &str, &str, &str); 16] = [
    ("c01", "p01", "W-1", "2025-03-01T10:00", "2025-03-10T12:00"),
    ("c02", "p02", "W-1", "2025-03-01T10:00", "2025-03-10T12:00"),
    // A transfer: two hours between.
    ("c03", "p03", "W-1", "2025-03-01T10:00", "2025-03-05T10:00"),
    ("c04", "p03", "W-2", "2025-03-05T12:00", "2025-03-08T09:00"),
    // Two stays: nine hours between.
    ("c05", "p04", "W-1", "2025-03-01T10:00", "2025-03-05T10:00"),
    ("c06", "p04", "W-2", "2025-03-05T19:00", "2025-04-08T09:00"),
    ("c07", "p05", "W-1", "2025-03-01T10:00", ""),
    // The same code as W-1, written in another way.
    ("c08", "p06", "w-1", "2025-03-01T10:00", "2025-03-10T12:00"),
    ("c09", "p07", "X-9", "2025-03-01T10:00", "2025-03-10T12:00"),
    // The unit was closed in 2024.
    ("c10", "p08", "OLD", "2025-03-01T10:00", "2025-03-10T12:00"),
    ("c11", "p09", "W-1", "2025-03-01T10:00", "2025-03-10T12:00"),
    ("c12", "p10", "W-2", "2025-03-01T10:00", "2025-03-10T12:00"),
    ("c13", "p11", "W-1", "2025-03-01T10:00", "2025-03-10T12:00"),
    // A transfer of which the response names one contact and its invitation the other, through a contact between.
    ("c14", "p12", "W-1", "2025-03-01T10:00", "2025-03-05T10:00"),
    ("c15", "p12", "X-9", "2025-03-05T11:00", "2025-03-06T10:00"),
    ("c16", "p12", "W-2", "2025-03-06T17:00", "2025-03-09T10:00"),
];

/// invitation, contact, outcome, inclusion probability
const INVITATIONS: [(&str, &str, &str, Option<f64>); 10] = [
    ("i01", "c01", "sent", Some(0.5)),
    ("i05", "c05", "sent", Some(0.5)),
    ("i07", "c07", "sent", None),
    ("i09", "c09", "sent", None),
    ("i10", "c10", "sent", None),
    ("i11", "c11", "sent", Some(0.5)),
    ("i11-again", "c11", "undeliverable", Some(0.25)),
    ("i12", "c12", "sent", Some(0.25)),
    ("i16", "c16", "ineligible", None),
    ("i99", "c99", "sent", None),
];

/// response, invitation, contact, answered, version; and what must become of it.
type Response = (&'static str, Option<&'static str>, Option<&'static str>, &'static str, &'static str, &'static str);
const RESPONSES: [Response; 22] = [
    ("r01", Some("i01"), None, "2025-04-01", "1", "kept"),
    ("r02", None, Some("c02"), "2025-04-01", "1", "second-answer-for-contact"),
    ("r03", None, Some("c02"), "2025-04-02", "1", "kept"),
    ("r04", None, Some("c03"), "2025-04-01", "1", "second-answer-for-episode"),
    ("r05", None, Some("c04"), "2025-04-05", "1", "kept"),
    ("r06", None, Some("c05"), "2025-04-09", "1", "kept"),
    ("r07", None, Some("c06"), "2025-04-09", "1", "kept"),
    ("r08", None, Some("c07"), "2025-04-01", "1", "not-discharged"),
    ("r09", None, Some("c08"), "2025-04-01", "1", "kept"),
    ("r10", None, Some("c09"), "2025-04-01", "1", "unit-unknown"),
    ("r11", None, Some("c10"), "2025-04-01", "1", "unit-not-valid"),
    ("r12", Some("i77"), None, "2025-04-01", "1", "no-invitation"),
    ("r13", None, None, "2025-04-01", "1", "no-contact-id"),
    ("r14", None, Some("c99"), "2025-04-01", "1", "no-contact"),
    ("r15", Some("i05"), Some("c01"), "2025-04-01", "1", "ambiguous-contact"),
    ("r16", None, Some("c11"), "2025-04-01", "1", "ambiguous-invitation"),
    ("r17", None, Some("c12"), "2025-04-01", "1", "kept"),
    ("r18", None, Some("c13"), "2025-03-09", "1", "answered-before-discharge"),
    ("r19", None, Some("c13"), "2025-10-01", "1", "answered-too-late"),
    ("r20", None, Some("c13"), "2025-04-01", "2", "other-version"),
    ("r21", Some("i16"), Some("c14"), "2025-04-01", "1", "kept"),
    ("r22", Some("i11"), None, "2025-04-01", "1", "kept"),
];

fn linked(plan: &Plan, folder: &TempDir) -> LinkOutcome {
    let path = folder.path();
    let contacts = frame(vec![
        text("contact_id", &CONTACTS.map(|c| Some(c.0))),
        text("person_id", &CONTACTS.map(|c| Some(c.1))),
        text("unit_code", &CONTACTS.map(|c| Some(c.2))),
        times("admitted_at", &CONTACTS.map(|c| c.3)),
        times("discharged_at", &CONTACTS.map(|c| c.4)),
    ]);
    let invitations = frame(vec![
        text("invitation_id", &INVITATIONS.map(|i| Some(i.0))),
        text("contact_id", &INVITATIONS.map(|i| Some(i.1))),
        text("outcome", &INVITATIONS.map(|i| Some(i.2))),
        Column::new("inclusion_probability".into(), INVITATIONS.map(|i| i.3).to_vec()),
    ]);
    let responses = frame(vec![
        text("response_id", &RESPONSES.map(|r| Some(r.0))),
        text("invitation_id", &RESPONSES.map(|r| r.1)),
        text("contact_id", &RESPONSES.map(|r| r.2)),
        text("questionnaire_id", &[Some("stay"); 22]),
        text("questionnaire_version", &RESPONSES.map(|r| Some(r.4))),
        dates("answered_at", &RESPONSES.map(|r| r.3)),
        Column::new("listened".into(), vec![4_i16; 22]),
    ]);
    let inputs = LinkInputs {
        responses: vec![part(path, "responses", responses)],
        invitations: vec![part(path, "invitations", invitations)],
        contacts: vec![part(path, "contacts", contacts)],
    };
    let out = path.join("linked");
    std::fs::create_dir(&out).expect("a folder");
    link_responses(plan, &plan.questionnaires["stay"], &inputs, &out).expect("linked")
}

#[test]
fn every_response_is_kept_or_has_its_reason() {
    let (plan, folder) = (plan(), TempDir::new().expect("a folder"));
    let outcome = linked(&plan, &folder);
    let mut expected: BTreeMap<String, u64> = BTreeMap::new();
    for response in RESPONSES {
        *expected.entry(response.5.to_owned()).or_default() += 1;
    }
    assert_eq!(outcome.kept, expected.remove("kept").expect("some are kept"));
    assert_eq!(outcome.excluded, expected);
    assert_eq!(outcome.months, [(date(2025, 3, 1), 8), (date(2025, 4, 1), 1)].into());
    let codes: Vec<(&str, &str, u64)> = outcome
        .unplaced
        .iter()
        .flat_map(|(reason, codes)| codes.iter().map(move |(code, n)| (reason.as_str(), code.as_str(), *n)))
        .collect();
    assert_eq!(codes, [("unit-not-valid", "OLD", 1), ("unit-unknown", "X-9", 1)]);
}

#[test]
fn responses_left_out_are_kept_apart() {
    let (plan, folder) = (plan(), TempDir::new().expect("a folder"));
    linked(&plan, &folder);
    let (rows, _) = read_table::<Unlinked>(&folder.path().join("linked/unlinked.parquet")).expect("a table");
    let found: Vec<(&str, &str)> = rows.iter().map(|row| (row.response_id.as_str(), row.reason.as_str())).collect();
    let expected: Vec<(&str, &str)> = RESPONSES.iter().filter(|r| r.5 != "kept").map(|r| (r.0, r.5)).collect();
    assert_eq!(found, expected);
    let row = |id: &str| rows.iter().find(|row| row.response_id == id).expect("a row");
    assert_eq!(row("r10").unit_code.as_deref(), Some("X-9"));
    assert_eq!(row("r10").month, Some(date(2025, 3, 1)));
    assert_eq!((row("r13").month, &row("r13").unit_code), (None, &None));
}

#[test]
fn an_answer_belongs_to_the_unit_it_was_asked_about() {
    let (plan, folder) = (plan(), TempDir::new().expect("a folder"));
    linked(&plan, &folder);
    let path = folder.path().join("linked/month=2025-03/part.parquet");
    let frame = ParquetReader::new(std::fs::File::open(path).expect("a month")).finish().expect("a table");
    let column = |name: &str| frame.column(name).expect("a column").clone();
    let (ids, units, weights) = (column("response_id"), column("unit_id"), column("design_weight"));
    let (ids, units, weights) =
        (ids.str().expect("texts"), units.str().expect("texts"), weights.f64().expect("numbers"));
    let rows: Vec<(&str, &str, f64)> = (0..frame.height())
        .map(|row| (ids.get(row).unwrap(), units.get(row).unwrap(), weights.get(row).unwrap()))
        .collect();
    assert_eq!(
        rows,
        [
            ("r01", "east-1", 2.0),
            ("r03", "east-1", 1.0),
            // The invitation was of the same stay: no conflict, and the named contact decides.
            ("r06", "east-1", 2.0),
            ("r09", "east-1", 1.0),
            ("r21", "east-1", 1.0),
            ("r22", "east-1", 2.0),
            ("r05", "east-2", 1.0),
            // It named no invitation, but its contact has one.
            ("r17", "east-2", 4.0),
        ]
    );
}

#[test]
fn invitations_that_no_contact_places_are_told() {
    let (plan, folder) = (plan(), TempDir::new().expect("a folder"));
    let outcome = linked(&plan, &folder);
    let counts = outcome.invitations;
    let left_out: Vec<(&str, u64)> = counts.left_out.iter().map(|(reason, n)| (reason.as_str(), *n)).collect();
    assert_eq!(left_out, [("no-contact", 1), ("not-discharged", 1), ("unit-not-valid", 1), ("unit-unknown", 1)]);
    assert_eq!(counts.unplaced["unit-unknown"], [("X-9".to_owned(), 1)].into());
    assert_eq!(counts.placed + 4, INVITATIONS.len() as u64);
    let invited = read_invited(&plan, &plan.questionnaires["stay"], &folder.path().join("linked")).expect("a table");
    let sums = invited
        .rows
        .iter()
        .fold((0, 0, 0), |sum, row| (sum.0 + row.invited, sum.1 + row.undeliverable, sum.2 + row.ineligible));
    assert_eq!(sums, (6, 1, 1));
}
