//! Whole files through the public interface, by kind of test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a test that panics has found something"
)]

mod broken;
mod by_hand;
mod collection;
mod constraints;
mod discovery;
mod fixture;
mod formats;
mod fuzzed;
mod hostile;
mod hostile_formats;
mod hostile_pages;
mod identity;
mod no_permission;
mod properties;
