//! Properties of scores and scales: what codes, constants and names of units must not change, and what adds up.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a failure is a failed test")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "small counts"
)]

use prem_stats::scores::*;
use proptest::prelude::*;

fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * (1.0 + a.abs().max(b.abs()))
}

fn near_or_none(a: Option<f64>, b: Option<f64>, tolerance: f64) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => near(a, b, tolerance),
        (a, b) => a.is_none() && b.is_none(),
    }
}

const K: usize = 4;

proptest! {
    /// Another unit for all items and another zero for each: the same α, item-rest correlations and α without an item.
    #[test]
    fn alpha_knows_neither_unit_nor_zero(
        answers in prop::collection::vec(prop::option::weighted(0.9, 1_u32..=5), K * 12..K * 30),
        factor in 0.5..25.0_f64,
        zero in prop::collection::vec(-50.0..50.0_f64, K),
    ) {
        let rows = answers.len() / K * K;
        let plain: Vec<Option<f64>> = answers[..rows].iter().map(|a| a.map(f64::from)).collect();
        let moved: Vec<Option<f64>> =
            plain.iter().enumerate().map(|(i, a)| a.map(|a| zero[i % K] + factor * a)).collect();
        let (a, b) = (Items::new(&plain, K).unwrap(), Items::new(&moved, K).unwrap());
        for pairing in [Pairing::Complete, Pairing::Pairwise] {
            if let (Ok(x), Ok(y)) = (alpha(&a, pairing), alpha(&b, pairing)) {
                prop_assert!(near(x.alpha, y.alpha, 1e-8), "{x:?} {y:?}");
                prop_assert!(near(x.mean_correlation, y.mean_correlation, 1e-9), "{x:?} {y:?}");
                let of = |items| item_statistics(items, 1.0, 5.0, pairing).unwrap();
                for (x, y) in of(&a).iter().zip(&of(&b)) {
                    prop_assert!(near_or_none(x.item_rest_r, y.item_rest_r, 1e-7), "{x:?} {y:?}");
                    prop_assert!(x.missing == y.missing && x.n == y.n);
                }
            }
        }
    }

    /// Names of units and the zero of the scale do not enter the intraclass correlation, and the unit of the scale does not.
    #[test]
    fn intraclass_correlation_knows_neither_names_nor_scale(
        rows in prop::collection::vec((0_usize..5, 0.0..100.0_f64), 12..60),
        zero in -1e3..1e3_f64,
        factor in 0.1..10.0_f64,
    ) {
        let (units, y): (Vec<usize>, Vec<f64>) = rows.into_iter().unzip();
        let renamed: Vec<usize> = units.iter().map(|u| 1000 - 7 * u).collect();
        let moved: Vec<f64> = y.iter().map(|y| zero + factor * y).collect();
        if let (Ok(a), Ok(b)) = (one_way(&y, &units), one_way(&moved, &renamed)) {
            prop_assert!(near(a.icc1, b.icc1, 1e-9) && near(a.icck, b.icck, 1e-7), "{a:?} {b:?}");
            prop_assert!(near(factor * factor * a.msw, b.msw, 1e-9) && near_or_none(a.f_p, b.f_p, 1e-8));
        }
    }

    /// As many answers as a reliability needs give that reliability, and more give more.
    #[test]
    fn answers_needed_inverts_reliability(icc in 1e-4..0.95_f64, target in 0.02..0.99_f64, more in 0.1..50.0_f64) {
        let n = answers_needed(icc, target).unwrap();
        prop_assert!(near(unit_reliability(icc, n).unwrap(), target, 1e-12));
        prop_assert!(unit_reliability(icc, n + more).unwrap() > target);
    }

    /// A reversed item is what is left to 100; counts of parts add up to those of the whole, each answer under one reason.
    #[test]
    fn answers_are_read_and_counted(
        codes in prop::collection::vec(prop::option::of(-2_i32..12), 0..60),
        at in 0.0..=1.0_f64,
    ) {
        let rule = |reversed| ItemRule::new(1.0, 5.0, reversed, &[8.0], &[9.0]).unwrap();
        let (forward, back) = (rule(false), rule(true));
        let count = |codes: &[Option<i32>]| {
            let mut counts = AnswerCounts::default();
            codes.iter().for_each(|c| counts.add(forward.read(c.map(f64::from))));
            counts
        };
        for code in codes.iter().map(|c| c.map(f64::from)) {
            match (forward.read(code), back.read(code)) {
                (Answer::Score(a), Answer::Score(b)) => prop_assert!((a + b - 100.0).abs() < 1e-12),
                (a, b) => prop_assert_eq!(a, b),
            }
        }
        let cut = (at * codes.len() as f64) as usize;
        let (whole, merged) = (count(&codes), count(&codes[..cut]).merge(count(&codes[cut..])));
        prop_assert_eq!(whole, merged);
        let other = whole.not_applicable + whole.do_not_know + whole.out_of_range + whole.unknown;
        prop_assert_eq!(whole.scored + whole.not_answered + other, codes.len() as u64);
        prop_assert_eq!(whole.not_answered, codes.iter().filter(|c| c.is_none()).count() as u64);
        prop_assert_eq!(whole.do_not_know, codes.iter().filter(|c| **c == Some(9)).count() as u64);
    }
}
