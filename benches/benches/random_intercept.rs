//! Random intercept with 12 adjusters: reading the rows, accumulating and solving, timed apart and beside numpy.
//!
//! `cargo bench -p prem-benches --profile dev` runs it. `PREM_BENCH_ROWS` sets the number of rows (10 million by default),
//! `PREM_BENCH_UNITS` the units (2,000), `PREM_BENCH_ROUNDS` the rounds of the comparison (7). The comparison alternates
//! between us, numpy's X'X on the same matrix and the decoding of the same Parquet columns; criterion's own figures follow.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a failure ends the measurement; the table is what it is for"
)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use prem_benches::matrix::{ADJUSTERS, Rows, rows};
use prem_benches::memory::peak_megabytes;
use prem_benches::numpy::Numpy;
use prem_benches::{Times, parquet_columns, setting};
use prem_stats::case_mix::{Criterion as Likelihood, SufficientStatistics, fit_random_intercept};
use rayon::ThreadPool;
use std::hint::black_box;
use std::io::Write;
use std::path::Path;

fn accumulate(data: &Rows, units: usize) -> SufficientStatistics {
    let columns: Vec<&[f64]> = data.x.iter().map(Vec::as_slice).collect();
    let mut statistics = SufficientStatistics::new(units, ADJUSTERS);
    statistics.add(&data.units, &data.y, &columns).expect("rows");
    statistics
}

/// Accumulates from the file, piece by piece: the whole matrix is never in memory.
fn accumulate_file(path: &Path, units: usize) -> SufficientStatistics {
    let mut statistics = SufficientStatistics::new(units, ADJUSTERS);
    parquet_columns::read(path, |u, y, x| Ok(statistics.add(u, y, x)?)).expect("file");
    statistics
}

fn decode(path: &Path) -> usize {
    let mut values = 0;
    parquet_columns::read(path, |u, y, x| {
        values += black_box(u).len() + black_box(y).len() + black_box(x).len();
        Ok(())
    })
    .expect("file");
    values
}

/// Peak memory after a tenth of the rows and after all of them, before the matrix itself is loaded.
fn memory_does_not_grow(folder: &Path, n: usize, units: usize) {
    let mut peaks = Vec::new();
    for rows in [n / 10, n] {
        let path = folder.join(format!("{rows}.parquet"));
        parquet_columns::write(&path, rows, units).expect("file");
        black_box(accumulate_file(&path, units));
        peaks.push((rows, peak_megabytes()));
    }
    for (rows, peak) in peaks {
        match peak {
            Some(mb) => println!("accumulating {rows} rows from Parquet: peak memory {mb:.0} MB"),
            None => println!("accumulating {rows} rows from Parquet: this system does not tell the peak memory"),
        }
    }
}

fn pool(threads: usize) -> ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("pool")
}

fn write_matrix(path: &Path, data: &Rows) -> std::io::Result<()> {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    for column in data.x.iter().chain(std::iter::once(&data.y)) {
        for value in column {
            file.write_all(&value.to_le_bytes())?;
        }
    }
    file.flush()
}

/// The table: alternating rounds, the smallest and the middle time of each.
fn compare(folder: &Path, data: &Rows, n: usize, units: usize) {
    let (matrix, parquet) = (folder.join("matrix"), folder.join(format!("{n}.parquet")));
    write_matrix(&matrix, data).expect("matrix");
    let rounds = setting("PREM_BENCH_ROUNDS", 7);
    let all = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    for threads in if all > 1 { vec![all, 1] } else { vec![1] } {
        let pool = pool(threads);
        let mut numpy = Numpy::start(&matrix, n, threads);
        if let Err(reason) = &numpy {
            println!("numpy is not at hand ({reason}): its X'X is left out");
        }
        let (mut ours, mut x, mut xy, mut decoding) =
            (Times::default(), Times::default(), Times::default(), Times::default());
        for _ in 0..rounds {
            ours.time(|| pool.install(|| black_box(accumulate(data, units))));
            if let Ok(numpy) = &mut numpy {
                x.push(numpy.seconds(ADJUSTERS).expect("numpy"));
                xy.push(numpy.seconds(ADJUSTERS + 1).expect("numpy"));
            }
            decoding.time(|| black_box(decode(&parquet)));
        }
        let version = numpy.as_ref().map_or("numpy", |n| n.version.as_str());
        println!(
            "\n{n} rows, {ADJUSTERS} adjusters and the score, {units} units, {threads} threads, {rounds} alternating rounds"
        );
        println!("{:56} {:>9} {:>9} {:>12}", "", "smallest", "middle", "ours/this");
        for (name, times) in [
            ("accumulate: moments of x and y per unit".to_string(), &ours),
            (format!("{version} X'X, {ADJUSTERS} columns"), &x),
            (format!("{version} [X y]'[X y], {} columns", ADJUSTERS + 1), &xy),
            ("decoding the same Parquet columns (one thread)".to_string(), &decoding),
        ] {
            if !times.is_empty() {
                let ratio = ours.smallest() / times.smallest();
                println!("{name:56} {:>8.3}s {:>8.3}s {ratio:>12.2}", times.smallest(), times.middle());
            }
        }
    }
    let mut solving = Times::default();
    let statistics = accumulate(data, units);
    for _ in 0..rounds {
        let moments = statistics.clone().finish().expect("moments");
        solving.time(|| black_box(fit_random_intercept(&moments, Likelihood::Reml, None).expect("fit")));
    }
    println!("\nsolve: {:.1} ms smallest, {:.1} ms middle", 1e3 * solving.smallest(), 1e3 * solving.middle());
    let same = [1, 2, 3].map(|threads| pool(threads).install(|| accumulate(data, units)) == statistics);
    println!("the same bits on 1, 2 and 3 threads: {}", same.iter().all(|s| *s));
    if let Some(mb) = peak_megabytes() {
        println!("peak memory with the whole matrix loaded: {mb:.0} MB");
    }
}

fn random_intercept(c: &mut Criterion) {
    let (n, units) = (setting("PREM_BENCH_ROWS", 10_000_000), setting("PREM_BENCH_UNITS", 2_000));
    let folder = tempfile::tempdir().expect("temporary folder");
    memory_does_not_grow(folder.path(), n, units);
    let data = rows(0, n, n, units);
    compare(folder.path(), &data, n, units);
    let parquet = folder.path().join(format!("{n}.parquet"));
    let mut group = c.benchmark_group(format!("random intercept, {n} rows, {units} units"));
    group.sample_size(10).throughput(Throughput::Elements(n as u64));
    group.bench_function("accumulate", |b| b.iter(|| black_box(accumulate(&data, units))));
    let one = pool(1);
    group
        .bench_function("accumulate on one thread", |b| b.iter(|| one.install(|| black_box(accumulate(&data, units)))));
    group.bench_function("decode Parquet", |b| b.iter(|| black_box(decode(&parquet))));
    group.bench_function("decode and accumulate", |b| b.iter(|| black_box(accumulate_file(&parquet, units))));
    let statistics = accumulate(&data, units);
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
