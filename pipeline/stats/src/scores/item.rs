//! Item codes to scores 0–100.
//!
//! # Estimand
//! An answer on a common scale where 100 is best.
//! # Formula
//! 100(c − lo)/(hi − lo), or 100 minus that for a reversed item.
//! # Source
//! P. M. Fayers et al., *EORTC QLQ-C30 Scoring Manual*, 3rd ed. (2001).
//! # Assumptions
//! Codes at even distances.
//! # Edge cases
//! Not answered, not applicable, do not know and outside lo..hi are missing, each under its own reason. A code that is no whole number is
//! [`Answer::Unknown`]: a data error, never a respondent.
//! # Reference values
//! tests/reference/scores.rs: scores/expected_scores.csv (1e-10).

use crate::error::{Result, StatsError};

/// How codes of an item are read.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemRule {
    low: f64,
    high: f64,
    reversed: bool,
    not_applicable: Vec<f64>,
    do_not_know: Vec<f64>,
}

/// An answer as it counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Answer {
    Score(f64),
    NotAnswered,
    NotApplicable,
    DoNotKnow,
    OutOfRange,
    Unknown,
}

impl Answer {
    /// The score, or `None` where it is missing.
    pub fn score(self) -> Option<f64> {
        if let Answer::Score(s) = self { Some(s) } else { None }
    }
}

/// Answers by how they count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AnswerCounts {
    pub scored: u64,
    pub not_answered: u64,
    pub not_applicable: u64,
    pub do_not_know: u64,
    pub out_of_range: u64,
    pub unknown: u64,
}

impl AnswerCounts {
    /// Counts one answer.
    pub fn add(&mut self, answer: Answer) {
        let slot = match answer {
            Answer::Score(_) => &mut self.scored,
            Answer::NotAnswered => &mut self.not_answered,
            Answer::NotApplicable => &mut self.not_applicable,
            Answer::DoNotKnow => &mut self.do_not_know,
            Answer::OutOfRange => &mut self.out_of_range,
            Answer::Unknown => &mut self.unknown,
        };
        *slot += 1;
    }

    /// Counts of both.
    pub fn merge(self, other: Self) -> Self {
        AnswerCounts {
            scored: self.scored + other.scored,
            not_answered: self.not_answered + other.not_answered,
            not_applicable: self.not_applicable + other.not_applicable,
            do_not_know: self.do_not_know + other.do_not_know,
            out_of_range: self.out_of_range + other.out_of_range,
            unknown: self.unknown + other.unknown,
        }
    }
}

impl ItemRule {
    /// A rule for codes `low`..=`high`; the lists hold codes that mean «not applicable» and «do not know».
    pub fn new(low: f64, high: f64, reversed: bool, not_applicable: &[f64], do_not_know: &[f64]) -> Result<Self> {
        // 100(c − lo) must stay a number for every code of the scale.
        if !(low < high && low.is_finite() && (100.0 * (high - low)).is_finite()) {
            return Err(StatsError::out_of_range("item scale: high code", high, "above the low code"));
        }
        Ok(ItemRule { low, high, reversed, not_applicable: not_applicable.to_vec(), do_not_know: do_not_know.to_vec() })
    }

    /// Reads a code; `None` is not answered.
    pub fn read(&self, code: Option<f64>) -> Answer {
        let Some(c) = code else {
            return Answer::NotAnswered;
        };
        if self.not_applicable.contains(&c) {
            Answer::NotApplicable
        } else if self.do_not_know.contains(&c) {
            Answer::DoNotKnow
        } else if !c.is_finite() || c.fract() != 0.0 {
            Answer::Unknown
        } else if c < self.low || c > self.high {
            Answer::OutOfRange
        } else {
            let s = 100.0 * (c - self.low) / (self.high - self.low);
            Answer::Score(if self.reversed { 100.0 - s } else { s })
        }
    }
}
