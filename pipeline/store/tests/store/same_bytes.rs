//! The same input gives the same bytes.

use std::fs;

use prem_store::{RowsWriter, Store};
use tempfile::tempdir;

use crate::sample::{batch, dataset, deliver, tree};

#[test]
fn bytes_do_not_depend_on_how_rows_are_cut_into_batches() {
    let folder = tempdir().unwrap();
    let dataset = dataset();
    let rows = 300_000;
    let write = |name: &str, cut: i64| {
        let path = folder.path().join(name);
        let mut writer = RowsWriter::create(&path, &dataset, &dataset.columns).unwrap();
        for first in (0..rows).step_by(usize::try_from(cut).unwrap()) {
            let part = batch(&writer, first + 1, cut.min(rows - first));
            writer.write(&part).unwrap();
        }
        writer.finish().unwrap();
        fs::read(path).unwrap()
    };
    let whole = write("whole", rows);
    assert!(whole == write("again", rows));
    assert!(whole == write("hundreds", 777));
    assert!(whole == write("blocks", 8192));
}

#[test]
fn two_stores_with_the_same_deliveries_are_the_same() {
    let trees: Vec<_> = (0..2)
        .map(|_| {
            let folder = tempdir().unwrap();
            let store = Store::open(folder.path()).lock().unwrap();
            for content in ["a", "b", "a"] {
                deliver(&store, content).unwrap();
            }
            tree(folder.path())
        })
        .collect();
    assert_eq!(trees[0].len(), 7);
    assert!(trees[0] == trees[1]);
}
