//! Files as people send them become checked, typed Parquet.
//!
//! ```text
//! discover   which files of the inbox belong to which export, and are complete
//! source     bytes: gzip or zstd unpacked, hashed, cut into chunks at the ends of records; text in three encodings
//! formats    what a file is made of: text, workbook, Parquet, SPSS, FHIR resources; each gives a header and batches of rows
//! records    batches into tables of text cells, the one shape in which all formats are checked
//! header     names of the columns;  layout  which of them feeds which stored column
//! columns    cells into typed arrays, one file per kind of column;  rules  across columns
//! unique     values that may stand once in a file;  facts  the months and the place among deliveries that its rows tell
//! identity   what must never be stored: identity numbers, addresses, telephone numbers
//! sink       good rows and quarantine, in the order of the file
//! ```
//!
//! Invariants: rows in = rows kept + rows quarantined, each under one reason. Memory does not grow with the file. The same file
//! and declarations give the same bytes, on any number of threads. No message quotes a cell. No clock is read.

mod chunk;
mod columns;
mod discover;
mod distinct;
mod error;
mod facts;
mod formats;
mod header;
mod identity;
mod ingest;
mod layout;
pub mod limits;
mod note;
mod problem;
mod reason;
mod records;
mod rules;
mod share;
mod sink;
mod source;
mod unique;

pub use discover::{Found, Inbox, Settled, SkipReason, Skipped, discover};
pub use error::{IngestError, Refusal, RefusalCause};
pub use identity::is_identity_number;
pub use ingest::{IngestOptions, Ingested, ingest_file};
pub use limits::Limits;
pub use note::Note;
pub use reason::Reason;
