//! One response for each thing that can happen to a response.

use std::collections::BTreeMap;

use jiff::civil::date;
use polars::prelude::*;
use prem_spec::Plan;
use prem_stages::{LinkInputs, LinkOutcome, link_responses, read_invited};
use prem_store::tables::{Unlinked, read_table};
use tempfile::TempDir;

use crate::world::{dates, frame, part, plan, plan_with, text, times};

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

/// A code that three wards had one after the other, and two codes that differ in their zeros only.
const WARDS: &str = r#"
name = "wards"
units = [
  { id = "move-a", level = "ward", name = "A", parent = "east", valid_from = 2010-01-01, valid_to = 2025-03-05, codes = { pas = ["MOVE"] } },
  { id = "move-b", level = "ward", name = "B", parent = "east", valid_from = 2025-03-05, valid_to = 2025-03-20, codes = { pas = ["MOVE"] } },
  { id = "move-c", level = "ward", name = "C", parent = "east", valid_from = 2025-03-20, codes = { pas = ["MOVE"] } },
  { id = "zeros-1", level = "ward", name = "D", parent = "east", valid_from = 2010-01-01, codes = { pas = ["007"] } },
  { id = "zeros-2", level = "ward", name = "E", parent = "east", valid_from = 2010-01-01, codes = { pas = ["07"] } },
]
"#;
const WARD_SURVEY: &str = r#"
kind = "questionnaire"
id = "ward"
version = "1"
title = "Post"
valid_from = 2025-01-01
items = ["listened"]
link = { via = "response" }
"#;

/// contact, person, unit code, admitted, discharged
type Contact = (&'static str, &'static str, Option<&'static str>, &'static str, &'static str);
/// invitation, contact, questionnaire, stratum, inclusion probability
type Invitation = (&'static str, &'static str, Option<&'static str>, Option<&'static str>, Option<f64>);
/// response, invitation, contact, answered
type Answer = (&'static str, Option<&'static str>, Option<&'static str>, &'static str);

/// A few rows of each dataset.
#[derive(Default)]
struct Case {
    contacts: Vec<Contact>,
    invitations: Vec<Invitation>,
    responses: Vec<Answer>,
    /// Per response, where it is not «stay».
    questionnaires: Vec<&'static str>,
    /// Per response, where they carry their own.
    unit_codes: Vec<Option<&'static str>>,
}

/// A kept response: unit, weight and stratum.
type Kept = (String, f64, Option<String>);

impl Case {
    fn link(&self, plan: &Plan, questionnaire: &str, folder: &TempDir) -> LinkOutcome {
        let path = folder.path();
        let (contacts, invitations, responses) = (&self.contacts, &self.invitations, &self.responses);
        let n = responses.len();
        let contacts = frame(vec![
            text("contact_id", &contacts.iter().map(|c| Some(c.0)).collect::<Vec<_>>()),
            text("person_id", &contacts.iter().map(|c| Some(c.1)).collect::<Vec<_>>()),
            text("unit_code", &contacts.iter().map(|c| c.2).collect::<Vec<_>>()),
            times("admitted_at", &contacts.iter().map(|c| c.3).collect::<Vec<_>>()),
            times("discharged_at", &contacts.iter().map(|c| c.4).collect::<Vec<_>>()),
        ]);
        let invitations = frame(vec![
            text("invitation_id", &invitations.iter().map(|i| Some(i.0)).collect::<Vec<_>>()),
            text("contact_id", &invitations.iter().map(|i| Some(i.1)).collect::<Vec<_>>()),
            text("questionnaire_id", &invitations.iter().map(|i| i.2).collect::<Vec<_>>()),
            text("outcome", &vec![Some("sent"); invitations.len()]),
            text("stratum", &invitations.iter().map(|i| i.3).collect::<Vec<_>>()),
            Column::new("inclusion_probability".into(), invitations.iter().map(|i| i.4).collect::<Vec<_>>()),
        ]);
        let id = |row: usize| Some(self.questionnaires.get(row).copied().unwrap_or("stay"));
        let responses = frame(vec![
            text("response_id", &responses.iter().map(|r| Some(r.0)).collect::<Vec<_>>()),
            text("invitation_id", &responses.iter().map(|r| r.1).collect::<Vec<_>>()),
            text("contact_id", &responses.iter().map(|r| r.2).collect::<Vec<_>>()),
            text("questionnaire_id", &(0..n).map(id).collect::<Vec<_>>()),
            text("questionnaire_version", &vec![Some("1"); n]),
            text("unit_code", &(0..n).map(|row| self.unit_codes.get(row).copied().flatten()).collect::<Vec<_>>()),
            dates("answered_at", &responses.iter().map(|r| r.3).collect::<Vec<_>>()),
            Column::new("listened".into(), vec![4_i16; n]),
        ]);
        let delivered = |name: &str, rows: DataFrame| match rows.height() {
            0 => Vec::new(),
            _ => vec![part(path, name, rows)],
        };
        let inputs = LinkInputs {
            responses: delivered("responses", responses),
            invitations: delivered("invitations", invitations),
            contacts: delivered("contacts", contacts),
        };
        let out = path.join("linked");
        std::fs::create_dir(&out).expect("a folder");
        link_responses(plan, &plan.questionnaires[questionnaire], &inputs, &out).expect("linked")
    }

    /// The kept responses, and of the others the reason.
    fn outcome(&self, plan: &Plan, questionnaire: &str) -> (BTreeMap<String, Kept>, BTreeMap<String, String>) {
        let folder = TempDir::new().expect("a folder");
        let outcome = self.link(plan, questionnaire, &folder);
        let linked = folder.path().join("linked");
        let mut kept = BTreeMap::new();
        for month in outcome.months.keys() {
            let path = linked.join(format!("month={:04}-{:02}", month.year(), month.month())).join("part.parquet");
            let frame = ParquetReader::new(std::fs::File::open(path).expect("a month")).finish().expect("a table");
            let column = |name: &str| frame.column(name).expect("a column").clone();
            let (ids, units) = (column("response_id"), column("unit_id"));
            let (weights, strata) = (column("design_weight"), column("sampling_stratum"));
            let (ids, units) = (ids.str().expect("texts"), units.str().expect("texts"));
            let (weights, strata) = (weights.f64().expect("numbers"), strata.str().expect("texts"));
            for row in 0..frame.height() {
                let unit = units.get(row).expect("a unit").to_owned();
                let row_of = (unit, weights.get(row).expect("a weight"), strata.get(row).map(str::to_owned));
                kept.insert(ids.get(row).expect("an id").to_owned(), row_of);
            }
        }
        assert_eq!(kept.len() as u64, outcome.kept);
        let (rows, _) = read_table::<Unlinked>(&linked.join("unlinked.parquet")).expect("a table");
        (kept, rows.into_iter().map(|row| (row.response_id, row.reason)).collect())
    }

    /// Unit or reason of each response.
    fn fates(&self, plan: &Plan, questionnaire: &str) -> BTreeMap<String, String> {
        let (kept, mut fates) = self.outcome(plan, questionnaire);
        fates.extend(kept.into_iter().map(|(id, (unit, ..))| (id, unit)));
        fates
    }
}

fn named(fates: &[(&str, &str)]) -> BTreeMap<String, String> {
    fates.iter().map(|(id, fate)| ((*id).to_owned(), (*fate).to_owned())).collect()
}

#[test]
fn an_invitation_that_is_not_found_leaves_those_of_the_contact() {
    let (from, to) = ("2025-03-01T10:00", "2025-03-10T12:00");
    let answered = "2025-04-01";
    let case = Case {
        contacts: ["c1", "c2", "c3", "c4", "c5", "c6"].map(|id| (id, id, Some("W-1"), from, to)).to_vec(),
        invitations: vec![
            ("i1", "c1", Some("stay"), Some("s"), Some(0.25)),
            ("i2", "c2", Some("stay"), Some("s"), Some(0.5)),
            ("i2-other", "c2", Some("visit"), Some("t"), Some(0.1)),
            ("i3", "c3", None, None, Some(0.5)),
            ("i3-again", "c3", None, None, None),
            ("i4", "c4", None, Some("s"), Some(0.5)),
            ("i4-again", "c4", None, None, Some(0.5)),
            ("i5", "c5", None, None, None),
            ("i5-again", "c5", None, None, None),
        ],
        responses: vec![
            ("unknown", Some("i77"), Some("c1"), answered),
            ("of-another", Some("i2-other"), Some("c2"), answered),
            ("some-probabilities", None, Some("c3"), answered),
            ("some-strata", Some("i77"), Some("c4"), answered),
            ("states-nothing", None, Some("c5"), answered),
            ("has-none", Some("i77"), Some("c6"), answered),
        ],
        ..Case::default()
    };
    let (kept, left_out) = case.outcome(&plan(), "stay");
    let row = |weight: f64, stratum: Option<&str>| ("east-1".to_owned(), weight, stratum.map(str::to_owned));
    let expected = [
        ("unknown", row(4.0, Some("s"))),
        ("of-another", row(2.0, Some("s"))),
        ("states-nothing", row(1.0, None)),
        ("has-none", row(1.0, None)),
    ];
    assert_eq!(kept, expected.map(|(id, row)| (id.to_owned(), row)).into());
    let unclear = [("some-probabilities", "ambiguous-invitation"), ("some-strata", "ambiguous-invitation")];
    assert_eq!(left_out, named(&unclear));
}

#[test]
fn the_unit_is_the_one_that_had_the_code_on_the_day_of_discharge() {
    let plan = plan_with(&[("organisations/wards.toml", WARDS)]);
    let case = Case {
        contacts: vec![
            ("c1", "p1", Some("MOVE"), "2025-03-01T10:00", "2025-03-10T12:00"),
            ("c2", "p2", Some("MOVE"), "2025-03-01T10:00", "2025-03-04T23:59"),
            ("c3", "p3", Some("MOVE"), "2025-03-01T10:00", "2025-03-20T00:00"),
            ("c4", "p4", Some("7"), "2025-03-01T10:00", "2025-03-10T12:00"),
            ("c5", "p5", Some(" 007"), "2025-03-01T10:00", "2025-03-10T12:00"),
            ("c6", "p6", None, "2025-03-01T10:00", "2025-03-10T12:00"),
        ],
        responses: ["c1", "c2", "c3", "c4", "c5", "c6"].map(|id| (id, None, Some(id), "2025-04-01")).to_vec(),
        ..Case::default()
    };
    let expected = [
        ("c1", "move-b"),
        ("c2", "move-a"),
        ("c3", "move-c"),
        ("c4", "unit-ambiguous"),
        // A code written with a blank is not one of the two as it stands.
        ("c5", "unit-ambiguous"),
        ("c6", "no-unit-code"),
    ];
    assert_eq!(case.fates(&plan, "stay"), named(&expected));
}

#[test]
fn answers_count_from_the_day_of_discharge_to_the_last_day_of_the_window() {
    let ids = ["c1", "c2", "c3", "c4", "c5"];
    let answered = ["2025-03-09", "2025-03-10", "2025-09-06", "2025-09-07", "2025-04-01"];
    let case = Case {
        contacts: ids.map(|id| (id, id, Some("W-1"), "2025-03-01T10:00", "2025-03-10T12:00")).to_vec(),
        responses: ids.iter().zip(answered).map(|(id, answered)| (*id, None, Some(*id), answered)).collect(),
        questionnaires: vec!["stay", "stay", "stay", "stay", "visit"],
        ..Case::default()
    };
    let expected = [
        ("c1", "answered-before-discharge"),
        ("c2", "east-1"),
        // 180 days.
        ("c3", "east-1"),
        ("c4", "answered-too-late"),
        ("c5", "other-questionnaire"),
    ];
    assert_eq!(case.fates(&plan(), "stay"), named(&expected));
}

#[test]
fn a_survey_without_a_register_places_answers_by_their_own_code_and_day() {
    let plan = plan_with(&[("questionnaires/ward.toml", WARD_SURVEY)]);
    let case = Case {
        responses: vec![
            ("kept", None, None, "2025-04-01"),
            ("no-date", None, None, ""),
            ("no-code", None, None, "2025-04-01"),
            ("of-another", None, None, "2025-04-01"),
            ("unknown", None, None, "2025-04-01"),
            ("closed", None, None, "2025-04-01"),
        ],
        questionnaires: vec!["ward", "ward", "ward", "stay", "ward", "ward"],
        unit_codes: vec![Some("W-1"), Some("W-1"), None, Some("W-1"), Some("X-9"), Some("OLD")],
        ..Case::default()
    };
    let expected = [
        ("kept", "east-1"),
        ("no-date", "no-answer-date"),
        ("no-code", "no-unit-code"),
        ("of-another", "other-questionnaire"),
        ("unknown", "unit-unknown"),
        ("closed", "unit-not-valid"),
    ];
    assert_eq!(case.fates(&plan, "ward"), named(&expected));
}

/// Two contacts of each person, both answered about: one stay has one answer that counts.
#[test]
fn a_gap_of_eight_hours_is_one_stay_and_a_second_more_is_two() {
    let (from, to) = ("2025-03-01T10:00", "2025-03-05T10:00");
    let end = "2025-03-08T09:00";
    let case = Case {
        contacts: vec![
            ("a1", "a", Some("W-1"), from, to),
            ("a2", "a", Some("W-2"), "2025-03-05T18:00", end),
            ("b1", "b", Some("W-1"), from, to),
            ("b2", "b", Some("W-2"), "2025-03-05T18:01", end),
            ("c1", "c", Some("W-1"), from, to),
            ("c2", "c", Some("W-2"), "2025-03-05T18:00:59", end),
            ("d1", "d", Some("W-1"), from, "2025-03-05T10:00:59"),
            ("d2", "d", Some("W-2"), "2025-03-05T18:00:59", end),
        ],
        responses: [
            ("a1", "2025-04-01"),
            ("a2", "2025-04-02"),
            ("b1", "2025-04-01"),
            ("b2", "2025-04-02"),
            ("c1", "2025-04-01"),
            ("c2", "2025-04-02"),
            ("d1", "2025-04-01"),
            ("d2", "2025-04-02"),
        ]
        .map(|(id, answered)| (id, None, Some(id), answered))
        .to_vec(),
        ..Case::default()
    };
    let expected = [
        ("a1", "second-answer-for-episode"),
        ("a2", "east-2"),
        ("b1", "east-1"),
        ("b2", "east-2"),
        ("c1", "east-1"),
        ("c2", "east-2"),
        ("d1", "second-answer-for-episode"),
        ("d2", "east-2"),
    ];
    assert_eq!(case.fates(&plan(), "stay"), named(&expected));
}
