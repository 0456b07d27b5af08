//! Case-mix adjusted means: one pass over respondents, one β per indicator and period, values for units of any level.
//!
//! The order of work: [`SufficientStatistics`] reads rows of the lowest units; [`within`] (or [`RandomIntercept`] with its
//! own β) gives one fit; [`UnitMoments::aggregate`] makes the moments of higher units; the fit turns moments of any level
//! into [`AdjustedMean`]s; [`shrunken_means`] pulls them towards their mean, [`nested_shrinkage`] towards their units above, and
//! [`fay_herriot`] and [`nested_areas`] do the same for weighted values; [`fixed_effects`] is the CAHPS family.

mod adjusted;
mod block;
mod cluster_robust;
mod domain;
mod fay_herriot;
mod fixed_effects;
mod impute;
mod interaction;
mod log_grid;
mod moments;
mod nested;
mod nested_areas;
mod nested_grid;
mod nested_likelihood;
mod nested_shrinkage;
mod nested_tree;
mod profile;
mod random_intercept;
mod root;
mod satterthwaite;
mod shrinkage;
mod sufficient;
mod within;

pub use crate::linear_algebra::{DropReason, Dropped};
pub use adjusted::{
    AdjustedMean, AdjustedMeanOptions, ROBUST_FROM, SamplingVariance, StratumPart, combine_strata, critical_value,
};
pub use cluster_robust::{ClusterCorrection, ClusterRobust, cluster_robust};
pub use domain::{DomainSums, KnownCoefficients};
pub use fay_herriot::{FayHerriotFit, FayHerriotUnit, fay_herriot};
pub use fixed_effects::{
    FixedEffectsConvention, FixedEffectsFit, FixedEffectsItem, FixedEffectsUnit, Stars, fixed_effects,
};
pub use impute::{Imputed, unit_mean_impute};
pub use interaction::{InteractionTest, InteractionTests, interaction_tests};
pub use moments::{PooledWithin, UnitMoments};
pub use nested::{NestedEffect, NestedFit, fit_nested, fit_nested_within};
pub use nested_areas::{NestedAreas, nested_areas};
pub use nested_likelihood::{NestedLikelihood, NestedPoint};
pub use nested_shrinkage::{NestedShrinkage, nested_shrinkage};
pub use profile::{Criterion, ProfilePoint, ProfiledLikelihood};
pub use random_intercept::{Convergence, RandomEffect, RandomIntercept, VarianceComponents, fit_random_intercept};
pub(crate) use root::root_from;
pub use shrinkage::{ShrinkageInterval, ShrunkenMean, shrunken_means};
pub use sufficient::{CHUNK_ROWS, SufficientStatistics};
pub use within::{WithinFit, within};
