//! Moments of one chunk of rows: the inner loops of [`SufficientStatistics`](super::SufficientStatistics).

use super::moments::{merge_moments, packed_len};
use crate::error::{Result, StatsError};
use crate::linear_algebra::{Simd, VectorKernel, with_vector_instructions};
use std::ops::Range;

/// Rows whose mean is taken before their products: long enough for the memory to be read in streams, short enough that the
/// second-level cache still holds them for the products.
const BLOCK_ROWS: usize = 4096;

/// Rows centred and multiplied together: 16 columns of them stay in the first-level cache.
const PANEL_ROWS: usize = 256;

/// Distance between columns of a panel. A power of two would put all columns into the same few sets of the cache.
const STRIDE: usize = PANEL_ROWS + 24;

/// Rows of a panel are filled up with zeros to a multiple of this, which the lanes of every processor divide.
const LANES: usize = 8;

/// Columns per side of a tile: nine sums and their operands fit in sixteen vector registers, and six columns that are read
/// give nine products.
const TILE: usize = 3;

/// Weighted moments of some rows of one unit.
#[derive(Debug, Clone)]
pub(super) struct Moments {
    pub weight: f64,
    pub mean: Vec<f64>,
    /// Packed: element (a ≤ b) at b(b+1)/2 + a.
    pub cross: Vec<f64>,
}

impl Moments {
    fn new(q: usize) -> Self {
        Moments { weight: 0.0, mean: vec![0.0; q], cross: vec![0.0; packed_len(q)] }
    }
}

/// What a chunk knows about one unit.
pub(super) struct Partial {
    pub unit: usize,
    pub plain: Moments,
    pub design: Option<(Moments, Moments)>,
}

/// Buffers that one thread uses again and again.
pub(super) struct Scratch {
    /// Columns gathered in the order of units, one vector each; empty while rows are sorted.
    values: Vec<Vec<f64>>,
    weights: Vec<f64>,
    panels: Panels,
    block: Moments,
}

/// A panel of centred columns, `STRIDE` apart, and the same times the weights.
struct Panels {
    centred: Vec<f64>,
    weighted: Vec<f64>,
}

impl Scratch {
    pub fn new(q: usize) -> Self {
        Scratch {
            values: vec![Vec::new(); q],
            weights: Vec::new(),
            panels: Panels { centred: vec![0.0; q * STRIDE], weighted: vec![0.0; q * STRIDE] },
            block: Moments::new(q),
        }
    }
}

/// Row numbers of a chunk: as they stand, or in the order of their units.
enum Order {
    AsIs(Range<usize>),
    Sorted(Vec<u32>, usize),
}

/// The moments of every unit in `rows`, in increasing order of unit.
pub(super) fn chunk_partials(
    units: usize,
    unit_of: &[u32],
    columns: &[&[f64]],
    weights: Option<&[f64]>,
    rows: Range<usize>,
    scratch: &mut Scratch,
) -> Result<Vec<Partial>> {
    let here = &unit_of[rows.clone()];
    let sorted = here.is_sorted();
    let largest = if sorted { here.last() } else { here.iter().max() };
    if let Some(bad) = largest.filter(|u| **u as usize >= units) {
        return Err(StatsError::out_of_range("unit index", f64::from(*bad), "below the number of units"));
    }
    let order = if sorted {
        Order::AsIs(rows.clone())
    } else {
        let mut permutation: Vec<u32> = (0..here.len() as u32).collect();
        permutation.sort_by_key(|&i| here[i as usize]);
        Order::Sorted(permutation, rows.start)
    };
    // The unit of the row at `start`, and where its rows end.
    let run_from = |start: usize| match &order {
        Order::AsIs(_) => {
            let unit = here[start];
            (unit, start + here[start..].partition_point(|u| *u == unit))
        }
        Order::Sorted(permutation, _) => {
            let unit = here[permutation[start] as usize];
            (unit, start + permutation[start..].partition_point(|&i| here[i as usize] == unit))
        }
    };
    let q = columns.len();
    let mut partials: Vec<Partial> = Vec::new();
    let mut start = 0;
    while start < here.len() {
        let (unit, end) = run_from(start);
        let mut partial = Partial {
            unit: unit as usize,
            plain: Moments::new(q),
            design: weights.map(|_| (Moments::new(q), Moments::new(q))),
        };
        for from in (start..end).step_by(BLOCK_ROWS) {
            let rows = from..(from + BLOCK_ROWS).min(end);
            let Scratch { values, weights: own, panels, block } = scratch;
            let here: Vec<&[f64]> =
                columns.iter().zip(values).map(|(column, buffer)| order.take(column, rows.clone(), buffer)).collect();
            with_vector_instructions(BlockMoments { columns: &here, weights: None, panels, block });
            check_block(&order, columns, rows.clone(), &block.mean)?;
            absorb(&mut partial.plain, block);
            if let (Some(weights), Some((w, w2))) = (weights, &mut partial.design) {
                let first = order.take(weights, rows.clone(), own);
                with_vector_instructions(BlockMoments { columns: &here, weights: Some(first), panels, block });
                absorb(w, block);
                let squares: Vec<f64> = first.iter().map(|w| w * w).collect();
                with_vector_instructions(BlockMoments { columns: &here, weights: Some(&squares), panels, block });
                absorb(w2, block);
            }
        }
        partials.push(partial);
        start = end;
    }
    Ok(partials)
}

fn absorb(target: &mut Moments, block: &Moments) {
    target.weight =
        merge_moments(target.weight, &mut target.mean, &mut target.cross, block.weight, &block.mean, &block.cross);
}

impl Order {
    /// The values of some rows: where they stand, or gathered in `buffer`.
    fn take<'a>(&self, column: &'a [f64], rows: Range<usize>, buffer: &'a mut Vec<f64>) -> &'a [f64] {
        match self {
            Order::AsIs(all) => &column[all.start + rows.start..all.start + rows.end],
            Order::Sorted(permutation, offset) => {
                buffer.clear();
                buffer.extend(permutation[rows].iter().map(|&i| column[offset + i as usize]));
                buffer
            }
        }
    }
}

/// A mean is finite only when all its values are, up to overflow; then look for the row.
fn check_block(order: &Order, columns: &[&[f64]], rows: Range<usize>, mean: &[f64]) -> Result<()> {
    if mean.iter().all(|m| m.is_finite()) {
        return Ok(());
    }
    let row_at = |i: usize| match order {
        Order::AsIs(all) => all.start + i,
        Order::Sorted(permutation, offset) => offset + permutation[i] as usize,
    };
    let rows: Vec<usize> = rows.map(row_at).collect();
    for (k, column) in columns.iter().enumerate() {
        let what = if k + 1 == columns.len() { "outcome" } else { "adjuster" };
        if let Some(&index) = rows.iter().find(|&&i| !column[i].is_finite()) {
            return Err(StatsError::NotFinite { what, index });
        }
    }
    Err(StatsError::NotFinite { what: "sum of values", index: rows[0] })
}

/// Moments of some columns of equal length, under weights or plain.
struct BlockMoments<'a> {
    columns: &'a [&'a [f64]],
    weights: Option<&'a [f64]>,
    panels: &'a mut Panels,
    block: &'a mut Moments,
}

impl VectorKernel for BlockMoments<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let BlockMoments { columns, weights, panels: Panels { centred, weighted }, block } = self;
        let (q, n) = (columns.len(), columns.first().map_or(0, |c| c.len()));
        block.weight = weights.map_or(n as f64, |w| w.iter().sum());
        match weights {
            None => means(columns, &mut block.mean),
            Some(w) => {
                for (m, column) in block.mean.iter_mut().zip(columns) {
                    *m = column.iter().zip(w).map(|(v, w)| v * w).sum::<f64>() / block.weight;
                }
            }
        }
        block.cross.fill(0.0);
        for from in (0..n).step_by(PANEL_ROWS) {
            let to = (from + PANEL_ROWS).min(n);
            let padded = (to - from).next_multiple_of(LANES);
            for ((m, column), out) in block.mean.iter().zip(columns).zip(centred.chunks_exact_mut(STRIDE)) {
                for (o, v) in out.iter_mut().zip(&column[from..to]) {
                    *o = v - m;
                }
                out[to - from..padded].fill(0.0);
            }
            match weights {
                None => cross_products(simd, centred, centred, q, padded, &mut block.cross),
                Some(w) => {
                    for (left, out) in centred.chunks_exact(STRIDE).zip(weighted.chunks_exact_mut(STRIDE)) {
                        for ((o, v), w) in out.iter_mut().zip(left).zip(&w[from..to]) {
                            *o = v * w;
                        }
                        out[to - from..padded].fill(0.0);
                    }
                    cross_products(simd, centred, weighted, q, padded, &mut block.cross);
                }
            }
        }
    }
}

/// Columns summed side by side: more of them on their way from memory at a time.
const SIDE_BY_SIDE: usize = 4;

#[inline(always)]
fn means(columns: &[&[f64]], out: &mut [f64]) {
    let (groups, rest) = columns.as_chunks::<SIDE_BY_SIDE>();
    let (out_groups, out_rest) = out.as_chunks_mut::<SIDE_BY_SIDE>();
    for (group, out) in groups.iter().zip(out_groups) {
        *out = mean_of(*group);
    }
    for (column, out) in rest.iter().zip(out_rest) {
        *out = mean_of([*column])[0];
    }
}

/// Means of columns of equal length: eight running sums each, folded in a fixed order.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "one index for several columns, so that they are read side by side")]
fn mean_of<const C: usize>(columns: [&[f64]; C]) -> [f64; C] {
    let n = columns[0].len();
    let chunks: [&[[f64; 8]]; C] = std::array::from_fn(|c| &columns[c][..n].as_chunks::<8>().0[..n / 8]);
    let mut lanes = [[0.0; 8]; C];
    for row in 0..n / 8 {
        for c in 0..C {
            for l in 0..8 {
                lanes[c][l] += chunks[c][row][l];
            }
        }
    }
    std::array::from_fn(|c| {
        let l = lanes[c];
        let sum = ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]));
        (sum + columns[c][n / 8 * 8..].iter().sum::<f64>()) / n as f64
    })
}

/// Adds all inner products of the first `n` rows of two panels, in tiles of columns whose sums stay in registers.
#[inline(always)]
fn cross_products<S: Simd>(simd: S, left: &[f64], right: &[f64], q: usize, n: usize, cross: &mut [f64]) {
    for b in (0..q).step_by(TILE) {
        for a in (0..=b).step_by(TILE) {
            match ((q - a).min(TILE), (q - b).min(TILE)) {
                (1, _) => tile::<S, 1, 1>(simd, left, right, (a, b), n, cross),
                (2, _) => tile::<S, 2, 2>(simd, left, right, (a, b), n, cross),
                (_, 1) => tile::<S, TILE, 1>(simd, left, right, (a, b), n, cross),
                (_, 2) => tile::<S, TILE, 2>(simd, left, right, (a, b), n, cross),
                (_, _) => tile::<S, TILE, TILE>(simd, left, right, (a, b), n, cross),
            }
        }
    }
}

#[inline(always)]
fn tile<S: Simd, const A: usize, const B: usize>(
    simd: S,
    left: &[f64],
    right: &[f64],
    (a, b): (usize, usize),
    n: usize,
    cross: &mut [f64],
) {
    // Equal lengths that the compiler can see: no bounds to check inside.
    let steps = n / S::F64_LANES;
    let rows = |k: usize| k * STRIDE..k * STRIDE + n;
    let x: [&[S::f64s]; A] = std::array::from_fn(|i| &S::as_simd_f64s(&left[rows(a + i)]).0[..steps]);
    let z: [&[S::f64s]; B] = std::array::from_fn(|k| &S::as_simd_f64s(&right[rows(b + k)]).0[..steps]);
    let mut sums = [[simd.splat_f64s(0.0); B]; A];
    for row in 0..steps {
        let zr: [S::f64s; B] = std::array::from_fn(|k| z[k][row]);
        for (x, sums) in x.iter().zip(&mut sums) {
            let xr = x[row];
            for (sum, zr) in sums.iter_mut().zip(zr) {
                *sum = simd.mul_add_f64s(xr, zr, *sum);
            }
        }
    }
    for (i, row) in sums.iter().enumerate() {
        for (k, lanes) in row.iter().enumerate().filter(|(k, _)| a + i <= b + k) {
            cross[(b + k) * (b + k + 1) / 2 + a + i] += simd.reduce_sum_f64s(*lanes);
        }
    }
}
