//! A made-up region of two trusts, released into a temporary folder.
#![allow(dead_code, reason = "each test file uses its part")]

#[path = "../../../protect/tests/common/mod.rs"]
mod protect_common;

use std::path::Path;

use prem_protect::{
    Protected, protect,
    tables::{Estimate, Variation},
};
use prem_report::{Language, ReleaseSummary, RunFacts, write_release};
use prem_spec::{GoalLevels, Level, Link, Plan, Questionnaire};
pub use protect_common::{RATE, SCORE, SHARE, text};

const UNITS: [(&str, Level, &str); 14] = [
    ("region", Level::Rhf, ""),
    ("north", Level::Hf, "region"),
    ("south", Level::Hf, "region"),
    ("west", Level::Hf, "region"),
    ("n-hospital", Level::Hospital, "north"),
    ("s-hospital", Level::Hospital, "south"),
    ("w-hospital", Level::Hospital, "west"),
    ("n-ward-1", Level::Ward, "n-hospital"),
    ("n-ward-2", Level::Ward, "n-hospital"),
    ("n-ward-3", Level::Ward, "n-hospital"),
    ("s-ward-1", Level::Ward, "s-hospital"),
    ("s-ward-2", Level::Ward, "s-hospital"),
    ("w-ward-1", Level::Ward, "w-hospital"),
    ("w-ward-2", Level::Ward, "w-hospital"),
];

pub fn plan() -> Plan {
    let mut plan = protect_common::plan(&UNITS, 5, true);
    let names = [
        "Regionen",
        "Sykehuset Nord",
        "Sykehuset Sør",
        "Sykehuset Vest",
        "Nordby sykehus",
        "Sørby sykehus",
        "Vestby sykehus",
        "Medisin 1",
        "Medisin 2",
        "Kirurgi",
        "Sørpost A",
        "Sørpost B",
        "Vestpost A",
        "Vestpost B",
    ];
    for (unit, name) in plan.organisation.units.iter_mut().zip(names) {
        unit.name = text(name);
    }
    for (id, title, theme) in [
        (SCORE, "Informasjon", "Møtet med helsetjenesten"),
        (SHARE, "Vil anbefale sykehuset", "Helhet"),
        (RATE, "Hofteprotese", "Forbruk"),
    ] {
        let indicator = plan.indicators.get_mut(id).expect("declared");
        indicator.title = text(title);
        indicator.theme = text(theme);
    }
    let questionnaire = Questionnaire {
        id: "q".into(),
        title: text("Døgnopphold"),
        link: Link::Response,
        versions: Vec::new(),
        items: Vec::new(),
        adjusters: Vec::new(),
        stratifiers: Vec::new(),
    };
    plan.questionnaires.insert("q".into(), questionnaire);
    plan.indicators.get_mut(SCORE).expect("declared").goal = Some(GoalLevels { high: 75.0, moderate: 65.0 });
    plan
}

/// (ward, respondents, score); the small ward hides itself and its smallest sibling.
const WARDS: [(&str, i64, f64); 7] = [
    ("n-ward-1", 120, 71.25),
    ("n-ward-2", 64, 78.5),
    ("n-ward-3", 12, 55.0),
    ("s-ward-1", 90, 69.0),
    ("s-ward-2", 45, 74.75),
    ("w-ward-1", 150, 72.5),
    ("w-ward-2", 80, 88.0),
];

fn filled(plan: &Plan, indicator: &str, period: &str, unit: &str, n: i64, value: f64, reference: f64) -> Estimate {
    let scale = if indicator == SHARE { 0.01 } else { 1.0 };
    let mut row = protect_common::row(plan, indicator, period, unit, "total", n, (n as f64 * value / 100.0).round());
    let margin = 150.0 / (n as f64).sqrt();
    row.raw = Some(value * scale);
    row.value = Some(value * scale);
    row.se = Some(margin / 1.96 * scale);
    row.ci_low = Some((value - margin) * scale);
    row.ci_high = Some((value + margin) * scale);
    row.reference = Some(reference * scale);
    row.difference = Some((value - reference) * scale);
    let word = if value - margin > reference {
        "better"
    } else if value + margin < reference {
        "worse"
    } else {
        "as-expected"
    };
    row.comparison = Some(word.to_owned());
    row.goal_level = Some(if value >= 75.0 { "high" } else { "moderate" }.to_owned());
    row
}

pub fn estimates(plan: &Plan) -> Vec<Estimate> {
    let mut rows = Vec::new();
    for indicator in [SCORE, SHARE] {
        for (period, shift) in [("2024", -1.5), ("2025", 0.0)] {
            let mean = |wards: &[(&str, i64, f64)]| {
                let n: i64 = wards.iter().map(|ward| ward.1).sum();
                (n, wards.iter().map(|ward| ward.1 as f64 * ward.2).sum::<f64>() / n as f64 + shift)
            };
            let below = |unit: &str| -> Vec<_> {
                let is_below = |ward: &str| plan.organisation.ancestry(ward).iter().any(|above| above.id == unit);
                WARDS.into_iter().filter(|ward| is_below(ward.0)).collect()
            };
            let reference = mean(&WARDS).1;
            for (unit, ..) in UNITS {
                let (n, value) = mean(&below(unit));
                let mut row = filled(plan, indicator, period, unit, n, value, reference);
                if period == "2025" {
                    let scale = if indicator == SHARE { 0.01 } else { 1.0 };
                    (row.change, row.change_low, row.change_high) =
                        (Some(1.5 * scale), Some(-0.75 * scale), Some(3.75 * scale));
                }
                rows.push(row);
            }
        }
    }
    rows
}

/// Events of as many persons as `n`, one each, in 2025.
pub fn rate(plan: &Plan, unit: &str, n: i64) -> Estimate {
    protect_common::row(plan, RATE, "2025", unit, "total", n, n as f64)
}

pub fn protected(plan: &Plan) -> Protected {
    let mut input = protect_common::unprotected(estimates(plan));
    input.variation = vec![Variation {
        period: "2025".into(),
        indicator: SCORE.into(),
        level: "hf".into(),
        n_units: 3,
        lowest: Some(70.9),
        highest: Some(72.6),
        ft1: Some(1.02),
        eq_5_95: Some(1.02),
        cv: Some(0.01),
        between_sd: Some(0.8),
        between_sd_unadjusted: Some(1.0),
        explained_by_case_mix: Some(0.36),
        icc: Some(0.012),
        method_version: "1".into(),
        run_id: "run".into(),
        ..Variation::default()
    }];
    protect(plan, input).expect("protected")
}

pub fn facts() -> RunFacts {
    RunFacts {
        run_id: "0123abcd".into(),
        plan_hash: "feedc0de".into(),
        method_version: "1.0.0".into(),
        program_version: "0.1.0".into(),
        language: Language::Bokmal,
        is_synthetic: false,
        answers_until: std::collections::BTreeMap::new(),
        held_back: std::collections::BTreeSet::new(),
    }
}

pub fn release(plan: &Plan, staging: &Path) -> ReleaseSummary {
    write_release(plan, &protected(plan), &facts(), staging).expect("written")
}

pub fn read(path: &Path) -> String {
    String::from_utf8(std::fs::read(path).expect("readable")).expect("UTF-8")
}
