//! Roots of functions of one variable.
//!
//! # Estimand
//! x with f(x) = 0 between two points where f has opposite signs.
//! # Formula
//! Inverse quadratic interpolation guarded by bisection.
//! # Source
//! Brent (1973) Algorithms for Minimization without Derivatives, chapter 4 (zeroin).
//! # Assumptions
//! f is continuous between the points.
//! # Edge cases
//! Equal signs or NaN give `None`.
//! # Reference values
//! Unit tests below.

/// Iterations after which bisection alone would have met the last bit.
const MAX_ITERATIONS: usize = 400;

/// The root of `f` in `[a, b]` to the last bits, with the number of evaluations.
pub(crate) fn bracketed_root(mut f: impl FnMut(f64) -> f64, a: f64, b: f64) -> Option<(f64, usize)> {
    let (mut a, mut b) = (a, b);
    let (mut fa, mut fb) = (f(a), f(b));
    if fa == 0.0 {
        return Some((a, 2));
    }
    if fb == 0.0 {
        return Some((b, 2));
    }
    if fa.is_nan() || fb.is_nan() || (fa > 0.0) == (fb > 0.0) {
        return None;
    }
    let (mut c, mut fc) = (a, fa);
    let mut step = b - a;
    let mut last = step;
    for iteration in 0..MAX_ITERATIONS {
        if (fb > 0.0) == (fc > 0.0) {
            (c, fc) = (a, fa);
            step = b - a;
            last = step;
        }
        if fc.abs() < fb.abs() {
            (a, b, c) = (b, c, b);
            (fa, fb, fc) = (fb, fc, fb);
        }
        let tolerance = 2.0 * f64::EPSILON * b.abs() + f64::MIN_POSITIVE;
        let middle = 0.5 * (c - b);
        if middle.abs() <= tolerance || fb == 0.0 {
            return Some((b, iteration + 2));
        }
        if last.abs() >= tolerance && fa.abs() > fb.abs() {
            let s = fb / fa;
            let (mut p, mut q) = if a == c {
                (2.0 * middle * s, 1.0 - s)
            } else {
                let (q, r) = (fa / fc, fb / fc);
                (s * (2.0 * middle * q * (q - r) - (b - a) * (r - 1.0)), (q - 1.0) * (r - 1.0) * (s - 1.0))
            };
            if p > 0.0 {
                q = -q;
            } else {
                p = -p;
            }
            if 2.0 * p < (3.0 * middle * q - (tolerance * q).abs()).min((last * q).abs()) {
                last = step;
                step = p / q;
            } else {
                step = middle;
                last = middle;
            }
        } else {
            step = middle;
            last = middle;
        }
        (a, fa) = (b, fb);
        b += if step.abs() > tolerance { step } else { tolerance.copysign(middle) };
        fb = f(b);
        if fb.is_nan() {
            return None;
        }
    }
    Some((b, MAX_ITERATIONS))
}

/// Walks from `start` by growing steps of the sign of `step` until `f` changes sign or `limit` is reached, then solves.
pub(crate) fn root_from(mut f: impl FnMut(f64) -> f64, start: f64, step: f64, limit: f64) -> Option<f64> {
    let mut at = start;
    let first = f(at);
    if first == 0.0 {
        return Some(at);
    }
    let mut step = step;
    while (limit - at) * step > 0.0 {
        let next = if (limit - at).abs() <= step.abs() { limit } else { at + step };
        let value = f(next);
        if value.is_nan() || first.is_nan() {
            return None;
        }
        if value == 0.0 {
            return Some(next);
        }
        if (value > 0.0) != (first > 0.0) {
            return bracketed_root(f, at, next).map(|(x, _)| x);
        }
        at = next;
        step *= 1.5;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn square_root_of_two_to_the_last_bits() {
        let (x, _) = bracketed_root(|x| x * x - 2.0, 0.0, 2.0).unwrap_or((f64::NAN, 0));
        assert!((x - std::f64::consts::SQRT_2).abs() < 4e-16);
    }

    #[test]
    fn equal_signs_give_nothing() {
        assert!(bracketed_root(|x| x * x + 1.0, -1.0, 1.0).is_none());
        assert!(root_from(|x| x * x + 1.0, 0.0, 0.1, 50.0).is_none());
    }
}
