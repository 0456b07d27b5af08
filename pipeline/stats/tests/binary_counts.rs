//! By hand and by property: counts per unit and covariate pattern.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a failure is a failed test")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "small counts"
)]

use prem_stats::binary::{BinaryCounts, BinaryTable};
use proptest::prelude::*;

#[test]
fn five_rows_by_hand() {
    let mut counts = BinaryCounts::new(3, 2);
    let x = [[1.0, 0.0, 1.0, 1.0, 0.0], [5.0, 7.0, 5.0, 5.0, -0.0]];
    counts.add(&[0, 0, 0, 2, 2], &[1.0, 0.0, 0.0, 1.0, 1.0], &[&x[0], &x[1]]).unwrap();
    let table = counts.finish();
    assert_eq!((table.units(), table.adjusters(), table.patterns()), (3, 2, 3));
    assert_eq!((0..3).map(|j| (table.trials(j), table.events(j))).collect::<Vec<_>>(), [(3, 1), (0, 0), (2, 2)]);
    assert_eq!([table.pattern(0), table.pattern(1), table.pattern(2)], [[0.0, 0.0], [0.0, 7.0], [1.0, 5.0]]);
    assert_eq!(
        table.cells(0).iter().map(|c| (c.pattern, c.trials, c.events)).collect::<Vec<_>>(),
        [(1, 1, 0), (2, 2, 1)]
    );
    assert_eq!(table.reference().weights(), [1.0, 1.0, 3.0]);
    let whole = table.aggregate(&[Some(0), None, Some(0)], 1).unwrap();
    assert_eq!((whole.trials(0), whole.events(0)), (5, 3));
    assert_eq!(whole.cells(0).iter().map(|c| (c.trials, c.events)).collect::<Vec<_>>(), [(1, 1), (1, 0), (3, 2)]);
}

fn table(rows: &[(u32, f64, bool)]) -> BinaryTable {
    let mut counts = BinaryCounts::new(4, 1);
    add(&mut counts, rows);
    counts.finish()
}

fn add(counts: &mut BinaryCounts, rows: &[(u32, f64, bool)]) {
    let units: Vec<u32> = rows.iter().map(|r| r.0).collect();
    let y: Vec<f64> = rows.iter().map(|r| f64::from(r.2)).collect();
    let x: Vec<f64> = rows.iter().map(|r| r.1).collect();
    counts.add(&units, &y, &[&x]).unwrap();
}

proptest! {
    #[test]
    fn order_and_splits_do_not_matter(
        rows in prop::collection::vec((0..4_u32, (0..5_i32).prop_map(f64::from), any::<bool>()), 0..80),
        cut in 0.0..=1.0_f64,
    ) {
        let whole = table(&rows);
        let mut backwards = rows.clone();
        backwards.reverse();
        prop_assert_eq!(&table(&backwards), &whole);
        let (first, second) = rows.split_at((cut * rows.len() as f64) as usize);
        let (mut a, mut b) = (BinaryCounts::new(4, 1), BinaryCounts::new(4, 1));
        add(&mut a, first);
        add(&mut b, second);
        b.merge(&a).unwrap();
        prop_assert_eq!(&b.finish(), &whole);
    }
}
