//! Strata and overlapping windows: what they add to the totals must not tell what is withheld.

#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "tests fail by panicking; counts are small"
)]

mod common;

use common::{SCORE, SHARE, Span, plan, row, unprotected};
use prem_protect::{
    SECONDARY, audit, protect,
    tables::{Estimate, Response},
};
use prem_spec::{Level, Period, Plan};
use proptest::prelude::*;

const UNITS: [(&str, Level, &str); 7] = [
    ("region", Level::Rhf, ""),
    ("north", Level::Hf, "region"),
    ("south", Level::Hf, "region"),
    ("n1", Level::Ward, "north"),
    ("n2", Level::Ward, "north"),
    ("s1", Level::Ward, "south"),
    ("s2", Level::Ward, "south"),
];

/// Years, quarters and the windows between them, each with its quarters counted from the first of 2024.
const PERIODS: [(&str, std::ops::Range<usize>); 13] = [
    ("2024", 0..4),
    ("2025", 4..8),
    ("2024-Q1", 0..1),
    ("2024-Q2", 1..2),
    ("2024-Q3", 2..3),
    ("2024-Q4", 3..4),
    ("2025-Q1", 4..5),
    ("2025-Q2", 5..6),
    ("2025-Q3", 6..7),
    ("2025-Q4", 7..8),
    ("2024-04..2025-03", 1..5),
    ("2024-07..2025-06", 2..6),
    ("2024-10..2025-09", 3..7),
];

/// Cells of a row: all it covers, and those it would cover without anybody unknown.
type Cells = (Vec<usize>, Vec<usize>);

fn hidden(rows: &[Estimate]) -> Vec<String> {
    let hidden = rows.iter().filter(|row| row.suppressed);
    hidden.map(|row| format!("{} {} {}", row.period, row.unit_id, row.stratum)).collect()
}

#[test]
fn years_and_windows_do_not_tell_a_withheld_quarter() {
    let plan = plan(&UNITS[..1], 5, true);
    let quarters = [60, 61, 62, 63, 12, 65, 66, 67];
    let rows: Vec<Estimate> = PERIODS
        .into_iter()
        .map(|(period, of)| row(&plan, SCORE, period, "region", "total", quarters[of].iter().sum(), 0.0))
        .collect();
    // By itself the window that ends with the small quarter tells it: window − (year 2024 − its first quarter).
    let mut alone = rows.clone();
    let small = alone.iter_mut().find(|row| row.period == "2025-Q1").expect("there");
    *small = protect(&plan, unprotected(vec![small.clone()])).expect("protected").estimates()[0].clone();
    let found = audit(&plan, &alone).expect("audited");
    assert_eq!(found.iter().map(|one| one.period.as_str()).collect::<Vec<_>>(), ["2025-Q1"]);

    let protected = protect(&plan, unprotected(rows)).expect("protected");
    let shown = || protected.estimates().iter().zip(PERIODS).filter(|(row, _)| !row.suppressed);
    let vectors: Vec<Vec<usize>> = shown().map(|(_, (_, of))| of.collect()).collect();
    let span = Span::of(vectors.iter(), 8);
    assert!(span.reduced(&[4]).1.is_some(), "a combination of {vectors:?} tells the quarter");
    assert!(protected.estimates().iter().any(|row| row.period == "2025-Q1" && row.suppressed));
    // Something of every year and window is still there to see.
    assert!(vectors.len() >= 8, "{:?}", hidden(protected.estimates()));
}

#[test]
fn a_change_is_shown_between_disjoint_windows_only() {
    let window: Period = "2024-07..2025-06".parse().expect("a window");
    let before = window.previous().expect("a window");
    assert!(before.end() == window.start() && before.to_string() == "2023-07..2024-06");
    // The window before is not in the table, so that a change would tell a value that is not shown.
    let plan = plan(&UNITS[..1], 5, true);
    let mut later = row(&plan, SCORE, "2024-07..2025-06", "region", "total", 90, 0.0);
    later.change = Some(1.0);
    let overlapping = row(&plan, SCORE, "2024-04..2025-03", "region", "total", 90, 0.0);
    let protected = protect(&plan, unprotected(vec![overlapping, later.clone()])).expect("protected");
    assert!(protected.estimates().iter().all(|row| row.change.is_none()));
    let disjoint = row(&plan, SCORE, "2023-07..2024-06", "region", "total", 90, 0.0);
    let protected = protect(&plan, unprotected(vec![disjoint, later])).expect("protected");
    assert_eq!(protected.estimates()[1].change, Some(1.0));
}

/// Total and strata of a unit in 2025.
fn divided(plan: &Plan, unit: &str, [men, women, unknown]: [i64; 3]) -> Vec<Estimate> {
    let parts = [("total", men + women + unknown), ("sex=1", men), ("sex=2", women), ("sex=unknown", unknown)];
    let present = parts.into_iter().filter(|(_, n)| *n > 0);
    present.map(|(stratum, n)| row(plan, SCORE, "2025", unit, stratum, n, n as f64 * 60.0)).collect()
}

#[test]
fn a_few_of_unknown_sex_are_not_what_is_left_of_the_total() {
    let plan = plan(&UNITS[..1], 5, true);
    let few = protect(&plan, unprotected(divided(&plan, "region", [60, 38, 2]))).expect("protected");
    assert_eq!(hidden(few.estimates()), ["2025 region sex=2"]);
    assert!(few.estimates().iter().all(|row| row.stratum != "sex=unknown"));
    let none = protect(&plan, unprotected(divided(&plan, "region", [60, 38, 0]))).expect("protected");
    assert_eq!(hidden(none.estimates()), [""; 0]);
    // So many are no secret, and their own row is not published all the same.
    let many = protect(&plan, unprotected(divided(&plan, "region", [60, 38, 45]))).expect("protected");
    assert_eq!((many.estimates().len(), hidden(many.estimates()).len()), (3, 0));
    // The audit sees it from the published rows alone.
    let published: Vec<Estimate> =
        divided(&plan, "region", [60, 38, 2]).into_iter().filter(|row| row.stratum != "sex=unknown").collect();
    let found = audit(&plan, &published).expect("audited");
    assert_eq!(found.iter().map(|one| one.stratum.as_str()).collect::<Vec<_>>(), ["sex=unknown"]);
}

#[test]
fn a_few_of_unknown_sex_do_not_hide_others_behind_them() {
    let plan = plan(&UNITS[..1], 5, true);
    // Men are withheld. «Total − women» is 12 men and the one of unknown sex: nearly the men, so it may not be shown.
    let protected = protect(&plan, unprotected(divided(&plan, "region", [12, 80, 1]))).expect("protected");
    let hidden = hidden(protected.estimates());
    assert!(hidden.len() == 2 && hidden.contains(&"2025 region sex=1".to_owned()), "{hidden:?}");
}

/// A ward's respondents by sex (men, women, unknown) and quarter.
type Ward = [[u8; 8]; 3];

fn wards() -> impl Strategy<Value = Vec<Ward>> {
    let known = || prop::array::uniform8(prop_oneof![1..12_u8, 25..90_u8]);
    let unknown = prop_oneof![2 => Just([0_u8; 8]), 1 => prop::array::uniform8(prop_oneof![Just(0_u8), 1..4_u8])];
    let ward = (known(), known(), unknown).prop_map(|(men, women, unknown)| [men, women, unknown]);
    prop::collection::vec(ward, 4)
}

const STRATA: [(&str, &[usize]); 4] = [("total", &[0, 1, 2]), ("sex=1", &[0]), ("sex=2", &[1]), ("sex=unknown", &[2])];

/// Whether there may be somebody of that ward, sex and quarter. Nobody knows that there is not where the quarter is not
/// published and a longer period of the same has somebody.
fn may_be_there(wards: &[Ward], published: &[bool], (ward, sex, quarter): (usize, usize, usize)) -> bool {
    let spans = || PERIODS.iter().zip(published).filter(|(_, is)| **is).map(|((_, of), _)| of.clone());
    let is_published = || spans().any(|of| of == (quarter..quarter + 1));
    let has_any = |of: std::ops::Range<usize>| of.contains(&quarter) && wards[ward][sex][of].iter().any(|n| *n > 0);
    wards[ward][sex][quarter] > 0 || (!is_published() && spans().any(has_any))
}

/// What a row sums over, with those of unknown sex and without.
fn atoms(
    wards: &[Ward],
    published: &[bool],
    unit: &str,
    of: &std::ops::Range<usize>,
    sexes: &[usize],
) -> (Vec<usize>, Vec<usize>) {
    let inside = |ward: usize| match unit {
        "region" => true,
        "north" => ward < 2,
        "south" => ward >= 2,
        own => ["n1", "n2", "s1", "s2"][ward] == own,
    };
    let mut all = Vec::new();
    let mut known = Vec::new();
    for ward in (0..wards.len()).filter(|ward| inside(*ward)) {
        for sex in sexes.iter().copied() {
            for quarter in of.clone().filter(|quarter| may_be_there(wards, published, (ward, sex, *quarter))) {
                let atom = (ward * 3 + sex) * 8 + quarter;
                all.push(atom);
                if sex < 2 {
                    known.push(atom);
                }
            }
        }
    }
    (all, known)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn strata_and_windows_tell_nothing(
        wards in wards(),
        indicator in prop::sample::select(vec![SCORE, SHARE]),
        published in prop::collection::vec(prop::bool::weighted(0.8), PERIODS.len()),
    ) {
        let plan = plan(&UNITS, 5, true);
        let mut rows = Vec::new();
        let mut own = Vec::new();
        for ((period, of), _) in PERIODS.into_iter().zip(&published).filter(|(_, is)| **is) {
            for (unit, ..) in UNITS {
                for (stratum, sexes) in STRATA {
                    let (all, known) = atoms(&wards, &published, unit, &of, sexes);
                    let count = |atom: &usize| i64::from(wards[atom / 24][atom / 8 % 3][atom % 8]);
                    let n: i64 = all.iter().map(count).sum();
                    if n > 0 {
                        let third: i64 = all.iter().map(|atom| count(atom) / 3).sum();
                        rows.push(row(&plan, indicator, period, unit, stratum, n, third as f64));
                        own.push((all, known));
                    }
                }
            }
        }
        let before = rows.clone();
        let protected = protect(&plan, unprotected(rows)).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let published = protected.estimates();
        prop_assert!(published.iter().all(|row| row.stratum != "sex=unknown"));
        prop_assert_eq!(audit(&plan, published).expect("audited"), vec![]);
        let is_published = |row: &Estimate| published.iter().find(|other| {
            (&other.period, &other.unit_id, &other.stratum) == (&row.period, &row.unit_id, &row.stratum)
        });
        let shown: Vec<bool> = before.iter().map(|row| is_published(row).is_some_and(|row| !row.suppressed)).collect();
        let size = 4 * 24;
        let of = |pick: fn(&Cells) -> &Vec<usize>| {
            Span::of(own.iter().zip(&shown).filter(|(_, shown)| **shown).map(|(own, _)| pick(own)), size)
        };
        let (with_unknown, as_if_none) = (of(|own| &own.0), of(|own| &own.1));
        let mut told = 0;
        for (row, own) in before.iter().zip(&own) {
            let small = row.n.is_some_and(|n| n < 30);
            if row.stratum == "sex=unknown" {
                prop_assert!(!small || with_unknown.reduced(&own.0).1.is_some(), "{} {} unknown", row.unit_id, row.period);
            } else if is_published(row).is_some_and(|row| row.suppressed) {
                let place = format!("{} {} {}", row.unit_id, row.period, row.stratum);
                let (a, b) = (as_if_none.reduced(&own.1).1.is_some(), with_unknown.reduced(&own.0).1.is_some());
                prop_assert!(!small || (a && b), "{place}: {a} as if nobody were unknown, {b} with them");
                told += usize::from(!a && !b);
            }
        }
        // What is withheld for others' sake and told all the same is no secret, but should be shown.
        prop_assert!(told * 20 <= shown.len(), "{told} of {} rows are withheld in vain", shown.len());
        let reasons = published.iter().filter_map(|row| row.suppression_reason.as_deref());
        prop_assert!(reasons.clone().all(|reason| reason != SECONDARY) || before.iter().any(|row| row.n.is_some_and(|n| n < 30)));
    }
}

fn asked(unit: &str, parent: Option<&str>, level: Level, stratum: &str, counts: [i64; 5]) -> Response {
    let [invited, undeliverable, ineligible, reserved, answered] = counts;
    let year: Period = "2025".parse().expect("a year");
    let asked = invited - undeliverable - ineligible;
    Response {
        period: year.to_string(),
        period_start: year.start(),
        period_end: year.end(),
        questionnaire: "q".to_owned(),
        level: level.as_str().to_owned(),
        unit_id: unit.to_owned(),
        unit_name: unit.to_owned(),
        parent_id: parent.map(str::to_owned),
        stratum: stratum.to_owned(),
        invited: Some(invited),
        undeliverable: Some(undeliverable),
        ineligible: Some(ineligible),
        reserved: Some(reserved),
        asked: Some(asked),
        answered: Some(answered),
        response_rate: Some(answered as f64 / asked as f64),
        suppressed: false,
        suppression_reason: None,
        method_version: "1".to_owned(),
        run_id: "run".to_owned(),
    }
}

#[test]
fn response_is_protected_as_a_count_of_persons() {
    let plan = plan(&UNITS, 5, false);
    let input = prem_protect::Unprotected {
        response: vec![
            asked("region", None, Level::Rhf, "total", [900, 60, 30, 40, 403]),
            asked("north", Some("region"), Level::Hf, "total", [500, 30, 20, 21, 250]),
            asked("south", Some("region"), Level::Hf, "total", [400, 30, 10, 19, 153]),
            asked("n1", Some("north"), Level::Ward, "total", [250, 28, 9, 9, 120]),
            asked("n2", Some("north"), Level::Ward, "total", [250, 2, 11, 12, 130]),
            asked("s1", Some("south"), Level::Ward, "total", [380, 30, 10, 19, 150]),
            asked("s2", Some("south"), Level::Ward, "total", [20, 0, 0, 0, 3]),
            asked("region", None, Level::Rhf, "sex=1", [500, 30, 15, 20, 200]),
            asked("region", None, Level::Rhf, "sex=2", [394, 30, 15, 20, 200]),
            asked("region", None, Level::Rhf, "sex=unknown", [6, 0, 0, 0, 3]),
        ],
        ..unprotected(Vec::new())
    };
    let protected = protect(&plan, input).expect("protected");
    let of = |unit: &str, stratum: &str| {
        let row = protected.response().iter().find(|row| row.unit_id == unit && row.stratum == stratum);
        row.map(|row| (row.answered, row.undeliverable))
    };
    // Three answered in s2: it goes, and with it its sibling.
    assert_eq!((of("s2", "total"), of("s1", "total")), (Some((None, None)), Some((None, None))));
    // Two were not reached in n2: answers stay, all counts beside them go, in n1 too.
    assert_eq!((of("n2", "total"), of("n1", "total")), (Some((Some(130), None)), Some((Some(120), None))));
    assert_eq!(of("north", "total"), Some((Some(250), Some(30))));
    assert_eq!(of("region", "sex=unknown"), None);
    let groups = [of("region", "sex=1"), of("region", "sex=2"), of("region", "total")];
    assert!(groups.contains(&Some((None, None))), "three of unknown sex would be left: {groups:?}");
    let trust = protected.restricted_to(&plan, "north");
    assert!(trust.response().iter().all(|row| row.unit_id != "s1"));
}
