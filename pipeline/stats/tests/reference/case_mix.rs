//! Linear models: lme4, lmerTest, clubSandwich, metafor and R's lm.

use crate::common::{Case, Table, Tolerance::Absolute, Tolerance::Relative, Tolerance::Scaled};
use crate::models::{Intercepts, Prem, Tree};
use prem_stats::case_mix::{
    AdjustedMeanOptions, ClusterCorrection, Criterion, NestedFit, ProfiledLikelihood, RandomIntercept,
    ShrinkageInterval, cluster_robust, fay_herriot, fit_nested, fit_random_intercept, shrunken_means, within,
};

/// The expected columns are the exact optimum with all its digits, to which lme4's own numbers agree within 1e-6.
const SOURCE: &str = "exact optimum of lme4 1.1-31";

const CRITERIA: [(&str, Criterion); 2] = [("REML", Criterion::Reml), ("ML", Criterion::Ml)];

pub fn run() {
    unit_dummies();
    cluster_robust_errors();
    random_intercepts();
    shrunken_values();
    nested();
    area_level();
}

/// One dummy per unit: β and SE are those of the within fit, a dummy is a unit's adjusted mean at x̄ = 0.
fn unit_dummies() {
    let (Some(prem), Some(expected)) = (Prem::read(false), Table::shared("mixed/prem_ols_expected.csv")) else {
        return;
    };
    let m = prem.moments();
    let fit = within(&m).expect("fit");
    let mut case = Case::new("within-unit β and SE", "R 4.2.2 lm with unit dummies", Relative(1e-10));
    for ((term, beta), se) in prem.terms.iter().zip(&fit.coefficients).zip(fit.standard_errors()) {
        case.compare(term, expected.lookup("term", term, "estimate"), *beta);
        case.compare(term, expected.lookup("term", term, "se_ols"), se);
    }
    case.finish();
    let mut case = Case::new("adjusted means and SE", "R 4.2.2 lm with unit dummies", Relative(1e-10));
    let options = AdjustedMeanOptions { robust_from: u64::MAX, ..Default::default() };
    let means = fit.adjusted_means(&m, &vec![0.0; prem.terms.len()], &options).expect("means");
    for (name, mean) in prem.names.iter().zip(means.iter().flatten()) {
        let term = format!("unit={name}");
        case.compare(&term, expected.lookup("term", &term, "estimate"), mean.value);
        case.compare(&term, expected.lookup("term", &term, "se_ols"), mean.standard_error);
    }
    case.finish();
}

fn cluster_robust_errors() {
    let (Some(prem), Some(expected)) = (Prem::read(false), Table::shared("mixed/prem_ols_expected.csv")) else {
        return;
    };
    let m = prem.moments();
    let fit = within(&m).expect("fit");
    for (name, column, correction) in [
        ("CR0", "se_cr0", ClusterCorrection::Cr0),
        ("CR1", "se_cr1", ClusterCorrection::Cr1),
        ("CR2", "se_cr2", ClusterCorrection::Cr2),
    ] {
        let robust = cluster_robust(&fit, &m, correction).expect("robust");
        let mut case = Case::new(&format!("cluster-robust SE, {name}"), "clubSandwich 0.5.8", Relative(1e-10));
        for (term, se) in prem.terms.iter().zip(&robust.standard_errors) {
            case.compare(term, expected.lookup("term", term, column), *se);
        }
        case.finish();
        if correction == ClusterCorrection::Cr2 {
            let mut df = Case::new("cluster-robust df, CR2", "clubSandwich 0.5.8", Relative(1e-10));
            let mut p = Case::new("cluster-robust p, CR2", "clubSandwich 0.5.8", Relative(1e-9));
            for (k, term) in prem.terms.iter().enumerate() {
                let at = |column: &str| Some(expected.lookup("term", term, column));
                df.compare_optional(term, at("cr2_df"), robust.degrees_of_freedom[k]);
                p.compare_optional(term, at("cr2_p"), robust.p[k]);
            }
            df.finish();
            p.finish();
        }
    }
}

/// The three tables of expected values, for one data set and criterion.
struct Expected {
    fit: Table,
    fixed: Table,
    effects: Table,
}

impl Expected {
    fn read(dataset: &str, method: &str) -> Option<Expected> {
        let of_fit = [("dataset", dataset), ("method", method)];
        Some(Expected {
            fit: Table::shared("mixed/lmm_fit_expected.csv")?.filter(&of_fit),
            fixed: Table::shared("mixed/lmm_fixed_expected.csv")?.filter(&of_fit),
            effects: Table::shared("mixed/lmm_ranef_expected.csv")?.filter(&of_fit),
        })
    }

    /// The one quantity whose name begins like this; the rest of its name is the grouping factor.
    fn quantity(&self, prefix: &str) -> f64 {
        self.fit.rows().find(|r| r.text("quantity").starts_with(prefix)).expect("quantity").number("value")
    }

    fn fixed_effects(&self, case: &mut Case, beta: &[f64], errors: &[f64], terms: &[&str]) {
        for (k, term) in terms.iter().enumerate() {
            case.compare(term, self.fixed.lookup("term", term, "estimate"), beta[k]);
            case.compare(term, self.fixed.lookup("term", term, "se"), errors[k]);
        }
    }

    fn degrees_of_freedom(&self, case: &mut Case, terms: &[&str], df: impl Fn(&[f64]) -> Option<f64>) {
        for (k, term) in terms.iter().enumerate() {
            let contrast: Vec<f64> = (0..terms.len()).map(|c| f64::from(c == k)).collect();
            let row = self.fixed.rows().find(|r| r.text("term") == *term).expect("term");
            case.compare_optional(term, row.optional("df_satterthwaite"), df(&contrast));
        }
    }
}

fn random_intercepts() {
    for name in ["dyestuff", "dyestuff2", "sleepstudy", "prem"] {
        let Some(data) = Intercepts::read(name) else { continue };
        for (method, kind) in CRITERIA {
            let Some(expected) = Expected::read(name, method) else { return };
            let fit = fit_random_intercept(&data.moments, kind, None).expect("fit");
            let at = |quantity: &str| format!("random intercept: {quantity}, {name} {method}");
            let mut case = Case::new(&at("criterion"), SOURCE, Absolute(1e-6));
            case.compare("criterion", expected.quantity("criterion"), fit.criterion);
            case.compare("log-likelihood", expected.quantity("loglik"), fit.log_likelihood());
            let likelihood = ProfiledLikelihood::new(&data.moments, kind).expect("objective");
            let there = likelihood.objective(expected.quantity("theta_")).expect("value");
            case.compare("objective at the published θ", expected.quantity("criterion"), there);
            case.finish();
            let mut case = Case::new(&at("estimates, SE"), SOURCE, Relative(1e-6));
            case.compare("σ", expected.quantity("sigma"), fit.components.residual_sd);
            case.compare("θ", expected.quantity("theta_"), fit.components.theta);
            case.compare("τ", expected.quantity("tau_"), fit.components.between_unit_sd);
            case.compare("ICC", expected.quantity("icc_"), fit.components.intraclass_correlation());
            let terms: Vec<&str> = std::iter::once("intercept").chain(data.terms.iter().map(String::as_str)).collect();
            expected.fixed_effects(&mut case, &fit.coefficients, &fit.standard_errors(), &terms);
            case.finish();
            unit_effects(&at("BLUP, PEV"), &expected, &data.names, &fit);
            let mut case = Case::new(&at("Satterthwaite df"), "exact, lmerTest 3.1-3", Relative(1e-4));
            expected.degrees_of_freedom(&mut case, &terms, |c| fit.satterthwaite_df(c).expect("df"));
            case.finish();
        }
    }
    reml_icc();
}

fn unit_effects(title: &str, expected: &Expected, names: &[String], fit: &RandomIntercept) {
    let mut case = Case::new(title, SOURCE, Scaled(1e-6));
    for (name, effect) in names.iter().zip(&fit.effects) {
        for (column, actual) in [
            ("blup", effect.blup),
            ("cond_var", effect.conditional_variance),
            ("pev", effect.prediction_error_variance),
            ("shrinkage", effect.reliability),
        ] {
            case.compare(name, expected.effects.lookup("level", name, column), actual);
        }
    }
    case.compare_same("number of units", &expected.effects.rows().count(), &fit.effects.len());
    case.finish();
}

/// The intraclass correlation of the scale scores in `scores/`.
fn reml_icc() {
    let (Some(scores), Some(answers), Some(expected)) = (
        Table::shared("scores/expected_scores.csv"),
        Table::shared("scores/questionnaire.csv"),
        Table::shared("scores/expected_reliability.csv"),
    ) else {
        return;
    };
    let (mut labels, mut y) = (Vec::new(), Vec::new());
    for (r, answer) in scores.rows().zip(answers.rows()) {
        assert_eq!(r.text("id"), answer.text("id"));
        if let Some(score) = r.optional("score") {
            labels.push(answer.text("unit"));
            y.push(score);
        }
    }
    let (names, units) = crate::models::codes(&labels);
    let m = crate::models::moments(&units, names.len(), &y, &[]);
    let fit = fit_random_intercept(&m, Criterion::Reml, None).expect("fit");
    let mut case = Case::new("random intercept: ICC of scale scores, REML", "lme4 1.1-31", Relative(1e-5));
    let quantity = expected.lookup("quantity", "icc_reml", "value");
    case.compare("icc_reml", quantity, fit.components.intraclass_correlation());
    case.finish();
}

/// With the plug-in interval a shrunken value is lme4's prediction at x̄.
fn shrunken_values() {
    let (Some(prem), Some(expected)) = (Prem::read(false), Expected::read("prem", "REML")) else { return };
    let m = prem.moments();
    let fit = fit_random_intercept(&m, Criterion::Reml, None).expect("fit");
    let reference = m.mean_adjusters();
    let beta = |term: &str| expected.fixed.lookup("term", term, "estimate");
    let at_reference = beta("intercept") + prem.terms.iter().zip(&reference).map(|(t, x)| beta(t) * x).sum::<f64>();
    let values = shrunken_means(&fit, &m, &reference, ShrinkageInterval::PlugIn, 0.95).expect("values");
    let mut case = Case::new("shrunken value, option lme4", SOURCE, Relative(1e-9));
    for (name, value) in prem.names.iter().zip(&values) {
        case.compare(name, at_reference + expected.effects.lookup("level", name, "blup"), value.value);
    }
    case.finish();
}

fn nested() {
    let Some(tree) = Tree::read() else { return };
    for (method, kind) in CRITERIA {
        let Some(expected) = Expected::read("nested", method) else { return };
        let fit =
            fit_nested(&tree.moments, std::slice::from_ref(&tree.parent), tree.hospitals.len(), kind).expect("fit");
        let at = |quantity: &str| format!("nested: {quantity}, {method}");
        let mut case = Case::new(&at("criterion"), SOURCE, Absolute(1e-6));
        case.compare("criterion", expected.quantity("criterion"), fit.criterion);
        let theta = [expected.quantity("theta_ward"), expected.quantity("theta_hospital")];
        let there = fit.likelihood().objective(&theta).expect("value");
        case.compare("objective at the published θ", expected.quantity("criterion"), there);
        case.finish();
        let mut case = Case::new(&at("estimates, SE"), SOURCE, Relative(1e-6));
        case.compare("σ", expected.quantity("sigma"), fit.residual_sd);
        for (l, level) in ["ward", "hospital"].iter().enumerate() {
            case.compare(level, expected.quantity(&format!("theta_{level}")), fit.theta[l]);
            case.compare(level, expected.quantity(&format!("tau_{level}")), fit.level_sds()[l]);
            case.compare(level, expected.quantity(&format!("icc_{level}")), fit.variance_shares()[l]);
        }
        let terms = ["intercept", "x"];
        expected.fixed_effects(&mut case, &fit.coefficients, &fit.standard_errors(), &terms);
        case.finish();
        nested_effects(&at("BLUP, PEV"), &expected, &tree, &fit);
        let mut case = Case::new(&at("Satterthwaite df"), "exact, lmerTest 3.1-3", Relative(1e-4));
        expected.degrees_of_freedom(&mut case, &terms, |c| fit.satterthwaite_df(c).expect("df"));
        case.finish();
    }
}

fn nested_effects(title: &str, expected: &Expected, tree: &Tree, fit: &NestedFit) {
    let mut case = Case::new(title, SOURCE, Scaled(1e-6));
    for (l, (level, names)) in [("ward", &tree.wards), ("hospital", &tree.hospitals)].into_iter().enumerate() {
        let rows = expected.effects.filter(&[("grouping", level)]);
        for (name, effect) in names.iter().zip(&fit.effects[l]) {
            case.compare(name, rows.lookup("level", name, "blup"), effect.blup);
            case.compare(name, rows.lookup("level", name, "cond_var"), effect.conditional_variance);
            case.compare(name, rows.lookup("level", name, "pev"), effect.prediction_error_variance);
        }
    }
    case.finish();
}

fn area_level() {
    let (Some(table), Some(expected)) =
        (Table::shared("funnel/mean_scores.csv"), Table::shared("funnel/mean_scores_heterogeneity.csv"))
    else {
        return;
    };
    let variances: Vec<f64> = table.numbers("se").iter().map(|s| s * s).collect();
    let fit = fay_herriot(&table.numbers("mean"), &variances, &[], ShrinkageInterval::PlugIn, 0.95).expect("fit");
    let mut case = Case::new("Fay–Herriot variance by REML", "metafor 3.8-1", Relative(1e-8));
    case.compare("tau2_reml", expected.lookup("quantity", "tau2_reml", "value"), fit.between_unit_variance);
    case.finish();
}
