//! Parquet on disk: contracts, deliveries, derived tables, locks and releases.
//!
//! Everything that is written goes to a pending place first and becomes visible by one atomic rename, so that a process
//! killed at any moment leaves either the old state or the new one.

pub mod error;
pub mod tables;

pub use error::StoreError;
