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
mod erasure;
mod explain;
mod faults;
mod mixed;
mod nested_areas;
mod place;
mod reconciliation;
mod refusals;
mod region_study;
mod releases;
mod same_bytes;
mod study;
mod truth;
mod versions;
mod walkthrough;
mod weights;
mod weights_by_hand;
mod withdrawals;
