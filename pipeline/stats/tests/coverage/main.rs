//! The coverage study in small: the same regions as `examples/coverage.rs` draws, fewer of them, with bounds wider by what
//! few regions leave to chance.
#![allow(clippy::expect_used, clippy::print_stdout, reason = "a failure is a failed test")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "small counts"
)]

mod counts;
mod resampling;
mod sampling;
mod scores;
mod study;
mod summary;

use study::{Size, run};

/// 60 regions have about 2,000 wards: a Monte-Carlo error of 0.6 points, so that 2 points are more than three of them.
const SLACK: f64 = 0.02;

#[test]
fn claims_hold_in_a_small_study() {
    println!("{}", study::HEADING);
    let lines = run(Size { regions: 60, null_regions: 200, replicates: 499, seed: 7 });
    for line in &lines {
        println!("{}", line.markdown());
    }
    let failed: Vec<String> =
        lines.iter().filter(|l| l.passes(SLACK) == Some(false)).map(study::Line::markdown).collect();
    assert!(failed.is_empty(), "not met:\n{}", failed.join("\n"));
}

/// The summaries on which verdicts rest.
#[test]
fn uniformity_and_shares_by_hand() {
    let grid: Vec<f64> = (0..1000).map(|i| (f64::from(i) + 0.5) / 1000.0).collect();
    let (distance, p) = summary::uniformity(&grid);
    assert!((distance - 0.0005).abs() < 1e-12 && p > 0.999);
    let squared: Vec<f64> = grid.iter().map(|u| u * u).collect();
    // F(v) = √v: the largest gap √v − v is ¼ at v = ¼.
    let (distance, p) = summary::uniformity(&squared);
    assert!((distance - 0.25).abs() < 1e-3 && p < 1e-6);
    // Regions with 1 of 2 and 3 of 4: 4/6, deviations ∓1/3, error √(2·2/9)/6 = 1/9.
    let hits = [(1.0, 2.0), (3.0, 4.0)].map(|(hits, trials)| summary::Hits { hits, trials });
    let s = summary::share(&hits);
    assert!((s.value - 2.0 / 3.0).abs() < 1e-12 && (s.error - 1.0 / 9.0).abs() < 1e-12);
}
