//! Sums in a fixed order with compensation, and moments built on them.

use crate::error::{Result, StatsError};

/// Σ values with Neumaier's compensation, in the order given.
pub(crate) fn sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let (mut total, mut lost) = (0.0_f64, 0.0_f64);
    for v in values {
        let next = total + v;
        lost += if total.abs() >= v.abs() { (total - next) + v } else { (v - next) + total };
        total = next;
    }
    total + lost
}

/// Arithmetic mean; the caller guarantees at least one value.
pub(crate) fn mean(values: &[f64]) -> f64 {
    sum(values.iter().copied()) / values.len() as f64
}

/// Σ(v − m)² about the values' own mean.
pub(crate) fn squared_deviations(values: &[f64]) -> f64 {
    let m = mean(values);
    let left = sum(values.iter().map(|v| v - m));
    sum(values.iter().map(|v| (v - m) * (v - m))) - left * left / values.len() as f64
}

/// Variance with n − 1; the caller guarantees at least two values.
pub(crate) fn variance(values: &[f64]) -> f64 {
    at_least_zero(squared_deviations(values) / (values.len() as f64 - 1.0))
}

/// `v`, or 0 where rounding made it negative; unlike `max` it lets NaN through, so that an overflow is seen.
pub(crate) fn at_least_zero(v: f64) -> f64 {
    if v < 0.0 { 0.0 } else { v }
}

/// Sorted copy; values must be finite.
pub(crate) fn sorted(values: &[f64]) -> Vec<f64> {
    let mut v = values.to_vec();
    v.sort_by(f64::total_cmp);
    v
}

/// Root of a function that changes sign between `low` and `high`: Illinois steps mixed with bisection.
pub(crate) fn bracketed_root(
    what: &'static str,
    mut low: f64,
    mut high: f64,
    f: impl Fn(f64) -> Result<f64>,
) -> Result<f64> {
    const MAX_STEPS: usize = 500;
    let (mut f_low, mut f_high) = (f(low)?, f(high)?);
    if f_low == 0.0 {
        return Ok(low);
    }
    if f_high == 0.0 {
        return Ok(high);
    }
    if (f_low > 0.0) == (f_high > 0.0) || f_low.is_nan() || f_high.is_nan() {
        return Err(StatsError::NotConverged { what, iterations: 0 });
    }
    let mut side = 0_i8;
    for step in 0..MAX_STEPS {
        let width = high - low;
        if width <= 2.0 * f64::EPSILON * low.abs().max(high.abs()) {
            break;
        }
        // Illinois steps; every third step bisects so that the bracket always shrinks.
        let mut x = if step % 3 == 2 { 0.5 * (low + high) } else { (low * f_high - high * f_low) / (f_high - f_low) };
        if !(x > low && x < high) {
            x = 0.5 * (low + high);
            if !(x > low && x < high) {
                break;
            }
        }
        let fx = f(x)?;
        if fx == 0.0 {
            return Ok(x);
        }
        if (fx > 0.0) == (f_high > 0.0) {
            high = x;
            f_high = fx;
            if side == 1 {
                f_low *= 0.5;
            }
            side = 1;
        } else {
            low = x;
            f_low = fx;
            if side == -1 {
                f_high *= 0.5;
            }
            side = -1;
        }
    }
    Ok(0.5 * (low + high))
}
