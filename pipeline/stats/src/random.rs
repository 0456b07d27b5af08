//! Seeded replicates that do not depend on the number of threads.
//!
//! Replicates are cut into chunks of fixed size; chunk c draws from stream c of a ChaCha generator with the given seed, and
//! the results come back in order.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Replicates per stream: fixed, because it decides which random numbers a replicate sees.
const CHUNK: usize = 128;

pub(crate) fn replicate<T: Send>(count: usize, seed: u64, draw: impl Fn(&mut ChaCha8Rng) -> T + Sync) -> Vec<T> {
    let chunks = count.div_ceil(CHUNK);
    let parts: Vec<Vec<T>> = (0..chunks)
        .into_par_iter()
        .map(|chunk| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(chunk as u64);
            let size = CHUNK.min(count - chunk * CHUNK);
            (0..size).map(|_| draw(&mut rng)).collect()
        })
        .collect();
    parts.into_iter().flatten().collect()
}
