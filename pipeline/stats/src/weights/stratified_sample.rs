//! A simple random sample without replacement in each stratum, by permanent random numbers.
//!
//! # Estimand
//! Not an estimate: who is drawn, and with which probability π_i.
//! # Formula
//! In stratum h the n_h units with the smallest random numbers are drawn; π_i = n_h/N_h.
//! n_h = N_h where N_h ≤ census_up_to; else min(N_h, max(fixed, ⌈share · N_h⌉)).
//! # Source
//! E. Ohlsson, "Coordination of samples using permanent random numbers", in *Business Survey Methods* (1995); the
//! smallest of independent uniform numbers are a simple random sample (W. G. Cochran, *Sampling Techniques*, 3rd ed., 1977, chapter 2).
//! # Assumptions
//! The numbers are independent and uniform over the units of a stratum; then every subset of size n_h is equally likely.
//! # Edge cases
//! An empty stratum draws nobody. Equal numbers are taken in the order of the input (with 128 bits they do not occur).
//! A share outside (0, 1] or a rule that asks for nobody is an error.
//! # Reference values
//! By hand and by simulation, tests/weights_stratified_sample.rs.

use crate::error::{Result, StatsError, check_length};

/// How many are drawn in a stratum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleSize {
    /// At least so many.
    pub fixed: usize,
    /// At least this share of the stratum, rounded up; 0 for none.
    pub share: f64,
    /// A stratum of at most this size is drawn whole.
    pub census_up_to: usize,
}

impl SampleSize {
    /// n_h of a stratum of `size` units.
    pub fn of(&self, size: usize) -> usize {
        if size <= self.census_up_to {
            return size;
        }
        // A decimal share is no binary one: what rounding leaves above a whole number is not another person.
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a count lies between 0 and the count"
        )]
        let by_share = (self.share * size as f64 * (1.0 - 4.0 * f64::EPSILON)).ceil() as usize;
        size.min(self.fixed.max(by_share))
    }
}

/// A drawn sample.
#[derive(Debug, Clone, PartialEq)]
pub struct StratifiedSample {
    /// Positions of the drawn units in the input, rising.
    pub drawn: Vec<usize>,
    /// N_h and n_h per stratum.
    pub sizes: Vec<(usize, usize)>,
}

impl StratifiedSample {
    /// π of every unit of stratum `stratum`; `None` for an empty one.
    pub fn probability(&self, stratum: usize) -> Option<f64> {
        let (size, drawn) = *self.sizes.get(stratum)?;
        #[expect(clippy::cast_precision_loss, reason = "persons, far below 2^53")]
        (size > 0).then(|| drawn as f64 / size as f64)
    }
}

/// Draws in each of `strata_count` strata; unit i lies in `strata[i]` and has the random number `numbers[i]`.
///
/// # Errors
/// A stratum that does not exist, lists of different length, or a rule that draws nobody.
pub fn stratified_sample(
    strata: &[u32],
    numbers: &[u128],
    strata_count: usize,
    size: &SampleSize,
) -> Result<StratifiedSample> {
    const WHAT: &str = "stratified sample";
    check_length(WHAT, strata.len(), numbers.len())?;
    if !(0.0..=1.0).contains(&size.share) {
        return Err(StatsError::out_of_range("share of a stratum", size.share, "from 0 to 1"));
    }
    if size.fixed == 0 && size.share == 0.0 && size.census_up_to == 0 {
        return Err(StatsError::Undefined { what: WHAT, reason: "the rule draws nobody" });
    }
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); strata_count];
    for (unit, stratum) in strata.iter().enumerate() {
        let stratum = members.get_mut(*stratum as usize);
        stratum.ok_or(StatsError::out_of_range(WHAT, f64::from(strata[unit]), "a stratum that exists"))?.push(unit);
    }
    let mut sample = StratifiedSample { drawn: Vec::new(), sizes: Vec::with_capacity(strata_count) };
    for stratum in &mut members {
        let wanted = size.of(stratum.len());
        stratum.sort_by_key(|unit| (numbers[*unit], *unit));
        sample.drawn.extend_from_slice(&stratum[..wanted]);
        sample.sizes.push((stratum.len(), wanted));
    }
    sample.drawn.sort_unstable();
    Ok(sample)
}
