//! Unbalanced trees, boundary fits, cluster-robust errors and logistic models: lme4, lmerTest, clubSandwich and R's lm and glm
//! on `r/models_rows.csv`.

use crate::common::{Case, Table, Tolerance::Absolute, Tolerance::Relative, Tolerance::Scaled};
use crate::models::moments;
use crate::r_numbers::Numbers;
use prem_stats::binary::{BinaryCounts, BinaryTable, SeparationPolicy, fit_logistic, fit_logistic_random_intercept};
use prem_stats::case_mix::{
    ClusterCorrection, Criterion, NestedFit, NestedLikelihood, UnitMoments, cluster_robust, fit_nested,
    fit_random_intercept, interaction_tests, within,
};

const LME4: &str = "lme4 1.1-31, polished";
const TERMS: [&str; 3] = ["(Intercept)", "x1", "x2"];

struct Rows {
    table: Table,
    wards: Vec<u32>,
    /// Hospital of each ward, trust of each hospital.
    hospital: Vec<u32>,
    trust: Vec<u32>,
}

impl Rows {
    fn read() -> Rows {
        let table = Table::own("r/models_rows.csv");
        let codes = |column: &str| -> Vec<u32> { table.numbers(column).iter().map(|v| *v as u32 - 1).collect() };
        let (wards, hospitals, trusts) = (codes("ward"), codes("hospital"), codes("trust"));
        let parents = |child: &[u32], parent: &[u32]| -> Vec<u32> {
            let n = child.iter().max().expect("rows") + 1;
            (0..n).map(|c| parent[child.iter().position(|v| *v == c).expect("node")]).collect()
        };
        let (hospital, trust) = (parents(&wards, &hospitals), parents(&hospitals, &trusts));
        Rows { wards, hospital, trust, table }
    }

    fn moments(&self, outcome: &str) -> UnitMoments {
        let x = [self.table.numbers("x1"), self.table.numbers("x2")];
        moments(&self.wards, self.hospital.len(), &self.table.numbers(outcome), &[&x[0], &x[1]])
    }

    fn counts(&self, x: &[&[f64]]) -> BinaryTable {
        let mut counts = BinaryCounts::new(self.hospital.len(), x.len());
        counts.add(&self.wards, &self.table.numbers("event"), x).expect("rows");
        counts.finish()
    }
}

pub fn run() {
    let (rows, expected) = (Rows::read(), Numbers::read("models_expected.csv"));
    trees(&rows, &expected);
    one_level(&rows, &expected);
    unit_dummies(&rows, &expected);
    logistic(&rows, &expected);
    random_intercept_logistic(&rows, &expected);
}

fn trees(rows: &Rows, expected: &Numbers) {
    let parents = [rows.hospital.clone(), rows.trust.clone()];
    for (tag, criterion) in [("reml", Criterion::Reml), ("ml", Criterion::Ml)] {
        for (name, outcome, levels, title) in [
            ("two", "y", 2, "unbalanced, hospital/ward"),
            ("three", "y", 3, "unbalanced, trust/hospital/ward"),
            ("flat", "flat", 2, "hospitals that do not differ"),
            ("even", "even", 3, "wards that do not differ"),
        ] {
            let tops = [0, 0, rows.trust.len(), 4][levels];
            let m = rows.moments(outcome);
            let fit = fit_nested(&m, &parents[..levels - 1], tops, criterion).expect("fit");
            tree(expected, &format!("{name}_{tag}"), &format!("{title}, {tag}"), &fit);
            if tag == "reml" && outcome == "y" {
                let mut case =
                    Case::new(&format!("nested, {title}: Satterthwaite df"), "lmerTest 3.1-3", Relative(1e-4));
                for (k, term) in TERMS.iter().enumerate() {
                    let contrast = [0, 1, 2].map(|c| f64::from(c == k));
                    let df = fit.satterthwaite_df(&contrast).expect("df");
                    case.compare_optional(term, Some(expected.at(&format!("{name}_{tag}"), "df", term)), df);
                }
                case.finish();
            }
        }
    }
}

fn tree(expected: &Numbers, name: &str, title: &str, fit: &NestedFit) {
    let mut case = Case::new(&format!("nested, {title}: criterion"), LME4, Absolute(1e-6));
    case.compare("criterion", expected.at(name, "criterion", ""), fit.criterion);
    let sigma = expected.at(name, "sigma", "");
    let levels = &["ward", "hospital", "trust"][..fit.theta.len()];
    let theta: Vec<f64> = levels.iter().map(|l| expected.at(name, "sd", l) / sigma).collect();
    let there = fit.likelihood().objective(&theta).expect("value");
    case.compare("criterion at lme4's θ", expected.at(name, "criterion", ""), there);
    case.finish();
    let mut case = Case::new(&format!("nested, {title}: estimates, SE"), LME4, Relative(1e-6));
    case.compare("σ", sigma, fit.residual_sd);
    for (level, sd) in levels.iter().zip(fit.level_sds()) {
        case.compare(level, expected.at(name, "sd", level), sd);
    }
    for ((term, beta), se) in TERMS.iter().zip(&fit.coefficients).zip(fit.standard_errors()) {
        case.compare(term, expected.at(name, "beta", term), *beta);
        case.compare(term, expected.at(name, "se", term), se);
    }
    case.finish();
    let mut case = Case::new(&format!("nested, {title}: BLUP, variance"), LME4, Scaled(1e-6));
    for (level, effects) in levels.iter().zip(&fit.effects) {
        for (node, e) in effects.iter().enumerate() {
            let node = (node + 1).to_string();
            case.compare(&node, expected.at(name, &format!("blup_{level}"), &node), e.blup);
            case.compare(&node, expected.at(name, &format!("condvar_{level}"), &node), e.conditional_variance);
        }
    }
    case.finish();
}

fn one_level(rows: &Rows, expected: &Numbers) {
    let m = rows.moments("y");
    for (name, criterion) in [("one_reml", Criterion::Reml), ("one_ml", Criterion::Ml)] {
        let fit = fit_random_intercept(&m, criterion, None).expect("fit");
        let title = format!("random intercept, wards of 1 to 24, {name}");
        let mut case = Case::new(&format!("{title}: criterion"), LME4, Absolute(1e-6));
        case.compare("criterion", expected.at(name, "criterion", ""), fit.criterion);
        case.finish();
        let mut case = Case::new(&title, LME4, Relative(1e-6));
        case.compare("σ", expected.at(name, "sigma", ""), fit.components.residual_sd);
        case.compare("τ", expected.at(name, "sd", "ward"), fit.components.between_unit_sd);
        for ((term, beta), se) in TERMS.iter().zip(&fit.coefficients).zip(fit.standard_errors()) {
            case.compare(term, expected.at(name, "beta", term), *beta);
            case.compare(term, expected.at(name, "se", term), se);
        }
        for (j, e) in fit.effects.iter().enumerate() {
            let ward = (j + 1).to_string();
            case.compare(&ward, expected.at(name, "blup_ward", &ward), e.blup);
            case.compare(&ward, expected.at(name, "condvar_ward", &ward), e.conditional_variance);
        }
        case.finish();
        let nested = NestedLikelihood::new(&m, &[], m.units(), criterion).expect("one level");
        assert!((nested.objective(&[fit.components.theta]).expect("value") - fit.criterion).abs() < 1e-9);
        if criterion == Criterion::Reml {
            let mut case = Case::new("random intercept, wards of 1 to 24: df", "lmerTest 3.1-3", Relative(1e-4));
            for (k, term) in TERMS.iter().enumerate() {
                let df = fit.satterthwaite_df(&[0, 1, 2].map(|c| f64::from(c == k))).expect("df");
                case.compare_optional(term, Some(expected.at(name, "df", term)), df);
            }
            case.finish();
        }
    }
}

fn unit_dummies(rows: &Rows, expected: &Numbers) {
    let m = rows.moments("y");
    let fit = within(&m).expect("fit");
    let mut case = Case::new("within-unit β, SE, s; wards of 1 to 24", "R 4.2.2 lm", Relative(1e-10));
    for ((term, beta), se) in TERMS[1..].iter().zip(&fit.coefficients).zip(fit.standard_errors()) {
        case.compare(term, expected.at("dummies", "beta", term), *beta);
        case.compare(term, expected.at("dummies", "se", term), se);
    }
    case.compare("s", expected.at("dummies", "sigma", ""), fit.residual_variance.sqrt());
    case.finish();
    let mut case = Case::new("cluster-robust SE and df, wards of one row", "clubSandwich 0.5.8", Relative(1e-10));
    for (name, correction) in
        [("CR0", ClusterCorrection::Cr0), ("CR1", ClusterCorrection::Cr1), ("CR2", ClusterCorrection::Cr2)]
    {
        let robust = cluster_robust(&fit, &m, correction).expect("robust");
        for (k, term) in TERMS[1..].iter().enumerate() {
            let name = format!("dummies_{name}");
            case.compare(&format!("{name} {term}"), expected.at(&name, "se", term), robust.standard_errors[k]);
            if correction == ClusterCorrection::Cr2 {
                case.compare_optional(term, Some(expected.at(&name, "df", term)), robust.degrees_of_freedom[k]);
            }
        }
    }
    case.finish();
    let mut case = Case::new("unit by adjuster F tests", "R 4.2.2 anova of lm", Relative(1e-10));
    let tests = interaction_tests(&fit, &m).expect("tests");
    for (name, test) in [("all", tests.all), ("x1", tests.each[0]), ("x2", tests.each[1])] {
        let test = test.expect("test");
        for (quantity, value) in [("F", test.f), ("df1", test.df1), ("df2", test.df2), ("p", test.p)] {
            case.compare(&format!("{name} {quantity}"), expected.at("interaction", quantity, name), value);
        }
    }
    case.finish();
}

fn logistic(rows: &Rows, expected: &Numbers) {
    let x = [rows.table.numbers("x1"), rows.table.numbers("x2")];
    let fit = fit_logistic(&rows.counts(&[&x[0], &x[1]]), SeparationPolicy::Refuse).expect("fit");
    let mut case = Case::new("logistic with unit effects: β, SE, deviance", "R 4.2.2 glm", Relative(1e-9));
    for ((term, beta), se) in TERMS[1..].iter().zip(&fit.coefficients).zip(fit.standard_errors()) {
        case.compare(term, expected.at("logistic", "beta", term), *beta);
        case.compare(term, expected.at("logistic", "se", term), se);
    }
    case.compare("deviance", expected.at("logistic", "deviance", ""), -2.0 * fit.log_likelihood);
    case.finish();
}

fn random_intercept_logistic(rows: &Rows, expected: &Numbers) {
    let z: Vec<f64> = rows.table.numbers("x1").iter().map(|v| (v - 55.0) / 10.0).collect();
    let table = rows.counts(&[&z, &rows.table.numbers("x2")]);
    for nodes in [1, 5, 25] {
        let name = format!("agq_{nodes}");
        let fit = fit_logistic_random_intercept(&table, nodes, SeparationPolicy::Refuse).expect("fit");
        let mut case = Case::new(&format!("logistic random intercept, {nodes} nodes"), "glmer 1.1-31", Relative(1e-5));
        case.compare("log-likelihood", expected.at(&name, "loglik", ""), fit.log_likelihood);
        case.compare("τ", expected.at(&name, "tau", ""), fit.between_unit_sd);
        let terms = ["(Intercept)", "z1", "x2"];
        let title = format!("logistic random intercept, {nodes} nodes: SE, by glmer's finite differences");
        let mut errors = Case::new(&title, "glmer 1.1-31", Absolute(2e-6));
        for ((term, beta), se) in terms.iter().zip(&fit.coefficients).zip(fit.standard_errors()) {
            case.compare(term, expected.at(&name, "beta", term), *beta);
            errors.compare(term, expected.at(&name, "se", term), se);
        }
        case.finish();
        errors.finish();
    }
}
