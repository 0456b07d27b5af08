//! What the declarations under `schemas/` say: parsed, compiled and checked.
//!
//! The way is *spec → compile → run*: [`compile::compile`] takes the text of all declaration files and gives either one
//! typed [`model::Plan`] or **all** mistakes of all files at once, each with file, line and span. Nothing here reads
//! data, and nothing here knows how a number is computed.

pub mod compile;
pub mod model;
mod period;
mod printable;

pub use compile::{Compiled, Diagnostic, Severity, SourceFile, Unread, compile, load_folder, suggestion};
pub use model::*;
pub use period::{Period, PeriodError, PeriodKind};
pub use printable::printable;
