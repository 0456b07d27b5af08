//! The logistic random intercept: glmer.

use crate::common::{Case, Table, Tolerance::Relative, Tolerance::Scaled};
use crate::models::Prem;
use prem_stats::binary::{BinaryCounts, SeparationPolicy, fit_logistic_random_intercept};

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
    }
}
