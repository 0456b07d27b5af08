//! A form that changes in the middle of the year, with an addition of one trust: one item is worded anew, one is added, one
//! has a filter; and who counts in each indicator adds up.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
};

use prem_store::tables::{Estimate, SurveyQuality, Trend};
use serde_json::Value;

use crate::place::{Place, prem, text};

const WARDS: [&str; 4] = ["A1", "A2", "B1", "B2"];
/// Answers of a ward in a month.
const ANSWERS: u32 = 40;
/// Of ten answers, this many are of somebody else.
const BY_ANOTHER: u32 = 1;

/// A month's file. The first form has neither `time` nor `quiet`, and its files lack the columns.
fn answers(month: u32) -> String {
    let is_second = month >= 7;
    let form = if is_second { 2 } else { 1 };
    let mut file = "id;ward;form;date;mode;language;listened;care;mistake;mistake_handled;answered_by".to_owned();
    file.push_str(if is_second { ";time;quiet\n" } else { "\n" });
    for (ward, code) in (0u32..).zip(WARDS) {
        for i in 0..ANSWERS {
            let mix = |salt: u32| 1 + (i * i + salt * i + ward + month) % 5;
            // Every fourth had a mistake; some of the others answer the question that is not for them.
            let (mistake, handled) = match i % 4 {
                0 => ("1", mix(1).to_string()),
                1 => ("2", "3".to_owned()),
                _ => ("2", String::new()),
            };
            let by = if i % 10 < BY_ANOTHER { 3 } else { 1 };
            write!(
                file,
                "r{month}-{code}-{i};{code};{form};2025-{month:02}-{:02};digital;nb;{};{};{mistake};{handled};{by}",
                1 + i % 28,
                mix(2),
                mix(3)
            )
            .expect("a text");
            if is_second {
                // Trust B was not asked about quiet, and one of its wards answers all the same.
                let quiet = if code == "B2" || code.starts_with('A') { mix(4).to_string() } else { String::new() };
                write!(file, ";{};{quiet}", mix(5)).expect("a text");
            }
            file.push('\n');
        }
    }
    file
}

fn place() -> Place {
    let place = Place::empty(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/e2e/versions/schemas"));
    for month in 1..=12 {
        fs::write(place.inbox(&format!("answers_2025-{month:02}.csv")), answers(month)).expect("a file");
    }
    // The old form after its time, and a form that nobody declared.
    let strays = "id;ward;form;date;mode;language;listened;care;mistake;mistake_handled;answered_by\n\
                  s1;A1;1;2025-08-01;digital;nb;1;1;2;;1\ns2;A1;3;2025-08-01;digital;nb;1;1;2;;1\n";
    fs::write(place.inbox("answers_2025-13.csv"), strays).expect("a file");
    place
}

fn count(value: &Value) -> u64 {
    value.as_u64().expect("a count")
}

#[test]
fn a_reworded_item_breaks_its_series_and_no_other() {
    let place = place();
    place.run(&[]);
    let release = place.current().expect("a release");
    let rows: Vec<Estimate> = place.table("region");
    let row = |indicator: &str, period: &str, unit: &str| {
        rows.iter().find(|row| row.indicator == indicator && row.period == period && row.unit_id == unit)
    };
    let change = |indicator: &str, period: &str| row(indicator, period, "region").expect("the region's row").change;
    for indicator in ["listened", "staff"] {
        assert!(change(indicator, "2025-Q2").is_some() && change(indicator, "2025-Q4").is_some(), "{indicator}");
        assert_eq!(change(indicator, "2025-Q3"), None, "{indicator} over the break");
        assert!(row(indicator, "2025-Q3", "a-1").is_some_and(|row| row.value.is_some()), "{indicator} goes on");
    }
    for period in ["2025-Q2", "2025-Q3", "2025-Q4"] {
        assert!(change("care", period).is_some(), "care in {period}: its question is the same");
    }
    assert!(row("time", "2025-Q2", "region").is_none() && row("time", "2025-Q3", "region").is_some());
    assert!(change("time", "2025-Q4").is_some() && row("time", "2025-T2", "region").is_some());
    assert_eq!(change("time", "2025-T3"), None, "from a tertial of which half was not asked");

    let manifest = place.manifest();
    let breaks = manifest["series_breaks"].as_array().expect("a list");
    let found: BTreeMap<(&str, &str), (bool, &Value)> = breaks
        .iter()
        .map(|one| {
            let text = |name: &str| one[name].as_str().expect("a text");
            assert_eq!(text("since"), "2025-07-01");
            ((text("indicator"), text("period")), (one["mixed"].as_bool().expect("a flag"), &one["reworded"]))
        })
        .collect();
    let keys: Vec<_> = found.keys().copied().collect();
    let wanted = ["listened", "quiet", "staff", "time"].map(|indicator| [(indicator, "2025"), (indicator, "2025-Q3")]);
    assert_eq!(keys, [wanted.as_flattened(), &[("time", "2025-T2"), ("time", "2025-T3")]].concat());
    assert_eq!(found[&("listened", "2025-Q3")], (false, &serde_json::json!(["listened"])));
    assert!(found[&("listened", "2025")].0, "the year mixes both forms");
    let page = fs::read_to_string(release.join("hf/trust-b/index.html")).expect("a page");
    assert!(page.contains("Ny ordlyd fra 01.07.2025: «Lyttet personalet til deg?»."));
    assert!(page.contains("Nytt spørsmål fra 01.07.2025: «Hadde personalet tid?»."));

    let trends: Vec<Trend> = place.table("region");
    let first = |indicator: &str| {
        let is_it = |row: &&Trend| row.indicator == indicator && row.unit_id == "region" && row.length == "quarter";
        trends.iter().find(is_it).map(|row| row.first_period.as_str())
    };
    assert_eq!((first("listened"), first("care")), (Some("2025-Q3"), Some("2025-Q1")), "the series begins anew");

    let excluded = &manifest["rows"]["responses"]["excluded"];
    assert_eq!((count(&excluded["outside-validity"]), count(&excluded["other-version"])), (1, 1));
}

#[test]
fn a_narrowed_run_names_no_period_that_was_not_asked_for() {
    let place = place();
    let empty = |release: &str| -> BTreeSet<String> {
        let manifest = fs::read_to_string(place.path().join("published").join(release).join("manifest.json"));
        let manifest: Value = serde_json::from_str(&manifest.expect("a manifest")).expect("JSON");
        let missing = manifest["not_estimated"].as_array().expect("a list");
        missing.iter().map(|one| one["period"].as_str().expect("a period").to_owned()).collect()
    };
    place.run(&[]);
    assert_eq!(
        empty("current"),
        ["2025-Q1", "2025-Q2", "2025-T1"].map(str::to_owned).into(),
        "nobody had time and quiet"
    );
    let narrowed = place.run(&["--period", "2025-Q1"]);
    let run = narrowed["run_id"].as_str().expect("a run id");
    assert_eq!(empty(&format!("releases/{run}")), ["2025-Q1".to_owned()].into());
}

#[test]
fn survey_quality_tells_versions_apart() {
    let place = place();
    place.run(&[]);
    let rows: Vec<SurveyQuality> = place.table("region");
    let of = |version: &str, subject: &str| {
        let is_it = |row: &&SurveyQuality| row.questionnaire_version == version && row.subject == subject;
        rows.iter().find(is_it).map(|row| (row.item_version, row.n))
    };
    let half = i64::from(6 * ANSWERS * 4);
    assert_eq!(of("1", "listened"), Some((Some(1), half)));
    assert_eq!(of("2", "care"), Some((Some(1), half)));
    assert_eq!(of("2", "staff"), Some((None, half)));
    assert_eq!(
        rows.iter()
            .find(|row| row.subject == "listened" && row.questionnaire_version == "2")
            .and_then(|row| row.item_version),
        Some(2)
    );
    assert_eq!((of("1", "time"), of("2", "time")), (None, Some((Some(1), half))));
    assert_eq!((of("1", "quiet"), of("2", "quiet")), (None, Some((Some(1), half / 2))), "of trust A only");
    assert_eq!(of("1", "mistake_handled"), Some((Some(1), half / 4)), "of those who had a mistake");
}

#[test]
fn a_trusts_addition_is_its_own() {
    let place = place();
    place.run(&[]);
    let release = place.current().expect("a release");
    let read = |folder: &str| {
        let rows: Vec<Estimate> = place.table(folder);
        rows.into_iter().filter(|row| row.indicator == "quiet").collect::<Vec<_>>()
    };
    let own = read("hf/trust-a");
    assert!(own.iter().any(|row| row.level == "hf" && row.value.is_some()));
    for row in own.iter().chain(&read("region")) {
        assert!(["trust-a", "a-1", "a-2"].contains(&row.unit_id.as_str()), "{}", row.unit_id);
        assert_eq!(
            (row.reference, row.difference, &row.comparison),
            (None, None, &None),
            "there is no region to compare with"
        );
    }
    assert!(read("hf/trust-b").is_empty());
    let quality: Vec<SurveyQuality> = place.table("hf/trust-b");
    assert!(!quality.is_empty() && quality.iter().all(|row| row.subject != "quiet"));
    let page = fs::read_to_string(release.join("hf/trust-a/index.html")).expect("a page");
    assert!(page.contains("lokalt tillegg ved Helseforetak A"));
    let manifest = place.manifest();
    let unasked = &manifest["unasked_answers"]["form"];
    assert_eq!(count(&unasked["quiet"]), u64::from(6 * ANSWERS), "answers of ward B2");
    assert_eq!(
        count(&unasked["mistake_handled"]),
        u64::from(12 * 4 * ANSWERS / 4),
        "answers of those without a mistake"
    );
}

/// Linked responses = counted + left out, and the region's n is who counts.
fn assert_adds_up(place: &Place) -> BTreeMap<(String, String), BTreeMap<String, u64>> {
    let rows: Vec<Estimate> = place.table("region");
    let manifest = place.manifest();
    let mut reasons = BTreeMap::new();
    let mut compared = 0;
    for (indicator, periods) in manifest["population"].as_object().expect("indicators") {
        for (period, of) in periods.as_object().expect("periods") {
            let left_out: BTreeMap<String, u64> = of["left_out"]
                .as_object()
                .expect("reasons")
                .iter()
                .map(|(reason, rows)| (reason.clone(), count(rows)))
                .collect();
            assert_eq!(
                count(&of["linked"]),
                count(&of["counted"]) + left_out.values().sum::<u64>(),
                "{indicator} {period}"
            );
            let region = rows.iter().find(|row| {
                row.indicator == *indicator && row.period == *period && row.level == "rhf" && row.stratum == "total"
            });
            if let Some(n) = region.and_then(|row| row.n) {
                assert_eq!(u64::try_from(n).ok(), of["counted"].as_u64(), "{indicator} {period}");
                compared += 1;
            }
            reasons.insert((indicator.clone(), period.clone()), left_out);
        }
    }
    assert!(compared > 5, "{compared} values of the region");
    reasons
}

#[test]
fn who_does_not_count_has_a_reason() {
    let place = place();
    place.run(&[]);
    let reasons = assert_adds_up(&place);
    let of = |indicator: &str| &reasons[&(indicator.to_owned(), "2025".to_owned())];
    let all = u64::from(12 * 4 * ANSWERS);
    assert_eq!(of("time")["not-asked"], all / 2);
    assert_eq!(of("quiet")["not-asked"], all / 2 + all / 4);
    assert_eq!(of("handled")["filtered"], all * 3 / 4);
    assert_eq!(of("whole").get("not-answered"), None, "whoever a filter kept from an item answered all of theirs");
    assert_eq!(of("care")["answered-by-another"], all / 10);
    let status = text(&prem(place.path(), &["status", "--config", "prem.toml"]).stdout);
    assert!(
        status.contains(&format!("care: 1 728 of 1 920 linked count; left out: answered-by-another {}", all / 10)),
        "{status}"
    );
}

#[test]
fn populations_add_up_in_a_region_with_two_questionnaires() {
    let place = Place::region(4_000);
    place.run(&[]);
    let reasons = assert_adds_up(&place);
    let of = |indicator: &str| &reasons[&(indicator.to_owned(), "all".to_owned())];
    assert!(of("outpatient-staff")["answered-by-another"] > 0);
    assert!(of("inpatient-staff").contains_key("not-answered"));
}
