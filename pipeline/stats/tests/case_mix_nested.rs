//! Nested random intercepts.

mod models;

use models::{Case, Table, codes};
use prem_stats::case_mix::{
    Criterion, NestedFit, NestedLikelihood, SufficientStatistics, UnitMoments, fit_nested, fit_random_intercept,
};

struct Tree {
    moments: UnitMoments,
    wards: Vec<String>,
    hospitals: Vec<String>,
    parent: Vec<u32>,
}

fn nested() -> Option<Tree> {
    let table = Table::read("mixed", "nested.csv")?;
    let labels: Vec<String> =
        table.text("ward").iter().zip(table.text("hospital")).map(|(w, h)| format!("{w}:{h}")).collect();
    let (wards, units) = codes(&labels.iter().map(String::as_str).collect::<Vec<_>>());
    let (hospitals, _) = codes(&table.text("hospital"));
    let of = |ward: &String| hospitals.iter().position(|h| ward.ends_with(&format!(":{h}"))).expect("hospital") as u32;
    let parent = wards.iter().map(of).collect();
    let mut statistics = SufficientStatistics::new(wards.len(), 1);
    statistics.add(&units, &table.numbers("score"), &[&table.numbers("x")]).expect("rows");
    Some(Tree { moments: statistics.finish().expect("moments"), wards, hospitals, parent })
}

fn fit(tree: &Tree, kind: Criterion) -> NestedFit {
    fit_nested(&tree.moments, std::slice::from_ref(&tree.parent), tree.hospitals.len(), kind).expect("fit")
}

#[test]
fn other_software_lme4() {
    let Some(tree) = nested() else { return };
    for (method, kind) in [("REML", Criterion::Reml), ("ML", Criterion::Ml)] {
        let of_fit = [("dataset", "nested"), ("method", method)];
        let expected = Table::read("mixed", "lmm_fit_expected.csv").expect("fits").filter(&of_fit).lookup("quantity", "value");
        let fit = fit(&tree, kind);
        let mut criterion = Case::new("nested criterion", method, 1e-9);
        criterion.compare_relative(expected["criterion"], fit.criterion);
        let at_theta = fit.likelihood().objective(&[expected["theta_ward"], expected["theta_hospital"]]).expect("value");
        criterion.compare_relative(expected["criterion"], at_theta);
        let mut case = Case::new("nested estimates", method, 1e-6);
        case.compare_relative(expected["sigma"], fit.residual_sd);
        for (l, level) in ["ward", "hospital"].iter().enumerate() {
            case.compare_relative(expected[&format!("theta_{level}")], fit.theta[l]);
            case.compare_relative(expected[&format!("tau_{level}")], fit.level_sds()[l]);
            case.compare_relative(expected[&format!("icc_{level}")], fit.variance_shares()[l]);
        }
        let fixed = Table::read("mixed", "lmm_fixed_expected.csv").expect("fixed").filter(&of_fit);
        let mut df = Case::new("nested Satterthwaite df", method, 1e-4);
        for (k, term) in ["intercept", "x"].iter().enumerate() {
            case.compare_relative(fixed.lookup("term", "estimate")[*term], fit.coefficients[k]);
            case.compare_relative(fixed.lookup("term", "se")[*term], fit.standard_errors()[k]);
            let contrast: Vec<f64> = (0..2).map(|c| f64::from(c == k)).collect();
            let got = fit.satterthwaite_df(&contrast).expect("df").expect("inside");
            df.compare_relative(fixed.lookup("term", "df_satterthwaite")[*term], got);
        }
        let ranef = Table::read("mixed", "lmm_ranef_expected.csv").expect("ranef").filter(&of_fit);
        for (l, (level, names)) in [("ward", &tree.wards), ("hospital", &tree.hospitals)].into_iter().enumerate() {
            let rows = ranef.filter(&[("grouping", level)]);
            for (name, effect) in names.iter().zip(&fit.effects[l]) {
                case.compare(rows.lookup("level", "blup")[name], effect.blup);
                case.compare(rows.lookup("level", "cond_var")[name], effect.conditional_variance);
                case.compare(rows.lookup("level", "pev")[name], effect.prediction_error_variance);
            }
        }
    }
}

/// With one level the recursion is the random intercept.
#[test]
fn one_level_is_the_random_intercept() {
    let Some(tree) = nested() else { return };
    let nested = fit_nested(&tree.moments, &[], tree.wards.len(), Criterion::Reml).expect("fit");
    let plain = fit_random_intercept(&tree.moments, Criterion::Reml, None).expect("fit");
    assert!((nested.criterion - plain.criterion).abs() < 1e-9);
    assert!((nested.theta[0] - plain.components.theta).abs() < 1e-8);
}

/// A third level whose θ is 0 changes nothing; three levels fit, and the derivative is the objective's.
#[test]
fn property_three_levels() {
    let Some(tree) = nested() else { return };
    let trusts: Vec<u32> = (0..tree.hospitals.len() as u32).map(|h| h % 4).collect();
    let parents = [tree.parent.clone(), trusts];
    let three = NestedLikelihood::new(&tree.moments, &parents, 4, Criterion::Reml).expect("three");
    let two = NestedLikelihood::new(&tree.moments, &parents[..1], tree.hospitals.len(), Criterion::Reml).expect("two");
    let difference = three.objective(&[0.2, 0.3, 0.0]).expect("3") - two.objective(&[0.2, 0.3]).expect("2");
    assert!(difference.abs() < 1e-9);
    let v = [0.03, 0.05, 0.02];
    let value = |v: &[f64]| three.objective(&v.iter().map(|x| x.sqrt()).collect::<Vec<_>>()).expect("value");
    let exact = three.evaluate(&v.map(f64::sqrt)).expect("point").derivative;
    for l in 0..3 {
        let (mut up, mut down) = (v, v);
        up[l] += 1e-6;
        down[l] -= 1e-6;
        let numeric = (value(&up) - value(&down)) / 2e-6;
        assert!((numeric - exact[l]).abs() < 1e-4 * exact[l].abs().max(10.0), "{l}: {numeric} {}", exact[l]);
    }
    let fit = fit_nested(&tree.moments, &parents, 4, Criterion::Reml).expect("fit");
    assert!(fit.criterion <= two.objective(&[0.16557257988064933, 0.25233015053694036]).expect("2") + 1e-9);
}

#[test]
fn hostile_inputs_give_errors() {
    let Some(tree) = nested() else { return };
    assert!(fit_nested(&tree.moments, &[vec![0; 3]], 1, Criterion::Reml).is_err());
    assert!(fit_nested(&tree.moments, &[vec![9; tree.wards.len()]], 2, Criterion::Reml).is_err());
    assert!(fit_nested(&tree.moments, &[], 3, Criterion::Reml).is_err());
    let empty = SufficientStatistics::new(3, 0).finish().expect("moments");
    assert!(fit_nested(&empty, &[vec![0, 0, 1]], 2, Criterion::Reml).is_err());
    let likelihood = NestedLikelihood::new(&tree.moments, &[], tree.wards.len(), Criterion::Reml).expect("one");
    assert!(likelihood.objective(&[-0.1]).is_err() && likelihood.objective(&[f64::NAN]).is_err());
    assert!(likelihood.objective(&[]).is_err());
}
