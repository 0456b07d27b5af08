//! Random draws: one ChaCha stream per block of work, so that nothing depends on the number of threads.

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Poisson};

pub(crate) type Stream = ChaCha8Rng;

/// What a stream is for; with month, unit and part it makes the stream's number.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    World = 1,
    Sizes = 2,
    Stays = 3,
    Register = 4,
    TopBox = 5,
}

pub(crate) fn stream(seed: u64, purpose: Purpose, month: u32, unit: usize, part: u64) -> Stream {
    let mut stream = ChaCha8Rng::seed_from_u64(seed);
    stream.set_stream((purpose as u64) << 60 | u64::from(month) << 48 | (unit as u64) << 28 | part);
    stream
}

/// Uniform on [0, 1) with 53 bits.
pub(crate) fn uniform(stream: &mut Stream) -> f64 {
    const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
    (stream.next_u64() >> 11) as f64 * STEP
}

/// Uniform on [0, 1) with 32 bits: enough where only a choice hangs on it.
pub(crate) fn quick(stream: &mut Stream) -> f64 {
    const STEP: f64 = 1.0 / (1_u64 << 32) as f64;
    f64::from(stream.next_u32()) * STEP
}

pub(crate) fn chance(stream: &mut Stream, probability: f64) -> bool {
    quick(stream) < probability
}

/// An integer in `0..n` (0 where `n` is 0).
pub(crate) fn below(stream: &mut Stream, n: usize) -> usize {
    ((u64::from(stream.next_u32()) * n as u64) >> 32) as usize
}

pub(crate) fn between(stream: &mut Stream, low: f64, high: f64) -> f64 {
    low + (high - low) * uniform(stream)
}

/// Standard normal, kept within ±2 by drawing again: effects must be bounded.
pub(crate) fn bounded_normal(stream: &mut Stream) -> f64 {
    loop {
        let (u, v) = (uniform(stream), uniform(stream));
        let z = (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos();
        if z.abs() <= 2.0 {
            return z;
        }
    }
}

pub(crate) fn poisson(stream: &mut Stream, mean: f64) -> u64 {
    if mean <= 0.0 {
        return 0;
    }
    Poisson::new(mean).map_or(0, |distribution| distribution.sample(stream) as u64)
}

/// `value` rounded up or down at random so that the mean is kept.
pub(crate) fn round_at_random(stream: &mut Stream, value: f64) -> u64 {
    (value + uniform(stream)).max(0.0).floor() as u64
}

/// A discrete distribution on `0..n` by its cumulative probabilities.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    cumulative: Vec<f64>,
}

impl Choice {
    /// Weights that are negative or not finite count as 0; where all are 0 every choice gives 0.
    pub(crate) fn new(weights: impl IntoIterator<Item = f64>) -> Self {
        let mut sum = 0.0;
        let mut cumulative: Vec<f64> = weights
            .into_iter()
            .map(|weight| {
                sum += if weight.is_finite() { weight.max(0.0) } else { 0.0 };
                sum
            })
            .collect();
        if sum > 0.0 {
            cumulative.iter_mut().for_each(|value| *value /= sum);
        }
        Self { cumulative }
    }

    pub(crate) fn draw(&self, stream: &mut Stream) -> usize {
        self.at(quick(stream))
    }

    fn at(&self, u: f64) -> usize {
        let last = self.cumulative.len().saturating_sub(1);
        if self.cumulative.len() <= 12 {
            return self.cumulative.iter().position(|&bound| u < bound).unwrap_or(0).min(last);
        }
        let index = self.cumulative.partition_point(|&bound| bound <= u);
        if index > last { 0 } else { index }
    }

    pub(crate) fn probability(&self, index: usize) -> f64 {
        let before = index.checked_sub(1).map_or(0.0, |before| self.cumulative[before]);
        self.cumulative[index] - before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_never_falls_on_a_weight_of_zero() {
        for weights in [vec![0.0, 1.0, 0.0], vec![0.0; 3], (0..30).map(|i| f64::from(i % 2)).collect()] {
            let choice = Choice::new(weights.clone());
            let mut stream = stream(1, Purpose::World, 0, 0, 0);
            for _ in 0..2_000 {
                let index = choice.draw(&mut stream);
                assert!(weights[index] > 0.0 || weights.iter().all(|&weight| weight == 0.0));
            }
        }
    }

    #[test]
    fn streams_differ_and_repeat() {
        let first = |purpose, part| stream(7, purpose, 3, 5, part).next_u64();
        assert_eq!(first(Purpose::Stays, 0), first(Purpose::Stays, 0));
        assert_ne!(first(Purpose::Stays, 0), first(Purpose::Stays, 1));
        assert_ne!(first(Purpose::Stays, 0), first(Purpose::Register, 0));
    }
}
