//! Records and fields: those of delimited text, and the table of cells in which every format's rows are checked.
//!
//! The grammar of delimited text is RFC 4180's, with any separator and quote: a field that begins with a quote ends at the next single quote,
//! which a separator or line end must follow; a quote inside an unquoted field is a character like others. The csv crate reads
//! well-formed text alike (a test holds the two together), but lets one unclosed quote swallow every row up to the next quote,
//! or the whole file. Here such a quote costs the line where it stands: reading goes on with the line after it.

mod scan;
mod split;
mod table;

pub(crate) use scan::{Dialect, FieldAt, Step, next_record};
pub(crate) use split::split;
use table::{BadRecord, Place};
pub(crate) use table::{Table, TableBuilder};
