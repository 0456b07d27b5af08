//! The CAHPS model against the macro's stored results.

mod models;

use models::{Case, Table};
use prem_stats::StatsError;
use prem_stats::case_mix::{FixedEffectsConvention, FixedEffectsFit, Stars, fixed_effects, unit_mean_impute};

const UNITS: [(&str, &str); 5] =
    [("1", "HMO_A_URBAN"), ("4", "HMO_B_RURAL"), ("2", "HMO_B_URBAN"), ("5", "HMO_C_RURAL"), ("7", "HMO_C_URBAN")];

struct Survey {
    units: Vec<u32>,
    items: Vec<Vec<f64>>,
    adjusters: Vec<Vec<f64>>,
}

fn survey(analysis: &str) -> Option<Survey> {
    let table = Table::read("cahps", "responses.csv")?;
    let plan = table.text("planid");
    let rows: Vec<usize> = (0..plan.len()).filter(|&i| UNITS.iter().any(|u| u.0 == plan[i])).collect();
    let code = |name: &str, low: f64, high: f64| -> Vec<f64> {
        let all = table.numbers(name);
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

fn run(survey: &Survey, convention: FixedEffectsConvention) -> FixedEffectsFit {
    let items: Vec<&[f64]> = survey.items.iter().map(Vec::as_slice).collect();
    let adjusters: Vec<&[f64]> = survey.adjusters.iter().map(Vec::as_slice).collect();
    fixed_effects(&survey.units, UNITS.len(), &items, &adjusters, convention).expect("fit")
}

#[test]
fn other_software_cahps_macro() {
    for analysis in ["q38", "quick"] {
        let Some(survey) = survey(analysis) else { return };
        let fit = run(&survey, FixedEffectsConvention::Cahps41c);
        let mut case = Case::new("fixed_effects cahps-4.1c", analysis, 1e-9);
        let expected = Table::read("cahps", "expected_units.csv").expect("units").filter(&[("analysis", analysis)]);
        for (row, name) in expected.text("unit").iter().enumerate() {
            let index = UNITS.iter().position(|u| u.1 == *name).expect("unit");
            let unit = fit.units[index].expect("unit counted");
            let at = |column: &str| expected.numbers(column)[row];
            assert_eq!(unit.n as f64, at("n_used"));
            case.compare(at("unadjusted_mean"), unit.unadjusted);
            case.compare(at("adjusted_mean"), unit.adjusted);
            case.compare(at("variance"), unit.variance);
            case.compare(at("se"), unit.delta_standard_error);
            case.compare(at("delta"), unit.delta);
            case.compare(at("ci95_halfwidth"), unit.half_width_95);
            case.compare(at("p_value"), unit.p);
            let stars = match unit.stars {
                Stars::Below => 1.0,
                Stars::Average => 2.0,
                Stars::Above => 3.0,
            };
            assert_eq!(stars, at("stars"));
        }
        let overall = Table::read("cahps", "expected_overall.csv").expect("overall").filter(&[("analysis", analysis)]);
        let at = |column: &str| overall.numbers(column)[0];
        assert_eq!(fit.rows as f64, at("n_total"));
        case.compare(at("overall_mean"), fit.overall);
        case.compare(at("grand_mean"), fit.grand_mean.expect("grand mean"));
        case.compare(at("F"), fit.f.expect("F"));
        case.compare(at("df1"), fit.df1);
        case.compare(at("df2"), fit.df2);
        case.compare(at("p"), fit.f_p.expect("p"));
        let coefficients =
            Table::read("cahps", "expected_coefficients.csv").expect("items").filter(&[("analysis", analysis)]);
        for (k, item) in fit.items.iter().enumerate() {
            assert_eq!(item.fit.rows as f64, coefficients.numbers("n_responses")[k]);
            case.compare(coefficients.numbers("coef_ghr")[k], item.fit.coefficients[0]);
            case.compare(coefficients.numbers("coef_age")[k], item.fit.coefficients[1]);
            case.compare(coefficients.numbers("r_squared")[k], item.fit.r_squared_within);
            case.compare(coefficients.numbers("adj_r_squared")[k], item.adjusted_r_squared);
        }
    }
}

#[test]
fn other_software_cahps_bars() {
    let Some(survey) = survey("q38") else { return };
    let expected = Table::read("cahps", "expected_bars.csv").expect("bars");
    let mut case = Case::new("fixed_effects, shares of answers", "cahps bars", 1e-9);
    for (bar, range) in [("1", 0.0..=6.0), ("2", 7.0..=8.0), ("3", 9.0..=10.0)] {
        let share: Vec<f64> = survey.items[0]
            .iter()
            .map(|v| if v.is_nan() { *v } else { f64::from(range.contains(v)) })
            .collect();
        let bar_survey =
            Survey { units: survey.units.clone(), items: vec![share], adjusters: survey.adjusters.clone() };
        let fit = run(&bar_survey, FixedEffectsConvention::Cahps41c);
        let rows = expected.filter(&[("bar", bar)]);
        for (row, name) in rows.text("unit").iter().enumerate() {
            let index = UNITS.iter().position(|u| u.1 == *name).expect("unit");
            let unit = fit.units[index].expect("unit counted");
            case.compare(rows.numbers("unadjusted")[row], unit.unadjusted);
            case.compare(rows.numbers("adjusted")[row], unit.adjusted);
        }
    }
}

/// Two units, no adjusters: unit 0 answers 1, 3; unit 1 answers 4, 6, 8. Means 2 and 6, overall 4, delta ∓2.
/// Code: V_0 = (1² + 1²)/4 = 0.5, V_1 = (4 + 0 + 4)/9 = 8/9. se(delta)² = V_u(1 − 2/2) + (V_0 + V_1)/4 = 25/72.
/// Manual: V_0·2/1 = 1, V_1·3/2 = 4/3, se² = 7/12. F = (2−g)²/V_0 + (6−g)²/V_1 with g precision-weighted: 16/(V_0 + V_1).
#[test]
fn by_hand_two_units() {
    let units = [0, 0, 1, 1, 1];
    let y = [1.0, 3.0, 4.0, 6.0, 8.0];
    for (convention, v, se2) in [
        (FixedEffectsConvention::Cahps41c, [0.5, 8.0 / 9.0], 25.0 / 72.0),
        (FixedEffectsConvention::CahpsManual, [1.0, 4.0 / 3.0], 7.0 / 12.0),
    ] {
        let fit = fixed_effects(&units, 3, &[&y], &[], convention).expect("fit");
        assert!(fit.units[2].is_none());
        assert_eq!(fit.overall, 4.0);
        assert!((fit.f.expect("F") - 16.0 / (v[0] + v[1])).abs() < 1e-12);
        for (u, delta) in [(0, -2.0), (1, 2.0)] {
            let unit = fit.units[u].expect("unit");
            assert!((unit.variance - v[u]).abs() < 1e-14);
            assert!((unit.delta - delta).abs() < 1e-14);
            assert!((unit.delta_standard_error - f64::sqrt(se2)).abs() < 1e-14);
        }
    }
}

#[test]
fn hostile_inputs_give_errors() {
    use FixedEffectsConvention::Cahps41c;
    let nan = f64::NAN;
    assert!(matches!(fixed_effects(&[], 2, &[], &[], Cahps41c), Err(StatsError::Empty { .. })));
    assert!(fixed_effects(&[], 0, &[&[]], &[], Cahps41c).is_err());
    assert!(fixed_effects(&[0, 1], 2, &[&[nan, nan]], &[], Cahps41c).is_err());
    assert!(fixed_effects(&[0, 0, 1, 1], 2, &[&[1.0, 2.0, f64::INFINITY, 1.0]], &[], Cahps41c).is_err());
    assert!(fixed_effects(&[0, 0, 1, 1], 2, &[&[1.0, 2.0, 3.0, 1.0]], &[&[1.0, nan, 2.0, 3.0]], Cahps41c).is_err());
    assert!(fixed_effects(&[0, 0, 1, 9], 2, &[&[1.0, 2.0, 3.0, 1.0]], &[], Cahps41c).is_err());
    assert!(fixed_effects(&[0, 0, 1, 1], 2, &[&[5.0; 4]], &[], Cahps41c).is_err());
}
