//! Linear case mix: every fit and what is made from it, on every shape of data that can go wrong.

use super::{NUMBERS, Unsound, vectors};
use prem_stats::case_mix::*;
use prem_stats::linear_algebra::Matrix;

/// Rows of units, an outcome and two adjusters.
struct Shape {
    name: String,
    units: usize,
    unit: Vec<u32>,
    y: Vec<f64>,
    x: [Vec<f64>; 2],
}

fn shapes() -> Vec<Shape> {
    let mut all = Vec::new();
    let mut add = |name: &str, units: usize, rows: &[(u32, f64, f64, f64)]| {
        let column = |f: fn(&(u32, f64, f64, f64)) -> f64| rows.iter().map(f).collect::<Vec<_>>();
        let x = [column(|r| r.2), column(|r| r.3)];
        all.push(Shape { name: name.into(), units, unit: rows.iter().map(|r| r.0).collect(), y: column(|r| r.1), x });
    };
    let good: Vec<(u32, f64, f64, f64)> = (0..40)
        .map(|i| {
            let t = f64::from(i);
            (i as u32 % 6, 50.0 + 9.0 * (t * 1.7).sin() + f64::from(i % 6), (t * 0.37).cos(), f64::from(i % 3 == 0))
        })
        .collect();
    add("no rows", 3, &[]);
    add("no units", 0, &[]);
    for n in 1..=4 {
        add(&format!("{n} rows in one unit"), 1, &good.iter().take(n).map(|r| (0, r.1, r.2, r.3)).collect::<Vec<_>>());
        add(&format!("{n} rows, each its own unit"), n, &good[..n]);
    }
    add("good", 6, &good);
    add("one unit", 1, &good.iter().map(|r| (0, r.1, r.2, r.3)).collect::<Vec<_>>());
    add("empty units", 50, &good.iter().map(|r| (r.0 * 7, r.1, r.2, r.3)).collect::<Vec<_>>());
    add(
        "every row its own unit",
        40,
        &good.iter().enumerate().map(|(i, r)| (i as u32, r.1, r.2, r.3)).collect::<Vec<_>>(),
    );
    add("constant outcome", 6, &good.iter().map(|r| (r.0, 4.0, r.2, r.3)).collect::<Vec<_>>());
    add("outcome constant in units", 6, &good.iter().map(|r| (r.0, f64::from(r.0), r.2, r.3)).collect::<Vec<_>>());
    add("constant adjuster", 6, &good.iter().map(|r| (r.0, r.1, 0.1, r.3)).collect::<Vec<_>>());
    add("adjuster constant in units", 6, &good.iter().map(|r| (r.0, r.1, f64::from(r.0), r.3)).collect::<Vec<_>>());
    add("collinear adjusters", 6, &good.iter().map(|r| (r.0, r.1, r.3, 2.0 * r.3 + 1.0)).collect::<Vec<_>>());
    add("outcome is the adjuster", 6, &good.iter().map(|r| (r.0, 3.0 * r.2, r.2, r.3)).collect::<Vec<_>>());
    add("unit out of range", 6, &good.iter().map(|r| (r.0 + 3, r.1, r.2, r.3)).collect::<Vec<_>>());
    for v in NUMBERS {
        let at = |value: fn(&mut (u32, f64, f64, f64), f64)| {
            let mut rows = good.clone();
            value(&mut rows[17], v);
            rows
        };
        add(&format!("outcome {v:e}"), 6, &at(|r, v| r.1 = v));
        add(&format!("adjuster {v:e}"), 6, &at(|r, v| r.2 = v));
        add(
            &format!("all outcomes times {v:e}"),
            6,
            &good.iter().map(|r| (r.0, r.1 * v, r.2, r.3)).collect::<Vec<_>>(),
        );
        add(
            &format!("all adjusters times {v:e}"),
            6,
            &good.iter().map(|r| (r.0, r.1, r.2 * v, r.3 * v)).collect::<Vec<_>>(),
        );
        add(
            &format!("outcomes shifted by {v:e}"),
            6,
            &good.iter().map(|r| (r.0, r.1 + v, r.2, r.3)).collect::<Vec<_>>(),
        );
    }
    all
}

fn moments(s: &Shape, weight: Option<f64>) -> prem_stats::Result<UnitMoments> {
    let x = [&s.x[0][..], &s.x[1][..]];
    if let Some(w) = weight {
        let mut statistics = SufficientStatistics::weighted(s.units, 2);
        let weights: Vec<f64> = (0..s.y.len()).map(|i| if i == 3 { w } else { 1.0 + (i % 4) as f64 }).collect();
        statistics.add_weighted(&s.unit, &s.y, &x, &weights)?;
        return statistics.finish();
    }
    let mut statistics = SufficientStatistics::new(s.units, 2);
    statistics.add(&s.unit, &s.y, &x)?;
    statistics.finish()
}

#[test]
fn fits_and_values() {
    let mut u = Unsound::default();
    for s in shapes() {
        let mut weights = vec![None, Some(2.0)];
        if s.name == "good" {
            weights.extend(NUMBERS.map(Some));
        }
        for weight in weights {
            let Ok(m) = moments(&s, weight) else { continue };
            one_shape(&mut u, &s.name, &m);
        }
    }
    u.finish();
}

fn one_shape(u: &mut Unsound, name: &str, m: &UnitMoments) {
    let of = |what: &str| format!("{name}: {what}");
    let pairs: Vec<Option<u32>> = (0..m.units()).map(|j| (j % 3 != 2).then_some(j as u32 % 2)).collect();
    u.check(&of("aggregate"), m.aggregate(&pairs, 2));
    let fit = within(m);
    if let Ok(fit) = &fit {
        for reference in [m.mean_adjusters(), vec![0.0; 2], vec![f64::NAN; 2], vec![1e300; 2], vec![]] {
            let options = AdjustedMeanOptions::default();
            let means = fit.adjusted_means(m, &reference, &options);
            if let Ok(means) = &means {
                let part = |mean| StratumPart { population: 3.0, mean, respondents: 4, left: 0.5 };
                let parts: Vec<StratumPart> = means.iter().flatten().map(part).collect();
                u.check(&of("combine_strata"), combine_strata(&parts, &fit.covariance, &reference, 0.95));
            }
            u.check(&of("adjusted_means"), means);
        }
        for correction in [ClusterCorrection::Cr0, ClusterCorrection::Cr1, ClusterCorrection::Cr2] {
            u.check(&of("cluster_robust"), cluster_robust(fit, m, correction));
        }
        u.check(&of("interaction_tests"), interaction_tests(fit, m));
    }
    for criterion in [Criterion::Reml, Criterion::Ml] {
        for fixed in [None, fit.as_ref().ok()] {
            let Ok(model) = fit_random_intercept(m, criterion, fixed) else { continue };
            u.check(
                &of("random intercept"),
                Ok((&model.coefficients, &model.covariance, &model.components, &model.effects, model.criterion)),
            );
            u.check(&of("SE"), Ok((model.standard_errors(), &model.covariance)));
            u.check(
                &of("adjusted"),
                model.adjusted_means(m, None, &m.mean_adjusters(), &AdjustedMeanOptions::default()),
            );
            for kind in [ShrinkageInterval::Averaged, ShrinkageInterval::PlugIn] {
                u.check(&of("shrunken_means"), shrunken_means(&model, m, &m.mean_adjusters(), kind, 0.95));
            }
            u.check(&of("satterthwaite"), model.satterthwaite_df(&vec![1.0; model.coefficients.len()]));
        }
        let parents: Vec<u32> = (0..m.units() as u32).map(|j| j % 3).collect();
        for (parents, tops) in [(vec![], m.units()), (vec![parents.clone()], 3), (vec![parents, vec![0, 0, 1]], 2)] {
            if criterion == Criterion::Reml {
                nested_values(u, name, m, (&parents[..], tops), fit.as_ref().ok());
            }
            if let Some(Ok(model)) = fit.as_ref().ok().map(|f| fit_nested_within(m, &parents, tops, f, criterion)) {
                u.check(
                    &of("nested, fixed β"),
                    Ok((&model.coefficients, &model.theta, model.residual_sd, &model.effects)),
                );
            }
            let Ok(model) = fit_nested(m, &parents, tops, criterion) else { continue };
            u.check(&of("nested"), Ok((&model.coefficients, &model.theta, model.residual_sd, model.criterion)));
            u.check(&of("nested effects"), Ok((&model.effects, model.standard_errors(), model.variance_shares())));
            u.check(&of("nested df"), model.satterthwaite_df(&vec![1.0; model.coefficients.len()]));
        }
    }
    u.check(&of("fit"), fit);
}

fn nested_values(u: &mut Unsound, name: &str, m: &UnitMoments, tree: (&[Vec<u32>], usize), within: Option<&WithinFit>) {
    for kind in [ShrinkageInterval::Averaged, ShrinkageInterval::PlugIn] {
        for reference in [m.mean_adjusters(), vec![1e300; m.adjusters()], vec![f64::NAN; m.adjusters()]] {
            for within in [None, within] {
                u.check(
                    &format!("{name}: nested_shrinkage"),
                    nested_shrinkage(m, tree, within, &reference, kind, 0.95),
                );
            }
        }
    }
}

#[test]
fn composites_and_imputation() {
    let mut u = Unsound::default();
    for s in shapes() {
        for convention in [FixedEffectsConvention::Cahps41c, FixedEffectsConvention::CahpsManual] {
            let items: [&[f64]; 2] = [&s.y, &s.x[0]];
            for (items, adjusters) in [(&items[..], &[&s.x[1][..]][..]), (&items[..1], &[][..]), (&[][..], &[][..])] {
                let fit = fixed_effects(&s.unit, s.units, items, adjusters, convention);
                u.check(&format!("{}: fixed_effects", s.name), fit);
            }
        }
        let mut column = s.x[0].clone();
        for (i, v) in column.iter_mut().enumerate() {
            if i % 3 == 1 {
                *v = f64::NAN;
            }
        }
        if let Ok(done) = unit_mean_impute(&s.unit, s.units, &mut column) {
            assert_eq!(column.iter().filter(|v| v.is_nan()).count(), done.still_missing, "{}", s.name);
        }
    }
    u.finish();
}

#[test]
fn areas() {
    let mut u = Unsound::default();
    for a in vectors() {
        for variance in vectors() {
            for kind in [ShrinkageInterval::PlugIn, ShrinkageInterval::Averaged] {
                u.check("fay_herriot", fay_herriot(&a, &variance, &[], kind, 0.95));
                u.check("fay_herriot", fay_herriot(&a, &variance, &[&a], kind, 0.95));
                u.check("fay_herriot", fay_herriot(&a, &variance, &[&variance, &variance], kind, 0.95));
                let halves: Vec<u32> = (0..a.len() as u32).map(|j| j / 2).collect();
                let but_one: Vec<u32> = (0..a.len() as u32).map(|j| j.saturating_sub(1)).collect();
                for (parents, tops) in [
                    (vec![], a.len()),
                    (vec![halves.clone()], 4),
                    (vec![but_one.clone()], 7),
                    (vec![but_one, vec![0, 1, 2, 3, 4, 4, 1]], 5),
                    (vec![halves, vec![9; 4]], 2),
                ] {
                    u.check("nested_areas", nested_areas(&a, &variance, (&parents, tops), kind, 0.95));
                }
            }
        }
    }
    u.finish();
}

/// Domains under a given β, sound or not.
#[test]
fn domains() {
    let mut u = Unsound::default();
    for s in shapes() {
        let weights: Vec<f64> = (0..s.y.len()).map(|i| 1.0 + (i % 4) as f64).collect();
        let parent: Vec<Option<u32>> = (0..s.units as u32).map(|j| (j % 3 != 2).then_some(j % 2)).collect();
        for beta in [[0.5, -2.0], [0.0, 0.0], [1e300, 1.0], [f64::NAN, 1.0]] {
            let mut sums = DomainSums::new(s.units, 2);
            if sums.add(&s.unit, &s.y, &[&s.x[0], &s.x[1]], &weights, &beta).is_err() {
                continue;
            }
            let known = KnownCoefficients {
                coefficients: &beta,
                covariance: &Matrix::identity(2),
                residual_variance: 4.0,
                degrees_of_freedom: 9.0,
            };
            for reference in [vec![0.5; 2], vec![f64::NAN; 2], vec![1e300; 2], vec![]] {
                let means = sums.adjusted_means(&parent, 2, &known, &reference, &AdjustedMeanOptions::default());
                u.check(&format!("{}: domains", s.name), means);
            }
        }
    }
    u.finish();
}

#[test]
fn critical_values() {
    let mut u = Unsound::default();
    for level in NUMBERS {
        for df in NUMBERS {
            u.check(&format!("critical_value({level}, {df})"), critical_value(level, df));
        }
    }
    u.finish();
}
