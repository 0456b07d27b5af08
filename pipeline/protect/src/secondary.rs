//! Which further cells to withhold, so that no primary cell can be worked out.
//!
//! In rounds: find every primary cell that the shown ones determine (or bound too narrowly) and, for each, the shown
//! cells it is worked out from. Withholding any one of those breaks that derivation. The cell that breaks the most
//! derivations per person is taken first, ties by unit, period and stratum: in a plain tree that is the smallest sibling,
//! or the total where there is no sibling. Rounds end because each withholds at least one more cell. Afterwards cells that
//! turn out not to be needed are shown again, dearest first.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use crate::{
    bounds,
    eliminate::{self, Derivation, Equation},
    parts::{Part, connected},
    pattern::Pattern,
    ratio::Overflow,
};

/// Above so many hidden cells in one connected part, unneeded cells are not searched for: safe, only less generous.
const TIDY_CELLS_MAX: usize = 300;

/// Completes `pattern.hidden`, so that none of `systems` by itself gives a primary cell away.
///
/// # Errors
/// When exact arithmetic overflows.
pub(crate) fn complete(systems: &[&[Equation]], pattern: &mut Pattern) -> Result<(), Overflow> {
    let mut tight = vec![Tight::new(); systems.len()];
    loop {
        let chosen = cover(&leaks_by_parts(systems, pattern, &mut tight)?, pattern);
        if chosen.is_empty() {
            break;
        }
        chosen.into_iter().for_each(|cell| pattern.hidden[cell] = true);
    }
    for cell in told(systems, pattern)? {
        pattern.hidden[cell] = false;
    }
    tidy(systems, pattern)
}

/// The cells to withhold because primary ones are still given away.
pub(crate) fn leaking(systems: &[&[Equation]], pattern: &Pattern) -> Result<BTreeSet<usize>, Overflow> {
    let leaks = leaks_by_parts(systems, pattern, &mut vec![Tight::new(); systems.len()])?;
    Ok(cover(&leaks, pattern))
}

/// Secondary cells that the shown ones determine in each of `systems`: they protect nothing, and showing them tells no more
/// than is told.
pub(crate) fn told(systems: &[&[Equation]], pattern: &Pattern) -> Result<BTreeSet<usize>, Overflow> {
    let mut told: BTreeSet<usize> =
        (0..pattern.hidden.len()).filter(|cell| pattern.hidden[*cell] && may_be_secondary(pattern, *cell)).collect();
    for equations in systems {
        let determined = eliminate::solve(equations, &pattern.hidden)?.determined.into_iter();
        let cells: BTreeSet<usize> = determined.map(|derivation| derivation.cell).collect();
        told.retain(|cell| cells.contains(cell));
    }
    Ok(told)
}

/// Parts without a leak: their first cell and their size. While nothing is shown again, a part changes by growing.
type Tight = BTreeSet<(Option<usize>, usize)>;

/// Leaks of every system, each with its own `tight` parts.
fn leaks_by_parts(
    systems: &[&[Equation]],
    pattern: &Pattern,
    tight: &mut [Tight],
) -> Result<Vec<Derivation>, Overflow> {
    let mut all = Vec::new();
    for (equations, tight) in systems.iter().zip(tight) {
        all.extend(leaks_by_part(equations, pattern, tight)?);
    }
    Ok(all)
}

/// The leaks of a system, part by part and side by side: nothing outside a part bears on it. Parts in `tight` have none, and
/// those that are found to have none come to it.
fn leaks_by_part(equations: &[Equation], pattern: &Pattern, tight: &mut Tight) -> Result<Vec<Derivation>, Overflow> {
    let name = |part: &Part| (part.cells.first().copied(), part.cells.len());
    let mut parts = connected(equations, &pattern.hidden);
    parts.retain(|part| part.cells.iter().any(|cell| pattern.primary[*cell]) && !tight.contains(&name(part)));
    let leaks_of = |part: &Part| {
        let (cells, own) = by_itself(part, equations);
        let mut found = leaks(&own, &pattern.of_cells(&cells))?;
        for leak in &mut found {
            leak.cell = cells[leak.cell];
            leak.uses.iter_mut().for_each(|cell| *cell = cells[*cell]);
        }
        Ok(found)
    };
    let found: Vec<Vec<Derivation>> = parts.par_iter().map(leaks_of).collect::<Result<_, Overflow>>()?;
    tight.extend(parts.iter().zip(&found).filter(|(_, leaks)| leaks.is_empty()).map(|(part, _)| name(part)));
    Ok(found.concat())
}

/// All cells in the equations of a part, and the equations by their places among these.
fn by_itself(part: &Part, equations: &[Equation]) -> (Vec<usize>, Vec<Equation>) {
    let cells: BTreeSet<usize> =
        part.equations.iter().flat_map(|index| &equations[*index]).map(|(cell, _)| *cell).collect();
    let cells: Vec<usize> = cells.into_iter().collect();
    let place = |cell: &usize| cells.partition_point(|other| other < cell);
    let local = |index: &usize| equations[*index].iter().map(|(cell, c)| (place(cell), *c)).collect();
    let own = part.equations.iter().map(local).collect();
    (cells, own)
}

/// Leaks of every system, of few cells.
fn leaks_of(systems: &[&[Equation]], pattern: &Pattern) -> Result<Vec<Derivation>, Overflow> {
    let mut all = Vec::new();
    for equations in systems {
        all.extend(leaks(equations, pattern)?);
    }
    Ok(all)
}

/// What more to withhold because of the cells `exposed`: of what is shown nearest to each, the cheapest that serve. Done again
/// and again this ends at the latest where nothing that bears on them is shown.
pub(crate) fn around(equations: &[Equation], pattern: &Pattern, exposed: &[usize]) -> BTreeSet<usize> {
    let surroundings = Surroundings::of(equations, pattern);
    let near = |cell: &usize| Derivation { cell: *cell, uses: surroundings.nearest_shown(*cell) };
    cover(&exposed.iter().map(near).collect::<Vec<_>>(), pattern)
}

fn may_be_secondary(pattern: &Pattern, cell: usize) -> bool {
    pattern.listed[cell] && !pattern.primary[cell]
}

/// Every primary cell that is given away, and by which shown cells. What none of them gives away is no leak: there the
/// reading itself contradicts the table, since it takes a cell for empty that is not.
fn leaks(equations: &[Equation], pattern: &Pattern) -> Result<Vec<Derivation>, Overflow> {
    let determined = eliminate::solve(equations, &pattern.hidden)?.determined;
    let mut unknown = pattern.hidden.clone();
    determined.iter().for_each(|derivation| unknown[derivation.cell] = false);
    let mut leaks: Vec<Derivation> =
        determined.into_iter().filter(|derivation| pattern.primary[derivation.cell]).collect();
    let narrow = pattern.counts.iter().flat_map(|counts| bounds::too_narrow(equations, &unknown, pattern, counts));
    let narrow: Vec<usize> = narrow.map(|(cell, _)| cell).collect();
    if !narrow.is_empty() {
        let surroundings = Surroundings::of(equations, pattern);
        leaks.extend(narrow.into_iter().map(|cell| Derivation { cell, uses: surroundings.nearest_shown(cell) }));
    }
    leaks.retain(|leak| !leak.uses.is_empty());
    Ok(leaks)
}

/// Which cells stand together in equations.
struct Surroundings<'a> {
    equations: &'a [Equation],
    of_cell: BTreeMap<usize, Vec<usize>>,
    pattern: &'a Pattern,
}

impl<'a> Surroundings<'a> {
    fn of(equations: &'a [Equation], pattern: &'a Pattern) -> Self {
        let mut of_cell: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, equation) in equations.iter().enumerate() {
            for (cell, _) in equation.iter().filter(|(cell, _)| pattern.hidden[*cell]) {
                of_cell.entry(*cell).or_default().push(index);
            }
        }
        Self { equations, of_cell, pattern }
    }

    /// The shown cells that bound `cell`: those in its own equations or, where all is hidden there, in the equations of
    /// the cells around it, and so on.
    fn nearest_shown(&self, cell: usize) -> Vec<usize> {
        let mut seen = BTreeSet::from([cell]);
        let mut front = vec![cell];
        while !front.is_empty() {
            let equations = front.iter().filter_map(|cell| self.of_cell.get(cell)).flatten();
            let around: BTreeSet<usize> =
                equations.flat_map(|index| &self.equations[*index]).map(|(other, _)| *other).collect();
            let shown: Vec<usize> = around.iter().copied().filter(|other| !self.pattern.hidden[*other]).collect();
            if !shown.is_empty() {
                return shown;
            }
            front = around.into_iter().filter(|other| seen.insert(*other)).collect();
        }
        Vec::new()
    }
}

/// Shown cells that together break every leak, by the greedy rule of weighted set cover.
fn cover(leaks: &[Derivation], pattern: &Pattern) -> BTreeSet<usize> {
    let mut open: BTreeSet<usize> = (0..leaks.len()).collect();
    let mut chosen = BTreeSet::new();
    while !open.is_empty() {
        let mut breaks: BTreeMap<usize, u64> = BTreeMap::new();
        for leak in &open {
            for cell in leaks[*leak].uses.iter().filter(|cell| !pattern.hidden[**cell]) {
                *breaks.entry(*cell).or_default() += 1;
            }
        }
        let price = |cell: usize, broken: u64| (u128::from(pattern.cost[cell]), u128::from(broken));
        let best = breaks.iter().map(|(cell, broken)| (*cell, price(*cell, *broken))).min_by(|(a, x), (b, y)| {
            // cost / broken compared without rounding.
            (x.0 * y.1).cmp(&(y.0 * x.1)).then(a.cmp(b))
        });
        let Some((cell, _)) = best else { break };
        chosen.insert(cell);
        open.retain(|leak| !leaks[*leak].uses.contains(&cell));
    }
    chosen
}

/// Shows again what need not be withheld, part by part: nothing outside a part bears on it.
fn tidy(systems: &[&[Equation]], pattern: &mut Pattern) -> Result<(), Overflow> {
    let all: Vec<Equation> = systems.iter().flat_map(|equations| equations.iter().cloned()).collect();
    // Which system an equation belongs to, by its place in `all`.
    let ends: Vec<usize> = systems
        .iter()
        .scan(0, |end, equations| {
            *end += equations.len();
            Some(*end)
        })
        .collect();
    for part in connected(&all, &pattern.hidden) {
        let is_open = part.cells.iter().any(|cell| may_be_secondary(pattern, *cell));
        if part.cells.len() > TIDY_CELLS_MAX || !is_open {
            continue;
        }
        let (cells, equations) = by_itself(&part, &all);
        let mut own: Vec<Vec<Equation>> = vec![Vec::new(); systems.len()];
        for (index, equation) in part.equations.iter().zip(equations) {
            own[ends.partition_point(|end| end <= index)].push(equation);
        }
        let own: Vec<&[Equation]> = own.iter().map(Vec::as_slice).collect();
        let mut local = pattern.of_cells(&cells);
        show_what_is_not_needed(&own, &mut local)?;
        for (cell, hidden) in cells.iter().zip(local.hidden) {
            pattern.hidden[*cell] = hidden;
        }
    }
    Ok(())
}

/// Dearest first.
fn show_what_is_not_needed(systems: &[&[Equation]], pattern: &mut Pattern) -> Result<(), Overflow> {
    let hidden = |cell: &usize| pattern.hidden[*cell] && may_be_secondary(pattern, *cell);
    let mut secondary: Vec<usize> = (0..pattern.hidden.len()).filter(hidden).collect();
    secondary.sort_by_key(|cell| (std::cmp::Reverse(pattern.cost[*cell]), *cell));
    for cell in secondary {
        pattern.hidden[cell] = false;
        if tells_at_once(systems, pattern, cell) || !leaks_of(systems, pattern)?.is_empty() {
            pattern.hidden[cell] = true;
        }
    }
    Ok(())
}

/// Whether the shown `cell` stands in an equation in which nothing is hidden but one primary cell: mostly so, and quickly seen.
fn tells_at_once(systems: &[&[Equation]], pattern: &Pattern, cell: usize) -> bool {
    let with_cell = systems.iter().copied().flatten().filter(|equation| equation.iter().any(|(own, _)| *own == cell));
    with_cell.into_iter().any(|equation| {
        let mut hidden = equation.iter().map(|(other, _)| *other).filter(|other| pattern.hidden[*other]);
        matches!((hidden.next(), hidden.next()), (Some(only), None) if pattern.primary[only])
    })
}
