//! Survey weights and design-based variances.

pub mod design;
pub mod kish;
pub mod margins;
pub mod post_stratification;
pub mod raking;
pub mod score;
pub mod stratified_sample;
pub mod taylor;
pub mod trimming;

pub use design::{design_weights, stratified_value};
pub use kish::{Kish, kish};
pub use margins::{Margin, collapse_cells, margin_residuals};
pub use post_stratification::post_stratify;
pub use raking::{RakeOptions, Raked, rake};
pub use score::{Scored, score_variance};
pub use stratified_sample::{SampleSize, StratifiedSample, stratified_sample};
pub use taylor::{Design, DesignEstimate, mean, ratio, total};
pub use trimming::{Cap, trim};
