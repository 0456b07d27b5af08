//! Moments of one chunk of rows: the inner loops of [`SufficientStatistics`](super::SufficientStatistics).

use super::moments::{merge_moments, packed_len};
use crate::error::{Result, StatsError};
use std::ops::Range;

/// Rows centred and multiplied together; a block of 16 columns stays in the first-level cache.
const BLOCK_ROWS: usize = 256;

/// Independent sums per inner product, so that it vectorises. Fixed, because it decides the order of the sums.
const LANES: usize = 8;

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
    /// q rows of `BLOCK_ROWS` values.
    values: Vec<f64>,
    weighted: Vec<f64>,
    weights: Vec<f64>,
    block: Moments,
}

impl Scratch {
    pub fn new(q: usize) -> Self {
        Scratch {
            values: vec![0.0; q * BLOCK_ROWS],
            weighted: vec![0.0; q * BLOCK_ROWS],
            weights: vec![0.0; BLOCK_ROWS],
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
            fill(&order, columns, from..to, &mut scratch.values);
            block_moments(scratch, q, to - from);
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
    target.weight = merge_moments(
        target.weight,
        &mut target.mean,
        &mut target.cross,
        block.weight,
        &block.mean,
        &block.cross,
    );
}

fn fill(order: &Order, columns: &[&[f64]], rows: Range<usize>, values: &mut [f64]) {
    for (column, out) in columns.iter().zip(values.chunks_exact_mut(BLOCK_ROWS)) {
        match order {
            Order::AsIs(all) => out[..rows.len()]
                .copy_from_slice(&column[all.start + rows.start..all.start + rows.end]),
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

fn block_moments(scratch: &mut Scratch, q: usize, n: usize) {
    let inverse = 1.0 / n as f64;
    scratch.block.weight = n as f64;
    for (column, mean) in scratch.values.chunks_exact_mut(BLOCK_ROWS).zip(&mut scratch.block.mean) {
        let column = &mut column[..n];
        *mean = lane_sum(column) * inverse;
        let m = *mean;
        column.iter_mut().for_each(|v| *v -= m);
    }
    cross_products(&scratch.values, &scratch.values, q, n, &mut scratch.block.cross);
}

fn weighted_block_moments(scratch: &mut Scratch, q: usize, n: usize) {
    let weights = &scratch.weights[..n];
    let total = lane_sum(weights);
    scratch.block.weight = total;
    for k in 0..q {
        let range = k * BLOCK_ROWS..k * BLOCK_ROWS + n;
        let mean = inner(&scratch.values[range.clone()], weights) / total;
        scratch.block.mean[k] = mean;
        for (i, w) in range.zip(weights) {
            scratch.values[i] -= mean;
            scratch.weighted[i] = w * scratch.values[i];
        }
    }
    cross_products(&scratch.values, &scratch.weighted, q, n, &mut scratch.block.cross);
}

fn cross_products(left: &[f64], right: &[f64], q: usize, n: usize, cross: &mut [f64]) {
    for b in 0..q {
        let rb = &right[b * BLOCK_ROWS..b * BLOCK_ROWS + n];
        for a in 0..=b {
            cross[b * (b + 1) / 2 + a] = inner(&left[a * BLOCK_ROWS..a * BLOCK_ROWS + n], rb);
        }
    }
}

fn lane_sum(values: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest: f64 = chunks.remainder().iter().sum();
    for chunk in chunks {
        for (l, v) in lanes.iter_mut().zip(chunk) {
            *l += v;
        }
    }
    fold(lanes) + rest
}

fn inner(x: &[f64], z: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let (xc, zc) = (x.chunks_exact(LANES), z.chunks_exact(LANES));
    let rest: f64 = xc.remainder().iter().zip(zc.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in xc.zip(zc) {
        for l in 0..LANES {
            lanes[l] += a[l] * b[l];
        }
    }
    fold(lanes) + rest
}

fn fold(l: [f64; LANES]) -> f64 {
    ((l[0] + l[4]) + (l[1] + l[5])) + ((l[2] + l[6]) + (l[3] + l[7]))
}
