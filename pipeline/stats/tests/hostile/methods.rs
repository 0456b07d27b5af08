//! Public methods: what objects answer to hostile arguments, also objects that a caller has filled in by hand.

use super::{FEW, NUMBERS, Unsound, vectors};
use prem_stats::binary::*;
use prem_stats::case_mix::*;
use prem_stats::comparison::Multiplicity;
use prem_stats::distributions::normal;
use prem_stats::funnel::{Scale, Standardised};
use prem_stats::interval::{Interval, Level};
use prem_stats::linear_algebra::{Cholesky, Matrix, symmetric_eigen};
use prem_stats::scores::{Items, ScaleDescription};
use prem_stats::survival::LifeTable;
use prem_stats::variation;
use prem_stats::weights::{self, Design};

/// Methods that hand out, count or arrange what is there, without arithmetic on it.
pub const STORED: [&str; 53] = [
    "Answer::score",
    "AnswerCounts::add",
    "AnswerCounts::merge",
    "BinaryCounts::new",
    "BinaryTable::adjusters",
    "BinaryTable::cells",
    "BinaryTable::pattern",
    "BinaryTable::patterns",
    "BinaryTable::units",
    "BootstrapOptions::new",
    "ChanceOptions::new",
    "Cholesky::order",
    "Design::weighted",
    "DomainSums::new",
    "Items::answered",
    "Items::complete",
    "Items::k",
    "Items::n",
    "Items::rows",
    "Level::value",
    "LifeTable::sexes",
    "Matrix::as_slice",
    "Matrix::column",
    "Matrix::columns",
    "Matrix::from_fn",
    "Matrix::identity",
    "Matrix::is_finite",
    "Matrix::rows",
    "Matrix::submatrix",
    "Matrix::transpose",
    "Matrix::zeros",
    "Multiplicity::id",
    "NestedFit::likelihood",
    "NestedLikelihood::levels",
    "PointFlags::special_cause",
    "ProfiledLikelihood::dropped",
    "ProfiledLikelihood::order",
    "RandomIntercept::likelihood",
    "ReferencePopulation::adjusters",
    "ReferencePopulation::row",
    "ReferencePopulation::weights",
    "SufficientStatistics::adjusters",
    "SufficientStatistics::new",
    "SufficientStatistics::units",
    "SufficientStatistics::weighted",
    "UnitMoments::adjusters",
    "UnitMoments::count",
    "UnitMoments::is_weighted",
    "UnitMoments::non_empty",
    "UnitMoments::outcome_only",
    "UnitMoments::rows",
    "UnitMoments::units",
    "Window::is_disjoint",
];

/// Values at a point that is not there: `None`, never what lies nearest.
#[test]
fn life_tables() {
    let table = LifeTable::new(&[0.0, 20_000.0], &[0.0, 400.0], 2, &[1e-5, 2e-5, 3e-5, 4e-5, 5e-5, 6e-5, 7e-5, 8e-5]);
    let table = table.expect("LifeTable::new");
    for v in NUMBERS {
        for sex in [0, 1, 2, 7, usize::MAX] {
            for hazard in [table.hazard(sex, v, 5.0), table.hazard(sex, 5.0, v)] {
                assert_eq!(hazard.is_some(), sex < 2 && v.is_finite(), "LifeTable::hazard of {sex} at {v}");
            }
        }
    }
}

#[test]
fn funnel_scales() {
    let mut u = Unsound::default();
    for x in NUMBERS {
        for scale in [Scale::Mean, Scale::ArcsineProportion, Scale::LogRatio, Scale::SqrtRatio] {
            assert!(x.is_finite() || scale.back(x).is_err(), "Scale::back of {x}");
            u.check("Scale::forward", scale.forward(x));
            u.check("Scale::back", scale.back(x));
            u.check("Scale::standard_error", scale.standard_error(x));
            for n in NUMBERS {
                u.check("Scale::standardise", scale.standardise(x, n, 1.0));
            }
        }
        for s in NUMBERS {
            for target in NUMBERS {
                let z = Standardised { y: x, s, target }.z();
                assert!(z.is_err() || s > 0.0, "Standardised::z with s = {s}");
                u.check("Standardised::z", z);
            }
        }
    }
    u.finish();
}

#[test]
fn variance_components() {
    for theta in NUMBERS {
        let components = VarianceComponents { theta, residual_sd: 1.0, between_unit_sd: theta };
        let icc = components.intraclass_correlation();
        assert!((0.0..=1.0).contains(&icc) || theta.is_nan(), "VarianceComponents::intraclass_correlation at {theta}");
        for v in NUMBERS {
            let reliability = components.reliability(v);
            let is_sound = v.is_finite() && v >= 0.0 && theta.is_finite();
            assert_eq!(reliability.is_some(), is_sound, "VarianceComponents::reliability of {v} at {theta}");
            assert!(reliability.is_none_or(|r| (0.0..=1.0).contains(&r)), "{v} {theta}");
            let rows = components.rows_for_reliability(v);
            assert!(rows.is_none_or(|n| n >= 0.0 && n.is_finite()), "VarianceComponents::rows_for_reliability of {v}");
        }
    }
}

#[test]
fn intervals_and_levels() {
    let mut u = Unsound::default();
    for x in NUMBERS {
        for z in NUMBERS {
            let interval = Interval::new(x, z);
            if let Ok(interval) = &interval {
                u.check("Interval::width", Ok(interval.width()));
                assert!(!interval.contains(f64::NAN), "Interval::contains");
                for factor in NUMBERS {
                    u.check("Interval::scaled", interval.scaled(factor));
                }
            }
            u.check("Interval::new", interval);
        }
        let Ok(level) = Level::new(x) else { continue };
        assert!(level.alpha() > 0.0 && level.tail() > 0.0, "Level::new, Level::alpha, Level::tail of {x}");
        assert_eq!(level.z().unwrap(), normal::upper_quantile(level.tail()).unwrap(), "Level::z");
    }
    u.finish();
}

#[test]
fn items_and_scales() {
    let mut u = Unsound::default();
    for x in vectors() {
        let answers: Vec<Option<f64>> = x.iter().map(|v| (*v != 1.0).then_some(*v)).collect();
        for k in [0, 1, 2, 7, usize::MAX] {
            let Ok(items) = Items::new(&answers, k) else { continue };
            assert!(items.complete().n() <= items.n() && k > 0, "Items::new");
            for (i, j) in [(0, 0), (0, 1), (k, 0), (usize::MAX, 1)] {
                u.check("Items::pair", items.pair(i, j));
                assert!(items.answered(i).len() <= items.n());
            }
            u.check("Items::covariances", items.covariances());
            u.check("Items::correlations", items.correlations());
        }
    }
    u.finish();
    let nobody = ScaleDescription {
        n: 0,
        mean: 0.0,
        sd: None,
        min: 0.0,
        p25: 0.0,
        median: 0.0,
        p75: 0.0,
        max: 0.0,
        floor: 0,
        ceiling: 0,
    };
    assert!(nobody.floor_ceiling_shares().is_none(), "ScaleDescription::floor_ceiling_shares");
}

/// Rows of six units with two adjusters; `moved` of all outcomes and adjusters of the first unit.
fn some_moments(moved: f64) -> Option<UnitMoments> {
    let n = 40_u32;
    let units: Vec<u32> = (0..n).map(|i| i % 6).collect();
    let column = |k: u32| -> Vec<f64> {
        let value = |i: u32| f64::from((i * 37 + k * 11) % 19 + i / 7);
        (0..n).map(|i| if i % 6 == 0 { value(i) + moved } else { value(i) }).collect()
    };
    let weights: Vec<f64> = (0..n).map(|i| 1.0 + f64::from(i % 4)).collect();
    let mut statistics = SufficientStatistics::weighted(7, 2);
    statistics.add_weighted(&units, &column(0), &[&column(1), &column(2)], &weights).ok()?;
    statistics.finish().ok()
}

#[test]
fn moments_of_units() {
    let mut u = Unsound::default();
    for moved in NUMBERS {
        let Some(m) = some_moments(moved) else { continue };
        for j in 0..7 {
            let means = (m.mean_x(j).to_vec(), m.mean_y(j), m.weighted_mean_x(j).to_vec(), m.weighted_mean_y(j));
            u.check("UnitMoments::mean_x, UnitMoments::mean_y", Ok((means.0, means.1)));
            u.check("UnitMoments::weighted_mean_x, UnitMoments::weighted_mean_y", Ok((means.2, means.3)));
            u.check("UnitMoments::weight_sum, UnitMoments::effective_rows", Ok((m.weight_sum(j), m.effective_rows(j))));
            u.check("UnitMoments::cross", Ok([m.cross(j, 0, 0), m.cross(j, 0, 2), m.cross(j, 2, 2)]));
            for v in NUMBERS {
                for beta in [vec![v, 1.0], vec![0.5, v], vec![v], vec![v; 5]] {
                    let plain = m.residual_sum_of_squares(j, &beta);
                    let weighted = m.weighted_residual_sum_of_squares(j, &beta);
                    let is_sound = beta.len() == 2 && v.is_finite();
                    assert!(is_sound || plain.is_err(), "UnitMoments::residual_sum_of_squares at {beta:?}");
                    assert!(is_sound || weighted.is_err(), "UnitMoments::weighted_residual_sum_of_squares at {beta:?}");
                    u.check("UnitMoments::residual_sum_of_squares", plain);
                    u.check("UnitMoments::weighted_residual_sum_of_squares", weighted);
                }
            }
        }
        let pooled = m.pooled_within();
        u.check("UnitMoments::pooled_within", Ok((pooled.xx, pooled.xy, pooled.yy)));
        u.check("UnitMoments::overall", Ok(m.overall()));
        u.check("UnitMoments::mean_adjusters", Ok(m.mean_adjusters()));
        u.check("UnitMoments::outcome_only", Ok(m.outcome_only()));
        u.check("UnitMoments::of_units", m.of_units(&[6, 0, 0, 3]));
        assert!(m.of_units(&[7]).is_err() && m.of_units(&[usize::MAX]).is_err());
        for parent in [vec![Some(0); 7], vec![None; 7], vec![Some(9); 7], vec![Some(0); 2], vec![]] {
            u.check("UnitMoments::aggregate", m.aggregate(&parent, 1));
        }
        for v in NUMBERS {
            u.check("UnitMoments::reweighted", m.reweighted(&[v; 7]));
            u.check("UnitMoments::reweighted", m.reweighted(&[v]));
        }
    }
    u.finish();
}

#[test]
fn accumulators() {
    let mut u = Unsound::default();
    for v in NUMBERS {
        let mut statistics = SufficientStatistics::new(2, 1);
        let added = statistics.add(&[0, 1, 0], &[1.0, v, 2.0], &[&[3.0, 1.0, v]]);
        assert_eq!(added.is_ok(), v.is_finite(), "SufficientStatistics::add of {v}");
        let mut weighted = SufficientStatistics::weighted(2, 1);
        let added_weighted = weighted.add_weighted(&[0, 1], &[1.0, 2.0], &[&[3.0, 1.0]], &[1.0, v]);
        assert_eq!(added_weighted.is_ok(), v.is_finite() && v > 0.0, "SufficientStatistics::add_weighted of {v}");
        assert!(weighted.merge(&statistics).is_err() && statistics.merge(&SufficientStatistics::new(3, 1)).is_err());
        u.check("SufficientStatistics::finish", if added.is_ok() { statistics.finish() } else { continue });
        let mut twice = SufficientStatistics::new(2, 1);
        for outcome in [v, -v] {
            let mut part = SufficientStatistics::new(2, 1);
            part.add(&[0], &[outcome], &[&[v]]).unwrap();
            twice.merge(&part).unwrap();
        }
        u.check("SufficientStatistics::merge", twice.finish());
        let mut domains = DomainSums::new(2, 1);
        let more = domains.clone();
        if domains.add(&[0, 1, 1], &[1.0, v, 4.0], &[&[v, 2.0, 3.0]], &[1.0, v, 2.0], &[v]).is_ok() {
            domains.merge(&more).unwrap();
            assert!(domains.merge(&DomainSums::new(1, 1)).is_err() && domains.merge(&DomainSums::new(2, 2)).is_err());
            u.check("DomainSums::add, DomainSums::merge, DomainSums::weights", Ok(domains.weights().to_vec()));
            let known = KnownCoefficients {
                coefficients: &[v],
                covariance: &Matrix::identity(1),
                residual_variance: 1.0,
                degrees_of_freedom: 3.0,
            };
            let parent = [Some(0), Some(1)];
            let means = domains.adjusted_means(&parent, 2, &known, &[v], &AdjustedMeanOptions::default());
            u.check("DomainSums::adjusted_means", means);
        }
    }
    for (trials, events) in [(0, 0), (1, 1), (1_000_000_000, 999_999_999), (u64::MAX, 7)] {
        let mut counts = BinaryCounts::new(3, 1);
        counts.add_counts(0, &[1.0], trials, events).expect("BinaryCounts::add_counts");
        let same = counts.clone();
        counts.merge(&same).expect("BinaryCounts::merge");
        assert!(
            counts.merge(&BinaryCounts::new(3, 2)).is_err() && counts.add(&[3], &[1.0], &[&[0.0]]).is_err(),
            "BinaryCounts::add"
        );
        let table = counts.finish();
        assert!(table.events(0) <= table.trials(0), "BinaryCounts::finish, BinaryTable::events, BinaryTable::trials");
        assert!(table.trials(2) == 0 && table.aggregate(&[None; 2], 1).is_err(), "BinaryTable::aggregate");
        assert!(table.of_units(&[3]).is_err() && table.of_units(&[0, 0]).is_ok(), "BinaryTable::of_units");
        let (rows, weights) = (vec![1.0; table.patterns()], table.reference().weights().to_vec());
        let again = ReferencePopulation::new(1, rows, weights);
        assert_eq!(again.is_ok(), trials > 0, "ReferencePopulation::new, BinaryTable::reference");
    }
    u.finish();
}

/// What fits answer when they are asked for more.
#[test]
fn linear_fits() {
    let mut u = Unsound::default();
    let parents = [vec![0, 0, 0, 1, 1, 1, 2]];
    for m in NUMBERS.into_iter().filter_map(some_moments) {
        let Ok(fit) = within(&m) else { continue };
        u.check("WithinFit::standard_errors", Ok(fit.standard_errors()));
        let means = fit.adjusted_means(&m, &m.mean_adjusters(), &AdjustedMeanOptions::default());
        for mean in means.iter().flatten().flatten() {
            for (s, df, level) in NUMBERS.iter().flat_map(|s| FEW.map(|df| (*s, df, 0.95))).chain([(1.0, 3.0, 1.0)]) {
                let other = mean.with_sampling_variance(s, df, level);
                // Infinite degrees of freedom are an answer: the variance is known.
                let known = other.map(|m| (m.value, m.variance, m.standard_error, m.lower, m.upper));
                u.check("AdjustedMean::with_sampling_variance", known);
            }
        }
        u.check("WithinFit::adjusted_means", means);
        for likelihood in
            [ProfiledLikelihood::new(&m, Criterion::Reml), ProfiledLikelihood::with_fixed(&m, &fit, Criterion::Ml)]
        {
            let Ok(likelihood) = likelihood else { continue };
            for v in NUMBERS {
                u.check("ProfiledLikelihood::objective", likelihood.objective(v));
                let point = likelihood.evaluate(v).map(|p| (p.criterion, p.derivative, p.residual_variance));
                u.check("ProfiledLikelihood::new, ProfiledLikelihood::with_fixed, ProfiledLikelihood::evaluate", point);
            }
        }
        for likelihood in [
            NestedLikelihood::new(&m, &parents, 3, Criterion::Reml),
            NestedLikelihood::with_fixed(&m, &parents, 3, &fit, Criterion::Ml),
        ] {
            let Ok(likelihood) = likelihood else { continue };
            for v in NUMBERS {
                for theta in [vec![v, 0.5], vec![0.5, v], vec![v], vec![v; 3]] {
                    u.check("NestedLikelihood::objective", likelihood.objective(&theta));
                    let point = likelihood.evaluate(&theta).map(|p| (p.criterion, p.derivative));
                    u.check("NestedLikelihood::new, NestedLikelihood::with_fixed, NestedLikelihood::evaluate", point);
                }
            }
        }
        if let Ok(model) = fit_random_intercept(&m, Criterion::Reml, None) {
            u.check("RandomIntercept::standard_errors", Ok((model.standard_errors(), model.covariance.clone())));
            u.check("RandomIntercept::log_likelihood", Ok(model.log_likelihood()));
            for v in NUMBERS {
                for contrast in [vec![v, 0.0, 1.0], vec![v], vec![]] {
                    u.check("RandomIntercept::satterthwaite_df", model.satterthwaite_df(&contrast));
                }
                let options = AdjustedMeanOptions { level: v, ..AdjustedMeanOptions::default() };
                u.check("RandomIntercept::adjusted_means", model.adjusted_means(&m, None, &[0.5, 1.0], &options));
                let at = model.adjusted_means(&m, None, &[v, 1.0], &AdjustedMeanOptions::default());
                u.check("RandomIntercept::adjusted_means", at);
            }
        }
        if let Ok(model) = fit_nested(&m, &parents, 3, Criterion::Reml) {
            u.check("NestedFit::standard_errors", Ok((model.standard_errors(), model.covariance.clone())));
            u.check(
                "NestedFit::level_sds, NestedFit::variance_shares",
                Ok((model.level_sds(), model.variance_shares())),
            );
            for v in NUMBERS {
                for contrast in [vec![v, 0.0, 1.0], vec![v], vec![]] {
                    u.check("NestedFit::satterthwaite_df", model.satterthwaite_df(&contrast));
                }
            }
        }
    }
    u.finish();
}

#[test]
fn logistic_fits() {
    let mut u = Unsound::default();
    let mut counts = BinaryCounts::new(6, 1);
    for i in 0..24_u32 {
        counts.add_counts(i % 6, &[f64::from(i / 6)], 9, u64::from(i * 5 % 9)).unwrap();
    }
    let table = counts.finish();
    let fit = fit_logistic(&table, SeparationPolicy::Drop).unwrap();
    u.check("LogisticFit::standard_errors", Ok(fit.standard_errors()));
    let (likelihood, _) = mixed_logistic_likelihood(&table, 5, SeparationPolicy::Drop).unwrap();
    let model = fit_logistic_random_intercept(&table, 5, SeparationPolicy::Drop).unwrap();
    u.check("LogisticRandomIntercept::standard_errors", Ok(model.standard_errors()));
    u.check("LogisticRandomIntercept::median_odds_ratio", Ok(model.median_odds_ratio()));
    for v in NUMBERS {
        assert!(!v.is_nan() || fit.linear_predictor(&[v]).is_nan(), "LogisticFit::linear_predictor");
        for parameters in [vec![v, 0.1, 0.5], vec![0.1, v, 0.5], vec![0.1, 0.1, v], vec![v]] {
            u.check("MixedLogisticLikelihood::objective", likelihood.objective(&parameters));
        }
        let Ok(reference) = ReferencePopulation::new(1, vec![v, 1.0], vec![1.0, 3.0]) else { continue };
        u.check("LogisticRandomIntercept::overall_probability", model.overall_probability(&reference));
        let without = model.probability_without_effect(&reference);
        u.check("LogisticRandomIntercept::probability_without_effect", without);
        let at_modes = model.conditional_probabilities(&table, &reference, 0.95);
        u.check("LogisticRandomIntercept::conditional_probabilities", at_modes);
        let units = model.marginal_probabilities(&table, &reference);
        u.check("LogisticRandomIntercept::marginal_probabilities", units);
    }
    let wider = ReferencePopulation::new(2, vec![1.0, 2.0], vec![1.0]).unwrap();
    assert!(model.overall_probability(&wider).is_err() && model.marginal_probabilities(&table, &wider).is_err());
    u.finish();
}

#[test]
fn vectors_of_values() {
    let mut u = Unsound::default();
    let fit = variation::reml(&[1.0, 5.0, 9.0], &[0.5, 0.3, 0.4]).unwrap();
    u.check("Heterogeneity::between_unit_sd", Ok(fit.between_unit_sd()));
    for x in vectors() {
        for adjustment in
            [Multiplicity::BenjaminiHochberg, Multiplicity::Holm, Multiplicity::Bonferroni, Multiplicity::None]
        {
            u.check("Multiplicity::adjust", adjustment.adjust(&x));
        }
        for w in vectors() {
            u.check("Heterogeneity::shrunken", fit.shrunken(&x, &w));
            u.check("Design::variance", Design::weighted(&w).variance(&x));
            let strata: Vec<usize> = (0..x.len()).map(|i| i % 2).collect();
            let design = Design { weights: &w, strata: Some(&strata), clusters: None, population: Some(&x) };
            u.check("Design::variance", design.variance(&x));
            if let Ok(mean) = weights::mean(&x, &Design::weighted(&w), None) {
                u.check("DesignEstimate::interval", mean.interval(Level::P998));
            }
        }
    }
    u.finish();
}

/// Matrices carry NaN through, as their documentation says: none may come out as a number.
#[test]
fn matrices_carry_nan() {
    let nan = Matrix::from_fn(2, 2, |i, j| if i == 0 && j == 0 { f64::NAN } else { 1.0 });
    let one = Matrix::identity(2);
    let mut sum = one.clone();
    sum.add_scaled(1.0, &nan);
    let mut outer = one.clone();
    outer.add_outer(1.0, &[f64::NAN, 1.0]);
    for (what, m) in [
        ("Matrix::scale", nan.scale(2.0)),
        ("Matrix::product", nan.product(&one)),
        ("Matrix::add_scaled", sum),
        ("Matrix::add_outer", outer),
        ("SymmetricEigen::map", symmetric_eigen("test", &one).unwrap().map(|_| f64::NAN)),
    ] {
        assert!(!m.is_finite(), "{what}");
    }
    assert!(nan.trace().is_nan(), "Matrix::trace");
    assert!(nan.times(&[1.0, 1.0])[0].is_nan(), "Matrix::times");
    assert!(nan.bilinear(&[1.0, 1.0], &[1.0, 1.0]).is_nan(), "Matrix::bilinear");
    assert!(nan.quadratic(&[1.0, 1.0]).is_nan(), "Matrix::quadratic");
    assert!(Cholesky::new("test", &nan).is_err(), "Cholesky::new");
    let factor = Cholesky::new("test", &one).unwrap();
    let hostile = [f64::NAN, 1.0];
    assert!(factor.solve(&hostile)[0].is_nan() && factor.half_solve(&hostile)[0].is_nan(), "Cholesky::solve");
    assert!(factor.inverse_quadratic(&hostile).is_nan(), "Cholesky::half_solve, Cholesky::inverse_quadratic");
    assert_eq!(
        (factor.log_determinant(), factor.inverse()),
        (0.0, one),
        "Cholesky::log_determinant, Cholesky::inverse"
    );
}
