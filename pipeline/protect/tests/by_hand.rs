//! Small hierarchies whose right answer can be seen.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "tests fail by panicking; counts are small"
)]

mod common;

use common::{RATE, SCORE, SHARE, plan, row, unprotected};
use prem_protect::{
    How, ProtectError, Protected, SECONDARY, Unprotected, audit, audit_beside, protect,
    tables::{CaseMix, Estimate, Response, SurveyQuality, Variation},
};
use prem_spec::{Level, Period, Plan, Shrinkage, Weighting};

const UNITS: [(&str, Level, &str); 7] = [
    ("region", Level::Rhf, ""),
    ("north", Level::Hf, "region"),
    ("south", Level::Hf, "region"),
    ("n1", Level::Ward, "north"),
    ("n2", Level::Ward, "north"),
    ("n3", Level::Ward, "north"),
    ("s1", Level::Ward, "south"),
];

fn counts(
    plan: &Plan,
    indicator: &str,
    period: &str,
    wards: [i64; 4],
    numerator: impl Fn(i64) -> f64,
) -> Vec<Estimate> {
    let [n1, n2, n3, s1] = wards;
    let all = [
        ("region", n1 + n2 + n3 + s1),
        ("north", n1 + n2 + n3),
        ("south", s1),
        ("n1", n1),
        ("n2", n2),
        ("n3", n3),
        ("s1", s1),
    ];
    all.into_iter().map(|(unit, n)| row(plan, indicator, period, unit, "total", n, numerator(n))).collect()
}

fn hidden(protected: &Protected) -> Vec<(String, String, String)> {
    let hidden = protected.estimates().iter().filter(|row| row.suppressed);
    hidden
        .map(|row| (row.period.clone(), row.unit_id.clone(), row.suppression_reason.clone().unwrap_or_default()))
        .collect()
}

fn units(found: &[(String, String, String)]) -> Vec<(&str, &str)> {
    found.iter().map(|(_, unit, reason)| (unit.as_str(), reason.as_str())).collect()
}

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

fn variation(level: &str, n_units: i64) -> Variation {
    let x = Some(1.0);
    Variation {
        period: "2025".into(),
        indicator: SCORE.into(),
        level: level.into(),
        n_units,
        lowest: x,
        highest: x,
        ft1: x,
        ft2: x,
        ft3: x,
        eq_5_95: x,
        cv: x,
        cv_weighted: x,
        scv: x,
        scv_raw: x,
        scv_p: x,
        scv_null_p95: x,
        eb_variance: x,
        eq_80_20_smoothed: x,
        chi2: x,
        df: Some(1),
        chi2_p: x,
        between_sd: x,
        between_sd_unadjusted: x,
        explained_by_case_mix: x,
        icc: x,
        median_odds_ratio: x,
        excess: x,
        deficit: x,
        method_version: "1".into(),
        run_id: "run".into(),
    }
}

fn case_mix(n_used: i64) -> CaseMix {
    CaseMix {
        period: "2025".into(),
        indicator: SCORE.into(),
        term: "(fit)".into(),
        n_used,
        n_units: 4,
        convergence: "converged".into(),
        method: "m".into(),
        method_version: "1".into(),
        run_id: "run".into(),
        ..CaseMix::default()
    }
}

fn quality(n: i64) -> SurveyQuality {
    SurveyQuality {
        period: "2025".into(),
        questionnaire: "q".into(),
        questionnaire_version: "1".to_owned(),
        kind: "item".into(),
        subject: "i1".into(),
        n,
        n_scored: n,
        method_version: "1".into(),
        run_id: "run".into(),
        ..SurveyQuality::default()
    }
}

#[test]
fn extremes_between_few_units_and_small_fits_are_withheld() {
    let plan = plan(&UNITS, 5, true);
    let mut input = unprotected(counts(&plan, SCORE, "2025", [12, 50, 45, 80], |n| n as f64 * 70.0));
    input.variation = vec![variation("hf", 2), variation("ward", 3)];
    input.case_mix = vec![case_mix(29), CaseMix { adjustment_max: Some(99.0), icc: Some(0.1), ..case_mix(30) }];
    input.survey_quality = vec![quality(29), quality(187)];
    let protected = protect(&plan, input).expect("protected");
    let figures: Vec<_> = protected.variation().iter().map(|row| (row.lowest, row.ft1, row.cv)).collect();
    // Two trusts; three wards of which one is withheld as secondary.
    assert_eq!(figures, [(None, None, None), (None, None, None)]);
    // The largest movement is of shown units, and with two wards withheld the models' spread would tell of them.
    let [case_mix] = protected.case_mix() else { panic!("one row is large enough") };
    assert!(case_mix.adjustment_max.is_some_and(|moved| moved < 99.0) && case_mix.icc.is_none(), "{case_mix:?}");
    assert_eq!(protected.survey_quality().len(), 1);
}

/// One year's shown quarters and the year's own counts would give the quarter that is withheld.
#[test]
fn survey_quality_of_a_year_goes_where_the_region_is_withheld_in_it() {
    let plan = plan(&UNITS, 5, true);
    let told = |last: [i64; 4]| {
        let quarter = |period: &str, n| counts(&plan, SCORE, period, n, |n| n as f64 * 70.0);
        let mut rows = quarter("2025-Q1", [60, 50, 45, 80]);
        rows.extend(quarter("2025-Q4", last));
        let mut input = unprotected(rows);
        let other_year = SurveyQuality { period: "2024".into(), ..quality(187) };
        let of_scale = SurveyQuality { kind: "scale".into(), subject: SCORE.into(), ..quality(187) };
        input.survey_quality = vec![quality(187), of_scale, other_year];
        let protected = protect(&plan, input).expect("protected");
        protected.survey_quality().iter().map(|row| (row.period.clone(), row.kind.clone())).collect::<Vec<_>>()
    };
    let (year, before) = ("2025".to_owned(), "2024".to_owned());
    let (item, scale) = ("item".to_owned(), "scale".to_owned());
    let all = [(year.clone(), item.clone()), (year, scale), (before.clone(), item.clone())];
    assert_eq!(told([60, 50, 45, 80]), all);
    assert_eq!(told([1, 1, 1, 1]), [(before, item)]);
}

#[test]
fn few_answers_missing_for_one_reason_are_not_told() {
    let plan = plan(&UNITS, 5, true);
    let told = |total, not_applicable, dont_know| {
        let mut input = unprotected(counts(&plan, SCORE, "2025", [60, 50, 45, 80], |n| n as f64 * 70.0));
        let row = SurveyQuality {
            n_other_missing: total,
            n_not_applicable: not_applicable,
            n_dont_know: dont_know,
            ..quality(187)
        };
        input.survey_quality = vec![row];
        let row = protect(&plan, input).expect("protected").survey_quality()[0].clone();
        (row.n_not_applicable, row.n_dont_know)
    };
    assert_eq!(told(30, Some(10), Some(20)), (Some(10), Some(20)));
    assert_eq!(told(10, Some(10), Some(0)), (Some(10), Some(0)));
    // The other reason, and what is left, would tell it.
    assert_eq!(told(24, Some(4), Some(20)), (None, None));
    assert_eq!(told(24, Some(20), Some(4)), (None, None));
    assert_eq!(told(34, Some(10), Some(20)), (None, None));
    assert_eq!(told(4, None, Some(4)), (None, None));
}

#[test]
fn figures_of_models_do_not_tell_of_hidden_units() {
    let plan = plan(&UNITS, 5, true);
    let told = |wards: [i64; 4]| {
        let mut input = unprotected(counts(&plan, SCORE, "2025", wards, |n| n as f64 * 70.0));
        let fit =
            CaseMix { c_statistic: Some(0.553_824_614_4), deviance_explained: Some(0.034_221_5), ..case_mix(187) };
        let of_level =
            CaseMix { term: "(random intercept ward)".into(), between_sd: Some(0.4), icc: Some(0.05), ..case_mix(187) };
        input.case_mix = vec![fit, of_level];
        let scale = SurveyQuality {
            kind: "scale".into(),
            subject: SCORE.into(),
            between_sd: Some(3.0),
            icc: Some(0.1),
            unit_reliability: Some(0.8),
            answers_needed: Some(21.0),
            ..quality(187)
        };
        let level =
            SurveyQuality { kind: "level".into(), subject: SCORE.into(), variance_share: Some(0.1), ..quality(187) };
        input.survey_quality = vec![scale, level];
        let protected = protect(&plan, input).expect("protected");
        let [fit, of_level] = protected.case_mix() else { panic!("two rows") };
        let [scale, level] = protected.survey_quality() else { panic!("two rows") };
        let of_scale =
            [scale.between_sd, scale.icc, scale.unit_reliability, scale.answers_needed].map(|of| of.is_some());
        assert!(of_scale == [true; 4] || of_scale == [false; 4], "{scale:?}");
        (
            fit.c_statistic,
            fit.deviance_explained,
            (of_level.between_sd.is_some(), of_level.icc.is_some()),
            (of_scale[0], level.variance_share.is_some()),
        )
    };
    assert_eq!(told([60, 50, 45, 80]), (Some(0.55), Some(0.034), (true, true), (true, true)));
    // A small ward and what protects it: two wards are hidden, and one figure with the shown ones nearly gives them.
    assert_eq!(told([12, 50, 45, 80]), (Some(0.55), None, (false, false), (false, false)));
}

/// Whether the shown wards have shrunken values, by name.
fn shrunken_wards(plan: &Plan, rows: Vec<Estimate>) -> Vec<(String, bool)> {
    let protected = protect(plan, unprotected(rows)).expect("protected");
    let shown = protected.estimates().iter().filter(|row| row.level == "ward" && !row.suppressed);
    shown
        .map(|row| {
            let columns = [row.shrunken, row.shrunken_low, row.shrunken_high, row.reliability].map(|of| of.is_some());
            assert!(columns == [true; 4] || columns == [false; 4], "{row:?}");
            (row.unit_id.clone(), columns[0])
        })
        .collect()
}

/// Every shown unit tells another function of all units of the model.
#[test]
fn shrunken_values_are_shown_where_no_unit_of_their_model_is_hidden() {
    let unweighted = plan(&UNITS, 5, true);
    let mut weighted = unweighted.clone();
    weighted.indicators.get_mut(SCORE).expect("declared").weighting = Weighting::Design;
    let wards = |plan: &Plan, wards| shrunken_wards(plan, counts(plan, SCORE, "2025", wards, |n| n as f64 * 70.0));
    let of = |names: &[&str], are: bool| names.iter().map(|name| ((*name).to_owned(), are)).collect::<Vec<_>>();
    for plan in [&unweighted, &weighted] {
        assert_eq!(wards(plan, [60, 50, 45, 80]), of(&["n1", "n2", "n3", "s1"], true));
        // n1 is too small and takes another ward with it, which both models know.
        assert!(wards(plan, [12, 50, 45, 80]).iter().all(|(_, is_shown)| !is_shown));
    }
    // n1 and n2 are too small, and no area for that; nothing else is hidden.
    assert_eq!(wards(&unweighted, [20, 25, 80, 80]), of(&["n3", "s1"], false));
    assert_eq!(wards(&weighted, [20, 25, 80, 80]), of(&["n3", "s1"], true));

    // The nested model is of all levels: trusts are all shown, and their wards are not.
    let mut nested = unweighted.clone();
    nested.indicators.get_mut(SCORE).expect("declared").case_mix.shrinkage = Shrinkage::Nested;
    for (plan, is_shown) in [(&unweighted, true), (&nested, false)] {
        let rows = counts(plan, SCORE, "2025", [20, 25, 80, 80], |n| n as f64 * 70.0);
        let protected = protect(plan, unprotected(rows)).expect("protected");
        let trusts = protected.estimates().iter().filter(|row| row.level == "hf" && !row.suppressed);
        assert_eq!(trusts.map(|row| row.shrunken.is_some()).collect::<Vec<_>>(), [is_shown; 2]);
    }
}

/// Areas of trusts are trusts alone, in a tree too: what is hidden of the wards is not in their model.
#[test]
fn nested_areas_are_those_of_their_own_level() {
    let mut weighted = plan(&UNITS, 5, true);
    let own = weighted.indicators.get_mut(SCORE).expect("declared");
    own.weighting = Weighting::Design;
    own.case_mix.shrinkage = Shrinkage::Nested;
    // A proportion has areas without weights too.
    weighted.indicators.get_mut(SHARE).expect("declared").case_mix.shrinkage = Shrinkage::Nested;
    for (indicator, share) in [(SCORE, 70.0), (SHARE, 0.5)] {
        let rows = counts(&weighted, indicator, "2025", [12, 50, 45, 80], |n| (n as f64 * share).floor());
        let protected = protect(&weighted, unprotected(rows)).expect("protected");
        let shrunken = |level: &str| -> Vec<bool> {
            let shown = protected.estimates().iter().filter(|row| row.level == level && !row.suppressed);
            shown.map(|row| row.shrunken.is_some()).collect()
        };
        // n3 goes with the small n1, and the other wards' values would tell of it.
        assert_eq!((shrunken("hf"), shrunken("ward")), (vec![true; 2], vec![false; 2]), "{indicator}");
    }
    let rows = counts(&weighted, SCORE, "2025", [20, 25, 80, 80], |n| n as f64 * 70.0);
    assert!(shrunken_wards(&weighted, rows).iter().all(|(_, is_shown)| *is_shown), "small wards are no areas");
}

/// A nested model's case-mix rows are several figures of the same units: three hidden ones would be too few to hide in.
#[test]
fn spreads_of_a_nested_model_go_where_a_unit_of_it_is_hidden() {
    let spreads = |weighting: Weighting, wards: [i64; 4]| {
        let mut plan = plan(&UNITS, 5, true);
        let own = plan.indicators.get_mut(SCORE).expect("declared");
        (own.weighting, own.case_mix.shrinkage) = (weighting, Shrinkage::Nested);
        let mut input = unprotected(counts(&plan, SCORE, "2025", wards, |n| n as f64 * 70.0));
        let row = |term: &str| CaseMix { term: term.into(), between_sd: Some(2.0), icc: Some(0.1), ..case_mix(90) };
        input.case_mix = ["(fit)", "(nested ward)", "(nested hf)"].map(row).to_vec();
        let protected = protect(&plan, input).expect("protected");
        assert_eq!(protected.case_mix().len(), 3);
        protected.case_mix().iter().map(|row| row.between_sd.is_some() && row.icc.is_some()).collect::<Vec<bool>>()
    };
    for weighting in [Weighting::None, Weighting::Design] {
        assert_eq!(spreads(weighting, [60, 50, 45, 80]), [true; 3], "{weighting:?}");
    }
    // Three wards with few respondents: units of a model of respondents, and no areas.
    assert_eq!(spreads(Weighting::None, [20, 25, 26, 80]), [true, false, false]);
    assert_eq!(spreads(Weighting::Design, [20, 25, 26, 80]), [true; 3]);
}

/// Areas of proportions are weighed by the region's share.
#[test]
fn shrunken_proportions_need_the_regions_row() {
    let whole = plan(&UNITS, 5, true);
    let mut without = whole.clone();
    without.indicators.get_mut(SHARE).expect("declared").levels.retain(|level| *level != Level::Rhf);
    let rows = |plan: &Plan| counts(plan, SHARE, "2025", [60, 50, 45, 80], |n| (n / 2) as f64);
    assert!(shrunken_wards(&whole, rows(&whole)).iter().all(|(_, is_shown)| *is_shown));
    let mut others = rows(&without);
    others.retain(|row| row.level != "rhf");
    let wards = shrunken_wards(&without, others);
    assert!(wards.len() > 1 && wards.iter().all(|(_, is_shown)| !is_shown), "{wards:?}");
}

/// As areas, wards of few respondents are in no model; the logistic random intercept is of all wards.
#[test]
fn shrunken_proportions_by_a_mixed_model_need_every_unit() {
    let areas = plan(&UNITS, 5, true);
    let mut mixed = areas.clone();
    mixed.indicators.get_mut(SHARE).expect("declared").case_mix.shrinkage = Shrinkage::Lme4;
    let rows = |plan: &Plan, wards| counts(plan, SHARE, "2025", wards, |n| (n / 2) as f64);
    for (plan, is_shown) in [(&areas, true), (&mixed, false)] {
        assert!(shrunken_wards(plan, rows(plan, [60, 50, 45, 80])).iter().all(|(_, is_shown)| *is_shown));
        let wards = shrunken_wards(plan, rows(plan, [20, 25, 80, 80]));
        assert_eq!(wards, [("n3".to_owned(), is_shown), ("s1".to_owned(), is_shown)]);
    }
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
