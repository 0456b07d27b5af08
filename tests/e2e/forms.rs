//! Every questionnaire that is shipped, in a region that answers all of them: scores, response rates and strata are there, and
//! the region's scores are what a few lines here make of the stored rows.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use arrow::{array::AsArray, compute::cast, datatypes::DataType};
use jiff::civil::DateTime;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use prem_spec::{Indicator, Measure, Plan, Population, Questionnaire, ValueScale, Weighting};
use prem_store::tables::{Estimate, Response};

use crate::place::{Place, copy_folder, expect_code, shipped_schemas};

/// Four months of clean files: what is planted in them is for other tests.
const SETTINGS: &str = r#"
responses = 1500
other_share = 0.4
every_questionnaire = true
contacts = 0
first_month = 2025-01-01
months = 4
broken_share = 0.0
late_share = 0.0
corrected_share = 0.0
duplicate_share = 0.0
stray_share = 0.0
population = false
"#;
/// The region and those of its trusts that are kept: few wards, with answers enough for most to be shown.
const KEPT: [&str; 5] = ["hso", "lovisenberg", "diakonhjemmet", "telemark", "vestfold"];
const YEAR: &str = "2025";
/// Relative: the same sums in another order.
const TOLERANCE: f64 = 1e-9;

type Row = BTreeMap<String, String>;

fn plan_of(schemas: &Path) -> Plan {
    let compiled = prem_spec::compile(&prem_spec::load_folder(schemas).expect("schemas"));
    compiled.plan.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics))
}

/// Whether an indicator is a weighted score 0–100 of items that everybody is asked.
fn is_plain_score(plan: &Plan, indicator: &Indicator) -> bool {
    let is_score = match &indicator.measure {
        Measure::Scale { scale, .. } | Measure::Item { scale, .. } => *scale == ValueScale::Score0To100,
        _ => false,
    };
    let asked_of_all = |questionnaire: &Questionnaire| {
        let is_for_all = |id: &&str| {
            questionnaire.asks_always(id) && questionnaire.item(id).is_some_and(|item| item.asked_if.is_none())
        };
        indicator.measure.items().iter().all(is_for_all)
    };
    is_score && indicator.weighting == Weighting::Design && plan.questionnaire_of(indicator).is_some_and(asked_of_all)
}

/// Indicator of each questionnaire that is shown by all groups that the questionnaire knows: for the region and its trusts and the
/// year, where there are respondents enough for groups.
fn divide(schemas: &Path) -> BTreeMap<String, String> {
    let plan = plan_of(schemas);
    let mut divided = BTreeMap::new();
    for indicator in plan.indicators.values().filter(|indicator| indicator.strata.is_empty()) {
        let Some(questionnaire) = plan.questionnaire_of(indicator) else { continue };
        if divided.contains_key(&questionnaire.id) || !is_plain_score(&plan, indicator) {
            continue;
        }
        let groups: Vec<String> = questionnaire.stratifiers.iter().map(|one| format!("{:?}", one.id)).collect();
        let path = schemas.join("indicators").join(format!("{}.toml", indicator.id));
        let declared = fs::read_to_string(&path).expect("an indicator");
        let (head, rest) = declared.split_once("\n[population]").expect("a population");
        let is_kept = |line: &&str| !["levels = ", "periods = "].iter().any(|key| line.starts_with(key));
        let head: Vec<&str> = head.lines().filter(is_kept).collect();
        let keys = format!("levels = [\"rhf\", \"hf\"]\nperiods = [\"year\"]\nstrata = [{}]", groups.join(", "));
        let strata = format!("{}\n{keys}\n\n[population]{rest}", head.join("\n"));
        fs::write(&path, strata).expect("an indicator");
        divided.insert(questionnaire.id.clone(), indicator.id.clone());
    }
    divided
}

/// Leaves the units of a few trusts; each unit has a line of its own.
fn keep_some_trusts(schemas: &Path) {
    let path = schemas.join("organisations/helse-sor-ost.toml");
    let declared = fs::read_to_string(&path).expect("an organisation");
    let is_kept = |line: &&str| {
        let unit = line.trim_start().strip_prefix("{ id = \"");
        unit.is_none_or(|unit| KEPT.iter().any(|kept| unit.starts_with(kept)))
    };
    let lines: Vec<&str> = declared.lines().filter(is_kept).collect();
    fs::write(&path, lines.join("\n")).expect("an organisation");
}

/// Rows of Parquet files, as texts; missing values are empty, and columns that are not there too.
fn read(paths: &[PathBuf], columns: &BTreeSet<String>) -> Vec<Row> {
    let mut rows = Vec::new();
    for path in paths {
        let file = fs::File::open(path).expect("a file");
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet").build().expect("a reader");
        for batch in reader {
            let batch = batch.expect("a batch");
            let start = rows.len();
            rows.resize(start + batch.num_rows(), Row::new());
            for name in columns {
                let Some(column) = batch.column_by_name(name) else { continue };
                let column = cast(column, &DataType::Utf8).expect("text");
                for (row, text) in rows[start..].iter_mut().zip(column.as_string::<i32>()) {
                    row.insert(name.clone(), text.unwrap_or_default().to_owned());
                }
            }
        }
    }
    rows
}

/// Files below `folder` that are called `name`.
fn files(folder: &Path, name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|_| panic!("{}", folder.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, name));
        } else if path.file_name().is_some_and(|own| own == name) {
            found.push(path);
        }
    }
    found.sort();
    found
}

const OF_CONTACT: [&str; 9] = [
    "contact_id",
    "admitted_at",
    "discharged_at",
    "age",
    "sex",
    "urgency",
    "care_level",
    "main_diagnosis",
    "discharge_status",
];
const OF_INVITATION: [&str; 5] = ["contact_id", "questionnaire_id", "outcome", "stratum", "inclusion_probability"];

fn named(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Whether somebody is of a population: of what the register knows, or with what was answered too.
fn is_of(population: &Population, row: &Row, with_answers: bool) -> bool {
    let cell = |column: &str| row.get(column).map_or("", String::as_str);
    let has = |codes: &[String], column: &str| codes.iter().any(|code| code == cell(column));
    let only = |codes: &[String], column: &str| codes.is_empty() || has(codes, column);
    let age: Option<i64> = cell("age").parse().ok();
    let is_in_age = (population.age_min.is_none() && population.age_max.is_none())
        || age.is_some_and(|age| {
            population.age_min.is_none_or(|least| age >= least) && population.age_max.is_none_or(|most| age <= most)
        });
    let hours = || {
        let at = |column: &str| cell(column).parse::<DateTime>().expect("a time");
        at("discharged_at").duration_since(at("admitted_at")).as_secs_f64() / 3600.0
    };
    let diagnoses = &population.main_diagnoses;
    let excluded = population
        .exclude
        .iter()
        .any(|one| (with_answers || OF_CONTACT.contains(&one.column.as_str())) && has(&one.codes, &one.column));
    is_in_age
        && only(&population.care_levels, "care_level")
        && only(&population.urgencies, "urgency")
        && population.stay_hours_min.is_none_or(|least| hours() >= least as f64)
        && population.stay_hours_max.is_none_or(|most| hours() <= most as f64)
        && (diagnoses.is_empty() || diagnoses.iter().any(|code| cell("main_diagnosis").starts_with(code.as_str())))
        && !excluded
}

/// A respondent's score: the mean of the answered items where enough of them are answered.
fn score(questionnaire: &Questionnaire, measure: &Measure, row: &Row) -> Option<f64> {
    let items = measure.items();
    let least = if let Measure::Scale { min_answered, .. } = measure { min_answered * items.len() as f64 } else { 1.0 };
    let scores: Vec<f64> = items
        .iter()
        .filter_map(|id| {
            let item = questionnaire.item(id)?;
            let (low, high) = (f64::from(item.scale.low), f64::from(item.scale.high));
            let code: f64 = row.get(*id)?.parse().ok()?;
            let share = (code - low) / (high - low);
            (low..=high).contains(&code).then_some(100.0 * if item.reversed { 1.0 - share } else { share })
        })
        .collect();
    let enough = !scores.is_empty() && scores.len() as f64 >= least;
    enough.then(|| scores.iter().sum::<f64>() / scores.len() as f64)
}

/// What the sampling stratum's patients and respondents come to.
#[derive(Default)]
struct Stratum {
    /// Patients that its eligible invitations stand for.
    patients: f64,
    /// Weights of respondents whom the register counts, and of those of them who belong to the population.
    counted: f64,
    belonging: f64,
    /// Of those with a score.
    weight: f64,
    sum: f64,
}

/// A form's answers of the year, and who was invited to it, with the contact.
struct Answered<'a> {
    questionnaire: &'a Questionnaire,
    linked: Vec<Row>,
    invited: Vec<Row>,
}

impl Answered<'_> {
    /// The region's weighted mean, and how many have a score.
    fn mean(&self, indicator: &Indicator) -> (f64, i64) {
        let weight = |row: &Row, column: &str| row[column].parse::<f64>().expect("a number");
        let mut strata: BTreeMap<&str, Stratum> = BTreeMap::new();
        let asked = self.invited.iter().filter(|row| row["outcome"] != "ineligible");
        for row in asked.filter(|row| is_of(&indicator.population, row, false)) {
            strata.entry(&row["stratum"]).or_default().patients += 1.0 / weight(row, "inclusion_probability");
        }
        let mut n = 0;
        for row in self.linked.iter().filter(|row| is_of(&indicator.population, row, false)) {
            let stratum = strata.entry(&row["sampling_stratum"]).or_default();
            let own = weight(row, "design_weight");
            stratum.counted += own;
            if !is_of(&indicator.population, row, true) {
                continue;
            }
            stratum.belonging += own;
            if let Some(score) = score(self.questionnaire, &indicator.measure, row) {
                stratum.weight += own;
                stratum.sum += own * score;
                n += 1;
            }
        }
        let (mut patients, mut sum) = (0.0, 0.0);
        for stratum in strata.values().filter(|stratum| stratum.weight > 0.0) {
            // Who answered was asked.
            let size = (stratum.patients * stratum.belonging / stratum.counted).max(stratum.weight);
            patients += size;
            sum += size * stratum.sum / stratum.weight;
        }
        (sum / patients, n)
    }
}

fn answered<'a>(place: &Place, questionnaire: &'a Questionnaire, contacts: &BTreeMap<String, Row>) -> Answered<'a> {
    let store = place.path().join("store");
    let mut columns = named(&OF_CONTACT);
    columns.extend(named(&["design_weight", "sampling_stratum", "mode", "language"]));
    columns.extend(questionnaire.items.iter().map(|item| item.id.clone()));
    let of_year = |path: &PathBuf| path.to_string_lossy().contains(&format!("month={YEAR}-"));
    let mut parts = files(&store.join("derived/linked").join(&questionnaire.id), "part.parquet");
    parts.retain(of_year);
    let invitations = read(&files(&store.join("deliveries/invitations"), "rows.parquet"), &named(&OF_INVITATION));
    let with_contact = |mut row: Row| {
        let contact = contacts.get(&row["contact_id"])?;
        row.extend(contact.clone());
        (row["questionnaire_id"] == questionnaire.id && row["discharged_at"].starts_with(YEAR)).then_some(row)
    };
    let invited = invitations.into_iter().filter_map(with_contact).collect();
    Answered { questionnaire, linked: read(&parts, &columns), invited }
}

fn near(what: &str, got: Option<f64>, wanted: f64) {
    let got = got.unwrap_or_else(|| panic!("{what}: no value"));
    assert!((got - wanted).abs() <= TOLERANCE * wanted.abs(), "{what}: {got} instead of {wanted}");
}

#[test]
fn every_form_has_scores_rates_and_groups_that_its_rows_give() {
    let place = Place::empty(&shipped_schemas());
    copy_folder(&shipped_schemas(), &place.path().join("schemas"));
    let divided = divide(&place.path().join("schemas"));
    keep_some_trusts(&place.path().join("schemas"));
    place.use_schemas("schemas");
    fs::write(place.path().join("region.toml"), SETTINGS).expect("settings");
    expect_code(&place.prem(&["sample", "--out", ".", "--settings", "region.toml"]), 0);
    let summary = place.run(&[]);
    let plan = plan_of(&place.path().join("schemas"));
    assert!(plan.questionnaires.len() >= 7 && divided.keys().eq(plan.questionnaires.keys()), "{divided:?}");
    let (shown, rows): (Vec<Estimate>, Vec<Estimate>) = (place.table("region"), place.working_table(&summary));
    let responses: Vec<Response> = place.table("region");
    let contacts = read(&files(&place.path().join("store/deliveries/contacts"), "rows.parquet"), &named(&OF_CONTACT));
    let contacts = contacts.into_iter().map(|contact| (contact["contact_id"].clone(), contact)).collect();
    for questionnaire in plan.questionnaires.values() {
        let answered = answered(&place, questionnaire, &contacts);
        response_is_that_of_the_rows(&responses, &answered);
        let own: Vec<&Indicator> = plan
            .indicators
            .values()
            .filter(|one| one.population.questionnaire.as_ref() == Some(&questionnaire.id))
            .collect();
        let mut compared = 0;
        for indicator in own {
            let what = format!("{} of {}", indicator.id, questionnaire.id);
            let region = |row: &&Estimate| {
                row.indicator == indicator.id && row.level == "rhf" && row.period == YEAR && row.stratum == "total"
            };
            let told = shown.iter().find(region).unwrap_or_else(|| panic!("{what}: no row"));
            assert!(told.value.is_some() && told.se.is_some() && told.n.is_some_and(|n| n >= 30), "{told:?}");
            if !is_plain_score(&plan, indicator) {
                continue;
            }
            let (mean, n) = answered.mean(indicator);
            assert_eq!(told.n, Some(n), "{what}");
            near(&what, told.raw, mean);
            // The region's patients are the mix that it is adjusted to.
            near(&what, told.value, mean);
            compared += 1;
        }
        assert!(compared > 0, "{}", questionnaire.id);
        groups_make_up_the_whole(&rows, questionnaire, &divided[&questionnaire.id]);
    }
}

/// Invited and answered are counted from the stored rows.
fn response_is_that_of_the_rows(responses: &[Response], answered: &Answered<'_>) {
    let id = &answered.questionnaire.id;
    let region = |stratum: &str| {
        let is_it = |row: &&Response| {
            (&row.questionnaire, row.level.as_str(), row.period.as_str(), row.stratum.as_str())
                == (id, "rhf", YEAR, stratum)
        };
        responses.iter().find(is_it)
    };
    let total = region("total").unwrap_or_else(|| panic!("{id}: no response"));
    let having = |outcome: &str| answered.invited.iter().filter(|row| row["outcome"] == outcome).count();
    let asked = answered.invited.len() - having("undeliverable") - having("ineligible");
    near(&format!("response to {id}"), total.response_rate, answered.linked.len() as f64 / asked as f64);
    assert!(total.response_rate.is_some_and(|rate| (0.15..0.75).contains(&rate)), "{total:?}");
    let register = answered.questionnaire.stratifiers.iter().filter(|stratifier| stratifier.from_register);
    for stratifier in register {
        let groups = stratifier.labels().len();
        let told = (0..groups).filter_map(|level| region(&stratifier.stratum(Some(level)))).count();
        assert!(told > 0, "{id}: response by {}", stratifier.id);
    }
}

/// Respondents of all groups of a stratifier are those of the indicator; who was asked is known by the register's groups alone.
fn groups_make_up_the_whole(rows: &[Estimate], questionnaire: &Questionnaire, indicator: &str) {
    let of = |stratum: &str| {
        let is_it = |row: &&Estimate| {
            (row.indicator.as_str(), row.level.as_str(), row.period.as_str(), row.stratum.as_str())
                == (indicator, "rhf", YEAR, stratum)
        };
        rows.iter().find(is_it)
    };
    let all = of("total").and_then(|row| row.n).expect("a total");
    assert!(questionnaire.stratifiers.len() >= 3, "{}", questionnaire.id);
    for stratifier in &questionnaire.stratifiers {
        let levels = stratifier.labels().len();
        let groups: Vec<&Estimate> = (0..=levels).filter_map(|level| of(&stratifier.stratum(Some(level)))).collect();
        let what = format!("{indicator} by {}", stratifier.id);
        assert!(groups.len() >= 2, "{what}");
        assert_eq!(groups.iter().filter_map(|row| row.n).sum::<i64>(), all, "{what}");
        for group in groups.iter().filter(|group| !group.stratum.ends_with("=unknown")) {
            assert!(group.value.is_some(), "{what}");
            assert_eq!(group.response_rate.is_some(), stratifier.from_register, "{what}: {}", group.stratum);
        }
    }
}
