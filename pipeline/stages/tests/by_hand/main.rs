//! Stages on a few rows whose outcome can be counted by hand.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod areas;
mod invited;
mod linking;
mod rates;
mod world;
