//! Draws: who was drawn to be asked, by sampling plan and window. Kept for good, because rest between surveys looks back.
//!
//! `draws/<plan>/<window>/{drawn-<first 12 of inputs>.parquet, draw.json}`. The record says which rows are the draw's.
//!
//! Invariant: at every moment one whole draw is there. The first of a window appears by one rename of its folder, a later one
//! by the rename of its record, before which its rows lie beside those of the earlier draw.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{
    LockedStore, Pending, Store, StoreError, disk,
    tables::{Drawn, TableMeta, read_table, write_table},
};

const RECORD: &str = "draw.json";

/// What a draw was made of: the content of `draw.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrawRecord {
    pub plan: String,
    /// Period of discharge, as it is written on the command line.
    pub window: String,
    pub on: Date,
    pub seed: u64,
    /// Hash of all that decided who was drawn.
    pub inputs: String,
    pub drawn: u64,
    /// Counts by reason and stratum.
    pub report: serde_json::Value,
}

impl DrawRecord {
    /// Other inputs, another file: so a draw is written without touching the one that it replaces.
    fn rows_name(&self) -> Result<String, StoreError> {
        let inputs = disk::checked_name("inputs", &self.inputs)?;
        Ok(format!("drawn-{}.parquet", inputs.get(..12).unwrap_or(inputs)))
    }
}

impl Store {
    fn draw_folder(&self, plan: &str, window: &str) -> Result<PathBuf, StoreError> {
        let folder = self.root().join("draws").join(disk::checked_name("plan", plan)?);
        Ok(folder.join(disk::checked_name("window", window)?))
    }

    /// The draw of a plan and window; `None` where none was made.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when the record is not one.
    pub fn draw(&self, plan: &str, window: &str) -> Result<Option<DrawRecord>, StoreError> {
        disk::read_json(&self.draw_folder(plan, window)?.join(RECORD))
    }

    /// All draws in the order of plan and window.
    ///
    /// # Errors
    /// As [`Store::draw`].
    pub fn draws(&self) -> Result<Vec<DrawRecord>, StoreError> {
        let mut all = Vec::new();
        for plan in disk::entries(&self.root().join("draws"))? {
            for window in disk::entries(&plan)? {
                let record = disk::read_json(&window.join(RECORD))?;
                all.push(record.ok_or_else(|| StoreError::damaged(&window, format!("{RECORD} is absent")))?);
            }
        }
        Ok(all)
    }

    /// The drawn persons of a draw.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn drawn(&self, record: &DrawRecord) -> Result<Vec<Drawn>, StoreError> {
        Ok(read_table(&self.draw_folder(&record.plan, &record.window)?.join(record.rows_name()?))?.0)
    }
}

impl LockedStore {
    /// Keeps a draw, in the place of an earlier one of the same plan and window.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_draw(&self, pending: Pending, record: &DrawRecord, rows: &[Drawn]) -> Result<(), StoreError> {
        self.keep_draw_with(pending, record, rows, &mut || Ok(()))
    }

    /// [`LockedStore::keep_draw`], calling `checkpoint` after every durable step: where it fails, the draw stops as if the
    /// process had been killed there.
    ///
    /// # Errors
    /// As [`LockedStore::keep_draw`], and those of `checkpoint`.
    #[doc(hidden)]
    #[expect(clippy::needless_pass_by_value, reason = "a pending folder is used up: it is renamed away or removed")]
    pub fn keep_draw_with(
        &self,
        pending: Pending,
        record: &DrawRecord,
        rows: &[Drawn],
        checkpoint: &mut dyn FnMut() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let folder = self.draw_folder(&record.plan, &record.window)?;
        let name = record.rows_name()?;
        write_table(&pending.path().join(&name), rows, &TableMeta::default())?;
        disk::write_file(&pending.path().join(RECORD), &disk::json_bytes(&folder, record)?)?;
        disk::sync_tree(pending.path())?;
        checkpoint()?;
        if !folder.exists() {
            self.place(pending.path(), &folder)?;
            return checkpoint();
        }
        for file in [name.as_str(), RECORD] {
            disk::rename(&pending.path().join(file), &folder.join(file))?;
            checkpoint()?;
        }
        remove_others(&folder, &name)
    }
}

/// Removes the rows of replaced draws, and those of one that was interrupted before its record came.
fn remove_others(folder: &Path, rows: &str) -> Result<(), StoreError> {
    for path in disk::entries(folder)? {
        if ![rows, RECORD].contains(&disk::name_of(&path)?) {
            disk::remove(&path)?;
        }
    }
    disk::sync_folder(folder)
}
