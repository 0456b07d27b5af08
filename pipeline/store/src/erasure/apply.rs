//! Erased persons stay out of what is delivered later.

use std::path::Path;

use super::{
    rewrite::take_from,
    sift::{holds_erased, sift},
    tombstones::Tombstones,
};
use crate::{
    IngestCounts, LockedStore, StoreError,
    delivery::{QUARANTINE, ROWS},
    disk,
};

impl LockedStore {
    /// Takes the rows of erased persons out of a pending delivery and counts them.
    ///
    /// A row that goes may name keys that nobody knew to hang below an erased one. They are written to the ledger before
    /// the delivery is registered, and [`LockedStore::finish_erasures`] looks for them in what is stored.
    pub(crate) fn keep_erased_out(&self, pending: &Path, counts: &mut IngestCounts) -> Result<(), StoreError> {
        let mut erasures = self.erasures()?;
        let mut tombstones = Tombstones::of(&erasures);
        if tombstones.is_empty() {
            return Ok(());
        }
        let secret = self.secret()?;
        for name in [ROWS, QUARANTINE] {
            let path = pending.join(name);
            if holds_erased(&path, &secret, &mut tombstones)? {
                let sifted = self.pending_name("sifted");
                let removed = sift(&path, Some(&sifted), &secret, &mut tombstones)?;
                removed.values().for_each(|rows| take_from(counts, rows));
                disk::rename(&sifted, &path)?;
            }
        }
        if tombstones.teach(&mut erasures) {
            self.write_ledger(&erasures)?;
        }
        Ok(())
    }
}
