//! Makes a region from the declarations under `schemas/` and tells how fast.
//!
//! `cargo run -p prem-sample --example region -- OUT [RESPONSES]`, or `-- OUT delivery` for the committed delivery.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a test fails by panicking, says what it skipped, and counts small things"
)]

use std::{error::Error, path::Path, time::Instant};

use prem_sample::Settings;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let out = arguments.next().ok_or("say where to write")?;
    let settings = match arguments.next().as_deref() {
        Some("delivery") => Settings::committed_delivery(),
        Some(responses) => Settings::with_responses(responses.parse()?),
        None => Settings::default(),
    };
    let sources = prem_spec::load_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas"))?;
    let compiled = prem_spec::compile(&sources);
    for mistake in &compiled.diagnostics {
        eprintln!("{}: {}", mistake.file, mistake.message);
    }
    let plan = compiled.plan.ok_or("the declarations have mistakes")?;
    let start = Instant::now();
    let truth = prem_sample::generate(&plan, &settings, Path::new(&out))?;
    let seconds = start.elapsed().as_secs_f64();
    let rows = truth.rows("responses", "rows");
    println!("{rows} responses and {} contacts in {seconds:.1} s", truth.rows("contacts", "rows"));
    println!("{:.0} responses/s", rows as f64 / seconds);
    Ok(())
}
