//! The never-rules that a program can see (`ARCHITECTURE.md`): one rule a file, each with a test of the workspace as it
//! stands and a test that the rule can fail.
//!
//! A broken rule is told as `file:line: what is wrong: what to do`.

#![allow(clippy::expect_used, clippy::panic, reason = "a failure is a failed test")]

mod dependencies;
mod finding;
mod finished;
mod machine_paths;
mod no_panics;
mod no_proper_names;
mod polars_in_stages;
mod pure_kernels;
#[path = "../common/reference_folder.rs"]
mod reference_folder;
mod silent_libraries;
mod sizes;
mod skipped_aloud;
mod source;
mod workspace;
