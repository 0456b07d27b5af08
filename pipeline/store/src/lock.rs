//! One writer at a time: an exclusive lock on `<store>/LOCK`, held by the operating system for as long as the process
//! lives. A killed process leaves the file, never the lock.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use crate::StoreError;

#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    pub(crate) fn take(store: &Path) -> Result<Self, StoreError> {
        let path = store.join("LOCK");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(StoreError::io("open the lock", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: store.to_path_buf() }),
            Err(TryLockError::Error(source)) => Err(StoreError::io("lock", &path)(source)),
        }
    }
}
