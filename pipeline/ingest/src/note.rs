//! What was seen in a file that is worth telling, and no mistake.

use std::fmt;

use serde::Serialize;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "note", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Note {
    Compressed {
        format: &'static str,
    },
    ByteOrderMark,
    /// A property that the export leaves to each file, and what it is in this one.
    Detected {
        what: &'static str,
        value: String,
    },
    /// Columns of the file that no stored column reads.
    ExtraColumns {
        count: usize,
    },
    /// Optional columns that the file does not have.
    AbsentColumns {
        names: Vec<String>,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compressed { format } => write!(f, "compressed with {format}"),
            Self::ByteOrderMark => write!(f, "begins with a byte order mark"),
            Self::Detected { what, value } => write!(f, "its {what} was detected: {value}"),
            Self::ExtraColumns { count } => write!(f, "{count} columns that are not used"),
            Self::AbsentColumns { names } => write!(f, "without the optional columns {}", names.join(", ")),
        }
    }
}
