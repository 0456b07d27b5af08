//! Satterthwaite degrees of freedom, CR2, and the interaction test.

mod models;

use models::{Case, Prem, Table, codes};
use prem_stats::case_mix::{
    ClusterCorrection, Criterion, SufficientStatistics, UnitMoments, cluster_robust, fit_random_intercept,
    interaction_tests, within,
};

fn moments(units: &[u32], n: usize, y: &[f64], x: &[&[f64]]) -> UnitMoments {
    let mut statistics = SufficientStatistics::new(n, x.len());
    statistics.add(units, y, x).expect("rows");
    statistics.finish().expect("moments")
}

#[test]
fn other_software_satterthwaite() {
    for name in ["dyestuff", "dyestuff2", "sleepstudy", "prem"] {
        let (m, terms) = if name == "prem" {
            let Some(prem) = Prem::read(false) else { return };
            (moments(&prem.units, prem.names.len(), &prem.score, &prem.columns()), prem.terms)
        } else {
            let Some(table) = Table::read("mixed", &format!("{name}.csv")) else { return };
            let sleep = name == "sleepstudy";
            let (names, units) = codes(&table.text(if sleep { "subject" } else { "batch" }));
            let days = if sleep { vec![table.numbers("days")] } else { vec![] };
            let columns: Vec<&[f64]> = days.iter().map(Vec::as_slice).collect();
            let y = table.numbers(if sleep { "reaction" } else { "yield" });
            (moments(&units, names.len(), &y, &columns), days.iter().map(|_| "days".to_string()).collect())
        };
        for (method, kind) in [("REML", Criterion::Reml), ("ML", Criterion::Ml)] {
            let fit = fit_random_intercept(&m, kind, None).expect("fit");
            let expected = Table::read("mixed", "lmm_fixed_expected.csv")
                .expect("fixed")
                .filter(&[("dataset", name), ("method", method)])
                .lookup("term", "df_satterthwaite");
            let mut case = Case::new("Satterthwaite df", &format!("{name} {method}"), 1e-4);
            for (k, term) in std::iter::once("intercept").chain(terms.iter().map(String::as_str)).enumerate() {
                let contrast: Vec<f64> = (0..=terms.len()).map(|c| f64::from(c == k)).collect();
                match fit.satterthwaite_df(&contrast).expect("df") {
                    Some(df) => case.compare_relative(expected[term], df),
                    None => assert!(expected[term].is_nan()),
                }
            }
        }
    }
}

#[test]
fn other_software_cluster_robust() {
    let Some(prem) = Prem::read(false) else { return };
    let m = moments(&prem.units, prem.names.len(), &prem.score, &prem.columns());
    let fit = within(&m).expect("fit");
    let table = Table::read("mixed", "prem_ols_expected.csv").expect("ols");
    let mut case = Case::new("cluster-robust SE, df, p", "clubSandwich, prem", 1e-8);
    for (column, correction) in
        [("se_cr0", ClusterCorrection::Cr0), ("se_cr1", ClusterCorrection::Cr1), ("se_cr2", ClusterCorrection::Cr2)]
    {
        let robust = cluster_robust(&fit, &m, correction).expect("robust");
        for (k, term) in prem.terms.iter().enumerate() {
            case.compare_relative(table.lookup("term", column)[term], robust.standard_errors[k]);
            if correction == ClusterCorrection::Cr2 {
                case.compare_relative(table.lookup("term", "cr2_df")[term], robust.degrees_of_freedom[k].expect("df"));
                case.compare(table.lookup("term", "cr2_p")[term], robust.p[k].expect("p"));
            }
        }
    }
}

/// Units x = −1, 0, 1 with y = −1, 0, 1 + noise ±: unit 0: y = 0, 3, 3 (slope 1.5, RSS 1.5), unit 1: y = 4, 0, 2
/// (slope −1, RSS 6). Common slope 0.25, RSS = 6 + 8 − 4·0.0625 = 13.75. F = (13.75 − 7.5)/1 / (7.5/2) = 5/3.
#[test]
fn by_hand_interaction() {
    let m = moments(&[0, 0, 0, 1, 1, 1], 2, &[0.0, 3.0, 3.0, 4.0, 0.0, 2.0], &[&[-1.0, 0.0, 1.0, -1.0, 0.0, 1.0]]);
    let fit = within(&m).expect("fit");
    assert!((fit.residual_sum_of_squares - 13.75).abs() < 1e-12);
    let tests = interaction_tests(&fit, &m).expect("tests");
    for test in [tests.all.expect("all"), tests.each[0].expect("each")] {
        assert!((test.f - 5.0 / 3.0).abs() < 1e-12);
        assert_eq!((test.df1, test.df2), (1.0, 2.0));
        // P(F(1, 2) > f) = 1 − √(f/(f + 2))
        assert!((test.p - (1.0 - f64::sqrt(5.0 / 11.0))).abs() < 1e-12);
    }
}

/// Two adjusters in one unit each: what is swept out equals a fit with the slope freed by hand.
#[test]
fn property_interaction_equals_extra_columns() {
    let Some(prem) = Prem::read(false) else { return };
    let few: Vec<usize> = (0..prem.units.len()).filter(|&i| prem.units[i] < 6).collect();
    let pick = |v: &[f64]| few.iter().map(|&i| v[i]).collect::<Vec<f64>>();
    let units: Vec<u32> = few.iter().map(|&i| prem.units[i]).collect();
    let x = [pick(&prem.x[0]), pick(&prem.x[1])];
    let m = moments(&units, 6, &pick(&prem.score), &[&x[0], &x[1]]);
    let fit = within(&m).expect("fit");
    let each = interaction_tests(&fit, &m).expect("tests").each[0].expect("age");
    let own: Vec<Vec<f64>> =
        (0..6u32).map(|u| units.iter().zip(&x[0]).map(|(&v, a)| if v == u { *a } else { 0.0 }).collect()).collect();
    let mut columns: Vec<&[f64]> = own.iter().map(Vec::as_slice).collect();
    columns.push(&x[1]);
    let free = within(&moments(&units, 6, &pick(&prem.score), &columns)).expect("free slopes");
    let f = (fit.residual_sum_of_squares - free.residual_sum_of_squares) / 5.0 / free.residual_variance;
    assert!((each.f / f - 1.0).abs() < 1e-9);
    assert_eq!((each.df1, each.df2), (5.0, free.degrees_of_freedom));
}
