//! Series and other models as people read them.

#![allow(clippy::expect_used, clippy::cast_precision_loss, reason = "tests fail by panicking; counts are small")]

mod common;

use common::{SCORE, estimates, facts, plan, read};
use prem_protect::{
    Unprotected, protect,
    tables::{Estimate, Sensitivity, TableMeta},
};
use prem_report::write_release;
use prem_spec::{Period, Plan};

/// Twelve quarters of the trust `north`, one in the middle far up.
fn quarters(plan: &Plan) -> Vec<Estimate> {
    let year = estimates(plan).into_iter().find(|row| row.unit_id == "north" && row.indicator == SCORE).expect("a row");
    let values = [70.0, 71.0, 70.5, 69.5, 70.2, 80.0, 69.8, 70.4, 71.1, 69.9, 70.6, 70.1];
    (0..12)
        .map(|place| {
            let period: Period = format!("{}-Q{}", 2021 + place / 4, place % 4 + 1).parse().expect("a period");
            Estimate {
                period: period.to_string(),
                period_start: period.start(),
                period_end: period.end(),
                n: Some(120),
                value: Some(values[place]),
                ..year.clone()
            }
        })
        .collect()
}

fn other_models() -> Vec<Sensitivity> {
    let row = |unit: &str, model: &str, value: f64, word: &str| Sensitivity {
        period: "2025".into(),
        indicator: SCORE.into(),
        level: "hf".into(),
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
        comparison: Some(word.into()),
        class_changed: None,
        method: "m".into(),
        method_version: "1".into(),
        run_id: "run".into(),
    };
    vec![
        row("south", "main", 71.0, "as-expected"),
        row("west", "main", 78.0, "better"),
        row("south", "unadjusted", 79.0, "better"),
        row("west", "unadjusted", 72.0, "as-expected"),
    ]
}

fn page(folder: &str) -> String {
    let plan = plan();
    let mut rows = estimates(&plan);
    rows.extend(quarters(&plan));
    let meta = TableMeta { run_id: "run".into(), plan_hash: "plan".into() };
    let input = Unprotected { estimates: rows, sensitivity: other_models(), meta, ..Default::default() };
    let protected = protect(&plan, input).expect("protected");
    let staging = tempfile::tempdir().expect("a folder");
    write_release(&plan, &protected, &facts(), staging.path()).expect("written");
    read(&staging.path().join(folder).join("index.html"))
}

#[test]
fn a_trusts_series_is_drawn_and_told_in_words() {
    let page = page("hf/north");
    let figure = page.split_once("<figure class=\"run\">").expect("a series").1;
    let figure = figure.split_once("</figure>").expect("its end").0;
    // Ordinary points are round, the one that breaks a rule is a square.
    assert_eq!((figure.matches("<circle").count(), figure.matches("<rect").count()), (11, 1));
    assert_eq!(figure.matches("12 perioder fra 2021-Q1 til 2023-Q4.").count(), 2, "for eyes and for ears: {figure}");
    assert!(figure.contains("Siste verdi 70,1.") && figure.contains("verdi utenfor vanlig variasjon"), "{figure}");
    assert!(figure.contains(">2023-Q4</text>"));
    assert_eq!(page.matches("<figure class=\"run\">").count(), 1, "two years are no series for a picture");
}

#[test]
fn the_region_sees_how_far_other_models_move_its_units() {
    let region = page("region");
    let table = region.split_once("<section id=\"models\"").expect("other models").1;
    let row = table.split_once("Uten justering").expect("the model").1.split_once("</tr>").expect("its row").0;
    let figures: Vec<&str> = row.split("figure\">").skip(1).filter_map(|cell| cell.split('<').next()).collect();
    assert_eq!(figures, ["2", "2", "1", "2"], "units, moved, furthest, assessed differently");
    assert!(region.contains("<a href=\"#models\">"));
    assert!(!page("hf/south").contains("id=\"models\""));
}
