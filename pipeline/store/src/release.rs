//! Releases: finished folders beside each other, one of which `current.json` names.
//!
//! ```text
//! <publish>/releases/<run id>/              a whole release; its manifest.json hashes the rest
//! <publish>/releases/.staging-<run id>/     being written, or left by a killed run
//! <publish>/releases/.replaced-<run id>/    an older release of the same id, while it is being replaced
//! <publish>/current.json                    what readers resolve, once; replaced by one rename
//! <publish>/current                         a symbolic link for people, where the file system has them
//! ```
//!
//! Invariant: `current.json` changes only by [`Publisher::set_current`], after the release it names is whole and flushed.
//! A kill before that rename leaves the release of yesterday.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{StoreError, disk, hash::sha256_file};

const MANIFEST: &str = "manifest.json";
const CURRENT: &str = "current.json";
/// The only key of a manifest whose value differs between two runs of the same inputs.
const TIMINGS: &str = "timings";

/// The content of `current.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Current {
    /// Path below the publish folder, `/` between folders: `releases/<run id>`.
    pub release: String,
    pub manifest_sha256: String,
}

impl Current {
    pub fn run_id(&self) -> &str {
        self.release.strip_prefix("releases/").unwrap_or(&self.release)
    }
}

/// What [`Publisher::finish`] left in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    pub folder: PathBuf,
    pub manifest_sha256: String,
    /// False when the same release was there already, and was kept.
    pub is_new: bool,
}

/// The publish folder. One process at a time: callers hold the lock of the store that they publish from.
#[derive(Debug, Clone)]
pub struct Publisher {
    root: PathBuf,
}

impl Publisher {
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the release of a run lies, whether or not it is there.
    ///
    /// # Errors
    /// [`StoreError::Name`] when the id cannot be the name of a folder.
    pub fn release_folder(&self, run_id: &str) -> Result<PathBuf, StoreError> {
        Ok(self.releases_folder().join(disk::checked_name("release", run_id)?))
    }

    /// An empty folder to write a release into. What killed runs left is put right first.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn staging(&self, run_id: &str) -> Result<PathBuf, StoreError> {
        let staging = self.hidden("staging", run_id)?;
        self.recover()?;
        fs::create_dir_all(&staging).map_err(StoreError::io("create the folder", &staging))?;
        Ok(staging)
    }

    /// Puts right what a killed run left: removes stagings, and brings back a release that was being replaced.
    ///
    /// # Errors
    /// When something cannot be removed or renamed.
    pub fn recover(&self) -> Result<(), StoreError> {
        for path in disk::entries(&self.releases_folder())? {
            let name = disk::name_of(&path)?;
            if let Some(run_id) = name.strip_prefix(".replaced-") {
                let release = self.release_folder(run_id)?;
                if release.exists() {
                    disk::remove(&path)?;
                } else {
                    disk::rename(&path, &release)?;
                }
            } else if name.starts_with(".staging-") {
                disk::remove(&path)?;
            }
        }
        Ok(())
    }

    /// Flushes a staged release and gives it its name. It is not shown before [`Publisher::set_current`].
    ///
    /// Where the run has a release already, the same files and a manifest that differs in nothing but its timings mean
    /// that it is kept, with its own manifest hash. Otherwise it is replaced by two renames; a kill between them leaves
    /// `current.json` without its release until [`Publisher::recover`] has brought the old one back.
    ///
    /// # Errors
    /// [`StoreError::Absent`] when the staging has no manifest.
    pub fn finish(&self, staging: &Path, run_id: &str) -> Result<Finished, StoreError> {
        let folder = self.release_folder(run_id)?;
        let manifest = staging.join(MANIFEST);
        if !manifest.is_file() {
            return Err(StoreError::Absent { path: manifest });
        }
        if folder.exists() && is_same_release(staging, &folder)? {
            disk::remove(staging)?;
            let manifest_sha256 = sha256_file(&folder.join(MANIFEST))?;
            return Ok(Finished { folder, manifest_sha256, is_new: false });
        }
        let manifest_sha256 = sha256_file(&manifest)?;
        disk::sync_tree(staging)?;
        let replaced = self.hidden("replaced", run_id)?;
        if folder.exists() {
            disk::remove(&replaced)?;
            disk::rename(&folder, &replaced)?;
        }
        disk::rename(staging, &folder)?;
        disk::remove(&replaced)?;
        disk::sync_folder(&self.root)?;
        Ok(Finished { folder, manifest_sha256, is_new: true })
    }

    /// Shows a finished release: the one step of publication.
    ///
    /// # Errors
    /// [`StoreError::Absent`] when there is no such release, [`StoreError::Damaged`] when its manifest is another.
    pub fn set_current(&self, run_id: &str, manifest_sha256: &str) -> Result<Current, StoreError> {
        let manifest = self.release_folder(run_id)?.join(MANIFEST);
        if !manifest.is_file() {
            return Err(StoreError::Absent { path: manifest });
        }
        if sha256_file(&manifest)? != manifest_sha256 {
            return Err(StoreError::damaged(&manifest, "its hash is not that of the release that was finished"));
        }
        let current = Current { release: format!("releases/{run_id}"), manifest_sha256: manifest_sha256.to_owned() };
        disk::replace_json(&self.root.join(".current.json.pending"), &self.root.join(CURRENT), &current)?;
        self.link_current(&current);
        Ok(current)
    }

    /// Shows an older release again.
    ///
    /// # Errors
    /// [`StoreError::Absent`] when there is no such release.
    pub fn rollback(&self, run_id: &str) -> Result<Current, StoreError> {
        self.recover()?;
        let manifest = self.release_folder(run_id)?.join(MANIFEST);
        if !manifest.is_file() {
            return Err(StoreError::Absent { path: manifest });
        }
        self.set_current(run_id, &sha256_file(&manifest)?)
    }

    /// The release that readers see; `None` before the first.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when `current.json` is not one, or names a release that is not there.
    pub fn current(&self) -> Result<Option<Current>, StoreError> {
        let path = self.root.join(CURRENT);
        let Some(current) = disk::read_json::<Current>(&path)? else { return Ok(None) };
        let named = self.release_folder(current.run_id());
        if named.is_ok_and(|folder| folder == self.root.join(&current.release) && folder.join(MANIFEST).is_file()) {
            Ok(Some(current))
        } else {
            Err(StoreError::damaged(&path, "it names a release that is not there; `prem rollback` shows another"))
        }
    }

    /// Run ids of all finished releases, sorted.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn releases(&self) -> Result<Vec<String>, StoreError> {
        let mut run_ids = Vec::new();
        for path in disk::entries(&self.releases_folder())? {
            let name = disk::name_of(&path)?;
            if !name.starts_with('.') && path.join(MANIFEST).is_file() {
                run_ids.push(name.to_owned());
            }
        }
        Ok(run_ids)
    }

    fn releases_folder(&self) -> PathBuf {
        self.root.join("releases")
    }

    fn hidden(&self, what: &str, run_id: &str) -> Result<PathBuf, StoreError> {
        Ok(self.releases_folder().join(format!(".{what}-{}", disk::checked_name("release", run_id)?)))
    }

    /// The link is a convenience: where it cannot be made, or a person put something else there, nothing is lost.
    fn link_current(&self, current: &Current) {
        #[cfg(unix)]
        {
            let pending = self.root.join(".current.pending");
            let linked = disk::remove(&pending)
                .and_then(|()| {
                    std::os::unix::fs::symlink(&current.release, &pending).map_err(StoreError::io("link", &pending))
                })
                .and_then(|()| disk::rename(&pending, &self.root.join("current")));
            if let Err(error) = linked {
                tracing::debug!(%error, "no link named current");
            }
        }
        #[cfg(not(unix))]
        let _ = current;
    }
}

/// Whether two release folders have the same files, and manifests that differ at most in timings.
fn is_same_release(staging: &Path, folder: &Path) -> Result<bool, StoreError> {
    let without_timings = |folder: &Path| {
        let manifest: Option<serde_json::Value> = disk::read_json(&folder.join(MANIFEST))?;
        Ok::<_, StoreError>(manifest.map(|mut manifest| {
            if let Some(keys) = manifest.as_object_mut() {
                keys.remove(TIMINGS);
            }
            manifest
        }))
    };
    // An unreadable manifest of a release that is there makes it another one.
    if without_timings(staging)? != without_timings(folder).unwrap_or(None) {
        return Ok(false);
    }
    let staged = disk::files_below(staging)?;
    if staged != disk::files_below(folder)? {
        return Ok(false);
    }
    for file in staged.iter().filter(|file| file.as_path() != Path::new(MANIFEST)) {
        if sha256_file(&staging.join(file))? != sha256_file(&folder.join(file))? {
            return Ok(false);
        }
    }
    Ok(true)
}
