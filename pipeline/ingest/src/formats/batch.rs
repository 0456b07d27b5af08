//! Rows that are still to be taken apart: the work of all cores.

use std::sync::Arc;

use arrow::array::RecordBatch;
use prem_spec::model::Encoding;

use super::{fhir, parquet};
use crate::{
    records::{Dialect, Table, split},
    source::decode,
};

#[derive(Clone)]
pub(crate) enum Batch {
    Text { bytes: Vec<u8>, dialect: Dialect, encoding: Encoding },
    Resources { bytes: Vec<u8>, fields: Arc<fhir::Fields> },
    Arrow { batch: RecordBatch, decimal: char },
    Cells(Table),
}

impl Batch {
    /// Text cells, `width` a row.
    pub(crate) fn into_table(self, width: usize) -> Table {
        match self {
            Self::Text { bytes, dialect, encoding } => split(decode(bytes, encoding), dialect, width),
            Self::Resources { bytes, fields } => fhir::table(&bytes, &fields, width),
            Self::Arrow { batch, decimal } => parquet::table(&batch, decimal, width),
            Self::Cells(table) => table,
        }
    }
}
