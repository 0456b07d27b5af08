//! A grid over a scale parameter in its logarithm, weighted by what the data say of it.
//!
//! # Estimand
//! ω_k ∝ exp(log weight at t_k), Σω = 1: the weights with which a value and its variance are averaged over a between-unit SD or
//! variance whose logarithm is t.
//! # Formula
//! A trapezoid rule in t over where the weight is more than e⁻²⁵ of its top.
//! # Source
//! Trefethen, Weideman (2014) SIAM Review 56:385–458, section 5: geometric convergence of the rule on the real line.
//! # Assumptions
//! One top; a weight that falls off exponentially on both sides.
//! # Edge cases
//! A weight that does not fall off within 256 on a side: not converged.
//! # Reference values
//! Through its users: `tests/reference/r_dense.rs` and `tests/reference/r_average.rs`, where R integrates the averages on its own.

use crate::error::{Result, StatsError};

const POINTS: usize = 129;

/// Drop of the log weight at which the grid ends.
const LOG_WEIGHT_DROP: f64 = 25.0;

/// (ω, what is known at the point); `log_weight` gives both at t, and `middle` is where the search for the top starts.
pub(super) fn log_grid<P>(middle: f64, log_weight: impl Fn(f64) -> Result<(f64, P)>) -> Result<Vec<(f64, P)>> {
    let weight = |t: f64| log_weight(t).map(|(weight, _)| weight);
    let mut top = (middle, f64::NEG_INFINITY);
    for k in -60..=60 {
        let t = middle + 0.25 * f64::from(k);
        let w = weight(t)?;
        if w > top.1 {
            top = (t, w);
        }
    }
    // Climb to the top itself: with thousands of units the peak is narrower than the first grid.
    let mut step = 0.25;
    while step > 1e-4 {
        step *= 0.5;
        for t in [top.0 - step, top.0 + step] {
            let w = weight(t)?;
            if w > top.1 {
                top = (t, w);
            }
        }
    }
    let edge = |direction: f64| -> Result<f64> {
        let (mut near, mut far) = (0.0, 1e-3);
        while weight(top.0 + direction * far)? > top.1 - LOG_WEIGHT_DROP {
            near = far;
            far *= 2.0;
            if far > 256.0 {
                return Err(StatsError::NotConverged { what: "weights of a scale parameter", iterations: POINTS });
            }
        }
        for _ in 0..12 {
            let half = 0.5 * (near + far);
            if weight(top.0 + direction * half)? > top.1 - LOG_WEIGHT_DROP {
                near = half;
            } else {
                far = half;
            }
        }
        Ok(top.0 + direction * far)
    };
    let (from, to) = (edge(-1.0)?, edge(1.0)?);
    let mut points = Vec::with_capacity(POINTS);
    let mut total = 0.0;
    for k in 0..POINTS {
        let t = from + (to - from) * k as f64 / (POINTS - 1) as f64;
        let (w, point) = log_weight(t)?;
        let w = (w - top.1).exp();
        total += w;
        points.push((w, point));
    }
    points.iter_mut().for_each(|(w, _)| *w /= total);
    Ok(points)
}
