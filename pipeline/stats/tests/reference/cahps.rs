//! The CAHPS macro's stored results.

use crate::common::{Case, Table, Tolerance::Exact, Tolerance::Relative};
use prem_stats::case_mix::{FixedEffectsConvention::Cahps41c, FixedEffectsFit, Stars, fixed_effects, unit_mean_impute};

const SOURCE: &str = "CAHPS macro 4.1c, SAS";

const UNITS: [(&str, &str); 5] =
    [("1", "HMO_A_URBAN"), ("4", "HMO_B_RURAL"), ("2", "HMO_B_URBAN"), ("5", "HMO_C_RURAL"), ("7", "HMO_C_URBAN")];

struct Survey {
    units: Vec<u32>,
    items: Vec<Vec<f64>>,
    adjusters: Vec<Vec<f64>>,
}

pub fn run() {
    for analysis in ["q38", "quick"] {
        let Some(survey) = survey(analysis) else { return };
        compare_analysis(analysis, &fit(&survey));
    }
    bars();
}

fn survey(analysis: &str) -> Option<Survey> {
    let table = Table::shared("cahps/responses.csv")?;
    let plan = table.texts("planid");
    let rows: Vec<usize> = (0..plan.len()).filter(|&i| UNITS.iter().any(|u| u.0 == plan[i])).collect();
    let code = |name: &str, low: f64, high: f64| -> Vec<f64> {
        let all: Vec<f64> = table.rows().map(|r| r.optional(name).unwrap_or(f64::NAN)).collect();
        rows.iter().map(|&i| if (low..=high).contains(&all[i]) { all[i] } else { f64::NAN }).collect()
    };
    let units: Vec<u32> =
        rows.iter().map(|&i| UNITS.iter().position(|u| u.0 == plan[i]).expect("unit") as u32).collect();
    let items = if analysis == "q38" {
        vec![code("q38", 0.0, 10.0)]
    } else {
        let reversed = code("q24", 1.0, 4.0).into_iter().map(|v| 5.0 - v).collect();
        vec![code("q15", 1.0, 4.0), code("q17", 1.0, 4.0), code("q19", 1.0, 4.0), reversed]
    };
    let mut adjusters = vec![code("q39", 1.0, 5.0), code("q40", 1.0, 7.0)];
    for column in &mut adjusters {
        unit_mean_impute(&units, UNITS.len(), column).expect("imputation");
    }
    Some(Survey { units, items, adjusters })
}

fn fit(survey: &Survey) -> FixedEffectsFit {
    let items: Vec<&[f64]> = survey.items.iter().map(Vec::as_slice).collect();
    let adjusters: Vec<&[f64]> = survey.adjusters.iter().map(Vec::as_slice).collect();
    fixed_effects(&survey.units, UNITS.len(), &items, &adjusters, Cahps41c).expect("fit")
}

fn index(name: &str) -> usize {
    UNITS.iter().position(|u| u.1 == name).expect("unit")
}

fn compare_analysis(analysis: &str, fit: &FixedEffectsFit) {
    let (Some(units), Some(overall), Some(coefficients)) = (
        Table::shared("cahps/expected_units.csv"),
        Table::shared("cahps/expected_overall.csv"),
        Table::shared("cahps/expected_coefficients.csv"),
    ) else {
        return;
    };
    let mut case = Case::new(&format!("CAHPS fixed effects, {analysis}: units"), SOURCE, Relative(1e-10));
    let mut counts = Case::new(&format!("CAHPS fixed effects, {analysis}: counts and stars"), SOURCE, Exact);
    for r in units.with("analysis", analysis) {
        let unit = fit.units[index(r.text("unit"))].expect("unit counted");
        let stars = match unit.stars {
            Stars::Below => 1.0,
            Stars::Average => 2.0,
            Stars::Above => 3.0,
        };
        counts.compare("n_used", r.number("n_used"), unit.n as f64);
        counts.compare("stars", r.number("stars"), stars);
        for (column, actual) in [
            ("unadjusted_mean", unit.unadjusted),
            ("adjusted_mean", unit.adjusted),
            ("variance", unit.variance),
            ("se", unit.delta_standard_error),
            ("delta", unit.delta),
            ("ci95_halfwidth", unit.half_width_95),
            ("p_value", unit.p),
        ] {
            case.compare(column, r.number(column), actual);
        }
    }
    case.finish();
    let mut case = Case::new(&format!("CAHPS fixed effects, {analysis}: overall"), SOURCE, Relative(1e-10));
    for r in overall.with("analysis", analysis) {
        counts.compare("n_total", r.number("n_total"), fit.rows as f64);
        for (column, actual) in [
            ("overall_mean", Some(fit.overall)),
            ("grand_mean", fit.grand_mean),
            ("F", fit.f),
            ("df1", Some(fit.df1)),
            ("df2", Some(fit.df2)),
            ("p", fit.f_p),
        ] {
            case.compare_optional(column, r.optional(column), actual);
        }
    }
    case.finish();
    let mut case = Case::new(&format!("CAHPS fixed effects, {analysis}: β, R²"), SOURCE, Relative(1e-10));
    for (r, item) in coefficients.with("analysis", analysis).zip(&fit.items) {
        counts.compare("n_responses", r.number("n_responses"), item.fit.rows as f64);
        for (column, actual) in [
            ("coef_ghr", item.fit.coefficients[0]),
            ("coef_age", item.fit.coefficients[1]),
            ("r_squared", item.fit.r_squared_within),
            ("adj_r_squared", item.adjusted_r_squared),
        ] {
            case.compare(column, r.number(column), actual);
        }
    }
    case.finish();
    counts.finish();
}

/// Shares of answers 0–6, 7–8 and 9–10, adjusted as means.
fn bars() {
    let (Some(survey), Some(expected)) = (survey("q38"), Table::shared("cahps/expected_bars.csv")) else { return };
    let mut case = Case::new("CAHPS fixed effects, shares of answers", SOURCE, Relative(1e-10));
    for (bar, range) in [("1", 0.0..=6.0), ("2", 7.0..=8.0), ("3", 9.0..=10.0)] {
        let share = |v: &f64| if v.is_nan() { *v } else { f64::from(range.contains(v)) };
        let items = vec![survey.items[0].iter().map(share).collect()];
        let fit = fit(&Survey { units: survey.units.clone(), items, adjusters: survey.adjusters.clone() });
        for r in expected.with("bar", bar) {
            let unit = fit.units[index(r.text("unit"))].expect("unit counted");
            case.compare("unadjusted", r.number("unadjusted"), unit.unadjusted);
            case.compare("adjusted", r.number("adjusted"), unit.adjusted);
        }
    }
    case.finish();
}
