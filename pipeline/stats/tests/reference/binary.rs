//! The logistic random intercept: glmer.

use crate::common::{Case, Table, Tolerance::Absolute, Tolerance::Relative, Tolerance::Scaled};
use crate::models::Prem;
use prem_stats::binary::{
    BinaryCounts, ConditionalProbability, SeparationPolicy, expit, fit_logistic_random_intercept,
};

pub fn run() {
    let Some(prem) = Prem::read(true) else { return };
    let (Some(fits), Some(fixed), Some(effects)) = (
        Table::shared("mixed/glmm_fit_expected.csv"),
        Table::shared("mixed/glmm_fixed_expected.csv"),
        Table::shared("mixed/glmm_ranef_expected.csv"),
    ) else {
        return;
    };
    let mut counts = BinaryCounts::new(prem.names.len(), prem.x.len());
    counts.add(&prem.units, &prem.topbox, &prem.columns()).expect("rows");
    let table = counts.finish();
    for (nodes, source) in [("1", "exact optimum, glmer Laplace"), ("9", "exact optimum, glmer 9 nodes")] {
        let order = nodes.parse().expect("order");
        let fit = fit_logistic_random_intercept(&table, order, SeparationPolicy::Refuse).expect("fit");
        let of_fit = [("nagq", nodes)];
        let (fits, fixed, effects) = (fits.filter(&of_fit), fixed.filter(&of_fit), effects.filter(&of_fit));
        let mut case = Case::new("logistic random intercept: log-likelihood", source, Relative(1e-6));
        case.compare("loglik", fits.lookup("quantity", "loglik", "value"), fit.log_likelihood);
        case.finish();
        let mut estimates = Case::new("logistic random intercept: estimates", source, Relative(1e-5));
        let mut errors = Case::new("logistic random intercept: SE", source, Relative(1e-4));
        estimates.compare("τ", fits.lookup("quantity", "tau_unit", "value"), fit.between_unit_sd);
        let terms = std::iter::once("intercept").chain(prem.terms.iter().map(String::as_str));
        for ((term, beta), se) in terms.zip(&fit.coefficients).zip(fit.standard_errors()) {
            estimates.compare(term, fixed.lookup("term", term, "estimate"), *beta);
            errors.compare(term, fixed.lookup("term", term, "se"), se);
        }
        estimates.finish();
        errors.finish();
        let mut case = Case::new("logistic random intercept: unit modes", source, Scaled(1e-5));
        for (unit, effect) in prem.names.iter().zip(&fit.effects) {
            case.compare(unit, effects.lookup("unit", unit, "mode"), effect.mode);
            case.compare(unit, effects.lookup("unit", unit, "cond_var"), effect.conditional_variance);
        }
        case.finish();
        // Everybody treated at the unit: the mean of plogis(x'β + mode) over all answers, with the reference's numbers.
        let numbers: Vec<f64> = std::iter::once("intercept")
            .chain(prem.terms.iter().map(String::as_str))
            .map(|term| fixed.lookup("term", term, "estimate"))
            .collect();
        let predictors: Vec<f64> = (0..prem.units.len())
            .map(|row| numbers[0] + prem.x.iter().zip(&numbers[1..]).map(|(x, beta)| x[row] * beta).sum::<f64>())
            .collect();
        let there =
            |effect: f64| predictors.iter().map(|eta| expit(eta + effect)).sum::<f64>() / predictors.len() as f64;
        let variance = fits.lookup("quantity", "tau_unit", "value").powi(2);
        let found = fit.conditional_probabilities(&table, &table.reference(), 0.95).expect("units");
        let mut case = Case::new("logistic random intercept: units at their modes", source, Absolute(2e-6));
        for (unit, found) in prem.names.iter().zip(found) {
            let found = found.expect("a unit with answers");
            let (mode, spread) = (effects.lookup("unit", unit, "mode"), effects.lookup("unit", unit, "cond_var"));
            case.compare(unit, there(mode), found.value);
            case.compare(unit, 1.0 - spread / variance, found.reliability);
        }
        case.compare("no effect", there(0.0), fit.probability_without_effect(&table.reference()).expect("reference"));
        case.finish();
        if nodes == "9" {
            limits(&prem, &fit.conditional_probabilities(&table, &table.reference(), 0.95).expect("units"));
        }
    }
}

/// Limits by the prediction error variance; glmer's covariance comes from differences of the likelihood.
fn limits(prem: &Prem, found: &[Option<ConditionalProbability>]) {
    let expected = Table::own("r/mixed_limits_expected.csv");
    let mut case = Case::new("logistic random intercept: limits of units", "R 4.2.2, lme4 1.1-31", Relative(1e-4));
    for (unit, found) in prem.names.iter().zip(found) {
        let found = found.expect("a unit with answers");
        case.compare(unit, expected.lookup("unit", unit, "low"), found.lower);
        case.compare(unit, expected.lookup("unit", unit, "high"), found.upper);
    }
    case.finish();
}
