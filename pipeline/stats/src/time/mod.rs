//! Series over time: individuals charts and runs.

pub mod anhoej;
pub mod xmr;

pub use anhoej::{RunsAnalysis, runs_analysis, runs_critical_values};
pub use xmr::{PointFlags, SpecialCause, Xmr, shift_runs, trend_runs, two_of_three, xmr};
