//! Weights, strata, windows and response through a whole run.

use std::{collections::BTreeMap, fs, path::Path};

use prem_store::tables::{CaseMix, Estimate, Response, SurveyQuality, Variation, Weighting, read_table};

use crate::place::{Place, contents, expect_code, prem, shipped_schemas};

/// The shipped declarations with some texts of files replaced.
fn changed(place: &Place, changes: &[(&str, &str, &str)]) {
    let own = place.path().join("schemas");
    for (name, bytes) in contents(&shipped_schemas()) {
        let path = own.join(&name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).expect("a folder");
        let mut text = String::from_utf8(bytes).expect("text");
        for (_, from, to) in changes.iter().filter(|(file, ..)| *file == name) {
            assert!(text.contains(from), "{name} holds {from}");
            text = text.replacen(from, to, 1);
        }
        fs::write(&path, text).expect("a file");
    }
    place.use_schemas("schemas");
}

/// Extremes are values of shown units, strata are none beside them, and nobody moved further than the furthest that is shown.
fn tables_about_units_tell_nothing_of_others(place: &Place, rows: &[Estimate]) {
    let units = |indicator: &str, period: &str| -> Vec<&Estimate> {
        let is_one = |row: &&Estimate| row.indicator == indicator && row.period == period && row.stratum == "total";
        rows.iter().filter(is_one).filter(|row| row.level != "rhf" && row.value.is_some()).collect()
    };
    let variation: Vec<Variation> = place.table("region");
    let mut extremes = 0;
    for row in &variation {
        let shown: Vec<f64> = units(&row.indicator, &row.period)
            .into_iter()
            .filter(|unit| unit.level == row.level)
            .filter_map(|unit| unit.value)
            .collect();
        for extreme in [row.lowest, row.highest].into_iter().flatten() {
            assert!(shown.contains(&extreme) && row.n_units == shown.len() as i64, "{row:?}");
            extremes += 1;
        }
    }
    assert!(extremes > 20, "{extremes}");
    let fits: Vec<CaseMix> = place.table("region");
    for fit in fits.iter().filter(|fit| fit.adjustment_max.is_some()) {
        let units = units(&fit.indicator, &fit.period);
        assert!(units.iter().any(|unit| Some((unit.value.unwrap() - unit.raw.unwrap()).abs()) == fit.adjustment_max));
    }
}

const STAFF: &str = "indicators/inpatient-staff.toml";
const HIGH: &str = "indicators/inpatient-overall-high.toml";

#[test]
fn references_are_the_published_values_of_the_region() {
    let place = Place::region(6_000);
    changed(
        &place,
        &[
            (STAFF, "[comparison]", "[comparison]\nalpha = 0.2"),
            (STAFF, "alpha = 0.05\n", ""),
            (STAFF, "weighting = \"design\"\n", "weighting = \"design\"\nweights = { finite_population = true }\n"),
        ],
    );
    place.run(&[]);
    let rows: Vec<Estimate> = place.table("region");
    let key = |row: &Estimate| (row.indicator.clone(), row.period.clone(), row.stratum.clone());
    let region: BTreeMap<_, f64> =
        rows.iter().filter(|row| row.level == "rhf").filter_map(|row| Some((key(row), row.value?))).collect();
    let (mut total, mut strata) = (0, 0);
    for row in rows.iter().filter(|row| row.reference.is_some() && row.indicator.starts_with("inpatient")) {
        let (reference, value) = (row.reference.unwrap_or(f64::NAN), region[&key(row)]);
        assert!((reference - value).abs() < 1e-9 * value.abs().max(1.0), "{:?}: {reference} {value}", key(row));
        if row.stratum == "total" { total += 1 } else { strata += 1 }
    }
    assert!(total > 500 && strata > 100, "{total} {strata}");
    // Weighted proportions are told as such, with what their weights cost.
    let weighted = rows.iter().find(|row| row.indicator == "inpatient-overall-high" && row.level == "rhf");
    let weighted = weighted.expect("a row");
    assert_eq!(weighted.method, "logistic/unit-offset/score/design-weighted");
    assert!(weighted.n_effective.expect("filled") < weighted.n.expect("shown") as f64);
    // Windows: four quarters each, the calendar year by its own name, and change only between disjoint ones.
    let windows: Vec<&str> = rows
        .iter()
        .filter(|row| row.indicator == "inpatient-waiting" && row.level == "rhf" && row.stratum == "total")
        .map(|row| row.period.as_str())
        .filter(|period| period.contains(".."))
        .collect();
    assert_eq!(windows, ["2024-04..2025-03", "2024-07..2025-06", "2024-10..2025-09"]);
    assert!(rows.iter().filter(|row| row.period.contains("..")).all(|row| row.change.is_none()));
    tables_about_units_tell_nothing_of_others(&place, &rows);
    // The table of weights speaks of the same people.
    let weights: Vec<Weighting> = place.table("region");
    let year = weights.iter().find(|row| row.indicator == "inpatient-staff" && row.period == "2025").expect("a row");
    let staff =
        rows.iter().find(|row| row.level == "rhf" && row.indicator == "inpatient-staff" && row.period == "2025");
    assert_eq!(Some(year.n), staff.and_then(|row| row.n));
    assert_eq!((year.method.as_str(), year.strata_incomplete), ("design", 0));
}

#[test]
fn response_is_told_by_unit_and_group() {
    let place = Place::region(6_000);
    place.run(&[]);
    let rows: Vec<Response> = place.table("region");
    let region = |stratum: &str| {
        let row = rows.iter().find(|row| row.level == "rhf" && row.period == "2025" && row.stratum == stratum);
        row.unwrap_or_else(|| panic!("no row for {stratum}"))
    };
    let total = region("total");
    let (asked, answered) = (total.asked.expect("shown"), total.answered.expect("shown"));
    assert!((total.response_rate.expect("shown") - answered as f64 / asked as f64).abs() < 1e-12);
    assert!(rows.iter().any(|row| row.invited.is_some()));
    for row in rows.iter().filter(|row| row.invited.is_some()) {
        let beside =
            row.undeliverable.zip(row.ineligible).map(|(undeliverable, ineligible)| undeliverable + ineligible);
        assert_eq!(row.invited.zip(beside).map(|(invited, beside)| invited - beside), row.asked, "{row:?}");
    }
    for groups in [["sex=1", "sex=2"].as_slice(), &["admission=acute", "admission=planned"]] {
        let sum: i64 = groups.iter().filter_map(|group| region(group).answered).sum();
        assert_eq!(sum, answered, "{groups:?}");
    }
    let ward = |row: &&Response| row.level == "ward" && row.stratum == "total";
    assert!(rows.iter().filter(ward).filter(|row| row.answered.is_some_and(|n| n >= 5)).count() > 50);
    assert!(rows.iter().all(|row| !row.answered.is_some_and(|n| (1..5).contains(&n))));
    assert!(rows.iter().all(|row| !row.stratum.ends_with("=unknown")));
    // Answers without a score are told by their reason where the scale has it.
    let quality: Vec<SurveyQuality> = place.table("region");
    let (mut of_two, mut of_one) = (0, 0);
    for row in quality.iter().filter(|row| row.kind == "item") {
        assert_eq!(row.n, row.n_scored + row.n_blank + row.n_other_missing, "{row:?}");
        match (row.n_not_applicable, row.n_dont_know) {
            (Some(not_applicable), Some(dont_know)) => {
                assert_eq!(not_applicable + dont_know, row.n_other_missing, "{row:?}");
                of_two += i64::from(not_applicable > 0 && dont_know > 0);
            }
            (None, Some(dont_know)) | (Some(dont_know), None) => {
                assert_eq!(dont_know, row.n_other_missing, "{row:?}");
                of_one += 1;
            }
            // The scale has no reasons, or a few people are behind one.
            (None, None) => {}
        }
        let told = [row.n_not_applicable, row.n_dont_know].into_iter().flatten();
        assert!(told.into_iter().all(|count| count == 0 || count >= 5), "{row:?}");
    }
    assert!(of_two > 20 && of_one > 0, "{of_two} items with both reasons, {of_one} with one");
}

#[test]
fn weights_for_non_response_meet_the_register() {
    let place = Place::region(6_000);
    changed(
        &place,
        &[
            (STAFF, "weighting = \"design\"\n", "weighting = \"rake\"\n"),
            (
                HIGH,
                "weighting = \"design\"\n",
                "weighting = \"post-stratify\"\nweights = { margins = [\"sex\", \"age-band\"] }\n",
            ),
        ],
    );
    place.run(&["--indicator", "inpatient-staff", "--indicator", "inpatient-overall-high"]);
    let release =
        fs::read_dir(place.path().join("published/releases")).expect("releases").next().expect("one").expect("it");
    let region = release.path().join("region");
    let (weights, _) = read_table::<Weighting>(&region.join("weighting.parquet")).expect("a table");
    assert!(!weights.is_empty());
    for row in &weights {
        let method = if row.indicator == "inpatient-staff" { "rake" } else { "post-stratify" };
        assert_eq!(row.method, method);
        assert!(row.largest_gap.expect("filled") <= 1e-10, "{row:?}");
        assert!(row.categories.expect("filled") > 0 && row.iterations.expect("filled") > 0);
        assert!(row.n_effective.expect("filled") <= row.n as f64 + 1e-6);
    }
    // A region of 6,000 has hospitals whose oldest are few.
    assert!(weights.iter().any(|row| row.collapsed.as_deref().is_some_and(|text| text.contains("age-band "))));
    let (rows, _) = read_table::<Estimate>(&region.join("estimates.parquet")).expect("a table");
    let raked =
        rows.iter().find(|row| row.indicator == "inpatient-staff" && row.level == "rhf" && row.period == "2025");
    let raked = raked.expect("a row");
    assert_eq!(raked.method, "random-intercept/within/raked");
    assert!(raked.value.is_some_and(|value| (20.0..95.0).contains(&value)) && raked.se.is_some_and(|se| se < 3.0));
    let output = prem(place.path(), &["status", "--config", "prem.toml"]);
    expect_code(&output, 0);
}
