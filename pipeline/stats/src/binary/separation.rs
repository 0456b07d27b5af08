//! Adjusters that separate events from non-events within every unit.
//!
//! # Estimand
//! Columns k for which the likelihood has no maximum because β_k runs to ±∞.
//! # Formula
//! In every unit min x_k(events) ≥ max x_k(non-events), strictly somewhere, or the reverse.
//! # Source
//! Albert, Anderson (1984) On the existence of maximum likelihood estimates in logistic regression models,
//! Biometrika 71:1–10, theorems 1 and 2 (complete and quasi-complete separation), here along one axis at a time.
//! # Assumptions
//! Units with events and non-events; the others say nothing about β.
//! # Edge cases
//! Separation by a combination of columns is found by the fit itself, from information that vanishes.
//! # Reference values
//! By hand in `tests/binary_logistic.rs`.

use super::counts::BinaryTable;

/// Columns of `candidates` that separate on their own, among the units `informative`.
pub(super) fn separating_columns(table: &BinaryTable, informative: &[usize], candidates: &[usize]) -> Vec<usize> {
    candidates.iter().copied().filter(|&k| separates(table, informative, k)).collect()
}

fn separates(table: &BinaryTable, informative: &[usize], k: usize) -> bool {
    let (mut upward, mut downward, mut strict) = (true, true, false);
    for &j in informative {
        let mut events = (f64::INFINITY, f64::NEG_INFINITY);
        let mut others = events;
        for cell in table.cells(j) {
            let x = table.pattern(cell.pattern as usize)[k];
            if cell.events > 0 {
                events = (events.0.min(x), events.1.max(x));
            }
            if cell.events < cell.trials {
                others = (others.0.min(x), others.1.max(x));
            }
        }
        upward &= events.0 >= others.1;
        downward &= events.1 <= others.0;
        strict |= events.0.min(others.0) < events.1.max(others.1);
        if !(upward || downward) {
            return false;
        }
    }
    strict
}
