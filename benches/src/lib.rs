//! What the benches share: a matrix that is the same everywhere, its Parquet file, numpy beside it, and memory.
//!
//! A bench times our kernel, another program on the same data and the reading of that data in one run, alternately: the
//! machine's load changes from minute to minute, and only such numbers compare.
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "counts far below 2^53")]

pub mod matrix;
pub mod memory;
pub mod numpy;
pub mod parquet_columns;

/// A setting from the environment, such as `PREM_BENCH_ROWS`.
pub fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

/// Smallest and middle of some times.
#[derive(Debug, Clone, Default)]
pub struct Times(Vec<f64>);

impl Times {
    /// Runs `work` and keeps its seconds.
    pub fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let start = std::time::Instant::now();
        let result = work();
        self.0.push(start.elapsed().as_secs_f64());
        result
    }

    pub fn push(&mut self, seconds: f64) {
        self.0.push(seconds);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn smallest(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub fn middle(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }
}
