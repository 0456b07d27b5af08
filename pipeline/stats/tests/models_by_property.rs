//! Properties of the fits: units may be permuted, rows split in any way, scores shifted and scaled.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a failure is a failed test")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "small counts"
)]

use prem_stats::binary::{BinaryCounts, SeparationPolicy, adjusted_proportions, fit_logistic};
use prem_stats::case_mix::*;
use prem_stats::linear_algebra::{Cholesky, Matrix, symmetric_eigen};
use proptest::prelude::*;

const UNITS: usize = 8;

#[derive(Debug, Clone)]
struct Rows {
    units: Vec<u32>,
    y: Vec<f64>,
    x: Vec<f64>,
}

fn rows() -> impl Strategy<Value = Rows> {
    prop::collection::vec((0..UNITS as u32, 0.0..100.0_f64, 18_u32..95), 40..160).prop_map(|rows| Rows {
        units: rows.iter().map(|r| r.0).collect(),
        y: rows.iter().map(|r| r.1 + 3.0 * f64::from(r.0)).collect(),
        x: rows.iter().map(|r| f64::from(r.2)).collect(),
    })
}

fn moments(r: &Rows) -> UnitMoments {
    let mut statistics = SufficientStatistics::new(UNITS, 1);
    statistics.add(&r.units, &r.y, &[&r.x]).unwrap();
    statistics.finish().unwrap()
}

/// Everything that is published of a unit, from one fit.
#[derive(Debug)]
struct Published {
    slope: f64,
    theta: f64,
    criterion: f64,
    /// (adjusted, its SE, shrunken, its SE, BLUP) per unit.
    units: Vec<Option<[f64; 5]>>,
}

fn published(m: &UnitMoments) -> Option<Published> {
    let fit = within(m).ok()?;
    let model = fit_random_intercept(m, Criterion::Reml, Some(&fit)).ok()?;
    let reference = m.mean_adjusters();
    let adjusted = fit.adjusted_means(m, &reference, &AdjustedMeanOptions::default()).unwrap();
    let shrunken = shrunken_means(&model, m, &reference, ShrinkageInterval::Averaged, 0.95).unwrap();
    let unit = |j: usize| {
        let (a, s) = (adjusted[j].as_ref()?, &shrunken[j]);
        Some([a.value, a.standard_error, s.value, s.standard_error, model.effects[j].blup])
    };
    Some(Published {
        slope: fit.coefficients[0],
        theta: model.components.theta,
        criterion: model.criterion,
        units: (0..m.units()).map(unit).collect(),
    })
}

fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * (1.0 + a.abs().max(b.abs()))
}

fn alike(a: &Published, b: &Published, order: impl Fn(usize) -> usize, tolerance: f64) -> bool {
    near(a.slope, b.slope, tolerance)
        && near(a.theta, b.theta, 100.0 * tolerance)
        && near(a.criterion, b.criterion, tolerance)
        && (0..UNITS).all(|j| match (&a.units[j], &b.units[order(j)]) {
            (Some(x), Some(z)) => x.iter().zip(z).all(|(x, z)| near(*x, *z, 100.0 * tolerance)),
            (None, None) => true,
            _ => false,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn permuting_units_permutes_results(r in rows(), turn in 1..UNITS) {
        let order = |j: usize| (3 * j + turn) % UNITS;
        let moved = Rows { units: r.units.iter().map(|u| order(*u as usize) as u32).collect(), ..r.clone() };
        let (a, b) = (published(&moments(&r)), published(&moments(&moved)));
        if let (Some(a), Some(b)) = (a, b) {
            prop_assert!(alike(&a, &b, order, 1e-10), "{a:?} {b:?}");
        }
    }

    /// In the order of the rows, merged parts are the whole up to the last bits; the same parts are the same bits.
    #[test]
    fn merging_splits_gives_the_same_fit(r in rows(), cut in 0.0..=1.0_f64) {
        let at = (cut * r.y.len() as f64) as usize;
        let part = |from: usize, to: usize| {
            let mut s = SufficientStatistics::new(UNITS, 1);
            s.add(&r.units[from..to], &r.y[from..to], &[&r.x[from..to]]).unwrap();
            s
        };
        let merged = || {
            let mut s = part(0, at);
            s.merge(&part(at, r.y.len())).unwrap();
            s.finish().unwrap()
        };
        prop_assert_eq!(merged(), merged());
        if let (Some(a), Some(b)) = (published(&moments(&r)), published(&merged())) {
            prop_assert!(alike(&a, &b, |j| j, 1e-12), "{a:?} {b:?}");
        }
    }

    /// y → c + y moves every mean by c and nothing else; y → ky scales means and errors alike.
    #[test]
    fn scores_may_be_shifted_and_scaled(r in rows(), shift in -1e3..1e3_f64, scale in 0.1..10.0_f64) {
        let moved = Rows { y: r.y.iter().map(|y| shift + scale * y).collect(), ..r.clone() };
        if let (Some(a), Some(b)) = (published(&moments(&r)), published(&moments(&moved))) {
            prop_assert!(near(scale * a.slope, b.slope, 1e-9) && near(a.theta, b.theta, 1e-6));
            for (a, b) in a.units.iter().zip(&b.units).filter_map(|(a, b)| Some((a.as_ref()?, b.as_ref()?))) {
                prop_assert!(near(shift + scale * a[0], b[0], 1e-9) && near(scale * a[1], b[1], 1e-9));
                prop_assert!(near(shift + scale * a[2], b[2], 1e-6) && near(scale * a[3], b[3], 1e-6));
                prop_assert!(near(scale * a[4], b[4], 1e-6));
            }
        }
    }

    /// A shrunken value lies between the unit's own and their common mean, and errs less than the unit's own does.
    #[test]
    fn plug_in_values_lie_between(r in rows()) {
        let m = moments(&r);
        let Ok(fit) = within(&m) else { return Ok(()) };
        let Ok(model) = fit_random_intercept(&m, Criterion::Reml, Some(&fit)) else { return Ok(()) };
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
        let table = |units: &[u32]| {
            let mut counts = BinaryCounts::new(UNITS, 1);
            let y: Vec<f64> = r.y.iter().map(|y| f64::from(*y > 60.0)).collect();
            let x: Vec<f64> = r.x.iter().map(|x| (x / 10.0).floor()).collect();
            counts.add(units, &y, &[&x]).unwrap();
            counts.finish()
        };
        let (a, b) = (table(&r.units), table(&r.units.iter().map(|u| order(*u as usize) as u32).collect::<Vec<_>>()));
        let values = |t| {
            let fit = fit_logistic(t, SeparationPolicy::Drop).ok()?;
            adjusted_proportions(&fit, t, &t.reference(), 0.95).ok()
        };
        if let (Some(x), Some(z)) = (values(&a), values(&b)) {
            for j in 0..UNITS {
                match (&x[j], &z[order(j)]) {
                    (Some(p), Some(q)) => {
                        prop_assert!(near(p.value, q.value, 1e-9) && near(p.lower, q.lower, 1e-9));
                        prop_assert!(near(p.upper, q.upper, 1e-9) && near(p.variance, q.variance, 1e-8));
                        prop_assert!(p.lower <= p.value && p.value <= p.upper);
                    }
                    (None, None) => {}
                    (p, q) => prop_assert!(false, "{p:?} {q:?}"),
                }
            }
        }
    }
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
