//! Stratified sample: by hand, and what its probabilities promise.

use prem_stats::{
    StatsError,
    weights::{SampleSize, stratified_sample},
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const TEN_EACH: SampleSize = SampleSize { fixed: 10, share: 0.0, census_up_to: 0 };

#[test]
fn the_smallest_numbers_of_each_stratum_are_drawn() {
    let size = SampleSize { fixed: 2, share: 0.0, census_up_to: 1 };
    let sample = stratified_sample(&[0, 1, 0, 0, 0, 2], &[40, 7, 10, 30, 20, 9], 4, &size).unwrap();
    assert_eq!(sample.drawn, [1, 2, 4, 5]);
    assert_eq!(sample.sizes, [(4, 2), (1, 1), (1, 1), (0, 0)]);
    assert_eq!(sample.probability(0), Some(0.5));
    assert_eq!(sample.probability(1), Some(1.0));
    assert_eq!(sample.probability(3), None);
}

#[test]
fn a_share_is_rounded_up_and_small_strata_are_taken_whole() {
    let size = SampleSize { fixed: 3, share: 0.25, census_up_to: 5 };
    assert_eq!([0, 5, 6, 12, 13, 100].map(|n| size.of(n)), [0, 5, 3, 3, 4, 25]);
    // 0.07 · 100 is 7.000000000000001 in doubles.
    for (share, of, expected) in [(0.07, 100, 7), (0.14, 200, 28), (0.28, 400, 112), (0.55, 100, 55), (0.07, 101, 8)] {
        assert_eq!(SampleSize { fixed: 0, share, census_up_to: 0 }.of(of), expected, "{share} of {of}");
    }
    assert_eq!(SampleSize { fixed: 8, share: 0.0, census_up_to: 0 }.of(4), 4);
}

#[test]
fn wrong_rules_and_strata_are_errors() {
    let nobody = SampleSize { fixed: 0, share: 0.0, census_up_to: 0 };
    assert!(matches!(stratified_sample(&[0], &[1], 1, &nobody), Err(StatsError::Undefined { .. })));
    for share in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        let size = SampleSize { fixed: 1, share, census_up_to: 0 };
        assert!(matches!(stratified_sample(&[0], &[1], 1, &size), Err(StatsError::OutOfRange { .. })));
    }
    assert!(stratified_sample(&[1], &[1], 1, &TEN_EACH).is_err());
    assert!(stratified_sample(&[0, 0], &[1], 1, &TEN_EACH).is_err());
    assert!(stratified_sample(&[], &[], 0, &TEN_EACH).unwrap().drawn.is_empty());
}

#[test]
fn the_order_of_the_input_does_not_decide_who_is_drawn() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let units: Vec<(u32, u128)> = (0..300).map(|i| (i % 7, rng.random())).collect();
    let draw = |units: &[(u32, u128)]| {
        let (strata, numbers): (Vec<u32>, Vec<u128>) = units.iter().copied().unzip();
        let drawn = stratified_sample(&strata, &numbers, 7, &TEN_EACH).unwrap().drawn;
        let mut drawn: Vec<u128> = drawn.into_iter().map(|unit| numbers[unit]).collect();
        drawn.sort_unstable();
        drawn
    };
    let reversed: Vec<(u32, u128)> = units.iter().rev().copied().collect();
    assert_eq!(draw(&units), draw(&reversed));
}

/// Every unit is drawn with its probability, and pairs of one stratum with n(n−1)/(N(N−1)): a simple random sample.
#[test]
fn probabilities_hold_by_simulation() {
    const ROUNDS: u32 = 20_000;
    let strata: Vec<u32> = [vec![0; 5], vec![1; 12], vec![2; 3]].concat();
    let size = SampleSize { fixed: 4, share: 0.0, census_up_to: 3 };
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let (mut drawn, mut pair, mut expected) = (vec![0u32; strata.len()], 0u32, Vec::new());
    for _ in 0..ROUNDS {
        let numbers: Vec<u128> = strata.iter().map(|_| rng.random()).collect();
        let sample = stratified_sample(&strata, &numbers, 3, &size).unwrap();
        sample.drawn.iter().for_each(|unit| drawn[*unit] += 1);
        pair += u32::from(sample.drawn.contains(&5) && sample.drawn.contains(&16));
        expected = strata.iter().map(|stratum| sample.probability(*stratum as usize).unwrap()).collect();
    }
    let rounds = f64::from(ROUNDS);
    for (unit, probability) in expected.iter().enumerate() {
        let standard_error = (probability * (1.0 - probability) / rounds).sqrt();
        let share = f64::from(drawn[unit]) / rounds;
        assert!((share - probability).abs() <= 4.5 * standard_error, "unit {unit}: {share} for {probability}");
    }
    let both = 4.0 * 3.0 / (12.0 * 11.0);
    assert!((f64::from(pair) / rounds - both).abs() <= 4.5 * (both * (1.0 - both) / rounds).sqrt());
}
