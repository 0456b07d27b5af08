//! Series over time: the rules on what is shown, and nothing of what is not.

#![allow(clippy::expect_used, clippy::cast_precision_loss, reason = "tests fail by panicking; counts are small")]

mod common;

use common::{SCORE, plan, row, unprotected};
use prem_protect::{
    POINTS_MIN, Protected, protect,
    tables::{Estimate, Trend},
};
use prem_spec::{Level, Plan};

const UNITS: [(&str, Level, &str); 4] = [
    ("region", Level::Rhf, ""),
    ("north", Level::Hf, "region"),
    ("south", Level::Hf, "region"),
    ("west", Level::Hf, "region"),
];

/// Quarters of four years; `values` belong to the trust `north`, and `n` are its respondents.
fn rows(plan: &Plan, values: &[f64], n: impl Fn(usize) -> i64) -> Vec<Estimate> {
    let mut rows = Vec::new();
    for (place, value) in values.iter().enumerate() {
        let period = format!("{}-Q{}", 2021 + place / 4, place % 4 + 1);
        let north = n(place);
        for (unit, n) in [("region", north + 200), ("north", north), ("south", 100), ("west", 100)] {
            let mut row = row(plan, SCORE, &period, unit, "total", n, 0.0);
            row.value = Some(if unit == "north" { *value } else { 70.0 });
            rows.push(row);
        }
    }
    rows
}

fn trend<'a>(protected: &'a Protected, unit: &str) -> &'a Trend {
    protected.trends().iter().find(|trend| trend.unit_id == unit && trend.length == "quarter").expect("a series")
}

const STEADY: [f64; 12] = [70.0, 71.0, 70.5, 69.5, 70.2, 70.9, 69.8, 70.4, 71.1, 69.9, 70.6, 70.1];

#[test]
fn limits_by_hand() {
    let plan = plan(&UNITS, 5, true);
    let protected = protect(&plan, unprotected(rows(&plan, &STEADY, |_| 60))).expect("protected");
    let north = trend(&protected, "north");
    // Mean 844/12; moving ranges 1, .5, 1, .7, .7, 1.1, .6, .7, 1.2, .7, .5 sum to 8.7.
    let (centre, half) = (844.0 / 12.0, 2.66 * 8.7 / 11.0);
    assert!((north.centre.expect("a centre") - centre).abs() < 1e-12);
    assert!((north.limit_high.expect("a limit") - centre - half).abs() < 1e-12);
    assert_eq!((north.n_periods, north.n_points, north.signal), (12, 12, Some(false)));
    assert_eq!((north.first_period.as_str(), north.last_period.as_str()), ("2021-Q1", "2023-Q4"));
    assert_eq!((north.rules.as_deref(), north.signal_period.as_deref()), (None, None));
    assert_eq!(protected.series(north).iter().map(|point| point.value).collect::<Vec<_>>(), STEADY);
}

#[test]
fn an_outlier_is_named_with_its_period() {
    let plan = plan(&UNITS, 5, true);
    let mut values = STEADY;
    // In the middle: further out it would pull the mean above a run of the others.
    values[5] = 80.0;
    let protected = protect(&plan, unprotected(rows(&plan, &values, |_| 60))).expect("protected");
    let north = trend(&protected, "north");
    assert_eq!((north.signal, north.outside, north.rules.as_deref()), (Some(true), Some(1), Some("outside")));
    assert_eq!(north.signal_period.as_deref(), Some("2022-Q2"));
    let special: Vec<bool> = protected.series(north).iter().map(|point| point.is_special).collect();
    assert_eq!(special.iter().filter(|special| **special).count(), 1);
    assert!(special[5]);
}

#[test]
fn too_few_points_have_no_limits_and_say_so() {
    let plan = plan(&UNITS, 5, true);
    let protected = protect(&plan, unprotected(rows(&plan, &STEADY[..POINTS_MIN - 1], |_| 60))).expect("protected");
    let north = trend(&protected, "north");
    assert_eq!((north.n_points, north.centre, north.median, north.signal), (7, None, None, None));
    let alone = protect(&plan, unprotected(rows(&plan, &STEADY[..1], |_| 60))).expect("protected");
    assert!(alone.trends().is_empty(), "one value is no series");
}

/// Whatever the withheld values are, the series are the same, and they say how many points are missing.
#[test]
fn withheld_periods_leave_no_trace_in_the_series() {
    let plan = plan(&UNITS, 5, true);
    let small = |place: usize| if place == 5 { 12 } else { 60 };
    let with = |hidden: f64| {
        let mut values = STEADY;
        values[5] = hidden;
        protect(&plan, unprotected(rows(&plan, &values, small))).expect("protected")
    };
    let (one, other) = (with(99.0), with(1.0));
    assert_eq!(one.trends(), other.trends());
    let north = trend(&one, "north");
    assert_eq!((north.n_periods, north.n_points), (12, 11));
    let kept: Vec<f64> = STEADY.iter().enumerate().filter(|(place, _)| *place != 5).map(|(_, value)| *value).collect();
    assert_eq!(one.series(north).iter().map(|point| point.value).collect::<Vec<_>>(), kept);
    let mean = kept.iter().sum::<f64>() / 11.0;
    assert!((north.centre.expect("a centre") - mean).abs() < 1e-12);
}

#[test]
fn overlapping_windows_and_mixed_lengths_are_no_series() {
    let plan = plan(&UNITS, 5, true);
    let mut all = rows(&plan, &STEADY, |_| 60);
    all.extend(["2021", "2022", "2023"].map(|year| row(&plan, SCORE, year, "north", "total", 240, 0.0)));
    let windows = ["2021-02..2022-01", "2021-05..2022-04", "2021-08..2022-07"];
    all.extend(windows.map(|window| row(&plan, SCORE, window, "north", "total", 240, 0.0)));
    let protected = protect(&plan, unprotected(all)).expect("protected");
    let lengths: Vec<(&str, i64)> = protected
        .trends()
        .iter()
        .filter(|trend| trend.unit_id == "north")
        .map(|trend| (trend.length.as_str(), trend.n_points))
        .collect();
    assert_eq!(lengths, [("quarter", 12), ("year", 3)]);
}

#[test]
fn a_trust_and_a_narrowed_run_see_series_of_their_own_rows() {
    let plan = plan(&UNITS, 5, true);
    let protected = protect(&plan, unprotected(rows(&plan, &STEADY, |_| 60))).expect("protected");
    assert_eq!(protected.restricted_to(&plan, "north").trends(), protected.trends(), "trusts see all trusts");
    let narrowed = protected.narrowed_to(&["2021-Q1".to_owned(), "2021-Q2".to_owned()]);
    assert_eq!(trend(&narrowed, "north").n_points, 2);
}
