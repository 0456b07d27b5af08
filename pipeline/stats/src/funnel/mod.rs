//! Funnels: control limits around a target, with and without over-dispersion. A funnel is a picture; units are classed by
//! [`comparison`](crate::comparison).

pub mod exact;
pub mod limits;
pub mod over_dispersion;
pub mod scale;

pub use exact::{expected_where_observed_touches, poisson_ratio_limits, proportion_score_limits};
pub use limits::{adjusted_z, funnel_limits};
pub use over_dispersion::{Correction, Outliers, OverDispersion, over_dispersion};
pub use scale::{Scale, Standardised};
