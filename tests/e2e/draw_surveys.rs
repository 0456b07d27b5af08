//! Two plans for two groups of patients, drawn month after month: who may be drawn is worked out here once more, from who was
//! asked before in any survey and who has refused, and the lists must agree.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
};

use jiff::{
    ToSpan,
    civil::{Date, date},
};
use serde_json::Value;

use crate::{
    draw,
    place::{Place, expect_code},
};

const ORGANISATION: &str = r#"
name = "region"
units = [
  { id = "region", level = "rhf", name = "Regionen", valid_from = 2020-01-01 },
  { id = "trust", level = "hf", name = "Helseforetaket", parent = "region", valid_from = 2020-01-01 },
  { id = "large", level = "ward", name = "Stor post", parent = "trust", valid_from = 2020-01-01, codes = { pas = ["L"] } },
  { id = "small", level = "ward", name = "Liten post", parent = "trust", valid_from = 2020-01-01, codes = { pas = ["S"] } },
  { id = "clinic", level = "ward", name = "Poliklinikk", parent = "trust", valid_from = 2020-01-01, codes = { pas = ["C"] } },
  { id = "small-clinic", level = "ward", name = "Liten poliklinikk", parent = "trust", valid_from = 2020-01-01, codes = { pas = ["K"] } },
]
"#;
const VISIT: &str = r#"
kind = "questionnaire"
id = "visit"
version = "1"
title = "Besøk"
valid_from = 2020-01-01
items = ["listened"]
link = { via = "contact", answer_days_max = 100 }
"#;

/// A sampling plan: whom it asks, and how many of each unit.
struct Plan {
    id: &'static str,
    questionnaire: &'static str,
    care_level: &'static str,
    per_unit: u64,
    /// Of the eligible, in per cent.
    share: u64,
    census_up_to: u64,
}

const PLANS: [Plan; 2] = [
    Plan { id: "monthly", questionnaire: "stay", care_level: "1", per_unit: 1, share: 5, census_up_to: 3 },
    Plan { id: "visits", questionnaire: "visit", care_level: "3", per_unit: 3, share: 10, census_up_to: 6 },
];

impl Plan {
    fn toml(&self) -> String {
        let Self { id, questionnaire, care_level, per_unit, share, census_up_to } = self;
        let share = *share as f64 / 100.0;
        format!(
            "kind = \"draw\"\nid = \"{id}\"\ntitle = \"Månedlig\"\nquestionnaire = \"{questionnaire}\"\n\
             [eligible]\ncare_levels = [\"{care_level}\"]\nage_min = 18\n\
             [quota]\nper_unit = {per_unit}\nshare = {share}\ncensus_up_to = {census_up_to}\n"
        )
    }

    /// How many of `eligible` are to be drawn.
    fn quota(&self, eligible: u64) -> u64 {
        if eligible <= self.census_up_to {
            return eligible;
        }
        self.per_unit.max((eligible * self.share).div_ceil(100)).min(eligible)
    }
}

const MONTHS: i32 = 13;
const PERSONS: u32 = 240;
/// Asked by a survey that nobody drew here.
const BY_ANOTHER_SURVEY: &str = "p240";
const SENT_BY_ANOTHER: Date = date(2024, 6, 20);
/// After so many months the office sends back which visitors it asked, six days after each draw.
const SENT_BACK_AFTER: i32 = 4;

struct Contact {
    id: String,
    person: String,
    unit: &'static str,
    care_level: &'static str,
    month: Date,
}

fn month(m: i32) -> Date {
    date(2025, 1, 1).checked_add(m.months()).expect("a month")
}

/// The day of the draw of a month's patients.
fn day_of_draw(m: i32) -> Date {
    month(m + 1).checked_add(9.days()).expect("a day")
}

/// Stays in a large and a small ward and visits to a large and a small clinic; nobody has two of a kind in a month.
fn contacts() -> Vec<Contact> {
    let mut all = Vec::new();
    let mut add = |kind: char, p: u32, m: i32, unit: &'static str, care_level: &'static str| {
        let id = format!("{kind}{p:03}-{}", month(m).strftime("%Y%m"));
        all.push(Contact { id, person: format!("p{p:03}"), unit, care_level, month: month(m) });
    };
    for p in 0..=PERSONS {
        for m in 0..MONTHS {
            let turn = u32::try_from(m).expect("a month");
            if (p + p / 30 + turn).is_multiple_of(3) {
                add('s', p, m, if p.is_multiple_of(30) { "S" } else { "L" }, "1");
            }
            if p < PERSONS && (p + turn).is_multiple_of(2) {
                add('v', p, m, if p % 40 == 1 { "K" } else { "C" }, "3");
            }
        }
    }
    // The stay that the other survey asked about.
    add('s', PERSONS, -7, "S", "1");
    all
}

/// Person, first day of the refusal, and the first day on which it no longer holds.
const RESERVED: [(&str, Option<Date>, Option<Date>); 3] =
    [("p000", None, Some(date(2025, 8, 10))), ("p030", None, None), ("p060", Some(date(2025, 7, 1)), None)];

fn is_reserved(person: &str, on: Date) -> bool {
    RESERVED
        .iter()
        .any(|(who, from, to)| *who == person && from.is_none_or(|from| from <= on) && to.is_none_or(|to| on < to))
}

/// The place with everything delivered; `files` are the contacts, each in a file of its own.
fn place(files: &[Vec<&Contact>]) -> Place {
    let place = draw::place();
    let write = |name: &str, text: &str| fs::write(place.path().join("schemas").join(name), text).expect("a file");
    write("organisations/region.toml", ORGANISATION);
    write("questionnaires/visit.toml", VISIT);
    write("questionnaires/draw.toml", &PLANS[0].toml());
    write("questionnaires/draw-visits.toml", &PLANS[1].toml());
    for (number, contacts) in files.iter().enumerate() {
        let mut file = "contact_id;person_id;unit_code;admitted_at;discharged_at;age;care_level;main_diagnosis;\
                        discharge_status;sex;urgency;municipality;district;other_diagnoses;procedures;drg\n"
            .to_owned();
        for Contact { id, person, unit, care_level, month } in contacts {
            let (from, to) = if *care_level == "1" { ("03T08:00", "06T12:00") } else { ("10T09:00", "10T10:00") };
            let month = month.strftime("%Y-%m");
            writeln!(file, "{id};{person};{unit};{month}-{from};{month}-{to};40;{care_level};I21;1;;;;;;;")
                .expect("text");
        }
        fs::write(place.inbox(&format!("contacts_{number}.csv")), file).expect("a file");
    }
    let asked = format!("i1;s{PERSONS:03}-202406;another-survey;{SENT_BY_ANOTHER};sent;;\n");
    fs::write(place.inbox("invitations_0.csv"), format!("{INVITATIONS}{asked}")).expect("a file");
    let day = |day: Option<Date>| day.map_or_else(String::new, |day| day.to_string());
    let reserved = RESERVED.iter().map(|(who, from, to)| format!("{who};{};{}\n", day(*from), day(*to)));
    let reserved: String = reserved.collect();
    fs::write(place.inbox("reservations_0.csv"), format!("person_id;reserved_from;reserved_to\n{reserved}"))
        .expect("a file");
    expect_code(&place.prem(&["ingest"]), 0);
    place
}

const INVITATIONS: &str = "invitation_id;contact_id;questionnaire_id;sent_at;outcome;stratum;inclusion_probability\n";

type Row = BTreeMap<String, String>;

/// A draw that was made: what the command told, the list's bytes and its rows.
struct Drawn {
    report: Value,
    bytes: Vec<u8>,
    rows: Vec<Row>,
}

fn draw_month(place: &Place, plan: &Plan, m: i32, more: &[&str]) -> Drawn {
    let (window, on) = (month(m).strftime("%Y-%m").to_string(), day_of_draw(m).to_string());
    let name = format!("{}-{window}.csv", plan.id);
    let mut arguments = vec!["draw", plan.id, "--window", &window, "--on", &on, "--out", &name];
    arguments.extend(more);
    let output = place.prem(&arguments);
    expect_code(&output, 0);
    let summary: Value = serde_json::from_slice(&output.stdout).expect("a summary in JSON");
    let bytes = fs::read(place.path().join(&name)).expect("a list");
    let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_reader(bytes.as_slice());
    let rows = reader.deserialize().map(|row| row.expect("a row")).collect();
    Drawn { report: summary["report"].clone(), bytes, rows }
}

/// The office sends back whom it asked: the lists' own columns with a day and an outcome.
fn send_back(place: &Place, lists: &[&Drawn]) -> Vec<(String, Date)> {
    let (mut file, mut sent) = (INVITATIONS.to_owned(), Vec::new());
    for row in lists.iter().flat_map(|list| &list.rows) {
        let on: Date = row["drawn_on"].parse().expect("a day");
        let day = on.checked_add(6.days()).expect("a day");
        let [id, contact, questionnaire, stratum, probability] =
            ["invitation_id", "contact_id", "questionnaire_id", "stratum", "inclusion_probability"].map(|c| &row[c]);
        writeln!(file, "{id};{contact};{questionnaire};{day};sent;{stratum};{probability}").expect("text");
        sent.push((row["person_id"].clone(), day));
    }
    fs::write(place.inbox("invitations_1.csv"), file).expect("a file");
    expect_code(&place.prem(&["ingest"]), 0);
    sent
}

/// Whether somebody who was asked on `before` still rests on `on`.
fn rests(before: Date, on: Date) -> bool {
    before.checked_add(12.months()).expect("a day") > on
}

/// What the draw must be of: contacts left out by reason, and the eligible persons of each unit.
fn frame(
    contacts: &[Contact],
    plan: &Plan,
    m: i32,
    asked: &[(String, Date)],
) -> (BTreeMap<String, u64>, BTreeMap<&'static str, BTreeSet<String>>) {
    let on = day_of_draw(m);
    let mut left_out: BTreeMap<String, u64> = BTreeMap::new();
    let mut eligible: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    for contact in contacts.iter().filter(|contact| contact.month == month(m)) {
        let reason = if contact.care_level != plan.care_level {
            "care-level"
        } else if is_reserved(&contact.person, on) {
            "reserved"
        } else if asked.iter().any(|(person, before)| *person == contact.person && rests(*before, on)) {
            "asked-within-rest"
        } else {
            let unit = match contact.unit {
                "L" => "large",
                "S" => "small",
                "C" => "clinic",
                _ => "small-clinic",
            };
            eligible.entry(unit).or_default().insert(contact.person.clone());
            continue;
        };
        *left_out.entry(reason.to_owned()).or_default() += 1;
    }
    (left_out, eligible)
}

#[test]
fn nobody_is_asked_twice_within_a_year_in_any_survey() {
    let contacts = contacts();
    let place = place(&[contacts.iter().collect()]);
    let mut asked = vec![(BY_ANOTHER_SURVEY.to_owned(), SENT_BY_ANOTHER)];
    let mut drawn: Vec<(&str, i32, Drawn)> = Vec::new();
    let mut wholes: BTreeSet<&str> = BTreeSet::new();
    for m in 0..MONTHS {
        if m == SENT_BACK_AFTER {
            let lists: Vec<&Drawn> = drawn.iter().filter(|(plan, ..)| *plan == "visits").map(|(.., of)| of).collect();
            asked.extend(send_back(&place, &lists));
        }
        for plan in &PLANS {
            let (left_out, eligible) = frame(&contacts, plan, m, &asked);
            let own = draw_month(&place, plan, m, &[]);
            agrees(plan, &own, &left_out, &eligible);
            for (unit, persons) in &eligible {
                let is_census = persons.len() as u64 <= plan.census_up_to && persons.len() as u64 > plan.per_unit;
                wholes.extend(is_census.then_some(*unit));
            }
            asked.extend(own.rows.iter().map(|row| (row["person_id"].clone(), day_of_draw(m))));
            drawn.push((plan.id, m, own));
        }
    }
    // Small units were asked whole though their quota is smaller.
    assert!(wholes.contains("small") && wholes.contains("small-clinic"), "{wholes:?}");
    the_lists_keep_the_rest(&drawn);
    same_bytes_again(&contacts, &drawn);
}

/// A list and its report against the frame that the test worked out.
fn agrees(
    plan: &Plan,
    own: &Drawn,
    left_out: &BTreeMap<String, u64>,
    eligible: &BTreeMap<&'static str, BTreeSet<String>>,
) {
    let report = &own.report;
    assert_eq!(report["excluded"], serde_json::to_value(left_out).expect("JSON"));
    let strata = report["strata"].as_array().expect("strata");
    assert_eq!(strata.len(), eligible.len());
    for stratum in strata {
        let unit = stratum["unit_id"].as_str().expect("a unit");
        let persons = &eligible[unit];
        let (all, wanted) = (persons.len() as u64, plan.quota(persons.len() as u64));
        assert_eq!((stratum["eligible"].as_u64(), stratum["drawn"].as_u64()), (Some(all), Some(wanted)), "{unit}");
        let rows: Vec<&Row> = own.rows.iter().filter(|row| row["stratum"] == unit).collect();
        let drawn: BTreeSet<&String> = rows.iter().map(|row| &row["person_id"]).collect();
        assert_eq!((rows.len() as u64, drawn.len() as u64), (wanted, wanted), "{unit}: everybody once");
        assert!(drawn.iter().all(|person| persons.contains(*person)), "{unit}: {drawn:?} of {persons:?}");
        for row in rows {
            let probability: f64 = row["inclusion_probability"].replace(',', ".").parse().expect("a number");
            assert_eq!(probability, wanted as f64 / all as f64, "{row:?}");
            assert_eq!((row["questionnaire_id"].as_str(), row["unit_id"].as_str()), (plan.questionnaire, unit));
        }
    }
    let of_strata: u64 = strata.iter().filter_map(|stratum| stratum["drawn"].as_u64()).sum();
    assert_eq!((own.rows.len() as u64, report["drawn"].as_u64()), (of_strata, Some(of_strata)));
}

/// Over all lists of both plans.
fn the_lists_keep_the_rest(drawn: &[(&str, i32, Drawn)]) {
    let mut of_person: BTreeMap<&str, Vec<(Date, &str)>> = BTreeMap::new();
    for (plan, m, list) in drawn {
        for row in &list.rows {
            of_person.entry(&row["person_id"]).or_default().push((day_of_draw(*m), plan));
        }
    }
    let mut again = BTreeSet::new();
    for (person, days) in &mut of_person {
        days.sort();
        for pair in days.windows(2) {
            assert!(!rests(pair[0].0, pair[1].0), "{person}: {days:?}");
            again.insert(*person);
        }
    }
    let days = |person: &str| of_person.get(person).map(|days| days.iter().map(|day| day.0).collect::<Vec<_>>());
    // A year to the day after the census of their ward they are asked again.
    for person in ["p090", "p180"] {
        assert_eq!(days(person), Some(vec![date(2025, 2, 10), date(2026, 2, 10)]), "{person}");
        assert!(again.contains(person));
    }
    // A refusal holds until its end, for good, and from its beginning.
    assert_eq!(days("p000"), Some(vec![date(2025, 8, 10)]));
    assert_eq!(days("p030"), None);
    assert!(days("p060").is_none_or(|days| days.iter().all(|day| *day < date(2025, 7, 1))));
    // Another survey's patient rests for a year from its letter, and is drawn in the next census.
    assert_eq!(days(BY_ANOTHER_SURVEY), Some(vec![date(2025, 9, 10)]));
    let by = |plan: &str| drawn.iter().filter(|(id, ..)| *id == plan).map(|(.., list)| list.rows.len()).sum::<usize>();
    assert!(by("monthly") > 30 && by("visits") > 60, "{} and {}", by("monthly"), by("visits"));
}

/// The same deliveries in other files and another order give the same bytes, on one thread; another seed does not.
fn same_bytes_again(contacts: &[Contact], drawn: &[(&str, i32, Drawn)]) {
    let (even, odd) = contacts.iter().rev().enumerate().partition::<Vec<_>, _>(|(place, _)| place.is_multiple_of(2));
    let files = [even, odd].map(|part| part.into_iter().map(|(_, contact)| contact).collect::<Vec<_>>());
    let place = place(&files);
    for m in 0..2 {
        for plan in &PLANS {
            let again = draw_month(&place, plan, m, &["--threads", "1"]);
            let first = drawn.iter().find(|(id, of, _)| (*id, *of) == (plan.id, m)).map(|(.., list)| &list.bytes);
            assert!(first == Some(&again.bytes), "{} of month {m}", plan.id);
        }
    }
    let other = draw_month(&place, &PLANS[1], 1, &["--replace", "--seed", "7"]);
    let first = drawn.iter().find(|(id, of, _)| (*id, *of) == ("visits", 1)).map(|(.., list)| &list.bytes);
    assert!(first != Some(&other.bytes));
}
