//! Tables, workbooks and pages: what people and programs read of a run.
//!
//! Everything here starts from [`prem_protect::Protected`]. The same run writes the same bytes: no clock, no hashing
//! order, and folders written in parallel do not share files.
//!
//! *Architecture invariant:* nothing here computes a statistic or decides what may be shown.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of persons, rows and picture units are far below 2⁵³"
)]

mod cells;
mod datapackage;
mod dictionary;
mod error;
mod facts;
mod folder;
mod harmless;
mod hashes;
mod latest;
mod names;
mod number;
mod page;
mod ranks;
mod release;
mod table_csv;
mod texts;
mod words;
mod workbook;

pub use dictionary::{dictionary_html, dictionary_markdown};
pub use error::ReportError;
pub use facts::{Language, RunFacts};
pub use hashes::file_hashes;
pub use ranks::{RankPicture, RankedUnit, ranks_svg};
pub use release::{ReleaseSummary, write_release};
