//! Files under a folder: written under temporary names, renamed when all of them are complete.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::SampleError;

const UNFINISHED: &str = ".unfinished";

/// New files. Dropped before [`Files::finish`], it removes what it has written.
pub(crate) struct Files {
    folder: PathBuf,
    /// Name → the open file, or `None` when it is closed.
    files: BTreeMap<String, Option<File>>,
    finished: bool,
}

impl Files {
    pub(crate) fn new(folder: &Path) -> Result<Self, SampleError> {
        fs::create_dir_all(folder).map_err(SampleError::io(folder))?;
        Ok(Self { folder: folder.to_owned(), files: BTreeMap::new(), finished: false })
    }

    /// Adds to a file; a file that is new begins with `header`.
    pub(crate) fn append(
        &mut self,
        name: &str,
        header: impl FnOnce() -> Vec<u8>,
        bytes: &[u8],
    ) -> Result<(), SampleError> {
        let path = self.unfinished(name);
        let write = |file: &mut File, bytes: &[u8]| file.write_all(bytes).map_err(SampleError::io(&path));
        match self.files.get_mut(name) {
            Some(Some(file)) => write(file, bytes),
            Some(slot) => {
                let mut file = File::options().append(true).open(&path).map_err(SampleError::io(&path))?;
                write(&mut file, bytes)?;
                *slot = Some(file);
                Ok(())
            }
            None => {
                if let Some(parent) = path.parent() {
                    fs::create_dir_all(parent).map_err(SampleError::io(parent))?;
                }
                let mut file = File::create(&path).map_err(SampleError::io(&path))?;
                self.files.insert(name.to_owned(), None);
                write(&mut file, &header())?;
                write(&mut file, bytes)?;
                self.files.insert(name.to_owned(), Some(file));
                Ok(())
            }
        }
    }

    /// Closes a file that will hardly get more rows.
    pub(crate) fn close(&mut self, name: &str) {
        if let Some(slot) = self.files.get_mut(name) {
            *slot = None;
        }
    }

    /// Gives all files their names.
    pub(crate) fn finish(mut self) -> Result<Vec<String>, SampleError> {
        for file in self.files.values_mut() {
            *file = None;
        }
        for name in self.files.keys() {
            let (from, to) = (self.unfinished(name), self.folder.join(name));
            fs::rename(&from, &to).map_err(SampleError::io(to))?;
        }
        self.finished = true;
        Ok(self.files.keys().cloned().collect())
    }

    fn unfinished(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}{UNFINISHED}"))
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        for name in self.files.keys() {
            // Nothing can be done about a file that cannot be removed; its name says that it is unfinished.
            let _: io::Result<()> = fs::remove_file(self.unfinished(name));
        }
    }
}
