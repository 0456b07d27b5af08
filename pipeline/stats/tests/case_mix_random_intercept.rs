//! Random intercepts against lme4 and the exact optimum, by hand, and by property.

mod models;

use models::{Case, Prem, Table, codes};
use prem_stats::case_mix::{
    Criterion, ProfiledLikelihood, RandomIntercept, SufficientStatistics, UnitMoments, fit_random_intercept, within,
};

struct Data {
    names: Vec<String>,
    moments: UnitMoments,
    terms: Vec<String>,
}

fn moments(units: &[u32], n: usize, y: &[f64], x: &[&[f64]]) -> UnitMoments {
    let mut statistics = SufficientStatistics::new(n, x.len());
    statistics.add(units, y, x).expect("rows");
    statistics.finish().expect("moments")
}

fn data(name: &str) -> Option<Data> {
    if name == "prem" {
        let prem = Prem::read(false)?;
        let moments = moments(&prem.units, prem.names.len(), &prem.score, &prem.columns());
        return Some(Data { names: prem.names, moments, terms: prem.terms });
    }
    let table = Table::read("mixed", &format!("{name}.csv"))?;
    let (unit, y) = if name == "sleepstudy" { ("subject", "reaction") } else { ("batch", "yield") };
    let (names, units) = codes(&table.text(unit));
    let days = if name == "sleepstudy" { vec![table.numbers("days")] } else { Vec::new() };
    let x: Vec<&[f64]> = days.iter().map(Vec::as_slice).collect();
    let terms = days.iter().map(|_| "days".to_string()).collect();
    Some(Data { moments: moments(&units, names.len(), &table.numbers(y), &x), names, terms })
}

#[test]
fn other_software_lme4() {
    for name in ["dyestuff", "dyestuff2", "sleepstudy", "prem"] {
        let Some(data) = data(name) else { return };
        for (method, kind) in [("REML", Criterion::Reml), ("ML", Criterion::Ml)] {
            let of_fit = [("dataset", name), ("method", method)];
            let fit = fit_random_intercept(&data.moments, kind, None).expect("fit");
            assert!(fit.convergence.converged);
            let expected =
                Table::read("mixed", "lmm_fit_expected.csv").expect("fits").filter(&of_fit).lookup("quantity", "value");
            let starting = |prefix: &str| {
                *expected.iter().find(|(k, _)| k.starts_with(prefix)).map(|(_, v)| v).expect("quantity")
            };
            let mut criterion = Case::new("random_intercept criterion", &format!("{name} {method}"), 1e-9);
            criterion.compare_relative(expected["criterion"], fit.criterion);
            criterion.compare_relative(expected["loglik"], fit.log_likelihood());
            let at_theta = ProfiledLikelihood::new(&data.moments, kind).expect("objective");
            criterion.compare_relative(
                expected["criterion"],
                at_theta.objective(starting("theta_")).expect("value at the published theta"),
            );
            let mut case = Case::new("random_intercept estimates", &format!("{name} {method}"), 1e-6);
            case.compare_relative(expected["sigma"], fit.components.residual_sd);
            if starting("theta_") == 0.0 {
                assert!(fit.convergence.boundary);
                assert_eq!(fit.components.theta, 0.0);
            } else {
                case.compare_relative(starting("theta_"), fit.components.theta);
                case.compare_relative(starting("tau_"), fit.components.between_unit_sd);
                case.compare_relative(starting("icc_"), fit.components.intraclass_correlation());
            }
            let fixed = Table::read("mixed", "lmm_fixed_expected.csv").expect("fixed").filter(&of_fit);
            let (estimates, errors) = (fixed.lookup("term", "estimate"), fixed.lookup("term", "se"));
            let mut terms = vec!["intercept".to_string()];
            terms.extend(data.terms.iter().cloned());
            for (k, term) in terms.iter().enumerate() {
                case.compare_relative(estimates[term], fit.coefficients[k]);
                case.compare_relative(errors[term], fit.standard_errors()[k]);
            }
            compare_effects(&mut case, &of_fit, &data.names, &fit);
        }
    }
}

fn compare_effects(case: &mut Case, of_fit: &[(&str, &str)], names: &[String], fit: &RandomIntercept) {
    let ranef = Table::read("mixed", "lmm_ranef_expected.csv").expect("ranef").filter(of_fit);
    assert_eq!(ranef.rows.len(), names.len());
    for column in ["blup", "cond_var", "pev", "shrinkage"] {
        let expected = ranef.lookup("level", column);
        for (name, effect) in names.iter().zip(&fit.effects) {
            let got = match column {
                "blup" => effect.blup,
                "cond_var" => effect.conditional_variance,
                "pev" => effect.prediction_error_variance,
                _ => effect.reliability,
            };
            case.compare(expected[name], got);
        }
    }
}

/// Balanced one-way layout, units (1, 3), (5, 7), (9, 11): MSB = 32, MSW = 2, n = 2. REML equals the analysis of
/// variance: σ² = 2, σ_b² = (32 − 2)/2 = 15, grand mean 6 with variance MSB/(Jn) = 16/3, λ = 30/32.
#[test]
fn by_hand_balanced() {
    let y = [1.0, 3.0, 5.0, 7.0, 9.0, 11.0];
    let fit = fit_random_intercept(&moments(&[0, 0, 1, 1, 2, 2], 3, &y, &[]), Criterion::Reml, None).expect("fit");
    assert!((fit.components.residual_sd.powi(2) - 2.0).abs() < 1e-10);
    assert!((fit.components.between_unit_sd.powi(2) - 15.0).abs() < 1e-9);
    assert!((fit.coefficients[0] - 6.0).abs() < 1e-12);
    assert!((fit.covariance[(0, 0)] - 16.0 / 3.0).abs() < 1e-9);
    assert!((fit.effects[0].blup + 4.0 * 30.0 / 32.0).abs() < 1e-10);
}

/// The derivative that the optimiser follows is the objective's.
#[test]
fn property_derivative_matches_differences() {
    let Some(data) = data("prem") else { return };
    for kind in [Criterion::Reml, Criterion::Ml] {
        let likelihood = ProfiledLikelihood::new(&data.moments, kind).expect("objective");
        for v in [0.001f64, 0.03, 0.4] {
            let h = 1e-5 * v;
            let at = |v: f64| likelihood.objective(v.sqrt()).expect("value");
            let numeric = (at(v + h) - at(v - h)) / (2.0 * h);
            let exact = likelihood.evaluate(v.sqrt()).expect("point").derivative;
            assert!((numeric - exact).abs() < 1e-3 * exact.abs().max(1.0), "{numeric} {exact}");
        }
    }
}

/// With β fixed at the within fit the components stay close to the model's own, and slopes are the within fit's.
#[test]
fn fixed_beta_keeps_the_within_slopes() {
    let Some(data) = data("prem") else { return };
    let slopes = within(&data.moments).expect("within");
    let own = fit_random_intercept(&data.moments, Criterion::Reml, None).expect("gls");
    let fixed = fit_random_intercept(&data.moments, Criterion::Reml, Some(&slopes)).expect("fixed");
    assert_eq!(fixed.coefficients[1..], slopes.coefficients[..]);
    assert!((fixed.components.residual_sd / own.components.residual_sd - 1.0).abs() < 2e-3);
    assert!((fixed.components.between_unit_sd / own.components.between_unit_sd - 1.0).abs() < 0.1);
}

#[test]
fn hostile_inputs_give_errors() {
    let reml = |m: &UnitMoments| fit_random_intercept(m, Criterion::Reml, None);
    assert!(reml(&moments(&[], 0, &[], &[])).is_err());
    assert!(reml(&moments(&[], 5, &[], &[])).is_err());
    assert!(reml(&moments(&[0], 1, &[1.0], &[])).is_err());
    assert!(reml(&moments(&[0, 0, 0], 1, &[1.0, 2.0, 4.0], &[])).is_err());
    assert!(reml(&moments(&[0, 1, 2], 3, &[1.0, 2.0, 4.0], &[])).is_err());
    assert!(reml(&moments(&[0, 0, 1, 1], 2, &[3.0; 4], &[])).is_err());
    assert!(reml(&moments(&[0, 0, 1, 1], 2, &[1.0, 1.0, 2.0, 2.0], &[])).is_err());
    let likelihood = ProfiledLikelihood::new(&moments(&[0, 0, 1, 1], 2, &[1.0, 2.0, 4.0, 8.0], &[]), Criterion::Reml)
        .expect("objective");
    for theta in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
        assert!(likelihood.objective(theta).is_err());
    }
}
