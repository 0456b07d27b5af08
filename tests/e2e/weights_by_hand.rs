//! Ten answers of two wards with quotas: values, errors and response that can be worked out on paper.

use std::fs;

use prem_store::tables::{Estimate, Response};
use serde_json::Value;

use crate::place::Place;

const REGION: &str = r#"
name = "region"
units = [
  { id = "region", level = "rhf", name = "Regionen", valid_from = 2020-01-01 },
  { id = "trust", level = "hf", name = "Foretaket", parent = "region", valid_from = 2020-01-01 },
  { id = "ward-1", level = "ward", name = "Sengepost 1", parent = "trust", valid_from = 2020-01-01, codes = { pas = ["W1"] } },
  { id = "ward-2", level = "ward", name = "Sengepost 2", parent = "trust", valid_from = 2020-01-01, codes = { pas = ["W2"] } },
]
"#;
const BANK: &str = r#"
kind = "bank"
scale = [{ id = "extent", low = 1, high = 5 }]
item = [
  { id = "listened", scale = "extent", text = "Lyttet personalet til deg?" },
  { id = "helped", scale = "extent", text = "Hjalp det deg?", asked_if = { item = "listened", codes = [4, 5] } },
]
"#;
const QUESTIONNAIRE: &str = r#"
kind = "questionnaire"
id = "form"
version = "1"
title = "Skjema"
valid_from = 2025-01-01
items = ["listened", "helped"]
link = { via = "contact", answer_days_max = 90 }
adjuster = [{ id = "sex", title = "Kjønn", column = "sex", levels = ["1", "2"] }]
stratifier = [
  { id = "sex", title = "Kjønn", column = "sex", levels = ["1", "2"] },
  { id = "admission", title = "Hastegrad", column = "urgency", groups = [{ label = "acute", codes = ["1", "2", "3"] }, { label = "planned", codes = ["4"] }] },
]
"#;
const CONTACTS: &str = r#"
name = "contacts"
dataset = "contacts"
source = "pas"
files = ["contacts.csv"]
mode = "upsert"
sequence = "file-name"
extra_columns = "ignore"
missing = [""]
format = { type = "delimited" }
[columns]
contact_id = "k"
person_id = "p"
unit_code = "unit"
admitted_at = "in"
discharged_at = "out"
age = "age"
sex = "sex"
urgency = "urgency"
care_level = { constant = "1" }
"#;
const INVITATIONS: &str = r#"
name = "invitations"
dataset = "invitations"
source = "survey"
files = ["invitations.csv"]
mode = "upsert"
sequence = "file-name"
missing = [""]
format = { type = "delimited", decimal = "." }
[columns]
invitation_id = "i"
contact_id = "k"
outcome = "outcome"
stratum = "stratum"
inclusion_probability = "pi"
"#;
const RESPONSES: &str = r#"
name = "responses"
dataset = "responses"
source = "survey"
files = ["responses.csv"]
mode = "upsert"
sequence = "file-name"
questionnaire = "form"
missing = [""]
format = { type = "delimited" }
[columns]
response_id = "r"
invitation_id = "i"
answered_at = "day"
questionnaire_id = { constant = "form" }
questionnaire_version = { constant = "1" }
listened = "answer"
helped = "helped"
"#;

fn indicator(id: &str, measure: &str, more: &str) -> String {
    format!(
        "id = \"{id}\"\nversion = \"1\"\ntitle = \"{id}\"\ndescription = \"{id}\"\ntheme = \"Tema\"\ndirection = \"higher\"\n\
         levels = [\"rhf\", \"hf\", \"ward\"]\nperiods = [\"year\"]\n{more}\n\
         population = {{ questionnaire = \"form\", age_min = 18 }}\nmeasure = {{ {measure} }}\n\
         protection = {{ minimum_n = 5 }}\n"
    )
}

/// Contact, ward, π, outcome, sex, age, answer.
type Person = (u32, &'static str, &'static str, &'static str, u8, u32, Option<u8>);

/// Ward 1 is asked whole, ward 2 by half.
const PEOPLE: [Person; 12] = [
    (1, "W1", "1", "sent", 1, 40, Some(2)),
    (2, "W1", "1", "sent", 2, 50, Some(4)),
    (3, "W1", "1", "reserved", 1, 60, None),
    (4, "W1", "1", "ineligible", 1, 60, None),
    (5, "W2", "0.5", "sent", 1, 41, Some(5)),
    (6, "W2", "0.5", "sent", 2, 51, Some(5)),
    (7, "W2", "0.5", "sent", 2, 61, Some(2)),
    (8, "W2", "0.5", "undeliverable", 2, 71, None),
    (9, "W2", "0.5", "sent", 2, 72, None),
    (10, "W2", "0.5", "sent", 1, 73, None),
    // Not of the indicators' age, invited all the same.
    (11, "W2", "0.5", "sent", 1, 17, Some(1)),
    (12, "W2", "0.5", "sent", 1, 16, None),
];

/// The place after its run over `people`, and the run's summary.
fn place_of(people: &[Person], indicators: &[(&str, String)]) -> (Place, Value) {
    let folder = tempfile::tempdir().expect("a folder");
    let schemas = folder.path().to_path_buf();
    let write = |name: &str, text: &str| {
        let path = schemas.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    write("organisations/region.toml", REGION);
    write("questionnaires/bank.toml", BANK);
    write("questionnaires/form.toml", QUESTIONNAIRE);
    write("exports/contacts.toml", CONTACTS);
    write("exports/invitations.toml", INVITATIONS);
    write("exports/responses.toml", RESPONSES);
    for (id, text) in indicators {
        write(&format!("indicators/{id}.toml"), text);
    }
    let place = Place::empty(&schemas);
    let kept = place.path().join("schemas");
    fs::rename(&schemas, &kept).expect("moved");
    place.use_schemas("schemas");
    let (mut contacts, mut invitations, mut responses) = (
        "k;p;unit;in;out;age;sex;urgency\n".to_owned(),
        "i;k;outcome;stratum;pi\n".to_owned(),
        "r;i;day;answer;helped\n".to_owned(),
    );
    for (number, ward, pi, outcome, sex, age, answer) in people {
        contacts += &format!("K{number};P{number};{ward};2025-03-01;2025-03-05;{age};{sex};1\n");
        // The second stratum is the ward itself: nobody named it.
        let stratum = if *ward == "W1" { "census" } else { "" };
        invitations += &format!("I{number};K{number};{outcome};{stratum};{pi}\n");
        if let Some(answer) = answer {
            let helped = match number {
                2 => "1",
                5 => "3",
                6 => "5",
                _ => "",
            };
            responses += &format!("R{number};I{number};2025-03-20;{answer};{helped}\n");
        }
    }
    for (name, text) in [("contacts", contacts), ("invitations", invitations), ("responses", responses)] {
        fs::write(place.inbox(&format!("{name}.csv")), text).expect("a delivery");
    }
    let summary = place.run(&[]);
    (place, summary)
}

const ITEM: &str = "type = \"item\", item = \"listened\", scale = \"native\"";

fn place() -> (Place, Value) {
    let share = "type = \"top-box\", item = \"listened\", codes = [5]";
    let helped = "type = \"item\", item = \"helped\", scale = \"native\"";
    let finite = "weighting = \"design\"\nweights = { finite_population = true }";
    let declared = [
        ("score", ITEM, "weighting = \"design\"\nstrata = [\"sex\"]"),
        ("finite", ITEM, finite),
        ("plain", ITEM, "weighting = \"none\""),
        ("share", share, "weighting = \"design\""),
        ("share-finite", share, finite),
        ("helped", helped, "weighting = \"design\""),
    ];
    place_of(&PEOPLE, &declared.map(|(id, measure, more)| (id, indicator(id, measure, more))))
}

fn near(what: &str, got: Option<f64>, wanted: f64) {
    let got = got.unwrap_or(f64::NAN);
    assert!((got - wanted).abs() < 1e-12, "{what}: {got} instead of {wanted}");
}

#[test]
fn values_above_the_stratum_count_strata_by_their_size() {
    let (place, summary) = place();
    // So few answers are never published: the working table has them.
    let rows: Vec<Estimate> = place.working_table(&summary);
    let row = |indicator: &str, unit: &str, stratum: &str| {
        let is_it = |row: &&Estimate| row.indicator == indicator && row.unit_id == unit && row.stratum == stratum;
        rows.iter().find(is_it).unwrap_or_else(|| panic!("no row {indicator} {unit} {stratum}"))
    };
    // Eligible and of age: 3 in ward 1, 6 · 2 in ward 2. Means 3 and 4.
    for unit in ["trust", "region"] {
        near(unit, row("score", unit, "total").value, (3.0 * 3.0 + 12.0 * 4.0) / 15.0);
    }
    near("ward 1", row("score", "ward-1", "total").value, 3.0);
    near("ward 2", row("score", "ward-2", "total").value, 4.0);
    near("the respondents' own mean", row("plain", "trust", "total").value, 18.0 / 5.0);
    // s² = (2 + 6)/(5 − 2), n_h = 2 and 3.
    let s2 = 8.0 / 3.0;
    let variance = 0.2f64.powi(2) * s2 / 2.0 + 0.8f64.powi(2) * s2 / 3.0;
    near("se", row("score", "trust", "total").se, variance.sqrt());
    let finite = 0.2f64.powi(2) * s2 / 2.0 * (1.0 - 2.0 / 3.0) + 0.8f64.powi(2) * s2 / 3.0 * (1.0 - 3.0 / 12.0);
    near("se of a finite population", row("finite", "trust", "total").se, finite.sqrt());
    near("n_effective", row("score", "trust", "total").n_effective, 225.0 / (9.0 / 2.0 + 144.0 / 3.0));
    near("reference", row("score", "ward-1", "total").reference, 3.8);
    near("difference", row("score", "ward-2", "total").difference, 0.2);
    // Shares 0 and 2/3: Σw = 3 and 12, Σg² = 2 · 1.5² + 3 · 4², n* is Kish's for five answers.
    let share = row("share", "trust", "total");
    near("share", share.value, 8.0 / 15.0);
    near("its effective number", share.n_effective, 225.0 / (2.0 * 2.25 + 3.0 * 16.0));
    assert_eq!((share.numerator, share.denominator), (Some(2.0), Some(5.0)));
    // Each g² times 1 − n_h/N_h: 1/3 and 3/4.
    let left = (2.0 * 2.25 / 3.0 + 3.0 * 16.0 * 0.75) / 52.5;
    let of_share = 8.0 / 15.0 * (7.0 / 15.0) / (225.0 / 52.5f64);
    near("se of the share, finite", row("share-finite", "trust", "total").se, (of_share * left).sqrt());
    near("se of the share", share.se, (8.0 / 15.0 * (7.0 / 15.0) / (225.0 / 52.5f64)).sqrt());
    // Men: 2 (g = 1.5) and 5 (g = 4); women: 4 (1.5), 5 and 2 (4). The groups' sizes make up the whole.
    let men = row("score", "trust", "sex=1");
    near("men", men.value, (1.5 * 2.0 + 4.0 * 5.0) / 5.5);
    let women = row("score", "trust", "sex=2");
    near("women", women.value, (1.5 * 4.0 + 4.0 * 5.0 + 4.0 * 2.0) / 9.5);
    near("both", Some((5.5 * men.value.unwrap_or(0.0) + 9.5 * women.value.unwrap_or(0.0)) / 15.0), 3.8);
    near("the region's men", row("score", "ward-1", "sex=1").reference, 23.0 / 5.5);
}

/// Half of ward 1's respondents and two thirds of ward 2's were listened to, which the next question is about.
#[test]
fn a_stratum_is_as_large_as_its_part_that_the_question_is_about() {
    let (place, summary) = place();
    let rows: Vec<Estimate> = place.working_table(&summary);
    let row = |unit: &str| rows.iter().find(|row| row.indicator == "helped" && row.unit_id == unit);
    assert_eq!(row("trust").and_then(|row| row.n), Some(3));
    near("trust", row("trust").and_then(|row| row.value), (3.0 / 2.0 * 1.0 + 12.0 * 2.0 / 3.0 * 4.0) / 9.5);
    // s² = 2 on one degree of freedom; one of two and two of three respondents of the strata are in the unit, by chance.
    let (value, first, second) = (33.5 / 9.5, 1.5f64 / 9.5, 8.0f64 / 9.5);
    let variance = first.powi(2) * (2.0 / 1.0 + (1.0f64 - value).powi(2))
        + second.powi(2) * (2.0 / 2.0 + 0.25 * (4.0f64 - value).powi(2));
    near("its error", row("trust").and_then(|row| row.se), variance.sqrt());
    let manifest = place.manifest();
    assert_eq!(manifest["population"]["helped"]["2025"]["left_out"]["filtered"], 2, "{}", manifest["population"]);
}

#[test]
fn response_counts_everybody_asked() {
    let (place, summary) = place();
    let rows: Vec<Response> = place.working_table(&summary);
    let row = |unit: &str, stratum: &str| rows.iter().find(|row| row.unit_id == unit && row.stratum == stratum);
    let counts = |row: Option<&Response>| {
        let row = row.expect("a row");
        (row.invited, row.undeliverable, row.ineligible, row.reserved, row.answered)
    };
    assert_eq!(counts(row("trust", "total")), (Some(12), Some(1), Some(1), Some(1), Some(6)));
    assert_eq!(counts(row("ward-1", "total")), (Some(4), Some(0), Some(1), Some(1), Some(2)));
    assert_eq!(counts(row("trust", "sex=2")), (Some(5), Some(1), Some(0), Some(0), Some(3)));
    near("rate", row("trust", "total").and_then(|row| row.response_rate), 0.6);
    assert!(row("trust", "admission=planned").is_none());
}

/// Twenty answers that vary, of all who were asked, and `equal` ones alike, of half.
fn varied_and_equal(equal: u32) -> Vec<Person> {
    let person = |number: u32| -> Person {
        let sex = if number.is_multiple_of(3) { 2 } else { 1 };
        if number <= 20 {
            (number, "W1", "1", "sent", sex, 50, Some([2, 3, 4, 5][number as usize % 4]))
        } else {
            (number, "W2", "0.5", "sent", sex, 50, Some(4))
        }
    };
    (1..=20 + equal).map(person).collect()
}

#[test]
fn a_ward_of_equal_answers_is_not_known_for_certain() {
    let met = "weighting = \"post-stratify\"";
    let margins = "margins = [\"sex\"], within = \"hf\", minimum_cell = 5";
    let declared = [
        ("met", format!("{met}\nweights = {{ {margins} }}")),
        ("met-finite", format!("{met}\nweights = {{ {margins}, finite_population = true }}")),
    ];
    let declared = declared.map(|(id, more)| (id, indicator(id, ITEM, &more)));
    let (place, summary) = place_of(&varied_and_equal(40), &declared);
    let rows: Vec<Estimate> = place.working_table(&summary);
    let row = |indicator: &str, unit: &str| {
        let is_it = |row: &&Estimate| row.indicator == indicator && row.unit_id == unit && row.stratum == "total";
        rows.iter().find(is_it).unwrap_or_else(|| panic!("no row {indicator} {unit}"))
    };
    // Σ(y − 3.5)² of five of each answer is 25, on 60 − 2 degrees of freedom.
    let s2 = 25.0f64 / 58.0;
    let equal = row("met", "ward-2");
    assert_eq!((equal.n, equal.value), (Some(40), Some(4.0)));
    near("pooled, under the weights", equal.se, (s2 / equal.n_effective.expect("weights")).sqrt());
    // Half of ward 2 was seen, and all of ward 1.
    near("finite", row("met-finite", "ward-2").se, equal.se.expect("an error") * 0.5f64.sqrt());
    near("all seen", row("met-finite", "ward-1").se, 0.0);
}

/// Twenty patients of one ward and 58 of the other, whatever β is.
#[test]
fn the_sampling_variance_is_that_of_the_design() {
    let people = varied_and_equal(29);
    let declared = ["within", "gls"].map(|beta| {
        let model = format!("method = \"random-intercept\", beta = \"{beta}\", adjusters = [\"sex\"]");
        (beta, indicator(beta, ITEM, &format!("weighting = \"design\"\ncase_mix = {{ {model} }}")))
    });
    let (place, _) = place_of(&people, &declared);
    let wanted = ((20.0f64 / 78.0).powi(2) / 20.0 + (58.0f64 / 78.0).powi(2) / 29.0) * s2_of(&people);
    for (beta, _) in declared {
        let told = place.prem(&["explain", beta, "--unit", "trust", "--period", "2025"]);
        let told: Value = serde_json::from_slice(&told.stdout).expect("an explanation");
        near(beta, told["interval"]["sampling_variance"].as_f64(), wanted);
    }
}

/// s² of answers within wards once sex is adjusted for: one slope, two wards.
fn s2_of(people: &[Person]) -> f64 {
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for ward in ["W1", "W2"] {
        let own: Vec<(f64, f64)> = people
            .iter()
            .filter(|person| person.1 == ward)
            .filter_map(|person| Some((f64::from(person.4), f64::from(person.6?))))
            .collect();
        let n = own.len() as f64;
        let (x, y) = (own.iter().map(|of| of.0).sum::<f64>() / n, own.iter().map(|of| of.1).sum::<f64>() / n);
        for (a, b) in own {
            (xx, xy, yy) = (xx + (a - x) * (a - x), xy + (a - x) * (b - y), yy + (b - y) * (b - y));
        }
    }
    (yy - xy * xy / xx) / (people.len() as f64 - 3.0)
}
