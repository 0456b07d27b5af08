//! Goal levels through a whole run: answers of six wards whose means and shares can be worked out on paper, some of them on
//! the limits.

use std::{fmt::Write as _, fs, path::Path};

use prem_store::tables::Estimate;

use crate::place::Place;

const ORGANISATION: &str = r#"
name = "region"
units = [
  { id = "region", level = "rhf", name = "Regionen", valid_from = 2020-01-01 },
  { id = "a", level = "hf", name = "Foretak A", parent = "region", valid_from = 2020-01-01 },
  { id = "a-1", level = "ward", name = "Post A1", parent = "a", valid_from = 2020-01-01, codes = { survey = ["A1"] } },
  { id = "a-2", level = "ward", name = "Post A2", parent = "a", valid_from = 2020-01-01, codes = { survey = ["A2"] } },
  { id = "b", level = "hf", name = "Foretak B", parent = "region", valid_from = 2020-01-01 },
  { id = "b-1", level = "ward", name = "Post B1", parent = "b", valid_from = 2020-01-01, codes = { survey = ["B1"] } },
  { id = "b-2", level = "ward", name = "Post B2", parent = "b", valid_from = 2020-01-01, codes = { survey = ["B2"] } },
  { id = "c", level = "hf", name = "Foretak C", parent = "region", valid_from = 2020-01-01 },
  { id = "c-1", level = "ward", name = "Post C1", parent = "c", valid_from = 2020-01-01, codes = { survey = ["C1"] } },
  { id = "c-2", level = "ward", name = "Post C2", parent = "c", valid_from = 2020-01-01, codes = { survey = ["C2"] } },
]
"#;
const BANK: &str = r#"
kind = "bank"
scale = [{ id = "extent", low = 1, high = 5 }, { id = "yes-no", low = 1, high = 2 }]
item = [
  { id = "listened", scale = "extent", text = "Lyttet personalet til deg?" },
  { id = "waited", scale = "yes-no", text = "Måtte du vente lenge?" },
]
"#;
const FORM: &str = r#"
kind = "questionnaire"
id = "form"
version = "1"
title = "Skjema"
valid_from = 2025-01-01
items = ["listened", "waited"]
link = { via = "response" }
"#;
const EXPORT: &str = r#"
name = "answers"
dataset = "responses"
source = "survey"
files = ["answers.csv"]
mode = "upsert"
sequence = "file-name"
questionnaire = "form"
format = { type = "delimited" }
[columns]
response_id = "id"
unit_code = "ward"
answered_at = { constant = "2025-03-03" }
questionnaire_id = { constant = "form" }
questionnaire_version = { constant = "1" }
"#;

/// Ward, answers to `listened` as (how many, code), and how many of the ward waited long.
type Answers = (&'static str, &'static [(u32, u8)], u32);

/// Scores of the codes 1 to 5 are 0, 25, 50, 75 and 100.
const ANSWERS: [Answers; 6] = [
    // 20 · 100 + 20 · 50 over 40: 75, the limit of the high level itself. 10/40 waited: 0.25, its limit too.
    ("A1", &[(20, 5), (20, 3)], 10),
    // 59 · 75 + 50 over 60: 74.58, which is shown as 75. 16/60: 0.267.
    ("A2", &[(59, 4), (1, 3)], 16),
    // 16 · 75 + 24 · 50 over 40: 60, the limit of the moderate level. 20/40: 0.5, likewise.
    ("B1", &[(16, 4), (24, 3)], 20),
    // 15 · 75 + 25 · 50 over 40: 59.375. 21/40: 0.525.
    ("B2", &[(15, 4), (25, 3)], 21),
    // Too few to be shown, where they would be high and low.
    ("C1", &[(20, 5)], 10),
    ("C2", &[(20, 1)], 10),
];

fn indicator(id: &str, direction: &str, more: &str) -> String {
    format!(
        "id = \"{id}\"\nversion = \"1\"\ntitle = \"{id}\"\ndescription = \"{id}\"\ntheme = \"Tema\"\n\
         direction = \"{direction}\"\nlevels = [\"rhf\", \"hf\", \"ward\"]\nperiods = [\"year\"]\ndecimals = 0\n\
         population = {{ questionnaire = \"form\" }}\n{more}\n"
    )
}

/// The place after its run.
fn place() -> Place {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    write("organisations/region.toml", ORGANISATION);
    write("questionnaires/bank.toml", BANK);
    write("questionnaires/form.toml", FORM);
    write("exports/answers.toml", EXPORT);
    let score = "measure = { type = \"item\", item = \"listened\" }";
    let share = "measure = { type = \"top-box\", item = \"waited\", codes = [1] }";
    for (id, direction, measure, goal) in [
        ("score", "higher", score, "goal = { high = 75, moderate = 60 }"),
        ("two-levels", "higher", score, "goal = { high = 75 }"),
        ("no-goal", "higher", score, ""),
        ("share", "lower", share, "goal = { high = 0.25, moderate = 0.5 }"),
    ] {
        write(&format!("indicators/{id}.toml"), &indicator(id, direction, &format!("{measure}\n{goal}")));
    }
    let place = Place::empty(folder.path());
    let mut rows = "id;ward;listened;waited\n".to_owned();
    for (ward, answers, waited) in ANSWERS {
        let codes = answers.iter().flat_map(|(count, code)| (0..*count).map(move |_| *code));
        for (number, code) in (0..).zip(codes) {
            writeln!(rows, "{ward}-{number};{ward};{code};{}", if number < waited { 1 } else { 2 }).expect("text");
        }
    }
    fs::write(place.inbox("answers.csv"), rows).expect("a delivery");
    place.run(&[]);
    place
}

/// A unit, its score with its level of three and of two, its share with its level.
type Wanted = (&'static str, f64, Level, Level, f64, Level);
type Level = Option<&'static str>;

/// As the unrounded values have it: n = 220, 100, 80 and 40 above the wards.
const WANTED: [Wanted; 8] = [
    ("region", 14_250.0 / 220.0, Some("moderate"), Some("low"), 87.0 / 220.0, Some("moderate")),
    ("a", 7_475.0 / 100.0, Some("moderate"), Some("low"), 26.0 / 100.0, Some("moderate")),
    ("a-1", 75.0, Some("high"), Some("high"), 0.25, Some("high")),
    ("a-2", 4_475.0 / 60.0, Some("moderate"), Some("low"), 16.0 / 60.0, Some("moderate")),
    ("b", 4_775.0 / 80.0, Some("low"), Some("low"), 41.0 / 80.0, Some("low")),
    ("b-1", 60.0, Some("moderate"), Some("low"), 0.5, Some("moderate")),
    ("b-2", 59.375, Some("low"), Some("low"), 0.525, Some("low")),
    ("c", 50.0, Some("low"), Some("low"), 0.5, Some("moderate")),
];

#[test]
fn goal_levels_are_those_of_the_unrounded_values() {
    let place = place();
    let rows: Vec<Estimate> = place.table("region");
    let row = |indicator: &str, unit: &str| {
        let is_it = |row: &&Estimate| row.indicator == indicator && row.unit_id == unit && row.stratum == "total";
        rows.iter().find(is_it).unwrap_or_else(|| panic!("no row {indicator} {unit}"))
    };
    for (unit, score, level, of_two, share, share_level) in WANTED {
        let near = |indicator: &str, wanted: f64| {
            let got = row(indicator, unit).value.unwrap_or(f64::NAN);
            assert!((got - wanted).abs() < 1e-12, "{indicator} {unit}: {got} instead of {wanted}");
        };
        near("score", score);
        near("share", share);
        assert_eq!(row("score", unit).goal_level.as_deref(), level, "{unit}");
        assert_eq!(row("two-levels", unit).goal_level.as_deref(), of_two, "{unit}");
        assert_eq!(row("share", unit).goal_level.as_deref(), share_level, "{unit}");
        assert_eq!(row("no-goal", unit).goal_level, None, "{unit}");
    }
    // Whoever is withheld has no level: 100 would be high, and 0 low.
    for unit in ["c-1", "c-2"] {
        for indicator in ["score", "two-levels", "share"] {
            let row = row(indicator, unit);
            assert!(row.suppressed && row.goal_level.is_none() && row.value.is_none(), "{row:?}");
        }
    }
    the_file_for_people_has_the_column(&place);
    the_pages_say_it(&place);
}

/// The level stands in the table's CSV as in Parquet.
fn the_file_for_people_has_the_column(place: &Place) {
    let path = place.current().expect("a release").join("region/estimates.csv");
    let text = fs::read_to_string(path).expect("a file");
    let mut reader =
        csv::ReaderBuilder::new().delimiter(b';').from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let headers = reader.headers().expect("a header line").clone();
    let at = |name: &str| headers.iter().position(|header| header == name).expect("a column");
    let (indicator, unit, level) = (at("indicator"), at("unit_id"), at("goal_level"));
    let mut found = 0;
    for record in reader.records() {
        let record = record.expect("a row");
        if &record[indicator] != "score" {
            continue;
        }
        let wanted = WANTED.iter().find(|wanted| wanted.0 == &record[unit]).and_then(|wanted| wanted.2);
        assert_eq!(&record[level], wanted.unwrap_or_default(), "{record:?}");
        found += 1;
    }
    assert_eq!(found, WANTED.len() + 2, "and two that are withheld");
}

/// The section of an indicator on the page of `folder`.
fn section(place: &Place, folder: &str, indicator: &str) -> String {
    let path = place.current().expect("a release").join(folder).join("index.html");
    let page = fs::read_to_string(path).expect("a page");
    let (_, after) =
        page.split_once(&format!("<section class=\"indicator\" id=\"i-{indicator}\">")).expect("a section");
    after.split_once("</section>").expect("its end").0.to_owned()
}

/// The cells of a unit's line in the section's first table.
fn cells(section: &str, unit: &str) -> Vec<String> {
    let (table, _) = section.split_once("</table>").expect("a table");
    let line = table.split("<tr").find(|line| line.contains(&format!("<th scope=\"row\">{unit}")));
    let line = line.unwrap_or_else(|| panic!("no line of {unit} in {table}"));
    line.split("<td").skip(1).map(|cell| cell.split_once("</td>").expect("a cell's end").0.to_owned()).collect()
}

fn the_pages_say_it(place: &Place) {
    let score = section(place, "hf/a", "score");
    assert!(score.contains("<th scope=\"col\">Måloppnåelse</th>"), "{score}");
    assert!(score.contains("<dt>Mål</dt><dd>høy måloppnåelse fra 75, moderat fra 60, ellers lav</dd>"), "{score}");
    // Both wards are shown as 75; which of them reached the goal was judged before rounding.
    for (unit, value, badge) in [
        ("Post A1", ">75", "good\"><span aria-hidden=\"true\">★</span> Høy"),
        ("Post A2", ">75", "even\"><span aria-hidden=\"true\">◐</span> Moderat"),
        ("Foretak A", ">75", "even\"><span aria-hidden=\"true\">◐</span> Moderat"),
    ] {
        let cells = cells(&score, unit);
        assert!(cells.iter().any(|cell| cell.contains("figure strong") && cell.contains(value)), "{unit}: {cells:?}");
        assert!(cells.last().is_some_and(|cell| cell.contains(badge)), "{unit}: {cells:?}");
    }
    let share = section(place, "hf/b", "share");
    let said = "<dd>høy måloppnåelse til og med 25\u{a0}%, moderat til og med 50\u{a0}%, ellers lav</dd>";
    assert!(share.contains(said), "{share}");
    for (unit, badge) in [("Post B1", "◐</span> Moderat"), ("Post B2", "bad\"><span aria-hidden=\"true\">○</span> Lav")]
    {
        assert!(
            cells(&share, unit).last().is_some_and(|cell| cell.contains(badge)),
            "{unit}: {:?}",
            cells(&share, unit)
        );
    }
    // A ward that is withheld has an empty cell, and an indicator without a goal no column.
    let hidden = cells(&section(place, "hf/c", "score"), "Post C1");
    let is_judged = |cell: &String| ["★", "◐", "○"].iter().any(|symbol| cell.contains(symbol));
    assert!(!hidden.is_empty() && !hidden.iter().any(is_judged), "{hidden:?}");
    assert!(!section(place, "hf/a", "no-goal").contains("Måloppnåelse"));
    // On the region's page trusts are judged, and the overview has the region's own level.
    let region = section(place, "region", "score");
    assert!(cells(&region, "Foretak B").last().is_some_and(|cell| cell.contains("○</span> Lav")), "{region}");
    let page = fs::read_to_string(place.current().expect("a release").join("region/index.html")).expect("a page");
    let (_, overview) = page.split_once("<section id=\"overview\"").expect("an overview");
    let line = overview.split("<tr").find(|line| line.contains("href=\"#i-score\"")).expect("the indicator's line");
    assert!(line.contains("◐</span> Moderat"), "{line}");
}
