//! Exact elimination: which hidden cells do the published ones determine?
//!
//! The published cells are known numbers, so each equation constrains only the hidden cells in it. A hidden cell is
//! determined exactly when its unit vector lies in the row space of those constraints. Rows are sparse and pivots are
//! chosen for little fill (Markowitz), so that a cell that stands in one equation only costs nothing.
//!
//! Two things come back, and both can be checked without trusting this file: for every determined cell a *derivation*
//! (the published cells it is worked out from), and a *witness*: a change of the hidden cells that leaves every
//! equation true. A cell whose witness is not 0 could have another value, which proves that it is not determined.

use std::collections::{BTreeMap, BTreeSet};

use crate::ratio::{Overflow, Ratio};

/// A linear relation Σ coefficient · cell = 0.
pub(crate) type Equation = Vec<(usize, i64)>;

/// Sparse row: cells in increasing order, no zero coefficients.
type Row = Vec<(usize, Ratio)>;

/// A determined cell and the published cells that give it away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Derivation {
    pub(crate) cell: usize,
    pub(crate) uses: Vec<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Solution {
    pub(crate) determined: Vec<Derivation>,
    /// Per hidden cell that stands in an equation; 0 exactly for determined cells.
    pub(crate) witness: BTreeMap<usize, Ratio>,
}

/// Solves `equations` for the cells with `hidden[cell]`.
///
/// # Errors
/// When a coefficient leaves 128 bits.
pub(crate) fn solve(equations: &[Equation], hidden: &[bool]) -> Result<Solution, Overflow> {
    let triangle = triangulate(equations, hidden)?;
    let positions: BTreeMap<usize, usize> =
        triangle.iter().enumerate().map(|(position, (_, pivot))| (*pivot, position)).collect();
    let mut solution = Solution { determined: Vec::new(), witness: BTreeMap::new() };
    for attempt in 0..WITNESS_ATTEMPTS_MAX {
        solution = Solution { determined: Vec::new(), witness: witness(equations, &triangle, hidden, attempt)? };
        let mut by_chance = false;
        for (&cell, _) in solution.witness.iter().filter(|(_, value)| value.is_zero()) {
            let row = reduce(&triangle, &positions, hidden, cell)?;
            if row.iter().all(|(other, _)| !hidden[*other] || *other == cell) {
                let uses = row.iter().map(|(other, _)| *other).filter(|other| *other != cell).collect();
                solution.determined.push(Derivation { cell, uses });
            } else {
                by_chance = true;
            }
        }
        if !by_chance {
            break;
        }
    }
    Ok(solution)
}

/// A witness is 0 by chance about once in a million cells; another scatter then serves.
const WITNESS_ATTEMPTS_MAX: usize = 8;

/// Free cells get scattered values; pivots follow from the last to the first, since a row holds only its own pivot and
/// later ones.
fn witness(
    equations: &[Equation],
    triangle: &[(Row, usize)],
    hidden: &[bool],
    attempt: usize,
) -> Result<BTreeMap<usize, Ratio>, Overflow> {
    let mut witness: BTreeMap<usize, Ratio> = equations
        .iter()
        .flatten()
        .filter(|(cell, _)| hidden[*cell])
        .map(|&(cell, _)| (cell, Ratio::whole(scatter(cell, attempt))))
        .collect();
    for (row, pivot) in triangle.iter().rev() {
        let mut rest = Ratio::ZERO;
        for &(cell, coefficient) in row.iter().filter(|(cell, _)| hidden[*cell] && cell != pivot) {
            let value = witness.get(&cell).copied().unwrap_or(Ratio::ZERO);
            rest = rest.plus(coefficient.times(value)?)?;
        }
        witness.insert(*pivot, rest.negated().over(coefficient(row, *pivot))?);
    }
    Ok(witness)
}

/// A fixed scatter of whole numbers from 1 to 2²⁰ (splitmix64), so that witnesses do not cancel by symmetry.
fn scatter(cell: usize, attempt: usize) -> i128 {
    let mut bits = (cell as u64).wrapping_add((attempt as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    i128::from((bits ^ (bits >> 31)) % (1 << 20)) + 1
}

/// Rows in pivot order: no pivot occurs in a later row.
fn triangulate(equations: &[Equation], hidden: &[bool]) -> Result<Vec<(Row, usize)>, Overflow> {
    let mut rows: Vec<Row> = equations
        .iter()
        .filter(|equation| equation.iter().any(|(cell, _)| hidden[*cell]))
        .map(|equation| {
            let mut row: Row =
                equation.iter().map(|&(cell, coefficient)| (cell, Ratio::whole(i128::from(coefficient)))).collect();
            row.sort_by_key(|(cell, _)| *cell);
            row
        })
        .collect();
    // Which rows a hidden cell stands in, until it has been a pivot.
    let mut columns: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); hidden.len()];
    for (index, row) in rows.iter().enumerate() {
        for (cell, _) in row.iter().filter(|(cell, _)| hidden[*cell]) {
            columns[*cell].insert(index);
        }
    }
    let mut queue: BTreeSet<(usize, usize)> =
        columns.iter().enumerate().map(|(cell, rows)| (rows.len(), cell)).filter(|(count, _)| *count > 0).collect();
    let mut triangle = Vec::new();
    while let Some((_, pivot)) = queue.pop_first() {
        let holders = std::mem::take(&mut columns[pivot]);
        let Some(chosen) = holders.iter().copied().min_by_key(|index| (rows[*index].len(), *index)) else { continue };
        let pivot_row = std::mem::take(&mut rows[chosen]);
        let own = coefficient(&pivot_row, pivot);
        for index in holders.into_iter().filter(|index| *index != chosen) {
            let factor = coefficient(&rows[index], pivot).over(own)?.negated();
            let combined = add_scaled(&rows[index], factor, &pivot_row)?;
            let old = std::mem::replace(&mut rows[index], combined);
            relabel(&mut columns, &mut queue, hidden, index, &old, &rows[index]);
        }
        relabel(&mut columns, &mut queue, hidden, chosen, &pivot_row, &[]);
        triangle.push((pivot_row, pivot));
    }
    Ok(triangle)
}

/// Moves row `index` in the column index from the hidden cells of `old` to those of `new`; most cells are in both.
fn relabel(
    columns: &mut [BTreeSet<usize>],
    queue: &mut BTreeSet<(usize, usize)>,
    hidden: &[bool],
    index: usize,
    old: &[(usize, Ratio)],
    new: &[(usize, Ratio)],
) {
    let mut change = |cell: usize, is_present: bool| {
        // A cell that has been a pivot is in no column any more.
        if !hidden[cell] || !queue.remove(&(columns[cell].len(), cell)) {
            return;
        }
        if is_present {
            columns[cell].insert(index);
        } else {
            columns[cell].remove(&index);
        }
        if !columns[cell].is_empty() {
            queue.insert((columns[cell].len(), cell));
        }
    };
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    loop {
        match (old.peek(), new.peek()) {
            (Some((left, _)), Some((right, _))) if left == right => {
                old.next();
                new.next();
            }
            (Some((left, _)), right) if right.is_none_or(|(right, _)| left < right) => {
                change(*left, false);
                old.next();
            }
            (_, Some((right, _))) => {
                change(*right, true);
                new.next();
            }
            _ => return,
        }
    }
}

/// The row of `cell`, with every later pivot replaced by what it is worked out from.
fn reduce(
    triangle: &[(Row, usize)],
    positions: &BTreeMap<usize, usize>,
    hidden: &[bool],
    cell: usize,
) -> Result<Row, Overflow> {
    let Some(&start) = positions.get(&cell) else { return Ok(Vec::new()) };
    let mut row = triangle[start].0.clone();
    loop {
        // Later pivots in triangle order: replacing one can only bring in pivots after it.
        let next = row
            .iter()
            .filter(|(other, _)| hidden[*other] && *other != cell)
            .filter_map(|(other, _)| positions.get(other).map(|position| (*position, *other)))
            .min();
        let Some((position, pivot)) = next else { return Ok(row) };
        let other = &triangle[position].0;
        let factor = coefficient(&row, pivot).over(coefficient(other, pivot))?.negated();
        row = add_scaled(&row, factor, other)?;
    }
}

fn coefficient(row: &[(usize, Ratio)], cell: usize) -> Ratio {
    row.binary_search_by_key(&cell, |(other, _)| *other).map_or(Ratio::ZERO, |index| row[index].1)
}

/// `left + factor · right`.
fn add_scaled(left: &[(usize, Ratio)], factor: Ratio, right: &[(usize, Ratio)]) -> Result<Row, Overflow> {
    let mut sum = Vec::with_capacity(left.len() + right.len());
    let (mut i, mut j) = (0, 0);
    while i < left.len() || j < right.len() {
        let left_cell = left.get(i).map_or(usize::MAX, |(cell, _)| *cell);
        let right_cell = right.get(j).map_or(usize::MAX, |(cell, _)| *cell);
        let cell = left_cell.min(right_cell);
        let mut value = Ratio::ZERO;
        if left_cell == cell {
            value = left[i].1;
            i += 1;
        }
        if right_cell == cell {
            value = value.plus(factor.times(right[j].1)?)?;
            j += 1;
        }
        if !value.is_zero() {
            sum.push((cell, value));
        }
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn determined(equations: &[Equation], hidden: &[usize], cells: usize) -> Vec<usize> {
        let hidden: Vec<bool> = (0..cells).map(|cell| hidden.contains(&cell)).collect();
        solve(equations, &hidden).expect("fits").determined.into_iter().map(|found| found.cell).collect()
    }

    #[test]
    fn a_total_gives_its_only_hidden_part() {
        let total = vec![vec![(0, 1), (1, -1), (2, -1), (3, -1)]];
        assert_eq!(determined(&total, &[2], 4), [2]);
        assert_eq!(determined(&total, &[1, 2], 4), [0; 0]);
        let hidden = [false, true, false, false];
        assert_eq!(solve(&total, &hidden).expect("fits").determined, [Derivation { cell: 1, uses: vec![0, 2, 3] }]);
    }

    #[test]
    fn a_square_with_two_hidden_in_every_row_but_one_column_alone() {
        // 2 × 3 table, cells 0..6, row totals 6 7, column totals 8 9 10 published.
        let equations = vec![
            vec![(6, 1), (0, -1), (1, -1), (2, -1)],
            vec![(7, 1), (3, -1), (4, -1), (5, -1)],
            vec![(8, 1), (0, -1), (3, -1)],
            vec![(9, 1), (1, -1), (4, -1)],
            vec![(10, 1), (2, -1), (5, -1)],
        ];
        assert_eq!(determined(&equations, &[0, 1, 3, 4], 11), [0; 0]);
        assert_eq!(determined(&equations, &[0, 1, 3, 5], 11), [0, 1, 3, 5]);
    }

    #[test]
    fn half_a_cell_is_found_exactly() {
        // a + b, b + c and a + c are known: each is half of a signed sum.
        let equations =
            vec![vec![(3, 1), (0, -1), (1, -1)], vec![(4, 1), (1, -1), (2, -1)], vec![(5, 1), (0, -1), (2, -1)]];
        assert_eq!(determined(&equations, &[0, 1, 2], 6), [0, 1, 2]);
    }
}
