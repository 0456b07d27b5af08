//! Do the intervals cover, are false discoveries rare, is chance recognised as chance? A Markdown table of simulated regions
//! whose truth is known.
//!
//! `cargo run -p prem-stats --example coverage -- [--regions 1000] [--null-regions 2000] [--replicates 1999] [--seed 1]`
#![allow(clippy::expect_used, clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "small counts"
)]

#[path = "../tests/coverage/counts.rs"]
mod counts;
#[path = "../tests/coverage/resampling.rs"]
mod resampling;
#[path = "../tests/coverage/sampling.rs"]
mod sampling;
#[path = "../tests/coverage/scores.rs"]
mod scores;
#[path = "../tests/coverage/study.rs"]
mod study;
#[path = "../tests/coverage/summary.rs"]
mod summary;

use std::process::ExitCode;
use study::{HEADING, Size, run};

fn main() -> ExitCode {
    let mut size = Size { regions: 1000, null_regions: 2000, replicates: 1999, seed: 1 };
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    for pair in arguments.chunks(2) {
        let value = pair.get(1).and_then(|v| v.parse::<usize>().ok()).filter(|v| *v > 1);
        match (pair[0].as_str(), value) {
            ("--regions", Some(v)) => size.regions = v,
            ("--null-regions", Some(v)) => size.null_regions = v,
            ("--replicates", Some(v)) => size.replicates = v,
            ("--seed", Some(v)) => size.seed = v as u64,
            _ => {
                eprintln!(
                    "unknown or incomplete: {}; known: --regions, --null-regions, --replicates, --seed and a number above 1 each",
                    pair.join(" ")
                );
                return ExitCode::from(2);
            }
        }
    }
    println!(
        "{} regions of wards and of areas, {} regions without variation with {} replicates each, seed {}.\n",
        size.regions, size.null_regions, size.replicates, size.seed
    );
    println!("{HEADING}");
    let lines = run(size);
    for line in &lines {
        println!("{}", line.markdown());
    }
    let missed = lines.iter().filter(|l| l.passes(0.0) == Some(false)).count();
    ExitCode::from(u8::from(missed > 0))
}
