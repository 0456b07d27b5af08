//! The store's secret, and the keyed hashes made with it.
//!
//! Plain hashes of pseudonyms could be undone by trying all pseudonyms; with a secret that never leaves the store they cannot.

use std::{
    fmt,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use super::{chain::KeyColumn, hmac::Keyed};
use crate::{LockedStore, Store, StoreError, disk, hash::hex};

const SECRET_BYTES: usize = 32;

/// A keyed hash of one key.
pub(crate) type KeyHash = [u8; 32];

/// Makes keyed hashes. It shows nothing of itself.
#[derive(Clone)]
pub struct Secret {
    keyed: Keyed,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    fn of(bytes: &[u8], path: &Path) -> Result<Self, StoreError> {
        let keyed = Keyed::new(bytes).filter(|_| bytes.len() == SECRET_BYTES);
        let wrong = || StoreError::damaged(path, format!("it has {} bytes, not {SECRET_BYTES}", bytes.len()));
        keyed.map(|keyed| Self { keyed }).ok_or_else(wrong)
    }

    /// For a look at what would be erased from a store that has no secret yet: hashes that nothing else can repeat.
    pub(crate) fn throwaway(root: &Path) -> Result<Self, StoreError> {
        Self::of(&random(&secret_path(root))?, root)
    }

    pub(crate) fn hash(&self, column: KeyColumn, key: &str) -> KeyHash {
        self.keyed.code(&[column.name().as_bytes(), &[0], key.as_bytes()])
    }

    /// Whose a quarantined row is, for an erasure to find it: its keys, hashed. `None` for a row without any.
    pub fn subject<'a>(&self, keys: impl IntoIterator<Item = (KeyColumn, &'a str)>) -> Option<String> {
        let mut parts: Vec<(KeyColumn, String)> = keys
            .into_iter()
            .filter(|(_, key)| !key.is_empty())
            .map(|(column, key)| (column, format!("{}:{}", column.name(), hex(&self.hash(column, key)))))
            .collect();
        parts.sort();
        let parts: Vec<String> = parts.into_iter().map(|(_, part)| part).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }
}

fn secret_path(root: &Path) -> PathBuf {
    root.join("erasures").join("key")
}

fn random(path: &Path) -> Result<[u8; SECRET_BYTES], StoreError> {
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes)
        .map_err(|error| StoreError::io("draw random bytes for", path)(std::io::Error::other(error.to_string())))?;
    Ok(bytes)
}

impl Store {
    /// The secret, where there is one.
    pub(crate) fn known_secret(&self) -> Result<Option<Secret>, StoreError> {
        let path = secret_path(self.root());
        match fs::read(&path) {
            Ok(bytes) => {
                warn_if_open(&path);
                Secret::of(&bytes, &path).map(Some)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io("read", &path)(error)),
        }
    }
}

impl LockedStore {
    /// The secret, made where there is none.
    ///
    /// # Errors
    /// When it cannot be read or made, or is lost though tombstones need it: a new one would let erased persons in again.
    pub fn secret(&self) -> Result<Secret, StoreError> {
        if let Some(secret) = self.known_secret()? {
            return Ok(secret);
        }
        let path = secret_path(self.root());
        if !self.erasures()?.is_empty() {
            return Err(StoreError::damaged(&path, "it is absent, but tombstones were made with it"));
        }
        let bytes = random(&path)?;
        let pending = self.pending_name("key");
        write_private(&pending, &bytes)?;
        disk::create_private_folder(&self.root().join("erasures"))?;
        disk::rename(&pending, &path)?;
        disk::sync_folder(self.root())?;
        Secret::of(&bytes, &path)
    }
}

fn write_private(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(StoreError::io("create", path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(StoreError::io("write", path))
}

fn warn_if_open(path: &Path) {
    #[cfg(unix)]
    if let Ok(found) = fs::metadata(path)
        && std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o077 != 0
    {
        tracing::warn!(path = %path.display(), "others than the owner may read the secret; `chmod 600` it");
    }
    #[cfg(not(unix))]
    let _ = path;
}
