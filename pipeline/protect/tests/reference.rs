//! Patterns and tables of the reference set: what looks safe and is not, and tables whose smallest answer is known.

#![allow(clippy::expect_used, clippy::cast_precision_loss, reason = "tests fail by panicking; counts are small")]

mod common;
#[path = "../../../tests/common/reference_folder.rs"]
mod reference_folder;

use std::{collections::BTreeMap, path::PathBuf};

use common::{RATE, plan, row, unprotected};
use prem_protect::{How, SECONDARY, audit, protect, tables::Estimate};
use prem_spec::{Level, Plan};

struct Table {
    plan: Plan,
    rows: Vec<Estimate>,
    names: Vec<String>,
}

fn folder() -> Option<PathBuf> {
    reference_folder::find("suppression")
}

fn records(name: &str) -> Vec<BTreeMap<String, String>> {
    let path = folder().expect("present").join(name);
    let mut reader = csv::Reader::from_path(path).expect("readable");
    reader.deserialize().collect::<Result<_, _>>().expect("a table")
}

fn id(name: &str) -> String {
    name.to_lowercase()
}

/// Cells (name, unit, parent, category, count) as a rate: units are the hierarchy, categories are strata.
fn table(cells: &[(String, String, String, String, f64)], smallest_shown: u64) -> Table {
    let mut units: Vec<(String, Level, String)> = Vec::new();
    for (_, unit, parent, ..) in cells {
        if !units.iter().any(|(known, ..)| *known == id(unit)) {
            let above = units.iter().find(|(known, ..)| *known == id(parent)).map(|(_, level, _)| *level);
            let level = above.map_or(Level::Rhf, |level| Level::ALL[level as usize + 1]);
            units.push((id(unit), level, id(parent)));
        }
    }
    let units: Vec<_> = units.iter().map(|(id, level, parent)| (id.as_str(), *level, parent.as_str())).collect();
    let plan = plan(&units, smallest_shown, true);
    let stratum = |category: &str| if category == "all" { "total".to_owned() } else { format!("category={category}") };
    let rows = cells
        .iter()
        .map(|(_, unit, _, category, count)| row(&plan, RATE, "2025", &id(unit), &stratum(category), 10_000, *count))
        .collect();
    Table { rows, names: cells.iter().map(|cell| cell.0.clone()).collect(), plan }
}

fn toy(name: &str) -> Table {
    let cells: Vec<_> = records(&format!("{name}_cells.csv"))
        .into_iter()
        .map(|r| {
            let category = r.get("category").cloned().unwrap_or("all".to_owned());
            (r["cell"].clone(), r["unit"].clone(), r["parent"].clone(), category, r["count"].parse().expect("a count"))
        })
        .collect();
    table(&cells, 5)
}

fn z1() -> Table {
    let cells: Vec<_> = records("z1_expected.csv")
        .into_iter()
        .map(|r| {
            let (region, category) = (r["region"].clone(), r["hovedint"].clone());
            let parent = if region == "Total" { String::new() } else { "Total".to_owned() };
            let stratum = if category == "Total" { "all".to_owned() } else { category.clone() };
            (format!("{region} x {category}"), region, parent, stratum, r["count"].parse().expect("a count"))
        })
        .collect();
    table(&cells, 4)
}

fn load(name: &str) -> Table {
    if name == "z1" { z1() } else { toy(name) }
}

/// Withholds the named cells as protection would, and nothing else.
fn withhold(table: &Table, names: &[&str]) -> Vec<Estimate> {
    let alone = |row: &Estimate| {
        let mut row = row.clone();
        // Few events by themselves: the row comes back blank.
        row.numerator = Some(1.0);
        protect(&table.plan, unprotected(vec![row])).expect("protected").estimates()[0].clone()
    };
    table
        .rows
        .iter()
        .zip(&table.names)
        .map(|(row, name)| if names.contains(&name.as_str()) { alone(row) } else { row.clone() })
        .collect()
}

#[test]
fn the_audit_finds_exactly_what_the_counterexamples_give_away() {
    if folder().is_none() {
        return;
    }
    for example in records("counterexamples.csv") {
        let table = load(&example["table"]);
        let suppressed: Vec<&str> = example["suppressed"].split("; ").collect();
        let rows = withhold(&table, &suppressed);
        let mut found: Vec<&str> = audit(&table.plan, &rows)
            .expect("audited")
            .into_iter()
            .filter(|found| found.how == How::Determined)
            .map(|found| {
                let same = |row: &Estimate| row.unit_id == found.unit_id && row.stratum == found.stratum;
                table.names[rows.iter().position(same).expect("a row")].as_str()
            })
            .collect();
        found.sort_unstable();
        let mut expected: Vec<&str> = example["determined"].split("; ").collect();
        expected.sort_unstable();
        assert_eq!(found, expected, "{}", example["why"]);
    }
}

#[test]
fn every_listed_minimum_set_passes_the_audit() {
    if folder().is_none() {
        return;
    }
    let properties = records("properties.csv");
    for name in ["z1", "toy_a", "toy_b"] {
        let table = load(name);
        let primary = properties
            .iter()
            .find(|p| p["table"] == name && p["property"] == "primary cells")
            .expect("listed")["value"]
            .clone();
        for set in records(&format!("{name}_minimum_sets.csv")) {
            let cells: Vec<&str> = primary.split("; ").chain(set["cells"].split("; ")).collect();
            let determined: Vec<_> = audit(&table.plan, &withhold(&table, &cells))
                .expect("audited")
                .into_iter()
                .filter(|found| found.how == How::Determined)
                .collect();
            assert_eq!(determined, [], "{name}: {}", set["cells"]);
        }
    }
}

#[test]
fn protection_hides_the_primaries_and_little_more() {
    if folder().is_none() {
        return;
    }
    // Smallest sets that keep cells from being determined: 3, 1 and 6. In toy_a that one (N1) leaves N1b + N3 = 7 of at
    // most 4 each, so that 3 and 4 are all they can be; with five possible counts to keep, two are needed.
    for (name, primaries, most) in [("z1", 3, 3), ("toy_a", 2, 2), ("toy_b", 2, 7)] {
        let table = load(name);
        let protected = protect(&table.plan, unprotected(table.rows.clone())).expect("protected");
        let hidden = protected.estimates().iter().zip(&table.names).filter(|(row, _)| row.suppressed);
        let (secondary, primary): (Vec<_>, Vec<_>) =
            hidden.partition(|(row, _)| row.suppression_reason.as_deref() == Some(SECONDARY));
        assert_eq!(primary.len(), primaries, "{name}");
        let names: Vec<_> = secondary.iter().map(|(_, name)| name).collect();
        assert!(names.len() <= most, "{name}: {names:?}");
    }
}
