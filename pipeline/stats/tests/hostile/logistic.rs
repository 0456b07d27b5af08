//! Binary case mix: every fit and what is made from it.

use super::{NUMBERS, Unsound};
use prem_stats::binary::*;

/// Unit, adjuster, trials, events.
type Row = (u32, f64, u64, u64);

/// Named tables.
fn tables() -> Vec<(String, Vec<Row>)> {
    let good: Vec<Row> = (0..12).map(|i| (i % 4, f64::from(i % 3), 9, u64::from(i * 5 % 9))).collect();
    let mut all = vec![
        ("no rows".to_string(), vec![]),
        ("good".to_string(), good.clone()),
        ("one row".to_string(), vec![(0, 1.0, 1, 1)]),
        ("two rows".to_string(), vec![(0, 1.0, 1, 1), (0, 2.0, 1, 0)]),
        ("two units, one row each".to_string(), vec![(0, 1.0, 1, 1), (1, 2.0, 1, 0)]),
        ("one unit".to_string(), good.iter().map(|r| (0, r.1, r.2, r.3)).collect()),
        ("no events".to_string(), good.iter().map(|r| (r.0, r.1, r.2, 0)).collect()),
        ("nothing but events".to_string(), good.iter().map(|r| (r.0, r.1, r.2, r.2)).collect()),
        (
            "units all alike".to_string(),
            good.iter().map(|r| (r.0, r.1, r.2, if r.0 % 2 == 0 { 0 } else { r.2 })).collect(),
        ),
        ("separated".to_string(), good.iter().map(|r| (r.0, r.1, r.2, if r.1 > 0.5 { r.2 } else { 0 })).collect()),
        ("constant adjuster".to_string(), good.iter().map(|r| (r.0, 0.1, r.2, r.3)).collect()),
        ("counts of 10^9".to_string(), good.iter().map(|r| (r.0, r.1, 1_000_000_000, r.3 * 100_000_000 + 1)).collect()),
        ("rare among 10^9".to_string(), good.iter().map(|r| (r.0, r.1, 1_000_000_000, r.3 % 2)).collect()),
        ("no variation between units".to_string(), good.iter().map(|r| (r.0, r.1, 10, 4)).collect()),
    ];
    for v in NUMBERS {
        let mut rows = good.clone();
        rows[5].1 = v;
        all.push((format!("adjuster {v:e}"), rows));
        all.push((format!("adjusters times {v:e}"), good.iter().map(|r| (r.0, r.1 * v, r.2, r.3)).collect()));
    }
    all
}

#[test]
fn fits_and_values() {
    let mut u = Unsound::default();
    for (name, rows) in tables() {
        let mut counts = BinaryCounts::new(6, 1);
        if rows.iter().any(|r| counts.add_counts(r.0, &[r.1], r.2, r.3).is_err()) {
            continue;
        }
        let table = counts.finish();
        for policy in [SeparationPolicy::Refuse, SeparationPolicy::Drop] {
            one_table(&mut u, &name, &table, policy);
        }
    }
    u.finish();
}

fn one_table(u: &mut Unsound, name: &str, table: &BinaryTable, policy: SeparationPolicy) {
    let of = |what: &str| format!("{name}: {what}");
    let reference = table.reference();
    if let Ok(fit) = fit_logistic(table, policy) {
        u.check(&of("fit_logistic"), Ok((&fit.coefficients, &fit.covariance, &fit.unit_effects, fit.log_likelihood)));
        u.check(&of("SE"), Ok(fit.standard_errors()));
        let figures = logistic_discrimination(table, &fit);
        if let Ok(figures) = &figures {
            let is_share = |share: Option<f64>| share.is_none_or(|share| (0.0..=1.0).contains(&share));
            assert!(is_share(figures.c_statistic) && is_share(figures.deviance_explained), "{name}: {figures:?}");
        }
        u.check(&of("logistic_discrimination"), figures);
        for level in [0.95, 0.0, 1.0, f64::NAN] {
            // The offset of a unit without events is −∞, and says so in its documentation.
            let values = adjusted_proportions(&fit, table, &reference, level);
            u.check(
                &of("adjusted_proportions"),
                values.map(|v| {
                    let numbers = |a: AdjustedProportion| {
                        (a.value, a.lower, a.upper, a.sampling_variance, a.variance, a.gradient)
                    };
                    v.into_iter().map(|a| a.map(numbers)).collect::<Vec<_>>()
                }),
            );
            u.check(&of("indirect_ratios"), indirect_ratios(&fit, table, table, level));
        }
    }
    if policy == SeparationPolicy::Refuse {
        return;
    }
    for nodes in [0, 1, 9, usize::MAX] {
        if let Ok((likelihood, _)) = mixed_logistic_likelihood(table, nodes, policy) {
            for v in NUMBERS {
                u.check(&of("mixed_logistic_likelihood"), likelihood.objective(&[v, 0.1, 0.5]));
                u.check(&of("mixed_logistic_likelihood"), likelihood.objective(&[0.1, 0.1, v]));
            }
        }
        let Ok(fit) = fit_logistic_random_intercept(table, nodes, policy) else { continue };
        u.check(
            &of("random intercept"),
            Ok((&fit.coefficients, &fit.effects, fit.between_unit_sd, fit.log_likelihood)),
        );
        u.check(&of("random intercept SE"), Ok((fit.standard_errors(), fit.median_odds_ratio())));
        for level in [0.95, 0.0, 1.0, f64::NAN] {
            u.check(&of("conditional"), fit.conditional_probabilities(table, &reference, level));
        }
        u.check(&of("marginal"), fit.marginal_probabilities(table, &reference));
        u.check(&of("overall"), fit.overall_probability(&reference));
    }
}

#[test]
fn rows_that_are_not_binary() {
    for v in NUMBERS.into_iter().filter(|v| *v != 0.0 && *v != 1.0) {
        assert!(BinaryCounts::new(1, 0).add(&[0], &[v], &[]).is_err(), "{v}");
    }
    assert!(BinaryCounts::new(1, 0).add(&[1], &[1.0], &[]).is_err());
    assert!(BinaryCounts::new(1, 0).add_counts(0, &[], 1, 2).is_err());
    assert!(ReferencePopulation::new(1, vec![1.0, f64::NAN], vec![1.0, 1.0]).is_err());
    assert!(ReferencePopulation::new(1, vec![1.0], vec![0.0]).is_err());
}

#[test]
fn weighted_shares() {
    use prem_stats::binary::{WeightedCells, weighted_proportions, weighted_reference};
    let mut u = Unsound::default();
    let mut counts = prem_stats::binary::BinaryCounts::new(3, 0);
    for (unit, trials, events) in [(0, 40, 10), (1, 1, 1), (2, 50, 0)] {
        counts.add_counts(unit, &[], trials, events).unwrap();
    }
    let table = counts.finish();
    for weights in super::vectors() {
        for correction in super::vectors() {
            let cells = WeightedCells {
                table: &table,
                weights: &weights,
                strata: &[0, 1, 7],
                correction: Some(&correction),
                outside: &[],
                calibration: None,
            };
            let reference = weighted_reference(&cells);
            u.check("weighted_reference", reference.clone());
            let Ok(reference) = reference else { continue };
            for level in super::FEW {
                let groups = (&[Some(0), Some(0), Some(1)][..], 3);
                u.check("weighted_proportions", weighted_proportions(None, &cells, groups, &reference, level));
            }
        }
    }
    u.finish();
}

/// Weights of every kind that fit the three cells, with a fit, with and without margins.
#[test]
fn weighted_adjusted_shares() {
    let mut u = Unsound::default();
    let mut counts = BinaryCounts::new(3, 1);
    for (unit, x, trials, events) in
        [(0, 0.0, 40, 10), (0, 1.0, 30, 20), (1, 1.0, 1, 1), (2, 0.0, 50, 0), (2, 1.0, 9, 4)]
    {
        counts.add_counts(unit, &[x], trials, events).unwrap();
    }
    let table = counts.finish();
    let fit = fit_logistic(&table, SeparationPolicy::Drop).unwrap();
    let margins = CellCalibration { block: vec![0, 0, 1], categories: vec![vec![0, 1, 2]] };
    for weights in NUMBERS.iter().flat_map(|v| [[*v; 3], [*v, 1.0, 2.0], [1.0, 2.0, *v]]) {
        for calibration in [None, Some(&margins)] {
            let cells = WeightedCells {
                table: &table,
                weights: &weights,
                strata: &[0, 1, 7],
                outside: &[],
                correction: None,
                calibration,
            };
            let Ok(reference) = weighted_reference(&cells) else { continue };
            for level in super::FEW {
                for with in [None, Some(&fit)] {
                    let groups = (&[Some(0), Some(0), Some(1)][..], 3);
                    let found = weighted_proportions(with, &cells, groups, &reference, level);
                    // The offset of a group with nothing but events is ∞, and says so in its documentation.
                    let numbers = |p: WeightedProportion| (p.value, p.limits, p.variance, p.gradient, p.n_effective);
                    u.check(
                        &format!("weighted_proportions {weights:?}"),
                        found.map(|all| all.into_iter().map(|p| p.map(numbers)).collect::<Vec<_>>()),
                    );
                }
            }
        }
    }
    u.finish();
}

#[test]
fn logistic_curve() {
    for x in NUMBERS {
        assert!(x.is_nan() || (0.0..=1.0).contains(&expit(x)), "{x}");
    }
}
