//! Sizes and hashes of a staged release.

use std::{collections::BTreeMap, fs, path::Path};

use sha2::{Digest, Sha256};

use crate::ReportError;

/// Path below `staging` with `/` → bytes and SHA-256 in lower-case hexadecimal, for every file, in path order.
///
/// # Errors
/// When a folder or file cannot be read.
pub fn file_hashes(staging: &Path) -> Result<BTreeMap<String, (u64, String)>, ReportError> {
    let mut found = BTreeMap::new();
    walk(staging, "", &mut found)?;
    Ok(found)
}

fn walk(dir: &Path, prefix: &str, found: &mut BTreeMap<String, (u64, String)>) -> Result<(), ReportError> {
    for entry in fs::read_dir(dir).map_err(ReportError::io("list", dir))? {
        let path = entry.map_err(ReportError::io("list", dir))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let relative = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        if path.is_dir() {
            walk(&path, &relative, found)?;
        } else {
            found.insert(relative, of_file(&path)?);
        }
    }
    Ok(())
}

/// Bytes and SHA-256 of one file.
pub(crate) fn of_file(path: &Path) -> Result<(u64, String), ReportError> {
    let bytes = fs::read(path).map_err(ReportError::io("read", path))?;
    Ok((bytes.len() as u64, sha256(&bytes)))
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
