//! Six hospitals of two wards, each ward with the same number and spread of answers: shrunken weighted means and proportions whose
//! variances and predictions follow from two mean squares.

use std::fs;

use prem_store::tables::{CaseMix, Estimate, Sensitivity};
use serde_json::Value;

use crate::place::{Place, expect_code};

const BANK: &str = r#"
kind = "bank"
scale = [{ id = "extent", low = 1, high = 5 }]
item = [
  { id = "listened", scale = "extent", text = "Lyttet personalet til deg?" },
  { id = "safe", scale = "extent", text = "Følte du deg trygg?" },
]
"#;
const QUESTIONNAIRE: &str = r#"
kind = "questionnaire"
id = "form"
version = "1"
title = "Skjema"
valid_from = 2025-01-01
items = ["listened", "safe"]
link = { via = "contact", answer_days_max = 90 }
"#;
const CONTACTS: &str = r#"
name = "contacts"
dataset = "contacts"
source = "pas"
files = ["contacts.csv"]
mode = "upsert"
sequence = "file-name"
missing = [""]
format = { type = "delimited" }
[columns]
contact_id = "k"
person_id = "p"
unit_code = "unit"
admitted_at = "in"
discharged_at = "out"
age = { constant = "50" }
sex = { constant = "1" }
urgency = { constant = "1" }
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
outcome = { constant = "sent" }
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
listened = "listened"
safe = "safe"
"#;

/// Of each hospital's two wards: the mean of an answer that is one above or one below it, and how many of twenty feel safe.
const HOSPITALS: [([i32; 2], [i32; 2]); 6] =
    [([2, 2], [6, 6]), ([2, 3], [6, 8]), ([3, 4], [12, 14]), ([4, 4], [14, 14]), ([3, 3], [10, 10]), ([2, 4], [6, 14])];
const ANSWERS: i32 = 20;

fn indicator(id: &str, measure: &str, weighting: &str, more: &str) -> String {
    format!(
        "id = \"{id}\"\nversion = \"1\"\ntitle = \"{id}\"\ndescription = \"{id}\"\ntheme = \"Tema\"\ndirection = \"higher\"\n\
         levels = [\"rhf\", \"hospital\", \"ward\"]\nperiods = [\"year\"]\nweighting = \"{weighting}\"\n\
         population = {{ questionnaire = \"form\" }}\nmeasure = {{ {measure} }}\nprotection = {{ minimum_n = 5 }}\n{more}\n"
    )
}

fn organisation() -> String {
    let mut units = "{ id = \"region\", level = \"rhf\", name = \"Regionen\", valid_from = 2020-01-01 },\n".to_owned();
    for hospital in 0..HOSPITALS.len() {
        units += &format!(
            "{{ id = \"h{hospital}\", level = \"hospital\", name = \"Sykehus {hospital}\", parent = \"region\", valid_from = 2020-01-01 }},\n"
        );
        for ward in 0..2 {
            units += &format!(
                "{{ id = \"h{hospital}-w{ward}\", level = \"ward\", name = \"Post {hospital}-{ward}\", parent = \"h{hospital}\", \
                 valid_from = 2020-01-01, codes = {{ pas = [\"W{hospital}{ward}\"] }} }},\n"
            );
        }
    }
    format!("name = \"region\"\nunits = [\n{units}]\n")
}

fn deliver(place: &Place) {
    let (mut contacts, mut invitations, mut responses) =
        ("k;p;unit;in;out\n".to_owned(), "i;k;pi\n".to_owned(), "r;i;day;listened;safe\n".to_owned());
    let mut number = 0;
    for (hospital, (means, safe)) in HOSPITALS.iter().enumerate() {
        for ward in 0..2 {
            for answer in 0..ANSWERS {
                number += 1;
                let listened = means[ward] + if answer % 2 == 0 { 1 } else { -1 };
                let safe = if answer < safe[ward] { 5 } else { 1 };
                contacts += &format!("K{number};P{number};W{hospital}{ward};2025-03-01;2025-03-05\n");
                invitations += &format!("I{number};K{number};0.5\n");
                responses += &format!("R{number};I{number};2025-03-20;{listened};{safe}\n");
            }
        }
    }
    for (name, text) in [("contacts", contacts), ("invitations", invitations), ("responses", responses)] {
        fs::write(place.inbox(&format!("{name}.csv")), text).expect("a delivery");
    }
}

/// The place after its run, and the run's summary.
fn place() -> (Place, Value) {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    write("organisations/region.toml", &organisation());
    write("questionnaires/bank.toml", BANK);
    write("questionnaires/form.toml", QUESTIONNAIRE);
    write("exports/contacts.toml", CONTACTS);
    write("exports/invitations.toml", INVITATIONS);
    write("exports/responses.toml", RESPONSES);
    let item = "type = \"item\", item = \"listened\", scale = \"native\"";
    let share = "type = \"top-box\", item = \"safe\", codes = [5]";
    let shrinkage = |kind: &str| format!("case_mix = {{ method = \"none\", shrinkage = \"{kind}\" }}");
    for (id, measure, weighting, more) in [
        ("score", item, "design", shrinkage("lme4-nested")),
        ("averaged", item, "design", shrinkage("nested")),
        ("flat", item, "design", "sensitivity = { models = [\"nested\"] }".to_owned()),
        ("share", share, "none", shrinkage("lme4-nested")),
    ] {
        write(&format!("indicators/{id}.toml"), &indicator(id, measure, weighting, &more));
    }
    let place = Place::empty(folder.path());
    let kept = place.path().join("schemas");
    fs::rename(folder.path(), &kept).expect("moved");
    place.use_schemas("schemas");
    deliver(&place);
    let summary = place.run(&[]);
    (place, summary)
}

fn near(what: &str, got: Option<f64>, wanted: f64) {
    let got = got.unwrap_or_else(|| panic!("{what}: no value"));
    assert!((got - wanted).abs() < 1e-8, "{what}: {got} instead of {wanted}");
}

/// What two mean squares say of wards with one sampling variance: the variances of wards and hospitals, and the mean squared error.
struct Balanced {
    v: f64,
    within: f64,
    between: f64,
    mean: f64,
    /// Per hospital and ward.
    values: Vec<[f64; 2]>,
}

impl Balanced {
    fn of(values: Vec<[f64; 2]>, v: f64) -> Self {
        let k = values.len() as f64;
        let means: Vec<f64> = values.iter().map(|[a, b]| (a + b) / 2.0).collect();
        let mean = means.iter().sum::<f64>() / k;
        let within = values.iter().map(|[a, b]| (a - b).powi(2) / 2.0).sum::<f64>() / k;
        let between = means.iter().map(|of| 2.0 * (of - mean).powi(2)).sum::<f64>() / (k - 1.0);
        assert!(within > v && between > within, "{within} {between}: both levels vary");
        Self { v, within, between, mean, values }
    }

    fn sds(&self) -> (f64, f64) {
        ((self.within - self.v).sqrt(), ((self.between - self.within) / 2.0).sqrt())
    }

    fn shrunken(&self, hospital: usize, ward: usize) -> f64 {
        let [a, b] = self.values[hospital];
        let of_hospital = (a + b) / 2.0;
        let to_mean = (1.0 - self.v / self.between) * (of_hospital - self.mean);
        self.mean + to_mean + (1.0 - self.v / self.within) * (self.values[hospital][ward] - of_hospital)
    }

    /// g1 + g2 + 2g3, as for the kernel's case by hand.
    fn mean_squared_error(&self) -> f64 {
        let (v, k) = (self.v, self.values.len() as f64);
        let g1 = v / 2.0 * (1.0 - v / self.between) + v / 2.0 * (1.0 - v / self.within);
        let g2 = (v / self.between).powi(2) * self.between / (2.0 * k);
        g1 + g2 + 2.0 * v * v / k * (1.0 / self.between + 1.0 / self.within)
    }
}

#[test]
fn wards_are_drawn_to_their_hospitals() {
    let (place, summary) = place();
    let rows: Vec<Estimate> = place.working_table(&summary);
    let case_mix: Vec<CaseMix> = place.working_table(&summary);
    let row = |indicator: &str, unit: &str| {
        let is_it = |row: &&Estimate| row.indicator == indicator && row.unit_id == unit && row.stratum == "total";
        rows.iter().find(is_it).unwrap_or_else(|| panic!("no row {indicator} {unit}"))
    };
    let ward = |hospital: usize, ward: usize| format!("h{hospital}-w{ward}");
    for (indicator, bounds) in [("score", (f64::NEG_INFINITY, f64::INFINITY)), ("share", (0.0, 1.0))] {
        let values = |h: usize| [0, 1].map(|w| row(indicator, &ward(h, w)).value.expect("a value"));
        let first = row(indicator, "h0-w0");
        // A proportion's variance is taken at the region's share.
        let region = row(indicator, "region").value.expect("a value");
        let v = if indicator == "score" { first.se.expect("an error").powi(2) } else { region * (1.0 - region) / 20.0 };
        let balanced = Balanced::of((0..6).map(values).collect(), v);
        for (h, w) in (0..6).flat_map(|h| [(h, 0), (h, 1)]) {
            let own = row(indicator, &ward(h, w));
            if indicator == "score" {
                near("a variance like the others'", own.se.map(|se| se * se), v);
            }
            let shrunken = balanced.shrunken(h, w);
            near(&own.unit_id, own.shrunken, shrunken);
            let half = 1.959963984540054 * balanced.mean_squared_error().sqrt();
            near("low", own.shrunken_low, (shrunken - half).max(bounds.0));
            near("high", own.shrunken_high, (shrunken + half).min(bounds.1));
        }
        let spread = |term: &str| {
            let is_it = |row: &&CaseMix| row.indicator == indicator && row.term == term;
            let row = case_mix.iter().find(is_it).unwrap_or_else(|| panic!("no row {term}"));
            assert_eq!((row.n_used, row.sigma, row.icc), (240, None, None));
            (row.n_units, row.between_sd)
        };
        let (of_wards, of_hospitals) = balanced.sds();
        assert_eq!((spread("(nested ward)").0, spread("(nested hospital)").0), (12, 6));
        near("SD of wards", spread("(nested ward)").1, of_wards);
        near("SD of hospitals", spread("(nested hospital)").1, of_hospitals);
        told(&place, indicator, of_wards, of_hospitals);
    }
    averaged(&place.working_table(&summary), &row);
}

/// The model as `prem explain` tells of it.
fn told(place: &Place, indicator: &str, of_wards: f64, of_hospitals: f64) {
    let output = place.prem(&["explain", indicator, "--unit", "h5-w0", "--period", "2025"]);
    expect_code(&output, 0);
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let shrinkage = &told["shrinkage"];
    assert_eq!((&shrinkage["model"], &shrinkage["is_averaged"]), (&"nested-areas".into(), &false.into()));
    near("SD of wards", shrinkage["level_sds"]["ward"].as_f64(), of_wards);
    near("SD of hospitals", shrinkage["level_sds"]["hospital"].as_f64(), of_hospitals);
}

/// Averaged over the variances: wards of the best and the worst hospital stay nearer to it than without a tree; as another model the
/// same values.
fn averaged<'a>(others: &[Sensitivity], row: &impl Fn(&str, &str) -> &'a Estimate) {
    let shrunken = |indicator: &str, unit: &str| row(indicator, unit).shrunken.expect("a shrunken value");
    for unit in ["h3-w0", "h3-w1"] {
        assert!(shrunken("averaged", unit) > shrunken("flat", unit) + 0.02, "{unit}");
        assert!(shrunken("averaged", "h0-w0") < shrunken("flat", "h0-w0") - 0.02);
    }
    // Two wards with the same answers: the one beside a better ward is the better one.
    assert!(shrunken("averaged", "h1-w0") > shrunken("averaged", "h0-w0") + 0.02);
    assert_eq!(row("flat", "h1-w0").shrunken, row("flat", "h0-w0").shrunken);
    let nested: Vec<&Sensitivity> = others.iter().filter(|row| row.model == "nested").collect();
    assert_eq!(nested.len(), 18, "wards and hospitals");
    for other in nested {
        let own = row("averaged", &other.unit_id);
        assert_eq!((Some(other.value), other.ci_low), (own.shrunken, own.shrunken_low), "{}", other.unit_id);
    }
}
