//! Intervals by resampling, for what has no formula, and intervals for ranks.

pub mod nonparametric;
pub mod ranks;

pub use nonparametric::{Bootstrap, BootstrapInterval, BootstrapOptions, bootstrap};
pub use ranks::{RankInterval, rank_intervals};
