//! The tables that the statistics produce, each declared once: the row's type, its Arrow schema, its written contract
//! and the conversions come from the same lines.

mod case_mix;
mod cell;
mod estimates;
mod file;
mod quarantine;
mod response;
mod sensitivity;
mod survey_quality;
mod trends;
mod unlinked;
mod unmatched;
mod variation;
mod weighting;
mod working;

use arrow::{array::RecordBatch, datatypes::DataType};

pub use case_mix::{CaseMix, NESTED_TERM, RANDOM_INTERCEPT_TERM, movement};
pub use cell::Cell;
pub use estimates::Estimate;
pub use file::{TableMeta, TableWriter, read_table, write_table};
pub use quarantine::{Quarantine, QuarantineWriter};
pub use response::Response;
pub use sensitivity::Sensitivity;
pub use survey_quality::SurveyQuality;
pub use trends::Trend;
pub use unlinked::Unlinked;
pub use unmatched::Unmatched;
pub use variation::Variation;
pub use weighting::Weighting;
pub use working::{Components, Drawn, Expected, PersonsByEvents, UnplacedCode};

use crate::StoreError;

/// A column as the contract states it.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnContract {
    pub name: &'static str,
    pub data_type: DataType,
    pub nullable: bool,
    pub description: &'static str,
}

/// A table whose rows are values of `Self`.
pub trait Table: Sized {
    const NAME: &'static str;
    const VERSION: &'static str;

    fn columns() -> Vec<ColumnContract>;
    /// # Errors
    /// [`StoreError::Contract`] when Arrow refuses the columns.
    fn to_batch(rows: &[Self]) -> Result<RecordBatch, StoreError>;
    /// # Errors
    /// [`StoreError::Contract`] when a column is absent, of another type, or null where it may not be.
    fn from_batch(batch: &RecordBatch) -> Result<Vec<Self>, StoreError>;
}

/// Declares a table: a struct whose documented fields are the columns.
macro_rules! table {
    (
        $(#[$meta:meta])*
        $row:ident, $name:literal, $version:literal;
        $( #[doc = $doc:literal] $field:ident : $type:ty, )+
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
        pub struct $row { $( #[doc = $doc] pub $field: $type, )+ }

        impl $crate::tables::Table for $row {
            const NAME: &'static str = $name;
            const VERSION: &'static str = $version;

            fn columns() -> Vec<$crate::tables::ColumnContract> {
                vec![ $( $crate::tables::ColumnContract {
                    name: stringify!($field),
                    data_type: <$type as $crate::tables::Cell>::data_type(),
                    nullable: <$type as $crate::tables::Cell>::NULLABLE,
                    description: $doc.trim_ascii(),
                } ),+ ]
            }

            fn to_batch(rows: &[Self]) -> Result<arrow::array::RecordBatch, $crate::StoreError> {
                let arrays: Vec<arrow::array::ArrayRef> = vec![ $(
                    <$type as $crate::tables::Cell>::to_array(rows.iter().map(|row| &row.$field))
                ),+ ];
                $crate::tables::file::batch_of::<Self>(arrays)
            }

            fn from_batch(batch: &arrow::array::RecordBatch) -> Result<Vec<Self>, $crate::StoreError> {
                $( let $field = <$type as $crate::tables::Cell>::from_array(
                    $crate::tables::file::column_of::<Self>(batch, stringify!($field))?
                ).map_err(|reason| $crate::tables::file::broken::<Self>(stringify!($field), reason))?; )+
                $( let mut $field = $field.into_iter(); )+
                let mut rows = Vec::with_capacity(batch.num_rows());
                for _ in 0..batch.num_rows() {
                    rows.push(Self { $( $field: $field.next().ok_or_else(|| {
                        $crate::tables::file::broken::<Self>(stringify!($field), "too short".to_owned())
                    })?, )+ });
                }
                Ok(rows)
            }
        }
    };
}
pub(crate) use table;
