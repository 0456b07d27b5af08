//! Erasure: a person who withdraws leaves no row behind, and none that is delivered later gets in.
//!
//! ```text
//! erasures/key           32 random bytes, readable by the owner alone; made when the first row or erasure needs it
//! erasures/ledger.json   the tombstones: keyed hashes, when, and how many rows went, per dataset
//! ```
//!
//! A key that is withdrawn takes with it what hangs below it: person → contacts → invitations → responses ([`KeyColumn`]).
//! The store keeps HMAC-SHA-256 hashes of all of them and no key, so a tombstone tells nobody who it is for, and an
//! interrupted erasure can be finished without asking for the keys again.
//!
//! The order of an erasure, each step durable before the next begins:
//!
//! 1. the ledger names the withdrawn keys and says that their erasure is not complete;
//! 2. the ledger names everything that hangs below them, found by reading all stored rows until nothing new turns up;
//! 3. delivery by delivery, files without the rows are written beside the old ones, and one rename of `delivery.json`
//!    makes them the delivery's; then the old ones go;
//! 4. derived tables and run folders, which can be made again, are removed;
//! 5. the ledger counts what went, and says complete.
//!
//! Whoever takes the lock next finishes what is not complete ([`crate::Store::lock`]); every step may be done twice. The second
//! step comes before the third because the rows that go are the ones that say what hangs below what.
//!
//! Invariants: `rows_in = kept + quarantined + erased` for every delivery, before and after; a delivery keeps its number,
//! its content hash and its place in the sequence, so `--as-of` sees the past as it was, erased persons excepted.

mod apply;
mod chain;
mod erase;
mod hmac;
mod ledger;
mod rewrite;
mod secret;
mod sift;
mod tombstones;

pub use chain::KeyColumn;
pub use erase::{Erased, ErasurePlan};
pub use ledger::{ErasedRows, Erasure};
pub use secret::Secret;
