//! Respondents with a unit, a score and twelve adjusters, made from their row numbers alone.

/// Adjusters: age, and eleven indicators as case mix has them.
pub const ADJUSTERS: usize = 12;

/// Some rows, one vector a column.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    pub units: Vec<u32>,
    pub y: Vec<f64>,
    pub x: Vec<Vec<f64>>,
}

/// A 64-bit mixer: the same matrix everywhere, without a generator's state.
fn mixed(seed: u64) -> f64 {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x1234_5678_9abc_def1);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) as f64 / u64::MAX as f64
}

/// Rows `from..to` of `n` rows in `units` units, sorted by unit.
pub fn rows(from: usize, to: usize, n: usize, units: usize) -> Rows {
    let unit: Vec<u32> = (from..to).map(|i| (i * units / n) as u32).collect();
    let x: Vec<Vec<f64>> = (0..ADJUSTERS)
        .map(|k| {
            let at = |i: usize| mixed((i * ADJUSTERS + k) as u64);
            (from..to).map(|i| if k == 0 { 20.0 + 70.0 * at(i) } else { f64::from(at(i) < 0.3) }).collect()
        })
        .collect();
    let y = (from..to)
        .map(|i| {
            let here = i - from;
            let own = 5.0 * (mixed(u64::from(unit[here]) + 77) - 0.5);
            let error: f64 = (0..4).map(|k| mixed((i * 4 + k) as u64 ^ 0xabcd_ef01)).sum::<f64>() - 2.0;
            70.0 + own + 0.1 * x[0][here] - 4.0 * x[1][here] + 2.0 * x[2][here] + 25.0 * error
        })
        .collect();
    Rows { units: unit, y, x }
}
