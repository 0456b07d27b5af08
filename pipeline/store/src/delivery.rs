//! Deliveries: what one file brought, registered once and never changed but by an erasure.
//!
//! `deliveries/<dataset>/<number>-<first 12 of sha256>/{rows.parquet, quarantine.parquet, delivery.json}`; after an erasure
//! `rows.1.parquet` and so on ([`crate::Erasure`]): the record says which.
//!
//! Invariants: a delivery is known by dataset and content hash, so the same file twice is nothing new; numbers rise in
//! the order of registration over the whole store, and none is given twice ([`crate::Withdrawal`]); counts reconcile, and the rows file holds as many rows as were kept;
//! files have the size they were stored with ([`Store::verify_delivery`] compares their content too). All this is checked
//! when a delivery is committed *and* when deliveries are read. A kill before the rename leaves a pending folder and no
//! delivery; after it, the whole delivery.

use std::{
    cmp::Ordering,
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use jiff::{Timestamp, civil::Date};
use prem_spec::DeliveryMode;
use serde::{Deserialize, Serialize};

use crate::{
    ErasedRows, IngestCounts, LockedStore, Pending, Store, StoreError, disk,
    hash::{is_sha256, sha256_file},
    parquet_file::OpenParquet,
    sequence::cmp_places,
};

pub(crate) const ROWS: &str = "rows.parquet";
pub(crate) const QUARANTINE: &str = "quarantine.parquet";
pub(crate) const RECORD: &str = "delivery.json";

/// What is known of a file when it is registered. The store adds the number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    pub dataset: String,
    pub export: String,
    /// Path in the inbox, `/` between folders.
    pub file_name: String,
    /// Of the file as it was delivered, compressed or not.
    pub sha256: String,
    pub bytes: u64,
    /// Decides which of two deliveries is the later one, see [`cmp_places`].
    pub sequence: String,
    pub mode: DeliveryMode,
    /// What the delivery replaces, with [`DeliveryMode::ReplacePeriod`].
    pub covers: Option<Covered>,
    /// First day of each month that the delivery replaces → rows of it that were kept.
    pub month_rows: BTreeMap<Date, u64>,
    pub delivered_at: Timestamp,
    pub counts: IngestCounts,
    /// What the export leaves to each file and was found in this one, such as encoding → windows-1252.
    pub detected: BTreeMap<String, String>,
    /// Registers bytes that are known already once more, because a later delivery has superseded them.
    pub accept_again: bool,
}

/// A registered delivery: the content of `delivery.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// From 1, in the order of registration over the whole store.
    pub number: u64,
    pub dataset: String,
    pub export: String,
    pub file_name: String,
    pub sha256: String,
    pub bytes: u64,
    pub sequence: String,
    #[serde(with = "mode_text")]
    pub mode: DeliveryMode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covers: Option<Covered>,
    /// First day of each month that the delivery replaces → rows of it that were kept, those erased since counted with them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub month_rows: BTreeMap<Date, u64>,
    pub delivered_at: Timestamp,
    pub counts: IngestCounts,
    /// What the export leaves to each file and was found in this one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub detected: BTreeMap<String, String>,
    /// The files that lie beside the record.
    pub files: BTreeMap<String, StoredFile>,
    /// Number of the erasure → rows that it took after the delivery was registered.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub erasures: BTreeMap<u64, ErasedRows>,
}

/// The months of which a delivery holds everything: rows of these months in earlier deliveries of its export are gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Covered {
    /// The stored date or date-time that places a row in a month.
    pub column: String,
    /// First days of the months, in order.
    pub months: Vec<Date>,
}

/// A file as it was when it was stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredFile {
    pub bytes: u64,
    pub sha256: String,
}

impl Delivery {
    /// Which of two deliveries is the later one: by sequence; of equal ones by export and file name, so that it does not matter
    /// which of two files a run took first; of one name by arrival, then content hash and registration.
    pub fn cmp_sequence(&self, other: &Self) -> Ordering {
        fn ties(of: &Delivery) -> (&str, &str, Timestamp, &str, u64) {
            (&of.export, &of.file_name, of.delivered_at, &of.sha256, of.number)
        }
        cmp_places(&self.sequence, &other.sequence).then_with(|| ties(self).cmp(&ties(other)))
    }

    /// What the delivery's rows are known by: the hash of the delivered file, and where erased rows are missing from it, of
    /// the rows that are left.
    pub fn content_key(&self) -> String {
        let rows = self.files.get(self.file_of(ROWS)).filter(|_| self.counts.erased > 0);
        rows.map_or_else(
            || self.sha256.clone(),
            |rows| format!("{}-{}-{}", self.sha256, self.counts.erased, rows.sha256),
        )
    }

    /// The name of the file that was first called `first`: an erasure writes a new one beside the old.
    pub(crate) fn file_of(&self, first: &'static str) -> &str {
        let stem = first.trim_end_matches("parquet");
        self.files.keys().find(|name| name.starts_with(stem)).map_or(first, String::as_str)
    }

    fn folder_name(&self) -> String {
        folder_name(self.number, &self.sha256)
    }
}

pub(crate) fn folder_name(number: u64, sha256: &str) -> String {
    format!("{number:06}-{}", sha256.get(..12).unwrap_or(sha256))
}

/// What [`LockedStore::commit`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    pub delivery: Delivery,
    /// False when the same bytes were registered before: `delivery` is that one, and nothing was stored.
    pub is_new: bool,
}

impl Store {
    /// All deliveries in the order of registration, without those that were withdrawn.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] or [`StoreError::Parquet`] for the first folder that is not a whole delivery.
    pub fn deliveries(&self) -> Result<Vec<Delivery>, StoreError> {
        let mut all = Vec::new();
        let withdrawn = self.withdrawn_folders()?;
        for dataset in disk::entries(&self.root().join("deliveries"))? {
            for folder in disk::entries(&dataset)? {
                if withdrawn.contains(disk::name_of(&folder)?) {
                    continue;
                }
                all.push(read_delivery(disk::name_of(&dataset)?, &folder)?);
            }
        }
        all.sort_by_key(|delivery| delivery.number);
        if let Some(twice) = all.windows(2).find(|pair| pair[0].number == pair[1].number) {
            let reason = format!("delivery number {} was given to {} too", twice[0].number, twice[0].dataset);
            return Err(StoreError::damaged(&self.delivery_folder(&twice[1]), reason));
        }
        Ok(all)
    }

    /// The latest registered delivery of these bytes to this dataset.
    ///
    /// # Errors
    /// As [`Store::deliveries`].
    pub fn find_delivery(&self, dataset: &str, sha256: &str) -> Result<Option<Delivery>, StoreError> {
        Ok(find(&self.deliveries()?, dataset, sha256).cloned())
    }

    /// Reads a delivery's files through and compares them with what was stored: Parquet itself does not notice every
    /// changed byte. Worth its time before rows are read.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] for the first file that has another content.
    pub fn verify_delivery(&self, delivery: &Delivery) -> Result<(), StoreError> {
        for (name, stored) in &delivery.files {
            let path = self.delivery_folder(delivery).join(name);
            if sha256_file(&path)? != stored.sha256 {
                return Err(StoreError::damaged(&path, "its content is not what was stored"));
            }
        }
        Ok(())
    }

    pub fn delivery_folder(&self, delivery: &Delivery) -> PathBuf {
        self.root().join("deliveries").join(&delivery.dataset).join(delivery.folder_name())
    }

    /// The stored rows of a delivery.
    pub fn rows_path(&self, delivery: &Delivery) -> PathBuf {
        self.delivery_folder(delivery).join(delivery.file_of(ROWS))
    }

    /// The quarantined rows of a delivery.
    pub fn quarantine_path(&self, delivery: &Delivery) -> PathBuf {
        self.delivery_folder(delivery).join(delivery.file_of(QUARANTINE))
    }
}

impl LockedStore {
    /// Registers what was written into `pending`, which must hold the rows and the quarantine.
    ///
    /// The number is the next one, so callers commit in an order that does not depend on threads. A refusal of the same
    /// file is forgotten.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the counts do not reconcile or are not what the files hold.
    #[expect(clippy::needless_pass_by_value, reason = "a pending folder is used up: it is renamed away or removed")]
    pub fn commit(&self, pending: Pending, new: NewDelivery) -> Result<Committed, StoreError> {
        disk::checked_name("dataset", &new.dataset)?;
        disk::checked_name("export", &new.export)?;
        if !is_sha256(&new.sha256) {
            return Err(StoreError::refused(pending.path(), "its content hash is not a SHA-256"));
        }
        let mut registered = self.registered.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let known = match registered.as_mut() {
            Some(known) => known,
            None => registered.insert(self.deliveries()?),
        };
        if let Some(same) = find(known, &new.dataset, &new.sha256)
            && !new.accept_again
        {
            return Ok(Committed { delivery: same.clone(), is_new: false });
        }
        let mut counts = new.counts;
        self.keep_erased_out(pending.path(), &mut counts)?;
        let withdrawn = self.withdrawals()?.last().map(|last| last.number);
        let delivery = Delivery {
            number: known.last().map(|last| last.number).max(withdrawn).unwrap_or_default() + 1,
            dataset: new.dataset,
            export: new.export,
            file_name: new.file_name,
            sha256: new.sha256,
            bytes: new.bytes,
            sequence: new.sequence,
            mode: new.mode,
            covers: new.covers,
            month_rows: new.month_rows,
            delivered_at: new.delivered_at,
            counts,
            detected: new.detected,
            files: stored_files(pending.path())?,
            erasures: BTreeMap::new(),
        };
        check_counts(pending.path(), &delivery).map_err(|reason| StoreError::refused(pending.path(), reason))?;

        disk::write_file(&pending.path().join(RECORD), &disk::json_bytes(pending.path(), &delivery)?)?;
        disk::sync_tree(pending.path())?;
        // Forgotten first: a kill in between costs one more reading of the file, where a refusal that stays beside the delivery
        // would be shown for ever.
        self.forget_refusal(&delivery.export, &delivery.sha256)?;
        let target = self.delivery_folder(&delivery);
        self.place(pending.path(), &target)?;
        known.push(delivery.clone());
        Ok(Committed { delivery, is_new: true })
    }

    /// Renames a flushed pending folder to a name that nothing has, making the folders above it durable first.
    pub(crate) fn place(&self, pending: &Path, target: &Path) -> Result<(), StoreError> {
        if let Some(parent) = target.parent() {
            disk::create_private_folder(parent)?;
            let mut inside = parent.ancestors().take_while(|folder| folder.starts_with(self.root()));
            inside.try_for_each(disk::sync_folder)?;
        }
        disk::rename(pending, target)
    }
}

fn find<'a>(known: &'a [Delivery], dataset: &str, sha256: &str) -> Option<&'a Delivery> {
    known.iter().rev().find(|delivery| delivery.dataset == dataset && delivery.sha256 == sha256)
}

fn read_delivery(dataset: &str, folder: &Path) -> Result<Delivery, StoreError> {
    let path = folder.join(RECORD);
    let delivery: Delivery =
        disk::read_json(&path)?.ok_or_else(|| StoreError::damaged(folder, format!("{RECORD} is absent")))?;
    if delivery.dataset != dataset || disk::name_of(folder)? != delivery.folder_name() {
        return Err(StoreError::damaged(&path, "it describes another folder than the one it lies in"));
    }
    if !is_sha256(&delivery.sha256) {
        return Err(StoreError::damaged(&path, "its content hash is not a SHA-256"));
    }
    for (name, stored) in &delivery.files {
        let path = folder.join(name);
        if fs::metadata(&path).map(|file| file.len()).ok() != Some(stored.bytes) {
            return Err(StoreError::damaged(&path, format!("it was stored with {} bytes", stored.bytes)));
        }
    }
    check_counts(folder, &delivery).map_err(|reason| StoreError::damaged(folder, reason))?;
    Ok(delivery)
}

fn stored_files(folder: &Path) -> Result<BTreeMap<String, StoredFile>, StoreError> {
    let mut files = BTreeMap::new();
    for path in disk::entries(folder)? {
        let bytes = fs::metadata(&path).map_err(StoreError::io("look at", &path))?.len();
        files.insert(disk::name_of(&path)?.to_owned(), StoredFile { bytes, sha256: sha256_file(&path)? });
    }
    Ok(files)
}

/// Whether counts add up and are what the files hold: every row that was not kept stands in quarantine at least once.
pub(crate) fn check_counts(folder: &Path, delivery: &Delivery) -> Result<(), String> {
    let counts = &delivery.counts;
    if !counts.reconciles() {
        let (rows_in, kept, bad, erased) = (counts.rows_in, counts.kept, counts.quarantined_total(), counts.erased);
        return Err(format!("{rows_in} rows came in, but {kept} were kept, {bad} quarantined and {erased} erased"));
    }
    let rows = |name: &str| OpenParquet::open(&folder.join(name)).map(|file| file.rows).map_err(|e| e.to_string());
    let (kept, quarantined) = (rows(delivery.file_of(ROWS))?, rows(delivery.file_of(QUARANTINE))?);
    if kept != counts.kept {
        return Err(format!("{ROWS} has {kept} rows, but {} were kept", counts.kept));
    }
    if quarantined < counts.quarantined_total() {
        let counted = counts.quarantined_total();
        return Err(format!("{QUARANTINE} has {quarantined} rows, but {counted} rows were quarantined"));
    }
    Ok(())
}

/// The deliveries that had come by `as_of`, that instant included; all of them without one.
pub fn delivered_by(deliveries: &[Delivery], as_of: Option<Timestamp>) -> Vec<Delivery> {
    let seen = |delivery: &&Delivery| as_of.is_none_or(|as_of| delivery.delivered_at <= as_of);
    deliveries.iter().filter(seen).cloned().collect()
}

/// Where a file of an export comes among its deliveries: what [`Delivery::cmp_sequence`] looks at.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub export: &'a str,
    pub sequence: &'a str,
    pub file_name: &'a str,
    pub delivered_at: Timestamp,
    pub sha256: &'a str,
}

impl Place<'_> {
    /// Whether a delivery is one of the same export and comes earlier.
    fn is_after(&self, delivery: &Delivery) -> bool {
        let own = (delivery.file_name.as_str(), delivery.delivered_at, delivery.sha256.as_str());
        let tie = own.cmp(&(self.file_name, self.delivered_at, self.sha256));
        let order = cmp_places(&delivery.sequence, self.sequence).then(tie);
        delivery.export == self.export && order == Ordering::Less
    }
}

/// Rows kept of the snapshot that one in this place would replace, erased ones counted with them; `None` where there is none
/// before it.
pub fn snapshot_rows_before<'a>(deliveries: impl IntoIterator<Item = &'a Delivery>, place: Place<'_>) -> Option<u64> {
    let is_before = |delivery: &&Delivery| delivery.mode == DeliveryMode::Snapshot && place.is_after(delivery);
    let before = deliveries.into_iter().filter(is_before).max_by(|a, b| a.cmp_sequence(b))?;
    Some(before.counts.kept + before.counts.erased)
}

/// First day of a month → rows kept of it, erased ones counted with them, by the last delivery that replaced the month before one
/// in this place would.
pub fn month_rows_before<'a>(
    deliveries: impl IntoIterator<Item = &'a Delivery>,
    place: Place<'_>,
) -> BTreeMap<Date, u64> {
    let mut before: Vec<&Delivery> = deliveries.into_iter().filter(|delivery| place.is_after(delivery)).collect();
    before.sort_by(|a, b| a.cmp_sequence(b));
    before.into_iter().flat_map(|delivery| &delivery.month_rows).map(|(month, rows)| (*month, *rows)).collect()
}

/// The mode as `delivery.json` spells it, the same as in the declarations.
mod mode_text {
    use prem_spec::DeliveryMode;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    const ALL: [DeliveryMode; 3] = [DeliveryMode::Upsert, DeliveryMode::ReplacePeriod, DeliveryMode::Snapshot];

    fn text(mode: DeliveryMode) -> &'static str {
        match mode {
            DeliveryMode::Upsert => "upsert",
            DeliveryMode::ReplacePeriod => "replace-period",
            DeliveryMode::Snapshot => "snapshot",
        }
    }

    pub(super) fn serialize<S: Serializer>(mode: &DeliveryMode, serializer: S) -> Result<S::Ok, S::Error> {
        text(*mode).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DeliveryMode, D::Error> {
        let found = String::deserialize(deserializer)?;
        let known = ALL.into_iter().find(|mode| text(*mode) == found);
        known.ok_or_else(|| D::Error::custom("not a delivery mode"))
    }
}
