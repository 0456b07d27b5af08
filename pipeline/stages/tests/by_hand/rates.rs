//! A rate of two areas whose persons may have two hips done, with places in the numbers of several years.
//!
//! East: 8 men with one operation and 2 with two, of 1000. West: 20 men with one, of 2000. As many women, without operations.
//! Region weights are 3000 and 3000, so w = ½ for each sex, and by hand:
//! value(east) = 1000 · ½ · 12/1000 = 6; Var = 1000² · ¼ · (8·1² + 2·2²)/1000² = 4;
//! R = 1000 · ½ · 32/3000 = 16/3; Var Δ = 1000² · ¼ · [(1/1000 − 1/3000)²·16 + 20/3000²] = 7/3;
//! κ = (28·1² + 2·2²)/(28·1 + 2·2) = 36/32; E = 32/3 and 64/3;
//! SCV = 100 · mean((4/3)²/E² − κ/E) = −6.93359375.

use std::collections::BTreeMap;

use polars::prelude::*;
use prem_spec::Plan;
use prem_stages::{
    Areas, Part, RateCells, VaryInputs, count_events,
    estimate::{EstimateInputs, Estimated, estimate},
    load_areas, vary,
};
use tempfile::TempDir;

use crate::world::{dates, frame, part, plan, text, times};

const TOLERANCE: f64 = 1e-12;

/// One contact: person, municipality, district, procedure, day of discharge.
struct Contact(String, &'static str, Option<&'static str>, &'static str, String);

fn contacts() -> Vec<Contact> {
    let day = |n: usize| format!("2025-{:02}-{:02}T12:00", 1 + n % 12, 10 + n / 12);
    let mut all = Vec::new();
    // East in the numbers of 2024, of 2020 (a register that lags), and of 2019.
    for n in 0..8 {
        all.push(Contact(format!("e{n}"), ["3203", "3025", "0627"][n % 3], None, "NFB20", day(n)));
    }
    for n in 8..10 {
        all.push(Contact(format!("e{n}"), "3203", None, "NFB20", day(0)));
        all.push(Contact(format!("e{n}"), "3203", None, "NFB30", day(11)));
    }
    for n in 0..20 {
        let (municipality, district) = [("3201", None), ("0301", Some("030101"))][n % 2];
        all.push(Contact(format!("w{n}"), municipality, district, "NFB20", day(n)));
    }
    // A transfer within the episode of the first of west, an operation that does not count, and people of unclear residence.
    all.push(Contact("w0".to_owned(), "3201", None, "NFB40", "2025-01-10T16:00".to_owned()));
    all.push(Contact("w1".to_owned(), "3201", None, "NGB20", "2025-06-01T12:00".to_owned()));
    for (person, municipality, district) in
        [("x1", "0301", None), ("x2", "0301", Some("030199")), ("x3", "5001", None), ("x4", "3101", None)]
    {
        all.push(Contact(person.to_owned(), municipality, district, "NFB20", day(5)));
    }
    all
}

fn inputs(folder: &TempDir) -> (Vec<Part>, Vec<Part>, Vec<Part>) {
    let all = contacts();
    let n = all.len();
    let ids: Vec<String> = (0..n).map(|n| format!("c{n:03}")).collect();
    let texts = |of: &dyn Fn(&Contact) -> Option<String>| -> Vec<Option<String>> { all.iter().map(of).collect() };
    let days: Vec<&str> = all.iter().map(|contact| contact.4.as_str()).collect();
    let rows = frame(vec![
        Column::new("contact_id".into(), ids),
        Column::new("person_id".into(), texts(&|c| Some(c.0.clone()))),
        times("admitted_at", &days),
        times("discharged_at", &days),
        Column::new("age".into(), vec![70_i64; n]),
        Column::new("sex".into(), vec![1_i16; n]),
        Column::new("municipality".into(), texts(&|c| Some(c.1.to_owned()))),
        Column::new("district".into(), texts(&|c| c.2.map(str::to_owned))),
        Column::new("urgency".into(), vec![4_i16; n]),
        Column::new("care_level".into(), vec![1_i16; n]),
        Column::new("procedures".into(), texts(&|c| Some(c.3.to_owned()))),
        Column::new("main_diagnosis".into(), vec![Some("M161"); n]),
    ]);
    // In the numbers of 2020, and one row that ended long ago.
    let catchment = frame(vec![
        text("municipality", &[Some("3025"), Some("3024"), Some("0301"), Some("0301"), Some("3001")]),
        text("district", &[None, None, Some("030101"), Some("030102"), None]),
        text("hf", &[Some("east"), Some("west"), Some("west"), Some("east"), Some("east")]),
        dates("valid_from", &["2015-01-01"; 5]),
        dates("valid_to", &["", "", "", "", "2020-01-01"]),
    ]);
    let population = frame(vec![
        Column::new("year".into(), vec![2025_i64; 6]),
        text("municipality", &[Some("3203"), Some("3203"), Some("3201"), Some("3201"), Some("0301"), Some("0301")]),
        text("district", &[None, None, None, None, Some("030101"), Some("030101")]),
        Column::new("age".into(), vec![70_i64; 6]),
        Column::new("sex".into(), vec![1_i16, 2, 1, 2, 1, 2]),
        Column::new("persons".into(), vec![1000_i64, 1000, 1500, 1500, 500, 500]),
    ]);
    let path = folder.path();
    (
        vec![part(path, "contacts", rows)],
        vec![part(path, "catchment", catchment)],
        vec![part(path, "population", population)],
    )
}

fn counted(plan: &Plan) -> (Areas, BTreeMap<String, RateCells>) {
    let folder = TempDir::new().expect("a folder");
    let (contacts, catchment, population) = inputs(&folder);
    let areas = load_areas(plan, &catchment, &population).expect("areas");
    let events = count_events(plan, &contacts, &areas).expect("events");
    (areas, events)
}

fn estimated(plan: &Plan) -> Estimated {
    let (areas, events) = counted(plan);
    let inputs = EstimateInputs {
        plan,
        scored: &BTreeMap::new(),
        invited: &BTreeMap::new(),
        events: &events,
        areas: &areas,
        periods: &[],
        run_id: "by-hand",
    };
    estimate(&inputs, &[]).expect("estimates")
}

#[test]
fn residence_is_found_in_the_numbers_of_any_year_or_has_its_reason() {
    let plan = plan();
    let (areas, events) = counted(&plan);
    let cells = &events["hip"];
    assert_eq!((cells.contacts, cells.same_episode), (37, 1));
    let excluded: Vec<(&str, u64)> = cells.excluded.iter().map(|(reason, n)| (reason.as_str(), *n)).collect();
    assert_eq!(excluded, [("area-gap", 1), ("area-unknown", 1), ("district-unknown", 2)]);
    let codes = |reason: &str| -> Vec<(&str, u64)> {
        cells.unplaced[reason].iter().map(|(code, n)| (code.as_str(), *n)).collect()
    };
    assert_eq!(codes("district-unknown"), [("0301", 1), ("030199", 1)]);
    assert_eq!(codes("area-gap"), [("3101", 1)]);
    assert_eq!(codes("area-unknown"), [("5001", 1)]);
    assert!(areas.unplaced_persons.is_empty(), "{:?}", areas.unplaced_persons);
}

#[test]
fn the_variance_counts_persons_and_not_operations() {
    let plan = plan();
    let estimated = estimated(&plan);
    assert!(estimated.not_estimated.is_empty(), "{:?}", estimated.not_estimated);
    let row = |id: &str| estimated.estimates.iter().find(|row| row.unit_id == id).expect("a row");
    let close = |actual: Option<f64>, expected: f64| {
        let actual = actual.expect("a number");
        assert!((actual - expected).abs() < TOLERANCE * expected.abs(), "{actual}, not {expected}");
    };
    let east = row("east");
    close(east.numerator, 12.0);
    close(east.value, 6.0);
    close(east.se, 2.0);
    close(east.reference, 16.0 / 3.0);
    close(east.difference_se, (7.0_f64 / 3.0).sqrt());
    close(row("west").se, (0.25_f64 * 20.0 / 4.0).sqrt());
    close(row("region").se, (0.25_f64 * 36.0 / 9.0).sqrt());
}

#[test]
fn variation_knows_that_operations_of_a_person_go_together() {
    let plan = plan();
    let estimated = estimated(&plan);
    let inputs = VaryInputs {
        plan: &plan,
        estimates: &estimated.estimates,
        components: &estimated.components,
        expected: &estimated.expected,
        persons: &estimated.persons,
        seed: 1,
        run_id: "by-hand",
    };
    let variation = vary(&inputs).expect("variation");
    let row = variation.iter().find(|row| row.level == "hf").expect("a row of trusts");
    let scv = row.scv_raw.expect("defined");
    assert!((scv + 6.933_593_75).abs() < 1e-10, "{scv}");
    // Σ(O − E)²/E = (16/9)·(3/32 + 3/64) = 1/4, divided by κ = 9/8.
    let chi2 = row.chi2.expect("defined");
    assert!((chi2 - 0.25 / 1.125).abs() < 1e-12, "{chi2}");
    assert!(row.scv_p.is_some_and(|p| p > 0.3), "nothing more than chance: {:?}", row.scv_p);
}
