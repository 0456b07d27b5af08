//! Laws that hold for every count.

use std::collections::BTreeMap;

use prem_store::{IngestCounts, RowCounts};
use proptest::{collection::btree_map, prelude::*};

fn reasons() -> impl Strategy<Value = BTreeMap<String, u64>> {
    btree_map("[a-c]{1,2}", 1..1_000_000_u64, 0..4)
}

prop_compose! {
    /// Counts that reconcile.
    fn row_counts()(
        kept in 0..1_000_000_u64, quarantined in reasons(), duplicate in 0..1000_u64, superseded in 0..1000_u64,
        excluded in reasons(),
    ) -> RowCounts {
        let left_out = quarantined.values().sum::<u64>() + excluded.values().sum::<u64>();
        let rows_in = kept + duplicate + superseded + left_out;
        RowCounts { rows_in, kept, quarantined, duplicate, superseded, excluded, ..RowCounts::default() }
    }
}

fn merged(parts: &[&RowCounts]) -> RowCounts {
    parts.iter().fold(RowCounts::default(), |mut sum, part| {
        sum.merge(part);
        sum
    })
}

proptest! {
    #[test]
    fn merged_counts_reconcile_in_any_order_and_grouping(a in row_counts(), b in row_counts(), c in row_counts()) {
        let all = merged(&[&a, &b, &c]);
        prop_assert!(all.reconciles());
        prop_assert_eq!(all.rows_in, a.rows_in + b.rows_in + c.rows_in);
        prop_assert_eq!(&all, &merged(&[&c, &a, &b]));
        prop_assert_eq!(&all, &merged(&[&a, &merged(&[&b, &c])]));
        prop_assert_eq!(&merged(&[&a, &RowCounts::default()]), &a);
    }

    #[test]
    fn a_lost_row_is_noticed(mut counts in row_counts(), lost in 1..1000_u64) {
        prop_assert!(counts.reconciles());
        counts.rows_in += lost;
        prop_assert!(!counts.reconciles());
        counts.exclude("found", lost);
        prop_assert!(counts.reconciles());
    }

    #[test]
    fn ingest_counts_become_row_counts(kept in any::<u32>(), quarantined in reasons()) {
        let rows_in = u64::from(kept) + quarantined.values().sum::<u64>();
        let counts = IngestCounts { rows_in, kept: kept.into(), quarantined, ..IngestCounts::default() };
        prop_assert!(counts.reconciles());
        prop_assert!(RowCounts::from(&counts).reconciles());
        let mut twice = counts.clone();
        twice.merge(&counts);
        prop_assert!(twice.reconciles());
        prop_assert_eq!(twice.quarantined_total(), 2 * counts.quarantined_total());
    }

    #[test]
    fn counts_survive_json(counts in row_counts()) {
        let text = serde_json::to_string(&counts).unwrap();
        prop_assert_eq!(serde_json::from_str::<RowCounts>(&text).unwrap(), counts);
    }
}

#[test]
fn huge_counts_neither_overflow_nor_reconcile_by_chance() {
    let mut counts = RowCounts { rows_in: 0, kept: u64::MAX, duplicate: 1, ..RowCounts::default() };
    assert!(!counts.reconciles());
    counts.merge(&counts.clone());
    assert!(!counts.reconciles());
}
