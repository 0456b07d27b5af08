//! Statistical kernels: numbers in, numbers out.
//!
//! Every kernel takes slices of `f64` and returns a struct, or a [`StatsError`] that says why there is none. Nothing here
//! knows a frame, a file or a clock, and no result depends on the number of threads.

// Counts and indices become `f64` everywhere here, and back where a formula rounds. All are far below 2^53.
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

pub mod binary;
pub mod bootstrap;
pub mod case_mix;
pub mod comparison;
pub mod distributions;
pub mod error;
pub mod funnel;
pub mod interval;
pub mod linear_algebra;
mod numeric;
mod random;
pub mod rates;
pub mod scores;
pub mod survival;
pub mod time;
pub mod variation;
pub mod weights;

pub use error::{Result, StatsError};
