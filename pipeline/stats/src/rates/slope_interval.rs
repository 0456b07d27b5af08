//! Intervals of the slope and relative index of inequality.
//!
//! # Estimand
//! SII and RII of [`slope_index`](super::slope_index()), of which the groups' values are estimates.
//! # Formula
//! B draws y*_g ~ N(y_g, SE_g²), independent, y the value on the scale of the gradient; the limits are the tail quantiles (type 7) of
//! the draws' SII and RII.
//! # Source
//! Public Health England's *SII tool* and R package PHEindicatormethods, `phe_sii`: intervals by simulation from the groups' own.
//! # Assumptions
//! Groups and their ranking fixed; normal, independent estimates on that scale. Where rows are at hand instead, draw them within
//! groups: [`bootstrap`](crate::bootstrap::bootstrap()) with the groups as strata.
//! # Edge cases
//! Errors as of the index itself. The RII has no interval where a draw's fitted ends differ in sign.
//! # Reference values
//! Without transform the SII is normal and the RII's limits are Fieller's; with ln the RII is log-normal; the SII by two million draws:
//! in R, tests/reference/r/resampling.R.

use super::slope_index::{SlopeIndex, SlopeTransform, fitted, on_gradient, slope_index};
use crate::error::{Result, StatsError, check_length, check_non_negative};
use crate::interval::{Interval, Level};
use crate::variation::quantile::of_sorted;
use crate::{numeric, random};
use rand_distr::{Distribution, StandardNormal};

/// Groups in ranking order.
#[derive(Debug, Clone, Copy)]
pub struct GroupValues<'a> {
    pub population: &'a [f64],
    pub values: &'a [f64],
    /// Standard errors of the values; with a transform those of ln or logit of the values.
    pub standard_errors: &'a [f64],
}

/// An index with its intervals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlopeInterval {
    pub index: SlopeIndex,
    pub sii: Interval,
    /// `None` where a draw's ends differ in sign.
    pub rii: Option<Interval>,
    pub replicates: usize,
    pub method: &'static str,
}

/// Index of `groups` with intervals from `replicates` draws.
pub fn slope_index_interval(
    groups: GroupValues<'_>,
    transform: SlopeTransform,
    multiplier: f64,
    replicates: usize,
    seed: u64,
    level: Level,
) -> Result<SlopeInterval> {
    let GroupValues { population, values, standard_errors } = groups;
    let index = slope_index(population, values, transform, multiplier)?;
    check_length("slope index: standard errors", values.len(), standard_errors.len())?;
    check_non_negative("slope index: standard errors", standard_errors)?;
    if replicates < 2 {
        return Err(StatsError::TooFew { what: "slope index: replicates", needed: 2, found: replicates });
    }
    let y = on_gradient(values, transform)?;
    let draws = random::replicate(replicates, seed, |rng| {
        let drawn: Vec<f64> = y
            .iter()
            .zip(standard_errors)
            .map(|(y, se)| {
                let z: f64 = StandardNormal.sample(rng);
                y + se * z
            })
            .collect();
        fitted(population, &drawn, transform, multiplier)
    });
    let draws = draws.into_iter().collect::<Result<Vec<SlopeIndex>>>()?;
    let limits = |of: fn(&SlopeIndex) -> f64| {
        let sorted = numeric::sorted(&draws.iter().map(of).collect::<Vec<f64>>());
        Interval::new(of_sorted(&sorted, level.tail()), of_sorted(&sorted, 1.0 - level.tail()))
    };
    let ratio_means_something = draws.iter().all(|d| d.rii > 0.0);
    Ok(SlopeInterval {
        index,
        sii: limits(|d| d.sii)?,
        rii: if ratio_means_something { Some(limits(|d| d.rii)?) } else { None },
        replicates,
        method: "normal-draws",
    })
}
