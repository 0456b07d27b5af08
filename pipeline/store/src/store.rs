//! The store's folder: where things lie in it, who may change it, and what a killed run leaves behind.
//!
//! ```text
//! LOCK           held by the one process that may change the store
//! pending/       what is being written; emptied when the lock is taken
//! deliveries/    immutable, one folder per delivered file
//! refusals/      one small record per file that was refused whole
//! withdrawn/     one small record per delivery that was taken back
//! draws/         who was drawn to be asked, by sampling plan and window
//! derived/       partitions that can be made again from the deliveries
//! runs/          unprotected tables of each run
//! erasures/      tombstones of persons who withdrew, and the secret they are made with
//! seen.json      hashes of inbox files, so that an idle night does not read them again
//! ```
//!
//! Invariant: outside `pending/` every name appears complete, by a rename. So a kill at any moment leaves the old state
//! or the new one, and something in `pending/` that the next holder of the lock removes. Nothing else is ever swept.

use std::{
    ops::Deref,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{StoreError, delivery::Delivery, disk, lock::Lock};

/// A store to read. It need not exist yet: an absent folder is an empty store, and reading creates nothing.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    pub fn open(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Takes the store for writing: makes its folder (0700 on unix), empties `pending/` and finishes interrupted withdrawals and
    /// erasures.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process, or another part of this one, holds it.
    pub fn lock(&self) -> Result<LockedStore, StoreError> {
        disk::create_private_folder(&self.root)?;
        let lock = Lock::take(&self.root)?;
        let pending = self.root.join("pending");
        for leftover in disk::entries(&pending)? {
            tracing::info!(path = %leftover.display(), "removing what an interrupted run left");
            disk::remove(&leftover)?;
        }
        disk::create_private_folder(&pending)?;
        let locked = LockedStore {
            store: self.clone(),
            next_pending: AtomicU64::new(1),
            registered: Mutex::new(None),
            _lock: lock,
        };
        locked.finish_withdrawals(&mut || Ok(()))?;
        locked.finish_erasures()?;
        Ok(locked)
    }
}

/// A store to read and change. The lock is given back when the value is dropped, or the process ends in any way.
#[derive(Debug)]
pub struct LockedStore {
    store: Store,
    next_pending: AtomicU64,
    /// The deliveries, once they have been read: registration looks them up for every file.
    pub(crate) registered: Mutex<Option<Vec<Delivery>>>,
    _lock: Lock,
}

impl Deref for LockedStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl LockedStore {
    /// An empty folder to write into, on the same file system as its later place. It may be asked for from many threads.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn begin(&self) -> Result<Pending, StoreError> {
        let path = self.pending_name("folder");
        disk::create_private_folder(&path)?;
        Ok(Pending { path })
    }

    /// A name in `pending/` that nothing has yet.
    pub(crate) fn pending_name(&self, what: &str) -> PathBuf {
        let number = self.next_pending.fetch_add(1, Ordering::Relaxed);
        self.root.join("pending").join(format!("{what}-{number:06}"))
    }
}

/// A folder that is being written. It is removed when dropped without having been committed.
#[derive(Debug)]
#[must_use = "a pending folder is removed when it is dropped"]
pub struct Pending {
    path: PathBuf,
}

impl Pending {
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the rows of a delivery are written.
    pub fn rows(&self) -> PathBuf {
        self.path.join(crate::delivery::ROWS)
    }

    /// Where the quarantined rows of a delivery are written.
    pub fn quarantine(&self) -> PathBuf {
        self.path.join(crate::delivery::QUARANTINE)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        // After a commit the name is gone; before it, a leftover is removed by the next lock at the latest.
        if let Err(error) = disk::remove(&self.path) {
            tracing::warn!(%error, "a pending folder stays until the store is locked again");
        }
    }
}
