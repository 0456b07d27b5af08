//! Draws: who was drawn to be asked, by sampling plan and window. Kept for good, because rest between surveys looks back.
//!
//! `draws/<plan>/<window>/{drawn.parquet, draw.json}`, appearing by one rename.

use std::path::PathBuf;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{
    LockedStore, Pending, Store, StoreError, disk,
    tables::{Drawn, TableMeta, read_table, write_table},
};

const RECORD: &str = "draw.json";
const ROWS: &str = "drawn.parquet";

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

    /// Where the drawn persons of a draw lie.
    ///
    /// # Errors
    /// [`StoreError::Name`] when plan or window cannot be the name of a folder.
    pub fn drawn_path(&self, plan: &str, window: &str) -> Result<PathBuf, StoreError> {
        Ok(self.draw_folder(plan, window)?.join(ROWS))
    }

    /// The drawn persons of a draw.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn drawn(&self, record: &DrawRecord) -> Result<Vec<Drawn>, StoreError> {
        Ok(read_table(&self.drawn_path(&record.plan, &record.window)?)?.0)
    }
}

impl LockedStore {
    /// Keeps a draw, in the place of an earlier one of the same plan and window.
    ///
    /// # Errors
    /// When it cannot be written.
    #[expect(clippy::needless_pass_by_value, reason = "a pending folder is used up: it is renamed away or removed")]
    pub fn keep_draw(&self, pending: Pending, record: &DrawRecord, rows: &[Drawn]) -> Result<(), StoreError> {
        let target = self.draw_folder(&record.plan, &record.window)?;
        write_table(&pending.path().join(ROWS), rows, &TableMeta::default())?;
        disk::write_file(&pending.path().join(RECORD), &disk::json_bytes(&target, record)?)?;
        disk::sync_tree(pending.path())?;
        let replaced = self.move_away(&target)?;
        self.place(pending.path(), &target)?;
        replaced.as_deref().map_or(Ok(()), disk::remove)
    }
}
