//! Moments of one chunk of rows: the inner loops of [`SufficientStatistics`](super::SufficientStatistics).

use super::moments::{merge_moments, packed_len};
use crate::error::{Result, StatsError};
use crate::linear_algebra::{Simd, VectorKernel, with_vector_instructions};
use std::ops::Range;

/// Rows with one centre, the mean of their first panel. What that misses of their own mean is taken off at the end. Where the rows
/// drift, this costs a factor of at most BLOCK_ROWS/PANEL_ROWS in precision: four bits of fifty-three.
const BLOCK_ROWS: usize = 4096;

/// Rows centred and multiplied together: 13 columns of them stay in the first-level cache.
const PANEL_ROWS: usize = 256;

/// Distance between columns of a panel. A power of two would put all columns into the same few sets of the cache.
const STRIDE: usize = PANEL_ROWS + 24;

/// Rows of a panel are filled up with zeros to a multiple of this, which the lanes of every processor divide.
const LANES: usize = 8;

/// Numbers that a tile's sums take in memory between two panels.
const TILE_SUMS: usize = TILE * TILE * LANES;

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

/// A panel of centred columns, `STRIDE` apart, and the same times the weights; sums of a block's panels so far.
struct Panels {
    centred: Vec<f64>,
    weighted: Vec<f64>,
    /// Running sums of each centred column.
    sums: Vec<[f64; LANES]>,
    /// Running sums of products, tile after tile.
    products: Vec<f64>,
}

impl Scratch {
    pub fn new(q: usize) -> Self {
        Scratch {
            values: vec![Vec::new(); q],
            weights: Vec::new(),
            panels: Panels {
                centred: vec![0.0; q * STRIDE],
                weighted: vec![0.0; q * STRIDE],
                sums: vec![[0.0; LANES]; q],
                products: vec![0.0; packed_len(q.div_ceil(TILE)) * TILE_SUMS],
            },
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
        let BlockMoments { columns, weights, panels: Panels { centred, weighted, sums, products }, block } = self;
        let (q, n) = (columns.len(), columns.first().map_or(0, |c| c.len()));
        block.weight = weights.map_or(n as f64, |w| w.iter().sum());
        // Weights may leave the first panel next to nothing, so that weighted rows are centred at their own mean.
        for (m, column) in block.mean.iter_mut().zip(columns) {
            *m = match weights {
                None => mean_of(&column[..n.min(PANEL_ROWS)]),
                Some(w) => column.iter().zip(w).map(|(v, w)| v * w).sum::<f64>() / block.weight,
            };
        }
        sums.fill([0.0; LANES]);
        products.fill(0.0);
        for from in (0..n).step_by(PANEL_ROWS) {
            let to = (from + PANEL_ROWS).min(n);
            let padded = (to - from).next_multiple_of(LANES);
            let outs = centred.chunks_exact_mut(STRIDE);
            for (((m, column), out), sum) in block.mean.iter().zip(columns).zip(outs).zip(sums.iter_mut()) {
                centre(&column[from..to], *m, &mut out[..padded], sum);
            }
            if let Some(w) = weights {
                for (left, out) in centred.chunks_exact(STRIDE).zip(weighted.chunks_exact_mut(STRIDE)) {
                    for ((o, v), w) in out.iter_mut().zip(left).zip(&w[from..to]) {
                        *o = v * w;
                    }
                    out[to - from..padded].fill(0.0);
                }
            }
            let right = if weights.is_some() { &*weighted } else { &*centred };
            cross_products(simd, centred, right, q, padded, products);
        }
        fold_products(products, q, &mut block.cross);
        if weights.is_none() {
            let missed: Vec<f64> = sums.iter().map(|lanes| fold(lanes) / n as f64).collect();
            for b in 0..q {
                for a in 0..=b {
                    block.cross[b * (b + 1) / 2 + a] -= n as f64 * missed[a] * missed[b];
                }
            }
            block.mean.iter_mut().zip(&missed).for_each(|(m, d)| *m += d);
        }
        // A sum of squares that rounding took below 0 is 0.
        for k in 0..q {
            let own = &mut block.cross[k * (k + 1) / 2 + k];
            *own = if *own < 0.0 { 0.0 } else { *own };
        }
    }
}

/// Eight running sums as one, always in the same order.
#[inline(always)]
fn fold(l: &[f64]) -> f64 {
    ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]))
}

/// Mean of a column: eight running sums, folded in a fixed order.
#[inline(always)]
fn mean_of(column: &[f64]) -> f64 {
    let (chunks, rest) = column.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for chunk in chunks {
        for (sum, v) in lanes.iter_mut().zip(chunk) {
            *sum += v;
        }
    }
    (fold(&lanes) + rest.iter().sum::<f64>()) / column.len() as f64
}

/// Writes `column` less `m` to `out`, filled up with zeros, and adds it to the running sums.
#[inline(always)]
fn centre(column: &[f64], m: f64, out: &mut [f64], sums: &mut [f64; LANES]) {
    let (chunks, rest) = column.as_chunks::<LANES>();
    let (outs, _) = out.as_chunks_mut::<LANES>();
    let mut lanes = *sums;
    for (out, chunk) in outs.iter_mut().zip(chunks) {
        for l in 0..LANES {
            out[l] = chunk[l] - m;
            lanes[l] += out[l];
        }
    }
    if let Some(out) = outs.get_mut(chunks.len()) {
        *out = [0.0; LANES];
        for (l, v) in rest.iter().enumerate() {
            out[l] = v - m;
            lanes[l] += out[l];
        }
    }
    *sums = lanes;
}

/// Adds the running sums of products, tile after tile, into the packed matrix.
#[inline(always)]
fn fold_products(products: &[f64], q: usize, cross: &mut [f64]) {
    let mut tiles = products.chunks_exact(TILE_SUMS);
    for b in (0..q).step_by(TILE) {
        for a in (0..=b).step_by(TILE) {
            let Some(tile) = tiles.next() else { return };
            for i in 0..(q - a).min(TILE) {
                for k in (0..(q - b).min(TILE)).filter(|k| a + i <= b + k) {
                    let lanes = (i * TILE + k) * LANES;
                    cross[(b + k) * (b + k + 1) / 2 + a + i] = fold(&tile[lanes..lanes + LANES]);
                }
            }
        }
    }
}

/// Adds all inner products of the first `n` rows of two panels, in tiles of columns whose sums stay in registers.
#[inline(always)]
fn cross_products<S: Simd>(simd: S, left: &[f64], right: &[f64], q: usize, n: usize, products: &mut [f64]) {
    let mut tiles = products.chunks_exact_mut(TILE_SUMS);
    for b in (0..q).step_by(TILE) {
        for a in (0..=b).step_by(TILE) {
            let Some(sums) = tiles.next() else { return };
            match ((q - a).min(TILE), (q - b).min(TILE)) {
                (1, _) => tile::<S, 1, 1>(simd, left, right, (a, b), n, sums),
                (2, _) => tile::<S, 2, 2>(simd, left, right, (a, b), n, sums),
                (_, 1) => tile::<S, TILE, 1>(simd, left, right, (a, b), n, sums),
                (_, 2) => tile::<S, TILE, 2>(simd, left, right, (a, b), n, sums),
                (_, _) => tile::<S, TILE, TILE>(simd, left, right, (a, b), n, sums),
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
    kept: &mut [f64],
) {
    // Equal lengths that the compiler can see: no bounds to check inside.
    let steps = n / S::F64_LANES;
    let rows = |k: usize| k * STRIDE..k * STRIDE + n;
    let x: [&[S::f64s]; A] = std::array::from_fn(|i| &S::as_simd_f64s(&left[rows(a + i)]).0[..steps]);
    let z: [&[S::f64s]; B] = std::array::from_fn(|k| &S::as_simd_f64s(&right[rows(b + k)]).0[..steps]);
    let place = |i: usize, k: usize| (i * TILE + k) * LANES..(i * TILE + k + 1) * LANES;
    let mut sums: [[S::f64s; B]; A] =
        std::array::from_fn(|i| std::array::from_fn(|k| S::as_simd_f64s(&kept[place(i, k)]).0[0]));
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
        for (k, lanes) in row.iter().enumerate() {
            S::as_mut_simd_f64s(&mut kept[place(i, k)]).0[0] = *lanes;
        }
    }
}
