//! The shipped municipality numbers against the table that an analysis group keeps (reference/organisation).

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a test fails by panicking and says what it compared")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use jiff::civil::date;
use prem_spec::{Lineage, Municipality, Plan, compile, load_folder, municipality_number};

#[path = "../../../tests/common/reference_folder.rs"]
mod reference_folder;

/// Their table reaches further back than ours.
const FIRST_YEAR: i16 = 2012;
/// Successors that a divided municipality has here; their table assigns it to one of them.
const DIVIDED: [&str; 4] = ["1507", "1613", "1850", "5012"];

fn reference() -> Option<PathBuf> {
    reference_folder::find("organisation/forny_komnr.csv")?;
    reference_folder::find("organisation")
}

fn shipped() -> Plan {
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    compile(&load_folder(&schemas).expect("shipped declarations")).plan.expect("a plan")
}

/// (old number, year, new number) of every change, in the order of years.
fn their_changes(folder: &Path) -> Vec<(String, i16, String)> {
    let text = fs::read_to_string(folder.join("forny_komnr.csv")).expect("the table of changes");
    let mut changes: Vec<(String, i16, String)> = text
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.split(';').collect();
            let year: i16 = cells.first()?.trim_start_matches('\u{feff}').parse().ok()?;
            Some((municipality_number(cells.get(1)?)?, year, municipality_number(cells.get(3)?)?))
        })
        .collect();
    changes.sort_by_key(|(_, year, _)| *year);
    changes
}

fn ends(lineage: &Lineage, place: &Municipality, found: &mut BTreeSet<String>) {
    let steps = lineage.later(place);
    if steps.is_empty() {
        found.insert(place.number.clone());
    }
    for step in steps {
        ends(lineage, &step.to, found);
    }
}

#[test]
fn every_chain_ends_where_the_reference_ends_it() {
    let Some(folder) = reference() else { return };
    let plan = shipped();
    let lineage = Lineage::new(&plan.municipalities);
    let theirs = their_changes(&folder);
    let next: BTreeMap<&str, &str> = theirs.iter().map(|(old, _, new)| (old.as_str(), new.as_str())).collect();
    let ours: BTreeSet<&str> =
        plan.municipalities.changes.iter().flat_map(|change| change.successors.keys()).map(String::as_str).collect();
    // Svalbard is no municipality; two municipalities that changed county on the way to their new number pass through a
    // number there that was never in use.
    let is_left_out = |number: &str| number.starts_with("21") || number == "3444" || number == "3445";
    let (mut compared, mut divided) = (0, BTreeSet::new());
    for (old, year, _) in theirs.iter().filter(|(old, year, _)| *year >= FIRST_YEAR && !is_left_out(old)) {
        assert!(ours.contains(old.as_str()), "{old}, which ended in {year}, is not declared");
        let mut last = old.as_str();
        while let Some(new) = next.get(last) {
            last = new;
        }
        let mut found = BTreeSet::new();
        ends(&lineage, &lineage.municipality(old, date(*year - 1, 7, 1)), &mut found);
        assert!(found.contains(last), "{old} ends as {found:?}, there as {last}");
        if found.len() > 1 {
            divided.insert(old.as_str());
        }
        compared += 1;
    }
    // Everything that came before Ålesund's division in 2024 leads to both of its parts.
    let of_aalesund = ["1504", "1523", "1529", "1534", "1546"];
    let expected: BTreeSet<&str> = DIVIDED.into_iter().chain(of_aalesund).collect();
    assert_eq!(divided, expected);
    let known: BTreeSet<&str> = theirs.iter().map(|(old, ..)| old.as_str()).collect();
    let only_here: Vec<&&str> = ours.iter().filter(|number| !known.contains(**number)).collect();
    assert!(only_here.is_empty(), "declared, but not in the reference: {only_here:?}");
    println!("{compared} numbers compared");
    assert!(compared > 480);
}

#[test]
fn every_number_of_today_has_an_area_in_the_reference() {
    let Some(folder) = reference() else { return };
    let text = fs::read_to_string(folder.join("boomr.csv")).expect("the table of areas");
    let today: BTreeSet<String> =
        text.lines().filter_map(|line| municipality_number(line.split(';').next()?)).collect();
    let plan = shipped();
    let lineage = Lineage::new(&plan.municipalities);
    let mut found = BTreeSet::new();
    for change in &plan.municipalities.changes {
        for old in change.successors.keys() {
            ends(&lineage, &lineage.municipality(old, change.on.yesterday().expect("a day before")), &mut found);
        }
    }
    let lacking: Vec<&String> = found.iter().filter(|number| !today.contains(*number)).collect();
    assert!(lacking.is_empty(), "{lacking:?}");
    assert!(found.len() > 270, "{}", found.len());
}
