//! Properties of the fits: units may be permuted, rows split in any way, scores shifted and scaled.

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

use models::{agree, paired};
use prem_stats::binary::{AdjustedProportion, BinaryCounts, SeparationPolicy, adjusted_proportions, fit_logistic};
use prem_stats::case_mix::*;
use prem_stats::linear_algebra::{Cholesky, Matrix, symmetric_eigen};
use proptest::prelude::*;

const UNITS: usize = 8;
/// Most rows of a case.
const ROWS: usize = 160;
/// Parts that rows are dealt into.
const PARTS: usize = 5;

#[derive(Debug, Clone)]
struct Rows {
    units: Vec<u32>,
    y: Vec<f64>,
    x: Vec<f64>,
}

/// Scores in tenths, so that two of them are equal or a tenth apart.
fn rows() -> impl Strategy<Value = Rows> {
    prop::collection::vec((0..UNITS as u32, 0_u32..1000, 18_u32..95), 40..ROWS).prop_map(|rows| Rows {
        units: rows.iter().map(|r| r.0).collect(),
        y: rows.iter().map(|r| f64::from(r.1 + 30 * r.0) / 10.0).collect(),
        x: rows.iter().map(|r| f64::from(r.2)).collect(),
    })
}

fn statistics(r: &Rows, of: impl Fn(usize) -> bool) -> SufficientStatistics {
    let chosen: Vec<usize> = (0..r.y.len()).filter(|i| of(*i)).collect();
    let pick = |v: &[f64]| chosen.iter().map(|i| v[*i]).collect::<Vec<f64>>();
    let units: Vec<u32> = chosen.iter().map(|i| r.units[*i]).collect();
    let mut statistics = SufficientStatistics::new(UNITS, 1);
    statistics.add(&units, &pick(&r.y), &[&pick(&r.x)]).unwrap();
    statistics
}

fn moments(r: &Rows) -> UnitMoments {
    statistics(r, |_| true).finish().unwrap()
}

/// Everything that is published of one fit.
#[derive(Debug, PartialEq)]
struct Published {
    slope: f64,
    slope_error: f64,
    sigma: f64,
    /// θ² = σ_b²/σ².
    ratio: f64,
    icc: f64,
    criterion: f64,
    units: Vec<Option<Unit>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Unit {
    adjusted: f64,
    adjusted_error: f64,
    shrunken: f64,
    shrunken_error: f64,
    blup: f64,
}

fn published(m: &UnitMoments) -> Published {
    let fit = within(m).unwrap();
    let model = fit_random_intercept(m, Criterion::Reml, Some(&fit)).unwrap();
    let reference = m.mean_adjusters();
    let adjusted = fit.adjusted_means(m, &reference, &AdjustedMeanOptions::default()).unwrap();
    let shrunken = shrunken_means(&model, m, &reference, ShrinkageInterval::Averaged, 0.95).unwrap();
    let unit = |j: usize| {
        let (a, s) = (adjusted[j].as_ref()?, &shrunken[j]);
        Some(Unit {
            adjusted: a.value,
            adjusted_error: a.standard_error,
            shrunken: s.value,
            shrunken_error: s.standard_error,
            blup: model.effects[j].blup,
        })
    };
    Published {
        slope: fit.coefficients[0],
        slope_error: fit.standard_errors()[0],
        sigma: model.components.residual_sd,
        ratio: model.components.theta.powi(2),
        icc: model.components.intraclass_correlation(),
        criterion: model.criterion,
        units: (0..m.units()).map(unit).collect(),
    }
}

fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * (1.0 + a.abs().max(b.abs()))
}

/// Whether two fits agree to 1e-12, what an optimiser finds no less than what is solved for.
fn alike(a: &Published, b: &Published, order: impl Fn(usize) -> usize) -> bool {
    let numbers = |p: &Published| [p.slope, p.slope_error, p.sigma, p.ratio, p.icc, p.criterion];
    let of_unit = |u: &Unit| [u.adjusted, u.adjusted_error, u.shrunken, u.shrunken_error, u.blup];
    let turned: Vec<Option<Unit>> = (0..UNITS).map(|j| b.units[order(j)]).collect();
    let agree = |x: &[f64], z: &[f64]| x.iter().zip(z).all(|(x, z)| near(*x, *z, 1e-12));
    agree(&numbers(a), &numbers(b)) && paired(&a.units, &turned).iter().all(|(x, z)| agree(&of_unit(x), &of_unit(z)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn permuting_units_permutes_results(r in rows(), turn in 1..UNITS) {
        let order = |j: usize| (3 * j + turn) % UNITS;
        let moved = Rows { units: r.units.iter().map(|u| order(*u as usize) as u32).collect(), ..r.clone() };
        let (a, b) = (published(&moments(&r)), published(&moments(&moved)));
        prop_assert!(alike(&a, &b, order), "{a:?} {b:?}");
    }

    /// However rows are dealt into parts, the merged parts are the whole up to the last bits.
    #[test]
    fn merging_any_parts_gives_the_same_fit(r in rows(), deal in prop::collection::vec(0..PARTS, ROWS)) {
        let mut merged = SufficientStatistics::new(UNITS, 1);
        for part in 0..PARTS {
            merged.merge(&statistics(&r, |i| deal[i] == part)).unwrap();
        }
        let (whole, merged) = (moments(&r), merged.finish().unwrap());
        prop_assert!(agree(&whole, &merged), "{whole:?} {merged:?}");
        let (a, b) = (published(&whole), published(&merged));
        prop_assert!(alike(&a, &b, |j| j), "{a:?} {b:?}");
    }

    /// y → c + y moves every mean by c and nothing else; y → ky scales means and errors alike.
    #[test]
    fn scores_may_be_shifted_and_scaled(r in rows(), shift in -1e3..1e3_f64, scale in 0.1..10.0_f64) {
        let moved = Rows { y: r.y.iter().map(|y| shift + scale * y).collect(), ..r.clone() };
        let (a, b) = (published(&moments(&r)), published(&moments(&moved)));
        let same = |a: f64, b: f64| (a - b).abs() <= 1e-6;
        prop_assert!(same(scale * a.slope, b.slope) && same(scale * a.slope_error, b.slope_error));
        prop_assert!(same(scale * a.sigma, b.sigma) && same(a.icc, b.icc) && same(a.ratio, b.ratio), "{a:?} {b:?}");
        for (a, b) in paired(&a.units, &b.units) {
            prop_assert!(same(scale * a.adjusted, b.adjusted - shift), "{a:?} {b:?}");
            prop_assert!(same(scale * a.adjusted_error, b.adjusted_error), "{a:?} {b:?}");
            prop_assert!(same(scale * a.shrunken, b.shrunken - shift), "{a:?} {b:?}");
            prop_assert!(same(scale * a.shrunken_error, b.shrunken_error), "{a:?} {b:?}");
            prop_assert!(same(scale * a.blup, b.blup), "{a:?} {b:?}");
        }
    }

    /// A shrunken value lies between the unit's own and their common mean, and errs less than the unit's own does.
    #[test]
    fn plug_in_values_lie_between(r in rows()) {
        let m = moments(&r);
        let fit = within(&m).unwrap();
        let model = fit_random_intercept(&m, Criterion::Reml, Some(&fit)).unwrap();
        let reference = m.mean_adjusters();
        let adjusted = fit.adjusted_means(&m, &reference, &AdjustedMeanOptions::default()).unwrap();
        let shrunken = shrunken_means(&model, &m, &reference, ShrinkageInterval::PlugIn, 0.95).unwrap();
        let lambda = |j: usize| model.effects[j].reliability;
        let weight: f64 = (0..UNITS).map(lambda).sum();
        if weight > 0.0 {
            let own = |j: usize| adjusted[j].as_ref().map_or(0.0, |a| a.value);
            let mean: f64 = (0..UNITS).map(|j| lambda(j) * own(j)).sum::<f64>() / weight;
            for (a, s) in adjusted.iter().zip(&shrunken).filter_map(|(a, s)| Some((a.as_ref()?, s))) {
                prop_assert!(s.value >= mean.min(a.value) - 1e-9 && s.value <= mean.max(a.value) + 1e-9);
            }
        }
    }

    #[test]
    fn permuting_units_permutes_proportions(r in rows(), turn in 1..UNITS) {
        let order = |j: usize| (3 * j + turn) % UNITS;
        let values = |units: &[u32]| -> Vec<Option<AdjustedProportion>> {
            let mut counts = BinaryCounts::new(UNITS, 1);
            let y: Vec<f64> = r.y.iter().map(|y| f64::from(*y > 60.0)).collect();
            let x: Vec<f64> = r.x.iter().map(|x| (x / 10.0).floor()).collect();
            counts.add(units, &y, &[&x]).unwrap();
            let table = counts.finish();
            let fit = fit_logistic(&table, SeparationPolicy::Drop).unwrap();
            adjusted_proportions(&fit, &table, &table.reference(), 0.95).unwrap()
        };
        let turned: Vec<u32> = r.units.iter().map(|u| order(*u as usize) as u32).collect();
        let (a, b) = (values(&r.units), values(&turned));
        let b: Vec<Option<AdjustedProportion>> = (0..UNITS).map(|j| b[order(j)].clone()).collect();
        for (p, q) in paired(&a, &b) {
            prop_assert!(near(p.value, q.value, 1e-9) && near(p.lower, q.lower, 1e-9));
            prop_assert!(near(p.upper, q.upper, 1e-9) && near(p.variance, q.variance, 1e-8));
            prop_assert!(p.lower <= p.value && p.value <= p.upper);
        }
    }
}

/// Cut where chunks are cut, rows are summed in the same order: the same bits, and so the same fit to the bit.
#[test]
fn two_calls_cut_at_a_chunk_give_the_same_bits() {
    let n = CHUNK_ROWS + 30_000;
    let noise = |i: usize, k: u32| f64::from((i as u32).wrapping_mul(k) >> 16) / 1000.0;
    let r = Rows {
        units: (0..n).map(|i| (i as u32).wrapping_mul(2_654_435_761) % UNITS as u32).collect(),
        y: (0..n).map(|i| noise(i, 40_503)).collect(),
        x: (0..n).map(|i| noise(i, 69_069)).collect(),
    };
    let added = |cuts: &[usize]| {
        let mut statistics = SufficientStatistics::new(UNITS, 1);
        for ends in cuts.windows(2) {
            let of = ends[0]..ends[1];
            statistics.add(&r.units[of.clone()], &r.y[of.clone()], &[&r.x[of]]).unwrap();
        }
        statistics.finish().unwrap()
    };
    let (one, two) = (added(&[0, n]), added(&[0, CHUNK_ROWS, n]));
    assert_eq!(one, two);
    assert_eq!(published(&one), published(&two));
    // Cut elsewhere the last bits move, or the comparison above would say nothing.
    assert_ne!(one, added(&[0, 30_000, n]));
}

/// The largest difference between two matrices.
fn gap(a: &Matrix, b: &Matrix) -> f64 {
    a.as_slice().iter().zip(b.as_slice()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// The second difference matrix of order n has eigenvalues 2 − 2cos(kπ/(n + 1)).
#[test]
fn eigenvalues_of_second_differences() {
    for n in [1, 2, 3, 12, 40] {
        let a = Matrix::from_fn(n, n, |i, j| [2.0, -1.0, 0.0][i.abs_diff(j).min(2)]);
        let eigen = symmetric_eigen("test", &a).unwrap();
        for (k, value) in eigen.values.iter().enumerate() {
            let half = (k + 1) as f64 * std::f64::consts::PI / (2.0 * (n + 1) as f64);
            let exact = 4.0 * half.sin().powi(2);
            assert!((value - exact).abs() < 1e-13 * exact.max(0.1), "{n} {k}: {value} {exact}");
        }
    }
}

/// Eigenvalues 1e-8 and 1 are far apart, and a double one has any basis.
#[test]
fn eigenvalues_by_hand() {
    let a = Matrix::from_fn(3, 3, |i, j| if i == j { 2.0 } else { 1.0 });
    let eigen = symmetric_eigen("test", &a).unwrap();
    for (value, exact) in eigen.values.iter().zip([1.0, 1.0, 4.0]) {
        assert!((value - exact).abs() < 1e-14);
    }
    // (1 1; 1 1 + 4e-8) has determinant 4e-8.
    let a = Matrix::from_fn(2, 2, |i, j| if i + j == 2 { 1.0 + 4e-8 } else { 1.0 });
    let eigen = symmetric_eigen("test", &a).unwrap();
    assert!((eigen.values[0] * eigen.values[1] / 4e-8 - 1.0).abs() < 1e-7);
}

proptest! {
    /// A = U diag(d) U', U'U = I, d in rising order; also for matrices of less than full rank.
    #[test]
    fn eigenvectors_give_the_matrix_back(n in 1_usize..14, rank in 1_usize..14, seed in prop::collection::vec(-5.0..5.0_f64, 196)) {
        let x = Matrix::from_fn(rank, n, |i, j| seed[i * 14 + j]);
        let a = x.transpose().product(&x);
        let eigen = symmetric_eigen("test", &a).unwrap();
        let size = a.trace().max(1.0);
        prop_assert!(eigen.values.is_sorted());
        prop_assert!(gap(&eigen.map(|d| d), &a) < 1e-13 * size);
        prop_assert!(gap(&eigen.vectors.transpose().product(&eigen.vectors), &Matrix::identity(n)) < 1e-13);
        let indefinite = Matrix::from_fn(n, n, |i, j| seed[i.max(j) * 14 + i.min(j)]);
        let eigen = symmetric_eigen("test", &indefinite).unwrap();
        prop_assert!(gap(&eigen.map(|d| d), &indefinite) < 1e-12);
    }

    /// A·A⁻¹ = I, x'A⁻¹x from the inverse, log|A| from the eigenvalues, whatever the units of the columns.
    #[test]
    fn factor_gives_inverse_and_determinant(n in 1_usize..14, seed in prop::collection::vec(-5.0..5.0_f64, 196), power in -6_i32..6) {
        let x = Matrix::from_fn(n, n, |i, j| seed[i * 14 + j] * if j == 0 { 10_f64.powi(power) } else { 1.0 });
        let scale = |j: usize| if j == 0 { 10_f64.powi(power) } else { 1.0 };
        let gram = x.transpose().product(&x);
        let a = Matrix::from_fn(n, n, |i, j| gram[(i, j)] + if i == j { scale(j).powi(2) } else { 0.0 });
        let factor = Cholesky::new("test", &a).unwrap();
        let inverse = factor.inverse();
        let unit = a.product(&inverse);
        let error = Matrix::from_fn(n, n, |i, j| unit[(i, j)] * scale(j) / scale(i));
        prop_assert!(gap(&error, &Matrix::identity(n)) < 1e-9);
        let v: Vec<f64> = (0..n).map(|i| seed[i]).collect();
        let (direct, by_inverse) = (factor.inverse_quadratic(&v), inverse.quadratic(&v));
        prop_assert!((direct - by_inverse).abs() <= 1e-9 * direct.abs());
        let plain = Matrix::from_fn(n, n, |i, j| a[(i, j)] / (scale(i) * scale(j)));
        let logs: f64 = symmetric_eigen("test", &plain).unwrap().values.iter().map(|d| d.ln()).sum();
        prop_assert!((factor.log_determinant() - logs - 2.0 * scale(0).ln()).abs() < 1e-9);
    }
}
