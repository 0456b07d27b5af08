//! A registered delivery without the rows of erased persons.

use std::{collections::BTreeMap, path::Path};

use super::{
    ledger::ErasedRows,
    secret::Secret,
    sift::{Removed, sift},
    tombstones::Tombstones,
};
use crate::{
    Delivery, IngestCounts, LockedStore, StoreError,
    delivery::{QUARANTINE, RECORD, ROWS, StoredFile, check_counts},
    disk,
    hash::sha256_file,
};

/// The next name of a file that is replaced: `rows.parquet`, `rows.1.parquet`, `rows.2.parquet`.
fn next_name(name: &str, first: &str) -> String {
    let stem = first.trim_end_matches(".parquet");
    let number: u64 =
        name.split('.').nth(1).and_then(|part| part.parse().ok()).map_or(1, |number: u64| number.saturating_add(1));
    format!("{stem}.{number}.parquet")
}

/// Moves what was removed from kept and quarantined to erased.
///
/// A quarantined row is counted under one of its reasons. Should it not be the one its first line in quarantine gives, any reason
/// of the delivery with rows left gives way: an erasure is never stopped by a count.
pub(super) fn take_from(counts: &mut IngestCounts, removed: &ErasedRows) {
    let kept = removed.kept.min(counts.kept);
    counts.kept -= kept;
    counts.erased += kept;
    for (reason, rows) in &removed.quarantined {
        for _ in 0..*rows {
            let has_rows = counts.quarantined.get(reason).is_some_and(|rows| *rows > 0);
            let mut left = counts.quarantined.iter_mut().filter(|(_, rows)| **rows > 0);
            let Some((_, rows)) = left.find(|(name, _)| !has_rows || *name == reason) else { return };
            *rows -= 1;
            counts.erased += 1;
        }
    }
    counts.quarantined.retain(|_, rows| *rows > 0);
}

impl LockedStore {
    /// Writes the delivery's files again without erased rows. One rename of the record decides; the files it named before are
    /// removed by [`LockedStore::remove_strays`].
    pub(super) fn rewrite_delivery(
        &self,
        delivery: &Delivery,
        secret: &Secret,
        tombstones: &mut Tombstones,
        checkpoint: &mut dyn FnMut() -> Result<(), StoreError>,
    ) -> Result<Delivery, StoreError> {
        let folder = self.delivery_folder(delivery);
        let pending = self.begin()?;
        let mut new = delivery.clone();
        for first in [ROWS, QUARANTINE] {
            let old = delivery.file_of(first).to_owned();
            let name = next_name(&old, first);
            let written = pending.path().join(&name);
            let removed = sift(&folder.join(&old), Some(&written), secret, tombstones)?;
            if removed.is_empty() {
                disk::remove(&written)?;
                continue;
            }
            note(&mut new, &removed);
            let bytes = std::fs::metadata(&written).map_err(StoreError::io("look at", &written))?.len();
            new.files.remove(&old);
            new.files.insert(name.clone(), StoredFile { bytes, sha256: sha256_file(&written)? });
            disk::rename(&written, &folder.join(&name))?;
            checkpoint()?;
        }
        if new == *delivery {
            return Ok(new);
        }
        check_counts(&folder, &new).map_err(|reason| StoreError::damaged(&folder, reason))?;
        disk::replace_json(&pending.path().join(RECORD), &folder.join(RECORD), &new)?;
        checkpoint()?;
        Ok(new)
    }

    /// Removes files that a delivery's record does not name: those of before a rewriting, or of one that was interrupted.
    pub(super) fn remove_strays(&self, delivery: &Delivery) -> Result<(), StoreError> {
        let folder = self.delivery_folder(delivery);
        for path in disk::entries(&folder)? {
            let name = disk::name_of(&path)?;
            if name != RECORD && !delivery.files.contains_key(name) {
                disk::remove(&path)?;
            }
        }
        disk::sync_folder(&folder)
    }

    /// Replaces a table that no record describes.
    pub(super) fn rewrite_table(
        &self,
        path: &Path,
        secret: &Secret,
        tombstones: &mut Tombstones,
    ) -> Result<(), StoreError> {
        let pending = self.pending_name("table");
        sift(path, Some(&pending), secret, tombstones)?;
        disk::rename(&pending, path)
    }
}

fn note(delivery: &mut Delivery, removed: &Removed) {
    for (number, rows) in removed {
        take_from(&mut delivery.counts, rows);
        delivery.erasures.entry(*number).or_default().merge(rows);
    }
}

/// Dataset → rows that erasure `number` took from stored deliveries.
pub(super) fn counts_of(deliveries: &[Delivery], number: u64) -> BTreeMap<String, ErasedRows> {
    let mut counts: BTreeMap<String, ErasedRows> = BTreeMap::new();
    for delivery in deliveries {
        if let Some(rows) = delivery.erasures.get(&number) {
            counts.entry(delivery.dataset.clone()).or_default().merge(rows);
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_counted_up() {
        assert_eq!(next_name("rows.parquet", "rows.parquet"), "rows.1.parquet");
        assert_eq!(next_name("rows.9.parquet", "rows.parquet"), "rows.10.parquet");
        assert_eq!(next_name("quarantine.parquet", "quarantine.parquet"), "quarantine.1.parquet");
    }

    #[test]
    fn counts_add_up_whatever_the_reasons() {
        let reasons =
            |pairs: &[(&str, u64)]| pairs.iter().map(|(reason, rows)| ((*reason).to_owned(), *rows)).collect();
        let mut counts =
            IngestCounts { rows_in: 10, kept: 7, quarantined: reasons(&[("a", 1), ("b", 2)]), ..Default::default() };
        take_from(&mut counts, &ErasedRows { kept: 2, quarantined: reasons(&[("b", 1), ("never counted", 1)]) });
        assert_eq!((counts.kept, counts.erased, counts.quarantined_total()), (5, 4, 1));
        assert!(counts.reconciles());
    }
}
