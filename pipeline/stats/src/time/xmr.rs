//! Individuals chart (XmR) and its run rules.
//!
//! # Estimand
//! Limits of common-cause variation of a series, and the points that signal a special cause.
//! # Formula
//! ȳ ± 2.66 · mean moving range; near limits at 2/3 of that. Screening leaves ranges ≥ 3.267 · mean range out of it once. Rules: outside a limit;
//! 7 in a row on one side of the mean; 7 points rising or falling (6 steps); 2 of 3 successive points beyond 2/3 on one side.
//! # Source
//! NHS England, *Making Data Count*; D. J. Wheeler, *Understanding Variation* (1993).
//! # Assumptions
//! Points in time order at even distances.
//! # Edge cases
//! Fewer than 2 points is an error. A point on the mean breaks a run, a tie breaks a trend, a point outside a limit is not «close».
//! A series without variation has limits equal to its mean and no signals. Limits may be negative.
//! # Reference values
//! tests/reference/spc.rs: spc/xmr_expected.csv (1e-10), xmr_flags_expected.csv and run_rule_vectors.csv (exact).

use crate::error::{Result, StatsError, check_all_finite, finite_result};
use crate::interval::Interval;
use crate::numeric;

/// 3/d₂ as used in print, not 3/1.128.
const LIMIT_FACTOR: f64 = 2.66;
/// D₄ for ranges of two.
const SCREEN_FACTOR: f64 = 3.267;
/// Points of a shift or a trend.
const RUN_LENGTH: usize = 7;

/// First rule that a point breaks, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpecialCause {
    Outside,
    Trend,
    TwoOfThree,
    Shift,
}

/// What the rules say about a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointFlags {
    /// −1 below, 0 on, 1 above the mean.
    pub side: i8,
    pub outside: bool,
    pub close: bool,
    pub trend: bool,
    pub two_of_three: bool,
    pub shift: bool,
}

impl PointFlags {
    /// First rule that applies; `None` is common-cause variation.
    pub fn special_cause(&self) -> Option<SpecialCause> {
        if self.outside {
            Some(SpecialCause::Outside)
        } else if self.trend {
            Some(SpecialCause::Trend)
        } else if self.two_of_three {
            Some(SpecialCause::TwoOfThree)
        } else if self.shift {
            Some(SpecialCause::Shift)
        } else {
            None
        }
    }
}

/// An individuals chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Xmr {
    pub mean: f64,
    /// Mean of all moving ranges, and of those kept.
    pub mean_range_all: f64,
    pub mean_range: f64,
    pub screen_limit: f64,
    pub ranges_used: usize,
    pub limits: Interval,
    pub near_limits: Interval,
    pub points: Vec<PointFlags>,
    pub method: &'static str,
}

/// Chart of `values` in time order; `screen` leaves very large ranges out of the limits.
pub fn xmr(values: &[f64], screen: bool) -> Result<Xmr> {
    const WHAT: &str = "individuals chart";
    check_all_finite(WHAT, values)?;
    if values.len() < 2 {
        return Err(StatsError::TooFew { what: WHAT, needed: 2, found: values.len() });
    }
    let mean = finite_result(WHAT, numeric::mean(values))?;
    let ranges: Vec<f64> = values.windows(2).map(|w| (w[1] - w[0]).abs()).collect();
    let mean_range_all = finite_result(WHAT, numeric::mean(&ranges))?;
    let screen_limit = SCREEN_FACTOR * mean_range_all;
    let kept: Vec<f64> = ranges.iter().copied().filter(|r| !screen || *r < screen_limit).collect();
    let kept = if kept.is_empty() { ranges } else { kept };
    let mean_range = numeric::mean(&kept);
    let half = LIMIT_FACTOR * mean_range;
    let limits = Interval::new(mean - half, mean + half)?;
    let near_limits = Interval::new(mean - half * 2.0 / 3.0, mean + half * 2.0 / 3.0)?;
    let side: Vec<i8> = values
        .iter()
        .map(|v| {
            if *v > mean {
                1
            } else if *v < mean {
                -1
            } else {
                0
            }
        })
        .collect();
    let outside: Vec<bool> = values.iter().map(|v| !limits.contains(*v)).collect();
    let close: Vec<bool> = values.iter().zip(&outside).map(|(v, out)| !out && !near_limits.contains(*v)).collect();
    let (shift, trend, near) = (shift_runs(&side), trend_runs(values), two_of_three(&side, &close));
    let points = (0..values.len())
        .map(|i| PointFlags {
            side: side[i],
            outside: outside[i],
            close: close[i],
            trend: trend[i],
            two_of_three: near[i],
            shift: shift[i],
        })
        .collect();
    Ok(Xmr {
        mean,
        mean_range_all,
        mean_range,
        screen_limit,
        ranges_used: kept.len(),
        limits,
        near_limits,
        points,
        method: if screen { "xmr-screened" } else { "xmr" },
    })
}

/// Points in a run of at least 7 on one side (`side` −1, 0, 1).
pub fn shift_runs(side: &[i8]) -> Vec<bool> {
    let mut flags = vec![false; side.len()];
    let mut start = 0;
    for i in 0..side.len() {
        if side[i] == 0 || (i > 0 && side[i] != side[i - 1]) {
            start = if side[i] == 0 { i + 1 } else { i };
        }
        if i + 1 >= start + RUN_LENGTH {
            flags[start..=i].fill(true);
        }
    }
    flags
}

/// Points in a strictly rising or falling stretch of at least 7.
pub fn trend_runs(values: &[f64]) -> Vec<bool> {
    let mut flags = vec![false; values.len()];
    let mut start = 0;
    let mut direction = 0_i8;
    for i in 1..values.len() {
        let step = if values[i] > values[i - 1] {
            1
        } else if values[i] < values[i - 1] {
            -1
        } else {
            0
        };
        if step == 0 || step != direction {
            start = if step == 0 { i } else { i - 1 };
            direction = step;
        }
        if i + 1 >= start + RUN_LENGTH {
            flags[start..=i].fill(true);
        }
    }
    flags
}

/// Close points of any three successive ones on one side of which at least two are close.
pub fn two_of_three(side: &[i8], close: &[bool]) -> Vec<bool> {
    let n = side.len().min(close.len());
    let mut flags = vec![false; n];
    for i in 2..n {
        let window = i - 2..=i;
        let one_side = side[i] != 0 && side[window.clone()].iter().all(|s| *s == side[i]);
        if one_side && close[window.clone()].iter().filter(|c| **c).count() >= 2 {
            for k in window {
                flags[k] |= close[k];
            }
        }
    }
    flags
}
