//! Better, as expected, worse, or not assessed.
//!
//! # Estimand
//! A class per unit of one family (indicator × level × period × stratum × method), at a false discovery rate or family level α.
//! # Formula
//! p_δ per unit, adjusted within the family; adjusted p ≤ α and the sign of Δ̂, read in the indicator's direction, decide.
//! # Source
//! The tests of [`minimal_difference`](super::minimal_difference) and [`counted`](super::counted), and
//! [`multiplicity`](super::multiplicity).
//! # Assumptions
//! Those of the test and the adjustment. Only publishable units belong in the family.
//! # Edge cases
//! A unit without a difference or a p is not assessed and not in the family. An indicator without direction is never better or worse.
//! # Reference values
//! By hand, tests/comparison_by_hand.rs.

use super::multiplicity::{benjamini_hochberg, bonferroni, holm};
use crate::error::{Result, StatsError};

/// Which way is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Higher,
    Lower,
    /// Neither way is better (most rates).
    Neutral,
}

/// Adjustment for many comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Multiplicity {
    #[default]
    BenjaminiHochberg,
    Holm,
    Bonferroni,
    None,
}

impl Multiplicity {
    /// Adjusted p-values of one family.
    pub fn adjust(self, p: &[f64]) -> Result<Vec<f64>> {
        match self {
            Multiplicity::BenjaminiHochberg => benjamini_hochberg(p),
            Multiplicity::Holm => holm(p),
            Multiplicity::Bonferroni => bonferroni(p),
            Multiplicity::None => bonferroni(p).map(|_| p.to_vec()),
        }
    }

    /// Id of the method.
    pub fn id(self) -> &'static str {
        match self {
            Multiplicity::BenjaminiHochberg => "benjamini-hochberg",
            Multiplicity::Holm => "holm",
            Multiplicity::Bonferroni => "bonferroni",
            Multiplicity::None => "none",
        }
    }
}

/// A unit's class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Better,
    AsExpected,
    Worse,
    NotAssessed,
}

/// p, adjusted p and class of a unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Assessment {
    pub p: Option<f64>,
    pub q: Option<f64>,
    pub comparison: Comparison,
}

/// Class from a difference and its adjusted p.
pub fn classify(difference: f64, q: Option<f64>, direction: Direction, alpha: f64) -> Comparison {
    let Some(q) = q.filter(|q| q.is_finite()) else {
        return Comparison::NotAssessed;
    };
    if !difference.is_finite() || direction == Direction::Neutral {
        return Comparison::NotAssessed;
    }
    if q > alpha || difference == 0.0 {
        return Comparison::AsExpected;
    }
    if (difference > 0.0) == (direction == Direction::Higher) { Comparison::Better } else { Comparison::Worse }
}

/// Assesses a family. `units` are (difference, p), `None` where there is no value, without p where there is no test.
pub fn assess(
    units: &[Option<(f64, Option<f64>)>],
    direction: Direction,
    multiplicity: Multiplicity,
    alpha: f64,
) -> Result<Vec<Assessment>> {
    if !(alpha > 0.0 && alpha < 1.0) {
        return Err(StatsError::out_of_range("level of the comparison", alpha, "between 0 and 1"));
    }
    let family: Vec<f64> = units.iter().filter_map(|u| u.and_then(|(_, p)| p)).collect();
    let mut adjusted = multiplicity.adjust(&family)?.into_iter();
    let assessments = units.iter().map(|unit| {
        let p = unit.and_then(|(_, p)| p);
        let q = p.and_then(|_| adjusted.next());
        let comparison = match unit {
            Some((difference, _)) => classify(*difference, q, direction, alpha),
            None => Comparison::NotAssessed,
        };
        Assessment { p, q, comparison }
    });
    Ok(assessments.collect())
}
