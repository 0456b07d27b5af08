//! Intervals, distributions, funnels, comparison: kernels of a few numbers.

use super::{FEW, NUMBERS, Unsound, vectors};
use prem_stats::comparison::*;
use prem_stats::distributions::*;
use prem_stats::funnel::{self, Correction, Outliers, Scale, Standardised};
use prem_stats::interval::{self, Level};

#[test]
fn intervals() {
    let mut u = Unsound::default();
    for level in [0.5, 0.95, 0.998, 1.0 - 1e-12].map(|l| Level::new(l).unwrap()) {
        for x in NUMBERS {
            u.check("poisson_exact", interval::poisson_exact(x, level));
            u.check("byar", interval::byar(x, level));
            u.check("byar::limits", interval::byar::limits(x, level));
            u.check("count", interval::count(x, level));
            for n in NUMBERS {
                u.check("wilson", interval::wilson(x, n, level));
                u.check("clopper_pearson", interval::clopper_pearson(x, n, level));
                u.check("jeffreys", interval::jeffreys(x, n, level));
                u.check("jeffreys_bcd", interval::jeffreys_bcd(x, n, level));
                u.check("poisson_profile", interval::poisson_profile(x, n, level));
                u.check("normal", interval::student_t::normal(x, n, level));
                for z in NUMBERS {
                    u.check("rate", interval::rate(x, n, z, level));
                    u.check("student_t", interval::student_t(x, n, z, level));
                    u.check("dobson", interval::dobson(x, n, z, level));
                }
            }
        }
        for x in vectors() {
            u.check("mean", interval::mean(&x, level));
            for w in vectors() {
                u.check("weighted_mean", interval::weighted_mean(&x, &w, level));
            }
        }
    }
    u.finish();
    assert!(NUMBERS.iter().all(|l| Level::new(*l).is_ok() == (*l > 0.0 && *l < 1.0)));
}

/// A quantile or probability is a number or an error; probabilities lie in 0–1.
#[test]
fn distribution_functions() {
    let mut u = Unsound::default();
    let mut probability = |what: &str, p: prem_stats::Result<f64>| {
        assert!(!p.as_ref().is_ok_and(|p| !(0.0..=1.0).contains(p)), "{what}: {p:?}");
        u.check(what, p);
    };
    for x in NUMBERS {
        probability("normal", normal::cdf(x));
        probability("normal", normal::sf(x));
        for a in NUMBERS {
            probability("t", student_t::cdf(x, a));
            probability("t", student_t::sf(x, a));
            probability("t", student_t::two_sided_p(x, a));
            probability("χ²", chi_squared::cdf(x, a));
            probability("χ²", chi_squared::sf(x, a));
            probability("gamma", gamma::cdf(x, a));
            probability("gamma", gamma::sf(x, a));
            probability("poisson", poisson::cdf(x, a));
            probability("poisson", poisson::sf(x, a));
            probability("poisson", poisson::pmf(x, a));
            for b in FEW {
                probability("F", f::cdf(x, a, b));
                probability("F", f::sf(x, a, b));
                probability("beta", beta::cdf(x, a, b));
                probability("beta", beta::sf(x, a, b));
                probability("binomial", binomial::cdf(x, a, b));
                probability("binomial", binomial::sf(x, a, b));
                probability("binomial", binomial::pmf(x, a, b));
            }
        }
    }
    u.finish();
}

/// Quantiles at p = 0 and 1 may be infinite where the support is; nothing may be NaN.
#[test]
fn quantiles() {
    let known = |what: &str, q: prem_stats::Result<f64>| assert!(!q.is_ok_and(f64::is_nan), "{what}");
    for p in NUMBERS.into_iter().chain([0.025, 0.3, 1.0 - 1e-16]) {
        known("normal", normal::quantile(p));
        known("normal", normal::upper_quantile(p));
        known("normal", normal::pdf(p));
        for a in FEW {
            for (what, q) in [
                ("t", student_t::quantile(p, a)),
                ("t", student_t::upper_quantile(p, a)),
                ("χ²", chi_squared::quantile(p, a)),
                ("χ²", chi_squared::upper_quantile(p, a)),
                ("gamma", gamma::quantile(p, a)),
                ("gamma", gamma::upper_quantile(p, a)),
                ("poisson", poisson::quantile(p, a)),
            ] {
                known(what, q);
            }
            for b in FEW {
                known("F", f::quantile(p, a, b));
                known("F", f::upper_quantile(p, a, b));
                known("beta", beta::quantile(p, a, b));
                known("beta", beta::upper_quantile(p, a, b));
                known("binomial", binomial::quantile(p, a, b));
                for pair in [beta::quantile_pair(p, a, b), beta::upper_quantile_pair(p, a, b)] {
                    assert!(!pair.is_ok_and(|(x, y)| x.is_nan() || y.is_nan()), "beta pair {p} {a} {b}");
                }
            }
        }
    }
    for a in NUMBERS {
        known("ln_gamma", Ok(if a > 0.0 && a < 1e300 { special::ln_gamma(a) } else { 0.0 }));
        for x in NUMBERS {
            if a >= 0.0 && x > 0.0 && a < 1e9 && x < 1e9 {
                known("deviance_part", Ok(special::deviance_part(a, x)));
            }
            assert!(!special::incomplete_gamma(a, x).is_ok_and(|(p, q)| p.is_nan() || q.is_nan()), "{a} {x}");
            for b in FEW {
                let i = special::incomplete_beta(a, b, x, 1.0 - x);
                assert!(!i.is_ok_and(|(p, q)| p.is_nan() || q.is_nan()), "{a} {b} {x}");
            }
        }
    }
}

#[test]
fn funnels() {
    let mut u = Unsound::default();
    for x in NUMBERS {
        u.check("poisson_ratio_limits", funnel::poisson_ratio_limits(x, Level::P998));
        u.check("touches", funnel::expected_where_observed_touches(x, Level::P998));
        u.check("winsorised_variance", funnel::over_dispersion::winsorised_variance(x));
        for n in NUMBERS {
            u.check("proportion_score_limits", funnel::proportion_score_limits(x, n, Level::P95));
            for t in NUMBERS {
                let unit = Standardised { y: x, s: n, target: 1.0 };
                u.check("adjusted_z", funnel::adjusted_z(&unit, t));
                for scale in [Scale::Mean, Scale::ArcsineProportion, Scale::LogRatio, Scale::SqrtRatio] {
                    u.check("funnel_limits", funnel::funnel_limits(scale, x, n, t, Level::P95));
                    u.check("standardise", scale.standardise(x, n, t));
                }
            }
        }
    }
    for x in vectors() {
        for s in vectors() {
            let units: Vec<Standardised> =
                x.iter().zip(&s).map(|(y, s)| Standardised { y: *y, s: *s, target: 1.0 }).collect();
            for correction in [Correction::Winsorised, Correction::Spiegelhalter] {
                u.check("over_dispersion", funnel::over_dispersion(&units, Outliers::Winsorise(0.1), correction));
                u.check("over_dispersion", funnel::over_dispersion(&units, Outliers::Keep, correction));
            }
        }
    }
    u.finish();
}

#[test]
fn comparisons() {
    let mut u = Unsound::default();
    let windows = (Window { start: 0, end: 1 }, Window { start: 1, end: 2 });
    for x in NUMBERS {
        for se in NUMBERS {
            for d in NUMBERS {
                u.check("p_beyond", p_beyond(x, se, d));
                u.check("p_beyond_t", p_beyond_t(x, se, d, 4.0));
                u.check("p_beyond_t", p_beyond_t(x, se, 0.0, d));
                u.check("p_beyond_binomial", p_beyond_binomial(x, 0.3, se, d));
                u.check("p_beyond_binomial", p_beyond_binomial(0.3, x, se, d));
                u.check("p_beyond_poisson", p_beyond_poisson(x, se, 30.0, d));
                u.check("p_beyond_poisson", p_beyond_poisson(0.3, x, se, d));
                u.check("goal_level", goal_level(x, se, Some(d), Direction::Lower, None));
                u.check("change", change_between((x, se, windows.0), (1.0, d, windows.1), Level::P95));
                classify(x, Some(se), Direction::Higher, d);
            }
        }
    }
    for x in vectors() {
        u.check("bonferroni", bonferroni(&x));
        u.check("holm", holm(&x));
        u.check("benjamini_hochberg", benjamini_hochberg(&x));
        for s in vectors() {
            let pairs: Vec<_> = x.iter().zip(&s).map(|(difference, p)| Some((*difference, Some(*p)))).collect();
            u.check("assess", assess(&pairs, Direction::Higher, Multiplicity::Holm, 0.05));
            let differences = differences_from_reference(&x, &s, &s, None);
            if let Ok((_, differences)) = &differences {
                // Infinite degrees of freedom are an answer: the variance is known.
                let df = degrees_of_freedom_of_differences(differences, &s, &s, &s);
                assert!(!df.is_ok_and(|df| df.iter().any(|v| v.is_nan())), "{x:?} {s:?}");
            }
            u.check("differences_from_reference", differences);
            let shared = SharedCoefficients { adjuster_means: &x, covariance: &[2.0], p: 1 };
            u.check("differences, shared", differences_from_reference(&x, &s, &s, Some(shared)));
        }
    }
    u.finish();
}
