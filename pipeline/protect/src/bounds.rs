//! How few values a hidden count can have.
//!
//! Counts are whole and not negative, the reason for withholding tells a range, and every equation bounds each of its
//! cells by the rest. Ranges are narrowed equation by equation until nothing changes. That is what a careful reader with
//! a pencil finds; it is not the full integer programme, which can be narrower.

use crate::{
    eliminate::Equation,
    pattern::{Counts, Pattern},
};

/// A count with fewer possible values than this is as good as known (methods 10).
pub(crate) const POSSIBLE_VALUES_MIN: f64 = 5.0;

/// Narrowing stops after so many rounds; ranges that still move are wide.
const ROUNDS_MAX: usize = 50;

/// Whole numbers from `low` to `high`, both included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Range {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Range {
    pub(crate) const FROM_ZERO: Self = Self { low: 0.0, high: f64::INFINITY };

    /// What is in `other` too; all of it where that would be nothing.
    pub(crate) fn within(self, other: Self) -> Self {
        let both = Self { low: self.low.max(other.low), high: self.high.min(other.high) };
        if both.low <= both.high { both } else { self }
    }

    pub(crate) fn possible_values(self) -> f64 {
        (self.high - self.low + 1.0).max(0.0)
    }
}

/// Primary cells whose range became too narrow by what is shown, with that range.
///
/// The reasons and the table beside can narrow a range by themselves (a withheld total that is «not small» over parts that are): that
/// much cannot be withheld here, so a range is too narrow only when shown counts made it so.
///
/// `unknown` are the hidden cells but those that the shown ones determine: an outsider works these out first.
pub(crate) fn too_narrow(
    equations: &[Equation],
    unknown: &[bool],
    pattern: &Pattern,
    counts: &Counts,
) -> Vec<(usize, Range)> {
    let open: Vec<&Equation> = equations.iter().filter(|e| e.iter().any(|(cell, _)| unknown[*cell])).collect();
    let by_counts = |cell| pattern.range(counts, unknown, cell);
    let ranges = narrowed(&open, (0..unknown.len()).map(by_counts).collect());
    let suspects: Vec<usize> = (0..unknown.len())
        .filter(|cell| unknown[*cell] && pattern.primary[*cell])
        .filter(|cell| ranges[*cell].possible_values() < POSSIBLE_VALUES_MIN && ranges[*cell].high < counts.open_from)
        .collect();
    if suspects.is_empty() {
        return Vec::new();
    }
    let not_small = |cell: usize| counts.secondary.within(counts.beside[cell]);
    let by_reasons = |cell: usize| if unknown[cell] { by_counts(cell) } else { not_small(cell) };
    let before = narrowed(&open, (0..unknown.len()).map(by_reasons).collect());
    suspects
        .into_iter()
        .filter(|cell| ranges[*cell].possible_values() < before[*cell].possible_values())
        .map(|cell| (cell, ranges[cell]))
        .collect()
}

fn narrowed(equations: &[&Equation], mut ranges: Vec<Range>) -> Vec<Range> {
    for _ in 0..ROUNDS_MAX {
        let mut changed = false;
        for equation in equations {
            changed |= narrow(equation, &mut ranges);
        }
        if !changed {
            break;
        }
    }
    ranges
}

/// Bounds of coefficient · cell.
fn term(range: Range, coefficient: f64) -> (f64, f64) {
    let (a, b) = (range.low * coefficient, range.high * coefficient);
    (a.min(b), a.max(b))
}

fn narrow(equation: &Equation, ranges: &mut [Range]) -> bool {
    // Sums of the finite parts, and how many parts are unbounded, so that one cell can be left out exactly.
    let (mut low, mut high, mut low_open, mut high_open) = (0.0, 0.0, 0_u32, 0_u32);
    for &(cell, coefficient) in equation {
        let (least, most) = term(ranges[cell], coefficient as f64);
        match least.is_finite() {
            true => low += least,
            false => low_open += 1,
        }
        match most.is_finite() {
            true => high += most,
            false => high_open += 1,
        }
    }
    let mut changed = false;
    for &(cell, coefficient) in equation {
        let coefficient = coefficient as f64;
        let (least, most) = term(ranges[cell], coefficient);
        let others_low = without(low, low_open, least, f64::NEG_INFINITY);
        let others_high = without(high, high_open, most, f64::INFINITY);
        // coefficient · cell = −others.
        let (a, b) = (-others_high / coefficient, -others_low / coefficient);
        // Counts that are weighted are not quite whole; the allowance is far below one person.
        let found = Range { low: (a.min(b) - ALLOWANCE).ceil(), high: (a.max(b) + ALLOWANCE).floor() };
        let old = ranges[cell];
        let new = Range { low: old.low.max(found.low), high: old.high.min(found.high) };
        if new != old && new.low <= new.high {
            ranges[cell] = new;
            let (new_least, new_most) = term(new, coefficient);
            if least.is_finite() {
                low += new_least - least;
            } else if new_least.is_finite() {
                low += new_least;
                low_open -= 1;
            }
            if most.is_finite() {
                high += new_most - most;
            } else if new_most.is_finite() {
                high += new_most;
                high_open -= 1;
            }
            changed = true;
        }
    }
    changed
}

const ALLOWANCE: f64 = 1e-6;

fn without(sum: f64, open: u32, own: f64, unbounded: f64) -> f64 {
    match (own.is_finite(), open) {
        (true, 0) => sum - own,
        (false, 1) => sum,
        _ => unbounded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flagged(total: f64, second_is_primary: bool) -> Vec<(usize, Range)> {
        let equations = vec![vec![(0, 1), (1, -1), (2, -1)]];
        let small = Range { low: 0.0, high: 4.0 };
        let counts = Counts {
            values: vec![total, 0.0, 0.0],
            known: vec![small; 3],
            secondary: Range { low: 5.0, high: f64::INFINITY },
            beside: vec![Range::FROM_ZERO; 3],
            open_from: f64::INFINITY,
        };
        let pattern = Pattern {
            hidden: vec![false, true, true],
            primary: vec![false, true, second_is_primary],
            listed: vec![true; 3],
            cost: vec![1; 3],
            counts: Vec::new(),
        };
        too_narrow(&equations, &pattern.hidden, &pattern, &counts)
    }

    #[test]
    fn two_small_counts_with_a_known_sum() {
        let four = Range { low: 4.0, high: 4.0 };
        assert_eq!(flagged(8.0, true), [(1, four), (2, four)]);
        assert_eq!(flagged(4.0, true), []);
        assert_eq!(flagged(20.0, false), []);
        assert_eq!(flagged(6.0, false), [(1, Range { low: 0.0, high: 1.0 })]);
    }
}
