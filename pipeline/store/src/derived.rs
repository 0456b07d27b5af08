//! Derived partitions: tables that can be made again from the deliveries, each with the key of the step that made it.
//!
//! `derived/<table>/<partition>/{step.json, …}`, for example `derived/linked/inpatient-2024/month=2025-03/part.parquet`.
//!
//! Invariant: a partition whose step key is the one asked for holds exactly what that step wrote. A kill while one is
//! replaced leaves the old one, none (which is stale), or the new one.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{LockedStore, Pending, Store, StoreError, disk};

const STEP: &str = "step.json";

/// Which partition of which table. Partitions sort by table and then by path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    table: String,
    path: String,
}

impl Partition {
    /// `path` is one or more names with `/` between, for example `inpatient-2024/month=2025-03`.
    ///
    /// # Errors
    /// [`StoreError::Name`] when a part cannot be the name of a folder.
    pub fn new(table: &str, path: &str) -> Result<Self, StoreError> {
        disk::checked_name("table", table)?;
        for part in path.split('/') {
            disk::checked_name("partition", part)?;
        }
        Ok(Self { table: table.to_owned(), path: path.to_owned() })
    }

    pub fn table(&self) -> &str {
        &self.table
    }

    pub fn path(&self) -> &str {
        &self.path
    }
}

/// What a step left beside the data: the content of `step.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Hash of all that the step read and of its version.
    pub step_key: String,
    /// Path below the partition, `/` between folders → bytes. Folders have none that another file system would agree with.
    pub files: BTreeMap<String, u64>,
    /// Row counts and whatever else the step tells later ones.
    pub info: serde_json::Value,
}

impl Store {
    /// The folder of a partition, whether or not it is there.
    pub fn partition_folder(&self, partition: &Partition) -> PathBuf {
        self.root().join("derived").join(&partition.table).join(&partition.path)
    }

    /// What made a partition; `None` where it is absent.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when `step.json` is not one, or a file that it names is not there in its size.
    pub fn step(&self, partition: &Partition) -> Result<Option<Step>, StoreError> {
        let folder = self.partition_folder(partition);
        let Some(step) = disk::read_json::<Step>(&folder.join(STEP))? else { return Ok(None) };
        for (name, bytes) in &step.files {
            let path = folder.join(name);
            let found = fs::metadata(&path).ok();
            // Records of before files in folders were kept name the folder.
            if found.is_none_or(|found| found.is_file() && found.len() != *bytes) {
                return Err(StoreError::damaged(&path, format!("it was written with {bytes} bytes")));
            }
        }
        Ok(Some(step))
    }

    /// Whether a partition was made by the step with this key, and need not be made again. A damaged one is not current.
    pub fn is_current(&self, partition: &Partition, step_key: &str) -> bool {
        match self.step(partition) {
            Ok(step) => step.is_some_and(|step| step.step_key == step_key),
            Err(error) => {
                tracing::warn!(%error, "a derived partition is made again");
                false
            }
        }
    }

    /// All partitions of a table, in the order of their paths.
    ///
    /// # Errors
    /// When the folders cannot be listed.
    pub fn partitions(&self, table: &str) -> Result<Vec<Partition>, StoreError> {
        let folder = self.root().join("derived").join(disk::checked_name("table", table)?);
        let mut found = Vec::new();
        find_partitions(&folder, &mut Vec::new(), &mut found)?;
        let mut partitions =
            found.iter().map(|path| Partition::new(table, path)).collect::<Result<Vec<_>, StoreError>>()?;
        partitions.sort();
        Ok(partitions)
    }
}

impl LockedStore {
    /// Puts what was written into `pending` in the place of the partition. May be called from many threads, for
    /// different partitions.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where other partitions lie inside this one or above it.
    #[expect(clippy::needless_pass_by_value, reason = "a pending folder is used up: it is renamed away or removed")]
    pub fn commit_partition(
        &self,
        pending: Pending,
        partition: &Partition,
        step_key: &str,
        info: serde_json::Value,
    ) -> Result<Step, StoreError> {
        let target = self.partition_folder(partition);
        self.check_place(&target, partition)?;
        let mut files = BTreeMap::new();
        for below in disk::files_below(pending.path())? {
            let path = pending.path().join(&below);
            let bytes = fs::metadata(&path).map_err(StoreError::io("look at", &path))?.len();
            let parts = below.iter().map(|part| disk::name_of(Path::new(part)));
            files.insert(parts.collect::<Result<Vec<_>, _>>()?.join("/"), bytes);
        }
        let step = Step { step_key: step_key.to_owned(), files, info };
        disk::write_file(&pending.path().join(STEP), &disk::json_bytes(&target, &step)?)?;
        disk::sync_tree(pending.path())?;
        let replaced = self.move_away(&target)?;
        self.place(pending.path(), &target)?;
        replaced.as_deref().map_or(Ok(()), disk::remove)?;
        Ok(step)
    }

    /// Removes a partition, in one step; nothing to do where there is none.
    ///
    /// # Errors
    /// When it cannot be moved away.
    pub fn remove_partition(&self, partition: &Partition) -> Result<(), StoreError> {
        let removed = self.move_away(&self.partition_folder(partition))?;
        removed.as_deref().map_or(Ok(()), disk::remove)
    }

    /// Renames a folder into `pending/`, from where it is removed at the latest when the store is locked again.
    pub(crate) fn move_away(&self, folder: &Path) -> Result<Option<PathBuf>, StoreError> {
        if !folder.exists() {
            return Ok(None);
        }
        let away = self.pending_name("replaced");
        disk::rename(folder, &away)?;
        Ok(Some(away))
    }

    fn check_place(&self, target: &Path, partition: &Partition) -> Result<(), StoreError> {
        if target.exists() && !target.join(STEP).exists() {
            return Err(StoreError::refused(target, "the folder holds other partitions, or is not a partition"));
        }
        let depth = partition.path.split('/').count();
        let above = target.ancestors().skip(1).take(depth);
        match above.into_iter().find(|folder| folder.join(STEP).exists()) {
            Some(outer) => Err(StoreError::refused(target, format!("{} is a partition itself", outer.display()))),
            None => Ok(()),
        }
    }
}

fn find_partitions(folder: &Path, parts: &mut Vec<String>, found: &mut Vec<String>) -> Result<(), StoreError> {
    if folder.join(STEP).exists() {
        found.push(parts.join("/"));
        return Ok(());
    }
    for entry in disk::entries(folder)?.into_iter().filter(|entry| entry.is_dir()) {
        parts.push(disk::name_of(&entry)?.to_owned());
        find_partitions(&entry, parts, found)?;
        parts.pop();
    }
    Ok(())
}
