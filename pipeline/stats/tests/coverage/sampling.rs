//! Draws that the study needs, from a seeded ChaCha generator.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Gamma, Poisson, StandardNormal};

/// The generator of region `region` in the part of the study named `part`: independent of the number of threads.
pub fn generator(seed: u64, part: u64, region: usize) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ part.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    rng.set_stream(region as u64);
    rng
}

pub fn normal(rng: &mut impl Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// Mean 0, variance 1, skewness −1: answers crowd at the top of a scale.
pub fn skewed(rng: &mut impl Rng) -> f64 {
    const SHAPE: f64 = 4.0;
    let gamma = Gamma::new(SHAPE, 1.0).expect("shape above 0");
    (SHAPE - gamma.sample(rng)) / SHAPE.sqrt()
}

pub fn log_normal(rng: &mut impl Rng, median: f64, spread: f64) -> f64 {
    median * (spread * normal(rng)).exp()
}

pub fn log_uniform(rng: &mut impl Rng, low: f64, high: f64) -> f64 {
    low * (high / low).powf(rng.random::<f64>())
}

pub fn poisson(rng: &mut impl Rng, mean: f64) -> f64 {
    Poisson::new(mean).expect("mean above 0").sample(rng)
}
