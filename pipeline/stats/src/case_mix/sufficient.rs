//! One pass over respondents: counts, means and centred cross-products per unit.
//!
//! # Estimand
//! Per unit j: n_j, z̄_j and W_j = Σ_i (z_i − z̄_j)(z_i − z̄_j)' with z = (x_1 … x_p, y).
//! # Formula
//! Blocks of rows of one unit are centred before products are taken, at c, the mean of their first rows: z̄ = c + d,
//! d = Σ(z − c)/n, W = Σ(z − c)(z − c)' − n dd'. Blocks merge by W = W_a + W_b + δδ' n_a n_b/n, δ = z̄_b − z̄_a. Raw products
//! would cancel.
//! # Source
//! Chan, Golub, LeVeque (1983) Algorithms for computing the sample variance, The American Statistician
//! 37:242–247 (pairwise updating); with weights: West (1979), Communications of the ACM 22:532–535.
//! # Assumptions
//! Rows are complete. Missing values are the caller's to count and leave out.
//! # Edge cases
//! NaN or infinite values, unit indices beyond the number of units, and weights that are not above 0 are
//! errors. Units without rows keep n = 0.
//! # Reference values
//! By hand and by property in `tests/case_mix_moments.rs`.
//!
//! Memory is units × (p + 2)²/2 numbers whatever the number of rows. Rows sorted by unit are fastest; rows in any order
//! are sorted within chunks of [`CHUNK_ROWS`]. Chunks run in parallel and merge in their order, so the result has the same
//! bits on any number of threads. Splitting the rows over several calls of `add` moves the last bits only.

use super::block::{Partial, Scratch, chunk_partials};
use super::moments::{MomentArrays, UnitMoments};
use crate::error::{Result, StatsError, check_length};
use rayon::prelude::*;

/// Rows that one task takes; fixed, because it decides the order of the sums.
pub const CHUNK_ROWS: usize = 1 << 16;

/// Chunks whose partial results are held at a time; bounds memory.
const CHUNKS_AT_ONCE: usize = 16;

/// Accumulator of unit moments: `new`, `add`, `merge`, `finish`.
///
/// ```
/// use prem_stats::case_mix::SufficientStatistics;
/// let mut statistics = SufficientStatistics::new(2, 1);
/// statistics.add(&[0, 0, 1], &[10.0, 20.0, 30.0], &[&[1.0, 3.0, 5.0]])?;
/// let moments = statistics.finish()?;
/// assert_eq!(moments.count(0), 2);
/// assert_eq!(moments.mean_y(0), 15.0);
/// # Ok::<(), prem_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SufficientStatistics {
    units: usize,
    adjusters: usize,
    plain: MomentArrays,
    /// Moments under w and under w², when rows carry design weights.
    design: Option<(MomentArrays, MomentArrays)>,
}

impl SufficientStatistics {
    /// For rows without weights. `units` is the number of units, `adjusters` the number of columns of x (0 allowed).
    pub fn new(units: usize, adjusters: usize) -> Self {
        SufficientStatistics { units, adjusters, plain: MomentArrays::new(units, adjusters + 1), design: None }
    }

    /// For rows that carry a design weight each.
    pub fn weighted(units: usize, adjusters: usize) -> Self {
        let arrays = || MomentArrays::new(units, adjusters + 1);
        SufficientStatistics { design: Some((arrays(), arrays())), ..Self::new(units, adjusters) }
    }

    pub fn units(&self) -> usize {
        self.units
    }

    pub fn adjusters(&self) -> usize {
        self.adjusters
    }

    /// Adds rows: `units[i]` and `y[i]` of row i, and `x[k][i]` of adjuster k (one slice a column).
    ///
    /// # Errors
    /// Unequal lengths, a unit index out of range, a value that is not finite (its row is named). After an error the
    /// accumulator holds part of the rows and must be discarded.
    pub fn add(&mut self, units: &[u32], y: &[f64], x: &[&[f64]]) -> Result<()> {
        if self.design.is_some() {
            return Err(StatsError::Undefined {
                what: "sufficient statistics",
                reason: "made for weighted rows: use add_weighted",
            });
        }
        self.add_rows(units, y, x, None)
    }

    /// As [`add`](Self::add), with a design weight above 0 per row. Counts, β and the mixed model use the rows
    /// unweighted; unit means and their linearised variance use the weights.
    pub fn add_weighted(&mut self, units: &[u32], y: &[f64], x: &[&[f64]], weights: &[f64]) -> Result<()> {
        if self.design.is_none() {
            return Err(StatsError::Undefined {
                what: "sufficient statistics",
                reason: "made for unweighted rows: use add, or start with weighted",
            });
        }
        check_length("weights", y.len(), weights.len())?;
        crate::error::check_positive("weights", weights)?;
        self.add_rows(units, y, x, Some(weights))
    }

    fn add_rows(&mut self, units: &[u32], y: &[f64], x: &[&[f64]], weights: Option<&[f64]>) -> Result<()> {
        check_length("adjuster columns", self.adjusters, x.len())?;
        check_length("unit indices", y.len(), units.len())?;
        for column in x {
            check_length("adjuster", y.len(), column.len())?;
        }
        let columns: Vec<&[f64]> = x.iter().copied().chain(std::iter::once(y)).collect();
        let starts: Vec<usize> = (0..y.len()).step_by(CHUNK_ROWS).collect();
        for group in starts.chunks(CHUNKS_AT_ONCE) {
            let partials: Vec<Result<Vec<Partial>>> = group
                .par_iter()
                .map_init(
                    || Scratch::new(columns.len()),
                    |scratch, &start| {
                        let end = (start + CHUNK_ROWS).min(y.len());
                        chunk_partials(self.units, units, &columns, weights, start..end, scratch)
                    },
                )
                .collect();
            for chunk in partials {
                for partial in chunk? {
                    let unit = partial.unit;
                    self.plain.merge_one(unit, partial.plain.weight, &partial.plain.mean, &partial.plain.cross);
                    if let (Some((w, w2)), Some((pw, pw2))) = (&mut self.design, &partial.design) {
                        w.merge_one(unit, pw.weight, &pw.mean, &pw.cross);
                        w2.merge_one(unit, pw2.weight, &pw2.mean, &pw2.cross);
                    }
                }
            }
        }
        Ok(())
    }

    /// Adds the rows behind `other`, unit by unit.
    ///
    /// # Errors
    /// When shapes differ or only one of the two is weighted.
    pub fn merge(&mut self, other: &SufficientStatistics) -> Result<()> {
        check_length("units", self.units, other.units)?;
        check_length("adjuster columns", self.adjusters, other.adjusters)?;
        self.plain.merge(&other.plain);
        match (&mut self.design, &other.design) {
            (None, None) => Ok(()),
            (Some((w, w2)), Some((ow, ow2))) => {
                w.merge(ow);
                w2.merge(ow2);
                Ok(())
            }
            _ => Err(StatsError::Undefined {
                what: "sufficient statistics",
                reason: "weighted and unweighted rows do not merge",
            }),
        }
    }

    /// The finished moments.
    ///
    /// # Errors
    /// [`StatsError::NotFinite`] when values were so large that products overflowed; `index` is the unit.
    pub fn finish(self) -> Result<UnitMoments> {
        UnitMoments::from_arrays(self.adjusters, self.plain, self.design)
    }
}
