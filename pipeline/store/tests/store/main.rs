//! The store as its users see it, by kind of test.

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

mod damage;
mod erasures;
mod kills;
mod properties;
mod round_trips;
mod same_bytes;
mod sample;
