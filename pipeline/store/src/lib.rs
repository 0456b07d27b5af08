//! Parquet on disk: contracts, deliveries, derived tables, locks and releases.
//!
//! Everything that is written goes to a pending place first and becomes visible by one atomic rename, so that a process
//! killed at any moment leaves either the old state or the new one. Nothing here reads a clock or the environment.
//!
//! [`Store`] reads without a lock; whoever changes something holds a [`LockedStore`]:
//!
//! ```
//! use prem_store::{Partition, Store};
//!
//! # let folder = tempfile::tempdir()?;
//! # let root = folder.path();
//! let store = Store::open(root).lock()?;
//! let march = Partition::new("linked", "inpatient-2024/month=2025-03")?;
//! if !store.is_current(&march, "key of the step") {
//!     let pending = store.begin()?;
//!     std::fs::write(pending.path().join("part.parquet"), "rows")?;
//!     store.commit_partition(pending, &march, "key of the step", serde_json::json!({"rows": 1}))?;
//! }
//! assert_eq!(store.partitions("linked")?, [march]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod counts;
mod delivery;
mod derived;
mod disk;
mod draws;
mod erasure;
pub mod error;
mod hash;
mod lock;
mod parquet_file;
mod refusal;
mod release;
mod rows;
mod runs;
mod schema;
mod seen;
mod sequence;
mod store;
pub mod tables;
mod withdrawal;

pub use counts::{IngestCounts, RowCounts};
pub use delivery::{
    Committed, Covered, Delivery, NewDelivery, Place, StoredFile, delivered_by, month_rows_before, snapshot_rows_before,
};
pub use derived::{Partition, Step};
pub use draws::DrawRecord;
pub use erasure::{Erased, ErasedRows, Erasure, ErasurePlan, KeyColumn, Secret};
pub use error::StoreError;
pub use hash::{sha256_file, sha256_hex};
pub use refusal::{BadRow, Refusal};
pub use release::{Current, Finished, Publisher};
pub use rows::{RowsFile, RowsWriter, check_rows, read_rows};
pub use runs::RunFolder;
pub use schema::{CONTRACT, CONTRACT_VERSION, ROW, arrow_schema, arrow_type};
pub use seen::{Lying, Seen};
pub use sequence::{arrival_sequence, cmp_places};
pub use store::{LockedStore, Pending, Store};
pub use tables::{Quarantine, QuarantineWriter};
pub use withdrawal::Withdrawal;
