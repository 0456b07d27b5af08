//! Intervals by resampling, for what has no formula, and intervals for ranks.
//!
//! What is drawn decides what the interval is about.
//!
//! - **Units.** SCV, between-unit SD, ICC, median odds ratio, Gini and other figures of *how units differ* are about the population
//!   that the units come from, so units are drawn. (Rows drawn within units would add their chance to the units' differences a
//!   second time: docs/coverage.md shows how far off such an interval is.)
//! - **Rows within strata**, for figures of these very units or groups: a weighted mean, a difference, SII and RII from rows.
//! - **Estimates**, where only a value and its standard error are at hand: [`rank_intervals`], and
//!   [`slope_index_interval`](crate::rates::slope_index_interval) for SII and RII.
//!
//! Each is one line:
//!
//! ```
//! use prem_stats::binary::{BinaryCounts, SeparationPolicy, fit_logistic_random_intercept};
//! use prem_stats::bootstrap::{BootstrapOptions, bootstrap, bootstrap_units};
//! use prem_stats::case_mix::{Criterion, SufficientStatistics, fit_random_intercept};
//! use prem_stats::variation::{gini, scv_diehr};
//!
//! # fn main() -> prem_stats::Result<()> {
//! let options = BootstrapOptions { replicates: 200, ..BootstrapOptions::new(1) };
//!
//! // Areas: observed and expected events.
//! let observed = [52.0, 31.0, 78.0, 40.0, 66.0, 25.0, 90.0, 47.0];
//! let expected = [45.0, 38.0, 70.0, 52.0, 49.0, 33.0, 82.0, 60.0];
//! let scv = bootstrap_units([&observed, &expected], options, |[o, e]| scv_diehr(o, e, 1.0).map(|s| s.raw))?;
//! let gini = bootstrap_units([&observed, &expected], options, |[o, e]| gini(o, e))?;
//!
//! // Units: the moments, or counts, of their rows.
//! # let units: Vec<u32> = (0..96).map(|i| i % 8).collect();
//! # let score: Vec<f64> = (0..96).map(|i| f64::from(60 + 3 * (i % 8) + (i * 37) % 23)).collect();
//! # let top_box: Vec<f64> = score.iter().map(|y| f64::from(*y > 80.0)).collect();
//! # let mut rows = SufficientStatistics::new(8, 0);
//! # rows.add(&units, &score, &[])?;
//! # let moments = rows.finish()?;
//! # let mut rows = BinaryCounts::new(8, 0);
//! # rows.add(&units, &top_box, &[])?;
//! # let table = rows.finish();
//! let all = vec![0; moments.units()];
//! let fit = |units: &[usize]| fit_random_intercept(&moments.of_units(units).ok()?, Criterion::Reml, None).ok();
//! let between_unit_sd = bootstrap(&all, options, |units| Some(fit(units)?.components.between_unit_sd))?;
//! let icc = bootstrap(&all, options, |units| Some(fit(units)?.components.intraclass_correlation()))?;
//! let fit = |units: &[usize]| fit_logistic_random_intercept(&table.of_units(units).ok()?, 1, SeparationPolicy::Drop).ok();
//! let median_odds_ratio = bootstrap(&all, options, |units| Some(fit(units)?.median_odds_ratio()))?;
//! # for b in [scv, gini, between_unit_sd, icc, median_odds_ratio] {
//! #     assert!(b.interval.low < b.value && b.value < b.interval.high, "{b:?}");
//! # }
//! # Ok(())
//! # }
//! ```

pub mod nonparametric;
pub mod ranks;

pub use nonparametric::{Bootstrap, BootstrapInterval, BootstrapOptions, bootstrap, bootstrap_units};
pub use ranks::{RankInterval, rank_intervals};
