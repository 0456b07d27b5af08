//! What the figures of models, and of survey quality, tell of hidden units.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "tests fail by panicking; counts are small"
)]

mod common;

use common::{SCORE, SHARE, UNITS, counts, plan, unprotected, variation};
use prem_protect::{
    protect,
    tables::{CaseMix, Estimate, SurveyQuality},
};
use prem_spec::{Level, Plan, Shrinkage, Weighting};

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
