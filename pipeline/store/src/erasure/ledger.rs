//! The ledger of erasures: `erasures/ledger.json`, replaced in one step.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{chain::KeyColumn, secret::KeyHash};
use crate::{
    LockedStore, Store, StoreError, disk,
    hash::{hex, unhex},
};

/// One withdrawn key and everything that hung below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Erasure {
    /// From 1, in the order of withdrawal.
    pub number: u64,
    pub erased_at: Timestamp,
    /// Of the withdrawn key.
    pub column: KeyColumn,
    /// False while rows may still be there: the next holder of the lock goes on.
    pub complete: bool,
    /// Dataset → rows that were stored and went. Rows kept out of later deliveries are counted there.
    pub counts: BTreeMap<String, ErasedRows>,
    pub(crate) tombstones: BTreeSet<Tombstone>,
}

/// Rows that an erasure took from stored tables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErasedRows {
    /// Of the rows that had been kept.
    pub kept: u64,
    /// Of the rows in quarantine, by the reason they were counted under.
    pub quarantined: BTreeMap<String, u64>,
}

impl ErasedRows {
    pub fn total(&self) -> u64 {
        self.quarantined.values().fold(self.kept, |sum, rows| sum.saturating_add(*rows))
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.kept += other.kept;
        for (reason, rows) in &other.quarantined {
            *self.quarantined.entry(reason.clone()).or_default() += rows;
        }
    }
}

/// An erased key as the store remembers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tombstone {
    pub(crate) column: KeyColumn,
    #[serde(with = "hash_text")]
    pub(crate) hash: KeyHash,
}

impl Store {
    /// All erasures in the order of withdrawal; an incomplete one was interrupted.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when the ledger is not one.
    pub fn erasures(&self) -> Result<Vec<Erasure>, StoreError> {
        Ok(disk::read_json(&self.root().join("erasures").join("ledger.json"))?.unwrap_or_default())
    }
}

impl LockedStore {
    pub(super) fn write_ledger(&self, erasures: &[Erasure]) -> Result<(), StoreError> {
        let folder = self.root().join("erasures");
        disk::create_private_folder(&folder)?;
        disk::replace_json(&self.pending_name("ledger"), &folder.join("ledger.json"), &erasures)
    }
}

mod hash_text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use super::{KeyHash, hex, unhex};

    pub(super) fn serialize<S: Serializer>(hash: &KeyHash, serializer: S) -> Result<S::Ok, S::Error> {
        hex(hash).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<KeyHash, D::Error> {
        unhex(&String::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("not a keyed hash"))
    }
}
