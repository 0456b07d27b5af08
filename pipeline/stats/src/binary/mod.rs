//! Case-mix adjusted proportions.
//!
//! The order of work: [`BinaryCounts`] turns rows into counted covariate patterns per unit; [`fit_logistic`] estimates one β
//! with unit effects; [`BinaryTable::aggregate`] makes the table of higher units; [`adjusted_proportions`] gives values and
//! score limits for units of any level; [`indirect_ratios`] is the observed/expected option.

mod counts;
mod discrimination;
mod gauss_hermite;
mod logistic;
mod mixed_likelihood;
mod proportion;
mod random_intercept;
mod ratio;
mod separation;
mod weighted;

pub use counts::{BinaryCounts, BinaryTable, Cell, ReferencePopulation};
pub use discrimination::{LogisticDiscrimination, logistic_discrimination};
pub use gauss_hermite::gauss_hermite;
pub use logistic::{LogisticConvergence, LogisticFit, SeparationPolicy, fit_logistic};
pub use mixed_likelihood::MixedLogisticLikelihood;
pub use proportion::{AdjustedProportion, adjusted_proportions};
pub use random_intercept::{
    ConditionalProbability, LogisticEffect, LogisticRandomIntercept, MarginalProbability,
    fit_logistic_random_intercept, mixed_logistic_likelihood,
};
pub use ratio::{IndirectRatio, indirect_ratios};
pub use weighted::{CellCalibration, WeightedCells, WeightedProportion, weighted_proportions, weighted_reference};

/// 1/(1 + e^−x) without overflow.
pub fn expit(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

/// expit(x)·expit(−x), precise in both tails.
pub(crate) fn expit_variance(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    e / ((1.0 + e) * (1.0 + e))
}
