//! Standardised rates and the gradient over a social ranking.

pub mod direct;
pub mod indirect;
pub mod slope_index;

pub use direct::{DirectRate, RepeatEvents, directly_standardised, directly_standardised_repeat_events};
pub use indirect::{expected_events, standardised_rate, standardised_ratio};
pub use slope_index::{SlopeIndex, SlopeTransform, slope_index};
