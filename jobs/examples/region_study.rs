//! The simulation study through the whole way from files to estimates, as a Markdown table. It runs the built command on
//! regions that the sample generator makes, and ends with exit code 1 where a criterion is not met.
//!
//! `cargo build --release && cargo run --release --example region_study -- [--regions 300] [--responses 6000] [--seed 1]
//! [--workers 2] [--prem FILE] [--schemas FOLDER] [--folder FOLDER]`
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]
#![allow(clippy::cast_precision_loss, reason = "small counts")]

#[path = "../../tests/e2e/study/mod.rs"]
mod study;

use std::{path::PathBuf, process::ExitCode};

use study::{HEADING, MODEL, NOTHING, Study, TWO_GROUPS, lines};

fn main() -> ExitCode {
    let study = match study() {
        Ok(study) => study,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    println!(
        "{} regions of each truth, about {} answers each, seeds {}–{}.\n\n{HEADING}",
        study.regions,
        study.responses,
        study.seed,
        u64::from(study.seed) + u64::from(study.regions) - 1
    );
    let mut missed = 0;
    for scenario in [MODEL, TWO_GROUPS, NOTHING] {
        match study.run(&scenario) {
            Ok(regions) => {
                for line in lines(&scenario, &regions) {
                    println!("{}", line.markdown());
                    missed += u32::from(line.is_missed());
                }
            }
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::from(2);
            }
        }
    }
    ExitCode::from(u8::from(missed > 0))
}

fn study() -> Result<Study, String> {
    // target/<profile>/examples/region_study → target/<profile>/prem
    let beside = std::env::current_exe().ok().and_then(|path| Some(path.parent()?.parent()?.join("prem")));
    let workers = std::thread::available_parallelism().map_or(1, |count| u32::try_from(count.get()).unwrap_or(1));
    let mut study = Study {
        prem: beside.unwrap_or_else(|| PathBuf::from("prem")),
        schemas: PathBuf::from("schemas"),
        folder: PathBuf::from(format!("region-study-{}", std::process::id())),
        regions: 300,
        responses: 6_000,
        seed: 1,
        workers,
    };
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    for pair in arguments.chunks(2) {
        let [name, value] = pair else { return Err(format!("{} needs a value", pair.concat())) };
        let number = || value.parse::<u32>().map_err(|error| format!("{name} {value}: {error}"));
        match name.as_str() {
            "--regions" => study.regions = number()?,
            "--responses" => study.responses = number()?,
            "--seed" => study.seed = number()?,
            "--workers" => study.workers = number()?,
            "--prem" => study.prem = PathBuf::from(value),
            "--schemas" => study.schemas = PathBuf::from(value),
            "--folder" => study.folder = PathBuf::from(value),
            _ => {
                return Err(format!(
                    "unknown: {name}; known: --regions, --responses, --seed, --workers, --prem, --schemas, --folder"
                ));
            }
        }
    }
    if study.regions < 2 {
        return Err("--regions: at least 2, since errors are between regions".to_owned());
    }
    let absolute = |path: PathBuf| std::path::absolute(&path).map_err(|error| format!("{}: {error}", path.display()));
    study.prem = absolute(study.prem)?;
    study.folder = absolute(study.folder)?;
    Ok(study)
}
