//! Small hierarchies whose right answer can be seen.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "tests fail by panicking; counts are small"
)]

mod common;

use common::{RATE, SCORE, SHARE, UNITS, counts, hidden, plan, row, units, unprotected, variation};
use prem_protect::{Before, How, ProtectError, Protected, SECONDARY, audit, protect, tables::Estimate};
use prem_spec::{Level, Plan};

#[test]
fn a_small_ward_takes_its_smallest_sibling_with_it() {
    let plan = plan(&UNITS, 5, true);
    let rows = counts(&plan, SCORE, "2025", [12, 50, 45, 80], |n| n as f64 * 70.0);
    let protected = protect(&plan, unprotected(rows)).expect("protected");
    assert_eq!(units(&hidden(&protected)), [("n1", "few-respondents"), ("n3", SECONDARY)]);
    let ward = &protected.estimates()[3];
    assert_eq!((ward.n, ward.value, ward.se, ward.reference, ward.response_rate), (None, None, None, None, None));
    assert_eq!((ward.comparison.as_deref(), ward.goal_level.as_deref()), (Some("not-assessed"), None));
    assert_eq!(protected.estimates()[4].n, Some(50));
}

#[test]
fn without_a_sibling_the_total_goes_and_then_what_gives_it_away() {
    let plan = plan(&UNITS, 5, true);
    // s1 is all of south: both are small by themselves, and so is north's place in the region's total.
    let rows = counts(&plan, SCORE, "2025", [60, 50, 45, 20], |n| n as f64 * 70.0);
    let protected = protect(&plan, unprotected(rows)).expect("protected");
    let hidden = hidden(&protected);
    assert!(units(&hidden).starts_with(&[("north", SECONDARY), ("south", "few-respondents")]), "{hidden:?}");
    assert_eq!(audit(&plan, protected.estimates()).expect("audited"), []);
}

#[test]
fn a_year_gives_away_its_only_hidden_quarter() {
    let plan = plan(&UNITS[..1], 5, true);
    let n = [40, 12, 35, 50];
    let mut rows = vec![row(&plan, SCORE, "2025", "region", "total", n.iter().sum(), 0.0)];
    for (quarter, n) in n.into_iter().enumerate() {
        rows.push(row(&plan, SCORE, &format!("2025-Q{}", quarter + 1), "region", "total", n, 0.0));
    }
    let protected = protect(&plan, unprotected(rows)).expect("protected");
    let hidden: Vec<_> = hidden(&protected).into_iter().map(|(period, ..)| period).collect();
    assert_eq!(hidden, ["2025-Q2", "2025-Q3"]);
}

/// Rows of wards and their sums, from respondents per ward and quarter; the year is published, and `quarters`.
fn quarterly(plan: &Plan, wards: [[i64; 4]; 4], quarters: &[usize]) -> Vec<Estimate> {
    let year = wards.map(|ward| ward.iter().sum());
    let mut rows = counts(plan, SCORE, "2025", year, |n| n as f64);
    for quarter in quarters {
        let period = format!("2025-Q{}", quarter + 1);
        rows.extend(counts(plan, SCORE, &period, wards.map(|ward| ward[*quarter]), |n| n as f64));
    }
    rows.retain(|row| row.n != Some(0));
    rows
}

#[test]
fn a_quarter_that_was_not_estimated_is_not_empty() {
    let plan = plan(&UNITS, 5, true);
    // n3 answered only in the first quarter, of which nothing is published: the year is not the sum of the others.
    let wards = [[5, 10, 40, 41], [50, 9, 42, 43], [35, 0, 0, 0], [60, 61, 62, 63]];
    let protected = protect(&plan, unprotected(quarterly(&plan, wards, &[1, 2, 3]))).expect("protected");
    let hidden: Vec<_> = hidden(&protected).into_iter().map(|(period, unit, _)| format!("{period} {unit}")).collect();
    // North's second quarter is 19: with it goes south (its only ward is the same people), or the region's would tell; no
    // year and no other quarter does.
    let quarter = ["north", "south", "n1", "n2", "s1"].map(|unit| format!("2025-Q2 {unit}"));
    assert_eq!(hidden, quarter);
}

#[test]
fn a_quarter_that_nobody_misses_is_taken_for_empty() {
    let plan = plan(&UNITS, 5, true);
    // A year so far: it would give away the one small quarter.
    let wards = [[40, 41, 0, 0], [50, 9, 0, 0], [35, 36, 0, 0], [60, 61, 0, 0]];
    let rows = quarterly(&plan, wards, &[0, 1]);
    let protected = protect(&plan, unprotected(rows)).expect("protected");
    let hidden: Vec<_> = hidden(&protected).into_iter().map(|(period, unit, _)| format!("{period} {unit}")).collect();
    assert_eq!(hidden, ["2025-Q1 n2", "2025-Q1 n3", "2025-Q2 n2", "2025-Q2 n3"]);
}

#[test]
fn people_without_a_ward_do_not_withhold_the_rest() {
    let plan = plan(&UNITS, 5, true);
    let wards = [[60, 41, 0, 0], [50, 9, 0, 0], [35, 36, 0, 0], [60, 0, 0, 0]];
    let mut rows = quarterly(&plan, wards, &[0, 1]);
    // South's 40 of the second quarter belong to no ward: its year is not that of its only ward.
    rows.push(row(&plan, SCORE, "2025-Q2", "south", "total", 40, 40.0));
    for row in
        rows.iter_mut().filter(|row| row.period != "2025-Q1" && ["region", "south"].contains(&row.unit_id.as_str()))
    {
        row.n = row.n.map(|n| if row.unit_id == "south" && row.period == "2025-Q2" { n } else { n + 40 });
    }
    let protected = protect(&plan, unprotected(rows)).expect("protected");
    let hidden: Vec<_> = hidden(&protected).into_iter().map(|(period, unit, _)| format!("{period} {unit}")).collect();
    assert_eq!(hidden, ["2025-Q1 n2", "2025-Q1 n3", "2025-Q2 n2", "2025-Q2 n3"]);
}

#[test]
fn a_table_that_contradicts_itself_is_withheld_where_it_does() {
    let plan = plan(&UNITS[..1], 5, true);
    // Everybody has an age in the year and in the first quarter, nobody in the second: no pattern can explain that.
    let mut rows = vec![row(&plan, SCORE, "2025", "region", "total", 100, 0.0)];
    rows.push(row(&plan, SCORE, "2025-Q1", "region", "total", 88, 0.0));
    rows.push(row(&plan, SCORE, "2025-Q2", "region", "total", 12, 0.0));
    rows.push(row(&plan, SCORE, "2025", "region", "age=0-49", 88, 0.0));
    rows.push(row(&plan, SCORE, "2025-Q1", "region", "age=0-49", 88, 0.0));
    rows.push(row(&plan, SCORE, "2024", "region", "total", 90, 0.0));
    let protected = protect(&plan, unprotected(rows)).expect("protected");
    let shown: Vec<_> = protected.estimates().iter().filter(|row| !row.suppressed).map(|row| &row.period).collect();
    assert_eq!(shown, ["2024"]);
}

#[test]
fn proportions_hide_small_complements_and_rates_only_small_counts() {
    let plan = plan(&UNITS[..1], 5, true);
    let mut rows = vec![row(&plan, SHARE, "2025", "region", "total", 100, 97.0)];
    rows.push(row(&plan, SHARE, "2024", "region", "total", 100, 0.0));
    rows.push(row(&plan, RATE, "2025", "region", "total", 10, 9.0));
    rows.push(row(&plan, RATE, "2024", "region", "total", 10_000, 4.0));
    let protected = protect(&plan, unprotected(rows)).expect("protected");
    let reasons: Vec<_> = protected.estimates().iter().map(|row| row.suppression_reason.as_deref()).collect();
    assert_eq!(reasons, [Some("small-complement"), Some("small-count"), None, Some("small-count")]);
}

#[test]
fn two_small_counts_with_a_telling_sum_are_not_enough() {
    // 4 + 4 of a shown 38: an outsider who knows «at most 4» knows both.
    let plan = plan(&UNITS, 5, true);
    let at = |unit: &str, events: f64| row(&plan, RATE, "2025", unit, "total", 1000, events);
    let rows = vec![at("region", 38.0), at("north", 38.0), at("n1", 4.0), at("n2", 4.0), at("n3", 30.0)];
    let protected = protect(&plan, unprotected(rows.clone())).expect("protected");
    assert!(protected.estimates()[4].suppressed, "n3 is withheld too");
    let mut naive = rows;
    for row in &mut naive[2..4] {
        *row = protected.estimates().iter().find(|other| other.unit_id == row.unit_id).expect("same unit").clone();
    }
    let found = audit(&plan, &naive).expect("audited");
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].how, How::Bounded { low: 4.0, high: 4.0 });
}

#[test]
fn a_withheld_region_leaves_no_reference_and_a_withheld_year_no_change() {
    let plan = plan(&UNITS[..1], 5, true);
    let mut rows = vec![row(&plan, SCORE, "2024", "region", "total", 10, 700.0)];
    rows.push(row(&plan, SCORE, "2025", "region", "total", 100, 7000.0));
    rows[1].change = Some(1.5);
    rows[1].change_p = Some(0.2);
    let mut naive = protect(&plan, unprotected(rows.clone())).expect("protected").estimates().to_vec();
    assert_eq!((naive[1].change, naive[1].change_p, naive[1].value.is_some()), (None, None, true));
    naive[1].change = Some(1.5);
    assert_eq!(audit(&plan, &naive).expect("audited")[0].how, How::Change);

    let plan = common::plan(&UNITS, 5, true);
    let mut rows = counts(&plan, SCORE, "2025", [40, 50, 45, 80], |n| n as f64 * 70.0);
    rows[0].suppressed = true;
    rows[0].suppression_reason = Some("few-respondents".to_owned());
    let protected = protect(&plan, unprotected(rows)).expect("protected");
    assert!(protected.estimates().iter().all(|row| row.reference.is_none() && row.difference.is_none()));
}

#[test]
fn a_row_without_a_change_knows_what_is_shown_of_the_year_before() {
    let plan = plan(&UNITS[..1], 5, true);
    let before = |n: i64| {
        let years = [("2024", n), ("2025", 100)];
        let rows = years.map(|(year, n)| row(&plan, SCORE, year, "region", "total", n, 7000.0));
        let protected =
            protect(&plan, unprotected(rows.to_vec())).expect("protected").narrowed_to(&["2025".to_owned()]);
        protected.before(&protected.estimates()[0])
    };
    assert_eq!((before(10), before(100)), (Before::Withheld, Before::Shown), "also where that year is in no table");
    let alone = protect(&plan, unprotected(vec![row(&plan, SCORE, "2025", "region", "total", 100, 7000.0)]));
    let alone = alone.expect("protected");
    assert_eq!(alone.before(&alone.estimates()[0]), Before::Absent);
}

/// p of 0.01, 0.03 and 0.031 give the same q, that of the last, to the last two.
#[test]
fn a_q_that_is_the_p_of_a_withheld_unit_goes_with_it() {
    let plan = plan(&UNITS, 5, true);
    let protected = |lender: &str| {
        let mut rows = counts(&plan, SCORE, "2025", [12, 50, 45, 80], |n| n as f64 * 70.0);
        for row in rows.iter_mut().filter(|row| row.level == "ward") {
            (row.p, row.q) = match row.unit_id.as_str() {
                "n1" => (None, None),
                "s1" => (Some(0.01), Some(0.03)),
                unit => (Some(if unit == lender { 0.031 } else { 0.03 }), Some(0.031)),
            };
        }
        protect(&plan, unprotected(rows)).expect("protected")
    };
    let q = |of: &Protected, unit: &str| of.estimates().iter().find(|row| row.unit_id == unit).and_then(|row| row.q);
    let first = protected("n2");
    let hidden = first.estimates().iter().find(|row| row.suppression_reason.as_deref() == Some(SECONDARY));
    let hidden = hidden.map(|row| row.unit_id.clone()).expect("a ward beside the small one");
    let shown = if hidden == "n2" { "n3" } else { "n2" };
    assert_eq!((q(&protected(&hidden), shown), q(&protected(shown), shown)), (None, Some(0.031)));
    assert_eq!(q(&first, "s1"), Some(0.03));
}

#[test]
fn a_trust_sees_its_own_units_and_other_trusts_only_as_trusts() {
    let plan = plan(&UNITS, 5, true);
    let mut input = unprotected(counts(&plan, SCORE, "2025", [60, 50, 45, 80], |n| n as f64 * 70.0));
    input.variation = vec![variation("ward", 4)];
    let protected = protect(&plan, input).expect("protected");
    let north = protected.restricted_to(&plan, "north");
    let seen: Vec<_> = north.estimates().iter().map(|row| row.unit_id.as_str()).collect();
    assert_eq!(seen, ["region", "north", "south", "n1", "n2", "n3"]);
    assert_eq!(north.variation()[0].lowest, None, "the only other ward would be recognised");
    assert_eq!(protected.restricted_to(&plan, "south").variation()[0].lowest, Some(1.0));
    assert_eq!(north.spread(), [], "four wards are too few");
}

#[test]
fn the_set_opens_only_as_it_was_written() {
    let plan = plan(&UNITS, 5, true);
    let rows = counts(&plan, SCORE, "2025", [12, 50, 45, 80], |n| n as f64 * 70.0);
    let protected = protect(&plan, unprotected(rows.clone())).expect("protected");
    let dir = tempfile::tempdir().expect("a folder");
    let hash = protected.write(dir.path()).expect("written");
    assert_eq!(Protected::open(&plan, dir.path(), &hash).expect("opened"), protected);
    assert!(matches!(Protected::open(&plan, dir.path(), "0"), Err(ProtectError::NotAuthentic { .. })));
    // The table in full, put in the protected one's place.
    prem_protect::tables::write_table(&dir.path().join("estimates.parquet"), &rows, protected.meta()).expect("written");
    assert!(matches!(Protected::open(&plan, dir.path(), &hash), Err(ProtectError::NotAuthentic { .. })));
}

#[test]
fn rows_that_are_not_understood_are_refused() {
    let plan = plan(&UNITS, 5, true);
    let mut rows = counts(&plan, SCORE, "2025", [60, 50, 45, 80], |n| n as f64);
    rows[0].indicator = "unknown".to_owned();
    assert!(matches!(protect(&plan, unprotected(rows)), Err(ProtectError::UnknownIndicator { .. })));
    let mut rows = counts(&plan, SCORE, "2025", [60, 50, 45, 80], |n| n as f64);
    rows[0].period_end = rows[0].period_start;
    assert!(matches!(protect(&plan, unprotected(rows)), Err(ProtectError::NotUnderstood { .. })));
}

/// About 1 300 units in a year of quarters and months: protection must take seconds.
#[test]
fn a_region_of_real_size() {
    let mut units = vec![("r".to_owned(), Level::Rhf, String::new())];
    for t in 0..9 {
        units.push((format!("t{t}"), Level::Hf, "r".into()));
        for h in 0..4 {
            units.push((format!("t{t}h{h}"), Level::Hospital, format!("t{t}")));
            for d in 0..6 {
                units.push((format!("t{t}h{h}d{d}"), Level::Department, format!("t{t}h{h}")));
                for w in 0..5 {
                    units.push((format!("t{t}h{h}d{d}w{w}"), Level::Ward, format!("t{t}h{h}d{d}")));
                }
            }
        }
    }
    let borrowed: Vec<_> = units.iter().map(|(id, level, parent)| (id.as_str(), *level, parent.as_str())).collect();
    let plan = plan(&borrowed, 5, true);
    // A fixed scatter: 0–39 respondents per ward and month.
    let monthly = |ward: usize, month: usize| ((ward * 7919 + month * 104_729) % 9973 % 40) as i64;
    let wards: Vec<usize> = (0..units.len()).filter(|unit| units[*unit].1 == Level::Ward).collect();
    let mut periods: Vec<(String, std::ops::Range<usize>)> = vec![("2025".into(), 0..12)];
    periods.extend((0..4).map(|q| (format!("2025-Q{}", q + 1), 3 * q..3 * q + 3)));
    periods.extend((0..12).map(|m| (format!("2025-{:02}", m + 1), m..m + 1)));
    for indicator in [SCORE, SHARE] {
        let mut rows = Vec::new();
        for (period, months) in &periods {
            for (unit, ..) in &units {
                let below = || wards.iter().filter(|ward| units[**ward].0.starts_with(unit.as_str()) || unit == "r");
                let n: i64 = below().flat_map(|ward| months.clone().map(move |month| monthly(*ward, month))).sum();
                let events: i64 =
                    below().flat_map(|ward| months.clone().map(move |month| monthly(*ward, month) * 3 / 4)).sum();
                if n > 0 {
                    rows.push(row(&plan, indicator, period, unit, "total", n, events as f64));
                }
            }
        }
        let protected = protect(&plan, unprotected(rows)).expect("protected");
        let withheld = protected.withheld();
        assert!(
            withheld["few-respondents"] > 9_000 && withheld[SECONDARY] < withheld["few-respondents"],
            "{withheld:?}"
        );
    }
}
