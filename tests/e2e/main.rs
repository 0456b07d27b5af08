//! Whole runs of the command, from files to releases.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a test fails by panicking, says what it skipped, and counts small things"
)]

mod again;
mod baseline;
mod cahps;
mod calendar;
mod confounding;
mod declarations;
mod deliveries;
mod disk;
mod draw;
mod draw_surveys;
mod erasure;
mod explain;
mod explain_models;
mod faults;
mod forms;
mod goal;
mod mixed;
mod nested_areas;
mod other_models;
mod place;
mod reconciliation;
#[path = "../common/reference_folder.rs"]
mod reference_folder;
mod refusals;
mod region_study;
mod releases;
mod same_bytes;
mod small_region;
mod study;
mod truth;
mod versions;
mod walkthrough;
mod weights;
mod weights_by_hand;
mod withdrawals;
