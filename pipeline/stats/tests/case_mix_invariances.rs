//! What must not change what: unit effects and β, codes of adjusters and values, weights and the model, parts and wholes.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a failure is a failed test"
)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "small counts"
)]

mod models;

use models::paired;
use prem_stats::case_mix::*;
use prem_stats::distributions::student_t;
use proptest::prelude::*;

const UNITS: usize = 6;

#[derive(Debug, Clone)]
struct Rows {
    units: Vec<u32>,
    y: Vec<f64>,
    x: [Vec<f64>; 2],
    w: Vec<f64>,
}

fn rows() -> impl Strategy<Value = Rows> {
    let row = (0..UNITS as u32, 0.0..100.0_f64, 18_u32..95, any::<bool>(), 1.0..6.0_f64);
    prop::collection::vec(row, 60..160).prop_map(|rows| Rows {
        units: rows.iter().map(|r| r.0).collect(),
        y: rows.iter().map(|r| r.1 + 3.0 * f64::from(r.0)).collect(),
        x: [rows.iter().map(|r| f64::from(r.2)).collect(), rows.iter().map(|r| f64::from(r.3)).collect()],
        w: rows.iter().map(|r| r.4).collect(),
    })
}

fn plain(r: &Rows) -> UnitMoments {
    let mut statistics = SufficientStatistics::new(UNITS, 2);
    statistics.add(&r.units, &r.y, &[&r.x[0], &r.x[1]]).unwrap();
    statistics.finish().unwrap()
}

fn weighted_part(r: &Rows, of: impl Fn(usize) -> bool) -> SufficientStatistics {
    let chosen: Vec<usize> = (0..r.y.len()).filter(|i| of(*i)).collect();
    let pick = |v: &[f64]| chosen.iter().map(|i| v[*i]).collect::<Vec<f64>>();
    let units: Vec<u32> = chosen.iter().map(|i| r.units[*i]).collect();
    let mut statistics = SufficientStatistics::weighted(UNITS, 2);
    statistics.add_weighted(&units, &pick(&r.y), &[&pick(&r.x[0]), &pick(&r.x[1])], &pick(&r.w)).unwrap();
    statistics
}

fn weighted(r: &Rows) -> UnitMoments {
    weighted_part(r, |_| true).finish().unwrap()
}

fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * (1.0 + a.abs().max(b.abs()))
}

/// Units 0 to 2 and 3 to 5.
fn trusts() -> Vec<Option<u32>> {
    (0..UNITS as u32).map(|u| Some(u / 3)).collect()
}

fn options() -> AdjustedMeanOptions {
    AdjustedMeanOptions::default()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// Good units that see other patients do not leak their quality into β: whatever a unit adds to its scores moves its own
    /// value by that and nothing else.
    #[test]
    fn quality_does_not_leak_into_beta(r in rows(), quality in prop::collection::vec(-40.0..40.0_f64, UNITS)) {
        let better = Rows { y: r.y.iter().zip(&r.units).map(|(y, u)| y + quality[*u as usize]).collect(), ..r.clone() };
        let (m, moved) = (plain(&r), plain(&better));
        let (a, b) = (within(&m).unwrap(), within(&moved).unwrap());
        for k in 0..2 {
            prop_assert!(near(a.coefficients[k], b.coefficients[k], 1e-9));
            prop_assert!(near(a.standard_errors()[k], b.standard_errors()[k], 1e-9));
        }
        prop_assert!(near(a.residual_variance, b.residual_variance, 1e-9));
        let reference = m.mean_adjusters();
        let (a, b) = (
            a.adjusted_means(&m, &reference, &options()).unwrap(),
            b.adjusted_means(&moved, &reference, &options()).unwrap(),
        );
        let with_rows = (0..UNITS).filter(|j| a[*j].is_some());
        for (j, (a, b)) in with_rows.zip(paired(&a, &b)) {
            prop_assert!(near(a.value + quality[j], b.value, 1e-9) && near(a.variance, b.variance, 1e-8));
        }
    }

    /// Another unit of measurement, another reference category, another order of columns: the same values and errors.
    #[test]
    fn codes_of_adjusters_do_not_matter(r in rows(), start in -1e3..1e3_f64, factor in 0.5..20.0_f64) {
        let other = Rows {
            x: [r.x[1].iter().map(|v| 1.0 - v).collect(), r.x[0].iter().map(|v| start + factor * v).collect()],
            ..r.clone()
        };
        let (m, n) = (plain(&r), plain(&other));
        let (a, b) = (within(&m).unwrap(), within(&n).unwrap());
        prop_assert!(near(a.coefficients[0], factor * b.coefficients[1], 1e-8));
        prop_assert!(near(a.coefficients[1], -b.coefficients[0], 1e-8));
        let (a, b) = (
            a.adjusted_means(&m, &m.mean_adjusters(), &options()).unwrap(),
            b.adjusted_means(&n, &n.mean_adjusters(), &options()).unwrap(),
        );
        for (a, b) in paired(&a, &b) {
            prop_assert!(near(a.value, b.value, 1e-8) && near(a.variance, b.variance, 1e-8), "{a:?} {b:?}");
        }
        let shrunken = |m: &UnitMoments| {
            let fit = fit_random_intercept(m, Criterion::Reml, None).unwrap();
            shrunken_means(&fit, m, &m.mean_adjusters(), ShrinkageInterval::PlugIn, 0.95).unwrap()
        };
        for (a, b) in shrunken(&m).iter().zip(&shrunken(&n)) {
            prop_assert!(near(a.value, b.value, 1e-8), "{a:?} {b:?}");
        }
    }

    /// With one β̂ a trust agrees with its wards, and at the respondents' own mix Σn_ja_j = Nȳ. The same with weights.
    #[test]
    fn parts_add_up_to_the_whole(r in rows(), elsewhere in 20.0..90.0_f64) {
        for m in [plain(&r), weighted(&r)] {
            let fit = within(&m).unwrap();
            let own = m.mean_adjusters();
            let at_own = fit.adjusted_means(&m, &own, &options()).unwrap();
            let counts_for = |j: usize| m.weight_sum(j);
            let sum: f64 = (0..UNITS).filter_map(|j| Some(counts_for(j) * at_own[j].as_ref()?.value)).sum();
            let all = m.overall();
            prop_assert!(near(sum / all.weight_sum(0), all.weighted_mean_y(0), 1e-10));
            let higher = m.aggregate(&trusts(), 2).unwrap();
            for reference in [own, vec![elsewhere, 0.25]] {
                let wards = fit.adjusted_means(&m, &reference, &options()).unwrap();
                let values = fit.adjusted_means(&higher, &reference, &options()).unwrap();
                for (t, trust) in values.iter().enumerate() {
                    let Some(trust) = trust else { continue };
                    let of = (3 * t)..(3 * t + 3);
                    let sum: f64 = of.filter_map(|j| Some(counts_for(j) * wards[j].as_ref()?.value)).sum();
                    prop_assert!(near(sum / higher.weight_sum(t), trust.value, 1e-10));
                }
            }
        }
    }

    /// A sampling weight is never read as precision: β̂, its errors and the mixed model are those without weights, to the bit.
    #[test]
    fn weights_do_not_enter_the_model(r in rows()) {
        let (m, w) = (plain(&r), weighted(&r));
        prop_assert_eq!(within(&m).unwrap(), within(&w).unwrap());
        let [a, b] = [m, w].map(|m| fit_random_intercept(&m, Criterion::Reml, None).unwrap());
        prop_assert_eq!(a.coefficients, b.coefficients);
        prop_assert_eq!((a.components, a.criterion), (b.components, b.criterion));
        prop_assert_eq!(a.effects, b.effects);
    }

    /// Weighted rows, too, may be dealt into any parts: everything that is made of them agrees to 1e-12.
    #[test]
    fn weighted_parts_merge_to_the_whole(r in rows(), deal in prop::collection::vec(0..4, 160)) {
        let mut merged = SufficientStatistics::weighted(UNITS, 2);
        for part in 0..4 {
            merged.merge(&weighted_part(&r, |i| deal[i] == part)).unwrap();
        }
        let (whole, merged) = (weighted(&r), merged.finish().unwrap());
        for j in 0..UNITS {
            prop_assert_eq!(whole.count(j), merged.count(j));
            prop_assert!(near(whole.weight_sum(j), merged.weight_sum(j), 1e-12));
            prop_assert!(near(whole.effective_rows(j), merged.effective_rows(j), 1e-12));
            prop_assert!(near(whole.weighted_mean_y(j), merged.weighted_mean_y(j), 1e-12));
            let spread = |m: &UnitMoments| m.weighted_residual_sum_of_squares(j, &[0.2, -3.0]).unwrap();
            prop_assert!(near(spread(&whole), spread(&merged), 1e-12));
        }
        let reference = whole.mean_adjusters();
        let [a, b] =
            [&whole, &merged].map(|m| within(m).unwrap().adjusted_means(m, &reference, &options()).unwrap());
        for (a, b) in paired(&a, &b) {
            prop_assert!(near(a.value, b.value, 1e-12) && near(a.standard_error, b.standard_error, 1e-12));
        }
    }

    /// With the model's own β a unit's mean and β̂ correlate: V_j = S_j + d'Vd − 2d'VΣ_k(n_k/n_j)(1, x̄_k)/(1 + n_kθ²).
    #[test]
    fn gls_variance_loses_the_covariance(r in rows()) {
        let m = plain(&r);
        let fit = fit_random_intercept(&m, Criterion::Reml, None).unwrap();
        let reference = m.mean_adjusters();
        let parents = trusts();
        let higher = m.aggregate(&parents, 2).unwrap();
        let means = fit.adjusted_means(&m, Some((&parents, 2)), &reference, &options()).unwrap();
        for (t, mean) in means.iter().enumerate() {
            let Some(mean) = mean else { continue };
            let d: Vec<f64> =
                std::iter::once(0.0).chain(higher.mean_x(t).iter().zip(&reference).map(|(x, r)| x - r)).collect();
            let mut entered = [0.0; 3];
            for k in 3 * t..3 * t + 3 {
                let n = m.count(k) as f64;
                let share = n / mean.n as f64 / (1.0 + n * fit.components.theta.powi(2));
                entered[0] += share;
                entered[1] += share * m.mean_x(k)[0];
                entered[2] += share * m.mean_x(k)[1];
            }
            let expected =
                mean.sampling_variance + fit.covariance.quadratic(&d) - 2.0 * fit.covariance.bilinear(&d, &entered);
            prop_assert!(near(mean.variance, expected, 1e-9), "{} {expected}", mean.variance);
        }
    }

    /// Both CAHPS conventions: a constant moves the units' values only, the units' order does not matter, the mean of the
    /// adjusted values is that of the unadjusted ones, and the manual differs by n/(n − 1) and by its degrees of freedom.
    #[test]
    fn fixed_effects_by_both_conventions(r in rows(), shift in -1e3..1e3_f64) {
        let answer = |(i, (y, w)): (usize, (&f64, &f64))| if i % 7 == 3 { f64::NAN } else { 0.5 * y + 10.0 * w };
        let second: Vec<f64> = r.y.iter().zip(&r.w).enumerate().map(answer).collect();
        let run = |units: &[u32], shift: f64, convention| {
            let items: [Vec<f64>; 2] = [&r.y, &second].map(|item| item.iter().map(|v| v + shift).collect());
            fixed_effects(units, UNITS, &[&items[0], &items[1]], &[&r.x[0], &r.x[1]], convention)
        };
        let turned: Vec<u32> = r.units.iter().map(|u| UNITS as u32 - 1 - u).collect();
        for convention in [FixedEffectsConvention::Cahps41c, FixedEffectsConvention::CahpsManual] {
            let fit = run(&r.units, 0.0, convention).unwrap();
            let (moved, other) = (run(&r.units, shift, convention).unwrap(), run(&turned, 0.0, convention).unwrap());
            let mean = |f: fn(&FixedEffectsUnit) -> f64| {
                fit.units.iter().flatten().map(f).sum::<f64>() / fit.unit_count as f64
            };
            prop_assert!(near(mean(|u| u.adjusted), mean(|u| u.unadjusted), 1e-11));
            let back: Vec<Option<FixedEffectsUnit>> = other.units.into_iter().rev().collect();
            for ((a, b), (_, c)) in paired(&fit.units, &moved.units).into_iter().zip(paired(&fit.units, &back)) {
                prop_assert!(near(a.adjusted + shift, b.adjusted, 1e-9) && near(a.delta, b.delta, 1e-9));
                prop_assert!(near(a.variance, b.variance, 1e-8) && near(a.p, b.p, 1e-7));
                prop_assert!(near(a.adjusted, c.adjusted, 1e-10) && near(a.p, c.p, 1e-9));
                let df = if convention == FixedEffectsConvention::Cahps41c { fit.df2 } else { a.n as f64 - 1.0 };
                let p = student_t::two_sided_p(a.delta / a.delta_standard_error, df).unwrap();
                prop_assert!(near(a.p, p, 1e-12));
            }
        }
        let [code, manual] = [FixedEffectsConvention::Cahps41c, FixedEffectsConvention::CahpsManual]
            .map(|c| run(&r.units, 0.0, c).unwrap());
        for (a, b) in paired(&code.units, &manual.units) {
            let n = a.n as f64;
            prop_assert!(near(a.variance * n / (n - 1.0), b.variance, 1e-12) && near(a.adjusted, b.adjusted, 1e-12));
        }
    }

    /// Areas: shifted, scaled and in another order.
    #[test]
    fn fay_herriot_follows_its_values(
        areas in prop::collection::vec((30.0..90.0_f64, 0.5..60.0_f64), 5..20),
        shift in -1e3..1e3_f64,
        scale in 0.1..10.0_f64,
    ) {
        let (a, v): (Vec<f64>, Vec<f64>) = areas.into_iter().unzip();
        for kind in [ShrinkageInterval::PlugIn, ShrinkageInterval::Averaged] {
        let fit = fay_herriot(&a, &v, &[], kind, 0.95).unwrap();
        let moved: Vec<f64> = a.iter().map(|a| shift + scale * a).collect();
        let wider: Vec<f64> = v.iter().map(|v| scale * scale * v).collect();
        let moved = fay_herriot(&moved, &wider, &[], kind, 0.95).unwrap();
        let back = |v: &[f64]| v.iter().rev().copied().collect::<Vec<f64>>();
        let turned = fay_herriot(&back(&a), &back(&v), &[], kind, 0.95).unwrap();
        prop_assert!(near(scale * scale * fit.between_unit_variance, moved.between_unit_variance, 1e-7));
        for ((a, b), c) in fit.units.iter().zip(&moved.units).zip(turned.units.iter().rev()) {
            prop_assert!(near(shift + scale * a.value, b.value, 1e-7) && near(a.value, c.value, 1e-8));
            prop_assert!(near(scale * scale * a.mean_squared_error, b.mean_squared_error, 1e-6));
            prop_assert!(near(a.mean_squared_error, c.mean_squared_error, 1e-7));
        }
        }
    }

    /// In a tree a constant moves all values of all levels by itself, and the order of wards and trusts does not matter.
    #[test]
    fn trees_follow_their_values(r in rows(), shift in -1e3..1e3_f64) {
        let turn = |u: u32| UNITS as u32 - 1 - u;
        let moved = Rows { y: r.y.iter().map(|y| y + shift).collect(), ..r.clone() };
        let turned = Rows { units: r.units.iter().map(|u| turn(*u)).collect(), ..r.clone() };
        let parents = [vec![0_u32, 0, 0, 1, 1, 1]];
        let reference = plain(&r).mean_adjusters();
        let run = |r: &Rows, kind| nested_shrinkage(&plain(r), (&parents, 2), None, &reference, kind, 0.95);
        for kind in [ShrinkageInterval::PlugIn, ShrinkageInterval::Averaged] {
            let [a, b, c] = [&r, &moved, &turned].map(|r| run(r, kind).unwrap());
            let same = |a: f64, b: f64| (a - b).abs() <= 1e-6;
            for other in [&b, &c] {
                prop_assert!(same(a.residual_sd, other.residual_sd), "{a:?} {other:?}");
                for (sd, other_sd) in paired(&a.level_sds, &other.level_sds) {
                    prop_assert!(same(*sd, *other_sd), "{a:?} {other:?}");
                    let icc = |sd: f64, of: &NestedShrinkage| sd * sd / (sd * sd + of.residual_sd.powi(2));
                    prop_assert!(same(icc(*sd, &a), icc(*other_sd, other)));
                }
            }
            for (l, level) in a.levels.iter().enumerate() {
                for (node, value) in level.iter().enumerate() {
                    let (higher, mirrored) = (&b.levels[l][node], &c.levels[l][level.len() - 1 - node]);
                    prop_assert!(same(value.value, higher.value - shift), "{value:?} {higher:?}");
                    prop_assert!(same(value.standard_error, higher.standard_error), "{value:?} {higher:?}");
                    prop_assert!(same(value.value, mirrored.value), "{value:?} {mirrored:?}");
                    prop_assert!(same(value.standard_error, mirrored.standard_error), "{value:?} {mirrored:?}");
                }
            }
        }
    }
}
