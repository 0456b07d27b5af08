//! A baseline keeps the mix of patients fixed: every period's values stand at the baseline's mix.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use prem_store::tables::Estimate;
use tempfile::TempDir;

use crate::place::{Place, expect_code, text};

const UNITS: [&str; 6] = ["H01-A", "H01-B", "H02-A", "H02-B", "H03-A", "H03-B"];

/// Answers of two years; those of the second have a larger x, and x counts.
fn answers() -> String {
    let mut rows = "id,unit,outcome,x_code,date\n".to_owned();
    let mut state = 5_u64;
    let mut draw = |below: u64| -> i64 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % below) as i64
    };
    for (year, shift) in [(2024, 0), (2025, 900)] {
        for (place, unit) in UNITS.iter().enumerate() {
            for row in 0..40 {
                let x = shift + draw(2000) + 150 * place as i64;
                let outcome = 6000 + x / 2 + 200 * place as i64 + draw(1500);
                writeln!(rows, "{year}-{unit}-{row},{unit},{outcome},{x},{year}-03-03").expect("text");
            }
        }
    }
    rows
}

/// The declarations of the mixed models with dates from the file, and `case_mix` added to the indicator of the tree.
fn schemas(folder: &Path, case_mix: &str) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/e2e/mixed/schemas");
    let files = [
        ("organisations/units.toml", String::new()),
        ("questionnaires/bank.toml", String::new()),
        ("questionnaires/tree.toml", String::new()),
        ("exports/tree.toml", String::new()),
        ("indicators/outcome.toml", case_mix.to_owned()),
    ];
    for (name, added) in files {
        let text = fs::read_to_string(from.join(name)).expect("a declaration");
        let text = text.replace("answered_at = { constant = \"2025-03-03\" }", "answered_at = \"date\"");
        let text = text.replace("[case_mix]\n", &format!("[case_mix]\n{added}"));
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("written");
    }
}

/// A region with the answers of two years, and its declarations.
fn delivered(case_mix: &str) -> (Place, TempDir) {
    let declared = tempfile::tempdir().expect("a folder");
    schemas(declared.path(), case_mix);
    let place = Place::empty(declared.path());
    fs::write(place.inbox("tree.csv"), answers()).expect("a delivery");
    (place, declared)
}

fn published(case_mix: &str) -> Place {
    let (place, _declared) = delivered(case_mix);
    place.run(&[]);
    place
}

/// Published wards by period and unit.
fn wards(case_mix: &str) -> BTreeMap<(String, String), Estimate> {
    let place = published(case_mix);
    let rows: Vec<Estimate> = place.table("region");
    rows.into_iter()
        .filter(|row| row.level == "ward")
        .map(|row| ((row.period.clone(), row.unit_id.clone()), row))
        .collect()
}

#[test]
fn every_period_stands_at_the_baselines_mix() {
    let (own, fixed) = (wards(""), wards("baseline = \"2024\"\n"));
    assert_eq!(own.len(), 2 * UNITS.len());
    let mut moves = Vec::new();
    for ((period, unit), row) in &fixed {
        let before = &own[&(period.clone(), unit.clone())];
        let (value, was) = (row.value.expect("a value"), before.value.expect("a value"));
        assert!(row.method.ends_with("/baseline 2024"), "{}", row.method);
        if period == "2024" {
            assert!((value - was).abs() < 1e-9, "{unit}: the baseline's own period does not move");
            continue;
        }
        moves.push(value - was);
        // Both values of a change stand at one mix, so it is their difference, which is not so otherwise.
        let earlier =
            |of: &BTreeMap<(String, String), Estimate>| of[&("2024".to_owned(), unit.clone())].value.expect("a value");
        assert!((row.change.expect("a change") - (value - earlier(&fixed))).abs() < 1e-9, "{unit}");
        assert!((before.change.expect("a change") - (was - earlier(&own))).abs() > 1.0, "{unit}");
    }
    // x rose by about 900 thousandths, which is worth about 450 hundredths; all units move alike.
    assert!(moves.iter().all(|by| (by - moves[0]).abs() < 1e-8), "{moves:?}");
    assert!((-600.0..-300.0).contains(&moves[0]), "{moves:?}");
}

#[test]
fn a_baseline_without_respondents_is_named() {
    let (place, _declared) = delivered("baseline = \"2023\"\n");
    let output = place.prem(&["run"]);
    expect_code(&output, 66);
    let said = text(&output.stderr);
    assert_eq!(said.matches("the baseline 2023 gives no mix of patients to refer to (").count(), 2, "{said}");
}
