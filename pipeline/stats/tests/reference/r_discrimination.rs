//! How well logistic case mix tells events from others: R's wilcox.test and glm on `r/models_rows.csv` and
//! `r/standardised_rows.csv`.

use crate::common::{Case, Table, Tolerance::Absolute, Tolerance::Relative};
use crate::r_numbers::Numbers;
use prem_stats::binary::{BinaryCounts, SeparationPolicy, fit_logistic, logistic_discrimination};

pub fn run() {
    let expected = Numbers::read("discrimination_expected.csv");
    let (wards, hospitals) = (Table::own("r/models_rows.csv"), Table::own("r/standardised_rows.csv"));
    for (case, title, table, unit, outcome, adjusters) in [
        ("two", "two adjusters, wards with one outcome", &wards, "ward", "event", ["x1", "x2"].as_slice()),
        ("ties", "one adjuster of two values", &wards, "ward", "event", &["x2"]),
        ("mortality", "three adjusters", &hospitals, "hospital", "died", &["age", "sex", "acute"]),
    ] {
        let units: Vec<u32> = table.numbers(unit).iter().map(|code| *code as u32 - 1).collect();
        let columns: Vec<Vec<f64>> = adjusters.iter().map(|column| table.numbers(column)).collect();
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let count = units.iter().max().map_or(0, |last| *last as usize + 1);
        let mut counts = BinaryCounts::new(count, columns.len());
        counts.add(&units, &table.numbers(outcome), &columns).expect("rows");
        let counts = counts.finish();
        let fit = fit_logistic(&counts, SeparationPolicy::Refuse).expect("fit");
        let found = logistic_discrimination(&counts, &fit).expect("figures");
        let mut pairs = Case::new(&format!("c-statistic, {title}"), "R wilcox.test", Absolute(1e-12));
        pairs.compare_optional("c", Some(expected.at(case, "c", "")), found.c_statistic);
        pairs.finish();
        let mut deviance = Case::new(&format!("share of deviance, {title}"), "R glm", Relative(1e-9));
        for (term, beta) in adjusters.iter().zip(&fit.coefficients) {
            deviance.compare(term, expected.at(case, "beta", term), *beta);
        }
        let share = expected.at(case, "deviance_explained", "");
        deviance.compare_optional("share", Some(share), found.deviance_explained);
        deviance.finish();
    }
}
