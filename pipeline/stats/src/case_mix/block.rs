//! Moments of one chunk of rows: the inner loops of [`SufficientStatistics`](super::SufficientStatistics).

use super::moments::{merge_moments, packed_len};
use crate::error::{Result, StatsError};
use crate::linear_algebra::{VectorKernel, with_vector_instructions};
use std::ops::Range;

/// Rows centred and multiplied together: long enough for the memory to be read in streams, short enough that their products
/// find them in the caches next to the processor.
const BLOCK_ROWS: usize = 512;

/// Distance between columns of a block. A power of two would put all columns into the same few sets of the cache.
const STRIDE: usize = BLOCK_ROWS + 24;

/// Independent sums per inner product, so that it vectorises. Fixed, because it decides the order of the sums: a processor
/// with wider registers gives the same bits.
const LANES: usize = 4;

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
    /// q columns, `STRIDE` apart.
    values: Vec<f64>,
    weighted: Vec<f64>,
    weights: Vec<f64>,
    block: Moments,
}

impl Scratch {
    pub fn new(q: usize) -> Self {
        Scratch {
            values: vec![0.0; q * STRIDE],
            weighted: vec![0.0; q * STRIDE],
            weights: vec![0.0; STRIDE],
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
    if let Some(bad) = here.iter().find(|u| **u as usize >= units) {
        return Err(StatsError::out_of_range("unit index", f64::from(*bad), "below the number of units"));
    }
    let order = if here.is_sorted() {
        Order::AsIs(rows.clone())
    } else {
        let mut permutation: Vec<u32> = (0..here.len() as u32).collect();
        permutation.sort_by_key(|&i| here[i as usize]);
        Order::Sorted(permutation, rows.start)
    };
    let unit_at = |i: usize| match &order {
        Order::AsIs(_) => here[i],
        Order::Sorted(permutation, _) => here[permutation[i] as usize],
    };
    let q = columns.len();
    let mut partials: Vec<Partial> = Vec::new();
    let mut start = 0;
    while start < here.len() {
        let unit = unit_at(start);
        let mut end = start + 1;
        while end < here.len() && unit_at(end) == unit {
            end += 1;
        }
        let mut partial = Partial {
            unit: unit as usize,
            plain: Moments::new(q),
            design: weights.map(|_| (Moments::new(q), Moments::new(q))),
        };
        for from in (start..end).step_by(BLOCK_ROWS) {
            let to = (from + BLOCK_ROWS).min(end);
            block_moments(scratch, &order, columns, from..to);
            check_block(&order, columns, from..to, &scratch.block.mean)?;
            absorb(&mut partial.plain, &scratch.block);
            if let (Some(weights), Some((w, w2))) = (weights, &mut partial.design) {
                for (square, target) in [(false, w), (true, w2)] {
                    fill(&order, columns, from..to, &mut scratch.values);
                    fill(&order, &[weights], from..to, &mut scratch.weights);
                    if square {
                        scratch.weights.iter_mut().for_each(|v| *v *= *v);
                    }
                    weighted_block_moments(scratch, q, to - from);
                    absorb(target, &scratch.block);
                }
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

fn fill(order: &Order, columns: &[&[f64]], rows: Range<usize>, values: &mut [f64]) {
    for (column, out) in columns.iter().zip(values.chunks_exact_mut(STRIDE)) {
        match order {
            Order::AsIs(all) => {
                out[..rows.len()].copy_from_slice(&column[all.start + rows.start..all.start + rows.end]);
            }
            Order::Sorted(permutation, offset) => {
                for (o, &i) in out.iter_mut().zip(&permutation[rows.clone()]) {
                    *o = column[offset + i as usize];
                }
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

fn block_moments(scratch: &mut Scratch, order: &Order, columns: &[&[f64]], rows: Range<usize>) {
    scratch.block.weight = rows.len() as f64;
    let Scratch { values, block, .. } = scratch;
    with_vector_instructions(CentredProducts { order, columns, rows, values, block });
}

/// Centres the columns of some rows, then multiplies them with each other.
struct CentredProducts<'a> {
    order: &'a Order,
    columns: &'a [&'a [f64]],
    rows: Range<usize>,
    values: &'a mut [f64],
    block: &'a mut Moments,
}

impl VectorKernel for CentredProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let n = self.rows.len();
        for (k, column) in self.columns.iter().enumerate() {
            let out = &mut self.values[k * STRIDE..k * STRIDE + BLOCK_ROWS];
            self.block.mean[k] = match self.order {
                Order::AsIs(all) => centre(&column[all.start + self.rows.start..all.start + self.rows.end], out),
                Order::Sorted(permutation, offset) => {
                    for (o, &i) in out.iter_mut().zip(&permutation[self.rows.clone()]) {
                        *o = column[offset + i as usize];
                    }
                    centre_in_place(&mut out[..n])
                }
            };
            out[n..n.next_multiple_of(LANES)].fill(0.0);
        }
        cross_products(self.values, self.values, self.columns.len(), n, &mut self.block.cross);
    }
}

fn weighted_block_moments(scratch: &mut Scratch, q: usize, n: usize) {
    let Scratch { values, weighted, weights, block } = scratch;
    block.weight = weights[..n].iter().sum();
    for k in 0..q {
        let column = &mut values[k * STRIDE..k * STRIDE + BLOCK_ROWS];
        let sum: f64 = column[..n].iter().zip(&weights[..n]).map(|(v, w)| v * w).sum();
        block.mean[k] = sum / block.weight;
        column[..n].iter_mut().for_each(|v| *v -= block.mean[k]);
        column[n..].fill(0.0);
        let products = &mut weighted[k * STRIDE..k * STRIDE + BLOCK_ROWS];
        for ((o, v), w) in products.iter_mut().zip(&*column).zip(&*weights) {
            *o = v * w;
        }
        products[n..].fill(0.0);
    }
    cross_products(values, weighted, q, n, &mut block.cross);
}

/// Writes `column` less its mean, and gives the mean.
#[inline(always)]
fn centre(column: &[f64], out: &mut [f64]) -> f64 {
    let mean = mean(column);
    for (o, v) in out.iter_mut().zip(column) {
        *o = v - mean;
    }
    mean
}

#[inline(always)]
fn centre_in_place(column: &mut [f64]) -> f64 {
    let mean = mean(column);
    column.iter_mut().for_each(|v| *v -= mean);
    mean
}

#[inline(always)]
fn mean(column: &[f64]) -> f64 {
    let mut lanes = [[0.0; LANES]; 4];
    let (groups, rest) = column.as_chunks::<{ 4 * LANES }>();
    for group in groups {
        for (lane, chunk) in lanes.iter_mut().zip(group.as_chunks::<LANES>().0) {
            for l in 0..LANES {
                lane[l] += chunk[l];
            }
        }
    }
    let [a, b, c, d] = lanes.map(fold);
    ((a + c) + (b + d) + rest.iter().sum::<f64>()) / column.len() as f64
}

/// All inner products of the first `n` rows, in tiles of columns whose sums stay in registers. Rows from `n` to whole lanes
/// are 0.
#[inline(always)]
fn cross_products(left: &[f64], right: &[f64], q: usize, n: usize, cross: &mut [f64]) {
    let n = n.next_multiple_of(LANES);
    for b in (0..q).step_by(TILE) {
        for a in (0..=b).step_by(TILE) {
            match ((q - a).min(TILE), (q - b).min(TILE)) {
                (1, _) => tile::<1, 1>(left, right, a, b, n, cross),
                (2, _) => tile::<2, 2>(left, right, a, b, n, cross),
                (_, 1) => tile::<TILE, 1>(left, right, a, b, n, cross),
                (_, 2) => tile::<TILE, 2>(left, right, a, b, n, cross),
                (_, _) => tile::<TILE, TILE>(left, right, a, b, n, cross),
            }
        }
    }
}

#[inline(always)]
fn tile<const A: usize, const B: usize>(left: &[f64], right: &[f64], a: usize, b: usize, n: usize, cross: &mut [f64]) {
    // Equal lengths that the compiler can see: no bounds to check inside.
    let steps = n / LANES;
    let rows = |k: usize| k * STRIDE..k * STRIDE + n;
    let x: [&[[f64; LANES]]; A] = std::array::from_fn(|i| &left[rows(a + i)].as_chunks().0[..steps]);
    let z: [&[[f64; LANES]]; B] = std::array::from_fn(|k| &right[rows(b + k)].as_chunks().0[..steps]);
    let mut sums = [[[0.0; LANES]; B]; A];
    for row in 0..steps {
        let zr: [[f64; LANES]; B] = std::array::from_fn(|k| z[k][row]);
        for i in 0..A {
            let xr = x[i][row];
            for k in 0..B {
                for l in 0..LANES {
                    sums[i][k][l] += xr[l] * zr[k][l];
                }
            }
        }
    }
    for (i, row) in sums.iter().enumerate() {
        for (k, lanes) in row.iter().enumerate().filter(|(k, _)| a + i <= b + k) {
            cross[(b + k) * (b + k + 1) / 2 + a + i] = fold(*lanes);
        }
    }
}

#[inline(always)]
fn fold(l: [f64; LANES]) -> f64 {
    (l[0] + l[2]) + (l[1] + l[3])
}
