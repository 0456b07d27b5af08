//! Which hidden cells hang together: what is published tells nothing across parts.

use std::collections::{BTreeMap, BTreeSet};

use crate::eliminate::Equation;

/// Hidden cells that hang together, and the equations they stand in.
pub(crate) struct Part {
    pub(crate) cells: BTreeSet<usize>,
    pub(crate) equations: Vec<usize>,
}

impl Part {
    /// Whether any published cell stands in its equations. Where none does, nothing published tells of these cells.
    pub(crate) fn touches_shown(&self, equations: &[Equation], hidden: &[bool]) -> bool {
        self.equations.iter().flat_map(|index| &equations[*index]).any(|(cell, _)| !hidden[*cell])
    }
}

pub(crate) fn connected(equations: &[Equation], hidden: &[bool]) -> Vec<Part> {
    let mut leader: Vec<usize> = (0..hidden.len()).collect();
    fn find(leader: &mut [usize], mut cell: usize) -> usize {
        while leader[cell] != cell {
            leader[cell] = leader[leader[cell]];
            cell = leader[cell];
        }
        cell
    }
    for equation in equations {
        let mut cells = equation.iter().map(|(cell, _)| *cell).filter(|cell| hidden[*cell]);
        let Some(first) = cells.next() else { continue };
        for cell in cells {
            let (a, b) = (find(&mut leader, first), find(&mut leader, cell));
            leader[a.max(b)] = a.min(b);
        }
    }
    let mut parts: BTreeMap<usize, Part> = BTreeMap::new();
    for (index, equation) in equations.iter().enumerate() {
        for (cell, _) in equation.iter().filter(|(cell, _)| hidden[*cell]) {
            let part = parts
                .entry(find(&mut leader, *cell))
                .or_insert_with(|| Part { cells: BTreeSet::new(), equations: Vec::new() });
            part.cells.insert(*cell);
            if part.equations.last() != Some(&index) {
                part.equations.push(index);
            }
        }
    }
    parts.into_values().collect()
}
