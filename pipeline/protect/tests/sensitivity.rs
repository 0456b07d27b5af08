//! Other models: what may be shown of them, and ranks among what is shown.

#![allow(clippy::expect_used, clippy::cast_precision_loss, reason = "tests fail by panicking; counts are small")]

mod common;

use common::{SCORE, plan, row, unprotected};
use prem_protect::{
    ProtectError, Protected, Unprotected, protect,
    tables::{Sensitivity, write_table},
};
use prem_spec::{Direction, Level, Plan, Weighting};

const UNITS: [(&str, Level, &str); 8] = [
    ("region", Level::Rhf, ""),
    ("north", Level::Hf, "region"),
    ("south", Level::Hf, "region"),
    ("n1", Level::Ward, "north"),
    ("n2", Level::Ward, "north"),
    ("n3", Level::Ward, "north"),
    ("s1", Level::Ward, "south"),
    ("s2", Level::Ward, "south"),
];

/// Wards with their respondents, their value, and what another model says.
const WARDS: [(&str, i64, f64, f64); 5] = [
    ("n1", 12, 60.0, 61.0),
    ("n2", 50, 72.0, 70.0),
    ("n3", 45, 71.0, 73.0),
    ("s1", 80, 75.0, 75.5),
    ("s2", 90, 70.0, 69.0),
];

fn other(unit: &str, level: &str, model: &str, value: f64, comparison: Option<&str>) -> Sensitivity {
    Sensitivity {
        period: "2025".into(),
        indicator: SCORE.into(),
        level: level.into(),
        unit_id: unit.into(),
        unit_name: unit.into(),
        model: model.into(),
        value,
        ci_low: None,
        ci_high: None,
        difference: None,
        rank: None,
        rank_change: None,
        n_ranked: None,
        comparison: comparison.map(str::to_owned),
        class_changed: None,
        method: "m".into(),
        method_version: "1".into(),
        run_id: "run".into(),
    }
}

fn input(plan: &Plan) -> Unprotected {
    let n = |unit: &str| -> i64 {
        let is_in = |ward: &str| plan.organisation.ancestry(ward).iter().any(|above| above.id == unit);
        WARDS.iter().filter(|ward| is_in(ward.0)).map(|ward| ward.1).sum()
    };
    let rows = UNITS.iter().map(|(unit, ..)| row(plan, SCORE, "2025", unit, "total", n(unit), n(unit) as f64 * 70.0));
    let mut input = unprotected(rows.collect());
    for (ward, _, own, another) in WARDS {
        let word = if another > 72.0 { "better" } else { "as-expected" };
        input.sensitivity.push(other(ward, "ward", "main", own, Some("as-expected")));
        input.sensitivity.push(other(ward, "ward", "unadjusted", another, Some(word)));
        input.sensitivity.push(other(ward, "ward", "nested", own, None));
        input.sensitivity.push(other(ward, "ward", "gls", own, None));
    }
    for (trust, own) in [("north", 69.0), ("south", 72.0)] {
        input.sensitivity.push(other(trust, "hf", "main", own, Some("as-expected")));
        input.sensitivity.push(other(trust, "hf", "unadjusted", 140.0 - own, Some("as-expected")));
        input.sensitivity.push(other(trust, "hf", "weighted", own, Some("as-expected")));
    }
    input
}

fn found<'a>(protected: &'a Protected, unit: &str, model: &str) -> Option<&'a Sensitivity> {
    protected.sensitivity().iter().find(|row| row.unit_id == unit && row.model == model)
}

/// n1 is too small and takes n3 with it; north is a total over both, which no model with other weights may give.
#[test]
fn nothing_of_withheld_units_and_no_total_over_them() {
    let plan = plan(&UNITS, 5, true);
    let protected = protect(&plan, input(&plan)).expect("protected");
    let shown: Vec<&str> =
        protected.estimates().iter().filter(|row| !row.suppressed).map(|row| row.unit_id.as_str()).collect();
    assert_eq!(shown, ["region", "north", "south", "n2", "s1", "s2"]);
    let units: std::collections::BTreeSet<&str> =
        protected.sensitivity().iter().map(|row| row.unit_id.as_str()).collect();
    assert_eq!(units.into_iter().collect::<Vec<_>>(), ["n2", "north", "s1", "s2", "south"]);
    assert!(found(&protected, "north", "unadjusted").is_some() && found(&protected, "south", "weighted").is_some());
    assert!(found(&protected, "north", "weighted").is_none());
    // Two wards are withheld: shrunken values of the others would tell of them.
    assert!(found(&protected, "n2", "unadjusted").is_some() && found(&protected, "n2", "nested").is_none());
}

/// Once the indicator's own values are weighted, it is the unweighted models that differ. Nested ones have its weights and are then of
/// one level's areas: trusts are all shown, wards are not.
#[test]
fn what_other_weights_are_depends_on_the_indicator() {
    let mut plan = plan(&UNITS, 5, true);
    plan.indicators.get_mut(SCORE).expect("declared").weighting = Weighting::Design;
    let mut input = input(&plan);
    input
        .sensitivity
        .extend(["unweighted", "fixed-effects", "nested"].map(|model| other("north", "hf", model, 70.0, None)));
    let protected = protect(&plan, input).expect("protected");
    let of_north: Vec<&str> =
        protected.sensitivity().iter().filter(|row| row.unit_id == "north").map(|row| row.model.as_str()).collect();
    assert_eq!(of_north, ["main", "unadjusted", "weighted", "nested"]);
    assert!(found(&protected, "n2", "gls").is_some() && found(&protected, "n2", "nested").is_none());
}

#[test]
fn ranks_are_among_what_is_shown() {
    let plan = plan(&UNITS, 5, true);
    let protected = protect(&plan, input(&plan)).expect("protected");
    // Own: s1 75, n2 72, s2 70. Unadjusted: s1 75.5, n2 70, s2 69. The withheld n3 with its 73 moves nobody.
    let n2 = found(&protected, "n2", "unadjusted").expect("shown");
    assert_eq!((n2.rank, n2.rank_change, n2.n_ranked), (Some(2), Some(0), Some(3)));
    assert_eq!((n2.difference, n2.class_changed), (Some(-2.0), Some(false)));
    let s1 = found(&protected, "s1", "unadjusted").expect("shown");
    assert_eq!((s1.rank, s1.class_changed), (Some(1), Some(true)));
    assert_eq!(found(&protected, "n2", "gls").expect("shown").class_changed, None, "no class, no change of class");
    assert_eq!(found(&protected, "s1", "main").expect("shown").rank_change, Some(0));
}

#[test]
fn where_lower_is_better_the_lowest_is_first() {
    let mut plan = plan(&UNITS, 5, true);
    plan.indicators.get_mut(SCORE).expect("declared").direction = Direction::Lower;
    let protected = protect(&plan, input(&plan)).expect("protected");
    assert_eq!(found(&protected, "s2", "unadjusted").expect("shown").rank, Some(1));
}

#[test]
fn a_trust_sees_no_other_trusts_wards() {
    let plan = plan(&UNITS, 5, true);
    let protected = protect(&plan, input(&plan)).expect("protected");
    let north = protected.restricted_to(&plan, "north");
    assert!(found(&north, "n2", "unadjusted").is_some() && found(&north, "south", "unadjusted").is_some());
    assert!(found(&north, "s1", "unadjusted").is_none());
}

#[test]
fn a_set_with_more_rows_than_the_rule_allows_does_not_open() {
    let plan = plan(&UNITS, 5, true);
    let protected = protect(&plan, input(&plan)).expect("protected");
    let dir = tempfile::tempdir().expect("a folder");
    let hash = protected.write(dir.path()).expect("written");
    assert_eq!(Protected::open(&plan, dir.path(), &hash).expect("opened"), protected);
    write_table(&dir.path().join("sensitivity.parquet"), &input(&plan).sensitivity, protected.meta()).expect("written");
    assert!(matches!(Protected::open(&plan, dir.path(), &hash), Err(ProtectError::NotAuthentic { .. })));
}
