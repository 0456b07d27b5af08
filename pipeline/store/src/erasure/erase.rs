//! Withdrawing keys: what would go, what goes, and finishing what was interrupted.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use jiff::Timestamp;

use super::{
    chain::KeyColumn,
    ledger::{ErasedRows, Erasure, Tombstone},
    rewrite::counts_of,
    secret::Secret,
    sift::{holds_erased, nearness, sift},
    tombstones::Tombstones,
};
use crate::{Delivery, LockedStore, Store, StoreError, disk};

/// Folders of the store whose tables are dealt with by name, or hold none.
const OWN_FOLDERS: [&str; 7] = ["deliveries", "derived", "runs", "pending", "erasures", "refusals", "withdrawn"];

/// What an erasure took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Erased {
    /// The new erasures, one per key that was not erased before.
    pub numbers: Vec<u64>,
    pub known_already: u64,
    /// New keys that no stored row held. Their tombstones keep later rows out all the same.
    pub without_rows: u64,
    /// Dataset → rows.
    pub counts: BTreeMap<String, ErasedRows>,
    /// The deliveries that the rows were in, as they are now.
    pub deliveries: Vec<Delivery>,
}

/// What an erasure would take: as [`Erased`], with deliveries as they are and numbers that nobody has been given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErasurePlan {
    pub keys_new: u64,
    pub known_already: u64,
    pub without_rows: u64,
    pub counts: BTreeMap<String, ErasedRows>,
    pub deliveries: Vec<Delivery>,
}

/// Adds an erasure for every key that has no tombstone; gives their numbers and how many keys had one.
fn withdraw(
    erasures: &mut Vec<Erasure>,
    secret: &Secret,
    column: KeyColumn,
    keys: &BTreeSet<String>,
    erased_at: Timestamp,
) -> (Vec<u64>, u64) {
    let known = Tombstones::of(erasures);
    let (mut numbers, mut known_already) = (Vec::new(), 0);
    for key in keys {
        let hash = secret.hash(column, key);
        if known.holds(&hash) {
            known_already += 1;
            continue;
        }
        let number = erasures.last().map_or(1, |last| last.number + 1);
        numbers.push(number);
        erasures.push(Erasure {
            number,
            erased_at,
            column,
            complete: false,
            counts: BTreeMap::new(),
            tombstones: [Tombstone { column, hash }].into(),
        });
    }
    (numbers, known_already)
}

impl Store {
    /// What withdrawing `keys` would take. Writes nothing.
    ///
    /// # Errors
    /// When something stored cannot be read.
    pub fn plan_erasure(&self, column: KeyColumn, keys: &BTreeSet<String>) -> Result<ErasurePlan, StoreError> {
        let secret = match self.known_secret()? {
            Some(secret) => secret,
            None => Secret::throwaway(self.root())?,
        };
        let mut erasures = self.erasures()?;
        let (numbers, known_already) = withdraw(&mut erasures, &secret, column, keys, Timestamp::UNIX_EPOCH);
        let mut tombstones = Tombstones::of(&erasures);
        let deliveries = self.deliveries()?;
        let hit = self.find_erased(&deliveries, &[], &secret, &mut tombstones)?;
        let mut plan = ErasurePlan { keys_new: numbers.len() as u64, known_already, ..ErasurePlan::default() };
        let mut met: BTreeSet<u64> = BTreeSet::new();
        for delivery in deliveries {
            let mut rows = ErasedRows::default();
            for path in [self.rows_path(&delivery), self.quarantine_path(&delivery)] {
                if hit.contains(&path) {
                    let removed = sift(&path, None, &secret, &mut tombstones)?;
                    met.extend(removed.keys());
                    removed.values().for_each(|removed| rows.merge(removed));
                }
            }
            if rows.total() > 0 {
                plan.counts.entry(delivery.dataset.clone()).or_default().merge(&rows);
                plan.deliveries.push(delivery);
            }
        }
        plan.without_rows = numbers.iter().filter(|number| !met.contains(number)).count() as u64;
        Ok(plan)
    }

    /// The files that hold an erased key, once nothing new turns up below the erased keys.
    fn find_erased(
        &self,
        deliveries: &[Delivery],
        others: &[PathBuf],
        secret: &Secret,
        tombstones: &mut Tombstones,
    ) -> Result<BTreeSet<PathBuf>, StoreError> {
        let mut files = Vec::new();
        let of_deliveries = deliveries.iter().flat_map(|of| [self.rows_path(of), self.quarantine_path(of)]);
        for path in of_deliveries.chain(others.iter().cloned()) {
            files.push((nearness(&path)?, path));
        }
        files.sort();
        loop {
            let known = tombstones.len();
            let mut hit = BTreeSet::new();
            for (_, path) in &files {
                if holds_erased(path, secret, tombstones)? {
                    hit.insert(path.clone());
                }
            }
            if tombstones.len() == known {
                return Ok(hit);
            }
        }
    }

    /// Tables in folders of the store that this module does not know by name.
    fn other_tables(&self) -> Result<Vec<PathBuf>, StoreError> {
        let mut found = Vec::new();
        let mut folders: Vec<PathBuf> = disk::entries(self.root())?
            .into_iter()
            .filter(|path| path.is_dir() && !OWN_FOLDERS.iter().any(|name| path.ends_with(name)))
            .collect();
        while let Some(folder) = folders.pop() {
            for path in disk::entries(&folder)? {
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "parquet") {
                    found.push(path);
                }
            }
        }
        found.sort();
        Ok(found)
    }
}

impl LockedStore {
    /// Withdraws `keys`, which are values of `column`, with all that hangs below them.
    ///
    /// # Errors
    /// When something cannot be read or written. Then the erasure has begun or it has not; one that has begun is finished by
    /// the next holder of the lock.
    pub fn erase(
        &self,
        column: KeyColumn,
        keys: &BTreeSet<String>,
        erased_at: Timestamp,
    ) -> Result<Erased, StoreError> {
        self.erase_with(column, keys, erased_at, &mut || Ok(()))
    }

    /// [`LockedStore::erase`], calling `checkpoint` after every durable step: where it fails, the erasure stops as if the
    /// process had been killed there.
    ///
    /// # Errors
    /// As [`LockedStore::erase`], and those of `checkpoint`.
    #[doc(hidden)]
    pub fn erase_with(
        &self,
        column: KeyColumn,
        keys: &BTreeSet<String>,
        erased_at: Timestamp,
        checkpoint: &mut dyn FnMut() -> Result<(), StoreError>,
    ) -> Result<Erased, StoreError> {
        let secret = self.secret()?;
        checkpoint()?;
        let mut erasures = self.erasures()?;
        let (numbers, known_already) = withdraw(&mut erasures, &secret, column, keys, erased_at);
        let mut erased = Erased { known_already, ..Erased::default() };
        if numbers.is_empty() {
            return Ok(erased);
        }
        self.write_ledger(&erasures)?;
        checkpoint()?;
        erased.deliveries = self.finish(checkpoint)?;
        for erasure in self.erasures()?.into_iter().filter(|erasure| numbers.contains(&erasure.number)) {
            erased.without_rows += u64::from(erasure.counts.is_empty());
            for (dataset, rows) in &erasure.counts {
                erased.counts.entry(dataset.clone()).or_default().merge(rows);
            }
        }
        erased.numbers = numbers;
        Ok(erased)
    }

    /// Goes on with erasures that are not complete: interrupted ones, and those that a delivery taught more keys. Gives the
    /// deliveries that were rewritten. Worth calling after files were taken in, and before their rows are read.
    ///
    /// # Errors
    /// When something cannot be read or written.
    pub fn finish_erasures(&self) -> Result<Vec<Delivery>, StoreError> {
        self.finish(&mut || Ok(()))
    }

    fn finish(&self, checkpoint: &mut dyn FnMut() -> Result<(), StoreError>) -> Result<Vec<Delivery>, StoreError> {
        let mut erasures = self.erasures()?;
        if erasures.iter().all(|erasure| erasure.complete) {
            return Ok(Vec::new());
        }
        let secret = self.secret()?;
        let mut deliveries = self.deliveries()?;
        let others = self.other_tables()?;
        let mut tombstones = Tombstones::of(&erasures);
        let hit = self.find_erased(&deliveries, &others, &secret, &mut tombstones)?;
        if tombstones.teach(&mut erasures) {
            self.write_ledger(&erasures)?;
            checkpoint()?;
        }
        // From here on the registry in memory is not what is on disk.
        *self.registered.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
        let mut rewritten = Vec::new();
        for delivery in &mut deliveries {
            let is_hit = |path: PathBuf| hit.contains(&path);
            if is_hit(self.rows_path(delivery)) || is_hit(self.quarantine_path(delivery)) {
                *delivery = self.rewrite_delivery(delivery, &secret, &mut tombstones, checkpoint)?;
                rewritten.push(delivery.clone());
            }
            self.remove_strays(delivery)?;
            checkpoint()?;
        }
        for path in others.iter().filter(|path| hit.contains(*path)) {
            self.rewrite_table(path, &secret, &mut tombstones)?;
            checkpoint()?;
        }
        for erasure in erasures.iter_mut().filter(|erasure| !erasure.complete) {
            erasure.counts = counts_of(&deliveries, erasure.number);
            erasure.complete = true;
        }
        if erasures.iter().any(|erasure| !erasure.counts.is_empty()) {
            self.remove_what_can_be_made_again(checkpoint)?;
        }
        self.write_ledger(&erasures)?;
        Ok(rewritten)
    }

    /// Derived tables and run folders were made from rows that are gone. Aggregates of few persons are about those persons.
    pub(crate) fn remove_what_can_be_made_again(
        &self,
        checkpoint: &mut dyn FnMut() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        for name in ["derived", "runs"] {
            let away = self.move_away(&self.root().join(name))?;
            checkpoint()?;
            away.as_deref().map_or(Ok(()), disk::remove)?;
        }
        Ok(())
    }
}
