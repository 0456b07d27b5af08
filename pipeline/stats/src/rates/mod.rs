//! Standardised rates and the gradient over a social ranking.

pub mod direct;
pub mod esp2013;
pub mod indirect;
pub mod region_difference;
pub mod slope_index;
pub mod slope_interval;

pub use direct::{DirectRate, RepeatEvents, directly_standardised, directly_standardised_repeat_events};
pub use esp2013::{ESP_2013, esp2013_weights};
pub use indirect::{expected_events, standardised_rate, standardised_ratio};
pub use region_difference::{RegionDifference, difference_from_region, difference_from_region_repeat_events};
pub use slope_index::{SlopeIndex, SlopeTransform, slope_index};
pub use slope_interval::{GroupValues, SlopeInterval, slope_index_interval};
