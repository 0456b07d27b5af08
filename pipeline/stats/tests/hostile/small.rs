//! Scores, matrices and quadrature.

use super::{NUMBERS, Unsound, vectors};
use prem_stats::binary::gauss_hermite;
use prem_stats::interval::Level;
use prem_stats::linear_algebra::{Cholesky, Matrix, dot, independent_columns, symmetric_eigen};
use prem_stats::scores::{self, AnswerCounts, ItemRule, Items, Pairing};

#[test]
fn questionnaires() {
    let mut u = Unsound::default();
    for x in vectors() {
        u.check("describe_scale", scores::describe_scale(&x, 0.0, 100.0));
        for k in 1..4 {
            let units: Vec<usize> = (0..x.len()).map(|i| i % k).collect();
            u.check("one_way", scores::one_way(&x, &units));
        }
        let answers: Vec<Option<f64>> = x.iter().chain(&x).map(|v| (*v != 1.0).then_some(*v)).collect();
        let score = scores::scale_score(&answers, 0.5);
        assert!(score.is_none_or(f64::is_finite), "{answers:?}");
        for k in [0, 1, 2, 7] {
            let Ok(items) = Items::new(&answers, k) else { continue };
            for pairing in [Pairing::Complete, Pairing::Pairwise] {
                u.check("alpha", scores::alpha(&items, pairing));
                u.check("item_statistics", scores::item_statistics(&items, 1.0, 5.0, pairing));
            }
        }
    }
    for (x, y) in NUMBERS.iter().flat_map(|x| NUMBERS.map(|y| (*x, y))) {
        u.check("unit_reliability", scores::unit_reliability(x, y));
        u.check("answers_needed", scores::answers_needed(x, y));
        for n in [0, 1, 2, 1_000_000_000] {
            u.check("feldt_interval", scores::feldt_interval(x, n, 3, Level::P95));
        }
        let mut counts = AnswerCounts::default();
        if let Ok(rule) = ItemRule::new(x, y, true, &[9.0], &[f64::NAN]) {
            for code in NUMBERS {
                let answer = rule.read(Some(code));
                assert!(
                    answer.score().is_none_or(|s| (0.0..=100.0).contains(&s)),
                    "ItemRule::read of {code} on {x} to {y}"
                );
                counts.add(answer);
            }
            assert_eq!(counts.scored + counts.unknown + counts.out_of_range + counts.not_applicable, 16);
        }
    }
    u.finish();
}

#[test]
fn matrices() {
    let mut u = Unsound::default();
    for x in NUMBERS {
        for z in NUMBERS {
            let a = Matrix::from_fn(2, 2, |i, j| if i == j { x } else { z });
            u.check("symmetric_eigen", symmetric_eigen("test", &a).map(|e| e.values));
            let inverse = Cholesky::new("test", &a).map(|c| c.inverse());
            u.check("Cholesky", inverse);
            let (kept, dropped) = independent_columns(&a, &[x.abs(), x.abs()]);
            assert_eq!(kept.len() + dropped.len(), 2);
            assert!(x != 0.0 || dropped.len() == 2);
            assert!(dot(&[x], &[z]).is_nan() || !(x.is_nan() || z.is_nan()));
        }
    }
    assert!(
        symmetric_eigen("test", &Matrix::zeros(0, 0)).is_ok() && Cholesky::new("test", &Matrix::zeros(0, 0)).is_ok()
    );
    assert!(
        symmetric_eigen("test", &Matrix::zeros(2, 3)).is_err() && Cholesky::new("test", &Matrix::zeros(2, 3)).is_err()
    );
    for order in [0, 1, 2, 100, 101, usize::MAX] {
        u.check("gauss_hermite", gauss_hermite(order));
    }
    u.finish();
}
