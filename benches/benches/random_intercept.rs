//! Random intercept with 12 adjusters: reading the rows and solving the model, timed apart.
//!
//! `PREM_BENCH_ROWS` sets the number of rows (10 million by default), `PREM_BENCH_UNITS` the units (2,000).
//! `peers/numpy_xtx.py` times numpy's X'X on a matrix of the same shape.
#![allow(clippy::expect_used, reason = "a failure ends the measurement")]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "counts far below 2^53")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use prem_stats::case_mix::{Criterion as Likelihood, SufficientStatistics, fit_random_intercept};
use std::hint::black_box;

const ADJUSTERS: usize = 12;

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

/// A 64-bit mixer: the same matrix everywhere, without a generator's state.
fn mixed(seed: u64) -> f64 {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x1234_5678_9abc_def1);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) as f64 / u64::MAX as f64
}

struct Rows {
    units: Vec<u32>,
    y: Vec<f64>,
    x: Vec<Vec<f64>>,
}

/// Rows sorted by unit; age, and eleven indicators as case mix has them.
fn rows(n: usize, units: usize) -> Rows {
    let unit: Vec<u32> = (0..n).map(|i| (i * units / n) as u32).collect();
    let x: Vec<Vec<f64>> = (0..ADJUSTERS)
        .map(|k| {
            let at = |i: usize| mixed((i * ADJUSTERS + k) as u64);
            (0..n).map(|i| if k == 0 { 20.0 + 70.0 * at(i) } else { f64::from(at(i) < 0.3) }).collect()
        })
        .collect();
    let y = (0..n)
        .map(|i| {
            let own = 5.0 * (mixed(unit[i] as u64 + 77) - 0.5);
            let error: f64 = (0..4).map(|k| mixed((i * 4 + k) as u64 ^ 0xabcd_ef01)).sum::<f64>() - 2.0;
            70.0 + own + 0.1 * x[0][i] - 4.0 * x[1][i] + 2.0 * x[2][i] + 25.0 * error
        })
        .collect();
    Rows { units: unit, y, x }
}

fn random_intercept(c: &mut Criterion) {
    let (n, units) = (setting("PREM_BENCH_ROWS", 10_000_000), setting("PREM_BENCH_UNITS", 2_000));
    let data = rows(n, units);
    let columns: Vec<&[f64]> = data.x.iter().map(Vec::as_slice).collect();
    let accumulate = || {
        let mut statistics = SufficientStatistics::new(units, ADJUSTERS);
        statistics.add(&data.units, &data.y, &columns).expect("rows");
        statistics
    };
    let mut group = c.benchmark_group(format!("random intercept, {n} rows, {units} units"));
    group.sample_size(10).throughput(Throughput::Elements(n as u64));
    group.bench_function("accumulate", |b| b.iter(|| black_box(accumulate())));
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("pool");
    group.bench_function("accumulate on one thread", |b| b.iter(|| one.install(|| black_box(accumulate()))));
    let statistics = accumulate();
    group.bench_function("solve", |b| {
        b.iter_batched(
            || statistics.clone().finish().expect("moments"),
            |moments| black_box(fit_random_intercept(&moments, Likelihood::Reml, None).expect("fit")),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, random_intercept);
criterion_main!(benches);
