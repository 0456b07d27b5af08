//! Those who answered a form bound the respondents of its indicators, and these bound who answered.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "tests fail by panicking; counts are small"
)]

mod common;

use common::{SCORE, SHARE, UNITS, counts, hidden, plan, row, unprotected};
use prem_protect::{
    How, SECONDARY, Unprotected, audit, audit_beside, protect,
    tables::{Estimate, Response},
};
use prem_spec::{Level, Period, Plan};

/// A unit's row of `response` in 2025: so many of those asked answered the form.
fn answered(unit: &str, (level, parent): (Level, Option<&str>), asked: i64, answered: i64) -> Response {
    let year: Period = "2025".parse().expect("a year");
    Response {
        period: year.to_string(),
        period_start: year.start(),
        period_end: year.end(),
        questionnaire: "q".to_owned(),
        level: level.as_str().to_owned(),
        unit_id: unit.to_owned(),
        parent_id: parent.map(str::to_owned),
        stratum: "total".to_owned(),
        invited: Some(asked),
        undeliverable: Some(0),
        ineligible: Some(0),
        reserved: Some(0),
        asked: Some(asked),
        answered: Some(answered),
        ..Response::default()
    }
}

/// The year 2025 of one unit, withheld for others' sake, and its quarters, of which the last is too small.
fn a_withheld_year(plan: &Plan, indicator: &str, last: i64) -> Vec<Estimate> {
    let periods = [("2025", 210 + last), ("2025-Q1", 60), ("2025-Q2", 70), ("2025-Q3", 80), ("2025-Q4", last)];
    let of = |(period, n): (&str, i64)| row(plan, indicator, period, "region", "total", n, (n / 2) as f64);
    let mut rows: Vec<Estimate> = periods.into_iter().map(of).collect();
    for place in [0, 4] {
        let mut few = rows[place].clone();
        few.n = Some(1);
        rows[place] = protect(plan, unprotected(vec![few])).expect("protected").estimates()[0].clone();
    }
    rows[0].suppression_reason = Some(SECONDARY.to_owned());
    rows
}

#[test]
fn those_who_answered_bound_the_respondents_of_a_withheld_row() {
    let plan = plan(&UNITS[..1], 5, true);
    let year = |count| answered("region", (Level::Rhf, None), 900, count);
    for indicator in [SCORE, SHARE] {
        let naive = a_withheld_year(&plan, indicator, 4);
        assert_eq!(audit(&plan, &naive).expect("audited"), [], "between one and 29 respondents");
        let beside = |row: Response| audit_beside(&plan, &naive, &[row]).expect("audited");
        // Each of 214 answered the question: all that is left for the last quarter is four.
        let found: Vec<_> = beside(year(214)).into_iter().map(|one| (one.period, one.how)).collect();
        assert_eq!(found, [("2025-Q4".to_owned(), How::Bounded { low: 1.0, high: 4.0 })]);
        // Of so many some did not: up to five, or up to twelve.
        assert_eq!((beside(year(215)), beside(year(222))), (vec![], vec![]));
        // The year's row is not needed for that.
        let quarters = &naive[1..];
        let beside_quarters = |count| audit_beside(&plan, quarters, &[year(count)]).expect("audited");
        assert_eq!((beside_quarters(214), beside_quarters(215)), (beside(year(214)), vec![]));
        // What `response` withholds tells nothing, nor does another form.
        assert_eq!(beside(Response { suppressed: true, answered: None, ..year(214) }), []);
        assert_eq!(beside(Response { questionnaire: "other".to_owned(), ..year(214) }), []);
        // Twelve respondents of whom nobody knows the answers are no secret: `response` has nearly their number.
        let twelve = a_withheld_year(&plan, indicator, 12);
        assert_eq!(audit_beside(&plan, &twelve, &[year(222)]).expect("audited"), []);
    }
}

#[test]
fn more_is_withheld_where_those_who_answered_would_tell() {
    let plan = plan(&UNITS, 5, true);
    // South is withheld, and north with it. Its two other wards leave four of the 134 who answered there.
    let hidden_beside = |response: Vec<Response>| {
        let rows = counts(&plan, SCORE, "2025", [4, 60, 70, 20], |n| n as f64 * 70.0);
        let protected = protect(&plan, Unprotected { response, ..unprotected(rows) }).expect("protected");
        let found = audit_beside(&plan, protected.estimates(), protected.response()).expect("audited");
        assert_eq!(found, []);
        hidden(&protected).into_iter().map(|(_, unit, _)| unit).collect::<Vec<_>>()
    };
    let response = |of_north: i64| {
        vec![
            answered("region", (Level::Rhf, None), 900, of_north + 25),
            answered("north", (Level::Hf, Some("region")), 700, of_north),
            answered("south", (Level::Hf, Some("region")), 200, 25),
        ]
    };
    assert_eq!(hidden_beside(Vec::new()), ["north", "south", "n1", "s1"]);
    assert_eq!(hidden_beside(response(140)), ["north", "south", "n1", "s1"]);
    assert_eq!(hidden_beside(response(134)), ["north", "south", "n1", "n2", "s1"]);
}

#[test]
fn more_of_response_is_withheld_where_respondents_would_tell() {
    let plan = plan(&UNITS, 5, true);
    // Three answered in n1, and n2 goes with it; the estimates of the question withhold n3 beside n1.
    let withheld_where = |respondents_of_n2: i64| {
        let north = (Level::Hf, Some("region"));
        let ward = (Level::Ward, Some("north"));
        let response = vec![
            answered("region", (Level::Rhf, None), 500, 211),
            answered("north", north, 300, 131),
            answered("south", north, 200, 80),
            answered("n1", ward, 100, 3),
            answered("n2", ward, 100, 58),
            answered("n3", ward, 100, 70),
        ];
        let rows = counts(&plan, SCORE, "2025", [3, respondents_of_n2, 50, 80], |n| n as f64 * 70.0);
        let protected = protect(&plan, Unprotected { response, ..unprotected(rows) }).expect("protected");
        let estimates = protected.estimates().iter().filter(|row| row.suppressed).map(|row| row.unit_id.as_str());
        assert_eq!(estimates.collect::<Vec<_>>(), ["n1", "n3"]);
        let response = protected.response().iter().filter(|row| row.suppressed).map(|row| row.unit_id.clone());
        response.collect::<Vec<_>>()
    };
    // Up to four of 131 are left for n1, which its reason says too.
    assert_eq!(withheld_where(57), ["n1", "n2"]);
    // Up to three.
    assert_eq!(withheld_where(58), ["n1", "n2", "n3"]);
}

/// «Fewer than five answered» bounds a ward's respondents, and «withheld for its share alone» says that there are thirty.
#[test]
fn reasons_of_the_other_table_are_reckoned_with() {
    let plan = plan(&UNITS, 5, true);
    let ward = (Level::Ward, Some("north"));
    let tables = |answers: [i64; 3], rows: Vec<Estimate>| {
        let [n1, n2, n3] = answers;
        let response = vec![
            answered("region", (Level::Rhf, None), 500, n1 + n2 + n3 + 80),
            answered("north", (Level::Hf, Some("region")), 300, n1 + n2 + n3),
            answered("south", (Level::Hf, Some("region")), 200, 80),
            answered("n1", ward, 100, n1),
            answered("n2", ward, 100, n2),
            answered("n3", ward, 100, n3),
        ];
        protect(&plan, Unprotected { response, ..unprotected(rows) }).expect("protected")
    };
    // Three and three are the six that n3 leaves of north: each two to four.
    let score = counts(&plan, SCORE, "2025", [3, 3, 60, 80], |n| n as f64 * 70.0);
    let protected = tables([3, 3, 60], score);
    let hidden: Vec<String> = hidden(&protected).into_iter().map(|(_, unit, _)| unit).collect();
    assert!(hidden.len() > 2 && hidden.starts_with(&["n1".to_owned(), "n2".to_owned()]), "{hidden:?}");
    // n2 has thirty respondents, 28 of them with the answer: of 33 who answered in both wards n1 has at most three.
    let mut share = counts(&plan, SHARE, "2025", [3, 30, 70, 80], |n| (n / 2) as f64);
    for row in share.iter_mut().filter(|row| row.unit_id == "n2") {
        row.numerator = Some(28.0);
    }
    let protected = tables([3, 30, 70], share);
    assert_eq!(protected.estimates()[4].suppression_reason.as_deref(), Some("small-complement"));
    let withheld = protected.response().iter().filter(|row| row.suppressed).count();
    assert!(withheld > 2, "{:?}", protected.response());
}
