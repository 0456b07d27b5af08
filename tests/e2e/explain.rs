//! `prem explain`: what it tells gives the number that the release has.

use prem_store::tables::Estimate;
use serde_json::Value;

use crate::{
    cahps,
    place::{Place, code, contents, expect_code, prem, text},
};

/// Sums of the same terms in another order.
pub const TOLERANCE: f64 = 1e-12;

pub fn explained(place: &Place, arguments: &[&str]) -> Value {
    let mut all = vec!["explain"];
    all.extend(arguments);
    let output = place.prem(&all);
    expect_code(&output, 0);
    serde_json::from_slice(&output.stdout).expect("JSON")
}

pub fn as_text(place: &Place, arguments: &[&str]) -> String {
    let mut all = vec!["explain"];
    all.extend(arguments);
    all.extend(["--config", "prem.toml"]);
    let output = prem(place.path(), &all);
    expect_code(&output, 0);
    text(&output.stdout)
}

pub fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is a number"))
}

pub fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is a count"))
}

fn all_of(counts: &Value) -> u64 {
    counts.as_object().expect("counts by reason").values().map(count).sum()
}

pub fn products(terms: &Value) -> f64 {
    terms.as_array().expect("terms").iter().map(|term| number(&term["product"])).sum()
}

pub fn assert_near(what: &str, sum: f64, wanted: f64, tolerance: f64) {
    assert!((sum - wanted).abs() <= tolerance * wanted.abs().max(sum.abs()), "{what}: {sum} instead of {wanted}");
}

/// The same number, as near as JSON's text is read back.
pub fn assert_same(what: &str, told: &Value, wanted: Option<f64>) {
    match (told.as_f64(), wanted) {
        (Some(told), Some(wanted)) => assert_near(what, told, wanted, 1e-14),
        (told, wanted) => assert_eq!(told, wanted, "{what}"),
    }
}

/// Rows of the files come down to the responses of the unit, and these to n.
pub fn assert_responses_add_up(told: &Value) {
    let (ledger, rows) = (&told["rows_in"], &told["rows"]);
    let gone = all_of(&ledger["quarantined"])
        + all_of(&ledger["excluded"])
        + count(&ledger["duplicate"])
        + count(&ledger["superseded"]);
    assert_eq!(count(&ledger["rows_in"]), gone + count(&ledger["kept"]));
    assert_eq!(ledger["kept"], rows["linked"]);
    let elsewhere = count(&rows["other_periods"]) + count(&rows["other_units"]) + count(&rows["other_strata"]);
    assert_eq!(count(&rows["linked"]), elsewhere + count(&rows["of_unit"]));
    let counted = all_of(&rows["left_out"]) + count(&rows["adjuster_missing"]) + count(&rows["n"]);
    assert_eq!(count(&rows["of_unit"]), counted);
    assert_eq!(rows["n"], told["n"]);
}

/// What is told of the value, the interval, the comparison and the change is what the release says.
pub fn assert_is_published(told: &Value, row: &Estimate) {
    assert_eq!(told["publication"]["status"], "published", "{told}");
    assert_same("value", &told["value"], row.value);
    let interval = &told["interval"];
    let variance = ["sampling_variance", "coefficient_variance", "covariance"].map(|part| number(&interval[part]));
    assert_near("variance", variance.iter().sum(), row.se.expect("an SE").powi(2), 1e-9);
    if let Some(quantile) = interval["quantile"].as_f64() {
        let value = number(&told["value"]);
        assert_near("lower limit", value - quantile * number(&interval["se"]), row.ci_low.expect("a limit"), 1e-9);
    }
    if let (Some(difference), false) = (row.difference, told["comparison"].is_null()) {
        assert_same("difference", &told["comparison"]["difference"], Some(difference));
        assert_eq!(told["comparison"]["q"].as_f64().is_some(), row.q.is_some());
    }
    if let Some(change) = row.change {
        let earlier = number(&told["change"]["earlier_value"]);
        assert_near("change", number(&told["value"]) - earlier, change, 1e-9);
    }
}

/// The row of `indicator` with the most respondents at `level` that is shown with its class.
fn shown<'a>(rows: &'a [Estimate], indicator: &str, level: &str, stratum: &str) -> &'a Estimate {
    let is_shown = |row: &&Estimate| {
        (row.indicator.as_str(), row.level.as_str(), row.stratum.as_str()) == (indicator, level, stratum)
            && !row.suppressed
            && row.value.is_some()
    };
    rows.iter().filter(is_shown).max_by_key(|row| (row.q.is_some(), row.n)).expect("a row that is shown")
}

pub fn arguments(row: &Estimate) -> [&str; 7] {
    [&row.indicator, "--unit", &row.unit_id, "--period", &row.period, "--stratum", &row.stratum]
}

#[test]
fn what_is_told_gives_the_number() {
    let place = Place::region(6_000);
    place.run(&[]);
    let rows = place.table::<Estimate>("region");
    let before = contents(place.path());
    a_mean(&place, &rows);
    a_proportion(&place, &rows);
    a_rate(&place, &rows);
    what_is_withheld(&place, &rows);
    names_that_are_not_known(&place, &rows);
    assert_eq!(before, contents(place.path()), "explaining writes nothing");
    the_store_moves_on(&place, &rows);
}

fn a_mean(place: &Place, rows: &[Estimate]) {
    for (level, stratum) in [("ward", "total"), ("hf", "total"), ("rhf", "total"), ("hf", "admission")] {
        let stratum = if stratum == "total" {
            stratum.to_owned()
        } else {
            let is_group = |row: &&Estimate| row.indicator == "inpatient-staff" && row.stratum != "total";
            rows.iter().find(is_group).expect("values by admission").stratum.clone()
        };
        let row = shown(rows, "inpatient-staff", level, &stratum);
        let told = explained(place, &arguments(row));
        assert_responses_add_up(&told);
        assert_is_published(&told, row);
        let mean = &told["calculation"];
        assert_eq!(mean["kind"], "mean");
        assert!(mean["terms"].as_array().expect("terms").len() > 5);
        let sum = number(&mean["raw"]) + products(&mean["terms"]);
        assert_near("the sum", sum, row.value.expect("a value"), TOLERANCE);
        assert_same("told", &told["response"]["response_rate"], row.response_rate);
        let shrunken = &told["shrinkage"]["shrunken"];
        if row.shrunken.is_some() || shrunken.is_null() {
            assert_same("told", shrunken, row.shrunken);
        } else {
            // Another unit of the level is hidden.
            let columns = told["publication"]["withheld_columns"].as_array().expect("columns");
            assert!(columns.contains(&"shrunken".into()), "{columns:?}");
        }
        assert_same("told", &told["weights"]["n_effective"], row.n_effective);
    }
    let row = shown(rows, "inpatient-staff", "ward", "total");
    let words = as_text(place, &arguments(row));
    let class = row.comparison.as_deref().expect("a class").replace('-', " ");
    assert!(words.contains(&format!("class: {class} (")), "{words}");
    assert!(words.contains("= n\n") && words.contains("Published"), "{words}");
    // Without a period the latest is told, of those that end together the longest.
    let told = explained(place, &["inpatient-staff", "--unit", &row.unit_id]);
    let of_unit = rows.iter().filter(|other| other.indicator == row.indicator && other.unit_id == row.unit_id);
    let latest = of_unit.max_by_key(|row| (row.period_end, std::cmp::Reverse(row.period_start)));
    assert_eq!(told["period"].as_str(), latest.map(|row| row.period.as_str()));
}

fn a_proportion(place: &Place, rows: &[Estimate]) {
    for (indicator, level) in
        [("inpatient-involved", "hf"), ("inpatient-overall-high", "hf"), ("inpatient-involved", "ward")]
    {
        let row = shown(rows, indicator, level, "total");
        let told = explained(place, &arguments(row));
        assert_responses_add_up(&told);
        assert_is_published(&told, row);
        let proportion = &told["calculation"];
        assert_eq!(proportion["kind"], "proportion");
        let model = &proportion["model"];
        if model.is_null() {
            assert_near("the share", number(&proportion["raw"]), row.value.expect("a value"), TOLERANCE);
            continue;
        }
        assert_near("expected events", number(&model["expected_events"]), number(&proportion["events"]), 1e-9);
        let sum = products(&model["reference"]);
        assert_near("the mean over the reference", sum, row.value.expect("a value"), TOLERANCE);
        let words = as_text(place, &arguments(row));
        assert!(words.contains("unit offset") && words.contains("class: "), "{words}");
    }
}

fn a_rate(place: &Place, rows: &[Estimate]) {
    for level in ["hf", "rhf"] {
        let row = shown(rows, "surgery-hip-replacement", level, "total");
        let told = explained(place, &arguments(row));
        assert_is_published(&told, row);
        let (found, rate) = (&told["rows"], &told["calculation"]);
        let elsewhere = count(&found["other_periods"]) + count(&found["other_areas"]);
        let gone = count(&found["same_episode"]) + all_of(&found["left_out"]) + elsewhere;
        assert_eq!(count(&found["matching"]), gone + count(&found["events"]));
        assert_eq!(Some(count(&found["events"]) as f64), row.numerator);
        assert_near("the weighted sum", products(&rate["strata"]), row.value.expect("a value"), TOLERANCE);
        let strata = rate["strata"].as_array().expect("strata");
        assert_near("shares", strata.iter().map(|stratum| number(&stratum["weight"])).sum(), 1.0, TOLERANCE);
        let words = as_text(place, &arguments(row));
        assert!(words.contains("person-years") && words.contains("κ ="), "{words}");
    }
}

fn what_is_withheld(place: &Place, rows: &[Estimate]) {
    let is_withheld = |row: &&Estimate| row.indicator == "inpatient-staff" && row.suppressed && row.stratum == "total";
    let row = rows.iter().find(is_withheld).expect("a row that is withheld");
    let told = explained(place, &arguments(row));
    assert_eq!(told["publication"]["status"], "withheld");
    assert_eq!(told["publication"]["reason"].as_str(), row.suppression_reason.as_deref());
    assert!(told["value"].is_number(), "the store has the number all the same");
    assert_responses_add_up(&told);
    let words = as_text(place, &arguments(row));
    assert!(words.contains("WITHHELD") && words.contains("must not be passed on"), "{words}");
}

fn names_that_are_not_known(place: &Place, rows: &[Estimate]) {
    let unit = shown(rows, "inpatient-staff", "ward", "total").unit_id.as_str();
    let refused = |arguments: &[&str], wanted: i32, words: &str| {
        let mut all = vec!["explain"];
        all.extend(arguments);
        let output = place.prem(&all);
        assert_eq!(code(&output), wanted, "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains(words), "{} lacks {words}", text(&output.stderr));
    };
    refused(&["inpatient-staf", "--unit", unit], 2, "did you mean «inpatient-staff»?");
    refused(&["inpatient-staff", "--unit", &format!("{unit}x")], 2, "did you mean");
    refused(&["inpatient-staff", "--unit", unit, "--period", "1999"], 2, "no period");
    refused(&["inpatient-staff", "--unit", unit, "--stratum", "sex=9"], 2, "no stratum");
    refused(&["surgery-hip-replacement", "--unit", unit], 2, "its levels");
    refused(&["inpatient-staff", "--unit", unit, "--run", "0123456789abcdef"], 66, "manifest");
}

/// A release is explained as long as what it was made of is there.
fn the_store_moves_on(place: &Place, rows: &[Estimate]) {
    let row = shown(rows, "inpatient-staff", "hf", "total");
    std::fs::write(
        place.inbox("responses_2098-01.csv"),
        std::fs::read(place.inbox("responses_2024-06.csv"))
            .map(|mut bytes| {
                bytes.extend_from_slice(b"\r\n");
                bytes
            })
            .expect("a file of responses"),
    )
    .expect("another file");
    expect_code(&place.prem(&["ingest"]), 0);
    let told = explained(place, &arguments(row));
    assert_same("the value, though deliveries came that no run has seen", &told["value"], row.value);
    expect_code(&place.prem(&["link"]), 0);
    let mut all = vec!["explain"];
    all.extend(arguments(row));
    let output = place.prem(&all);
    expect_code(&output, 66);
    assert!(text(&output.stderr).contains("the store has moved on"), "{}", text(&output.stderr));
}

#[test]
fn a_composite_is_told_item_by_item() {
    let Some(place) = cahps::place() else { return };
    place.run(&[]);
    let rows = place.table::<Estimate>("region");
    for (indicator, items) in [("overall", 1), ("quick", 2)] {
        let own: Vec<&Estimate> = rows.iter().filter(|row| row.indicator == indicator && row.value.is_some()).collect();
        assert!(!own.is_empty(), "{indicator}");
        for row in own {
            let told = explained(&place, &arguments(row));
            assert_responses_add_up(&told);
            let found = &told["calculation"];
            let listed = found["items"].as_array().expect("items");
            assert!(listed.is_empty() || listed.len() >= items, "{found}");
            let adjusted: f64 = listed.iter().map(|item| products(&item["terms"])).sum();
            let sum = number(&found["raw"]) + adjusted + number(&found["recentre"]);
            assert_near("the sum", sum, row.value.expect("a value"), TOLERANCE);
        }
    }
}
