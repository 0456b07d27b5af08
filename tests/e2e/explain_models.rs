//! `prem explain` of means by other weights and models than the shipped ones: a single item, weights raked to the register,
//! the mixed model's own coefficients, and shrinkage by all levels. What is told adds up, in JSON and as a person reads it,
//! and gives what a few lines here make of the people of the region.

use std::collections::BTreeMap;

use prem_store::tables::{CaseMix, Estimate};
use serde_json::Value;

use crate::{
    explain::{
        TOLERANCE, arguments, as_text, assert_is_published, assert_near, assert_responses_add_up, assert_same, count,
        explained, number, products,
    },
    small_region::{Person, SmallRegion, indicator},
};

/// Sums over people in another order, and roots of an iteration.
const NEAR: f64 = 1e-9;
/// Texts have four decimals.
const LAST_DIGIT: f64 = 0.5e-4;
/// One of each level.
const UNITS: [&str; 4] = ["region", "t1", "t1-h0", "t1-h0-w1"];

const COMMON: &str = r#"direction = "higher"
levels = ["rhf", "hf", "hospital", "ward"]
comparison = { minimal_difference = 1.0 }"#;
const SCALE: &str = r#"measure = { type = "scale", items = ["listened", "care"] }"#;
const CASE_MIX: &str = r#"method = "random-intercept", adjusters = ["age", "sex", "own-health"]"#;

fn declared() -> Vec<(String, String)> {
    let item = "weighting = \"design\"\nmeasure = { type = \"item\", item = \"listened\" }";
    // Cells of few are kept apart, so that the margins here are those of the declarations.
    let raked = format!("weighting = \"rake\"\nweights = {{ minimum_cell = 5 }}\n{SCALE}");
    let plain = format!("weighting = \"none\"\n{SCALE}");
    [
        ("item", item, ""),
        ("raked", raked.as_str(), ""),
        ("gls", plain.as_str(), ", beta = \"gls\", shrinkage = \"lme4\""),
        ("nested", plain.as_str(), ", shrinkage = \"lme4-nested\""),
        ("nested-averaged", plain.as_str(), ", shrinkage = \"nested\""),
    ]
    .map(|(id, keys, more)| indicator(id, &format!("{COMMON}\n{keys}\ncase_mix = {{ {CASE_MIX}{more} }}")))
    .into()
}

struct World {
    region: SmallRegion,
    rows: Vec<Estimate>,
    case_mix: Vec<CaseMix>,
}

impl World {
    fn row(&self, indicator: &str, unit: &str) -> &Estimate {
        let is_it = |row: &&Estimate| row.indicator == indicator && row.unit_id == unit && row.stratum == "total";
        self.rows.iter().find(is_it).unwrap_or_else(|| panic!("no row {indicator} {unit}"))
    }

    /// What is told of a unit's number, with all sums done again.
    fn told(&self, indicator: &str, unit: &str) -> Value {
        let row = self.row(indicator, unit);
        let told = explained(&self.region.place, &arguments(row));
        assert_responses_add_up(&told);
        assert_is_published(&told, row);
        let mean = &told["calculation"];
        assert_eq!(mean["kind"], "mean");
        let terms = mean["terms"].as_array().expect("terms");
        for term in terms {
            let moved = number(&term["unit_mean"]) - number(&term["reference_mean"]);
            let product = -number(&term["coefficient"]) * moved;
            assert!((product - number(&term["product"])).abs() <= TOLERANCE * product.abs().max(1.0), "{term}");
            let column = term["column"].as_str().expect("a column");
            let is_it = |row: &&CaseMix| row.indicator == indicator && row.term == column;
            let fitted = self.case_mix.iter().find(is_it).unwrap_or_else(|| panic!("no coefficient {column}"));
            assert_eq!(term["dropped"], fitted.dropped.is_some(), "{term}");
            if fitted.dropped.is_some() {
                assert_eq!(number(&term["product"]), 0.0, "{term}");
                continue;
            }
            assert_same(column, &term["coefficient"], fitted.estimate);
            assert_same(column, &term["coefficient_se"], fitted.se);
        }
        let value = row.value.expect("a value");
        assert_near("the sum", number(&mean["raw"]) + products(&mean["terms"]), value, TOLERANCE);
        assert_same("raw", &mean["raw"], row.raw);
        if unit == "region" {
            // The region's patients are the mix that values refer to.
            assert_near("nothing to adjust", value, number(&mean["raw"]), NEAR);
        } else {
            assert!((value - number(&mean["raw"])).abs() > 0.1, "the case mix of {unit} matters");
            let reference = self.row(indicator, "region").value;
            assert_near("the region", number(&told["comparison"]["reference"]), reference.expect("a value"), NEAR);
        }
        assert_same("shrunken", &told["shrinkage"]["shrunken"], row.shrunken);
        assert_same("reliability", &told["shrinkage"]["reliability"], row.reliability);
        text_adds_up(&as_text(&self.region.place, &arguments(row)), &told);
        told
    }

    /// Those of `unit` who have a value by `score`, with it.
    fn respondents(&self, unit: &str, score: fn(&Person) -> Option<f64>) -> Vec<(&Person, f64)> {
        let own = self.region.people.iter().filter(|person| person.is_of(unit) && person.counts());
        own.filter_map(|person| Some((person, score(person)?))).collect()
    }

    /// Patients that the eligible invitations of those whom `is_meant` stand for, children not among them.
    fn patients(&self, unit: &str, is_meant: impl Fn(&Person) -> bool) -> f64 {
        let own = self.region.people.iter().filter(|person| person.is_of(unit) && person.counts());
        own.filter(|person| person.outcome != "ineligible" && is_meant(person)).map(|person| person.weight).sum()
    }
}

fn of_code(code: u8) -> f64 {
    25.0 * (f64::from(code) - 1.0)
}

/// The single item.
fn listened(person: &Person) -> Option<f64> {
    person.answer?.listened.map(of_code)
}

/// The mean of the items that were answered: one of two is half.
fn scale(person: &Person) -> Option<f64> {
    let answer = person.answer?;
    let scores: Vec<f64> = [answer.listened, answer.care].into_iter().flatten().map(of_code).collect();
    (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
}

fn mean(values: &[(f64, f64)]) -> f64 {
    let weight: f64 = values.iter().map(|(weight, _)| weight).sum();
    values.iter().map(|(weight, value)| weight * value).sum::<f64>() / weight
}

#[test]
fn other_weights_and_models_are_told_as_they_are() {
    let region = SmallRegion::new(&declared());
    region.place.run(&[]);
    let (rows, case_mix) = (region.place.table("region"), region.place.table("region"));
    let world = World { region, rows, case_mix };
    an_item(&world);
    raked_weights(&world);
    the_models_own_coefficients(&world);
    all_levels(&world);
}

fn an_item(world: &World) {
    for unit in UNITS {
        let told = world.told("item", unit);
        let asked = &told["indicator"];
        assert_eq!((asked["measure"].as_str(), asked["items"].as_array().map(Vec::len)), (Some("item"), Some(1)));
        let respondents = world.respondents(unit, listened);
        assert_eq!(count(&told["rows"]["n"]), respondents.len() as u64);
        // Each ward counts with the patients that its invitations stand for.
        let wards: BTreeMap<&str, Vec<(f64, f64)>> =
            respondents.iter().fold(BTreeMap::new(), |mut wards, (person, value)| {
                wards.entry(person.ward.as_str()).or_default().push((1.0, *value));
                wards
            });
        let of_wards: Vec<(f64, f64)> =
            wards.iter().map(|(ward, values)| (world.patients(ward, |_| true), mean(values))).collect();
        assert_near("the weighted mean", number(&told["raw"]), mean(&of_wards), NEAR);
        let population = world.patients(unit, |_| true);
        assert_near("the patients", number(&told["weights"]["population"]), population, NEAR);
        assert_eq!(told["weights"]["weighting"], "design");
        // Who was asked and who answered, children among them, and why some do not count.
        let own: Vec<&Person> = world.region.people.iter().filter(|person| person.is_of(unit)).collect();
        let having = |outcome: &str| own.iter().filter(|person| person.outcome == outcome).count() as u64;
        let answered = own.iter().filter(|person| person.answer.is_some());
        let response = &told["response"];
        assert_eq!(count(&response["invited"]), own.len() as u64);
        assert_eq!(count(&response["undeliverable"]), having("undeliverable"));
        assert_eq!(count(&response["reserved"]), having("reserved"));
        assert_eq!(count(&response["asked"]), own.len() as u64 - having("undeliverable") - having("ineligible"));
        assert_eq!(count(&response["answered"]), answered.clone().count() as u64);
        let young = answered.clone().filter(|person| !person.counts()).count();
        let silent = answered.filter(|person| person.counts() && listened(person).is_none()).count();
        assert_eq!(told["rows"]["left_out"], serde_json::json!({ "age": young, "not-answered": silent }));
    }
}

/// The margins of a hospital, as a person's category in each: sex, age band, acute or planned.
fn categories(person: &Person) -> [u8; 3] {
    let band = match person.age {
        ..50 => 0,
        50..67 => 1,
        _ => 2,
    };
    [person.sex, band, person.urgency]
}

/// Iterative proportional fitting in one hospital, until nothing moves.
fn raked(world: &World, hospital: &str) -> Vec<(String, f64, f64)> {
    let respondents = world.respondents(hospital, scale);
    let mut weights: Vec<f64> = respondents.iter().map(|(person, _)| person.weight).collect();
    for _ in 0..500 {
        for margin in 0..3 {
            let mut sums: BTreeMap<u8, f64> = BTreeMap::new();
            for ((person, _), weight) in respondents.iter().zip(&weights) {
                *sums.entry(categories(person)[margin]).or_default() += weight;
            }
            let wanted = |category: u8| world.patients(hospital, |person| categories(person)[margin] == category);
            let factors: BTreeMap<u8, f64> =
                sums.iter().map(|(category, sum)| (*category, wanted(*category) / sum)).collect();
            for ((person, _), weight) in respondents.iter().zip(&mut weights) {
                *weight *= factors[&categories(person)[margin]];
            }
        }
    }
    let one = |((person, value), weight): (&(&Person, f64), f64)| (person.ward.clone(), weight, *value);
    respondents.iter().zip(weights).map(one).collect()
}

fn raked_weights(world: &World) {
    let own = raked(world, "t1-h0");
    for unit in UNITS {
        let told = world.told("raked", unit);
        let weights = &told["weights"];
        assert_eq!(weights["weighting"], "rake");
        assert_eq!(told["interval"]["sampling_source"], "margins");
        let n = number(&told["n"]);
        assert_near("Kish", number(&weights["n_effective"]) * number(&weights["design_effect"]), n, TOLERANCE);
        assert!(number(&weights["design_effect"]) > 1.0);
        if unit.contains('w') {
            continue;
        }
        // From the hospital up the respondents stand for everybody who was asked.
        let population = world.patients(unit, |_| true);
        assert_near("the patients", number(&weights["population"]), population, NEAR);
    }
    for (unit, only) in [("t1-h0", None), ("t1-h0-w1", Some("t1-h0-w1"))] {
        let told = world.told("raked", unit);
        let is_meant = |ward: &str| only.is_none_or(|only| only == ward);
        let values: Vec<(f64, f64)> =
            own.iter().filter(|(ward, ..)| is_meant(ward)).map(|(_, weight, value)| (*weight, *value)).collect();
        assert_near("the weighted mean", number(&told["raw"]), mean(&values), 1e-8);
        let weight: f64 = values.iter().map(|(weight, _)| weight).sum();
        assert_near("the patients", number(&told["weights"]["population"]), weight, 1e-8);
        let squares: f64 = values.iter().map(|(weight, _)| weight * weight).sum();
        assert_near("Kish", number(&told["weights"]["n_effective"]), weight * weight / squares, 1e-8);
    }
}

fn unweighted(world: &World, unit: &str) -> f64 {
    mean(&world.respondents(unit, scale).into_iter().map(|(_, value)| (1.0, value)).collect::<Vec<_>>())
}

fn the_models_own_coefficients(world: &World) {
    for unit in UNITS {
        let told = world.told("gls", unit);
        assert!(told["weights"].is_null());
        assert_near("the mean", number(&told["raw"]), unweighted(world, unit), NEAR);
        let interval = &told["interval"];
        if unit == "region" {
            continue;
        }
        // The mean and the coefficients come from the same rows.
        assert!(number(&interval["covariance"]).abs() > 1e-6, "{interval}");
        let shrinkage = &told["shrinkage"];
        assert_eq!(
            (shrinkage["model"].as_str(), &shrinkage["is_averaged"]),
            (Some("random-intercept"), &Value::Bool(false))
        );
        let (between, residual) = (number(&shrinkage["between_sd"]).powi(2), number(&shrinkage["residual_sd"]).powi(2));
        let reliability = number(&told["n"]) * between / (residual + number(&told["n"]) * between);
        assert_near("reliability", number(&shrinkage["reliability"]), reliability, NEAR);
        if unit.contains('w') {
            let (towards, value) = (number(&shrinkage["mean"]), number(&told["value"]));
            let shrunken = towards + reliability * (value - towards);
            assert_near("shrunken", number(&shrinkage["shrunken"]), shrunken, NEAR);
        }
    }
}

/// A node of the tree with what lies below it: precision in units of the residual variance, and mean.
#[derive(Clone, Copy)]
struct Below {
    precision: f64,
    mean: f64,
}

impl Below {
    /// What lies below a node with an effect of variance `effect` of its own, as its parent sees it, and the share of the
    /// node's own mean in its value.
    fn seen(self, effect: f64) -> (Self, f64) {
        let share = effect * self.precision / (1.0 + effect * self.precision);
        (Self { precision: self.precision / (1.0 + effect * self.precision), ..self }, share)
    }

    fn together(parts: &[Self]) -> Self {
        let precision = parts.iter().map(|part| part.precision).sum();
        Self { precision, mean: parts.iter().map(|part| part.precision * part.mean).sum::<f64>() / precision }
    }
}

/// Wards in hospitals in trusts: values from the top down, with the variances as they are told.
fn all_levels(world: &World) {
    let told = world.told("nested", "t1-h0-w1");
    let shrinkage = &told["shrinkage"];
    assert_eq!(shrinkage["model"], "nested");
    let residual = number(&shrinkage["residual_sd"]).powi(2);
    let [of_trust, of_hospital, of_ward] =
        ["hf", "hospital", "ward"].map(|level| number(&shrinkage["level_sds"][level]).powi(2) / residual);
    let below = |unit: &str, level: &str| -> Vec<&Estimate> {
        let is_below = |row: &&Estimate| row.level == level && row.parent_id.as_deref() == Some(unit);
        world.rows.iter().filter(|row| row.indicator == "nested").filter(is_below).collect()
    };
    let of_rows = |row: &Estimate| Below { precision: row.n.expect("n") as f64, mean: row.value.expect("a value") };
    let of_wards = |hospital: &str| -> Below {
        Below::together(&below(hospital, "ward").iter().map(|ward| of_rows(ward).seen(of_ward).0).collect::<Vec<_>>())
    };
    let of_hospitals = |trust: &str| -> Below {
        let parts: Vec<Below> =
            below(trust, "hospital").iter().map(|row| of_wards(&row.unit_id).seen(of_hospital).0).collect();
        Below::together(&parts)
    };
    let trusts = below("region", "hf");
    assert_eq!(trusts.len(), 5);
    let parts: Vec<Below> = trusts.iter().map(|row| of_hospitals(&row.unit_id).seen(of_trust).0).collect();
    let region = Below::together(&parts).mean;
    assert_near("what all are pulled towards", number(&shrinkage["mean"]), region, NEAR);
    let mut wards = 0;
    for trust in trusts {
        let own = of_hospitals(&trust.unit_id);
        let at_trust = region + own.seen(of_trust).1 * (own.mean - region);
        let mut of_trust_wards = Vec::new();
        for hospital in below(&trust.unit_id, "hospital") {
            let own = of_wards(&hospital.unit_id);
            let at_hospital = at_trust + own.seen(of_hospital).1 * (own.mean - at_trust);
            let mut values = Vec::new();
            for ward in below(&hospital.unit_id, "ward") {
                let own = of_rows(ward);
                let value = at_hospital + own.seen(of_ward).1 * (own.mean - at_hospital);
                assert_near(&ward.unit_id, ward.shrunken.expect("a shrunken value"), value, NEAR);
                values.push((own.precision, value));
                wards += 1;
            }
            // A higher unit is the mean of its wards by respondents.
            assert_near(&hospital.unit_id, hospital.shrunken.expect("a shrunken value"), mean(&values), NEAR);
            of_trust_wards.extend(values);
        }
        assert_near(&trust.unit_id, trust.shrunken.expect("a shrunken value"), mean(&of_trust_wards), NEAR);
    }
    assert_eq!(wards, 20);
    for unit in UNITS {
        let told = world.told("nested-averaged", unit);
        assert_near("the mean", number(&told["raw"]), unweighted(world, unit), NEAR);
        if unit != "region" {
            assert_eq!(told["shrinkage"]["is_averaged"], true);
            // Averaged over what the variances may be, near the value at the likeliest ones and not the same.
            let (averaged, plugged) = (number(&told["shrinkage"]["shrunken"]), world.row("nested", unit).shrunken);
            assert!((averaged - plugged.expect("a shrunken value")).abs() < 3.0, "{unit}");
        }
    }
}

/// The number at the end of the only line that begins so.
fn at_end(text: &str, start: &str) -> f64 {
    let line = text.lines().map(str::trim).find(|line| line.starts_with(start));
    let line = line.unwrap_or_else(|| panic!("no line «{start}» in {text}"));
    parsed(line.split_whitespace().last().expect("a word"))
}

/// The number that follows `words`.
fn after(text: &str, words: &str) -> f64 {
    let (_, rest) = text.split_once(words).unwrap_or_else(|| panic!("«{words}» is not in {text}"));
    parsed(rest.split_whitespace().next().expect("a word"))
}

fn parsed(word: &str) -> f64 {
    word.trim_end_matches([',', ';', ':']).parse().unwrap_or_else(|_| panic!("«{word}» is no number"))
}

/// What a person reads adds up to the last digit that is written, and says what the JSON says.
fn text_adds_up(text: &str, told: &Value) {
    let part = |heading: &str| -> &str {
        let (_, rest) = text.split_once(&format!("\n{heading}")).unwrap_or_else(|| panic!("no {heading} in {text}"));
        rest.split("\n\n").next().unwrap_or_default()
    };
    // Rows: what is taken away at each line leads to the next sum.
    let mut left: Option<i64> = None;
    for line in part("ROWS").lines() {
        let Some((rows, what)) = line.trim().split_once("  ") else { continue };
        let Ok(rows) = rows.parse::<i64>() else { continue };
        left = match (left, what.trim().chars().next()) {
            (Some(left), Some('−')) => Some(left - rows),
            (Some(left), Some('=')) => {
                assert_eq!(left, rows, "{line} in {text}");
                Some(left)
            }
            _ => Some(rows),
        };
    }
    assert_eq!(left, told["n"].as_i64(), "{text}");
    let near = |what: &str, sum: f64, wanted: f64, terms: f64| {
        assert!((sum - wanted).abs() <= terms * LAST_DIGIT, "{what}: {sum} instead of {wanted} in {text}");
    };
    // The value.
    let value_part = part("VALUE");
    let products: Vec<f64> = value_part
        .lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let numbers: Vec<f64> = words.get(1..)?.iter().map(|word| word.parse().ok()).collect::<Option<_>>()?;
            (numbers.len() == 5).then(|| numbers[4])
        })
        .collect();
    let terms = told["calculation"]["terms"].as_array().expect("terms");
    let used = terms.iter().filter(|term| term["dropped"] == false).count();
    assert_eq!(products.len(), used, "{value_part}");
    let value = at_end(value_part, "value: raw mean + products");
    let sum = at_end(value_part, "raw mean") + products.iter().sum::<f64>();
    near("the value", sum, value, used as f64 + 2.0);
    near("the value in JSON", number(&told["value"]), value, 1.01);
    // The interval.
    let interval = part("INTERVAL");
    let se = after(interval, "; SE ");
    let mut variance = after(interval, "variance: ") + after(interval, ") + ");
    if let Some((before, _)) = interval.split_once(" of both together") {
        variance += parsed(before.split_whitespace().last().expect("a word"));
    }
    assert!((variance - se * se).abs() < (3.0 + 2.0 * se) * LAST_DIGIT + 1e-3 * variance, "{interval}");
    let quantile = after(interval, "value ± ");
    near("the lower limit", value - quantile * se, after(interval, "from "), 2.0 + quantile + se);
    near("the upper limit", value + quantile * se, after(interval, " to "), 2.0 + quantile + se);
    if told["comparison"].is_object() && !told["comparison"]["difference"].is_null() && told["unit"]["level"] != "rhf" {
        let comparison = part("COMPARISON WITH THE REGION");
        let reference = after(comparison, "value less the region's ");
        near("the difference", value - reference, after(comparison, &format!("{reference:.4}: ")), 3.0);
    }
    if let Some(shrunken) = told["shrinkage"]["shrunken"].as_f64() {
        let part = part("SHRUNKEN");
        let reliability = number(&told["shrinkage"]["reliability"]);
        near("what is shrunken", shrunken, after(part, &format!("with reliability {reliability:.4}: ")), 1.01);
    }
}
