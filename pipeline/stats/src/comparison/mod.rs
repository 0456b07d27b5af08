//! Comparison of units with their reference, over time and with goals.

pub mod assessment;
pub mod change;
pub mod counted;
pub mod goal_level;
pub mod minimal_difference;
pub mod multiplicity;
pub mod reference;

pub use assessment::{Assessment, Comparison, Direction, Multiplicity, assess, classify};
pub use change::{Change, Window, change_between};
pub use counted::{p_beyond_binomial, p_beyond_poisson};
pub use goal_level::{GoalLevel, goal_level};
pub use minimal_difference::{p_beyond, p_beyond_t};
pub use multiplicity::{benjamini_hochberg, bonferroni, holm};
pub use reference::{Difference, SharedCoefficients, degrees_of_freedom_of_differences, differences_from_reference};
