//! Run folders: the unprotected tables of one run, from which a release is made. They never leave the store.
//!
//! `runs/<run id>/`, 0700 on unix. Not atomic on purpose: a run that was killed is made again under the same id, and
//! only what [`crate::Publisher`] shows is a result.

use std::path::{Path, PathBuf};

use crate::{LockedStore, Store, StoreError, disk, tables::Table};

/// The folder of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the unprotected rows of a table lie.
    pub fn table<T: Table>(&self) -> PathBuf {
        self.path.join(format!("{}.parquet", T::NAME))
    }

    pub fn exists(&self) -> bool {
        self.path.is_dir()
    }
}

impl Store {
    /// The folder of a run, whether or not it is there.
    ///
    /// # Errors
    /// [`StoreError::Name`] when the id cannot be the name of a folder.
    pub fn run(&self, run_id: &str) -> Result<RunFolder, StoreError> {
        Ok(RunFolder { path: self.root().join("runs").join(disk::checked_name("run", run_id)?) })
    }

    /// Ids of the runs that have a folder, sorted.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn runs(&self) -> Result<Vec<String>, StoreError> {
        disk::entries(&self.root().join("runs"))?.iter().map(|path| disk::name_of(path).map(str::to_owned)).collect()
    }
}

impl LockedStore {
    /// An empty folder for a run; what a run of the same id left there is removed.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn begin_run(&self, run_id: &str) -> Result<RunFolder, StoreError> {
        self.remove_run(run_id)?;
        let run = self.run(run_id)?;
        disk::create_private_folder(&run.path)?;
        Ok(run)
    }

    /// # Errors
    /// When the folder cannot be removed.
    pub fn remove_run(&self, run_id: &str) -> Result<(), StoreError> {
        let removed = self.move_away(&self.run(run_id)?.path)?;
        removed.as_deref().map_or(Ok(()), disk::remove)
    }
}
