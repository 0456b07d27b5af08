//! The few operations on files and folders that everything here is built of, and how they survive a kill or a power cut.
//!
//! The order is always: write under a pending name, flush files, flush folders, rename, flush the folder of the name.

use std::{
    fs::{self, DirBuilder, File},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

use crate::StoreError;

/// Makes a folder and those above it, readable by the owner alone on unix; folders that exist are left as they are.
pub(crate) fn create_private_folder(path: &Path) -> Result<(), StoreError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(StoreError::io("create the folder", path))
}

pub(crate) fn sync_file(path: &Path) -> Result<(), StoreError> {
    // Windows flushes only handles that may write.
    let file = File::options().read(true).write(cfg!(windows)).open(path);
    file.and_then(|file| file.sync_all()).map_err(StoreError::io("flush", path))
}

/// Makes names in a folder durable; where folders cannot be opened (Windows) the file system sees to it.
pub(crate) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    if cfg!(unix) {
        File::open(path).and_then(|folder| folder.sync_all()).map_err(StoreError::io("flush the folder", path))?;
    }
    Ok(())
}

/// Flushes a folder, everything in it, from the leaves upwards.
pub(crate) fn sync_tree(folder: &Path) -> Result<(), StoreError> {
    for entry in entries(folder)? {
        if entry.is_dir() {
            sync_tree(&entry)?;
        } else {
            sync_file(&entry)?;
        }
    }
    sync_folder(folder)
}

/// Renames and flushes the folder that holds the new name.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    fs::rename(from, to).map_err(StoreError::io("rename a pending file or folder to", to))?;
    to.parent().map_or(Ok(()), sync_folder)
}

/// What a folder holds, in the order of names; an absent folder holds nothing.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let found = match fs::read_dir(folder) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StoreError::io("list", folder)(error)),
    };
    let mut paths = Vec::new();
    for entry in found {
        paths.push(entry.map_err(StoreError::io("list", folder))?.path());
    }
    paths.sort();
    Ok(paths)
}

/// The files below a folder, in the order of paths: each path from the folder on.
pub(crate) fn files_below(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut files = Vec::new();
    for entry in entries(folder)? {
        let Some(name) = entry.file_name().map(PathBuf::from) else { continue };
        if entry.is_dir() {
            files.extend(files_below(&entry)?.into_iter().map(|below| name.join(below)));
        } else {
            files.push(name);
        }
    }
    Ok(files)
}

/// The last part of a path that this crate made, as text.
pub(crate) fn name_of(path: &Path) -> Result<&str, StoreError> {
    path.file_name()
        .and_then(|name| name.to_str())
        .ok_or_else(|| StoreError::damaged(path, "its name is not one that this program gives"))
}

/// Removes a file, a link or a whole folder; nothing to do where there is none.
pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(StoreError::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Pretty JSON with a newline at the end. The same value gives the same bytes.
pub(crate) fn json_bytes<T: Serialize>(path: &Path, value: &T) -> Result<Vec<u8>, StoreError> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|error| StoreError::refused(path, error.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Writes a new file and flushes it; its folder is flushed by whoever renames.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut file = File::create(path).map_err(StoreError::io("create", path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(StoreError::io("write", path))
}

/// Replaces `target` in one step, by way of `pending` on the same file system.
pub(crate) fn replace_json<T: Serialize>(pending: &Path, target: &Path, value: &T) -> Result<(), StoreError> {
    write_file(pending, &json_bytes(target, value)?)?;
    rename(pending, target)
}

/// Reads JSON; `None` where there is no such file. What the parser says is given as a place, since it may quote content.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, StoreError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::io("read", path)(error)),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        StoreError::damaged(path, format!("it is not the JSON that belongs there (see {place})"))
    })
}

/// Checks that `name` can be one part of a path on every system and cannot lead out of its folder.
pub(crate) fn checked_name<'a>(what: &'static str, name: &'a str) -> Result<&'a str, StoreError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=.".contains(&byte);
    if name.is_empty() || name.len() > 200 || name.starts_with('.') || !name.bytes().all(allowed) {
        return Err(StoreError::Name { what, name: name.to_owned() });
    }
    Ok(name)
}
