//! A region of five trusts, ten hospitals and twenty wards whose people are known to the test: everybody asked, with what the
//! register knows and what was answered. Every ward has more than thirty answers, so that no unit is withheld. Trusts with good
//! wards have patients in poor health, who answer unfavourably: adjusted values rank units otherwise than raw ones.

use std::{fmt::Write as _, fs};

use crate::place::Place;

const TRUSTS: usize = 5;
const HOSPITALS: usize = 2;
const WARDS: usize = 2;
/// Invited per ward.
const INVITED: usize = 44;
/// Answers per ward, beside one or two more in some.
const ANSWERS: usize = 36;
/// What patients of a trust, its hospitals and their wards meet beyond the others, in steps of the scale.
const OF_TRUST: [f64; TRUSTS] = [0.3, -0.6, 0.0, 0.7, -0.4];
const OF_HOSPITAL: [f64; HOSPITALS] = [0.2, -0.2];
const OF_WARD: [f64; WARDS] = [-0.15, 0.15];
/// How much poorer the health of a trust's patients is for each step of its quality, and what a step of health costs.
const TILT: f64 = 2.5;
const COST: f64 = 0.45;

const BANK: &str = r#"
kind = "bank"
scale = [
  { id = "extent", low = 1, high = 5, missing = { "8" = "not-applicable" } },
  { id = "health", low = 1, high = 5 },
]
item = [
  { id = "listened", scale = "extent", text = "Lyttet personalet til deg?" },
  { id = "care", scale = "extent", text = "Opplevde du omsorg?" },
  { id = "own_health", scale = "health", text = "Hvordan er helsen din?" },
]
"#;
const FORM: &str = r#"
kind = "questionnaire"
id = "form"
version = "1"
title = "Skjema"
valid_from = 2025-01-01
items = ["listened", "care", "own_health"]
link = { via = "contact", answer_days_max = 90 }
adjuster = [
  { id = "age", title = "Alder", column = "age", bands = [18, 50, 67] },
  { id = "sex", title = "Kjønn", column = "sex", levels = ["1", "2"] },
  { id = "own-health", title = "Egen helse", column = "own_health", levels = ["1", "2", "3", "4", "5"] },
]
stratifier = [
  { id = "sex", title = "Kjønn", column = "sex", levels = ["1", "2"] },
  { id = "age-band", title = "Aldersgruppe", column = "age", bands = [18, 50, 67] },
  { id = "admission", title = "Hastegrad", column = "urgency", groups = [{ label = "acute", codes = ["1"] }, { label = "planned", codes = ["4"] }] },
]
"#;
const EXPORT: &str = r#"
source = "pas"
mode = "upsert"
sequence = "file-name"
missing = [""]
format = { type = "delimited", decimal = "." }
"#;
const CONTACTS: &str = r#"
[columns]
contact_id = "k"
person_id = "p"
unit_code = "unit"
admitted_at = "in"
discharged_at = "out"
care_level = { constant = "1" }
"#;
const INVITATIONS: &str = r#"
[columns]
invitation_id = "i"
contact_id = "k"
inclusion_probability = "pi"
"#;
const RESPONSES: &str = r#"
[columns]
response_id = "r"
invitation_id = "i"
answered_at = "day"
questionnaire_id = { constant = "form" }
questionnaire_version = { constant = "1" }
"#;

/// What somebody answered; nothing where the question was left blank.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    pub listened: Option<u8>,
    pub care: Option<u8>,
    pub own_health: Option<u8>,
}

/// Somebody who was asked.
#[derive(Debug, Clone)]
pub struct Person {
    pub trust: String,
    pub hospital: String,
    pub ward: String,
    /// 1 / probability of being asked.
    pub weight: f64,
    pub outcome: &'static str,
    pub sex: u8,
    pub age: u8,
    pub urgency: u8,
    pub answer: Option<Answer>,
}

impl Person {
    /// Whether the person is of the unit, which may be of any level.
    pub fn is_of(&self, unit: &str) -> bool {
        unit == "region" || [&self.trust, &self.hospital, &self.ward].into_iter().any(|own| own == unit)
    }

    /// Whether the register counts the person in the indicators' population.
    pub fn counts(&self) -> bool {
        self.age >= 18
    }
}

pub struct SmallRegion {
    pub place: Place,
    pub people: Vec<Person>,
}

/// An indicator of the form with `more` keys, for adults.
pub fn indicator(id: &str, more: &str) -> (String, String) {
    let text = format!(
        "id = \"{id}\"\nversion = \"1\"\ntitle = \"{id}\"\ndescription = \"{id}\"\ntheme = \"Tema\"\nperiods = [\"year\"]\n\
         population = {{ questionnaire = \"form\", age_min = 18 }}\n{more}\n"
    );
    (id.to_owned(), text)
}

impl SmallRegion {
    /// The region with its files delivered and not run yet.
    pub fn new(indicators: &[(String, String)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        };
        write("organisations/region.toml", &organisation());
        write("questionnaires/bank.toml", BANK);
        write("questionnaires/form.toml", FORM);
        for (name, columns) in [("contacts", CONTACTS), ("invitations", INVITATIONS), ("responses", RESPONSES)] {
            let form = if name == "responses" { "questionnaire = \"form\"\n" } else { "" };
            let head = format!("name = \"{name}\"\ndataset = \"{name}\"\nfiles = [\"{name}.csv\"]\n{form}");
            write(&format!("exports/{name}.toml"), &format!("{head}{EXPORT}{columns}"));
        }
        for (id, text) in indicators {
            write(&format!("indicators/{id}.toml"), text);
        }
        let place = Place::empty(folder.path());
        crate::place::copy_folder(folder.path(), &place.path().join("schemas"));
        place.use_schemas("schemas");
        let people = people();
        deliver(&place, &people);
        Self { place, people }
    }
}

fn units() -> impl Iterator<Item = (usize, usize, usize)> {
    let wards = |trust, hospital| (0..WARDS).map(move |ward| (trust, hospital, ward));
    (0..TRUSTS).flat_map(move |trust| (0..HOSPITALS).flat_map(move |hospital| wards(trust, hospital)))
}

fn organisation() -> String {
    let mut text = "name = \"region\"\n".to_owned();
    let mut unit = |id: &str, level: &str, parent: Option<&str>, code: Option<&str>| {
        let parent = parent.map_or_else(String::new, |parent| format!("parent = \"{parent}\"\n"));
        let code = code.map_or_else(String::new, |code| format!("codes = {{ pas = [\"{code}\"] }}\n"));
        write!(
            text,
            "[[units]]\nid = \"{id}\"\nlevel = \"{level}\"\nname = \"{id}\"\n{parent}valid_from = 2020-01-01\n{code}"
        )
        .expect("text");
    };
    unit("region", "rhf", None, None);
    for (trust, hospital, ward) in units() {
        let (own, above) = (format!("t{trust}"), format!("t{trust}-h{hospital}"));
        if (hospital, ward) == (0, 0) {
            unit(&own, "hf", Some("region"), None);
        }
        if ward == 0 {
            unit(&above, "hospital", Some(&own), None);
        }
        let id = format!("{above}-w{ward}");
        unit(&id, "ward", Some(&above), Some(&id.to_uppercase()));
    }
    text
}

/// A fixed sequence of numbers that look random.
struct Draws(u64);

impl Draws {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    /// From −1 to 1, most often near 0.
    fn noise(&mut self) -> f64 {
        (self.below(1001) + self.below(1001)) as f64 / 1000.0 - 1.0
    }
}

fn code(value: f64) -> u8 {
    value.round().clamp(1.0, 5.0) as u8
}

fn people() -> Vec<Person> {
    let mut draws = Draws(2025);
    let mut all = Vec::new();
    for (number, (trust, hospital, ward)) in units().enumerate() {
        let quality = OF_TRUST[trust] + OF_HOSPITAL[hospital] + OF_WARD[ward];
        for i in 0..INVITED {
            let outcome = ["undeliverable", "ineligible", "reserved"].get(i).copied().unwrap_or("sent");
            let health = code(3.0 + TILT * OF_TRUST[trust] + 1.5 * draws.noise());
            let age = if i == 3 { 17 } else { 18 + draws.below(70) as u8 };
            let met = 3.3 + quality - COST * (f64::from(health) - 3.0) + f64::from(age) / 100.0;
            let (listened, care) = (code(met + 1.4 * draws.noise()), code(met - 0.3 + 1.4 * draws.noise()));
            let answer = Answer {
                // Of each ward's answers one is blank, and one says that a question does not apply.
                listened: (i != 4 && i != 5).then_some(listened),
                care: (i != 4).then_some(care),
                own_health: (i != 6).then_some(health),
            };
            let hospital = format!("t{trust}-h{hospital}");
            all.push(Person {
                trust: format!("t{trust}"),
                ward: format!("{hospital}-w{ward}"),
                hospital,
                weight: if ward == 0 { 1.0 } else { 2.0 },
                outcome,
                sex: 1 + draws.below(2) as u8,
                age,
                urgency: if draws.below(3) == 0 { 4 } else { 1 },
                answer: (3..3 + ANSWERS + number % 3).contains(&i).then_some(answer),
            });
        }
    }
    all
}

fn deliver(place: &Place, people: &[Person]) {
    let (mut contacts, mut invitations, mut responses) = (
        "k;p;unit;in;out;age;sex;urgency\n".to_owned(),
        "i;k;outcome;pi\n".to_owned(),
        "r;i;day;listened;care;own_health\n".to_owned(),
    );
    let text = |code: Option<u8>| code.map_or_else(String::new, |code| code.to_string());
    for (number, person) in people.iter().enumerate() {
        let month = 1 + number % 11;
        let unit = person.ward.to_uppercase();
        let Person { age, sex, urgency, outcome, weight, .. } = person;
        writeln!(contacts, "K{number};P{number};{unit};2025-{month:02}-01;2025-{month:02}-05;{age};{sex};{urgency}")
            .expect("text");
        writeln!(invitations, "I{number};K{number};{outcome};{}", 1.0 / weight).expect("text");
        if let Some(answer) = person.answer {
            // Who left `listened` blank and not `care` said that it does not apply.
            let listened = if answer.care.is_some() && answer.listened.is_none() { Some(8) } else { answer.listened };
            let (listened, care, health) = (text(listened), text(answer.care), text(answer.own_health));
            writeln!(responses, "R{number};I{number};2025-{month:02}-20;{listened};{care};{health}").expect("text");
        }
    }
    for (name, text) in [("contacts", contacts), ("invitations", invitations), ("responses", responses)] {
        fs::write(place.inbox(&format!("{name}.csv")), text).expect("a delivery");
    }
}
