//! Withdrawals: deliveries that should never have come, taken back.
//!
//! `withdrawn/<number>-<first 12 of sha256>.json`: what the delivery was, when it was withdrawn, and why.
//!
//! Invariant: the record decides. It appears by one rename, and from then on the delivery is none, whatever is left of its folder.
//! So a kill leaves the store as it was, or without the delivery; what is left is removed by whoever takes the lock next. Numbers
//! of withdrawn deliveries are not given again.

use std::{collections::BTreeSet, path::PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Delivery, IngestCounts, LockedStore, Store, StoreError, delivery::folder_name, disk};

/// A delivery that was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawal {
    /// The number that the delivery had.
    pub number: u64,
    pub dataset: String,
    pub export: String,
    /// Path in the inbox, `/` between folders.
    pub file_name: String,
    pub sha256: String,
    pub delivered_at: Timestamp,
    pub counts: IngestCounts,
    pub withdrawn_at: Timestamp,
    /// In the words of whoever withdrew it.
    pub why: String,
}

impl Withdrawal {
    /// Whether these bytes were the delivery.
    pub fn is_of(&self, dataset: &str, sha256: &str) -> bool {
        self.dataset == dataset && self.sha256 == sha256
    }

    fn folder_name(&self) -> String {
        folder_name(self.number, &self.sha256)
    }
}

impl Store {
    /// All withdrawals in the order of the deliveries' numbers.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when a record is not one.
    pub fn withdrawals(&self) -> Result<Vec<Withdrawal>, StoreError> {
        let paths = disk::entries(&self.root().join("withdrawn"))?;
        let found = paths.iter().filter_map(|path| disk::read_json(path).transpose());
        let mut all: Vec<Withdrawal> = found.collect::<Result<_, _>>()?;
        all.sort_by_key(|withdrawal| withdrawal.number);
        Ok(all)
    }

    /// Names of folders that are no deliveries any more.
    pub(crate) fn withdrawn_folders(&self) -> Result<BTreeSet<String>, StoreError> {
        Ok(self.withdrawals()?.iter().map(Withdrawal::folder_name).collect())
    }

    fn left_of(&self, withdrawal: &Withdrawal) -> PathBuf {
        self.root().join("deliveries").join(&withdrawal.dataset).join(withdrawal.folder_name())
    }
}

impl LockedStore {
    /// Takes a delivery back: its rows and its quarantine are removed, and so is what was made of them, derived tables and run
    /// folders. A record of it stays, and `why`.
    ///
    /// # Errors
    /// When something cannot be written or removed. Then the delivery stands, or it is withdrawn and what is left of it is removed
    /// by the next holder of the lock.
    pub fn withdraw(&self, delivery: &Delivery, why: &str, withdrawn_at: Timestamp) -> Result<Withdrawal, StoreError> {
        self.withdraw_with(delivery, why, withdrawn_at, &mut || Ok(()))
    }

    /// [`LockedStore::withdraw`], calling `checkpoint` after every durable step: where it fails, the withdrawal stops as if the
    /// process had been killed there.
    ///
    /// # Errors
    /// As [`LockedStore::withdraw`], and those of `checkpoint`.
    #[doc(hidden)]
    pub fn withdraw_with(
        &self,
        delivery: &Delivery,
        why: &str,
        withdrawn_at: Timestamp,
        checkpoint: &mut dyn FnMut() -> Result<(), StoreError>,
    ) -> Result<Withdrawal, StoreError> {
        let withdrawal = Withdrawal {
            number: delivery.number,
            dataset: delivery.dataset.clone(),
            export: delivery.export.clone(),
            file_name: delivery.file_name.clone(),
            sha256: delivery.sha256.clone(),
            delivered_at: delivery.delivered_at,
            counts: delivery.counts.clone(),
            withdrawn_at,
            why: why.to_owned(),
        };
        let folder = self.root().join("withdrawn");
        disk::create_private_folder(&folder)?;
        disk::sync_folder(self.root())?;
        checkpoint()?;
        let record = folder.join(format!("{}.json", withdrawal.folder_name()));
        disk::replace_json(&self.pending_name("withdrawal"), &record, &withdrawal)?;
        checkpoint()?;
        self.finish_withdrawals(checkpoint)?;
        Ok(withdrawal)
    }

    /// Removes what is left of withdrawn deliveries, its folder last: as long as that is there, something may be left.
    pub(crate) fn finish_withdrawals(
        &self,
        checkpoint: &mut dyn FnMut() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        for folder in self.withdrawals()?.iter().map(|withdrawal| self.left_of(withdrawal)) {
            if folder.exists() {
                // The registry in memory may still hold it.
                *self.registered.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
                self.remove_what_can_be_made_again(checkpoint)?;
                let away = self.move_away(&folder)?;
                checkpoint()?;
                away.as_deref().map_or(Ok(()), disk::remove)?;
            }
        }
        Ok(())
    }
}
